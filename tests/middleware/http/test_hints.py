"""What was learned reaches clients over HTTP too, and they hear when it changes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from middleware.http.events import EventReader, event_of
from middleware.http.mirrored import SESSION_ID
from middleware.memory.identity import server_uid, tool_hash
from middleware.memory.records import Hint
from middleware.memory.store import Memory
from tests.middleware.http.peers import NAME, client, relayed, run, served

TOOL = {"name": "t", "description": "d", "inputSchema": {"type": "object"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def apply(memory_file: Path, url: str) -> None:
    with Memory(memory_file) as memory:
        uid = server_uid(NAME, [url])
        memory.add_server(uid, NAME, url, [TOOL])
        hints = [Hint(uid, "t", tool_hash(TOOL), "a hint")]
        memory.served.add_artefact(name="a", kind="prompt", path=Path("p"), manifest={}, trial_uids=[], hints=hints)
        memory.served.apply("a", [uid])


@pytest.mark.parametrize("streamed", [False, True])
def test_a_listing_shows_what_was_learned(memory_file: Path, streamed: bool) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        result = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": [TOOL]}}).encode()
        if streamed:
            return web.Response(body=b"id: 7\n" + event_of(result), content_type="text/event-stream")
        return web.Response(body=result, content_type="application/json")

    async def test() -> None:
        async with served(answer) as server:
            apply(memory_file, server)
            async with (
                relayed(memory_file, server) as url,
                client() as session,
                session.post(url, json=LIST) as response,
            ):
                body = await response.read()
            if streamed:
                (event,) = EventReader().feed(body)
                assert event.id == "7"
                body = event.data or b""
            (tool,) = json.loads(body)["result"]["tools"]
            assert tool == {**TOOL, "description": "d\n\na hint"}

    run(test())


def sse(request: web.BaseRequest) -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "text/event-stream"})


async def next_message(response: aiohttp.ClientResponse) -> Any:
    (event,) = EventReader().feed(await response.content.readuntil(b"\n\n"))
    return json.loads(event.data or b"null")


def test_the_stream_of_a_session_hears_that_the_list_has_changed(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            response = sse(request)
            await response.prepare(request)
            await response.write(b": open\n\n")
            await asyncio.Event().wait()
        message = json.loads(await request.read())
        if "id" not in message:
            return web.Response(status=202)
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {"listChanged": True}}}
        return web.json_response({"jsonrpc": "2.0", "id": 0, "result": result}, headers={SESSION_ID: "s"})

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            headers = {SESSION_ID: "s"}
            for message in ({"id": 0, "method": "initialize"}, {"method": "notifications/initialized"}):
                own = headers if "id" not in message else {}
                async with session.post(url, json={"jsonrpc": "2.0", **message}, headers=own) as response:
                    await response.read()
            async with session.get(url, headers=headers) as response:
                assert await response.content.readuntil(b"\n\n") == b": open\n\n"
                await asyncio.to_thread(apply, memory_file, server)
                assert (await next_message(response))["method"] == "notifications/tools/list_changed"

    run(test())


def test_a_subscription_hears_that_the_list_has_changed(memory_file: Path) -> None:
    meta = {"io.modelcontextprotocol/subscriptionId": "listen"}
    acknowledged = {
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {"_meta": meta, "notifications": {"toolsListChanged": True}},
    }

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = sse(request)
        await response.prepare(request)
        await response.write(event_of(json.dumps(acknowledged).encode()))
        await asyncio.Event().wait()
        return response

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            listen = {"jsonrpc": "2.0", "id": "listen", "method": "subscriptions/listen"}
            async with session.post(url, json=listen) as response:
                assert await next_message(response) == acknowledged
                await asyncio.to_thread(apply, memory_file, server)
                assert await next_message(response) == {
                    "jsonrpc": "2.0",
                    "method": "notifications/tools/list_changed",
                    "params": {"_meta": meta},
                }

    run(test())
