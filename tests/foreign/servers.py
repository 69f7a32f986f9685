"""Servers that no one here wrote: how to start each, and what to call, so that it answers the same every time."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.suite import SuiteError, program
from tests.middleware.peer import TIMEOUT_S

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Server:
    """A server's command, and calls with the outcome that each leaves."""

    command: list[str]
    calls: list[tuple[Call, str]]
    environment: Mapping[str, str] = field(default_factory=dict)


def installed(name: str) -> list[str]:
    """Return the command of a program from npm, or skip the test."""
    try:
        return program(name)
    except SuiteError as error:
        pytest.skip(str(error))


def everything(folder: Path) -> Server:
    calls: list[tuple[Call, str]] = [
        (("echo", {"message": "grüße\u2028"}), "result"),
        (("get-sum", {"a": 0.1, "b": 2}), "result"),
        (("get-structured-content", {"location": "Chicago"}), "result"),
        (("get-tiny-image", {}), "result"),
        (("get-sum", {"a": "one"}), "tool_error"),
    ]
    return Server([*installed("mcp-server-everything"), "stdio"], calls)


def filesystem(folder: Path) -> Server:
    (folder / "naïve.txt").write_text("one\ntwo\n")
    calls: list[tuple[Call, str]] = [
        (("write_file", {"path": str(folder / "new.txt"), "content": "\u0000ü"}), "result"),
        (("list_directory", {"path": str(folder)}), "result"),
        (("read_text_file", {"path": str(folder / "naïve.txt"), "head": 1}), "result"),
        (("read_text_file", {"path": "/etc/passwd"}), "tool_error"),
    ]
    return Server([*installed("mcp-server-filesystem"), str(folder)], calls)


def memory(folder: Path) -> Server:
    entity = {"name": "Zoë", "entityType": "person", "observations": ["speaks 🌍"]}
    calls: list[tuple[Call, str]] = [
        (("create_entities", {"entities": [entity]}), "result"),
        (("search_nodes", {"query": "Zoë"}), "result"),
        (("delete_entities", {"entityNames": ["Zoë"]}), "result"),
        (("read_graph", {}), "result"),
        (("create_entities", {"entities": "none"}), "tool_error"),
    ]
    return Server(installed("mcp-server-memory"), calls, {"MEMORY_FILE_PATH": str(folder / "graph.json")})


def time(folder: Path) -> Server:
    # What time it is would not be the same twice; that it is asked for nowhere is.
    calls: list[tuple[Call, str]] = [(("get_current_time", {"timezone": "Atlantis/Capital"}), "tool_error")]
    return Server([sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"], calls)


def git(folder: Path) -> Server:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True, timeout=TIMEOUT_S)
    (folder / "naïve.txt").write_text("one\n")
    for arguments in (["add", "."], [*identity, "commit", "-q", "-m", "First: größer"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, timeout=TIMEOUT_S)
    calls: list[tuple[Call, str]] = [
        (("git_log", {"repo_path": str(folder)}), "result"),
        (("git_status", {"repo_path": str(folder)}), "result"),
        (("git_show", {"repo_path": str(folder), "revision": "no such revision"}), "tool_error"),
    ]
    return Server([sys.executable, "-m", "mcp_server_git", "--repository", str(folder)], calls)


SERVERS: dict[str, Callable[[Path], Server]] = {
    "everything": everything,
    "filesystem": filesystem,
    "memory": memory,
    "time": time,
    "git": git,
}
# Those that speak 2026-07-28 too.
MODERN = ("time", "git")
