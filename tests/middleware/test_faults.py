"""The memory is full, read-only, damaged, replaced or gone: no call fails, one line says so, and nothing is lost."""

import os
import random
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from middleware.memory import writer as writer_module
from middleware.memory.database import open_database
from middleware.memory.writer import Writer
from tests.conftest import a_call
from tests.middleware.peer import ECHO, TIMEOUT_S, Peer, python, remembered, wait_for
from tests.middleware.test_writer import Woken

CALLS = 20


class Faulty:
    """A relay that makes calls before, during and after a fault of its memory."""

    def __init__(self, memory: Path, *, environment: dict[str, str] | None = None) -> None:
        self.memory = memory
        self.peer = Peer(memory, python(ECHO), environment=environment)
        self.made = 0

    def calls(self) -> None:
        for _ in range(CALLS):
            assert self.peer.call(self.made, "say", {"text": "x" * 5000})["id"] == self.made
            self.made += 1

    def recovers(self) -> None:
        """Wait until every call is in memory; end, and look again."""
        count = "SELECT count(*), count(DISTINCT jsonrpc_id) FROM calls"
        wait_for(self.memory, count, [(self.made, self.made)])
        assert self.peer.finish() == 0
        assert len(remembered(self.memory)) == self.made
        assert self.peer.said() == ""

    def is_told(self) -> None:
        """Wait for the one line that says what is wrong."""
        assert str(self.memory) in self.peer.warning()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs to be root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room in `folder`; deleting the returned file makes it again."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    size = 1 << 16
    while size:
        try:
            os.write(descriptor, b"x" * size)
        except OSError:
            size //= 2
    os.close(descriptor)
    return filler


@pytest.mark.parametrize("elsewhere", [True, False])
def test_on_a_full_disk_calls_wait_elsewhere_or_in_ram(small_disk: Path, tmp_path: Path, elsewhere: bool) -> None:
    state = tmp_path if elsewhere else small_disk
    faulty = Faulty(small_disk / "memory.db", environment={"XDG_STATE_HOME": str(state), "TMPDIR": str(state)})
    with faulty.peer:
        faulty.calls()
        filler = fill(small_disk)
        faulty.calls()
        faulty.is_told()
        filler.unlink()
        faulty.calls()
        faulty.recovers()


def test_a_disk_that_is_full_at_the_start_is_used_once_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    filler = fill(small_disk)
    faulty = Faulty(small_disk / "memory.db", environment={"XDG_STATE_HOME": str(tmp_path)})
    with faulty.peer:
        faulty.calls()
        faulty.is_told()
        filler.unlink()
        faulty.calls()
        faulty.recovers()


@pytest.mark.parametrize("exists", [True, False])
def test_a_read_only_disk_is_used_once_it_can_be_written(small_disk: Path, tmp_path: Path, exists: bool) -> None:
    memory = small_disk / "memory.db"
    if exists:
        open_database(memory).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    faulty = Faulty(memory, environment={"XDG_STATE_HOME": str(tmp_path)})
    with faulty.peer:
        faulty.calls()
        faulty.is_told()
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        faulty.calls()
        faulty.recovers()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in any folder")
def test_a_folder_that_nobody_may_write_in_is_used_once_they_may(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    memory = folder / "memory.db"
    open_database(memory).close()
    folder.chmod(0o500)
    faulty = Faulty(memory, environment={"XDG_STATE_HOME": str(tmp_path)})
    with faulty.peer:
        faulty.calls()
        faulty.is_told()
        folder.chmod(0o700)
        faulty.calls()
        faulty.recovers()


def overwrite(path: Path, start: int, data: bytes) -> Callable[[], None]:
    """Write `data` into the file as another program would; return what puts back what was there.

    In a process of its own: closing a descriptor here would drop the locks of this one's connections.
    """
    script = "import sys\nwith open(sys.argv[1], 'r+b') as f: f.seek({}); old = f.read({}); f.seek({}); f.write({!r})\n"
    script += "sys.stdout.buffer.write(old)"

    def swap(new: bytes) -> bytes:
        command = python(script.format(start, len(new), start, new))
        return subprocess.run([*command, str(path)], stdout=subprocess.PIPE, check=True).stdout

    old = swap(data)

    def put_back() -> None:
        swap(old)

    return put_back


def delete(memory: Path) -> None:
    """Delete the memory and what SQLite has put beside it."""
    for end in ("", "-wal", "-shm"):
        memory.with_name(memory.name + end).unlink(missing_ok=True)


NOISE = random.Random(7).randbytes(4096)


def test_a_memory_whose_header_is_no_header_is_used_once_it_is_whole(memory_file: Path) -> None:
    open_database(memory_file).close()
    repair = overwrite(memory_file, 0, NOISE[:100])
    faulty = Faulty(memory_file)
    with faulty.peer:
        faulty.calls()
        faulty.is_told()
        repair()
        faulty.calls()
        faulty.recovers()


def test_a_header_that_is_overwritten_while_the_memory_is_open_is_noticed(memory_file: Path) -> None:
    open_database(memory_file).close()
    woken = Woken(memory_file)
    repair = overwrite(memory_file, 0, NOISE[:100])
    woken.wait_until_said()
    woken.write(a_call("1"))
    repair()
    wait_for(memory_file, "SELECT uid FROM calls", [("1",)])
    woken.write(a_call("2"))
    woken.writer.close(10)
    assert remembered(memory_file, "uid") == [("1",), ("2",)]
    assert len(woken.said) == 1


def test_a_header_that_is_overwritten_is_brought_back_from_the_log_where_that_has_it(memory_file: Path) -> None:
    woken = Woken(memory_file)
    woken.write(*(a_call(str(number), result_json="x" * 5000) for number in range(20)))
    overwrite(memory_file, 0, NOISE[:100])
    wait_for_file(memory_file, b"SQLite format 3")
    woken.write(a_call("20"))
    woken.writer.close(10)
    assert len(remembered(memory_file)) == 21
    assert open_database(memory_file).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert woken.said == []


def wait_for_file(path: Path, start: bytes) -> None:
    """Wait until the file begins so; looking is another process's, lest the locks of this one's connections drop."""
    script = "import sys, time\nwhile not open(sys.argv[1], 'rb').read(15) == sys.argv[2].encode(): time.sleep(0.02)"
    subprocess.run([*python(script), str(path), start.decode()], timeout=TIMEOUT_S, check=True)


def test_a_memory_with_a_damaged_page_takes_every_call_once_it_is_whole(memory_file: Path) -> None:
    connection = open_database(memory_file)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'calls'").fetchall()[0]
    connection.close()
    repair = overwrite(memory_file, (int(str(page)) - 1) * 4096, NOISE)
    faulty = Faulty(memory_file)
    with faulty.peer:
        faulty.calls()
        faulty.is_told()
        repair()
        faulty.calls()
        faulty.recovers()


@pytest.mark.parametrize("how", ["deleted", "replaced by another memory", "moved away"])
def test_calls_after_a_memory_was_replaced_are_in_the_new_one(memory_file: Path, how: str) -> None:
    faulty = Faulty(memory_file)
    with faulty.peer:
        faulty.calls()
        wait_for(memory_file, "SELECT count(*) FROM calls", [(CALLS,)])
        if how == "deleted":
            delete(memory_file)
        else:
            other = memory_file.with_name("other.db")
            open_database(other).close()
            for end in ("-wal", "-shm", ""):
                if (path := memory_file.with_name(memory_file.name + end)).exists():
                    path.rename(memory_file.with_name("old.db" + end))
            if how == "replaced by another memory":
                other.rename(memory_file)
        faulty.made = 0
        faulty.calls()
        faulty.recovers()
    connection = open_database(memory_file)
    assert connection.execute("SELECT name FROM servers").fetchall() == [("peer",)]
    assert connection.execute("SELECT count(*) FROM sessions").fetchall() == [(1,)]


def test_a_relay_that_lets_go_of_a_deleted_memory_leaves_the_new_one_alone(memory_file: Path) -> None:
    first = Woken(memory_file)
    first.write(a_call("1"))
    delete(memory_file)
    # SQLite deletes the log by its name when the last connection is closed; by now that is the new memory's.
    second = open_database(memory_file)
    second.execute("INSERT INTO servers VALUES ('u', 'n', 'c', 't')")
    first.write(a_call("2"))
    first.writer.close(10)
    assert memory_file.with_name("memory.db-wal").exists()
    second.close()
    assert remembered(memory_file, "uid") == [("2",)]
    assert open_database(memory_file).execute("SELECT uid FROM servers").fetchall() == [("u",)]


def test_a_memory_that_was_deleted_while_it_was_locked_is_made_anew(memory_file: Path) -> None:
    woken = Woken(memory_file)
    woken.write(a_call("1"))
    holder = apsw.Connection(str(memory_file))
    holder.execute("BEGIN EXCLUSIVE")
    woken.write(a_call("2"))
    delete(memory_file)
    woken.write(a_call("3"))
    woken.writer.close(10)
    holder.execute("ROLLBACK")
    assert remembered(memory_file, "uid") == [("2",), ("3",)]


def test_a_memory_that_is_long_locked_is_said_once(memory_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_LOCKED_LONG_S", 0.3)
    woken = Woken(memory_file)
    woken.write(a_call("1"))
    holder = apsw.Connection(str(memory_file))
    holder.execute("BEGIN EXCLUSIVE")
    woken.write(a_call("2"))
    woken.wait_until_said()
    woken.write(a_call("3"))
    holder.execute("ROLLBACK")
    wait_for(memory_file, "SELECT count(*) FROM calls", [(3,)])
    woken.writer.close(10)
    (line,) = woken.said
    assert "held by another process" in line


class Watched(dict[str, Any]):
    """A record whose end can be seen."""


def test_what_was_spooled_is_not_held_while_the_writer_hangs(memory_file: Path) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        assert goes_on.wait(TIMEOUT_S)

    writer = Writer(memory_file, "s", wake=hang, report=print)
    writer.start()
    assert hangs.wait(TIMEOUT_S)
    record = Watched(a_call("1"))
    seen = weakref.ref(record)
    ticket = writer.submit([record], awaited=True)
    writer.send()
    writer.give_up(ticket)
    del record
    assert seen() is None
    goes_on.set()
    writer.close(TIMEOUT_S)
    assert remembered(memory_file, "uid") == [("1",)]
