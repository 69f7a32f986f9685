"""`learner forget` asks, tells, and refuses in words."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from learner.cli import learner
from learner.errors import NotConfirmedError, NotForgottenError, UnknownServerError
from middleware.memory.store import Memory
from tests.conftest import recorded_call, recorded_server
from tests.middleware.peer import ROOT, TIMEOUT_S


@pytest.fixture
def filled(memory_file: Path) -> Path:
    sea = recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, sea, "tide", {"harbour": "Lindholm"})
    recorded_call(memory_file, sea, "tide", {"harbour": "Visby"})
    return memory_file


def forget(memory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(learner, ["--memory", str(memory), "forget", *arguments])


def left(memory: Path) -> int:
    with Memory(memory) as opened:
        return len(opened.calls())


def test_it_tells_what_goes_and_forgets_it(filled: Path) -> None:
    done = forget(filled, "--containing", "Lindholm", "--yes")
    assert done.exit_code == 0
    assert re.search(r"1 call, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to .* UTC\n +1 sea\n", done.stdout)
    assert left(filled) == 1


def test_looking_changes_nothing(filled: Path) -> None:
    done = forget(filled, "--server", "sea", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 calls" in done.stdout
    assert "1 server" in done.stdout
    assert left(filled) == 2


def test_machines_get_json(filled: Path) -> None:
    looked = json.loads(forget(filled, "--containing", "Lindholm", "--dry-run", "--json").stdout)
    assert (looked["calls"], looked["forgotten"]) == ({"sea": 1}, False)
    done = json.loads(forget(filled, "--containing", "Lindholm", "--yes", "--json").stdout)
    assert (done["calls"], done["forgotten"], done["left"], done["spools"], done["outside"]) == (
        {"sea": 1},
        True,
        [],
        [],
        [],
    )


def test_a_server_that_was_never_seen_is_a_failure_that_names_those_that_were(filled: Path) -> None:
    for more in ((), ("--containing", "Lindholm")):
        done = forget(filled, "--server", "see", "--yes", *more)
        assert isinstance(done.exception, UnknownServerError)
        assert str(done.exception).endswith("there: sea")
    assert left(filled) == 2
    assert forget(filled, "--server", "sea", "--before", "2000-01-01", "--yes").exit_code == 0


def test_nothing_that_meets_it_is_said_and_no_failure(filled: Path) -> None:
    done = forget(filled, "--containing", "nobody said this", "--yes")
    assert (done.exit_code, done.stdout) == (0, "nothing in the memory meets this\n")


@pytest.mark.parametrize("text", ["Lindholm", "only a client's file says this"])
def test_backups_of_clients_files_are_named_also_when_one_only_looks(
    filled: Path, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    backup = tmp_path / "practicum" / "wrapped" / "mcp.json-1" / "original"
    backup.parent.mkdir(parents=True)
    backup.write_text(f'{{"mcpServers": {{"sea": {{"command": "{text}"}}}}}}')
    for arguments in (["--dry-run"], ["--yes"]):
        done = forget(filled, "--containing", text, *arguments)
        assert (done.exit_code, f"lies outside the data directory: {backup}\n" in done.stdout) == (0, True)


def test_without_a_terminal_nothing_is_forgotten_unasked(filled: Path) -> None:
    done = forget(filled, "--containing", "Lindholm")
    assert isinstance(done.exception, NotConfirmedError)
    assert "--yes" in str(done.exception)
    assert left(filled) == 2


@pytest.mark.parametrize(("said", "code", "calls"), [(b"n\n", 1, 2), (b"y\n", 0, 1)])
def test_somebody_at_a_terminal_is_asked(filled: Path, said: bytes, code: int, calls: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-I", "-m", "learner", "--memory", str(filled), "forget", "--containing", "Lindholm"]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    os.write(ours, said)
    _, errors = process.communicate(timeout=TIMEOUT_S)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, errors
    assert b"Forget this for good" in errors
    assert left(filled) == calls


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to forget"),
        (("--containing", ""), "at least one character"),
        (("--before", "soon"), "is no date"),
        (("--before", "99999d", "--yes"), ""),
        (("--before", "999999w"), "is no date"),
        (("--server", "sea", "--json"), "nothing is asked"),
    ],
)
def test_wrong_usage_is_said(filled: Path, arguments: tuple[str, ...], says: str) -> None:
    done = forget(filled, *arguments)
    assert done.exit_code == (2 if says else 0)
    assert says in done.stderr
    assert left(filled) == 2


@pytest.mark.parametrize(("before", "calls"), [("0m", 0), ("1h", 2), ("2000-01-01", 2), ("2999-01-01T00:00+02:00", 0)])
def test_ages_dates_and_times_are_understood(filled: Path, before: str, calls: int) -> None:
    assert forget(filled, "--before", before, "--yes").exit_code == 0
    assert left(filled) == calls


def test_calls_are_named_by_id_or_uid(filled: Path) -> None:
    with Memory(filled) as opened:
        newest, oldest = opened.calls()
    assert forget(filled, "--call", str(newest.id), "--call", oldest.uid, "--yes").exit_code == 0
    assert left(filled) == 0


def test_a_file_that_still_holds_the_text_is_named_and_that_is_a_failure(filled: Path) -> None:
    copy = filled.with_name(filled.name + ".bak")
    copy.write_bytes(filled.read_bytes())
    done = forget(filled, "--containing", "Lindholm", "--yes")
    assert isinstance(done.exception, NotForgottenError)
    assert str(copy) in str(done.exception)
    assert left(filled) == 1
    again = forget(filled, "--containing", "Lindholm", "--dry-run")
    assert again.stdout == f"traces in {copy}\n"
    copy.unlink()
    assert forget(filled, "--containing", "Lindholm", "--yes").exit_code == 0


def test_a_text_that_was_to_go_from_one_server_only_may_stay_with_another(filled: Path) -> None:
    recorded_call(filled, recorded_server(filled, "lake", []), "tide", {"harbour": "Lindholm"})
    done = forget(filled, "--server", "sea", "--containing", "Lindholm", "--yes")
    assert (done.exit_code, "forgotten" in done.stdout) == (0, True), done
    assert left(filled) == 2
    again = forget(filled, "--server", "sea", "--containing", "Lindholm", "--yes")
    assert (again.exit_code, again.stdout) == (0, "nothing in the memory meets this\n")
    # Once none of its rows may hold the text, a file that does is one too many again.
    copy = filled.with_name(filled.name + ".bak")
    copy.write_bytes(filled.read_bytes())
    done = forget(filled, "--server", "lake", "--containing", "Lindholm", "--yes")
    assert isinstance(done.exception, NotForgottenError)
    assert str(copy) in str(done.exception)


def test_hostile_names_are_shown_harmlessly(memory_file: Path) -> None:
    server = recorded_server(memory_file, "a\x1b[2Jb", [])
    recorded_call(memory_file, server, "t", {})
    assert "\x1b" not in forget(memory_file, "--before", "0m", "--dry-run").stdout
