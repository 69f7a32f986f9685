"""What `learner tools --failures` says, on calls as relays write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from learner.arguments import MISSING, Difference
from learner.failures import ToolFailures, failing, tool_failures
from middleware.memory.database import open_database
from middleware.memory.records import ToolCounts
from middleware.memory.rows import write
from middleware.memory.spool import Record
from middleware.memory.store import Memory
from tests.conftest import a_call, recorded_server, tool_definition


def call(uid: str, arguments: Any, error: str | None = None, **columns: object) -> Record:
    outcome = "result" if error is None else "tool_error"
    given = {"server_uid": "uid-of-sea", "tool_name": "tide", "arguments_json": json.dumps(arguments)}
    return a_call(uid, **{**given, "outcome": outcome, "error": error, **columns})


def found(path: Path, *calls: Record) -> ToolFailures:
    database = open_database(path)
    assert write(database, calls) == 0
    database.close()
    with Memory(path) as memory:
        (counts,) = failing(memory.failures.counts())
        failures = tool_failures(memory, counts)
    assert failures is not None
    return failures


@pytest.fixture(autouse=True)
def sea(memory_file: Path) -> None:
    recorded_server(memory_file, "sea", [tool_definition("tide", day={"type": "string"}, harbour={"type": "string"})])


def test_calls_failures_and_cancelled_ones_are_told_apart(memory_file: Path) -> None:
    failures = found(
        memory_file,
        call("1", {}, "no"),
        call("2", {}, None),
        call("3", {}, outcome="cancelled"),
        call("4", {}, outcome="no_answer"),
        call("5", {}, outcome="protocol_error", error="no"),
        call("6", {}, outcome=None),
    )
    assert failures.counts == ToolCounts("uid-of-sea", "sea", "tide", calls=5, failures=3, cancelled=1)
    assert failures.rate == 3 / 4
    assert failures.interval == pytest.approx((0.3006, 0.9544), abs=1e-4)


def test_the_commonest_error_is_counted_over_what_differs_in_values_only(memory_file: Path) -> None:
    errors = ["'day' is required", "no harbour called Petrel", "no harbour called 'Lind'", "'harbour' is required"]
    arguments: list[Any] = [{}, {"harbour": "Petrel"}, {"harbour": "Lind"}, {}]
    calls = [call(str(number), *pair) for number, pair in enumerate(zip(arguments, errors, strict=True))]
    common = found(memory_file, *calls).common_error
    assert (common.calls, common.of, common.form) == (2, 4, "no harbour called …")
    assert common.example.error == "no harbour called 'Lind'"


def test_the_last_failure_stands_beside_its_correction(memory_file: Path) -> None:
    failures = found(
        memory_file,
        call("1", {"day": "soon", "harbour": "x"}, "no such day"),
        call("2", {"day": "2027-03-03", "harbour": "y"}, corrects="1"),
        call("3", {"day": "soon!", "harbour": "x"}),
    )
    assert failures.worked is not None
    assert (failures.last_failure.uid, failures.worked.uid, failures.corrected) == ("1", "2", True)
    assert failures.differs == (Difference("day", "soon", "2027-03-03"), Difference("harbour", "x", "y"))


def test_without_a_correction_it_stands_beside_the_good_call_most_like_it(memory_file: Path) -> None:
    failures = found(
        memory_file,
        call("1", {"day": "2027-03-03", "harbour": "x"}),
        call("2", {"day": "2027-03-04", "harbour": "y"}),
        call("3", {"harbour": "x"}, "no day"),
        call("4", {"day": "2027-03-04", "harbour": "z"}),
    )
    assert failures.worked is not None
    assert (failures.worked.uid, failures.corrected) == ("1", False)
    assert failures.differs == (Difference("day", MISSING, "2027-03-03"),)


def test_a_tool_that_never_worked_has_nothing_to_be_compared_with(memory_file: Path) -> None:
    failures = found(memory_file, call("1", {"day": 3}, "no"), call("2", {"day": 3}, outcome="cancelled"))
    assert (failures.worked, failures.differs, failures.rate) == (None, None, 1.0)


def test_arguments_that_were_not_kept_or_cut_are_no_difference(memory_file: Path) -> None:
    unknown = found(memory_file, call("1", {}, "no", arguments_json=None), call("2", {"day": 3}))
    assert unknown.last_failure.arguments == {}
    database = open_database(memory_file)
    database.execute("UPDATE calls SET capture = 'off' WHERE uid = '1'")
    database.close()
    unknown = found(memory_file)
    assert (unknown.last_failure.arguments, unknown.differs) == (None, None)
    cut = found(memory_file, call("3", {"day": 3, "practicum/cut": {"bytes": 99_999}}, "no"))
    assert (cut.last_failure.cut, cut.last_failure.arguments, cut.differs) == (True, {"day": 3}, ())


@pytest.mark.parametrize("arguments_json", ["[" * 5000 + "]" * 5000, "[1]", "null", '{"a":' * 5000 + "1" + "}" * 5000])
def test_arguments_that_are_no_plain_object_are_taken(arguments_json: str, memory_file: Path) -> None:
    failures = found(memory_file, call("1", {}, "no", arguments_json=arguments_json), call("2", {"day": 3}))
    assert failures.worked is not None


def test_what_surely_fails_most_comes_first() -> None:
    def counts(tool: str, calls: int, failures: int) -> ToolCounts:
        return ToolCounts("s", "sea", tool, calls, failures, 0)

    listed = [counts("once", 1, 1), counts("rarely", 10_000, 20), counts("often", 20, 7), counts("never", 50, 0)]
    assert [each.tool for each in failing(listed)] == ["rarely", "often", "once"]


def test_only_the_newest_failures_are_read(memory_file: Path) -> None:
    old = [call(f"old{number}", {}, "an old error") for number in range(300)]
    new = [call(f"new{number}", {}, "a new error") for number in range(150)]
    common = found(memory_file, *old, *new).common_error
    assert (common.calls, common.of, common.example.error) == (150, 200, "a new error")


def test_servers_of_one_name_and_imported_calls_are_kept_apart(memory_file: Path) -> None:
    database = open_database(memory_file)
    database.execute("INSERT INTO servers VALUES ('other', 'sea', 'run other', 't')")
    write(database, [call("1", {}, "no"), call("2", {}, "no", server_uid="other"), call("3", {}, "x", server_uid="?")])
    database.close()
    with Memory(memory_file) as memory:
        assert {(each.server_uid, each.server, each.calls) for each in memory.failures.counts()} == {
            ("uid-of-sea", "sea", 1),
            ("other", "sea", 1),
            ("?", "?", 1),
        }
        assert len(memory.failures.counts("sea")) == 2
        assert memory.failures.counts("sea", "wave") == []


def test_failures_whose_errors_were_not_kept_do_not_outvote_the_others(memory_file: Path) -> None:
    thinned = [call(f"thin{n}", {}, outcome="tool_error", arguments_json=None) for n in range(3)]
    database = open_database(memory_file)
    write(database, thinned)
    database.execute("UPDATE calls SET capture = 'off'")
    database.close()
    only = found(memory_file).common_error
    assert (only.calls, only.of, only.example.kept) == (3, 3, False)
    common = found(memory_file, call("1", {}, "no such day")).common_error
    assert (common.calls, common.of, common.example.error) == (1, 1, "no such day")
