"""Servers of others behind the relay: they say the same as without it, and every call is remembered."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from middleware.memory.database import open_database
from tests.conformance.features import Mode, parameters
from tests.conformance.places import HTTP_PLACES, STDIO_PLACES, Target, relay, started
from tests.foreign.servers import MODERN, SERVERS, Server
from tests.foreign.wire import LEGACY, exchange, script
from tests.foreign.wire import MODERN as MODERN_REVISION
from tests.middleware.peer import TIMEOUT_S, remembered

ERAS = [(name, LEGACY) for name in SERVERS] + [(name, MODERN_REVISION) for name in MODERN]
NPM = ["everything", "filesystem", "memory"]
PAIRS = [place.split("-") for place in (*STDIO_PLACES, *HTTP_PLACES) if place.count("-") == 1]
FRONTS = [front for front, back in PAIRS if back == "stdio"]
FRONTS_OF_A_URL = [front for front, back in PAIRS if back == "url"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def remembered_tools(memory: Path) -> list[Any]:
    rows = open_database(memory).execute("SELECT definition_json FROM tools").fetchall()
    return [json.loads(str(row[0])) for row in rows]


def check_what_is_remembered(memory: Path, server: Server, listed: list[Any], revision: str, client: str) -> None:
    assert remembered(memory) == [(name, outcome) for (name, _), outcome in server.calls]
    assert sorted(remembered_tools(memory), key=lambda tool: tool["name"]) == sorted(listed, key=lambda t: t["name"])
    sessions = open_database(memory).execute("SELECT client_name, protocol_version FROM sessions").fetchall()
    assert sessions == [(client, revision)]


@pytest.mark.parametrize(("name", "revision"), ERAS)
def test_a_foreign_servers_answers_pass_byte_for_byte(
    memory_file: Path, folder: Path, name: str, revision: str
) -> None:
    server = SERVERS[name](folder)
    messages = script(revision, [call for call, _ in server.calls])
    direct = exchange(server.command, messages, server.environment)
    through = exchange(relay(memory_file, "--", *server.command), messages, server.environment)
    assert through == direct
    listed = json.loads(direct[1])["result"]["tools"]
    check_what_is_remembered(memory_file, server, listed, revision, "wire")


async def ask(target: Target, server: Server, mode: Mode) -> tuple[Any, ...]:
    """Return all that the SDK's client sees of the server."""
    with anyio.fail_after(TIMEOUT_S):
        async with Client(parameters(target, server.environment), mode=mode) as client:
            tools = await client.list_tools()
            answers = [await client.call_tool(*call) for call, _ in server.calls]
            return client.protocol_version, client.server_info, client.server_capabilities, tools, answers


@contextmanager
def behind_relay(front: str, memory: Path, *behind: str, environment: Mapping[str, str]) -> Iterator[Target]:
    """Yield what a client is given for a relay that serves it on `front`, "stdio" or "http"."""
    if front == "stdio":
        yield relay(memory, *behind)
        return
    with started(relay(memory, "--http", "127.0.0.1:0", *behind), environment=environment) as url:
        yield url


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", NPM)
def test_the_sdks_client_sees_a_foreign_server_as_directly(
    memory_file: Path, folder: Path, name: str, front: str, mode: Mode
) -> None:
    server = SERVERS[name](folder)
    direct = anyio.run(ask, server.command, server, mode)
    assert direct[3].tools
    with behind_relay(front, memory_file, "--", *server.command, environment=server.environment) as target:
        assert anyio.run(ask, target, server, mode) == direct
    assert remembered(memory_file) == [(tool, outcome) for (tool, _), outcome in server.calls]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("front", FRONTS_OF_A_URL)
def test_a_foreign_server_is_the_same_when_it_is_reached_by_its_url(
    memory_file: Path, folder: Path, front: str, mode: Mode
) -> None:
    server = SERVERS["everything"](folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [*server.command[:-1], "streamableHttp"]
    with started(command, "listening on port", {"PORT": str(port)}):
        url = f"http://127.0.0.1:{port}/mcp"
        direct = anyio.run(ask, url, server, mode)
        assert direct[3].tools
        with behind_relay(front, memory_file, "--url", url, environment={}) as target:
            assert anyio.run(ask, target, server, mode) == direct
    assert remembered(memory_file) == [(tool, outcome) for (tool, _), outcome in server.calls]
