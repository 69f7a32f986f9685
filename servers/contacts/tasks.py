"""Requests to the address book and the calls that serve them."""

from servers.contacts.tools import find_people
from servers.contacts.world import DETAILS, GROUPS, GUARDED, LINES, ORGANISATIONS, PAGE, ROLES, State
from servers.people import doubles, strangers
from servers.tasks import Call
from servers.templates import Draws, Filled, Template, all_pages, nothing

NUMBERS = [f"0{200 + n * 7 % 797}-{10000 + n * 7919 % 89989}" for n in range(300)]
REFERENCES = [
    f"{word} {kind}"
    for word in ("spring", "harbour", "winter", "county", "jubilee", "trade", "coastal", "museum", "autumn", "design")
    for kind in ("fair", "referral", "raffle", "workshop", "newsletter", "survey")
]


def _person(draws: Draws, state: State) -> str:
    return draws.open("person", [name for name, card in state.cards.items() if card.access == "change"])


def _organisation(draws: Draws) -> str:
    return draws.open("organisation", ORGANISATIONS)


def _number(draws: Draws) -> str:
    return draws.open("number", NUMBERS)


def _saved(state: State, person: str, line: str, number: str) -> Call:
    arguments = {"kind": state.forms.line.write(line), "number": state.forms.phone.write(number)}
    return Call("save_phone", {"person": state.forms.person.write(person), **arguments})


def _added(state: State, person: str, group: str) -> Call:
    return Call("add_to_group", {"person": state.forms.person.write(person), "group": state.forms.group.write(group)})


def _created(draws: Draws, state: State) -> tuple[dict[str, str], Call]:
    name, organisation = draws.open("stranger", strangers(state.seed)), _organisation(draws)
    reference = draws.open("reference", REFERENCES)
    slots = {"name": name, "organisation": organisation, "reference": reference}
    return slots, Call("create_contact", slots | {"organisation": state.forms.organisation.write(organisation)})


def _part(state: State, person: str, detail: str) -> Call:
    return Call("get_contact", {"person": state.forms.person.write(person), "detail": state.forms.detail.write(detail)})


def _look(draws: Draws, state: State) -> Filled:
    person, detail = _person(draws, state), draws.closed("detail", DETAILS)
    return Filled({"person": person, "detail": detail}, [_part(state, person, detail)])


def _find(draws: Draws, state: State) -> Filled | None:
    organisation, group = _organisation(draws), draws.closed("group", GROUPS)
    if not 0 < len(state.members(organisation, group)) <= PAGE:
        return None
    arguments = {"organisation": state.forms.organisation.write(organisation), "group": state.forms.group.write(group)}
    return Filled({"organisation": organisation, "group": group}, [Call("find_people", arguments)])


def _save(draws: Draws, state: State) -> Filled:
    person, line, number = _person(draws, state), draws.closed("line", LINES), _number(draws)
    return Filled({"person": person, "line": line, "number": number}, [_saved(state, person, line, number)])


def _delete(draws: Draws, state: State) -> Filled:
    person = _person(draws, state)
    line = draws.rng.choice(list(state.cards[person].phones))
    arguments = {"person": state.forms.person.write(person), "kind": state.forms.line.write(line)}
    return Filled({"person": person, "line": line}, [Call("delete_phone", arguments)])


def _add(draws: Draws, state: State) -> Filled:
    person, group = _person(draws, state), draws.closed("group", GROUPS)
    return Filled({"person": person, "group": group}, [_added(state, person, group)])


def _share(draws: Draws, state: State) -> Filled:
    person, colleague = _person(draws, state), draws.open("colleague", state.staff)
    role = draws.closed("role", ROLES[:-1])
    people = {"person": state.forms.person.write(person), "colleague": state.forms.person.write(colleague)}
    call = Call("share_contact", people | {"role": state.forms.role.write(role)})
    return Filled({"person": person, "colleague": colleague, "role": role}, [call])


def _create(draws: Draws, state: State) -> Filled:
    slots, call = _created(draws, state)
    return Filled(slots, [call])


def _pair(draws: Draws, state: State) -> tuple[str, str, Call]:
    pairs = [pair for pair in doubles(state.seed) if state.cards[pair[0]].access == "change"]
    keep, duplicate = draws.open("pair", pairs)
    arguments = {
        "conflicts": "keep",
        "keep": state.forms.person.write(keep),
        "duplicate": state.forms.person.write(duplicate),
    }
    return keep, duplicate, Call("merge_contacts", arguments)


def _merge(draws: Draws, state: State) -> Filled:
    keep, duplicate, call = _pair(draws, state)
    return Filled({"keep": keep, "duplicate": duplicate}, [call])


def _merge_and_delete(draws: Draws, state: State) -> Filled:
    # Before the merger the number is not on the card that is kept.
    keep, duplicate, call = _pair(draws, state)
    arguments = {"person": state.forms.person.write(keep), "kind": state.forms.line.write("pager")}
    return Filled({"keep": keep, "duplicate": duplicate}, [call, Call("delete_phone", arguments)])


def _create_and_add(draws: Draws, state: State) -> Filled:
    slots, call = _created(draws, state)
    group = draws.closed("group", GROUPS)
    return Filled({**slots, "group": group}, [call, _added(state, slots["name"], group)])


def _two_members(draws: Draws, state: State) -> Filled | None:
    one, other, group = _person(draws, state), _person(draws, state), draws.closed("group", GROUPS)
    if one == other:
        return None
    calls = [_added(state, person, group) for person in (one, other)]
    return Filled({"one": one, "other": other, "group": group}, calls)


def _phone_and_group(draws: Draws, state: State) -> Filled:
    person, line, number = _person(draws, state), draws.closed("line", LINES), _number(draws)
    group = draws.closed("group", GROUPS)
    slots = {"person": person, "line": line, "number": number, "group": group}
    return Filled(slots, [_saved(state, person, line, number), _added(state, person, group)])


def _manager(draws: Draws, state: State) -> Filled | None:
    person, line, number = _person(draws, state), draws.closed("line", LINES), _number(draws)
    manager = state.cards[person].manager
    if manager is None or state.cards[manager].access != "change":
        return None
    look = _part(state, person, "manager")
    slots = {"person": person, "line": line, "number": number}
    return Filled(slots, [look, _saved(state, manager, line, number)], lookups=(0,))


def _everybody(draws: Draws, state: State) -> Filled:
    organisation = draws.open("large", list(state.large))
    group = state.large[organisation]
    arguments = {"organisation": state.forms.organisation.write(organisation), "group": state.forms.group.write(group)}
    calls = all_pages(find_people, state, Call("find_people", arguments))
    return Filled({"organisation": organisation, "group": group}, calls)


def _others_card(draws: Draws, state: State) -> Filled:
    person = draws.rng.choice([name for name, card in state.cards.items() if card.access == "read"])
    return Filled({"person": person, "line": draws.closed("line", LINES), "number": _number(draws)})


def _private_card(draws: Draws, state: State) -> Filled:
    person = draws.rng.choice([name for name, card in state.cards.items() if card.access == "none"])
    return Filled({"person": person, "line": draws.closed("line", LINES), "number": _number(draws)})


def _guarded(draws: Draws, state: State) -> Filled:
    return Filled({"person": _person(draws, state), "group": GUARDED})


TEMPLATES = (
    Template(
        "look",
        (
            "Please look up the {detail} of {person}.",
            "I need to look at the {detail} that we have for {person}.",
            "What does the card of {person} say? It is the {detail} that I want to look up.",
        ),
        ("Could you look up {person} for me? I need to know the {detail}.", "A look at {person}, {detail} only."),
        _look,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "find",
        (
            "Who works for {organisation} and belongs to the group {group}?",
            "Please list the people at {organisation} that are in {group}.",
            "Which members of {group} work for {organisation}?",
        ),
        (
            "I need a list of people: from {organisation}, but only those who belong to {group}.",
            "Who of the {group} people works at {organisation}?",
        ),
        _find,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "save",
        (
            "The new {line} number of {person} is {number}.",
            "Please set the {line} phone number of {person} to {number}.",
            "I was told that {person} has changed the {line} number: it is {number} now. Please save it.",
        ),
        (
            "From today on {person} can be called on {number}; save that under {line}.",
            "Could you change what we have as {line} number for {person}? It should read {number}.",
        ),
        _save,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "delete",
        (
            "Please delete the {line} number of {person}.",
            "I hear that {person} gave up the {line} number; delete it.",
            "The {line} number on the card of {person} is wrong. Please remove it.",
        ),
        (
            "What we have as {line} number for {person} is dead. Can you delete it?",
            "Take {line} off what {person} can be reached on, keep the rest.",
        ),
        _delete,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "add",
        (
            "Please add {person} to the {group} group.",
            "I promised {person} a place in {group}; please add them.",
            "Can you make {person} a member of {group}?",
        ),
        ("From now on {person} is a member of {group}.", "Could you add to {group} one more, namely {person}?"),
        _add,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "share",
        (
            "Please share the card of {person} with {colleague} as {role}.",
            "I want to share {person} with {colleague}, in the role of {role}.",
            "The contact {person} should be shared with {colleague}; make it {role}.",
        ),
        (
            "Could you share {person}'s entry with my colleague {colleague}? The role should be {role}.",
            "For {person}, I need access for {colleague}, who is going to be a {role}.",
        ),
        _share,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "create",
        (
            'Please create a contact for {name} at {organisation}, reference "{reference}".',
            'I met {name}, who works for {organisation}. Create a card with the reference "{reference}".',
            'A new contact: {name}, {organisation}; our reference for it is "{reference}".',
        ),
        (
            'Could you create an entry for {name}? The company is {organisation}, and the reference "{reference}".',
            'For {name}, who has just started at {organisation}, create a contact under "{reference}".',
        ),
        _create,
        tasks={"practice": 6, "test": 4},
    ),
    Template(
        "merge",
        (
            "I think {keep} and {duplicate} are one person. Merge them; keep the numbers of {keep}.",
            "Please merge {keep} and its duplicate {duplicate}. Where both have a number, that of the first counts.",
            "We have {keep} twice, also as {duplicate}. Please merge, and keep the first one's phone numbers.",
        ),
        (
            "I want {keep} to stay, and the double entry {duplicate} merged into it. Keep the numbers on the former.",
            "Could you unite {keep} with the superfluous {duplicate}? If their phones differ, believe what {keep} has.",
        ),
        _merge,
        tasks={"practice": 2, "test": 2},
    ),
    Template(
        "merge and delete",
        (
            "Please merge {keep} with the duplicate {duplicate} so that {keep} keeps all numbers as they are, then "
            "delete the pager number that comes with it.",
        ),
        (
            "I find {keep} entered a second time as {duplicate}. Make one card of the two under {keep}, whose phones "
            "are right as they are; after that get rid of the pager it inherits.",
        ),
        _merge_and_delete,
        ordered=True,
        tasks={"practice": 2, "test": 2},
    ),
    Template(
        "create and add",
        ('Please create {name} at {organisation} (reference "{reference}") and add the new contact to {group}.',),
        (
            'We have somebody new for {group}: {name} of {organisation}. Make a card, "{reference}" being the '
            "reference, and sign them up.",
        ),
        _create_and_add,
        ordered=True,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "two members",
        ("Please add {one} and {other} to {group}.", "I hear that {one} joins {group}, and so does {other}."),
        ("Both {one} and {other} should be on the list of {group}.",),
        _two_members,
        tasks={"practice": 2, "test": 4},
    ),
    Template(
        "phone and group",
        ("The {line} number of {person} is {number}; save it, and put {person} into {group}.",),
        ("Two things about {person}: a new {line} number, {number}, and the wish to be in {group}.",),
        _phone_and_group,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "manager",
        ("Whoever is the manager of {person} has the {line} number {number}. Save that on the manager's card.",),
        ("Look up who {person} reports to, and note {number} as that boss's {line} number.",),
        _manager,
        tasks={"practice": 4, "test": 4},
    ),
    Template(
        "everybody",
        ("List everybody at {organisation} who is in {group}, to the last one.",),
        ("I need the complete {group} crowd of {organisation}, all pages of it.",),
        _everybody,
        tasks={"practice": 2, "test": 2},
    ),
    Template(
        "small talk",
        ("Is it rude to call somebody before nine in the morning?", "Thank you, that was all for today."),
        (
            "What is the difference between a colleague and an acquaintance?",
            "Good morning! How are you?",
            "How should I answer the phone in a foreign country?",
        ),
        nothing,
        kind="no_tool",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a colleague's card",
        ("Change the {line} number of {person} to {number}.",),
        ("{person} can be called on {number} from Monday; that is the {line} one, so correct it.",),
        _others_card,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a private card",
        ("Give {person} the {line} number {number}.",),
        ("Note {number} for {person}, {line}.",),
        _private_card,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "a guarded group",
        ("Put {person} on the {group}.",),
        ("{person} was elected; I want to see that name among the {group} group.",),
        _guarded,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
)
