"""Nothing is lost: locked memories, unusable ones, killed relays, many writers."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleware.memory.database import open_database
from middleware.memory.identity import new_uid
from middleware.memory.processes import process_identity, process_is_gone
from middleware.memory.rows import close_orphans, take_in_spools, write
from middleware.memory.spool import Record, Spool, dead_spools, folders
from middleware.memory.writer import FIRST_LOOK, Writer
from tests.conftest import a_call
from tests.middleware.peer import ECHO, ROOT, TIMEOUT_S, Peer, call, python, remembered, wait_for


class Woken:
    """A writer whose wake-ups can be waited for."""

    def __init__(self, memory: Path) -> None:
        self.said: list[str] = []
        self._woken = threading.Event()
        self._has_said = threading.Event()
        self.writer = Writer(memory, "s", wake=self._woken.set, report=self._say)
        self.writer.start()
        self.wait(FIRST_LOOK)

    def wait(self, ticket: int) -> None:
        while self.writer.done < ticket:
            self._woken.clear()
            if self.writer.done < ticket:
                assert self._woken.wait(TIMEOUT_S)

    def wait_until_said(self) -> None:
        assert self._has_said.wait(TIMEOUT_S)

    def _say(self, line: str) -> None:
        self.said.append(line)
        self._has_said.set()

    def write(self, *records: Record) -> None:
        ticket = self.writer.submit(records, awaited=True)
        self.writer.send()
        self.wait(ticket)


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def spool_files(memory: Path) -> list[Path]:
    mine = f"{memory.name}-spool-"
    found = [path for folder in folders(memory)[:2] if folder.is_dir() for path in folder.iterdir()]
    return [path for path in found if path.name.startswith(mine)]


def test_calls_made_while_the_memory_is_locked_are_answered_then_and_remembered_once(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(0, "say")
        holder = open_database(memory_file)
        holder.execute("BEGIN EXCLUSIVE")
        for number in range(1, 200):
            assert peer.call(number, "say")["id"] == number
        (spool,) = spool_files(memory_file)
        assert spool.stat().st_mode & 0o777 == 0o600
        holder.execute("ROLLBACK")
        assert peer.call(200, "say")["id"] == 200
        wait_for(memory_file, "SELECT count(*) FROM calls", [(201,)])
        assert peer.finish() == 0
    assert sorted(int(number) for (number,) in remembered(memory_file, "jsonrpc_id")) == list(range(201))
    assert spool_files(memory_file) == []


def test_a_relay_that_ends_while_the_memory_is_locked_leaves_its_calls_to_the_next(memory_file: Path) -> None:
    holder = open_database(memory_file)
    holder.execute("BEGIN EXCLUSIVE")
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(1, "say", {"password": "hunter2"})
        assert peer.finish() == 0
        assert peer.said() == ""
    (spool,) = spool_files(memory_file)
    assert "hunter2" not in spool.read_text()
    holder.execute("ROLLBACK")
    holder.close()
    with Peer(memory_file, python(ECHO)) as peer:
        wait_for(memory_file, "SELECT jsonrpc_id FROM calls", [("1",)])
        peer.finish()
    assert spool_files(memory_file) == []


@pytest.mark.parametrize("spoilt", ["not a database", "a newer schema", "another program's", "no folder"])
def test_a_memory_that_cannot_be_used_is_said_once_and_breaks_no_call(tmp_path: Path, spoilt: str) -> None:
    memory = tmp_path / "memory.db"
    if spoilt == "not a database":
        memory.write_text("dear diary, " * 100)
    elif spoilt == "no folder":
        (tmp_path / "file").write_text("")
        memory = tmp_path / "file" / "memory.db"
    else:
        connection = apsw.Connection(str(memory))
        if spoilt == "a newer schema":
            connection.close()
            connection = open_database(memory)
            connection.execute("INSERT INTO migrations VALUES ('m999_future', '')")
        else:
            connection.execute("CREATE TABLE theirs (x)")
        connection.close()
    before = memory.read_bytes() if memory.exists() else b""
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with Peer(memory, python(ECHO), environment=environment) as peer:
        for number in range(20):
            assert peer.call(number, "say")["id"] == number
        assert peer.finish() == 0
        said = peer.said()
    assert said.count("\n") == 1
    assert str(memory) in said
    assert (memory.read_bytes() if memory.exists() else b"") == before
    (spool,) = spool_files(memory)
    assert len([line for line in spool.read_text().splitlines() if json.loads(line)["kind"] == "call"]) == 20


def test_killing_the_relay_loses_nothing_that_the_client_saw(memory_file: Path) -> None:
    for number in range(5):
        with Peer(memory_file, python(ECHO)) as peer:
            for turn in range(number * 7):
                peer.call(f"{number}-{turn}", "say")
            peer.process.kill()
            peer.process.wait(TIMEOUT_S)
    seen = sorted(f'"{number}-{turn}"' for number in range(5) for turn in range(number * 7))
    assert sorted(str(number) for (number,) in remembered(memory_file, "jsonrpc_id")) == seen


def test_killing_the_relay_while_the_memory_is_locked_loses_nothing_either(memory_file: Path) -> None:
    holder = open_database(memory_file)
    holder.execute("BEGIN EXCLUSIVE")
    with Peer(memory_file, python(ECHO)) as peer:
        for number in range(30):
            peer.call(number, "say")
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
    holder.execute("ROLLBACK")
    holder.close()
    assert [int(number) for (number,) in remembered(memory_file, "jsonrpc_id")] == list(range(30))


def test_a_call_in_flight_when_the_relay_is_killed_becomes_one_without_an_answer(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.send(call(1, "hang", {"a": 1}))
        wait_for(memory_file, "SELECT count(*) FROM open_calls", [(1,)])
        assert close_orphans(open_database(memory_file)) == 0  # its relay lives
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
    assert remembered(memory_file, "tool_name, outcome, arguments_json") == [("hang", "no_answer", '{"a":1}')]
    assert open_database(memory_file).execute("SELECT * FROM open_calls").fetchall() == []


def test_a_cancelled_call_in_flight_when_the_relay_is_killed_stays_cancelled(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.send(call(1, "hang"))
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
        peer.call(2, "say")  # its commit comes after both notes
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
    assert remembered(memory_file) == [("say", "result"), ("hang", "cancelled")]


def test_eight_relays_may_write_to_a_memory_that_none_has_made_yet(memory_file: Path) -> None:
    peers = [Peer(memory_file, python(ECHO), name=f"server {number}") for number in range(8)]
    try:
        for turn in range(25):
            for peer in peers:
                peer.send(call(turn, "say"))
            for peer in peers:
                assert peer.message()["id"] == turn
        for peer in peers:
            assert peer.finish() == 0
    finally:
        for peer in peers:
            peer.__exit__(None, None, None)
    rows = remembered(memory_file, "server_uid, count(*), count(DISTINCT jsonrpc_id)")
    assert [row[1:] for row in rows] == [(200, 25)]
    connection = open_database(memory_file)
    assert connection.execute("SELECT count(*) FROM servers").fetchall() == [(8,)]
    assert connection.execute("SELECT count(*) FROM sessions").fetchall() == [(8,)]


def test_the_memory_and_what_lies_beside_it_belong_to_the_owner_alone(memory_file: Path) -> None:
    old = os.umask(0)
    try:
        with Peer(memory_file, python(ECHO)) as peer:
            peer.call(1, "say")
            wait_for(memory_file, "SELECT count(*) FROM calls", [(1,)])
            modes = {path.name: path.stat().st_mode & 0o777 for path in memory_file.parent.iterdir() if path.is_file()}
            peer.finish()
    finally:
        os.umask(old)
    assert {"memory.db", "memory.db-wal", "memory.db-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_record_given_up_and_committed_after_all_is_remembered_once(memory_file: Path) -> None:
    woken = Woken(memory_file)
    holder = open_database(memory_file)
    holder.execute("BEGIN EXCLUSIVE")
    ticket = woken.writer.submit([a_call("1")], awaited=True)
    woken.writer.send()
    woken.writer.give_up(ticket)
    (spool,) = spool_files(memory_file)
    assert json.loads(spool.read_text().splitlines()[0])["uid"] == "1"
    woken.wait(ticket)
    holder.execute("ROLLBACK")
    woken.writer.close(TIMEOUT_S)
    assert remembered(memory_file, "uid") == [("1",)]


def test_a_note_of_a_call_in_flight_that_comes_late_is_not_kept(memory_file: Path) -> None:
    connection = open_database(memory_file)
    note = {"kind": "open", "uid": "1", "pid": 1, "process": "", "call": {}}
    for records in ([note], [a_call("1")], [note]):
        write(connection, records)
    assert connection.execute("SELECT * FROM open_calls").fetchall() == []


def test_a_malformed_record_costs_no_other(memory_file: Path) -> None:
    woken = Woken(memory_file)
    woken.write(
        a_call("1"),
        {"kind": "nonsense"},
        a_call("2", outcome="impossible"),
        a_call("3", request_bytes="many"),
        a_call("4", error_code=2**70),
        a_call("5"),
    )
    woken.writer.close(TIMEOUT_S)
    assert remembered(memory_file, "uid") == [("1",), ("5",)]
    assert len(woken.said) == 1


def test_a_call_from_the_spool_of_an_earlier_version_is_taken_in(memory_file: Path) -> None:
    record = a_call("1")
    assert "intent" not in record
    connection = open_database(memory_file)
    assert write(connection, [record]) == 0
    connection.close()
    assert remembered(memory_file, "uid, intent") == [("1", None)]


def test_a_memory_that_was_deleted_is_made_anew(memory_file: Path) -> None:
    woken = Woken(memory_file)
    woken.write(a_call("1"))
    for path in memory_file.parent.glob("memory.db*"):
        path.unlink()
    wait_for(memory_file, "SELECT count(*) FROM calls", [(0,)])
    woken.write(a_call("2"))
    woken.writer.close(TIMEOUT_S)
    assert remembered(memory_file, "uid") == [("2",)]
    assert woken.said == []


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process's files")
def test_while_no_file_can_grow_records_wait_in_ram(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(0, "say")
        unlimited = resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        for number in range(1, 20):
            assert peer.call(number, "say")["id"] == number
        said = peer.warning()
        resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_for(memory_file, "SELECT count(*) FROM calls", [(20,)])
        assert peer.finish() == 0
        assert peer.said() == ""
    assert str(memory_file) in said
    assert len(remembered(memory_file)) == 20


@settings(max_examples=30)
@given(
    records=st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=6),
    cut=st.integers(0, 200),
    count=st.integers(1, 4),
)
def test_a_spool_cut_anywhere_yields_every_whole_record(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record], cut: int, count: int
) -> None:
    memory = tmp_path_factory.mktemp("spool") / "memory.db"
    spool = Spool(memory)
    for record in records:
        spool.append([record])
    if spool.path is None:
        return
    data = spool.path.read_bytes()
    kept = data[: max(0, len(data) - cut)]
    os.truncate(spool.path, len(kept))
    assert list(dead_spools(memory)) == []  # its owner lives
    spool.close()
    found = []
    for dead in dead_spools(memory):
        for batch in dead.records(count):
            found += batch
        dead.remove()
    whole = kept.count(b"\n")
    assert found[:whole] == records[:whole]
    assert spool_files(memory) == []


def test_a_spool_without_any_folder_holds_records_in_ram_and_counts_what_it_drops(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "memory.db", ram_limit=100)
    spool._folders = []
    records = [{"uid": "x" * 20}] * 10
    for record in records:
        spool.append([record])
    assert spool.dropped > 0
    kept = spool.peek(100)
    assert len(kept) + spool.dropped == 10
    spool.discard()
    assert not spool


def test_records_in_the_temporary_directory_are_believed_only_from_our_own_user(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(memory_file)
    spool.append([a_call("1")])
    assert spool.path is not None
    target = spool.path
    link = spool.path.with_name(spool.path.name.replace(".jsonl", "-link.jsonl"))
    spool.close()
    link.symlink_to(target)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert list(dead_spools(memory_file)) == []


def test_taking_a_spool_in_twice_changes_nothing(memory_file: Path) -> None:
    spool = Spool(memory_file)
    uid = new_uid()
    spool.append([a_call(uid), a_call(uid)])
    spool.close()
    (path,) = spool_files(memory_file)
    data = path.read_bytes()
    connection = open_database(memory_file)
    assert take_in_spools(connection, memory_file) == 2
    path.write_bytes(data)
    assert take_in_spools(connection, memory_file) == 2
    assert connection.execute("SELECT uid FROM calls").fetchall() == [(uid,)]


def test_a_process_is_gone_when_its_pid_belongs_to_another() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=ROOT)
    identity = process_identity(child.pid)
    assert not process_is_gone(child.pid, identity)
    assert process_is_gone(os.getpid(), identity)
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=TIMEOUT_S)
    assert process_is_gone(child.pid, identity)


def test_a_spool_that_cannot_be_read_is_tried_again(memory_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = Woken(memory_file)
    holder = open_database(memory_file)
    holder.execute("BEGIN EXCLUSIVE")
    woken.write(a_call("spooled"))
    tries = iter([OSError("the disk fails"), OSError("the disk fails")])
    peek = Spool.peek

    def sometimes(spool: Spool, count: int) -> list[Record]:
        for error in tries:
            raise error
        return peek(spool, count)

    monkeypatch.setattr(Spool, "peek", sometimes)
    monkeypatch.setattr("middleware.memory.writer._RETRY_BROKEN_S", 0.1)
    holder.execute("ROLLBACK")
    wait_for(memory_file, "SELECT uid FROM calls", [("spooled",)])
    woken.writer.close(TIMEOUT_S)


def test_a_person_who_does_not_read_is_not_waited_for() -> None:
    read, write_end = os.pipe()
    os.set_blocking(write_end, False)
    while True:
        try:
            os.write(write_end, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(write_end, True)
    script = "from middleware.memory.writer import report_to_stderr as say; say('a line'); print('went on')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=write_end, cwd=ROOT, timeout=TIMEOUT_S)
    os.close(write_end)
    os.close(read)
    assert done.stdout == b"went on\n"
