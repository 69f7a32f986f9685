"""What is forgotten goes, with all that was made from it, and nothing else does."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleware.memory.artefacts import Manifest, write_artefact
from middleware.memory.doomed import FORGOTTEN, Selection
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.processes import process_identity
from middleware.memory.records import Hint, Trial, Verdict
from middleware.memory.rows import served_hints, write
from middleware.memory.spool import Record, Spool
from middleware.memory.store import Memory
from tests.conftest import a_call, tool_definition
from tests.middleware.peer import ROOT, TIMEOUT_S

MARK = "Zoë's\"red\\blue/№7"
GOOD = Verdict("responses", "solved", 0.6, "accepted")
OLD, NEW, MIDDLE = "2020-01-01T00:00:00.000Z", "2022-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"

CONTAINING = Selection(containing=MARK)


def traces(folder: Path, text: str = MARK) -> list[Path]:
    """Return the files in which the bytes of `text` stand, as they are or as JSON, JSON in JSON, ... spells them."""
    layers = {text}
    for _ in range(3):
        layers |= {json.dumps(layer, ensure_ascii=ascii_only)[1:-1] for layer in layers for ascii_only in (True, False)}
    wanted = [layer.encode() for layer in layers]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(spelling in path.read_bytes() for spelling in wanted)]


def arguments(text: str = MARK) -> str:
    return json.dumps({"text": text})


def add(memory: Memory, *records: Record) -> None:
    assert write(memory._db, records) == 0


def server(uid: str, name: str, command: str = "run") -> Record:
    return {"kind": "server", "uid": uid, "name": name, "command": command, "created_at": OLD}


def session(uid: str, server_uid: str, client: str | None = None) -> Record:
    told = {"client_name": client, "client_version": None, "protocol_version": None}
    return {"kind": "session", "uid": uid, "server_uid": server_uid, **told, "transport": "stdio", "created_at": OLD}


def in_flight(uid: str, pid: int, process: str, **columns: object) -> Record:
    return {"kind": "open", "uid": uid, "pid": pid, "process": process, "call": a_call(uid, **columns)}


def uids(memory: Memory, table: str = "calls") -> set[str]:
    return {str(uid) for (uid,) in memory._db.execute(f"SELECT uid FROM {table}")}


def an_artefact(
    memory: Memory, name: str, *, trials: list[str], calls: list[str], hint: str = "", text: str = "x"
) -> Path:
    """Write an artefact as `learner distill` would, and let the relays of server s show it."""
    folder = memory.path.parent / "artefacts" / name
    manifest = Manifest(name, "prompt", NEW, "0", len(trials), {}, {})
    write_artefact(folder, manifest, {"demonstrations.jsonl": text, "hints.json": json.dumps({"t": hint})})
    hints = [Hint("s", "t", "h", hint)] if hint else []
    memory.served.add_artefact(
        name=name, kind="prompt", path=folder, manifest={}, trial_uids=trials, hints=hints, call_uids=calls
    )
    if hint:
        memory.served.apply(name, ["s"])
    return folder


@pytest.fixture
def filled(memory: Memory) -> Memory:
    """A memory in which two calls of server s hold the mark, with a trial, an artefact and indexes of them."""
    add(memory, server("s", "sea"), server("l", "lake"), session("u", "s", "client"), session("v", "l", "client"))
    add(memory, *({**tool(name), "server_uid": uid} for uid, name in (("s", "t"), ("l", "t"))))
    add(memory, a_call("marked", arguments_json=arguments(), session_uid="u", created_at=OLD))
    add(memory, a_call("said", result_json=arguments(arguments()), session_uid="u", trial_uid="trial", created_at=OLD))
    add(memory, a_call("other", arguments_json='{"a": 1}', session_uid="v", server_uid="l", created_at=NEW))
    add(
        memory,
        a_call(
            "kept", arguments_json='{"b": 2}', session_uid="v", server_uid="l", trial_uid="kept-trial", created_at=NEW
        ),
    )
    memory.add_trials(
        [
            Trial("trial", f"do {MARK}", "explore", "recall", "s", (), GOOD, created_at=OLD),
            Trial("kept-trial", "do b", "explore", "recall", "l", (), GOOD, created_at=NEW),
        ]
    )
    an_artefact(memory, "made-of-it", trials=["trial"], calls=["marked"], hint=arguments(), text=arguments())
    an_artefact(memory, "kept-artefact", trials=["kept-trial"], calls=["other"])
    memory.calls(search="red")
    memory.trials()
    memory.trials(like="do red")
    return memory


def tool(name: str, description: str = "") -> Record:
    definition = tool_definition(name, description)
    return {
        "kind": "tool",
        "hash": f"h-{name}",
        "name": name,
        "definition_json": json.dumps(definition),
        "created_at": OLD,
    }


@pytest.mark.parametrize(
    "selection",
    [
        CONTAINING,
        Selection(server="sea"),
        Selection(server="s"),
        Selection(before=MIDDLE),
        Selection(calls=("marked", "2")),
        Selection("sea", MIDDLE, ("marked", "said"), "red"),
    ],
    ids=str,
)
def test_what_meets_the_selection_is_in_no_file_and_all_else_stays(filled: Memory, selection: Selection) -> None:
    folder = filled.path.parent
    assert len(traces(folder)) > 2
    found = filled.forgetting.find(selection)
    # The one that was practised, and the one that is made of the client's own call.
    assert (dict(found.calls), found.trials, found.verdicts) == ({"sea": 2}, 2, 1)
    assert [(artefact.name, artefact.serving) for artefact in found.artefacts] == [("made-of-it", ("sea",))]
    assert uids(filled) == {"marked", "said", "other", "kept"}  # looking changes nothing
    assert filled.forgetting.carry_out(selection).complete
    assert traces(folder) == []
    # Indexes hold words, in a form of their own.
    assert not filled.path.with_name("memory.db.nearest").exists()
    assert filled._db.execute("SELECT rowid FROM calls_fts WHERE calls_fts MATCH 'red'").fetchall() == []
    assert uids(filled) == {"other", "kept"}
    assert uids(filled, "trials") == {"kept-trial", "other"}
    assert [artefact.name for artefact in filled.served.artefacts()] == ["kept-artefact"]
    assert [path.name for path in (folder / "artefacts").iterdir()] == ["kept-artefact"]
    assert filled.served.serving() == {}
    assert served_hints(filled._db, "s") == {}
    assert {one.name for one in filled.servers()} == ({"lake"} if selection.whole_server else {"lake", "sea"})
    assert {one.server for one in filled.tools()} == ({"lake"} if selection.whole_server else {"lake", "sea"})
    assert uids(filled, "sessions") == {"v"}
    assert filled._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert filled._db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert not filled.forgetting.find(selection)
    assert not filled.forgetting.unfinished()
    # What is derived is made anew, and finds what is there.
    add(filled, a_call("later", arguments_json='{"text": "red fish"}', created_at=NEW))
    assert [call.uid for call in filled.calls(search="red")] == ["later"]
    assert [trial.uid for trial in filled.trials(like="do red b")] == ["kept-trial"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("arguments_json", arguments()),
        ("arguments_json", arguments(arguments(arguments()))),
        ("result_json", json.dumps({"a": MARK}, ensure_ascii=False)),
        ("error", MARK),
        ("intent", MARK),
        ("tool_name", MARK),
        ("jsonrpc_id", json.dumps(MARK)),
    ],
)
def test_a_call_is_forgotten_for_any_text_in_it(memory: Memory, column: str, value: str) -> None:
    add(memory, a_call("a"), a_call("b"))
    memory._db.execute(f"UPDATE calls SET {column} = ? WHERE uid = 'a'", (value,))
    assert memory.forgetting.carry_out(CONTAINING).complete
    assert uids(memory) == {"b"}
    assert traces(memory.path.parent) == []


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("INSERT INTO servers VALUES ('x', :mark, 'run', :at)", f"SELECT name = '{FORGOTTEN}' FROM servers"),
        (
            "INSERT INTO servers VALUES ('x', 'n', :mark, :at)",
            f"SELECT name = 'n', command = '{FORGOTTEN}' FROM servers",
        ),
        (
            "INSERT INTO sessions VALUES ('x', 's', :mark, '1', NULL, 'stdio', :at)",
            f"SELECT client_name = '{FORGOTTEN}', client_version = '1' FROM sessions",
        ),
        ("INSERT INTO tools VALUES ('s', 'h', 'n', :json, :at)", "SELECT count(*) = 0 FROM tools"),
        (
            "INSERT INTO trials (uid, query, source, created_at) VALUES ('x', :mark, 'import', :at)",
            "SELECT count(*) = 0 FROM trials WHERE uid = 'x'",
        ),
        (
            "INSERT INTO trials (uid, origin, source, created_at) VALUES ('x', :json, 'import', :at)",
            "SELECT count(*) = 0 FROM trials WHERE uid = 'x'",
        ),
        (
            "INSERT INTO verdicts VALUES (9, 'kept', 'judge', 'solved', 1, :mark, :at)",
            "SELECT count(*) = 1, count(id) = 1 FROM trials",
        ),
        (
            "INSERT INTO episodes VALUES (9, 'x', NULL, :mark, :json, :at)",
            f"SELECT model = '{FORGOTTEN}', settings_json = '{{}}' FROM episodes",
        ),
        ("INSERT INTO evaluations VALUES (9, 's', 't', 'm', NULL, :json, :at)", "SELECT count(*) = 0 FROM evaluations"),
        (
            "INSERT INTO evaluations VALUES (9, 's', 't', 'm', NULL, '{}', :at); "
            "INSERT INTO predictions VALUES (9, 'case', :json, '{}')",
            "SELECT count(*) = 0 FROM evaluations",
        ),
    ],
)
def test_the_text_is_forgotten_wherever_it_stands(memory: Memory, statement: str, left: str) -> None:
    memory.add_trials([Trial("kept", "do", "explore", "m", "s", (), GOOD, created_at=OLD)])
    values = {"mark": MARK, "json": arguments(), "at": OLD}
    for part in statement.split("; "):
        memory._db.execute(part, {key: value for key, value in values.items() if f":{key}" in part})
    assert memory.forgetting.find(CONTAINING)
    assert memory.forgetting.carry_out(CONTAINING).complete
    assert memory._db.execute(left).fetchall()[0][0] == 1
    assert set(memory._db.execute(left).fetchall()[0]) == {1}
    assert uids(memory, "trials") == {"kept"}
    assert traces(memory.path.parent) == []


def test_an_artefact_that_holds_the_text_goes_even_where_its_calls_do_not(memory: Memory) -> None:
    in_file = an_artefact(memory, "in-file", trials=[], calls=[], text=arguments())
    in_hint = an_artefact(memory, "in-hint", trials=[], calls=[], hint=arguments())
    neither = an_artefact(memory, "neither", trials=[], calls=[], hint="harmless")
    assert memory.forgetting.carry_out(CONTAINING).complete
    assert [folder.exists() for folder in (in_file, in_hint, neither)] == [False, False, True]
    assert memory.served.serving() == {"s": "neither"}


def test_an_artefact_from_before_its_calls_were_noted_goes_with_any_earlier_call_of_its_server(memory: Memory) -> None:
    add(memory, a_call("s-call"), a_call("l-call", server_uid="l"))
    an_artefact(memory, "older", trials=[], calls=[], hint="harmless")
    memory._db.execute(
        "UPDATE artefacts SET created_at = (SELECT applied_at FROM migrations WHERE name = 'm004_privacy')"
    )
    assert not memory.forgetting.find(Selection(calls=("l-call",))).artefacts
    assert [one.name for one in memory.forgetting.find(Selection(calls=("s-call",))).artefacts] == ["older"]


def test_an_artefact_elsewhere_is_no_longer_served_and_its_folder_is_named(memory: Memory, tmp_path: Path) -> None:
    an_artefact(memory, "moved", trials=[], calls=["a"], hint="x")
    add(memory, a_call("a"))
    elsewhere = tmp_path / "elsewhere" / "moved"
    elsewhere.mkdir(parents=True)
    memory._db.execute("UPDATE artefacts SET path = ?", (str(elsewhere),))
    done = memory.forgetting.carry_out(Selection(calls=("a",)))
    assert done.outside == (elsewhere,)
    assert elsewhere.exists()
    assert memory.served.artefacts() == []


def test_a_call_in_flight_is_not_written_when_it_ends(memory: Memory) -> None:
    add(memory, in_flight("a", os.getpid(), process_identity(), arguments_json=arguments()))
    add(memory, in_flight("b", os.getpid(), process_identity()))
    assert memory.forgetting.find(CONTAINING).in_flight == 1
    assert memory.forgetting.carry_out(CONTAINING).complete
    add(memory, a_call("a", arguments_json=arguments()), a_call("b"))
    add(memory, in_flight("a", os.getpid(), process_identity(), arguments_json=arguments()))
    assert uids(memory) == {"b"}
    assert uids(memory, "open_calls") == set()
    assert traces(memory.path.parent) == []


def test_spools_of_the_dead_are_forgotten_too(memory: Memory) -> None:
    spool = Spool(memory.path)
    spool.append([a_call("a", arguments_json=arguments()), a_call("b")])
    spool.close()
    assert traces(memory.path.parent)
    assert memory.forgetting.carry_out(CONTAINING).complete
    assert uids(memory) == {"b"}
    assert traces(memory.path.parent) == []


def test_a_living_relay_that_keeps_the_text_in_its_spool_is_named(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("middleware.memory.forget._SPOOL_PATIENCE_S", 0.0)
    add(memory, server("s", "sea"), a_call("a", arguments_json=arguments()))
    spool = Spool(memory.path)
    spool.append([a_call("b", arguments_json=arguments())])
    done = memory.forgetting.carry_out(CONTAINING)
    assert [(path, name) for path, name in done.spools.items()] == [(spool.path, "sea")]
    assert not done.complete
    assert memory.forgetting.unfinished()
    assert uids(memory) == set()
    spool.close()
    assert memory.forgetting.carry_out(CONTAINING).complete
    assert not memory.forgetting.unfinished()


def test_what_a_file_of_ours_still_holds_is_named(memory: Memory) -> None:
    stray = memory.path.with_name(memory.path.name + ".copy")
    stray.write_text(arguments())
    assert memory.forgetting.left(CONTAINING) == [stray]
    done = memory.forgetting.carry_out(CONTAINING)
    assert done.left == (stray,)
    stray.unlink()
    assert memory.forgetting.carry_out(CONTAINING).complete


@pytest.mark.parametrize("text", ["result", "m004_privacy", "s", "CREATE TABLE", OLD, "tool_error"])
def test_what_the_memory_itself_is_made_of_is_nobodys_text(memory: Memory, text: str) -> None:
    add(memory, a_call("a", arguments_json='{"A": 1}', tool_name="t"))
    assert memory.forgetting.left(Selection(containing=text)) == []


def test_only_one_forgets_at_a_time(memory: Memory) -> None:
    mark = memory.path.with_name(memory.path.name + ".forgetting")
    descriptor = os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(MemoryBusyError, match="another learner forget"):
        memory.forgetting.carry_out(CONTAINING)
    os.close(descriptor)
    assert memory.forgetting.carry_out(CONTAINING).complete


def test_what_comes_after_the_look_is_not_asked_for_unless_it_holds_the_text(memory: Memory) -> None:
    everything, later = Selection(before="9999"), "9998-01-01T00:00:00.000Z"
    add(memory, a_call("a"))
    memory.forgetting.find(everything)
    add(memory, a_call("b", created_at=later, arguments_json=arguments()))
    memory.forgetting.carry_out(everything)
    assert uids(memory) == {"b"}
    memory.forgetting.carry_out(CONTAINING)
    assert uids(memory) == set()


def test_row_ids_that_are_given_again_hide_nothing(memory: Memory) -> None:
    for uid in ("a", "b"):
        add(memory, a_call(uid, arguments_json=arguments()))
        assert memory.forgetting.carry_out(CONTAINING).complete
        assert uids(memory) == set()


# A memory at random: what remains is exactly what does not match.

LAYERS: list[Callable[[str], str]] = [
    str,
    json.dumps,
    lambda text: arguments(arguments(text)),
    lambda text: f"x{text}y",
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[bool, dict[str, Any]]:
    """Draw the columns of a call, and whether it holds the mark."""
    word = draw(st.sampled_from(["", MARK, MARK.lower(), "harmless", MARK[:-1]]))
    column = draw(st.sampled_from(["arguments_json", "result_json", "error", "jsonrpc_id"]))
    text = draw(st.sampled_from(LAYERS))(word)
    return word == MARK, {
        "server_uid": draw(st.sampled_from("sl")),
        "created_at": draw(st.sampled_from([OLD, MIDDLE, NEW])),
        "trial_uid": draw(st.sampled_from([None, "t0", "t1", "t2"])),
        column: arguments(text) if column == "arguments_json" else text,
    }


SELECTIONS = st.builds(
    Selection,
    server=st.sampled_from([None, "sea", "l"]),
    before=st.sampled_from([None, MIDDLE]),
    calls=st.sampled_from([(), ("c0", "c2")]),
    containing=st.sampled_from([None, MARK]),
).filter(lambda selection: selection != Selection())


def meets(selection: Selection, server_uid: str, created_at: str, marked: bool) -> bool:
    return (
        selection.server in (None, {"s": "sea", "l": "l"}[server_uid])
        and (selection.before is None or created_at < selection.before)
        and (selection.containing is None or marked)
    )


@settings(max_examples=40)
@given(st.lists(calls(), max_size=6), st.lists(st.sampled_from([MARK, "do"]), min_size=3, max_size=3), SELECTIONS)
def test_what_remains_is_exactly_what_does_not_match(
    made: list[tuple[bool, dict[str, Any]]], queries: list[str], selection: Selection
) -> None:
    with TemporaryDirectory() as folder, Memory(Path(folder) / "memory.db") as memory:
        add(memory, server("s", "sea"), server("l", "lake"))
        rows = {f"c{number}": call for number, (_, call) in enumerate(made)}
        add(memory, *(a_call(uid, **call) for uid, call in rows.items()))
        memory.add_trials(
            Trial(f"t{number}", query, "explore", "m", "s", (), GOOD, created_at=MIDDLE)
            for number, query in enumerate(queries)
        )
        doomed = {
            uid
            for (uid, call), (marked, _) in zip(rows.items(), made, strict=True)
            if uid in (selection.calls or rows) and meets(selection, call["server_uid"], call["created_at"], marked)
        }
        own = {
            f"t{number}"
            for number, query in enumerate(queries)
            if not selection.calls and meets(selection, "s", MIDDLE, query == MARK)
        }
        memory.forgetting.carry_out(selection)
        assert uids(memory) == set(rows) - doomed
        assert uids(memory, "trials") == {"t0", "t1", "t2"} - own - {rows[uid]["trial_uid"] for uid in doomed}
        assert len(memory.trials(label="solved")) == len(uids(memory, "trials"))
        assert not memory.forgetting.find(selection)
        if selection == CONTAINING:
            assert traces(Path(folder)) == []


# Killed at any moment, and run again.

KILLED = """
import os, signal, sys
from pathlib import Path
from middleware.memory.doomed import Selection
from middleware.memory.store import Memory
with Memory(Path(sys.argv[1])) as memory:
    left = int(sys.argv[3])
    def count(cursor, statement, bindings):
        global left
        left -= 1
        if not left: os.kill(os.getpid(), signal.SIGKILL)
        return True
    memory._db.exec_trace = count
    memory.forgetting.carry_out(Selection(containing=sys.argv[2]))
    print(int(sys.argv[3]) - left)
"""


def carried_out(memory: Path, kill_at: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", KILLED, str(memory), MARK, str(kill_at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98])
def test_killed_at_any_moment_it_serves_nothing_forgotten_and_finishes_when_run_again(
    filled: Memory, tmp_path: Path, part: float
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    filled._db.execute("VACUUM INTO ?", (str(copy / "memory.db"),))
    finished = carried_out(copy / "memory.db", 10**6)
    assert finished.returncode == 0, finished.stderr
    assert carried_out(filled.path, round(int(finished.stdout) * part)).returncode == -9
    made = (tmp_path / "artefacts" / "made-of-it").exists()
    assert {"marked", "said"} <= uids(filled) or not made
    assert made or served_hints(filled._db, "s") == {}
    finished = carried_out(filled.path, 10**6)
    assert finished.returncode == 0, finished.stderr
    filled._db.close()
    assert traces(tmp_path / "artefacts") == [path for path in traces(tmp_path) if "copy" not in path.parts] == []


@pytest.mark.parametrize("end", [".forgetting", ".nearest/held"])
def test_what_cannot_be_written_or_removed_is_named(end: str, filled: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    if end == ".forgetting":
        filled.path.with_name(filled.path.name + end).mkdir()
    else:

        def refuse(folder: Path) -> None:
            raise PermissionError(13, "Permission denied", str(folder))

        monkeypatch.setattr("middleware.memory.store.remove_index", refuse)
    with pytest.raises(MemoryFileError, match=end[:8]):
        filled.forgetting.carry_out(CONTAINING)


def test_a_lock_that_another_has_just_removed_is_none(filled: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = filled.path.with_name(filled.path.name + ".forgetting")
    lock = fcntl.flock
    locked: list[int] = []

    def late(descriptor: int, operation: int) -> None:
        if not locked:
            mark.unlink()  # as one does that ends between our opening and locking
        lock(descriptor, operation)
        locked.append(os.fstat(descriptor).st_nlink)

    monkeypatch.setattr(fcntl, "flock", late)
    assert filled.forgetting.carry_out(CONTAINING).complete
    assert locked[:2] == [0, 1]
