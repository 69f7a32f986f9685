"""The server's process inside an event loop: a line in, a line out, nothing held without bound, nothing left behind.

Not asyncio's own subprocesses: `ServerProcess` is the one that the stdio relay starts too, descriptors in the loop cost
less for each message than its streams, and no thread waits for each process.
"""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice

from middleware.lane import HELD_LIMIT, LINE_LIMIT
from middleware.memory.writer import report_to_stderr
from middleware.process import ServerProcess, server_environment
from middleware.splice import beginning, decode, encode, members

_READ_BYTES = 1 << 18
_HEAD_BYTES = 4096  # of a line that is too long: enough for its id, where that comes first
_GRACE_S = 2.0  # from the end of a server's input to SIGTERM
KILL_AFTER_S = 1.5  # from there to SIGKILL; clients of ours may kill us after two
_FAREWELL_S = 0.2  # from the end of a server's output to that of its process, where it ends
# A client that wants to go on will have said something; one that went without a word holds a process for no longer.
_IDLE_S = 3600.0


class Child:
    """One process. `take` gets each line that it writes, `ended` the reason once no more will come."""

    def __init__(
        self, name: str, command: Sequence[str], *, take: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> None:
        """Start `command`.

        Raises:
            CommandError: it cannot be run.
        """
        self._process = ServerProcess(name, command, server_environment())
        self._take = take
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._line = bytearray()  # read, and not yet ended by a newline
        self._overlong = False  # in the midst of a line above the limit, of which the beginning is kept
        self._out: deque[memoryview] = deque()  # to be written; views, as a long line is not copied
        self._out_bytes = 0
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._room.set()
        self._holders: set[object] = set()
        self._users = 0
        self._timers: list[asyncio.TimerHandle] = []
        self._idle: asyncio.TimerHandle | None = None
        self._is_reading = False
        self._output_ended = False
        self.exited = asyncio.Event()
        self._read_on()

    @property
    def is_in_use(self) -> bool:
        """Whether a client's request is being served."""
        return self._users > 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While this lasts the process is not idle; when it has been for an hour, it is ended."""
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users and not self._output_ended:
                self._idle = self._loop.call_later(_IDLE_S, self._finish, "the server was ended, since nobody used it")

    async def write(self, line: bytes) -> None:
        """Write a line, given without its newline, once the process has read enough of those before; to one that has
        ended nothing is written."""
        async with self._turn:
            await self._room.wait()
            self.write_now(line)

    def write_now(self, line: bytes) -> None:
        """Write a short line without waiting."""
        if not self._process.input_closed:
            self._out += [memoryview(line), memoryview(b"\n")]
            self._out_bytes += len(line) + 1
            self._flush()

    def hold(self, holder: object) -> None:
        """Read no further, as long as `holder` has more than it can pass on."""
        self._holders.add(holder)
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._process.output)

    def release(self, holder: object) -> None:
        """Read on, as far as `holder` is concerned."""
        self._holders.discard(holder)
        self._read_on()

    def end(self) -> None:
        """End the process: by the end of its input, then by signals, soon."""
        self._close_input()
        if not self.exited.is_set() and not self._timers:
            self._timers = [
                self._loop.call_later(_GRACE_S, self._process.signal, signal.SIGTERM),
                self._loop.call_later(_GRACE_S + KILL_AFTER_S, self._process.signal, signal.SIGKILL),
            ]

    def terminate(self) -> None:
        """End the process now, if it will."""
        self._close_input()
        self._process.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process, whether it will or not."""
        self._process.kill()
        self.reap()

    def reap(self) -> None:
        """See whether the process has ended."""
        self._process.signal(0)  # so that what it has started is ended with it, whatever has ended it
        self._process.reap()
        if self._process.status is None or self.exited.is_set():
            return
        self._process.kill()  # there is only its guard left to end
        self.exited.set()
        for timer in self._timers:
            timer.cancel()
        # Its last words are in the pipe by now; a process that it left behind may keep the other end open.
        while not self._output_ended and self._read():
            pass
        self._finish()

    def _read_on(self) -> None:
        if not (self._holders or self._is_reading or self._output_ended):
            self._is_reading = True
            self._loop.add_reader(self._process.output, self._readable)

    def _readable(self) -> None:
        if not self._read():
            self.hold(self)
            if not self.exited.is_set():
                self._timers.append(self._loop.call_later(_FAREWELL_S, self._finish))

    def _read(self) -> bool:
        """Read once, and pass on the lines that are complete; return False when nothing will come."""
        try:
            data = os.read(self._process.output, _READ_BYTES)
        except BlockingIOError:
            return not self.exited.is_set()
        except OSError:
            data = b""  # as good as ended
        if not data:
            return False
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._line += line
            whole = bytes(self._line)
            self._line.clear()
            if self._overlong:
                self._overlong = False
                whole = refusal(whole)
            self._pass(whole)
        if not self._overlong:
            self._line += rest
        if len(self._line) > LINE_LIMIT:
            self._overlong = True
            del self._line[_HEAD_BYTES:]
        return True

    def _pass(self, line: bytes) -> None:
        try:
            self._take(line)
        except Exception as error:  # noqa: BLE001 - the lines behind this one must not be lost with it
            report_to_stderr(f"a message of the server was lost, please report this: {type(error).__name__}: {error}")

    def _flush(self) -> None:
        process = self._process
        while self._out:
            try:
                written = os.writev(process.input, list(islice(self._out, 2)))
            except BlockingIOError:
                break
            except OSError:  # it has closed its input, or ended
                self._out.clear()
                self._out_bytes = 0
                break
            self._out_bytes -= written
            while self._out and written >= len(self._out[0]):
                written -= len(self._out.popleft())
            if written:
                self._out[0] = self._out[0][written:]
        if self._out_bytes < HELD_LIMIT:
            self._room.set()
        else:
            self._room.clear()
        if self._out:
            self._loop.add_writer(process.input, self._flush)
        else:
            self._loop.remove_writer(process.input)

    def _close_input(self) -> None:
        if not self._process.input_closed:
            self._loop.remove_writer(self._process.input)
            self._out.clear()
            self._process.close_input()
        self._room.set()

    def _finish(self, reason: str | None = None) -> None:
        """No line will come any more."""
        if self._output_ended:
            return
        self._output_ended = True
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._process.output)
        os.close(self._process.output)
        if self._idle is not None:
            self._idle.cancel()
        if self._line and not self._overlong:
            self._pass(bytes(self._line))
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.end()
        self._ended(reason or self._process.ending())


def refusal(head: bytes) -> bytes:
    """Return what takes the place of a response that is too long to be passed on, of which this is the beginning;
    nothing takes the place of another message."""
    identifier = "null"
    text = decode(head[:_HEAD_BYTES])
    with suppress(ValueError):  # where the beginning ends
        for one in members(text, beginning(text)):
            if one.key == "method":
                return b""  # no response: an error under its id would answer another's request
            if one.key == "id":
                identifier = text[one.value.start : one.value.end]
    words = f"the server answered with more than {LINE_LIMIT >> 20} MiB, which is too long to pass on; ask for less"
    return encode(f'{{"jsonrpc":"2.0","id":{identifier},"error":{{"code":-32000,"message":"{words}"}}}}')
