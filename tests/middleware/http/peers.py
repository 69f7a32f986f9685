"""A remote server that does as the test says, the relay in front of it, and a client: all real sockets, in one loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from middleware.http.access import Access
from middleware.http.front import listening
from middleware.http.recorder import Recorder
from middleware.http.reverse.backend import Reverse
from middleware.http.upstream import Upstream

TIMEOUT_S = 90.0
NAME = "remote"

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, with a time-out."""

    async def timed() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await test

    asyncio.run(timed())


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[str]:
    """Give the URL of a server that answers every request with `answer`."""
    runner = web.ServerRunner(web.Server(answer, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def relayed(
    memory: Path,
    url: str,
    headers: dict[str, str] | None = None,
    *,
    trial_token: str | None = None,
    timeout_s: float | None = None,
) -> AsyncIterator[str]:
    """Give the URL of the relay in front of `url`."""
    recorder = Recorder(memory, name=NAME, command=[url], trial_token=trial_token)
    try:
        backend = Reverse(Upstream(NAME, url, headers or {}), recorder, timeout_s=timeout_s)
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), backend) as front:
            yield front
    finally:
        await recorder.close()


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that adds nothing of its own."""
    async with aiohttp.ClientSession(
        skip_auto_headers=("User-Agent", "Accept", "Content-Type"), auto_decompress=False
    ) as session:
        yield session


async def post(session: aiohttp.ClientSession, url: str, body: object, **headers: str) -> tuple[int, bytes]:
    """Post `body`, JSON unless it is bytes; return status and body of the response."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.post(url, data=data, headers={"Content-Type": "application/json", **names}) as response:
        return response.status, await response.read()


def result_for(message: dict[str, Any], text: str = "ok") -> bytes:
    """Return the bytes of a result that answers `message`, spelled as no encoder of ours would."""
    content = json.dumps([{"type": "text", "text": text}])
    return b'{ "result":{"content": %s},\n "id" : %s, "jsonrpc":"2.0"}' % (
        content.encode(),
        json.dumps(message["id"]).encode(),
    )
