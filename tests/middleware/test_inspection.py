"""A memory is looked at, in whatever state it is, and not a byte of it changes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from middleware.memory.database import open_database
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.inspection import Inspection, has_reset_bug, own_sqlite
from middleware.memory.nearest import index_folder
from middleware.memory.rows import write
from middleware.memory.spool import Spool, waiting_spools
from middleware.memory.store import Memory
from tests.conftest import a_call, recorded_call, recorded_server


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def look(path: Path) -> None:
    with Inspection(path) as inspection:
        assert inspection.schema() == ([], [])
        assert inspection.damage(seconds=60) == ([], True)
        inspection.due()
        inspection.in_flight()
        inspection.query_index_problem()


def test_looking_changes_nothing(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [])
    for number in range(50):
        recorded_call(memory_file, server, "tide", {"number": number})
    with Memory(memory_file) as memory:
        memory.calls(search="tide")
        memory.nearest_queries("tide")
    before = state(memory_file.parent)
    look(memory_file)
    assert state(memory_file.parent) == before


def test_the_log_that_a_killed_process_left_stays_where_it_is(memory_file: Path) -> None:
    recorded_server(memory_file, "sea", [])
    code = (
        "import os, signal, sys; from pathlib import Path; from middleware.memory.database import open_database;"
        "database = open_database(Path(sys.argv[1]));"
        "database.execute(\"INSERT INTO servers VALUES ('x', 'lake', 'c', 't')\"); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-I", "-c", code, memory_file], timeout=200)
    assert killed.returncode == -signal.SIGKILL
    before = state(memory_file.parent)
    assert before["memory.db-wal"]
    look(memory_file)
    after = state(memory_file.parent)
    assert {name: after[name] for name in ("memory.db", "memory.db-wal")} == {
        name: before[name] for name in ("memory.db", "memory.db-wal")
    }
    with Memory(memory_file) as memory:
        assert {server.name for server in memory.servers()} == {"sea", "lake"}


def test_looking_goes_on_while_others_write(memory_file: Path) -> None:
    database = open_database(memory_file)
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO servers VALUES ('x', 'lake', 'c', 't')")
    look(memory_file)
    database.execute("COMMIT")
    assert len(database.execute("SELECT * FROM servers").fetchall()) == 1
    database.close()


def test_an_exclusive_lock_is_said(memory_file: Path) -> None:
    database = open_database(memory_file)
    database.execute("PRAGMA journal_mode=DELETE").fetchall()
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(MemoryBusyError, match="held by another process"), Inspection(memory_file) as inspection:
        inspection.schema()
    database.close()


@pytest.mark.parametrize("content", [b"no database " * 999, b"SQLite format 3\0" + b"\xff" * 5000, b"S" * 16])
def test_what_is_no_database_is_refused(content: bytes, memory_file: Path) -> None:
    memory_file.write_bytes(content)
    with pytest.raises(MemoryFileError, match=r"memory\.db"), Inspection(memory_file) as inspection:
        inspection.schema()
    assert memory_file.read_bytes() == content


def test_another_program_s_database_and_a_newer_one_are_told(memory_file: Path) -> None:
    database = open_database(memory_file)
    database.execute("INSERT INTO migrations VALUES ('m999_dreams', 't')")
    database.close()
    with Inspection(memory_file) as inspection:
        assert inspection.schema() == ([], ["m999_dreams"])
    database = open_database(memory_file.with_name("other"))
    database.execute("ALTER TABLE migrations RENAME TO steps")
    database.close()
    with pytest.raises(MemoryFileError, match="another program's"), Inspection(memory_file.with_name("other")) as other:
        other.schema()


def test_an_empty_file_is_a_memory_that_is_still_to_be_made(memory_file: Path) -> None:
    memory_file.touch()
    with Inspection(memory_file) as inspection:
        missing, unknown = inspection.schema()
    assert (missing[0], unknown) == ("m001_relay", [])
    assert memory_file.read_bytes() == b""


def test_damage_is_found_wherever_it_is(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [])
    database = open_database(memory_file)
    write(database, [a_call(str(number), server_uid=server, arguments_json="x" * 500) for number in range(2000)])
    database.close()
    whole = bytearray(memory_file.read_bytes())
    for page in (20, 100, 200):
        damaged = whole.copy()
        damaged[page * 4096 : page * 4096 + 2048] = bytes(2048)
        memory_file.write_bytes(damaged)
        with Inspection(memory_file) as inspection:
            problems, is_all = inspection.damage(seconds=60)
        assert problems, page
        assert is_all


def test_a_damaged_full_text_index_is_told_from_damaged_calls(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, server, "tide", {"harbour": "Lindholm"})
    with Memory(memory_file) as memory:
        memory.calls(search="lindholm")
    database = open_database(memory_file)
    database.execute("DELETE FROM calls_fts_data WHERE id > 10")
    database.close()
    with Inspection(memory_file) as inspection:
        problems, _ = inspection.damage(seconds=60)
    assert len(problems) == 1
    assert "calls_fts" in problems[0]
    with Memory(memory_file) as memory:
        memory.tidy(search=True)
        assert len(memory.calls(search="lindholm")) == 1
    look(memory_file)


def test_looking_for_damage_can_be_bounded(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [])
    database = open_database(memory_file)
    write(database, [a_call(str(number), server_uid=server) for number in range(20_000)])
    database.close()
    with Inspection(memory_file) as inspection:
        assert inspection.damage(seconds=0) == ([], False)
        assert inspection.damage(seconds=60) == ([], True)


def test_a_query_index_of_no_use_is_told(memory_file: Path) -> None:
    def problem() -> str:
        with Inspection(memory_file) as inspection:
            return inspection.query_index_problem()

    with Memory(memory_file) as memory:
        memory.nearest_queries("anything")
    folder = index_folder(memory_file)
    assert problem() == ""
    (folder / "version").write_text("1 of another memory")
    assert "another memory" in problem()
    with Memory(memory_file) as memory:
        memory.nearest_queries("anything")
    assert problem() == ""
    (folder / "meta.json").write_text("{")
    assert "damaged" in problem()


def test_waiting_records_are_counted_and_stay(memory_file: Path) -> None:
    open_database(memory_file).close()
    living = Spool(memory_file)
    living.append([a_call(str(number)) for number in range(3)])
    (found,) = waiting_spools(memory_file)
    assert (found.records, found.is_living, found.path) == (3, True, living.path)
    living.close()
    (found,) = waiting_spools(memory_file)
    assert (found.records, found.is_living) == (3, False)
    with Memory(memory_file) as memory:
        assert len(memory.calls()) == 3
    assert waiting_spools(memory_file) == []


def test_a_spool_that_cannot_be_read_is_told(memory_file: Path) -> None:
    spool = Spool(memory_file)
    spool.append([a_call("1")])
    assert spool.path is not None
    path = spool.path
    spool.close()
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))
    assert [found.records for found in waiting_spools(memory_file) if found.path == path] == [None]


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("3.6.23", False),
        ("3.7.0", True),
        ("3.40.1", True),
        ("3.44.5", True),
        ("3.44.6", False),
        ("3.45.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.51.2", True),
        ("3.51.3", False),
        ("3.54.1", False),
    ],
)
def test_the_versions_with_the_reset_bug_are_known(version: str, has: bool) -> None:
    assert has_reset_bug(version) is has
    assert not has_reset_bug(own_sqlite())
