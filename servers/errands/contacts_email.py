"""Requests that need the address book and the mailbox: the same people are in both."""

from servers.contacts.world import DETAILS, GROUPS, LINES
from servers.contacts.world import State as Contacts
from servers.domain import SharedState
from servers.email.tasks import BODIES, SUBJECTS
from servers.email.world import LABELS, PRIORITIES
from servers.email.world import State as Email
from servers.tasks import Call
from servers.templates import Draws, Filled, Template


def _parts(state: SharedState) -> tuple[Contacts, Email]:
    contacts, email = state.parts["contacts"], state.parts["email"]
    if not (isinstance(contacts, Contacts) and isinstance(email, Email)):
        raise TypeError("these errands need the address book and the mailbox")
    return contacts, email


def _person(draws: Draws, state: SharedState) -> str:
    """Draw somebody who is in both, whose card may be changed and who takes mail."""
    contacts, email = _parts(state)
    known = [name for name in email.people if name not in email.closed and contacts.cards[name].access == "change"]
    return draws.open("person", known)


def _mail(draws: Draws, email: Email, to: str) -> tuple[dict[str, str], Call]:
    slots = {"subject": draws.open("subject", SUBJECTS), "body": draws.open("body", BODIES)}
    priority = draws.closed("priority", PRIORITIES)
    arguments = {"to": email.forms.address.write(to), "priority": email.forms.priority.write(priority)}
    return slots | {"priority": priority}, Call("send_message", slots | arguments)


def _mail_the_manager(draws: Draws, state: SharedState) -> Filled | None:
    contacts, email = _parts(state)
    person = _person(draws, state)
    manager = contacts.cards[person].manager
    if manager not in email.people or manager in email.closed:
        return None
    slots, call = _mail(draws, email, manager)
    look = {"person": contacts.forms.person.write(person), "detail": contacts.forms.detail.write("manager")}
    return Filled({**slots, "person": person}, [Call("get_contact", look), call], lookups=(0,))


def _join_and_file(draws: Draws, state: SharedState) -> Filled:
    contacts, email = _parts(state)
    person, group, label = _person(draws, state), draws.closed("group", GROUPS), draws.closed("label", LABELS)
    joined = {"person": contacts.forms.person.write(person), "group": contacts.forms.group.write(group)}
    filed = {"sender": email.forms.address.write(person), "label": email.forms.label.write(label)}
    calls = [Call("add_to_group", joined), Call("create_filter", filed)]
    return Filled({"person": person, "group": group, "label": label}, calls)


def _delete_and_tell(draws: Draws, state: SharedState) -> Filled:
    contacts, email = _parts(state)
    person = _person(draws, state)
    line = draws.rng.choice([line for line in LINES if line in contacts.cards[person].phones])
    slots, call = _mail(draws, email, person)
    gone = {"person": contacts.forms.person.write(person), "kind": contacts.forms.line.write(line)}
    return Filled({**slots, "person": person, "line": line}, [Call("delete_phone", gone), call])


def _card_of_the_sender(draws: Draws, state: SharedState) -> Filled | None:
    contacts, email = _parts(state)
    number = draws.open("message", [number for number, message in email.messages.items() if not message.private])
    sender, detail = email.messages[number].sender, draws.closed("detail", DETAILS)
    if contacts.cards[sender].access == "none":
        return None
    look = Call("get_message", {"message": email.forms.message.write(number)})
    arguments = {"person": contacts.forms.person.write(sender), "detail": contacts.forms.detail.write(detail)}
    return Filled({"number": number, "detail": detail}, [look, Call("get_contact", arguments)])


TEMPLATES = (
    Template(
        "mail the manager",
        (
            'Please find out who the manager of {person} is, and send that manager "{body}", subject "{subject}", '
            "{priority} priority.",
        ),
        (
            'Whoever {person} reports to should hear from me by mail: "{body}" under the subject "{subject}". '
            "It is of {priority} priority.",
        ),
        _mail_the_manager,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "join and file",
        ("Please add {person} to the {group} group, and file all future mail from {person} under {label}.",),
        ("{person} is now in {group}. Put the name on that list, and whatever they write to me into {label}.",),
        _join_and_file,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "delete and tell",
        (
            "Please delete the {line} number of {person} and then send them a mail, {priority} priority: subject "
            '"{subject}", text "{body}".',
        ),
        (
            "The {line} number on {person}'s card is out of use, so remove it; and write to {person} with {priority} "
            'priority, "{subject}" being the subject: "{body}"',
        ),
        _delete_and_tell,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "card of the sender",
        ("Please look up the {detail} on the card of whoever sent me message {number}.",),
        ("Message {number}: who is it from, and what {detail} does the address book have for that person?",),
        _card_of_the_sender,
        tasks={"practice": 4, "test": 4},
    ),
)
