"""A conversation with a remote server in this process: we are its client, and a function is the server."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from middleware.http.remote.conversation import Conversation
from middleware.http.remote.pipes import lines
from middleware.http.upstream import Upstream

TIMEOUT_S = 90.0
MODERN = "2026-07-28"

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Client:
    """Speaks lines to a conversation."""

    def __init__(self, to_server: int, from_server: int) -> None:
        self._to_server = to_server
        self._lines = lines(from_server)

    async def send(self, *messages: object) -> None:
        """Send each message as one line; bytes as they are."""
        for message in messages:
            data = message if isinstance(message, bytes) else json.dumps(message).encode()
            await asyncio.to_thread(_write, self._to_server, data + b"\n")

    async def line(self) -> bytes:
        """Return the next line; StopAsyncIteration at the end."""
        return await asyncio.wait_for(anext(self._lines), TIMEOUT_S)

    async def message(self) -> Any:
        """Return the next message."""
        return json.loads(await self.line())

    async def ask(self, message: object) -> Any:
        """Send a message and return the next one that comes."""
        await self.send(message)
        return await self.message()

    async def begin(self, identifier: object = 0) -> Any:
        """Go through the handshake of the legacy era."""
        answer = await self.ask(request(identifier, "initialize", protocolVersion="2025-11-25", capabilities={}))
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def close(self) -> None:
        """Close our end."""
        with suppress(OSError):
            os.close(self._to_server)


@asynccontextmanager
async def server(respond: Respond, port: int = 0) -> AsyncIterator[str]:
    """Serve `respond` while the context is open; the value is its URL."""
    runner = web.ServerRunner(web.Server(respond, handler_cancellation=True, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def conversation(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    """Hold a conversation with `url`, which must end by itself when the context does."""
    their_input, our_output = os.pipe()
    our_input, their_output = os.pipe()
    for descriptor in (their_input, our_input, their_output):
        os.set_blocking(descriptor, False)
    task = asyncio.create_task(
        Conversation(Upstream("near", url, headers or {}), their_input, their_output, set()).run()
    )
    client = Client(our_output, our_input)
    try:
        yield client
        client.close()
        await asyncio.wait_for(task, TIMEOUT_S)
    finally:
        client.close()
        task.cancel()
        await asyncio.wait([task], timeout=TIMEOUT_S)
        for descriptor in (their_input, our_input, their_output):
            os.close(descriptor)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Play a scenario, with a time-out."""

    async def timed() -> None:
        async with asyncio.timeout(2 * TIMEOUT_S):
            await scenario()

    asyncio.run(timed())


def request(identifier: object, method: str, **params: object) -> dict[str, Any]:
    """Return a request of the legacy era."""
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}


def modern(identifier: object, method: str, **params: object) -> dict[str, Any]:
    """Return a request of the modern era."""
    return request(identifier, method, **params, _meta={"io.modelcontextprotocol/protocolVersion": MODERN})


def result(identifier: object, value: object = "done") -> dict[str, Any]:
    """Return the answer to a request."""
    return {"jsonrpc": "2.0", "id": identifier, "result": value}


def said(message: object, status: int = 200, *, session: str | None = None) -> web.Response:
    """Return a response that is one message, and may begin a session."""
    headers = {} if session is None else {"Mcp-Session-Id": session}
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


async def stream(incoming: web.BaseRequest, *events: bytes) -> web.StreamResponse:
    """Send an event stream, and leave it open."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(incoming)
    for event in events:
        await response.write(event)
    return response


def event(message: object, identifier: str | None = None, retry_ms: int | None = None) -> bytes:
    """Return an event that carries `message`; "" is a priming one."""
    data = message if isinstance(message, str) else json.dumps(message)
    lines_of_it = [f"id: {identifier}"] if identifier is not None else []
    lines_of_it += [f"retry: {retry_ms}"] if retry_ms is not None else []
    return "\n".join([*lines_of_it, f"data: {data}", "", ""]).encode()


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
