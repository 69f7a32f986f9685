"""`learner doctor` on memories in every state, and what --prune does to them."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from learner.cli.health.disk import disk_findings
from learner.cli.health.environment import environment_findings, limit
from learner.cli.health.finding import Finding, Place
from learner.cli.health.memory import memory_findings, spool_findings
from learner.cli.health.pruning import prune, to_prune
from learner.cli.health.sqlite import sqlite_findings
from middleware.memory.database import open_database
from middleware.memory.doomed import Selection
from middleware.memory.errors import MemoryFileError
from middleware.memory.nearest import index_folder
from middleware.memory.rows import write
from middleware.memory.spool import Spool
from middleware.memory.store import Memory
from tests.conftest import a_call, recorded_call, recorded_server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client's file of whoever runs the tests is looked at, and no spool of theirs."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def place(memory_file: Path) -> Place:
    server = recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, server, "tide", {"harbour": "Lindholm"})
    return Place(memory_file, {"HOME": str(memory_file.parent)})


def texts(found: Iterator[Finding], level: str) -> list[tuple[str, str]]:
    return [(finding.topic, finding.text) for finding in found if finding.level == level]


def only(found: Iterator[Finding], topic: str) -> Finding:
    (finding,) = [finding for finding in found if finding.topic == topic]
    return finding


def test_a_memory_in_order_is_well(place: Place) -> None:
    found = list(memory_findings(place))
    assert {finding.level for finding in found} == {"ok"}
    assert only(iter(found), "memory").text.startswith(f"{place.memory}: 1 calls, the last of 20")
    assert texts(spool_findings(place), "ok") == [("spool", "no record waits to be taken into the memory")]


def test_no_memory_yet_is_well(tmp_path: Path) -> None:
    place = Place(tmp_path / "not" / "yet" / "memory.db", {})
    (finding,) = [*memory_findings(place)]
    assert (finding.level, "not there yet" in finding.text) == ("ok", True)
    assert [finding.level for finding in disk_findings(place)] == ["ok"]
    assert not (tmp_path / "not").exists()


def test_a_folder_and_a_broken_link_are_no_memory(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("link", "HOME"):
        (finding,) = [each for each in memory_findings(Place(tmp_path / name, {})) if each.topic == "memory"]
        assert finding.level == "failure"


def test_another_s_eyes_are_told_with_the_command_that_closes_them(place: Place) -> None:
    place.memory.chmod(0o644)
    finding = only(memory_findings(place), "memory access")
    assert (finding.level, str(place.memory) in finding.text) == ("warning", True)
    assert os.system(finding.mend) == 0
    assert stat.S_IMODE(place.memory.stat().st_mode) == 0o600
    assert only(memory_findings(place), "memory access").level == "ok"


def test_damage_is_a_failure_and_its_remedy_moves_the_file_away(place: Place) -> None:
    database = open_database(place.memory)
    write(database, [a_call(str(number), arguments_json="x" * 500) for number in range(2000)])
    database.close()
    data = bytearray(place.memory.read_bytes())
    data[100 * 4096 : 101 * 4096] = bytes(4096)
    place.memory.write_bytes(data)
    finding = only(memory_findings(place), "memory damage")
    assert finding.level == "failure"
    with pytest.raises(MemoryFileError, match="is damaged"):
        to_prune(place)
    assert os.system(finding.mend) == 0
    assert [each.level for each in memory_findings(place)] == ["ok"]
    assert place.memory.with_name("memory.db.damaged").read_bytes() == data


def test_a_memory_that_cannot_be_opened_for_another_reason_is_not_moved_away(place: Place) -> None:
    # As on a read-only or full disk: SQLite finds no room for what it needs beside the file.
    beside = place.memory.with_name(place.memory.name + "-wal")
    beside.unlink(missing_ok=True)
    beside.mkdir(mode=0o700)
    finding = only(memory_findings(place), "memory")
    assert (finding.level, finding.mend) == ("failure", "export PRACTICUM_MEMORY=ANOTHER-FILE")
    beside.rmdir()
    assert texts(memory_findings(place), "failure") == []


def test_another_program_s_database_is_not_moved_away(memory_file: Path) -> None:
    with apsw.Connection(str(memory_file)) as other:
        other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    finding = only(memory_findings(Place(memory_file, {})), "memory")
    assert (finding.level, "another program's database" in finding.text) == ("failure", True)
    assert finding.mend == "export PRACTICUM_MEMORY=ANOTHER-FILE"


@pytest.mark.parametrize("content", [b"", b"no database " * 999, b"SQLite format 3\0" + b"\xff" * 5000])
def test_whatever_the_file_holds_it_is_looked_at(content: bytes, memory_file: Path) -> None:
    memory_file.write_bytes(content)
    found = list(memory_findings(Place(memory_file, {})))
    assert any(finding.level == "failure" for finding in found) is bool(content)
    assert memory_file.read_bytes() == content


def test_an_older_memory_is_brought_up_to_date_by_the_next_command_not_by_looking(place: Place) -> None:
    database = open_database(place.memory)
    database.execute("DELETE FROM migrations WHERE name = 'm004_privacy'")
    database.close()
    found = list(memory_findings(place))
    assert any("of an older version" in finding.text for finding in found)
    assert {finding.level for finding in found} == {"ok"}


def test_a_newer_memory_is_a_failure(place: Place) -> None:
    database = open_database(place.memory)
    database.execute("INSERT INTO migrations VALUES ('m999_dreams', 't')")
    database.close()
    finding = only(memory_findings(place), "memory")
    assert (finding.level, "m999_dreams" in finding.text) == ("failure", True)


def test_a_held_memory_is_a_warning(place: Place) -> None:
    database = open_database(place.memory)
    database.execute("PRAGMA journal_mode=DELETE").fetchall()
    database.execute("BEGIN EXCLUSIVE")
    finding = only(memory_findings(place), "memory")
    database.close()
    assert (finding.level, "held by another process" in finding.text) == ("warning", True)


def test_records_that_wait_are_told_and_taken_in_by_their_remedy(place: Place) -> None:
    spool = Spool(place.memory)
    spool.append([a_call("1"), a_call("2")])
    (finding,) = spool_findings(place)
    assert (finding.level, "of a running relay" in finding.text) == ("warning", True)
    spool.close()
    (finding,) = spool_findings(place)
    assert (finding.text.startswith("2 records of a relay that ended"), finding.mend) == (True, "learner calls")
    with Memory(place.memory) as memory:
        assert len(memory.calls()) == 3
    assert [each.level for each in spool_findings(place)] == ["ok"]


def test_what_is_beyond_the_limits_is_pruned(place: Place) -> None:
    database = open_database(place.memory)
    write(database, [a_call("old", created_at="2020-01-01T00:00:00.000Z", arguments_json='{"secret":"marker"}')])
    database.close()
    finding = only(memory_findings(place), "memory size")
    assert (finding.level, finding.mend) == ("warning", "learner doctor --prune")
    assert "1 calls are older than 90 days" in finding.text
    what = to_prune(place)
    assert len(list(what.lines())) == 1
    assert b"marker" in place.memory.read_bytes()
    assert any("1 calls were thinned" in line for line in prune(place, what))
    assert b"marker" not in place.memory.read_bytes()
    assert only(memory_findings(place), "memory size").level == "ok"
    assert list(to_prune(place).lines()) == []


def test_limits_are_those_that_are_given(place: Place) -> None:
    tight = Place(place.memory, {}, keep_days=0, keep_bytes=1000)
    assert "above its 0.0 MB" in only(memory_findings(tight), "memory size").text
    assert len(list(to_prune(tight).lines())) == 2


def test_damaged_indexes_are_made_anew_by_pruning(place: Place) -> None:
    with Memory(place.memory) as memory:
        memory.calls(search="lindholm")
        memory.nearest_queries("tide")
    database = open_database(place.memory)
    database.execute("DELETE FROM calls_fts_data WHERE id > 10")
    database.close()
    (index_folder(place.memory) / "meta.json").write_text("{")
    warned = dict(texts(memory_findings(place), "warning"))
    assert warned.keys() == {"search index", "query index"}
    assert len(list(prune(place, to_prune(place)))) == 2
    assert texts(memory_findings(place), "warning") == []
    with Memory(place.memory) as memory:
        assert len(memory.calls(search="lindholm")) == 1


def test_the_query_index_of_a_memory_that_is_gone_is_removed(place: Place) -> None:
    with Memory(place.memory) as memory:
        memory.nearest_queries("tide")
    place.memory.unlink()
    (line,) = prune(place, to_prune(place))
    assert "memory is gone" in line
    assert not index_folder(place.memory).exists()
    assert not place.memory.exists()


def test_a_long_log_is_told_and_emptied(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("memory", "pruning"):
        monkeypatch.setattr(f"learner.cli.health.{module}.LONG_LOG", 100_000)
    database = open_database(place.memory)
    database.wal_autocheckpoint(0)
    write(database, [a_call(str(number), arguments_json="x" * 500) for number in range(2000)])
    assert only(memory_findings(place), "memory log").level == "warning"
    list(prune(place, to_prune(place)))
    assert "memory log" not in {finding.topic for finding in memory_findings(place)}
    database.close()


def test_a_call_in_flight_of_a_relay_that_ended_is_told(place: Place) -> None:
    database = open_database(place.memory)
    database.execute("INSERT INTO open_calls VALUES ('u', 999999999, 'another boot/x/1', '{}')")
    database.close()
    assert "1 of relays that ended" in only(memory_findings(place), "calls in flight").text


def test_both_sqlites_are_told() -> None:
    found = list(sqlite_findings(Place(Path(), {})))
    assert {finding.level for finding in found} == {"ok"}
    assert "of apsw" in found[0].text
    assert len(found) == 2


def test_the_disk_is_told_by_part_and_a_full_one_is_a_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.memory.parent / "artefacts").mkdir()
    (place.memory.parent / "artefacts" / "a").write_bytes(b"x" * 3_000_000)
    (finding,) = disk_findings(place)
    assert "artefacts 3.0 MB" in finding.text
    for free, level in ((50_000_000, "failure"), (500_000_000, "warning"), (5_000_000_000, "ok")):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: Usage(free))
        (finding,) = disk_findings(place)
        assert (finding.level, "make room there" in finding.text) == (level, level != "ok")


class Usage:
    def __init__(self, free: int) -> None:
        self.free = free


@pytest.mark.parametrize(
    ("environment", "level", "said"),
    [
        ({"PRACTICUM_MEMORY": "here.db"}, "warning", "PRACTICUM_MEMORY=here.db"),
        ({"PRACTICUM_MEMORY": "~nobody-at-all/x"}, "failure", "leads nowhere"),
        ({"PRACTICUM_KEEP_DAYS": "many"}, "failure", "no number of days"),
        ({"PRACTICUM_KEEP_DAYS": "-1"}, "failure", "no number of days"),
        ({"PRACTICUM_KEEP_BYTES": "nan"}, "failure", "no number of bytes"),
        ({"PRACTICUM_CAPTURE": "all"}, "failure", "PRACTICUM_CAPTURE=all, and no relay starts with that"),
        ({"PRACTICUM_CUT_BYTES": "1"}, "failure", "1 is not in the range"),
        ({"XDG_DATA_HOME": "data"}, "warning", "XDG_DATA_HOME=data"),
        ({"TMPDIR": "/no/such/folder"}, "warning", "nothing can be written"),
        ({"HOME": ""}, "warning", "HOME is not set"),
        ({"PRACTICUM_MEMROY": "/x"}, "warning", "was PRACTICUM_MEMORY meant"),
        ({"PRACTICUM_HEADER_1": "x", "PRACTICUM_KEEP_DAYS": "30.5"}, "ok", "set: PRACTICUM_KEEP_DAYS"),
    ],
)
def test_impossible_settings_are_told(environment: dict[str, str], level: str, said: str) -> None:
    (finding,) = environment_findings(Place(Path(), {"HOME": "/h", **environment}))
    assert (finding.level, said in finding.text) == (level, True), finding


def test_a_limit_is_a_number_from_zero_on() -> None:
    found = [limit({"X": value}, "X") for value in ("0", "1e3", "", "x", "-1", "inf", "nan")]
    assert found == [0.0, 1000.0, None, None, None, None, None]
    assert limit({}, "X") is None


def test_a_forgetting_that_was_cut_short_is_told_until_one_is_done(place: Place) -> None:
    mark = place.memory.with_name(place.memory.name + ".forgetting")
    with mark.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "forgetting" not in {finding.topic for finding in memory_findings(place)}, "one is at work"
    finding = only(memory_findings(place), "forgetting")
    assert finding.level == "failure"
    assert finding.mend == "learner forget --before 1970-01-01 --yes"
    with Memory(place.memory) as memory:
        memory.forgetting.carry_out(Selection(None, "1970-01-01T00:00:00.000Z", (), None))
    assert texts(memory_findings(place), "failure") == []
