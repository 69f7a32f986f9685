"""Worlds at an address, until we are told to end."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn

from servers.errors import AddressError
from servers.rooms import PATH, Refusal, Rooms
from servers.world import Served

_CONNECTIONS = 800  # at once: a process often may have no more than 1,024 descriptors
_KEEP_S = 75  # an idle connection; clients that find theirs closed under a request do not all try again
_CLOSE_S = 1  # how long open responses may go on once we were told to end


class _Listener(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: the library would end the process by the signal again, as if nobody had heeded it."""
        yield


@asynccontextmanager
async def listening(rooms: Rooms, host: str, port: int) -> AsyncIterator[str]:
    """Serve `rooms` at `host` and `port`, 0 for any free one, and give the URL.

    Raises:
        AddressError: the address cannot be had.
    """
    taken = _taken(host, port)
    listener = _Listener(
        uvicorn.Config(
            rooms,
            log_config=None,
            log_level="critical",
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_S,
            timeout_graceful_shutdown=_CLOSE_S,
        )
    )
    shown = f"[{host}]" if ":" in host else host
    with taken:
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, [taken])
            try:
                async with rooms.running():
                    yield f"http://{shown}:{taken.getsockname()[1]}{PATH}"
            finally:
                listener.should_exit = True


def _taken(host: str, port: int) -> socket.socket:
    # TCP by its number: only on such sockets does asyncio switch off Nagle's algorithm, 40 ms for each answer.
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(_CONNECTIONS)
    except OSError as error:
        taken.close()
        number = error.errno or 0  # look-ups of names have numbers, and words, of their own
        reason = os.strerror(number) if number > 0 else error.strerror
        raise AddressError(f"cannot listen on {host}:{port}: {reason}; choose another --http") from error
    return taken


def serve_http(
    make: Callable[[], Served],
    host: str,
    port: int,
    *,
    shared: bool = False,
    refusal: Refusal,
    say: Callable[[str], None],
) -> None:
    """Serve worlds until SIGINT, SIGTERM or SIGHUP; `say` is told the URL.

    Raises:
        AddressError: the address cannot be had.
    """
    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN  # what our parent ignores (nohup), we are to ignore
    ]

    async def run() -> None:
        with anyio.open_signal_receiver(*numbers) as signals:
            async with listening(Rooms(make, shared=shared, refusal=refusal), host, port) as url:
                say(url)
                async for _ in signals:
                    break

    anyio.run(run)
