"""The response to one request of a client: one JSON message if nothing else is to be said, a stream of events if so."""

import asyncio
from collections import deque
from typing import Protocol

from aiohttp import web

from middleware.abridge import LONG
from middleware.http.events import event_of
from middleware.http.recorder import Recorder
from middleware.lane import HELD_LIMIT
from middleware.relay import Passage

# What stands between may close a connection that is silent for a minute, often for half of one.
_SILENCE_S = 15.0
# A client that has not read for so long, while more than it may hold back waits for it, is not going to.
_PATIENCE_S = 5.0
_KEEP_ALIVE = b": \n\n"
_EVENT_STREAM = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


class Source(Protocol):
    """What messages come from, and can be told to wait."""

    def hold(self, holder: object) -> None:
        """Bring no more for now."""

    def release(self, holder: object) -> None:
        """Bring more again."""


class Stream:
    """Messages on their way to one client, in order. When they are too many their source is held, for a while; a client
    that does not read even then is cut off, so that others who share the source are served on."""

    def __init__(self, request: web.BaseRequest, source: Source, *, is_always_stream: bool = False) -> None:
        self._request = request
        self._source = source
        self._is_always_stream = is_always_stream
        self._waiting: deque[Passage] = deque()
        self._waiting_bytes = 0
        self._in_hand: Passage | None = None  # no longer waiting, nor yet wholly written
        self._last: Passage | None = None  # the answer that nothing follows
        self._is_closed = False  # nobody will take anything more
        self._is_complete = False  # nothing more will come
        self._news: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._taken = 0  # messages
        self.status = 200  # of a response that is one JSON message

    def put(self, passage: Passage, *, is_last: bool = False) -> None:
        """Send a message, or drop it when the client is gone."""
        if self._is_closed or self._is_complete:
            return
        self._waiting.append(passage)
        self._waiting_bytes += len(passage.data)
        if is_last:
            self._is_complete, self._last = True, passage
        self._wake()
        if self._waiting_bytes > HELD_LIMIT and self._patience is None:
            self._source.hold(self)
            self._wait_patiently()

    def finish(self) -> None:
        """Say that nothing more will come."""
        self._is_complete = True
        self._wake()

    def close(self) -> list[Passage]:
        """Take nothing more: the response has ended. Return what was not wholly handed to the connection, in order;
        what was may still have been lost with it, which nothing says."""
        unsent = [] if self._in_hand is None else [self._in_hand]
        unsent += self._waiting
        self._is_closed = True
        self._in_hand = None
        self._waiting.clear()
        self._waiting_bytes = 0
        self._relieve()
        return unsent

    async def respond(self, recorder: Recorder, headers: dict[str, str] | None = None) -> web.StreamResponse:
        """Send the response; each message once it is recorded."""
        passage = None if self._is_always_stream else await self._next()
        if passage is not None and passage is self._last:
            await recorder.durable(passage.ticket)
            return await self._message(_whole(passage), headers or {})
        response = web.StreamResponse(headers={**_EVENT_STREAM, **(headers or {})})
        await response.prepare(self._request)
        while True:
            if passage is not None:
                await recorder.durable(passage.ticket)
                # Ended while it waits for room, the end of the message is still here: it counts as not written.
                await _write_event(response, _whole(passage))
                self._in_hand = None
            elif not self._is_complete:
                await response.write(_KEEP_ALIVE)
            if self._is_complete and not self._waiting:
                break
            passage = await self._next()
        await response.write_eof()
        return response

    async def _message(self, message: bytes, headers: dict[str, str]) -> web.StreamResponse:
        if len(message) <= LONG:
            return web.Response(status=self.status, body=message, content_type="application/json", headers=headers)
        response = web.StreamResponse(status=self.status, headers={"Content-Type": "application/json", **headers})
        response.content_length = len(message)
        await response.prepare(self._request)
        await _write_long(response, message)
        await response.write_eof()
        return response

    async def _next(self) -> Passage | None:
        """Return the next message, None when none has come for a while or none will."""
        if not self._waiting and not self._is_complete:
            loop = asyncio.get_running_loop()
            self._news = loop.create_future()
            alarm = loop.call_later(_SILENCE_S, self._wake)
            try:
                await self._news
            finally:
                alarm.cancel()
        if not self._waiting:
            return None
        passage = self._in_hand = self._waiting.popleft()
        self._waiting_bytes -= len(passage.data)
        self._taken += 1
        if self._waiting_bytes <= HELD_LIMIT:
            self._relieve()
        return passage

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _relieve(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
            self._source.release(self)

    def _wait_patiently(self) -> None:
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(_PATIENCE_S, self._lose_patience, self._progress())

    def _lose_patience(self, progress: tuple[int, int]) -> None:
        if progress != self._progress():
            self._wait_patiently()
            return
        self._relieve()
        if self._request.transport is not None:
            self._request.transport.abort()  # which ends the response, and that closes us

    def _progress(self) -> tuple[int, int]:
        transport = self._request.transport
        return self._taken, transport.get_write_buffer_size() if transport is not None else 0


def _whole(passage: Passage) -> bytes:
    return (passage.finish() if passage.finish else passage.data).strip(b"\r\n")


async def _write_event(response: web.StreamResponse, message: bytes) -> None:
    if len(message) <= LONG or b"\r" in message:
        await response.write(event_of(message))
        return
    await response.write(b"event: message\ndata: ")
    await _write_long(response, message)
    await response.write(b"\n\n")


async def _write_long(response: web.StreamResponse, message: bytes) -> None:
    """Write a piece at a time: given as a whole, what the client has not read yet would be copied."""
    view = memoryview(message)
    for start in range(0, len(message), LONG):
        await response.write(view[start : start + LONG])
