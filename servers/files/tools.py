"""The tools of the document store."""

import re
from typing import Any

from servers.errors import ToolError
from servers.files.world import DEFAULT_LABEL, LONGEST_KEPT, PAGE, SEALED, Document, State
from servers.pages import page
from servers.schema import described

TITLE = re.compile(r"[A-Z][a-z]{2,15} [A-Z][a-z]{2,15}")
NEW_KB = 4  # of an empty document


@described("good")
def list_folder(state: State, folder: str, order: str, cursor: str | None = None) -> dict[str, Any]:
    """List the contents of a folder, sorted, a few documents at a time.

    Args:
        folder: Path of the folder.
        order: What to sort by.
        cursor: next_cursor of the page before; leave it out for the first page.
    """
    place = state.folder().read("folder", folder, told="example")
    by = state.read_order(order, told="choices" if cursor is None else "nothing")
    inside = {n: d for n, d in state.documents.items() if d.folder == place and not d.trashed}
    keys: dict[str, Any] = {
        "name": lambda name: name,
        "size": lambda name: (inside[name].size_kb, name),
        "age": lambda name: (inside[name].versions[-1:], name),
        "owner": lambda name: (inside[name].owner, name),
    }
    part, following = page(sorted(inside, key=keys[by]), cursor=cursor, size=PAGE, about=f"{place} {by}")
    return {
        "folder": state.forms.folder.write(place),
        "order": by,
        "total": len(inside),
        "documents": [{"document": state.forms.document.write(name), "size_kb": inside[name].size_kb} for name in part],
        "next_cursor": following,
    }


@described("terse")
def find_documents(state: State, label: str, owner: str) -> dict[str, Any]:
    """Search documents by who owns them and how they are labelled.

    Args:
        owner: Person id.
    """
    mark = state.read_label(label, told="choices")
    person = state.read_person("owner", owner, told="nothing")
    found = [
        _reference(state, name) | {"folder": state.forms.folder.write(document.folder)}
        for name, document in state.documents.items()
        if (document.label, document.owner) == (mark, person)
        if document.folder in state.folders and not document.trashed
    ]
    return {"label": mark, "owner": person, "documents": found}


@described("terse")
def list_versions(state: State, document: str, since: str) -> dict[str, Any]:
    """Version history.

    Args:
        document: Document id.
    """
    name, found = state.read_document(document, told="example")
    first = state.date().read("since", since, told="nothing")
    saved = [{"version": n, "saved": day.isoformat()} for n, day in enumerate(found.versions, 1) if day >= first]
    return {**_reference(state, name), "since": first.isoformat(), "current": found.current, "versions": saved}


@described("terse")
def list_access(state: State, document: str, role: str) -> dict[str, Any]:
    """Who has access (rights) to a document.

    Args:
        document: Document id.
    """
    name, found = state.read_document(document, told="example")
    right = state.read_role(role, told="nothing")
    people = sorted(person for person, given in found.shares.items() if given == right)
    return {**_reference(state, name), "role": right, "people": [_person(state, person) for person in people]}


@described("misleading", "without a label the document is public, whatever else lies in the folder")
def create_document(
    state: State, folder: str, title: str, label: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
    """Create a new, empty document; its owner is the user.

    Args:
        title: Two capitalised words.
        label: Defaults to the label that is usual in the folder.
        request_id: Up to 40 characters of your choice, so that the request can be repeated safely.
    """
    place = state.read_writable(folder, told="nothing")
    mark = DEFAULT_LABEL if label is None else state.read_label(label, told="nothing")
    if not TITLE.fullmatch(title):
        raise ToolError("title is not valid.")
    if request_id is not None and not 0 < len(request_id) <= 40:
        raise ToolError("request_id is not valid.")

    def create() -> dict[str, Any]:
        taken = {state.forms.document.write(name) for name in state.documents}
        if state.forms.document.write(title) in taken:
            raise ToolError(f"409: there is a document {title} already")
        state.documents[title] = Document(
            folder=place,
            owner=state.people[0],
            label=mark,
            size_kb=NEW_KB,
            versions=[state.today],
            current=1,
            request_id=request_id,
        )
        return {**_reference(state, title), "folder": folder, "label": mark, "request_id": request_id}

    request = {"folder": folder, "title": title, "label": label}
    return state.once(request_id, request, create, refusal="409: request_id was used for another request")


@described("good")
def move_document(state: State, document: str, folder: str) -> dict[str, Any]:
    """Move a document into another folder.

    Args:
        document: Document id.
        folder: Path of the folder that it goes to.
    """
    name, moved = state.read_document(document, told="example")
    place = state.read_writable(folder, told="example")
    state.checked(moved.folder)
    if moved.folder == place:
        raise ToolError(f"409: {name} is in that folder already")
    moved.folder = place
    return {**_reference(state, name), "folder": folder}


@described("misleading", "a person is named by an id; the e-mail address that the description asks for is refused")
def share_document(state: State, document: str, person: str, role: str) -> dict[str, Any]:
    """Share a document with somebody (invite, give a right to); replaces an earlier role.

    Args:
        person: E-mail address.
    """
    name, shared = state.read_document(document, told="example")
    colleague = state.read_person("person", person, told="example")
    right = state.read_role(role, told="choices")
    if shared.label == SEALED:
        raise ToolError("403")
    if shared.shares.get(colleague) == right:
        raise ToolError(f"409: {colleague} has that role already")
    shared.shares[colleague] = right
    return {**_reference(state, name), "person": _person(state, colleague), "role": right}


@described("good")
def classify_document(state: State, document: str, label: str) -> dict[str, Any]:
    """Classify a document: replace its label.

    Args:
        document: Document id.
        label: How confidential it is.
    """
    name, classified = state.read_document(document, told="example")
    mark = state.read_label(label, told="choices")
    state.checked(classified.folder)
    if classified.label == mark:
        raise ToolError(f"409: {name} is labelled {mark} already")
    classified.label = mark
    return {**_reference(state, name), "label": mark}


@described("terse")
def keep_document(state: State, document: str, until: str) -> dict[str, Any]:
    """Retention: keep (protect) a document for some time."""
    name, kept = state.read_document(document, told="example")
    day = state.date().read("until", until, told="example")
    if not state.today < day <= state.today + LONGEST_KEPT:
        raise ToolError("until must be a day within the year to come")
    if kept.keep_until == day:
        raise ToolError("409: it is kept until that day already")
    kept.keep_until = day
    return {**_reference(state, name), "kept_until": day.isoformat()}


@described("good")
def trash_document(state: State, document: str, folder: str) -> dict[str, Any]:
    """Throw a document away (delete it): out of its folder, into the trash.

    Args:
        folder: Path of the folder that it is in now.
    """
    name, trashed = state.read_document(document, told="example")
    place = state.read_writable(folder, told="example")
    if trashed.folder != place:
        raise ToolError(f"404: {place} holds no {name}")
    trashed.trashed = True
    return {**_reference(state, name), "folder": folder, "trashed": True}


@described("good")
def restore_document(state: State, document: str, folder: str) -> dict[str, Any]:
    """Restore a document from the trash (undelete it, bring it back).

    Args:
        document: Document id.
        folder: Path of the folder that it goes to, old or new.
    """
    name, restored = state.read_document(document, told="example", trashed=True)
    place = state.read_writable(folder, told="nothing")
    restored.trashed = False
    restored.folder = place
    return {**_reference(state, name), "folder": folder, "trashed": False}


TOOLS = (
    list_folder,
    find_documents,
    list_versions,
    list_access,
    create_document,
    move_document,
    share_document,
    classify_document,
    keep_document,
    trash_document,
    restore_document,
)


def _reference(state: State, name: str) -> dict[str, Any]:
    return {"document": state.forms.document.write(name), "title": name}


def _person(state: State, name: str) -> dict[str, str]:
    return {"id": state.forms.person.write(name), "name": name}
