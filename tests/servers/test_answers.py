"""Answers that come late, never, or as errors, and tools that change: both eras, both transports, real clients."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import anyio
import anyio.lowlevel
import mcp.types as types
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from servers.http import listening
from servers.rooms import Rooms
from tests.servers.toy import Toy

TIMEOUT_S = 90


class Way(NamedTuple):
    transport: Literal["stdio", "http"]
    mode: Literal["legacy", "auto"]
    revision: str


STDIO = StdioServerParameters(command=sys.executable, args=["-m", "tests.servers.toy"])
MODES: tuple[tuple[Literal["legacy", "auto"], str], ...] = (("legacy", "2025-11-25"), ("auto", "2026-07-28"))
TRANSPORTS: tuple[Literal["stdio", "http"], ...] = ("stdio", "http")
WAYS = [Way(transport, mode, revision) for transport in TRANSPORTS for mode, revision in MODES]
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.transport}-{way.mode}")


@asynccontextmanager
async def _client(way: Way, heard: Callable[[object], None] = lambda _: None) -> AsyncIterator[Client]:
    async def hear(message: object) -> None:
        heard(message)

    with anyio.fail_after(TIMEOUT_S):
        if way.transport == "stdio":
            async with Client(STDIO, mode=way.mode, message_handler=hear) as client:
                yield client
        else:
            async with (
                listening(Rooms(Toy), "127.0.0.1", 0) as url,
                Client(f"{url}/alice", mode=way.mode, message_handler=hear) as client,
            ):
                yield client


async def _number(client: Client, **how: object) -> int:
    result = await client.call_tool("count", how)
    assert result.structured_content is not None
    return int(result.structured_content["number"])


@each_way
def test_a_delayed_answer_holds_up_no_other_call(way: Way) -> None:
    async def act() -> None:
        async with _client(way) as client:
            assert client.protocol_version == way.revision
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: _number(client, delay_s=3600))
                while await _number(client, by=0) == 0:  # until the delayed call has come
                    await anyio.lowlevel.checkpoint()
                assert [await _number(client), await _number(client)] == [2, 3]
                group.cancel_scope.cancel()

    anyio.run(act)


@each_way
def test_a_delayed_answer_comes(way: Way) -> None:
    async def act() -> None:
        async with _client(way) as client:
            assert await _number(client, delay_s=0.05) == 1

    anyio.run(act)


@each_way
def test_a_lost_call_is_never_answered_and_took_effect(way: Way) -> None:
    async def act() -> None:
        async with _client(way) as client:
            with pytest.raises(MCPError, match="timed out"):
                await client.call_tool("count", {"lost": True}, read_timeout_seconds=0.2)
            assert await _number(client) == 2

    anyio.run(act)


@each_way
def test_a_protocol_error_is_one(way: Way) -> None:
    async def act() -> None:
        async with _client(way) as client:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("count", {"protocol_error": types.INTERNAL_ERROR})
            assert (caught.value.code, caught.value.message) == (types.INTERNAL_ERROR, "1")
            assert await _number(client) == 2

    anyio.run(act)


@each_way
def test_a_client_is_told_when_the_tools_change(way: Way) -> None:
    async def act() -> None:
        told = anyio.Event()

        def heard(message: object) -> None:
            if isinstance(message, types.ToolListChangedNotification):
                told.set()

        async with _client(way, heard) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["count", "rename", "old"]
            if way.mode == "legacy":
                await _rename(client, told)
            else:
                async with client.listen(tools_list_changed=True) as changes:
                    await client.call_tool("rename", {"to": "new"})
                    async for _ in changes:
                        break
            assert [tool.name for tool in (await client.list_tools()).tools][-1] == "new"
            assert not (await client.call_tool("new", {})).is_error
            with pytest.raises(MCPError, match="Unknown tool: 'old'; the tools are count, new, rename"):
                await client.call_tool("old", {})

    anyio.run(act)


async def _rename(client: Client, told: anyio.Event) -> None:
    """Rename until it is told: over HTTP, a client's stream for what it is told may open after its first calls."""
    names = 0
    while not told.is_set():
        names += 1
        await client.call_tool("rename", {"to": f"new{names}"})
        await anyio.lowlevel.checkpoint()
    await client.call_tool("rename", {"to": "new"})
