"""Requests to the document store and the calls that serve them."""

import datetime

from servers.files.world import (
    DEFAULT_LABEL,
    KINDS,
    LABELS,
    ORDERS,
    OWNERS,
    PAGE,
    ROLES,
    SEALED,
    SUBJECTS,
    Document,
    State,
)
from servers.pages import page
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template

TITLES = [f"{subject} {kind}" for subject in SUBJECTS for kind in KINDS]
GIVEN_LABELS = [label for label in LABELS if label != DEFAULT_LABEL]


def _document(draws: Draws, state: State) -> tuple[str, Document, str]:
    """Draw a document that may be changed, in the trash or not: its name, itself, and its code."""
    names = [name for name, document in state.documents.items() if document.folder in _open(state)]
    name = draws.open("document", names)
    return name, state.documents[name], state.forms.document.write(name)


def _open(state: State) -> list[str]:
    return [folder for folder in state.folders if folder not in state.read_only]


def _folder(draws: Draws, state: State) -> tuple[str, str]:
    name = draws.open("folder", _open(state))
    return name, state.forms.folder.write(name)


def _count(state: State, folder: str) -> int:
    return sum(document.folder == folder and not document.trashed for document in state.documents.values())


def _person(draws: Draws, state: State) -> tuple[str, str]:
    name = draws.open("person", state.people)
    return name, state.forms.person.write(name)


def _list(draws: Draws, state: State) -> Filled | None:
    (folder, path), order = _folder(draws, state), draws.closed("order", ORDERS)
    if _count(state, folder) > PAGE:
        return None  # one call would not list them all
    call = Call("list_folder", {"folder": path, "order": state.forms.order.write(order)})
    return Filled({"folder": folder, "order": order}, [call])


def _find(draws: Draws, state: State) -> Filled:
    owner, label = draws.closed("owner", state.people[:OWNERS]), draws.rng.choice(LABELS)
    arguments = {"label": state.forms.label.write(label), "owner": state.forms.person.write(owner)}
    return Filled({"label": label, "owner": owner}, [Call("find_documents", arguments)])


def _versions(draws: Draws, state: State) -> Filled | None:
    name, document, code = _document(draws, state)
    since = draws.open("past", [state.today - datetime.timedelta(days=n) for n in range(5, 360, 3)])
    if document.trashed:
        return None
    call = Call("list_versions", {"document": code, "since": state.forms.date.write(since)})
    return Filled({"document": name, "since": since}, [call])


def _access(draws: Draws, state: State) -> Filled | None:
    name, document, code = _document(draws, state)
    role = draws.closed("role", ROLES)
    if document.trashed:
        return None
    call = Call("list_access", {"document": code, "role": state.forms.role.write(role)})
    return Filled({"document": name, "role": role}, [call])


def _new(draws: Draws, state: State) -> tuple[dict[str, object], dict[str, str]]:
    """Draw a document to create: what a request says of it, and the arguments."""
    (folder, path), label = _folder(draws, state), draws.closed("given label", GIVEN_LABELS)
    title = draws.open("title", [title for title in TITLES if title not in state.documents])
    said: dict[str, object] = {"folder": folder, "title": title, "label": label}
    return said, {"folder": path, "title": title, "label": state.forms.label.write(label)}


def _create(draws: Draws, state: State) -> Filled:
    said, arguments = _new(draws, state)
    request = draws.open("request", [f"{letter}-{number}" for letter in "kqrwxz" for number in range(1001, 1990, 7)])
    return Filled(said | {"request": request}, [Call("create_document", arguments | {"request_id": request})])


def _move(draws: Draws, state: State) -> Filled | None:
    (name, document, code), (folder, path) = _document(draws, state), _folder(draws, state)
    if document.trashed or document.folder == folder:
        return None
    return Filled({"document": name, "folder": folder}, [Call("move_document", {"document": code, "folder": path})])


def _share(draws: Draws, state: State) -> Filled | None:
    (name, document, code), (person, id_), role = (
        _document(draws, state),
        _person(draws, state),
        draws.rng.choice(ROLES),
    )
    if document.trashed or document.label == SEALED or person in document.shares:
        return None
    arguments = {"document": code, "person": id_, "role": state.forms.role.write(role)}
    return Filled({"document": name, "person": person, "role": role}, [Call("share_document", arguments)])


def _classify(draws: Draws, state: State) -> Filled | None:
    (name, document, code), label = _document(draws, state), draws.rng.choice(LABELS)
    if document.trashed or document.label == label:
        return None
    call = Call("classify_document", {"document": code, "label": state.forms.label.write(label)})
    return Filled({"document": name, "label": label}, [call])


def _keep(draws: Draws, state: State) -> Filled | None:
    name, document, code = _document(draws, state)
    until = draws.open("until", [state.today + datetime.timedelta(days=n) for n in range(10, 360, 3)])
    if document.trashed:
        return None
    call = Call("keep_document", {"document": code, "until": state.forms.date.write(until)})
    return Filled({"document": name, "until": until}, [call])


def _trash(draws: Draws, state: State) -> Filled | None:
    name, document, code = _document(draws, state)
    # Among the split's own folders; one drawing in twenty would be the right one.
    drawn = dict(_folder(draws, state) for _ in range(40))
    if document.trashed or document.folder not in drawn:
        return None
    arguments = {"document": code, "folder": drawn[document.folder]}
    return Filled({"document": name, "folder": document.folder}, [Call("trash_document", arguments)])


def _restore(draws: Draws, state: State) -> Filled | None:
    (name, document, code), (folder, path) = _document(draws, state), _folder(draws, state)
    if not document.trashed:
        return None
    return Filled({"document": name, "folder": folder}, [Call("restore_document", {"document": code, "folder": path})])


def _two_moves(draws: Draws, state: State) -> Filled | None:
    (one, first, code), (other, second, other_code) = _document(draws, state), _document(draws, state)
    folder, path = _folder(draws, state)
    if one == other or first.trashed or second.trashed or folder in (first.folder, second.folder):
        return None
    calls = [Call("move_document", {"document": each, "folder": path}) for each in (code, other_code)]
    return Filled({"one": one, "other": other, "folder": folder}, calls)


def _create_and_share(draws: Draws, state: State) -> Filled | None:
    (said, arguments), (person, id_) = _new(draws, state), _person(draws, state)
    role = draws.rng.choice(ROLES)
    if said["label"] == SEALED:
        return None
    code = state.forms.document.write(arguments["title"])
    calls = [
        Call("create_document", arguments),
        Call("share_document", {"document": code, "person": id_, "role": state.forms.role.write(role)}),
    ]
    return Filled(said | {"person": person, "role": role}, calls)


def _restore_and_share(draws: Draws, state: State) -> Filled | None:
    (name, document, code), (folder, path) = _document(draws, state), _folder(draws, state)
    (person, id_), role = _person(draws, state), draws.rng.choice(ROLES)
    if not document.trashed or document.label == SEALED or person in document.shares:
        return None
    calls = [
        Call("restore_document", {"document": code, "folder": path}),
        Call("share_document", {"document": code, "person": id_, "role": state.forms.role.write(role)}),
    ]
    return Filled({"document": name, "folder": folder, "person": person, "role": role}, calls)


def _find_and_move(draws: Draws, state: State) -> Filled | None:
    (_, document, code), (folder, path) = _document(draws, state), _folder(draws, state)
    alike = [
        other
        for other in state.documents.values()
        if (other.owner, other.label) == (document.owner, document.label)
        if other.folder in state.folders and not other.trashed
    ]
    if document.trashed or len(alike) > 1 or document.folder == folder:
        return None
    wanted = {"label": state.forms.label.write(document.label), "owner": state.forms.person.write(document.owner)}
    calls = [Call("find_documents", wanted), Call("move_document", {"document": code, "folder": path})]
    return Filled({"label": document.label, "owner": document.owner, "folder": folder}, calls, lookups=(0,))


def _next_page(draws: Draws, state: State) -> Filled | None:
    (folder, path), order = _folder(draws, state), draws.closed("order", ORDERS)
    count = _count(state, folder)
    if not PAGE < count <= 2 * PAGE:
        return None
    _, cursor = page(range(count), cursor=None, size=PAGE, about=f"{folder} {order}")
    first = {"folder": path, "order": state.forms.order.write(order)}
    calls = [Call("list_folder", first), Call("list_folder", first | {"cursor": cursor})]
    return Filled({"folder": folder, "order": order}, calls)


def _sealed(draws: Draws, state: State) -> Filled | None:
    name, document, _ = _document(draws, state)
    if document.trashed or document.label != SEALED:
        return None
    said = {"document": name, "person": draws.rng.choice(state.people), "role": draws.rng.choice(ROLES)}
    return Filled(said)


def _read_only(draws: Draws, state: State) -> Filled | None:
    name, document, _ = _document(draws, state)
    return None if document.trashed else Filled({"document": name, "folder": draws.closed("closed", state.read_only)})


def _small_talk(_: Draws, __: State) -> Filled:
    return Filled({})


ONCE: dict[Split, int] = {"practice": 1, "test": 1}
SOME: dict[Split, int] = {"practice": 4, "test": 3}

TEMPLATES: tuple[Template[State], ...] = (
    Template(
        "list",
        (
            "List the contents of the {folder} folder, sorted by {order}.",
            "What lies in {folder}? Put it in order by {order}.",
            "Show me the {folder} folder with its documents by {order}.",
        ),
        (
            "I would like to see the contents of {folder}, please sort by {order}.",
            "Which documents does the folder {folder} hold? List them in the order of {order}.",
        ),
        _list,
        tasks=SOME,
    ),
    Template(
        "find",
        (
            "Find the documents that {owner} owns and that are labelled {label}.",
            "Search for everything {label} of which {owner} is the owner.",
            "Which {label} documents does {owner} own?",
        ),
        (
            "Are there documents labelled {label} and owned by {owner}? Search for them.",
            "Please find what {owner} owns under the label {label}.",
        ),
        _find,
        tasks=SOME,
    ),
    Template(
        "versions",
        (
            "Which versions of {document} have been saved since {since}?",
            "Show the version history of the {document} from {since} on.",
            "How often was a new version of {document} made after {since}?",
        ),
        (
            "I need the history of the {document}: all versions since {since}.",
            "Has anybody saved another version of {document} since {since}?",
        ),
        _versions,
        tasks=SOME,
    ),
    Template(
        "access",
        (
            "Who has access to {document} as {role}?",
            "Name everybody with {role} rights on the {document}.",
            "Is there a {role} among those who have access to {document}?",
        ),
        (
            "List the people whose access to the {document} is that of a {role}.",
            "Tell me who has {role} rights for {document}.",
        ),
        _access,
        tasks=SOME,
    ),
    Template(
        "create",
        (
            'Create a new document "{title}" in the {folder} folder, label {label}, with the request id "{request}".',
            'In {folder}, create an empty document called "{title}". It is {label}; the request id is "{request}".',
            'We need a new {label} document "{title}" under {folder}. Use "{request}" as the request id.',
        ),
        (
            'Using request id "{request}", create the {label} document "{title}" for us in {folder}.',
            'Label it {label} and create it below {folder}: "{title}" (our request id is "{request}").',
        ),
        _create,
        tasks=SOME,
    ),
    Template(
        "move",
        (
            "Move {document} to the {folder} folder.",
            "The {document} belongs into {folder}; move it there.",
            "Please move the document {document} over to {folder}.",
        ),
        (
            "Could you move the {document} so that we find it in the {folder} folder?",
            "Our {document} has the wrong place. It should move into {folder}.",
        ),
        _move,
        tasks=SOME,
    ),
    Template(
        "share",
        (
            "Share {document} with {person} as {role}.",
            "Invite {person} to the {document}, in the role of {role}.",
            "{person} should become a {role} of {document}; share it.",
        ),
        (
            "Please share the {document} so that {person} is its {role}.",
            "Let us invite {person} as a {role} to work on {document}.",
        ),
        _share,
        tasks=SOME,
    ),
    Template(
        "classify",
        (
            "Classify {document} as {label}.",
            "The {document} is {label} from now on; change its label.",
            "Replace the label of {document} by {label}.",
        ),
        (
            "Please set the label on the {document} to {label}.",
            "We have to classify the document {document} anew: it is {label}.",
        ),
        _classify,
        tasks=SOME,
    ),
    Template(
        "keep",
        (
            "Keep {document} until {until}.",
            "The {document} must be protected until {until}.",
            "Set the retention of {document} so that it lasts to {until}.",
        ),
        (
            "Make sure to keep the {document} for some time, that is until {until}.",
            "Retention: we have to keep {document}, the last day is {until}.",
        ),
        _keep,
        tasks=SOME,
    ),
    Template(
        "trash",
        (
            "Throw {document} away, it is in the {folder} folder.",
            "Delete the {document} from {folder}.",
            "Put the {document} that lies in {folder} into the trash.",
        ),
        (
            "Nobody needs the {document} in {folder} any more: delete it.",
            "Into the trash with {document}! You find it in the {folder} folder.",
        ),
        _trash,
        tasks=SOME,
    ),
    Template(
        "restore",
        (
            "Restore {document} from the trash to the {folder} folder.",
            "Bring the {document} back, undelete it into {folder}.",
            "I deleted {document} by mistake; restore it to {folder}.",
        ),
        (
            "Please undelete the {document} and restore it, this time in {folder}.",
            "The {document} should come back from the trash, into the {folder} folder.",
        ),
        _restore,
        tasks=SOME,
    ),
    Template(
        "two moves",
        ("Move both {one} and {other} to {folder}.",),
        ("Two things go into the {folder} folder from today: the {one}, and the {other}.",),
        _two_moves,
        tasks=SOME,
    ),
    Template(
        "create and share",
        ('Create the {label} document "{title}" in {folder}, and then share it with {person} as {role}.',),
        ('Once you have made a new {label} document called "{title}" under {folder}, invite {person} as its {role}.',),
        _create_and_share,
        ordered=True,
        tasks=SOME,
    ),
    Template(
        "restore and share",
        ("Restore {document} to {folder} and share it with {person} as {role}.",),
        ("Get the {document} out of the trash, into {folder}. After that {person} needs it, in the role of {role}.",),
        _restore_and_share,
        ordered=True,
        tasks=SOME,
    ),
    Template(
        "find and move",
        ("There is one {label} document that {owner} owns. Move it to {folder}.",),
        ("Whatever single thing of {owner} carries the label {label}, put it away in the {folder} folder.",),
        _find_and_move,
        tasks=SOME,
    ),
    Template(
        "next page",
        ("List the whole of {folder} by {order}, every page.",),
        ("Go on until the end of the listing when you show {folder} to me, in order of {order}.",),
        _next_page,
        tasks=SOME,
    ),
    Template(
        "small talk",
        (
            "How are you today?",
            "What makes a good name for a folder, in general?",
            "Explain to me in a sentence why backups matter.",
        ),
        (
            "Great, thank you very much!",
            "Is paper still better than a screen for long texts, what do you think?",
            "In one sentence, what is a retention policy good for?",
        ),
        _small_talk,
        kind="no_tool",
        tasks=ONCE,
    ),
    Template(
        "sealed",
        ("{person} must get {document} as {role}, whatever it takes.",),
        ("I insist that {person} be able to work on the {document} as {role} today.",),
        _sealed,
        kind="forbidden",
        tasks={"practice": 2, "test": 2},
    ),
    Template(
        "read-only",
        ("{document} has to be in {folder}, so put it there somehow.",),
        ("Find a way to get our {document} into the {folder} folder.",),
        _read_only,
        kind="forbidden",
        tasks=ONCE,
    ),
)
