"""One direction of a relay on descriptors: lines in, their turn awaited, bytes out; nothing here ever blocks."""

import os
import time
from collections import deque
from collections.abc import Callable

from middleware.abridge import LONG, Abridger
from middleware.memory.writer import Writer
from middleware.relay import Passage

COMMIT_WAIT_S = 0.05  # the longest a line waits for its commit
LINE_LIMIT = 64 << 20  # bytes of a line that are held, even where it may have to be changed
HELD_LIMIT = 1 << 20  # bytes held for a reader before its writer is no longer read
_READ_BYTES = 1 << 16

# (line, size): `size` is given where `line` is only what an Abridger kept of a long one, which passes already
Take = Callable[[bytes, int | None], Passage]


class Lane:
    """One direction: the line being read, the lines that wait for their commits, the bytes being written.

    A long line passes while it is read, unless `holds` says that it has to be seen whole before. Of it only the last
    piece waits for the commit: nobody can act on a line before its end. What `take` raises goes to `defect`, and the
    line passes as it is.
    """

    def __init__(
        self,
        source: int,
        sink: int,
        take: Take,
        write: Callable[[bytearray], int],
        *,
        holds: Callable[[], bool],
        defect: Callable[[Exception], None],
        abridger: Callable[[], Abridger] = Abridger,
    ) -> None:
        self.source = source
        self.sink = sink
        self.source_ended = False
        self.sink_gone = False
        self.has_read = False
        self._take = take
        self._write = write
        self._holds = holds
        self._defect = defect
        self._abridger = abridger
        self._line = bytearray()  # read, and not yet ended by a newline; of a line that passes already, the last piece
        self._passing: Abridger | None = None  # what reads the line that passes already
        self._inserted: list[Passage] = []  # have to wait for its end
        self.waiting: deque[tuple[Passage, float]] = deque()  # with the time of each one's deadline
        self._waiting_bytes = 0
        self._at_line_start = True  # what was passed last ended its line
        self._out = bytearray()

    @property
    def wants_input(self) -> bool:
        """Whether to read on: a slow reader holds its writer back, as a pipe does."""
        return not self.source_ended and self._waiting_bytes + len(self._out) < HELD_LIMIT

    @property
    def wants_output(self) -> bool:
        """Whether there are bytes to write."""
        return bool(self._out) and not self.sink_gone

    @property
    def is_empty(self) -> bool:
        """Whether all that was read has been passed on."""
        return not self.waiting and (not self._out or self.sink_gone)

    def read(self) -> bool:
        """Read once, and take the lines that are complete; return False when there was nothing to read."""
        try:
            data = os.read(self.source, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # as good as ended
        if not data:
            self.end()
            return True
        self.has_read = True
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._extend(line + b"\n")
            self._end_line()
        if rest:
            self._extend(rest)
        return True

    def end(self) -> None:
        """Take what came behind the last newline: the source has ended."""
        if not self.source_ended:
            self.source_ended = True
            if self._line:
                self._end_line()

    def insert(self, passage: Passage) -> None:
        """Pass on a message of our own, between two lines; after the end, behind what may be half a line."""
        if self._passing is not None:
            self._inserted.append(passage)
            return
        if not self._at_line_start:
            self._pass(Passage(b"\n"))
        self._pass(passage)

    def release(self, writer: Writer) -> None:
        """Move what waits no longer to the bytes being written."""
        while self.waiting:
            passage, deadline = self.waiting[0]
            if passage.ticket > writer.done:
                if time.monotonic() < deadline and not writer.stalled:
                    return
                writer.give_up(passage.ticket)
            self.waiting.popleft()
            self._waiting_bytes -= len(passage.data)
            self._out += passage.finish() if passage.finish else passage.data

    def flush(self) -> None:
        """Write as much as the sink takes now."""
        while self._out and not self.sink_gone:
            try:
                del self._out[: self._write(self._out)]
            except BlockingIOError:
                return
            except OSError:
                self.lose_sink()

    def lose_sink(self) -> None:
        """Nobody reads what we write any more."""
        self.sink_gone = True
        self._out.clear()

    def _extend(self, data: bytes) -> None:
        """Add `data` to the line; pass on what was there before, if the line is long."""
        if self._passing is None and len(self._line) > LONG and (len(self._line) > LINE_LIMIT or not self._holds()):
            self._passing = self._abridger()
            self._feed(self._passing, bytes(self._line))
        if self._passing is not None:
            self._feed(self._passing, data)
            self._pass(Passage(bytes(self._line)))
            self._line.clear()
        self._line += data

    def _feed(self, abridger: Abridger, data: bytes) -> None:
        try:
            abridger.feed(data)
        except Exception as error:  # noqa: BLE001 - a defect of ours must never cost anybody a message
            self._defect(error)

    def _end_line(self) -> None:
        passing, self._passing = self._passing, None
        passage = Passage(bytes(self._line))
        self._line.clear()
        try:
            if passing is None:
                passage = self._take(passage.data, None)
            else:
                passage = Passage(passage.data, self._take(passing.finish(), passing.size).ticket)
        except Exception as error:  # noqa: BLE001 - as above
            self._defect(error)
        self._pass(passage)
        inserted, self._inserted = self._inserted, []
        for passage in inserted:
            self.insert(passage)

    def _pass(self, passage: Passage) -> None:
        self.waiting.append((passage, time.monotonic() + COMMIT_WAIT_S))
        self._waiting_bytes += len(passage.data)
        if passage.data:
            self._at_line_start = passage.data.endswith(b"\n")
