"""Our side that clients reach over HTTP: one address, one path, nobody in who should not be.

What is behind it (a remote server, a command) is a `Backend`.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiohttp import web

from middleware.errors import AddressError
from middleware.http.access import Access
from middleware.http.upstream import HEADER_LIMIT, HEADERS_LIMIT
from middleware.memory.writer import report_to_stderr

PATH = "/mcp"
BODY_LIMIT = 64 << 20  # bytes of a request
# Open at once, streams too: each takes two descriptors at most, and often a process may have no more than 1,024.
_REQUESTS = 400
_CLOSE_S = 1.0  # how long open responses may go on once we were told to end

_TROUBLES = 100  # of the loop's own that are said

ENDING = "we were told to end"  # why a handler is cancelled whose client is still there

# The library logs each request that it cannot read with a traceback, and in it the line: a token, as often as not.
_MUTE = logging.Logger("aiohttp", logging.CRITICAL + 1)

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Backend(Protocol):
    """What answers the requests that were let in."""

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""

    async def close(self) -> None:
        """End everything that is open."""


async def serve(name: str, host: str, port: int, access: Access, backend: Backend) -> None:
    """Answer requests at `host` and `port` until we are told to end (SIGINT, SIGTERM, SIGHUP).

    Raises:
        AddressError: the address cannot be had.
    """
    asyncio.get_running_loop().set_exception_handler(sayer())
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
            logger=_MUTE,
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
            # The library's words name the address again; look-ups of names have numbers, and words, of their own.
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else error.strerror
            raise AddressError(f"cannot listen on {host}:{port}: {reason}; choose another --http") from error
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
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return web.Response(status=415, text="send the body as it is: what is compressed is not read here\n")
        if count >= _REQUESTS:
            return web.Response(status=503, text=f"{_REQUESTS} requests are open here; try again when one has ended\n")
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # the low-level server leaves that to us
        count += 1
        try:
            return await backend.respond(request)
        except web.RequestPayloadError:
            return web.Response(status=400, text="the body is not what the headers say\n")
        except ConnectionError:  # the client is gone, which is its right
            raise
        except Exception as error:
            report_to_stderr(f"a request was not answered, please report this: {type(error).__name__}: {error}")
            raise
        finally:
            count -= 1

    return respond


def _url(runner: web.ServerRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}{PATH}" if ":" in host else f"http://{host}:{port}{PATH}"


def sayer() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Return what says in one line, and once, what nobody awaits, such as that there is no descriptor for a connection:
    the loop itself says that a hundred times a second, with tracebacks, until a pipe that nobody reads is full."""
    said: set[str] = set()

    def say(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exception = context.get("exception")
        if isinstance(exception, ValueError) and "_start_serving" in context["message"]:
            return  # without descriptors to spare the loop listens again in a second, though closed meanwhile
        line = f"{context['message']}: {exception}"
        if line not in said and len(said) < _TROUBLES:
            said.add(line)
            report_to_stderr(line)

    return say


async def _told_to_end() -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # what our parent ignores (nohup), we are to ignore
            loop.add_signal_handler(number, told.set)
    await told.wait()
