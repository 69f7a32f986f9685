import stat
import threading
from pathlib import Path

import apsw
import pytest

from middleware.memory import database
from middleware.memory.database import default_path, file_system, open_database
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.migrations import STEPS, SchemaError, migrate


def names(connection: apsw.Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_memory_has_every_table_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "memory.db"
    connection = open_database(path)
    connection.execute("INSERT INTO servers VALUES ('u', 'n', 'c', 't')")
    wanted = "servers tools sessions open_calls calls episodes trials verdicts artefacts artefact_trials"
    assert names(connection) >= {*wanted.split(), "hints", "servings", "evaluations", "predictions", "calls_fts"}
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    connection.close()


def test_the_sqlite_in_use_has_no_wal_reset_bug() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= (3, 51, 3)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 20)
    with pytest.raises(MemoryFileError, match=r"notes\.txt is not a memory"):
        open_database(path)
    assert path.read_text() == "dear diary, " * 20


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(MemoryFileError, match="another program's database"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_memory_of_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    connection = open_database(path)
    connection.execute("INSERT INTO migrations VALUES ('m999_future', 'now')")
    with pytest.raises(MemoryFileError, match=r"m999_future.*upgrade practicum"):
        open_database(path)
    assert connection.execute("SELECT count(*) FROM migrations").get == len(STEPS) + 1
    connection.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MemoryFileError, match="cannot open the memory"):
        open_database(tmp_path / "file" / "memory.db")


def test_a_held_memory_is_said_to_be_busy(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    holder = apsw.Connection(str(path))
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(MemoryBusyError, match="held by another process"):
        open_database(path, busy_timeout_ms=1)
    holder.close()


def test_network_file_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "file_system", lambda _: "nfs4")
    with pytest.raises(MemoryFileError, match="network file system"):
        open_database(tmp_path / "memory.db")
    assert list(tmp_path.iterdir()) == []


def test_the_file_system_of_a_folder_is_the_one_mounted_nearest() -> None:
    if not Path("/proc/self/mounts").exists():
        pytest.skip("this system has no /proc/self/mounts")
    assert file_system(Path("/proc/self")) == "proc"


def test_the_environment_names_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRACTICUM_MEMORY", str(tmp_path / "x.db"))
    assert default_path() == tmp_path / "x.db"
    monkeypatch.delenv("PRACTICUM_MEMORY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_path() == tmp_path / "practicum" / "memory.db"


def test_many_processes_that_open_a_new_memory_at_once_all_get_it(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    failures: list[BaseException] = []

    def opens() -> None:
        try:
            open_database(path).close()
        except BaseException as error:  # noqa: BLE001 - carried to the assertion
            failures.append(error)

    threads = [threading.Thread(target=opens) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []


def test_a_step_that_fails_leaves_nothing_of_itself() -> None:
    connection = apsw.Connection(":memory:")
    with pytest.raises(apsw.SQLError):
        migrate(connection, (*STEPS, ("m900_broken", "CREATE TABLE half (a); CREATE TABLE half (a)")))
    assert "half" not in names(connection)
    migrate(connection)
    assert connection.execute("SELECT count(*) FROM migrations").get == len(STEPS)


def test_an_older_memory_is_brought_up_to_date_with_its_rows() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection, STEPS[:1])
    connection.execute("INSERT INTO servers VALUES ('u', 'n', 'c', 't')")
    migrate(connection)
    assert "trials" in names(connection)
    assert connection.execute("SELECT name FROM servers").get == "n"


def test_a_step_that_this_version_does_not_know_is_named() -> None:
    connection = apsw.Connection(":memory:")
    migrate(connection)
    with pytest.raises(SchemaError, match=STEPS[-1][0]):
        migrate(connection, STEPS[:2])


def test_a_folder_in_the_memorys_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(MemoryFileError, match=f"cannot open the memory {tmp_path}"):
        open_database(tmp_path)
