"""The comparison of verdicts: it must not call equal what is not."""

import sys
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.conformance.compare import counted, differences, failures, known_differences, table
from tests.conformance.places import HTTP_PLACES, STDIO_PLACES, StartError, started
from tests.conformance.suite import Check

PING = Check("ping", "Ping", "SUCCESS")
FAILED = Check("ping", "Ping", "FAILURE")
OTHER = Check("list", "List", "WARNING")


def test_the_same_checks_are_no_difference() -> None:
    assert differences({"ping": [PING]}, {"ping": [PING]}, {}, "2025-11-25 server") == []


@pytest.mark.parametrize(
    "through",
    [{"ping": [FAILED]}, {"ping": []}, {}, {"ping": [PING, PING]}, {"ping": [PING], "more": [OTHER]}],
    ids=["failed", "empty", "missing", "twice", "more"],
)
def test_whatever_is_not_the_same_is_a_difference(through: dict[str, list[Check]]) -> None:
    assert len(differences({"ping": [PING]}, through, {}, "2025-11-25 server")) == 1


def test_the_order_of_the_checks_and_the_suites_log_are_no_difference() -> None:
    log = Check("incoming-request", "IncomingRequest", "INFO")
    through = {"ping": [OTHER, log, log, PING], "tasks": [log]}
    assert differences({"ping": [PING, log, OTHER], "tasks": []}, through, {}, "2025-11-25 server") == []


def test_a_scenario_that_only_logs_must_still_have_run() -> None:
    assert len(differences({"tasks": []}, {}, {}, "2025-11-25 server")) == 1


def test_a_difference_says_what_was_expected_and_what_was_seen() -> None:
    (line,) = differences({"ping": [PING]}, {"ping": [FAILED]}, {}, "2025-11-25 server")
    assert line == "ping: expected ['ping Ping SUCCESS'], seen ['ping Ping FAILURE']"


def test_a_known_difference_must_be_seen_exactly_as_it_is_known() -> None:
    known = {"2025-11-25 server ping": {"reason": "because", "missing": [" ".join(PING)], "added": [" ".join(FAILED)]}}
    assert differences({"ping": [PING]}, {"ping": [FAILED]}, known, "2025-11-25 server") == []
    assert len(differences({"ping": [PING]}, {"ping": [PING]}, known, "2025-11-25 server")) == 1
    assert len(differences({"ping": [PING]}, {"ping": [FAILED]}, known, "2026-07-28 server")) == 1


def test_every_known_difference_has_its_reason() -> None:
    for place in (*HTTP_PLACES, *STDIO_PLACES):
        for entry in known_differences(place).values():
            assert set(entry) == {"reason", "missing", "added"}
            assert entry["reason"]


def test_a_check_that_fails_without_the_relay_is_named_unless_nobody_scores_it() -> None:
    assert failures({"ping": [FAILED], "tasks-lifecycle": [FAILED]}) == ["ping: ping failed without the relay"]


def test_the_table_has_a_row_a_scenario_and_the_sums() -> None:
    rows = table({"direct": {"ping": [PING, OTHER]}, "http-url": {"ping": [PING], "more": [FAILED]}}).splitlines()
    assert [row.split() for row in rows] == [
        ["scenario", "direct", "http-url"],
        ["more", "-", "0/1"],
        ["ping", "1/1", "1/0"],
        ["all", "2", "1/1", "1/1"],
    ]
    assert counted([Check("a", "A", "SKIPPED"), Check("a", "A", "INFO")]) == "0/0"


def test_a_process_that_names_no_url_is_reported_with_its_words() -> None:
    command = [sys.executable, "-c", "print('no port is free')"]
    with pytest.raises(StartError, match="no port is free"), started(command):
        pass


def test_without_the_suite_there_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "MODULES", tmp_path / "node_modules")
    with pytest.raises(suite.SuiteError, match="make peers"):
        suite.server_verdict("http://127.0.0.1:1/mcp", "2025-11-25", tmp_path / "out")


def test_a_suite_that_reaches_nobody_fails_its_scenarios(tmp_path: Path) -> None:
    if not suite.MODULES.exists():
        pytest.skip("the suite is not installed; install it with: make peers")
    assert failures(suite.server_verdict("http://127.0.0.1:1/mcp", "2025-11-25", tmp_path / "out"))
