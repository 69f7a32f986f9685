"""Our side that clients reach over HTTP: one address, one path, nobody in who should not be.

What is behind it (a remote server, a command) is a `Backend`.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from middleware.errors import AddressError, UsageError
from middleware.http.access import Access
from middleware.http.upstream import HEADER_LIMIT, HEADERS_LIMIT
from middleware.memory.writer import report_to_stderr

PATH = "/mcp"
BODY_LIMIT = 64 << 20  # bytes of a request
# Open at once, streams too: each takes two descriptors at most, and often a process may have no more than 1,024.
_REQUESTS = 400
_CLOSE_S = 1.0  # how long open responses may go on once we were told to end

ENDING = "we were told to end"  # why a handler is cancelled whose client is still there

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Backend(Protocol):
    """What answers the requests that were let in."""

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""

    async def close(self) -> None:
        """End everything that is open."""


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; port 0 is any free one.

    Raises:
        UsageError: it is not that.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--http {address}: write HOST:PORT, as in 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def serve(name: str, host: str, port: int, access: Access, backend: Backend) -> None:
    """Answer requests at `host` and `port` until we are told to end (SIGINT, SIGTERM, SIGHUP).

    Raises:
        AddressError: the address cannot be had.
    """
    async with listening(host, port, access, backend) as url:
        report_to_stderr(f"{name} is served at {url}")
        await _told_to_end()


@asynccontextmanager
async def listening(host: str, port: int, access: Access, backend: Backend) -> AsyncIterator[str]:
    """Answer requests at `host` and `port`, and give the URL that they come to; at the end the backend is closed.

    Raises:
        AddressError: the address cannot be had.
    """
    responding: set[asyncio.Task[None]] = set()
    runner = web.ServerRunner(
        web.Server(
            _guarded(access, backend, responding),
            handler_cancellation=True,  # only so does a handler learn that its client is gone
            access_log=None,
            auto_decompress=False,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
            max_headers=HEADERS_LIMIT,
        ),
        shutdown_timeout=_CLOSE_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise AddressError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --http") from error
        yield _url(runner)
    finally:
        # Cancelled by us first: the library would wait for open streams, which do not end by themselves.
        for task in responding:
            task.cancel(ENDING)
        await backend.close()
        await runner.cleanup()


def _guarded(access: Access, backend: Backend, responding: set[asyncio.Task[None]]) -> Respond:
    count = 0

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        if request.task not in responding:  # one for each connection, however many requests it brings
            responding.add(request.task)
            request.task.add_done_callback(responding.discard)
        refusal = access.refusal(request.headers)
        if refusal is not None:
            status, words = refusal
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            return web.Response(status=status, text=words + "\n", headers=headers)
        if request.path != PATH:
            return web.Response(status=404, text=f"there is nothing at this path; the server is at {PATH}\n")
        if count >= _REQUESTS:
            return web.Response(status=503, text=f"{_REQUESTS} requests are open here; try again when one has ended\n")
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # the low-level server leaves that to us
        count += 1
        try:
            return await backend.respond(request)
        finally:
            count -= 1

    return respond


def _url(runner: web.ServerRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}{PATH}" if ":" in host else f"http://{host}:{port}{PATH}"


async def _told_to_end() -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # what our parent ignores (nohup), we are to ignore
            loop.add_signal_handler(number, told.set)
    await told.wait()
