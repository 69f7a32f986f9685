"""The tools of the address book."""

import re
from typing import Any, Literal

from servers.contacts.world import GUARDED, PAGE, Card, State
from servers.errors import ToolError
from servers.forms import Told
from servers.pages import page
from servers.schema import described


@described("good", read_only=True)
def get_contact(state: State, person: str, detail: str) -> dict[str, Any]:
    """Look up a contact, one part of the card at a time: numbers, groups, manager, or access (who may see it).

    Args:
        person: Contact id.
        detail: Which part of the card to return.
    """
    name = _seen(state, "person", person, "example")
    part = state.detail().read("detail", detail, told="choices")
    card, forms = state.cards[name], state.forms
    content: dict[str, Any] = {
        "numbers": {forms.line.write(line): forms.phone.write(number) for line, number in card.phones.items()},
        "groups": [forms.group.write(group) for group in card.groups],
        "manager": card.manager and {"id": forms.person.write(card.manager), "name": card.manager},
        "access": {forms.person.write(other): forms.role.write(role) for other, role in card.shared.items()},
    }
    return {"id": forms.person.write(name), "name": name, part: content[part]}


@described("terse")
def find_people(state: State, organisation: str, group: str, cursor: str | None = None) -> dict[str, Any]:
    """List who works for an organisation (company) and belongs to a group.

    Args:
        organisation: Organisation id.
        cursor: From the previous page.
    """
    firm = state.organisation().read("organisation", organisation, told="example")
    circle = state.group().read("group", group, told="nothing")
    found, following = page(state.members(firm, circle), cursor=cursor, size=PAGE, about=f"people {firm} {circle}")
    return {
        "organisation": firm,
        "group": circle,
        "page": cursor,
        "people": [{"id": state.forms.person.write(name), "name": name} for name in found],
        "next_cursor": following,
    }


@described("misleading", "numbers are written in the service's own form, never as E.164, and kinds are codes")
def save_phone(state: State, person: str, kind: str, number: str) -> dict[str, Any]:
    """Set a new phone number (change, save, update) on a contact's card; an earlier number of that kind is replaced.

    Args:
        number: Phone number in international format (E.164), e.g. +4930123456.
    """
    name = _seen(state, "person", person, "example")
    line = state.line().read("kind", kind, told="choices")
    digits = state.phone().read("number", number, told="example")
    card = _own(state, name)
    if card.phones.get(line) == digits:
        raise ToolError("This number is on the card already.")
    card.phones[line] = digits
    return {"saved": True, "person": name, "kind": line, "number": digits}


@described("good")
def delete_phone(state: State, person: str, kind: str) -> dict[str, Any]:
    """Delete (remove) a phone number of one kind from a contact's card. This cannot be undone.

    Args:
        kind: Kind of number to delete.
    """
    name = _seen(state, "person", person, "example")
    line = state.line().read("kind", kind, told="example")
    card = _own(state, name)
    if line not in card.phones:
        raise ToolError(f"{name} has no {line} number.")
    del card.phones[line]
    return {"deleted": True, "person": name, "kind": line}


@described("terse")
def add_to_group(state: State, person: str, group: str) -> dict[str, Any]:
    """Add a member to a group (list).

    Args:
        group: Group id.
    """
    name = _seen(state, "person", person, "example")
    circle = state.group().read("group", group, told="choices")
    if circle == GUARDED:
        raise ToolError(
            f"The members of the group {GUARDED} are kept by the company secretary. You cannot change them."
        )
    card = _own(state, name)
    if circle in card.groups:
        raise ToolError(f"{name} is in the group {circle} already.")
    card.groups.append(circle)
    return {"added": True, "person": name, "group": circle}


@described("misleading", "there is no read-only role: roles are codes for viewer, commenter, editor, delegate, owner")
def share_contact(state: State, person: str, colleague: str, role: str) -> dict[str, Any]:
    """Share a contact's card with a colleague, who then has access to it.

    Args:
        role: What the colleague may do: "read", "write" or "admin".
    """
    name = _seen(state, "person", person, "example")
    other = _seen(state, "colleague", colleague, "example")
    granted = state.role().read("role", role, told="choices")
    card = _own(state, name)
    if other not in state.staff or other == name:
        raise ToolError("422: cards are shared with colleagues only.")
    if card.shared.get(other) == granted:
        raise ToolError(f"{other} is {granted} of this card already.")
    card.shared[other] = granted
    return {"shared": True, "person": name, "colleague": other, "role": granted}


@described("misleading", "the organisation is an id, not a name, and no company is added by the way")
def create_contact(state: State, name: str, organisation: str, reference: str) -> dict[str, Any]:
    """Create a new contact.

    Args:
        name: First and last name.
        organisation: Name of the company. A new one is added to the address book.
        reference: Your own key for this contact; sending it twice is safe.
    """
    firm = state.organisation().read("organisation", organisation, told="example")
    if not re.fullmatch(r"[A-Z][a-z]{1,19} [A-Z][a-z]{1,19}", name):
        raise ToolError("name must be a first and a last name, both with a capital, for example 'Jane Doe'")
    if not re.fullmatch(r"[a-z0-9 ]{3,40}", reference):
        raise ToolError("reference must be of 3 to 40 small letters, digits and spaces")

    def act() -> dict[str, Any]:
        code = state.forms.person.write(name)
        if code in state.person().written:
            raise ToolError("409: there is a contact with this id.")
        state.cards[name] = Card(organisation=firm, phones={}, groups=[], reference=reference)
        return {"created": True, "id": code, "name": name, "organisation": firm, "reference": reference}

    request = {"name": name, "organisation": firm}
    return state.once(reference, request, act, refusal="409: this reference was used for another contact.")


@described("good", "where both have a number of a kind, the duplicate's counts unless `conflicts` says otherwise")
def merge_contacts(
    state: State, keep: str, duplicate: str, conflicts: Literal["duplicate", "keep"] | None = None
) -> dict[str, Any]:
    """Merge two contacts that are the same person. Numbers and groups that the kept one lacks are taken over from the
    duplicate, which is then deleted.

    Args:
        keep: Contact that stays.
    """
    stays = _seen(state, "keep", keep, "example")
    goes = _seen(state, "duplicate", duplicate, "nothing")
    card, other = _own(state, stays), _own(state, goes)
    same = stays.split()[-1] == goes.split()[-1] and card.organisation == other.organisation
    if not same or stays == goes:
        raise ToolError("422: not duplicates.")
    # A default that surprises: what came last is taken for newer.
    card.phones = other.phones | card.phones if conflicts == "keep" else card.phones | other.phones
    card.groups += [group for group in other.groups if group not in card.groups]
    card.shared = other.shared | card.shared
    del state.cards[goes]
    for each in state.cards.values():
        each.manager = stays if each.manager == goes else each.manager
    return {"merged": True, "kept": stays, "deleted": goes, "conflicts": conflicts or "duplicate"}


TOOLS = (
    get_contact,
    find_people,
    save_phone,
    delete_phone,
    add_to_group,
    share_contact,
    create_contact,
    merge_contacts,
)


def _seen(state: State, argument: str, text: str, told: Told) -> str:
    """Return whose id `text` is; of what the user may not see the service says that it does not exist."""
    name = state.person().read(argument, text, told=told)
    if state.cards[name].access == "none":
        raise ToolError("404: no such contact.")
    return name


def _own(state: State, name: str) -> Card:
    card = state.cards[name]
    if card.access != "change":
        raise ToolError("403")
    return card
