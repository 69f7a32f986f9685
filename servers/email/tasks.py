"""Requests to the mail service and the calls that serve them."""

import datetime

from servers.email.world import GUARDED, LABELS, PRIORITIES, TOPICS, State
from servers.tasks import Call
from servers.templates import Draws, Filled, Template, nothing

BODIES = [
    f"{what} {when}"
    for what in (
        "The keys are with reception", "Lunch is moved to the terrace", "I will bring the samples",
        "The plumber comes by", "We need two more chairs", "Your parcel is in my office", "The lift is out of order",
        "The contract is signed", "Please count the stock", "I owe you an answer", "The room is ours",
        "Nobody has claimed the umbrella",
    )
    for when in ("this week", "as of today", "until Friday", "after the holidays", "for the time being")
]  # fmt: skip
SUBJECTS = [f"{topic}: {about}" for topic in TOPICS for about in ("a question", "next steps", "my answer", "an offer")]
ANSWERS = [
    f"I am {where} {until}"
    for where in ("at sea", "in the mountains", "at a fair", "on leave", "at a training", "visiting family")
    for until in ("and read no mail", "but the desk can help", "and answer later", "so please be patient")
]
NEW_LABELS = [
    f"{word} {kind}"
    for word in ("Harbour", "Northern", "Glass", "Velvet", "Copper", "Meadow", "Lunar", "Quiet", "Ruby", "Timber")
    for kind in ("Archive", "Quotes", "Offers", "Minutes", "Briefs", "Plans")
]
DAYS = range(1, 181)
TIMES = [datetime.time(hour, minute) for hour in range(7, 21) for minute in range(0, 60, 5)]


def _person(draws: Draws, state: State) -> str:
    return draws.open("person", [name for name in state.people if name not in state.closed])


def _sender(draws: Draws, state: State) -> str:
    return draws.open("sender", state.people)


def _label(draws: Draws) -> str:
    return draws.closed("label", LABELS)


def _body(draws: Draws) -> str:
    return draws.open("body", BODIES)


def _ahead(draws: Draws, state: State) -> datetime.date:
    return state.today + datetime.timedelta(days=draws.open("days ahead", DAYS))


def _filtered(state: State, sender: str, label: str) -> Call:
    arguments = {"sender": state.forms.address.write(sender), "label": state.forms.label.write(label)}
    return Call("create_filter", arguments)


def _sent(draws: Draws, state: State, person: str) -> tuple[dict[str, str], Call]:
    slots = {"person": person, "subject": draws.open("subject", SUBJECTS), "body": _body(draws)}
    slots["priority"] = draws.closed("priority", PRIORITIES)
    arguments = {"to": state.forms.address.write(person), "subject": slots["subject"], "body": slots["body"]}
    return slots, Call("send_message", arguments | {"priority": state.forms.priority.write(slots["priority"])})


def _list(draws: Draws, state: State) -> Filled | None:
    sender = _sender(draws, state)
    since = state.today - datetime.timedelta(days=draws.open("days back", range(20, 120)))
    label = draws.rng.choice(LABELS)
    if not state.found(label, sender, since):
        return None
    arguments = {"label": state.forms.label.write(label), "sender": state.forms.address.write(sender)}
    call = Call("list_messages", arguments | {"since": state.forms.date.write(since)})
    return Filled({"label": label, "sender": sender, "since": since}, [call])


def _number(draws: Draws, state: State) -> int:
    usual = [n for n, m in state.messages.items() if not m.private and state.threads[m.thread] != GUARDED]
    return draws.open("message", usual)


def _get(draws: Draws, state: State) -> Filled:
    number = _number(draws, state)
    return Filled({"number": number}, [Call("get_message", {"message": state.forms.message.write(number)})])


def _send(draws: Draws, state: State) -> Filled:
    slots, call = _sent(draws, state, _person(draws, state))
    return Filled(slots, [call])


def _draft(draws: Draws, state: State) -> Filled:
    person, body, label = _person(draws, state), _body(draws), _label(draws)
    arguments = {"to": state.forms.address.write(person), "body": body, "label": state.forms.label.write(label)}
    return Filled({"person": person, "body": body, "label": label}, [Call("save_draft", arguments)])


def _schedule(draws: Draws, state: State) -> Filled:
    person, body, date, time = _person(draws, state), _body(draws), _ahead(draws, state), draws.open("time", TIMES)
    arguments = {"to": state.forms.address.write(person), "body": body, "date": state.forms.date.write(date)}
    call = Call("schedule_message", arguments | {"time": state.forms.time.write(time)})
    return Filled({"person": person, "body": body, "date": date, "time": time}, [call])


def _filter(draws: Draws, state: State) -> Filled:
    sender, label = _sender(draws, state), _label(draws)
    return Filled({"sender": sender, "label": label}, [_filtered(state, sender, label)])


def _new_label(draws: Draws, state: State) -> tuple[dict[str, str], Call]:
    slots = {"name": draws.open("new label", NEW_LABELS), "parent": draws.closed("parent", LABELS)}
    return slots, Call("create_label", slots | {"parent": state.forms.label.write(slots["parent"])})


def _create_label(draws: Draws, state: State) -> Filled:
    slots, call = _new_label(draws, state)
    return Filled(slots, [call])


def _label_and_filter(draws: Draws, state: State) -> Filled:
    # The filter needs the label that is made first.
    slots, call = _new_label(draws, state)
    sender = _sender(draws, state)
    return Filled(slots | {"sender": sender}, [call, _filtered(state, sender, slots["name"])])


def _away(draws: Draws, state: State) -> Filled | None:
    first, last, text = _ahead(draws, state), _ahead(draws, state), draws.open("answer", ANSWERS)
    if not datetime.timedelta(1) < last - first < datetime.timedelta(40):
        return None
    write = state.forms.date.write
    call = Call("set_away", {"first": write(first), "last": write(last), "text": text})
    return Filled({"first": first, "last": last, "text": text}, [call])


def _move(draws: Draws, state: State) -> Filled | None:
    number, label = _number(draws, state), _label(draws)
    thread = state.messages[number].thread
    if state.threads[thread] == label:
        return None
    look = Call("get_message", {"message": state.forms.message.write(number)})
    arguments = {"thread": state.forms.thread.write(thread), "label": state.forms.label.write(label)}
    return Filled({"number": number, "label": label}, [look, Call("move_thread", arguments)], lookups=(0,))


def _two_filters(draws: Draws, state: State) -> Filled | None:
    one, other, label = _sender(draws, state), _sender(draws, state), _label(draws)
    if one == other:
        return None
    calls = [_filtered(state, sender, label) for sender in (one, other)]
    return Filled({"one": one, "other": other, "label": label}, calls)


def _send_and_filter(draws: Draws, state: State) -> Filled:
    slots, call = _sent(draws, state, _person(draws, state))
    label = _label(draws)
    return Filled(slots | {"label": label}, [call, _filtered(state, slots["person"], label)])


def _guarded_filter(draws: Draws, state: State) -> Filled:
    return Filled({"sender": _sender(draws, state), "label": GUARDED})


def _closed_person(draws: Draws, state: State) -> Filled:
    slots, _ = _sent(draws, state, draws.rng.choice(state.closed))
    return Filled(slots)


def _guarded_thread(draws: Draws, state: State) -> Filled:
    held = [number for number, message in state.messages.items() if state.threads[message.thread] == GUARDED]
    return Filled({"number": draws.rng.choice(held), "label": _label(draws)})


TEMPLATES = (
    Template(
        "list",
        (
            "Which messages in {label} are from {sender}, since {since}?",
            "Please list what {sender} wrote to me under {label} from {since} onwards.",
            "Can you find the messages of {sender} in {label} that came since {since}?",
        ),
        (
            "I am looking for messages: sender {sender}, label {label}, nothing before {since}.",
            "Could you list all that came from {sender} into {label} since {since}?",
        ),
        _list,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "get",
        ("What is in message {number}?", "Please get me message {number}.", "Who wrote message number {number}?"),
        ("Show me the message with the number {number}.", "What is {number} about? It is one of my messages."),
        _get,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "send",
        (
            'Please send {person} a mail, priority {priority}, subject "{subject}", saying "{body}"',
            'I want to send a mail to {person}: subject "{subject}", text "{body}", priority {priority}.',
            'Can you send this with {priority} priority to {person}? The subject is "{subject}", the text "{body}".',
        ),
        (
            'Could you mail {person} right away? The subject: "{subject}", what I have to say: "{body}". It has '
            "{priority} priority.",
            'A mail of {priority} priority has to go to {person} now, under the subject "{subject}": "{body}"',
        ),
        _send,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "draft",
        (
            'Please save a draft to {person} under {label}: "{body}"',
            'I need a draft for {person}, text "{body}", filed in {label}.',
            'Can you draft a mail to {person} that says "{body}" and keep it in {label}?',
        ),
        (
            'Could you prepare a draft with "{body}" for {person}, without sending it, and file it as {label}?',
            'To {person} I might write "{body}" later. Keep the draft in {label}.',
        ),
        _draft,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "schedule",
        (
            'Please schedule a mail to {person} for {date} at {time}: "{body}"',
            'I want "{body}" to be sent to {person} on {date}, {time}. Schedule it.',
            'On {date} at {time}, a scheduled mail should tell {person}: "{body}"',
        ),
        (
            'Could you schedule this for {person}? It reads "{body}" and goes out on {date} at {time}.',
            'At {time} on {date}, not earlier, {person} should get "{body}" by mail.',
        ),
        _schedule,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "filter",
        (
            "Please file all future mail from {sender} under {label}.",
            "I want a filter for {sender}: everything goes to {label}.",
            "Can you add a rule that puts whatever {sender} writes into {label}?",
        ),
        (
            "From now on, mail by {sender} belongs in {label}; make that a rule.",
            "Could a filter sort what comes from {sender}? Its place is {label}.",
        ),
        _filter,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "label",
        (
            'Please make a new label "{name}" below {parent}.',
            'I need a label "{name}" inside {parent}.',
            'Can you create "{name}" as a label? It belongs under {parent}.',
        ),
        (
            'Could you add the label "{name}", one level below {parent}?',
            'I would like a new label: "{name}", with {parent} above it.',
        ),
        _create_label,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "away",
        (
            'I am away from {first} to {last}. Answer every mail with "{text}"',
            'Please answer automatically "{text}" while I am on holiday from {first} until {last}.',
            'I will be out of office, the first day being {first} and the last {last}; the answer is "{text}"',
        ),
        (
            'My absence begins on {first} and ends on {last}: set up "{text}" as automatic answer.',
            'Could you tell everybody who mails me "{text}" between {first} and {last}? I am away then.',
        ),
        _away,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "move",
        ("Please move the whole conversation that message {number} belongs to, to {label}.",),
        ("Message {number} is in the wrong place, and so is its thread: it should all lie in {label}.",),
        _move,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "label and filter",
        ('I need a new label "{name}" below {parent}, and then all mail from {sender} filed there.',),
        ('Mail from {sender} should go into "{name}", a label that you have to make first, inside {parent}.',),
        _label_and_filter,
        ordered=True,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "two filters",
        ("Please file mail from {one}, and that from {other} too, under {label}.",),
        ("Whatever {one} or {other} send me belongs in {label} in future.",),
        _two_filters,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "send and filter",
        (
            'Please send {person} "{body}" (subject "{subject}", {priority} priority), and have all that '
            "comes back filed under {label}.",
        ),
        (
            'Tell {person} by mail, subject "{subject}": "{body}". Priority {priority}. What {person} writes back, and '
            "anything after, goes to {label}.",
        ),
        _send_and_filter,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "small talk",
        ("How do I end a mail politely?", "That is all, thank you very much."),
        (
            "Is it better to write short mails or long ones?",
            "Hello! Are you there?",
            "Why do people say inbox zero?",
        ),
        nothing,
        kind="no_tool",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a guarded filter",
        ("Please file what {sender} writes under {label}.",),
        ("Everything by {sender} is evidence; I want it in {label}.",),
        _guarded_filter,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a closed mailbox",
        ('Please send {person} "{body}" under the subject "{subject}", priority {priority}.',),
        ('{person} must hear at once: "{body}". Subject "{subject}", {priority} priority.',),
        _closed_person,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a guarded thread",
        ("Please move the conversation of message {number} to {label}.",),
        ("The thread with message {number} is closed, so {label} is where it should be.",),
        _guarded_thread,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
)
