"""Lines through pipes on an event loop: read only when wanted, and written whole, as fast as the other end reads."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from io import BytesIO

from middleware.lane import HELD_LIMIT, LINE_LIMIT
from middleware.memory.writer import report_to_stderr

_READ_BYTES = 1 << 16


async def lines(descriptor: int) -> AsyncIterator[bytes]:
    """Yield each line that comes, without its newline, until the other end is closed.

    One above the limit is left out, and said.
    """
    held = BytesIO()  # the beginning of a line; it hands its bytes out without copying them
    overlong = False
    while data := await _read(descriptor):
        *complete, rest = data.split(b"\n")
        for line in complete:
            held.write(line)
            if not overlong:
                yield held.getvalue()
            held, overlong = BytesIO(), False
        if held.tell() + len(rest) <= LINE_LIMIT and not overlong:
            held.write(rest)
        elif not overlong:
            held, overlong = BytesIO(), True
            report_to_stderr(f"a message above {LINE_LIMIT >> 20} MiB is not sent on to a remote server")
    if held.tell():
        yield held.getvalue()


async def _read(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            await _readable(descriptor)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


class LineWriter:
    """Writes lines that never mix; a writer whose task is cancelled leaves no half of one.

    Once nobody reads any more, what is written is dropped: whoever is told of that ends us.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_watching = False

    async def write(self, line: bytes) -> None:
        """Write `line`, which ends with its only newline; while much waits for the reader, wait too."""
        await self._has_room.wait()
        self._waiting.append(memoryview(line))
        self._size += len(line)
        if self._is_watching:
            _set(self._has_room, self._size < HELD_LIMIT)
        else:
            self._flush()

    async def drain(self) -> None:
        """Wait until everything has been read, or nobody reads any more."""
        await self._is_empty.wait()

    def _flush(self) -> None:
        try:
            while self._waiting:
                written = os.write(self._descriptor, self._waiting[0])
                self._size -= written
                if written < len(self._waiting[0]):
                    self._waiting[0] = self._waiting[0][written:]
                else:
                    self._waiting.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
            self._size = 0
        self._watch(bool(self._waiting))

    def _watch(self, wanted: bool) -> None:
        loop = asyncio.get_running_loop()
        if wanted and not self._is_watching:
            loop.add_writer(self._descriptor, self._flush)
        elif self._is_watching and not wanted:
            loop.remove_writer(self._descriptor)
        self._is_watching = wanted
        _set(self._is_empty, not wanted)
        _set(self._has_room, self._size < HELD_LIMIT)


def _set(event: asyncio.Event, to: bool) -> None:
    if to:
        event.set()
    else:
        event.clear()
