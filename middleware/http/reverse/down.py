"""What goes back to a client while it comes: headers, pieces of a body, events, and between two of them ours."""

import asyncio

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from middleware.http.events import event_of
from middleware.http.reverse.headers import to_client


class ClientGoneError(Exception):
    """The client has closed its connection."""


def headers_down(response: aiohttp.ClientResponse) -> CIMultiDict[str]:
    """Return those headers of the server's response that go on to the client."""
    return CIMultiDict(to_client(response.headers.items()))


async def write(response: web.StreamResponse, data: bytes) -> None:
    """Send a piece of a response.

    Raises:
        ClientGoneError: the client has closed its connection.
    """
    try:
        await response.write(data)
    except ConnectionResetError as error:
        # The library's is one of its client errors too, which here are the server's.
        raise ClientGoneError from error


class DownStream:
    """An event stream to a client."""

    def __init__(self, request: web.BaseRequest, upstream: aiohttp.ClientResponse) -> None:
        self.response = web.StreamResponse(
            status=upstream.status, reason=upstream.reason, headers=headers_down(upstream)
        )
        self._request = request
        self.mid_event = False
        self._inserted: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Send the headers."""
        await self.response.prepare(self._request)

    async def write(self, data: bytes, *, ends: bool = True) -> None:
        """Send an event, or a piece that does not end one."""
        self.mid_event = not ends
        if ends and self._inserted:
            data += b"".join(self._inserted)
            self._inserted.clear()
        if data:
            await write(self.response, data)

    def insert(self, message: bytes) -> None:
        """Send a message of ours, between two events."""
        self._inserted.append(event_of(message))
        if not self.mid_event:
            task = asyncio.ensure_future(self.write(b""))
            self._tasks.add(task)
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # that the client is gone is seen elsewhere

    async def end(self) -> None:
        """Say that nothing more will come."""
        await self.response.write_eof()
