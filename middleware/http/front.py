"""Our side that clients reach over HTTP: one address, one path, nobody in who should not be.

What is behind it (a remote server, a command) is a `Backend`.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from middleware.errors import AddressError, UsageError
from middleware.http.access import Access
from middleware.memory.writer import report_to_stderr

PATH = "/mcp"
BODY_LIMIT = 64 << 20  # bytes of a request
_CLOSE_S = 1.0  # how long open responses may go on once we were told to end
_HEADER_LIMIT = 1 << 16  # bytes of one header, which may repeat an argument

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
    runner = web.ServerRunner(
        web.Server(_guarded(access, backend), handler_cancellation=True, access_log=None, max_field_size=_HEADER_LIMIT),
        shutdown_timeout=_CLOSE_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise AddressError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --http") from error
        report_to_stderr(f"{name} is served at {_url(runner)}")
        await _told_to_end()
    finally:
        # What is open waits for the servers behind us, so these end first.
        await backend.close()
        await runner.cleanup()


def _guarded(access: Access, backend: Backend) -> Respond:
    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        refusal = access.refusal(request.headers)
        if refusal is not None:
            status, words = refusal
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            return web.Response(status=status, text=words + "\n", headers=headers)
        if request.path != PATH:
            return web.Response(status=404, text=f"there is nothing at this path; the server is at {PATH}\n")
        return await backend.respond(request)

    return respond


def _url(runner: web.ServerRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}{PATH}" if ":" in host else f"http://{host}:{port}{PATH}"


async def _told_to_end() -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    await told.wait()
