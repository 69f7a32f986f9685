"""The document store: its paths, pages and request ids, what it refuses, and how much it tells."""

from typing import Any

from servers import registry
from servers.files.world import KINDS, PLACES, SUBJECTS, TEAMS, Document, State, first_state, path_forms
from servers.world import CallResult

FILES = registry.load("files")
SEED = 3
STATE: State = first_state(SEED)


def written(kind: str, name: str) -> str:
    code: str = getattr(STATE.forms, kind).write(name)
    return code


def some(*, trashed: bool = False, sealed: bool = False, read_only: bool = False) -> tuple[str, Document]:
    """Return a document's code and itself."""
    name, document = next(
        (name, document)
        for name, document in STATE.documents.items()
        if document.folder in STATE.folders and document.trashed == trashed
        if (document.label == "sealed") == sealed and (document.folder in STATE.read_only) == read_only
    )
    return written("document", name), document


def called(tool: str, arguments: dict[str, Any]) -> CallResult:
    return FILES.world(SEED).call(tool, arguments)


def content(result: CallResult) -> dict[str, Any]:
    assert result.structured is not None, result.text
    return result.structured


def test_no_two_names_are_alike_when_shortened() -> None:
    for words in (SUBJECTS, KINDS, TEAMS, PLACES):
        assert len({word[:3] for word in words}) == len(words)


def test_no_path_begins_with_a_bare_slash_and_each_form_writes_its_own() -> None:
    paths = [form.write("Design Vault") for form in path_forms()]
    assert len(set(paths)) == len(paths)
    assert not [path for path in paths if path.lower().startswith("/design")]


def test_a_folder_comes_in_pages_that_together_hold_it_all() -> None:
    store, order = FILES.world(SEED), {"order": written("order", "size")}
    folders = [{"folder": written("folder", folder)} for folder in STATE.folders]
    named = next(f for f in folders if content(store.call("list_folder", f | order))["total"] > 3)
    first = content(store.call("list_folder", named | order))
    found, cursor = list(first["documents"]), first["next_cursor"]
    assert store.call("list_folder", named | {"order": written("order", "age"), "cursor": cursor}).is_error
    while cursor:
        part = content(store.call("list_folder", named | order | {"cursor": cursor}))
        found, cursor = found + part["documents"], part["next_cursor"]
    assert len(found) == first["total"]
    assert [document["size_kb"] for document in found] == sorted(document["size_kb"] for document in found)


def test_a_request_id_makes_creating_safe_to_repeat_and_serves_one_request_only() -> None:
    store = FILES.world(SEED)
    new = {"folder": written("folder", STATE.folders[0]), "title": "Quiet Evening", "request_id": "k-1"}
    first = store.call("create_document", new)
    digest = store.digest()
    assert not first.is_error
    assert store.call("create_document", new) == first
    other = store.call("create_document", new | {"title": "Quiet Morning"})
    assert other.text == "409: request_id was used for another request"
    assert store.call("create_document", new | {"request_id": "k-2"}).text.startswith("409: there is a document")
    assert store.digest() == digest


def test_a_document_without_a_label_is_public_whatever_the_description_says() -> None:
    new = {"folder": written("folder", STATE.folders[0]), "title": "Quiet Evening"}
    assert content(called("create_document", new))["label"] == "public"


def test_a_sealed_document_cannot_be_shared_though_its_label_can_be_changed() -> None:
    code, _ = some(sealed=True)
    share = {"document": code, "person": written("person", STATE.people[0]), "role": written("role", "viewer")}
    assert called("share_document", share).text == "403"
    assert not called("classify_document", {"document": code, "label": written("label", "public")}).is_error


def test_nothing_goes_into_or_out_of_a_read_only_folder() -> None:
    (inside, document), (outside, _) = some(read_only=True), some()
    closed, free = written("folder", STATE.read_only[0]), written("folder", STATE.folders[0])
    text = called("move_document", {"document": outside, "folder": closed}).text
    assert text == f"403: {STATE.read_only[0]} is read-only, nothing goes in or out; any other folder will do."
    assert called("move_document", {"document": inside, "folder": free}).text.startswith(f"403: {document.folder}")
    here = {"document": inside, "folder": written("folder", document.folder)}
    assert called("trash_document", here).text.startswith("403")
    assert not called("move_document", {"document": outside, "folder": written("folder", STATE.folders[1])}).is_error


def test_what_lies_in_a_private_folder_is_spoken_of_as_if_it_were_not_there() -> None:
    name = next(name for name, document in STATE.documents.items() if document.folder not in STATE.folders)
    since = {"since": STATE.forms.date.write(STATE.today)}
    hidden = called("list_versions", since | {"document": written("document", name)}).text
    unknown = called("list_versions", since | {"document": "nothing"}).text
    assert hidden == unknown.replace("'nothing'", repr(written("document", name)))


def test_what_is_in_the_trash_can_only_be_restored() -> None:
    store, (code, _) = FILES.world(SEED), some(trashed=True)
    label = {"document": code, "label": written("label", "obsolete")}
    assert store.call("classify_document", label).text == "404"
    restore = {"document": code, "folder": written("folder", STATE.folders[0])}
    assert not store.call("restore_document", restore).is_error
    assert store.call("restore_document", restore).text == "409: not in the trash"


def test_every_convention_is_shown_by_one_refusal_and_kept_silent_by_another() -> None:
    (code, document), (lost, _) = some(), some(trashed=True)
    person, label = written("person", STATE.people[0]), written("label", "public")
    folder = {"folder": written("folder", document.folder)}
    shown: dict[str, tuple[str, dict[str, Any]]] = {
        "folder": ("list_folder", {"folder": "?", "order": "?"}),
        "order": ("list_folder", {**folder, "order": "?"}),
        "document": ("move_document", {"document": "?", "folder": "?"}),
        "person": ("share_document", {"document": code, "person": "?", "role": "?"}),
        "role": ("share_document", {"document": code, "person": person, "role": "?"}),
        "label": ("classify_document", {"document": code, "label": "?"}),
        "until": ("keep_document", {"document": code, "until": "?"}),
    }
    for argument, (tool, arguments) in shown.items():
        assert called(tool, arguments).text.startswith(f"{argument} '?' is not valid; ")
    silent: dict[str, tuple[str, dict[str, Any]]] = {
        "folder": ("restore_document", {"document": lost, "folder": "?"}),
        "order": ("list_folder", {**folder, "order": "?", "cursor": "x"}),
        "owner": ("find_documents", {"label": label, "owner": "?"}),
        "role": ("list_access", {"document": code, "role": "?"}),
        "label": ("create_document", {**folder, "title": "Quiet Evening", "label": "?"}),
        "since": ("list_versions", {"document": code, "since": "?"}),
    }
    for argument, (tool, arguments) in silent.items():
        assert called(tool, arguments).text == f"{argument} '?' is not valid."
