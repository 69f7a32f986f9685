"""Clients of others before the relay: they see what they see without it, and every call is remembered."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from middleware.memory.database import open_database
from tests.conformance.places import ROOT, STDIO_PLACES, Target, standing
from tests.conformance.suite import environment
from tests.foreign.servers import installed
from tests.middleware.peer import TIMEOUT_S, remembered

FASTMCP = Path(__file__).parent / ".venv" / "bin" / "python"
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("test_header_parameter", {"region": "größer"}),
    ("test_multiple_content_types", {}),
    ("test_error_handling", {}),
]
OUTCOMES = {"test_error_handling": "tool_error"}
Calls = Sequence[tuple[str, dict[str, Any]]]

# Node and Python start several times in each, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(300)


def output(command: Sequence[str], folder: Path) -> str:
    """Run a client to its end and return what it printed; its own files stay in `folder`."""
    env = {**environment(), "HOME": str(folder), "MCP_INSPECTOR_SECRET_STORE": "memory"}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=2 * TIMEOUT_S, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def inspector(folder: Path, target: Target, calls: Calls) -> str:
    """Return what the inspector's CLI prints for the list of tools and for each call."""
    config = folder / "inspected.json"
    entry: dict[str, Any]
    if isinstance(target, str):
        entry = {"type": "streamable-http", "url": target}
    else:
        entry = {"command": target[0], "args": target[1:]}
    config.write_text(json.dumps({"mcpServers": {"it": entry}}))
    base = [*installed("mcp-inspector"), "--cli", "--config", str(config), "--server", "it"]
    printed = [output([*base, "--method", "tools/list"], folder)]
    for name, arguments in calls:
        pairs = [part for key, value in arguments.items() for part in ("--tool-arg", f"{key}={value}")]
        printed.append(output([*base, "--method", "tools/call", "--tool-name", name, *pairs], folder))
    return "".join(printed)


def fastmcp(folder: Path, target: Target, calls: Calls) -> str:
    """Return what fastmcp's client sees."""
    if not FASTMCP.exists():
        pytest.skip(f"fastmcp is not installed in {FASTMCP.parents[1]}. Install it with: make peers")
    script = Path(__file__).parent / "fastmcp_client.py"
    parts = [target] if isinstance(target, str) else target
    return output([str(FASTMCP), str(script), json.dumps(calls), *parts], folder)


# The inspector starts anew for each thing that it does, so it is asked for less.
@pytest.mark.parametrize(("client", "calls"), [(inspector, CALLS[:1]), (fastmcp, CALLS)], ids=["inspector", "fastmcp"])
@pytest.mark.parametrize("place", [*STDIO_PLACES, "http-url", "http-stdio"])
def test_a_foreign_client_sees_what_it_sees_directly(
    memory_file: Path, tmp_path: Path, place: str, client: Callable[[Path, Target, Calls], str], calls: Calls
) -> None:
    with standing(place.partition("-")[0], memory_file) as target:
        direct = client(tmp_path, target, calls)
    assert "test_header_parameter" in direct
    assert "größer" in direct or "gr\\u00f6\\u00dfer" in direct
    with standing(place, memory_file) as target:
        assert client(tmp_path, target, calls) == direct
    assert remembered(memory_file) == [(name, OUTCOMES.get(name, "result")) for name, _ in calls]
    names = {row[0] for row in open_database(memory_file).execute("SELECT client_name FROM sessions").fetchall()}
    assert len(names) == 1
