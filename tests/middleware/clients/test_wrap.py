"""Files wrapped and unwrapped in this process: which bytes they then hold, and what is kept beside."""

from pathlib import Path

from middleware.clients.installed import installed
from middleware.clients.wrap import Launcher, Plan, carry_out, plan_unwrap, plan_wrap

LAUNCHER = Launcher("/opt/venv/bin/python", {}, Path("/home/me/memory.db"))
GIT = '{"mcpServers": {"git": {"command": "uvx", "args": ["mcp-server-git"]}}}'


def wrap(path: Path, launcher: Launcher = LAUNCHER, only: tuple[str, ...] = ()) -> Plan:
    (plan,) = plan_wrap([path], launcher, only)
    if plan.is_change:
        carry_out(plan)
    return plan


def unwrap(path: Path, only: tuple[str, ...] = ()) -> Plan:
    (plan,) = plan_unwrap([path], only)
    if plan.is_change:
        carry_out(plan)
    return plan


def test_a_file_is_wrapped_seen_as_wrapped_and_unwrapped_again(file: Path) -> None:
    file.write_text(GIT)
    wrap(file)
    assert '"command": "/opt/venv/bin/python", "args": ["-I", "-m", "learner", "proxy", "--name", "git"' in (
        file.read_text()
    )
    (seen,) = installed(file.parent)
    assert (seen.path, seen.is_as_written, seen.is_wrapped, seen.problem) == (file, True, True, "")
    assert seen.backup is not None
    assert seen.backup.restore_script.is_file()
    (server,) = seen.servers
    assert server.entry.command == ("uvx", "mcp-server-git")
    assert server.entry.relay is not None
    assert (server.name, server.entry.relay.program) == ("git", "/opt/venv/bin/python")
    assert not wrap(file).is_change
    unwrap(file)
    assert file.read_text() == GIT
    assert installed(file.parent) == []
