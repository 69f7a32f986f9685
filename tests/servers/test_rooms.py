"""Many clients over HTTP: whose world a request goes to, how many worlds are held, and for how long."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Literal

import aiohttp
import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from servers import rooms as module
from servers.http import listening
from servers.rooms import IDLE_S, Rooms
from tests.servers.toy import Toy

TIMEOUT_S = 90
MODERN = "2026-07-28"
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
Mode = Literal["legacy", "auto"]
each_mode = pytest.mark.parametrize("mode", ["legacy", "auto"])


def run(test: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        with anyio.fail_after(TIMEOUT_S):
            await test

    asyncio.run(timed())


async def count(client: Client) -> int:
    result = await client.call_tool("count", {})
    assert result.structured_content is not None
    return int(result.structured_content["number"])


async def called(session: aiohttp.ClientSession, url: str, **how: object) -> tuple[int, str]:
    """Call `count` as a client of the modern era does, and return status and body."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    }
    params = {"name": "count", "arguments": how, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {**JSON, "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "count"}
    async with session.post(url, json=message, headers=headers) as response:
        return response.status, await response.text()


@each_mode
def test_each_client_has_a_world_of_its_own(mode: Mode) -> None:
    async def act() -> None:
        held = Rooms(Toy)
        async with listening(held, "127.0.0.1", 0) as url:
            async with Client(url, mode=mode) as one, Client(url, mode=mode) as other:
                assert [await count(one), await count(one), await count(other)] == [1, 2, 1]
                assert held.held == 2
            assert held.held == 0, "a session's world goes with it"

    run(act())


def test_a_named_world_is_the_same_for_clients_of_both_eras() -> None:
    async def act() -> None:
        held = Rooms(Toy)
        async with listening(held, "127.0.0.1", 0) as url:
            async with (
                Client(f"{url}/a", mode="legacy") as one,
                Client(f"{url}/a") as other,
                Client(f"{url}/b") as third,
            ):
                assert (one.protocol_version, other.protocol_version) == ("2025-11-25", MODERN)
                assert [await count(one), await count(other), await count(third)] == [1, 2, 1]
            async with Client(f"{url}/a") as again:
                assert await count(again) == 3

    run(act())


def test_a_client_without_sessions_is_told_to_come_to_a_name() -> None:
    async def act() -> None:
        async with listening(Rooms(Toy), "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
            status, said = await called(session, url)
            assert status == 400
            assert "add a name to the URL, as in /mcp/alice" in json.loads(said)["error"]["message"]
            assert (await called(session, f"{url}/alice"))[0] == 200

    run(act())


@each_mode
def test_all_clients_can_be_in_one_world(mode: Mode) -> None:
    async def act() -> None:
        async with listening(Rooms(Toy, shared=True), "127.0.0.1", 0) as url:
            async with Client(url, mode=mode) as one, Client(url, mode=mode) as other:
                assert one.protocol_version == ("2025-11-25" if mode == "legacy" else MODERN)
                assert [await count(one), await count(other)] == [1, 2]
            async with aiohttp.ClientSession() as session:
                assert (await called(session, f"{url}/a"))[0] == 404

    run(act())


def test_a_world_too_many_is_refused_until_one_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOMS", 2)

    async def act() -> None:
        clock = [0.0]
        held = Rooms(Toy, clock=lambda: clock[0])
        async with listening(held, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
            for name in ("a", "b"):
                assert (await called(session, f"{url}/{name}"))[0] == 200
            status, said = await called(session, f"{url}/c")
            assert status == 503
            assert "worlds are in use" in said
            clock[0] = IDLE_S + 1
            assert (await called(session, f"{url}/c"))[0] == 200
            assert held.held == 1

    run(act())


def test_a_world_that_nobody_uses_is_let_go_and_begins_anew() -> None:
    async def act() -> None:
        clock = [0.0]
        async with (
            listening(Rooms(Toy, clock=lambda: clock[0]), "127.0.0.1", 0) as url,
            aiohttp.ClientSession() as session,
        ):
            numbers = []
            for now in (0, IDLE_S, 2 * IDLE_S, 3 * IDLE_S + 1):
                clock[0] = now
                numbers.append(
                    json.loads((await called(session, f"{url}/a"))[1])["result"]["structuredContent"]["number"]
                )
            assert numbers == [1, 2, 3, 1]

    run(act())


def test_the_world_that_all_are_in_stays() -> None:
    async def act() -> None:
        clock = [0.0]
        async with (
            listening(Rooms(Toy, shared=True, clock=lambda: clock[0]), "127.0.0.1", 0) as url,
            aiohttp.ClientSession() as session,
        ):
            await called(session, url)
            clock[0] = 2 * IDLE_S
            assert json.loads((await called(session, url))[1])["result"]["structuredContent"] == {"number": 2}

    run(act())


def test_nothing_is_left_of_lost_calls_whose_clients_went() -> None:
    async def act() -> None:
        async with listening(Rooms(Toy), "127.0.0.1", 0) as url:
            async with Client(f"{url}/a", mode="legacy") as client:  # the library keeps a task of its own from here on
                await count(client)
            before = len(asyncio.all_tasks())
            async with aiohttp.ClientSession() as session:
                for _ in range(5):
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.2):
                            await called(session, f"{url}/a", lost=True)
            async with Client(url, mode="legacy") as client:
                for _ in range(5):
                    with pytest.raises(MCPError, match="timed out"):
                        await client.call_tool("count", {"lost": True}, read_timeout_seconds=0.1)
                assert await count(client) == 6
            # Those who went are noticed as soon as their connections are; the test's time-out bounds it.
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0)

    run(act())


def test_what_is_not_there_or_not_allowed_is_said() -> None:
    def refusal(headers: object) -> tuple[int, str] | None:
        return (401, "say the word") if "Authorization" not in headers else None  # type: ignore[operator] # a mapping

    async def act() -> None:
        async with (
            listening(Rooms(Toy, refusal=refusal), "127.0.0.1", 0) as url,
            aiohttp.ClientSession() as session,
            session.get(url) as refused,
        ):
            assert (refused.status, await refused.text()) == (401, "say the word\n")
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            allowed = {"Authorization": "x", **JSON}
            for path in ("x", "/x/y", f"/{'x' * 65}"):
                async with session.get(url + path, headers=allowed) as response:
                    assert response.status == 404
                    assert "/mcp/NAME" in await response.text()
            async with session.get(f"{url}/nobody", headers=allowed) as response:
                assert response.status == 400  # no session

    run(act())
