"""`learner tools --failures` as a person reads it and as a machine does."""

import json
import shlex
from pathlib import Path

import pytest

from tests.conftest import recorded_call, recorded_server, tool_definition
from tests.test_cli import run


def twenty_calls(path: Path) -> None:
    sea = recorded_server(path, "sea", [tool_definition("tide", day={"type": "string"}), tool_definition("wave")])
    for number in range(13):
        recorded_call(path, sea, "tide", {"day": f"2027-03-{number + 10}", "harbour": "Lindholm"})
    for day in ("soon", "tomorrow", "3 March", "3/3"):
        text = f"Input validation error: {day!r} is no date"
        recorded_call(path, sea, "tide", {"day": day, "harbour": "Lindholm"}, outcome="tool_error", text=text)
    recorded_call(path, sea, "tide", {}, outcome="cancelled")
    recorded_call(path, sea, "wave", {"height": 3})
    recorded_call(
        path, sea, "wave", {"height": "\x1b[2Jhigh\u202e"}, outcome="tool_error", text="\x1b]0;x\x07 [b]no[/b]"
    )


def test_after_twenty_calls_it_says_which_tool_fails_and_on_which_argument(memory_file: Path) -> None:
    twenty_calls(memory_file)
    assert (
        shlex.join(["learner", "--memory", str(memory_file), "tools", "--failures"])
        in run("tools", memory=memory_file).stdout
    )
    tide, wave = json.loads(run("tools", "--failures", "--json", memory=memory_file).stdout)
    assert (tide["server"], tide["tool"], tide["calls"], tide["failures"], tide["cancelled"]) == (
        "sea",
        "tide",
        18,
        4,
        1,
    )
    assert tide["error"] == {
        "form": "Input validation error: … is no date",
        "example": "Input validation error: '3/3' is no date",
        "outcome": "tool_error",
        "calls": 4,
        "of": 4,
    }
    assert tide["last_failure"]["arguments"] == {"day": "3/3", "harbour": "Lindholm"}
    assert tide["differs"] == [{"argument": "day", "failed": "3/3", "worked": tide["worked"]["arguments"]["day"]}]
    assert tide["rate"] == pytest.approx(4 / 17)
    assert wave["tool"] == "wave"
    only = json.loads(run("tools", "--failures", "--json", "--tool", "wave", memory=memory_file).stdout)
    assert only == [wave]
    assert run("tools", "--failures", "--json", "--server", "lake", memory=memory_file).returncode == 1


@pytest.mark.parametrize("columns", ["80", "200"])
def test_people_read_it_in_any_width_and_the_log_commands_nothing(columns: str, memory_file: Path) -> None:
    twenty_calls(memory_file)
    done = run("tools", "--failures", memory=memory_file, COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert "sea / tide\n" in done.stdout
    assert "4 of 17 calls, 24% (95 % interval 10% to 47%); 1 more cancelled" in " ".join(done.stdout.split())
    assert 'day: "3/3" → "2027-03-' in done.stdout
    assert "[b]no[/b]" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_the_number_of_tools_can_be_limited_and_says_what_is_left_out(memory_file: Path) -> None:
    twenty_calls(memory_file)
    done = run("tools", "--failures", "--limit", "1", memory=memory_file)
    assert "sea / wave" not in done.stdout
    assert "1 more tools have failures: --limit 2" in done.stdout


def test_no_calls_and_no_failures_are_said(memory_file: Path) -> None:
    assert "no call is remembered yet" in run("tools", "--failures", memory=memory_file).stdout
    sea = recorded_server(memory_file, "sea", [tool_definition("tide")])
    recorded_call(memory_file, sea, "tide", {})
    assert "none of 1 calls failed" in run("tools", "--failures", memory=memory_file).stdout
    assert "there: sea" in run("tools", "--failures", "--server", "see", memory=memory_file).stderr
    other = run("tools", "--failures", "--tool", "tides", memory=memory_file).stdout
    assert "no such call is remembered; learner --memory" in other
    assert "tools shows which servers and tools were seen" in other
    assert "--failures" not in run("tools", memory=memory_file).stdout
    assert json.loads(run("tools", "--failures", "--json", memory=memory_file).stdout) == []


def test_of_long_values_what_differs_is_shown(memory_file: Path) -> None:
    sea = recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, sea, "sql", {"query": "SELECT height " * 20 + "FROM tide"})
    recorded_call(memory_file, sea, "sql", {"query": "SELECT height " * 20 + "FORM tide"}, outcome="tool_error")
    shown = run("tools", "--failures", memory=memory_file).stdout
    assert 'FORM tide" → …' in shown
    assert shown.count("FROM tide") == 1
