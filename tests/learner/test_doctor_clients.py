"""`learner doctor` on clients' files as `learner wrap` leaves them, and as time and people do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from learner.cli.health.clients import client_findings
from learner.cli.health.finding import Finding, Place
from learner.cli.health.pruning import prune, to_prune
from learner.cli.health.starting import problem_of_starting
from middleware.clients.installed import installed
from middleware.clients.wrap import Launcher, carry_out, plan_wrap
from tests.learner.installation import install
from tests.middleware.peer import ECHO

SERVER = [sys.executable, "-I", "-c", ECHO]
HANGS = [sys.executable, "-I", "-c", "import sys; sys.stdin.read()"]
ENDS = [
    *(sys.executable, "-I", "-c"),
    "import sys; print('no database at db.example, password=hunter2hunter2', file=sys.stderr); sys.exit(3)",
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project to work in, and a home without anything of whoever runs the tests."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAUDE_CONFIG_DIR", "PRACTICUM_MEMORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


def entry(command: list[str], **others: Any) -> dict[str, Any]:
    return {"command": command[0], "args": command[1:], **others}


def wrapped(project: Path, memory: Path, servers: dict[str, Any], program: str = sys.executable) -> Path:
    path = project / ".mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    (plan,) = plan_wrap([path], Launcher(program, {"--memory": str(memory)}, memory))
    carry_out(plan)
    return path


def found(memory: Path, *, start: bool = False) -> list[Finding]:
    return list(client_findings(Place(memory, dict(os.environ), start=start)))


def only(findings: list[Finding], topic: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.topic == topic]
    return finding


def test_without_any_client_all_is_well(memory: Path) -> None:
    (finding,) = found(memory)
    assert (finding.topic, finding.level) == ("client file", "ok")


def test_a_wrapped_server_is_well_and_really_starts(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)})
    findings = found(memory, start=True)
    assert {finding.level for finding in findings} == {"ok"}, findings
    assert "1 of 1 servers have the relay" in only(findings, "client file").text
    assert "restore.sh" in only(findings, "client file").text
    assert only(findings, "client server").text == f"echo in {path}: started, and answered"
    assert not memory.exists()


def test_a_relay_whose_python_is_gone_is_named_with_its_remedy(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)}, program="/no/such/python")
    finding = only(found(memory, start=True), "client relay")
    assert (finding.level, finding.mend) == ("failure", f"learner wrap {path}")
    assert "/no/such/python is not there" in finding.text


def test_a_relay_whose_python_has_lost_practicum_is_named(project: Path, memory: Path, tmp_path: Path) -> None:
    installation = install(tmp_path / "other")
    wrapped(project, memory, {"echo": entry(SERVER)}, program=str(installation.python))
    assert only(found(memory), "client relay").level == "ok"
    broken = install(tmp_path / "broken")
    (broken.packages / "middleware").rename(broken.packages / "gone")
    wrapped(project, memory, {"echo": entry(SERVER)}, program=str(broken.python))
    finding = only(found(memory), "client relay")
    assert (finding.level, "has no package middleware" in finding.text) == ("failure", True)


def test_a_relay_that_finds_another_s_middleware_is_named(project: Path, memory: Path, tmp_path: Path) -> None:
    mixed = install(tmp_path / "mixed")
    (mixed.packages / "middleware").rename(tmp_path / "middleware")
    (mixed.packages / "mixed.pth").write_text(f"{tmp_path}\n")
    wrapped(project, memory, {"echo": entry(SERVER)}, program=str(mixed.python))
    finding = only(found(memory), "client relay")
    assert (finding.level, "in different places" in finding.text) == ("failure", True)


def test_a_relay_of_another_version_is_a_warning(project: Path, memory: Path, tmp_path: Path) -> None:
    older = install(tmp_path / "older")
    metadata = older.packages / "practicum-0.1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("0.1.0", "0.0.7"))
    path = wrapped(project, memory, {"echo": entry(SERVER)}, program=str(older.python))
    finding = only(found(memory), "client relay")
    assert (finding.level, finding.mend) == ("warning", f"learner wrap {path}")
    assert "has practicum 0.0.7; this is 0.1.0" in finding.text


def test_a_remote_server_is_asked_through_its_relay(project: Path, memory: Path) -> None:
    wrapped(project, memory, {"far": {"type": "http", "url": "http://127.0.0.1:1/mcp", "headers": {"X-Key": "k"}}})
    finding = only(found(memory, start=True), "client server")
    assert (finding.level, "127.0.0.1:1" in finding.text) == ("failure", True), finding


@pytest.mark.parametrize("command", ["/no/such/server", "no-such-server-anywhere"])
def test_a_command_that_is_gone_is_a_failure_unless_its_server_is_switched_off(
    command: str, project: Path, memory: Path
) -> None:
    wrapped(project, memory, {"echo": entry([command, "x"])})
    finding = only(found(memory), "client server")
    assert (finding.level, command in finding.text) == ("failure", True)
    wrapped(project, memory, {"echo": entry([command, "x"], disabled=True)})
    assert "client server" not in {each.topic for each in found(memory)}


def test_a_command_is_looked_for_where_the_client_would(project: Path, memory: Path, tmp_path: Path) -> None:
    tool = tmp_path / "tools" / "my-server"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    servers = {"mine": entry(["my-server"], env={"PATH": str(tool.parent)})}
    wrapped(project, memory, servers)
    assert f"is not in PATH ({tool.parent})" in only(found(memory), "client server").text
    tool.chmod(0o755)
    assert {each.level for each in found(memory)} == {"ok"}


def test_what_only_the_client_knows_is_not_guessed(project: Path, memory: Path) -> None:
    wrapped(project, memory, {"mine": entry(["${workspaceFolder}/server", "${input:key}"])})
    findings = found(memory, start=True)
    assert {each.level for each in findings} == {"ok"}
    assert "only the client knows" in only(findings, "client server").text


def test_a_server_that_ends_at_once_is_told_with_its_own_words(project: Path, memory: Path) -> None:
    wrapped(project, memory, {"broken": entry(ENDS)})
    assert {each.level for each in found(memory)} == {"ok"}
    finding = only(found(memory, start=True), "client server")
    assert finding.level == "failure"
    assert "no database at db.example" in finding.text
    assert "hunter2" not in finding.text


def test_a_server_that_says_nothing_is_given_up_and_nothing_of_it_stays(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"silent": entry(HANGS)})
    (file,) = [each for each in installed() if each.path == path]
    assert "did not answer in time" in problem_of_starting(file.servers[0].entry, dict(os.environ), seconds=1)
    assert not [each for each in psutil.Process().children(recursive=True) if HANGS[-1] in each.cmdline()]


def test_calls_that_go_to_another_memory_are_told(project: Path, memory: Path, tmp_path: Path) -> None:
    wrapped(project, memory, {"echo": entry(SERVER)})
    finding = only(found(tmp_path / "other.db"), "client memory")
    assert (finding.level, finding.mend) == ("warning", f"learner --memory {memory} doctor")
    assert "client memory" not in {each.topic for each in found(memory)}


def test_an_entry_s_own_home_leads_to_another_memory(project: Path, tmp_path: Path) -> None:
    path = project / ".mcp.json"
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--", *SERVER]
    path.write_text(json.dumps({"mcpServers": {"x": entry(relay, env={"HOME": "/other", "XDG_DATA_HOME": ""})}}))
    assert "/other/" in only(found(tmp_path / "memory.db"), "client memory").text


def test_a_wrapped_file_that_was_broken_is_put_back_by_its_remedy(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)})
    path.write_text(path.read_text()[:40])
    finding = only(found(memory), "client file")
    assert (finding.level, "no JSON" in finding.text) == ("failure", True)
    subprocess.run(finding.mend, shell=True, check=True, timeout=60, capture_output=True)
    assert json.loads(path.read_text())["mcpServers"]["echo"]["command"] == SERVER[0]


def test_a_wrapped_file_that_is_gone_is_told(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)})
    path.unlink()
    finding = only(found(memory), "client file")
    assert (finding.level, "restore.sh" in finding.mend) == ("failure", True)


def test_a_broken_file_that_is_not_ours_is_a_warning(project: Path, memory: Path) -> None:
    (project / ".mcp.json").write_text("{")
    assert only(found(memory), "client file").level == "warning"


def test_edits_and_what_is_left_out_are_told(project: Path, memory: Path) -> None:
    servers = {"echo": entry(SERVER), "old": {"type": "sse", "url": "https://e.example/sse"}, "later": entry(SERVER)}
    path = wrapped(project, memory, servers)
    text = only(found(memory), "client file").text
    assert "2 of 3 servers" in text
    assert "left out: old (it speaks the old HTTP with SSE" in text
    assert "edited" not in text
    value = json.loads(path.read_text())
    value["mcpServers"]["new"] = entry(SERVER)
    path.write_text(json.dumps(value))
    finding = only(found(memory), "client file")
    assert "edited since it was wrapped" in finding.text
    assert finding.mend == f"learner wrap {path}"


def test_a_relay_that_another_program_starts_is_neither_run_nor_judged(project: Path, memory: Path) -> None:
    ours = entry(["/no/such/env", "python3", "-m", "learner", "proxy", "--name", "a", "--", "/no/such/server"])
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": {"a": ours}}))
    (finding,) = found(memory, start=True)
    assert (finding.topic, finding.level, finding.mend) == ("client file", "ok", "")
    assert "left out: a (it has a relay already, written by hand)" in finding.text


def test_what_was_kept_of_an_unwrapped_file_is_pruned(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)})
    path.write_text(json.dumps({"mcpServers": {"echo": entry(SERVER)}}))
    assert only(found(memory), "client backup").mend == "learner doctor --prune"
    place = Place(memory, {})
    (line,) = prune(place, to_prune(place))
    assert str(path) in line
    assert "client backup" not in {each.topic for each in found(memory)}
    assert not memory.exists()


def test_what_is_kept_of_a_file_that_was_wrapped_again_stays(project: Path, memory: Path) -> None:
    path = wrapped(project, memory, {"echo": entry(SERVER)})
    path.write_text(json.dumps({"mcpServers": {"echo": entry(SERVER)}}))
    place = Place(memory, {})
    what = to_prune(place)
    wrapped(project, memory, {"echo": entry(SERVER)})  # while somebody is asked
    (line,) = prune(place, what)
    assert "is kept" in line
    assert only(found(memory), "client file").text.endswith("restore.sh")


def test_nothing_that_a_strangers_project_names_is_run(project: Path, memory: Path, tmp_path: Path) -> None:
    program = project / "python"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    program.chmod(0o755)
    touch = ["touch", f"{tmp_path}/was-run"]
    servers = {
        "relay": entry([str(program), "-I", "-m", "learner", "proxy", "--name", "x", "--", "true"]),
        "path": entry(["learner", "proxy", "--name", "x", "--", "true"], env={"PATH": str(project)}),
        "server": entry([sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--", *touch]),
    }
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": servers}))
    program.with_name("learner").symlink_to(program)
    warnings = [each for each in found(memory, start=True) if each.topic == "client relay" and each.level == "warning"]
    assert ["was not run" in each.text for each in warnings] == [True, True]
    assert not (tmp_path / "was-run").exists()


def test_a_damaged_backup_is_told(project: Path, memory: Path, tmp_path: Path) -> None:
    wrapped(project, memory, {"echo": entry(SERVER)})
    (record,) = (tmp_path / "state").rglob("record.json")
    record.write_text("{")
    finding = only(found(memory), "client backup")
    assert (finding.level, str(record.parent) in finding.mend) == ("warning", True)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"mcpServers": 3}',
        '{"mcpServers": {"x": null, "y": [], "z": {"command": 3}, "": {"command": "", "args": {}}}}',
        '{"mcpServers": {"x": {"command": "python", "args": ["-I", "-m", "learner", "proxy"]}}}',
        '{"mcpServers": {"x": {"command": "learner", "args": ["proxy", "--memory"]}}}',
        '{"mcpServers": {"x": {"command": "a\\u0000b", "args": ["-I", "-m", "learner", "proxy", "--", "c\\u0000d"]}}}',
        '{"mcpServers": {"\\u001b[2J": {"command": "\\ud800", "env": {"PATH": "\\u0000"}}}}',
        '{"mcpServers": {"x": {"command": "learner", "args": ["proxy", "--memory", "~nobody/x", "--", "a"]}}}',
    ],
)
def test_whatever_a_file_holds_it_is_looked_at(text: str, project: Path, memory: Path) -> None:
    (project / ".mcp.json").write_text(text)
    assert found(memory, start=True)
