"""A world on standard input and output, one message a line.

The SDK has a transport of its own for this. It hops to a thread for every line it reads and twice for every line it
writes, and drops what it cannot read, so that a client with a defect waits for ever; this one waits for the pipes in
the event loop, and answers.
"""

import os
import select
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import anyio.lowlevel
import mcp.types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from servers.host import server
from servers.messages import MESSAGE_LIMIT, MessageError, read_message
from servers.world import Served

_CHUNK = 1 << 16
# A pipe or socket that says it has room has it for so much, so that a write never blocks the event loop.
_PIECE = 4096
# How long a client that has closed its side may wait for answers, as a shell does that pipes requests in.
_GRACE_S = 1.0


def serve_stdio(served: Served) -> None:
    """Serve `served` on standard input and output until the client closes them."""

    async def run() -> None:
        hosted = server(served)
        with _wire() as (source, sink):
            async with Lines(source, sink).messages() as (read, write):
                await hosted.run(read, write, hosted.create_initialization_options())

    anyio.run(run)


@contextmanager
def _wire() -> Iterator[tuple[int, int]]:
    """Give the descriptors of the client, which no stray print reaches: it goes to standard error."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    try:
        yield source, sink
    finally:
        for descriptor in (source, sink, nothing):
            os.close(descriptor)


_Incoming = SessionMessage | Exception  # as the SDK has it; what cannot be read is answered here and goes no further


class Lines:
    """Messages in and out of two file descriptors, as the streams that the SDK's servers run on."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._open: set[str | int] = set()  # requests that are waited for at the end
        self._settled = anyio.Event()
        self._room = select.poll()
        self._room.register(sink, select.POLLOUT)

    @asynccontextmanager
    async def messages(
        self,
    ) -> AsyncIterator[tuple[MemoryObjectReceiveStream[_Incoming], MemoryObjectSendStream[SessionMessage]]]:
        """Give what comes in and what goes out; at the end of either, both end."""
        into, incoming = anyio.create_memory_object_stream[_Incoming]()
        outgoing, out = anyio.create_memory_object_stream[SessionMessage]()
        async with anyio.create_task_group() as group:
            group.start_soon(self._read, into, outgoing.clone())
            group.start_soon(self._write, out, group.cancel_scope)
            yield incoming, outgoing

    async def _read(
        self, into: MemoryObjectSendStream[_Incoming], answers: MemoryObjectSendStream[SessionMessage]
    ) -> None:
        async with into, answers:
            async for line in self._lines():
                try:
                    message = read_message(line)
                except MessageError as error:
                    await answers.send(SessionMessage(error.answer))
                    continue
                self._note(message)
                await into.send(SessionMessage(message))
            with anyio.move_on_after(_GRACE_S):
                while self._open:
                    await self._settled.wait()
                    self._settled = anyio.Event()

    async def _write(self, out: MemoryObjectReceiveStream[SessionMessage], scope: anyio.CancelScope) -> None:
        async with out:
            try:
                async for outgoing in out:
                    message = outgoing.message
                    await self._send(message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                    if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
                        self._settle(message.id)
            except OSError:  # the client is gone, which is its right
                scope.cancel()

    def _note(self, message: types.JSONRPCMessage) -> None:
        match message:
            case types.JSONRPCRequest(method="subscriptions/listen"):
                pass  # open for as long as the client is
            case types.JSONRPCRequest(id=identifier):
                self._open.add(identifier)
            case types.JSONRPCNotification(
                method="notifications/cancelled", params={"requestId": str() | int() as identifier}
            ):
                self._settle(identifier)

    def _settle(self, identifier: str | int) -> None:
        self._open.discard(identifier)
        self._settled.set()

    async def _lines(self) -> AsyncIterator[bytes]:
        """Give each line that is not blank; of one above the limit, as much as shows that."""
        line = bytearray()
        while chunk := await self._chunk():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                line += end[: MESSAGE_LIMIT + 1 - len(line)]
                if line.strip():
                    yield bytes(line)
                line.clear()
            line += rest[: MESSAGE_LIMIT + 1 - len(line)]
        if line.strip():
            yield bytes(line)

    async def _chunk(self) -> bytes:
        try:
            await anyio.wait_readable(self._source)
        except PermissionError:  # a file, which is always ready
            await anyio.lowlevel.checkpoint()
        return os.read(self._source, _CHUNK)

    async def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if not self._room.poll(0):
                await anyio.wait_writable(self._sink)
            left = left[os.write(self._sink, left[:_PIECE]) :]
