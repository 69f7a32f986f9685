"""`learner doctor` as a whole, in a real installation with a home directory of its own."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from learner.cli import doctor
from learner.cli.health.finding import Finding, Place, Topic
from middleware.memory.database import open_database
from middleware.memory.retention import KEEP_BYTES, KEEP_DAYS
from middleware.memory.rows import write
from middleware.memory.spool import Spool
from tests.conftest import a_call, recorded_server
from tests.learner.installation import ROOT, Installation, install, of

OLD = a_call("old", created_at="2020-01-01T00:00:00.000Z", arguments_json='{"a":"b"}')


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


@pytest.fixture
def memory(installation: Installation) -> Path:
    path = installation.home / ".local" / "share" / "practicum" / "memory.db"
    recorded_server(path, "sea", [])
    database = open_database(path)
    write(database, [OLD])
    database.close()
    return path


def state(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_changed_by_looking(installation: Installation, memory: Path) -> None:
    spool = Spool(memory)
    spool.append([a_call("waits")])
    spool.close()
    before = state(installation.home)
    status, findings = installation.doctor()
    assert (status, len(of(findings, "spool", "warning"))) == (0, 1)
    assert of(findings, "memory size", "warning")
    assert state(installation.home) == before


def test_people_get_the_worst_first_and_the_log_commands_nothing(installation: Installation, memory: Path) -> None:
    (installation.home / ".mcp.json").write_text('{"mcpServers": {"\\u001b[2Jx\\u202e": {"url": "h://x/sse"}}}')
    done = installation.run("-I", "-m", "learner", "doctor", environment={"PRACTICUM_KEEP_DAYS": "x"})
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[0].startswith("failure  environment")
    assert lines[1].strip() == "mend: unset PRACTICUM_KEEP_DAYS"
    assert lines[-1].startswith("failures: 1, warnings: 1, ok: ")
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_an_unknown_home_and_a_relative_memory_are_said(installation: Installation) -> None:
    status, findings = installation.doctor(PRACTICUM_MEMORY="~nobody-at-all/memory.db")
    assert (status, of(findings, "environment", "failure")[0].startswith("PRACTICUM_MEMORY=")) == (1, True)
    status, findings = installation.doctor(PRACTICUM_MEMORY="here.db")
    assert (status, len(of(findings, "environment", "warning"))) == (0, 1)


def test_the_remedy_names_the_memory_that_was_named(installation: Installation, memory: Path) -> None:
    moved = memory.rename(memory.with_name("it's here.db"))
    _, findings = installation.doctor("--memory", moved)
    (mend,) = [each["mend"] for each in findings if each["topic"] == "memory size"]
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {mend}"], capture_output=True, text=True, timeout=60, check=True
    )
    assert words.stdout.splitlines() == ["learner", "--memory", str(moved), "doctor", "--prune"]


def test_pruning_asks_and_says_what_went(installation: Installation, memory: Path) -> None:
    before = memory.read_bytes()
    alone = installation.run("-I", "-m", "learner", "doctor", "--prune")
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "to prune: 1 calls that are too old" in alone.stderr
    assert "there is no terminal to ask on" in alone.stderr
    assert installation.run("-I", "-m", "learner", "doctor", "--prune", "--json").returncode == 2
    assert memory.read_bytes() == before
    status, findings = installation.doctor("--prune", "--yes")
    (text,) = of(findings, "pruned")
    assert (status, text.startswith("1 calls were thinned")) == (0, True)
    assert not of(findings, "memory size", "warning")
    _, findings = installation.doctor("--prune", "--yes")
    assert of(findings, "pruned") == ["there was nothing to prune"]


@pytest.mark.parametrize(("answer", "thinned"), [("n", False), ("y", True)])
def test_somebody_who_is_asked_decides(answer: str, thinned: bool, installation: Installation, memory: Path) -> None:
    before = memory.read_bytes()
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(
        [installation.python, "-I", "-m", "learner", "doctor", "--prune"],
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=200,
        cwd=installation.home,
        env={"PATH": os.environ["PATH"], "HOME": str(installation.home)},
    )
    os.close(ours)
    os.close(theirs)
    assert ("nothing was changed" in done.stderr) is not thinned, done
    assert (memory.read_bytes() != before) is thinned


def test_a_check_that_breaks_off_is_a_finding_and_keeps_nobody_from_the_others() -> None:
    def breaks(place: Place) -> list[Finding]:
        raise RecursionError("too deep")

    (finding,) = doctor.guarded("memory", breaks, Place(Path(), {}))
    assert (finding.level, finding.topic) == ("failure", "check")
    assert "memory broke off: RecursionError: too deep" in finding.text


def test_the_page_lists_every_topic_and_no_other() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text()
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert listed == list(get_args(Topic))


def test_the_help_names_the_limits_that_hold() -> None:
    options = {option.name: option for option in doctor.doctor_command.params}
    assert f"else {KEEP_DAYS}." in getattr(options["keep_days"], "help", "")
    assert f"else {KEEP_BYTES:,}." in getattr(options["keep_bytes"], "help", "")


@pytest.mark.skipif(sys.platform != "linux", reason="the installation's layout is looked up on Linux")
def test_it_works_without_a_home(installation: Installation) -> None:
    _, findings = installation.doctor(HOME="")
    assert any("HOME is not set" in text for text in of(findings, "environment", "warning"))
    assert not of(findings, "check")
