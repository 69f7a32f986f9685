"""Requests that need the document store and the issue tracker: people and names are the same in both."""

from typing import Any

from servers.domain import SharedState
from servers.files.world import LABELS, OWNERS, ROLES, SEALED
from servers.files.world import State as Files
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.tickets.world import MOVES, Ticket
from servers.tickets.world import State as Tickets

SOME: dict[Split, int] = {"practice": 4, "test": 3}


def _parts(state: SharedState) -> tuple[Files, Tickets]:
    files, tickets = state.parts["files"], state.parts["tickets"]
    if not isinstance(files, Files) or not isinstance(tickets, Tickets):
        raise TypeError("errands of files and tickets need the states of these two")
    return files, tickets


def _document(draws: Draws, files: Files) -> str:
    """Draw a document that can be moved and shared."""
    names = [
        name
        for name, document in files.documents.items()
        if document.folder in files.folders and document.folder not in files.read_only
        if not document.trashed and document.label != SEALED
    ]
    return draws.open("document", names)


def _ticket(draws: Draws, tickets: Tickets) -> tuple[Ticket, dict[str, object], dict[str, Any]]:
    """Draw a ticket that can be changed: also what a request says of it, and what names it in a call."""
    closed = (tickets.frozen, tickets.hidden)
    number = draws.open("ticket", [n for n, ticket in tickets.tickets.items() if ticket.project not in closed])
    ticket = tickets.tickets[number]
    named = {"project": tickets.forms.project.write(ticket.project), "number": number}
    return ticket, {"number": number, "project": ticket.project}, named


def _share(files: Files, document: str, person: str, role: str) -> Call | None:
    if person in files.documents[document].shares:
        return None
    forms = files.forms
    return Call(
        "share_document",
        {
            "document": forms.document.write(document),
            "person": forms.person.write(person),
            "role": forms.role.write(role),
        },
    )


def _share_with_assignee(draws: Draws, state: SharedState) -> Filled | None:
    files, tickets = _parts(state)
    document, role, (ticket, said, named) = _document(draws, files), draws.rng.choice(ROLES), _ticket(draws, tickets)
    share = _share(files, document, ticket.assignee, role)
    look_up = Call("get_ticket", named | {"view": tickets.forms.view.write("people")})
    return share and Filled(said | {"document": document, "role": role}, [look_up, share], lookups=(0,))


def _assign_and_share(draws: Draws, state: SharedState) -> Filled | None:
    files, tickets = _parts(state)
    document, role, (ticket, said, named) = _document(draws, files), draws.rng.choice(ROLES), _ticket(draws, tickets)
    person = draws.open("person", tickets.people)
    share = _share(files, document, person, role)
    if share is None or person == ticket.assignee:
        return None
    assign = Call("assign_ticket", named | {"assignee": tickets.forms.person.write(person)})
    return Filled(said | {"document": document, "role": role, "person": person}, [assign, share])


def _move_both(draws: Draws, state: SharedState) -> Filled | None:
    files, tickets = _parts(state)
    document, (ticket, said, named) = _document(draws, files), _ticket(draws, tickets)
    folder = draws.open("folder", [folder for folder in files.folders if folder not in files.read_only])
    status = draws.rng.choice(MOVES[ticket.status])
    if files.documents[document].folder == folder:
        return None
    calls = [
        Call(
            "move_document",
            {"document": files.forms.document.write(document), "folder": files.forms.folder.write(folder)},
        ),
        Call("move_ticket", named | {"status": tickets.forms.status.write(status)}),
    ]
    return Filled(said | {"document": document, "folder": folder, "status": status}, calls)


def _owned_by_assignee(draws: Draws, state: SharedState) -> Filled | None:
    files, tickets = _parts(state)
    label, (ticket, said, named) = draws.rng.choice(LABELS), _ticket(draws, tickets)
    if ticket.assignee not in files.people[:OWNERS]:
        return None
    wanted = {"label": files.forms.label.write(label), "owner": files.forms.person.write(ticket.assignee)}
    look_up = Call("get_ticket", named | {"view": tickets.forms.view.write("people")})
    return Filled(said | {"label": label}, [look_up, Call("find_documents", wanted)], lookups=(0,))


TEMPLATES: tuple[Template[SharedState], ...] = (
    Template(
        "share with assignee",
        ("Whoever works on ticket {number} in {project} needs {document}: share it with them as {role}.",),
        ("Find the assignee of {number} from the {project} board and invite that person, as {role}, to {document}.",),
        _share_with_assignee,
        tasks=SOME,
    ),
    Template(
        "assign and share",
        ("Assign ticket {number} in {project} to {person}, and share {document} with them as {role}.",),
        ("{person} takes over {number} of {project}. For that they must become a {role} of our {document}.",),
        _assign_and_share,
        tasks=SOME,
    ),
    Template(
        "move both",
        ("Move the document {document} to {folder} and ticket {number} in {project} to {status}.",),
        ("Our {document} goes into the {folder} folder; once it is there, set {project} number {number} to {status}.",),
        _move_both,
        tasks=SOME,
    ),
    Template(
        "owned by assignee",
        ("Which {label} documents are owned by the person who has ticket {number} in {project}?",),
        ("Look at who got {number} on the {project} board, then search for whatever they own that is {label}.",),
        _owned_by_assignee,
        ordered=True,
        tasks=SOME,
    ),
)
