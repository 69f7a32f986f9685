"""Servers that no one here wrote, behind the relay, asked by the SDK's client in both eras; and their hints."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import apsw
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.subscriptions import ToolsListChanged

from middleware.intent import ARGUMENT
from middleware.memory.database import open_database
from middleware.memory.identity import INTENT_ARGUMENT, now
from tests.middleware.peer import ROOT, TIMEOUT_S, remembered

Mode = Literal["auto", "legacy"]
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
HINT = 'Example: {"timezone": "Europe/Zürich"}'


def behind_relay(memory: Path, command: list[str], *options: str) -> StdioServerParameters:
    relay = ["-I", "-m", "learner", "proxy", "--name", "real", "--memory", str(memory), *options, "--"]
    return StdioServerParameters(command=sys.executable, args=[*relay, *command], cwd=ROOT)


def directly(command: list[str]) -> StdioServerParameters:
    return StdioServerParameters(command=command[0], args=command[1:], cwd=ROOT)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True, timeout=TIMEOUT_S)
    (folder / "naïve.txt").write_text("one\n")
    for arguments in (["add", "."], [*identity, "commit", "-q", "-m", "First: größer"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, timeout=TIMEOUT_S)
    return folder


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def with_time_out() -> None:
        with anyio.fail_after(TIMEOUT_S):
            await work()

    anyio.run(with_time_out)


def apply(memory: Path, artefact: str | None) -> str:
    """Serve a hint for the first server's `get_current_time` (or nothing), and return the server's uid."""
    connection = open_database(memory)
    server, digest = connection.execute(
        "SELECT server_uid, hash FROM tools WHERE name = 'get_current_time'"
    ).fetchall()[0]
    if artefact is not None:
        connection.execute("INSERT OR IGNORE INTO artefacts VALUES (?, 'prompt', '', '{}', ?)", (artefact, now()))
        connection.execute(
            "INSERT OR IGNORE INTO hints VALUES (?, ?, ?, 'get_current_time', ?)", (artefact, server, digest, HINT)
        )
    action = "rollback" if artefact is None else "apply"
    connection.execute(
        "INSERT INTO servings (server_uid, action, artefact, created_at) VALUES (?, ?, ?, ?)",
        (server, action, artefact, now()),
    )
    connection.close()
    return str(server)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_git_server_says_the_same_behind_the_relay(memory_file: Path, repository: Path, mode: Mode) -> None:
    command = [sys.executable, "-m", "mcp_server_git", "--repository", str(repository)]

    async def ask(parameters: StdioServerParameters) -> tuple[str | None, Any, list[Any]]:
        async with Client(parameters, mode=mode) as client:
            tools = await client.list_tools()
            answers = [
                await client.call_tool("git_log", {"repo_path": str(repository)}),
                await client.call_tool("git_status", {"repo_path": str(repository)}),
                await client.call_tool("git_show", {"repo_path": str(repository), "revision": "no such revision"}),
            ]
            return client.protocol_version, tools, answers

    async def both() -> None:
        assert await ask(behind_relay(memory_file, command)) == await ask(directly(command))

    run(both)
    rows = remembered(memory_file, "tool_name, outcome, tool_hash IS NOT NULL, result_json LIKE '%größer%'")
    assert rows[:2] == [("git_log", "result", 1, 1), ("git_status", "result", 1, 0)]
    assert rows[2][:2] in {("git_show", "tool_error"), ("git_show", "protocol_error")}
    sessions = open_database(memory_file).execute("SELECT client_name, protocol_version FROM sessions").fetchall()
    assert sessions == [("mcp", REVISIONS[mode])]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_git_server_does_the_same_when_models_say_what_for(memory_file: Path, repository: Path, mode: Mode) -> None:
    command = [sys.executable, "-m", "mcp_server_git", "--repository", str(repository)]
    said = {INTENT_ARGUMENT: "Who wrote the first file?"}

    async def ask(parameters: StdioServerParameters, added: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        async with Client(parameters, mode=mode) as client:
            tools = (await client.list_tools()).tools
            given = {"repo_path": str(repository)}
            answers = [await client.call_tool(name, {**given, **added}) for name in ("git_log", "git_status")]
            return [tool.input_schema for tool in tools], answers

    async def both() -> None:
        schemas, answers = await ask(behind_relay(memory_file, command, "--intent"), said)
        plain, direct = await ask(directly(command), {})
        assert answers == direct
        for schema in schemas:
            assert schema["properties"].pop(INTENT_ARGUMENT) == ARGUMENT
        assert schemas == plain

    run(both)
    rows = remembered(memory_file, "tool_name, outcome, intent")
    assert rows == [(name, "result", said[INTENT_ARGUMENT]) for name in ("git_log", "git_status")]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_time_servers_hint_comes_and_goes_with_what_is_applied(memory_file: Path, mode: Mode) -> None:
    command = [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"]

    async def described() -> str:
        async with Client(behind_relay(memory_file, command), mode=mode) as client:
            (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "get_current_time"]
            answer = await client.call_tool("get_current_time", {"timezone": "Europe/Paris"})
            assert not answer.is_error
            return tool.description or ""

    async def work() -> None:
        plain = await described()
        apply(memory_file, "lessons")
        assert await described() == f"{plain}\n\n{HINT}"
        apply(memory_file, None)
        assert await described() == plain

    run(work)
    assert remembered(memory_file) == [("get_current_time", "result")] * 3
    definitions = open_database(memory_file).execute("SELECT definition_json FROM tools").fetchall()
    assert len(definitions) == 2
    assert not any(HINT in json.dumps(row) for row in definitions)


LISTENING = """
import sys
import anyio
import mcp.types as t
from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler

async def list_tools(ctx, params):
    schema = {"type": "object"}
    tools = [t.Tool(name="get_current_time", description="The time.", input_schema=schema)]
    return t.ListToolsResult(tools=tools)

server = Server("s", on_list_tools=list_tools, on_subscriptions_listen=ListenHandler(InMemorySubscriptionBus()))

async def main():
    async with stdio_server() as (r, w):
        await server.run(r, w, server.create_initialization_options(NotificationOptions(tools_changed=True)))

anyio.run(main)
"""


@asynccontextmanager
async def changes(client: Client, heard: Callable[[], Awaitable[None]], mode: Mode) -> AsyncIterator[Callable[[], Any]]:
    """Yield a function that waits for the next `list_changed`, heard in the way of the era."""
    if mode == "legacy":
        yield heard
        return
    async with client.listen(tools_list_changed=True) as events:

        async def next_event() -> None:
            async for event in events:
                if isinstance(event, ToolsListChanged):
                    return

        yield next_event


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_running_relay_tells_the_client_of_apply_and_rollback(memory_file: Path, mode: Mode) -> None:
    async def work() -> None:
        send, receive = anyio.create_memory_object_stream[str](10)

        async def message_handler(message: Any) -> None:
            if "ToolListChanged" in type(getattr(message, "root", message)).__name__:
                await send.send("changed")

        async def heard() -> None:
            await receive.receive()

        command = [sys.executable, "-c", LISTENING]
        async with (
            send,
            receive,
            Client(behind_relay(memory_file, command), mode=mode, message_handler=message_handler) as client,
            changes(client, heard, mode) as changed,
        ):
            assert (await client.list_tools(cache_mode="bypass")).tools[0].description == "The time."
            apply(memory_file, "lessons")
            await changed()
            (tool,) = (await client.list_tools(cache_mode="bypass")).tools
            assert tool.description == f"The time.\n\n{HINT}"
            apply(memory_file, None)
            await changed()
            assert (await client.list_tools(cache_mode="bypass")).tools[0].description == "The time."

    run(work)
    assert apsw.Connection(str(memory_file)).execute("SELECT count(*) FROM tools").fetchall() == [(1,)]
