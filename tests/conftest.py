"""What many tests need: a temporary memory, and rows in it as a relay would have written them."""

import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from middleware.memory.database import open_database
from middleware.memory.identity import new_uid, now, tool_hash
from middleware.memory.spool import Record
from middleware.memory.store import Memory

# No test may depend on the clock: a busy machine would fail it.
settings.register_profile("no clock", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

# Under nohup, or behind a shell's `&`, these are ignored, by what tests start too; a relay heeds that.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def memory_file(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


@pytest.fixture
def memory(memory_file: Path) -> Iterator[Memory]:
    with Memory(memory_file) as opened:
        yield opened


def recorded_server(path: Path, name: str, tools: list[dict[str, Any]]) -> str:
    """Put a server and its tools into the memory at `path` and return its uid."""
    uid = f"uid-of-{name}"
    database = open_database(path)
    database.execute("INSERT OR IGNORE INTO servers VALUES (?, ?, ?, ?)", (uid, name, f"run {name}", now()))
    for tool in tools:
        database.execute(
            "INSERT OR IGNORE INTO tools VALUES (?, ?, ?, ?, ?)",
            (uid, tool_hash(tool), tool["name"], json.dumps(tool), now()),
        )
    database.close()
    return uid


def recorded_call(
    path: Path,
    server_uid: str,
    tool: str,
    arguments: Mapping[str, Any],
    *,
    outcome: str = "result",
    text: str = "ok",
    trial_uid: str | None = None,
) -> str:
    """Put one call into the memory at `path` and return its uid."""
    uid = new_uid()
    result = json.dumps({"content": [{"type": "text", "text": text}]}) if outcome == "result" else None
    database = open_database(path)
    database.execute(
        """
        INSERT INTO calls (uid, server_uid, session_uid, tool_name, arguments_json, result_json, outcome, error,
            created_at, duration_ms, request_bytes, result_bytes, jsonrpc_id, trial_uid)
        VALUES (?, ?, 'session', ?, ?, ?, ?, ?, ?, 1.0, 10, 10, '1', ?)
        """,
        (
            uid,
            server_uid,
            tool,
            json.dumps(dict(arguments)),
            result,
            outcome,
            None if outcome == "result" else text,
            now(),
            trial_uid,
        ),
    )
    database.close()
    return uid


def tool_definition(name: str, description: str = "", **properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `tools/list` element with these properties, all optional."""
    return {
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": {key: dict(value) for key, value in properties.items()}},
    }


def a_call(uid: str, **columns: object) -> Record:
    """Return a call as a relay would hand it to the writer."""
    empty = ("session_uid", "tool_hash", "arguments_json", "result_json", "error", "error_code", "duration_ms")
    return {
        "kind": "call",
        "uid": uid,
        "server_uid": "s",
        "tool_name": "t",
        "outcome": "result",
        "created_at": "2026-11-23T00:00:00.000Z",
        "request_bytes": 1,
        "rounds": 1,
        **dict.fromkeys([*empty, "result_bytes", "jsonrpc_id", "corrects", "trial_uid"]),
        **columns,
    }
