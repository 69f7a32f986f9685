"""The relay on stdio: a client on our standard input and output, a server behind two pipes, process or not.

One loop moves bytes in both directions and never waits for a disk; only a line that carries a result to record waits
for its commit, with those behind it. No asyncio: a poll loop starts quicker, is smaller, and adds less to each message.
The server's standard error is ours.
"""

import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from middleware.defects import Defects
from middleware.guard import FORWARDED
from middleware.lane import Lane
from middleware.memory.identity import TRIAL_TOKEN_VARIABLE, server_uid
from middleware.memory.writer import Writer, report_to_stderr
from middleware.process import ServerProcess, server_environment
from middleware.recording import Recording
from middleware.relay import Passage, Relay
from middleware.settings import DEFAULTS, Settings

_END_S = 2.0  # the longest that the writer's last words may take
# Clients kill what has not ended two seconds after their SIGTERM; the server must be gone before we are.
_KILL_AFTER_S = 1.5
_VANISHED_GRACE_S = 2.0  # for a server whose client is gone, from the end of its input to SIGTERM
_FAREWELL_S = 0.2  # from the end of a server's output to that of its process, where it ends
_FIRST_BREATH_S = 0.5  # a server that ends by then without a word could not start


class Server(Protocol):
    """A server behind two pipes; `middleware.process.ServerProcess` says what each member is."""

    input: int
    output: int
    started: float
    status: int | None
    spoke: bool
    input_closed: bool

    def is_own(self, line: bytes) -> bool: ...  # noqa: D102 - as there, like all below
    def close_input(self) -> None: ...  # noqa: D102
    def signal(self, number: int) -> None: ...  # noqa: D102
    def reap(self) -> None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102
    def ending(self) -> str: ...  # noqa: D102
    def exit_code(self) -> int: ...  # noqa: D102


def run(name: str, command: Sequence[str], memory: Path, settings: Settings = DEFAULTS) -> int:
    """Relay between this process's standard input and output and the server `command`, until the server has ended.

    Returns the exit code to end with: the server's own, or 128 and the number of the signal that ended it.

    Raises:
        CommandError: the command cannot be run, or ended before it said anything, with its input still open.
    """
    start = partial(ServerProcess, name, command)
    return relay_to(name, command, memory, start, transport="stdio", settings=settings)


def relay_to(
    name: str,
    command: Sequence[str],
    memory: Path,
    start: Callable[[dict[str, str]], Server],
    *,
    transport: str,
    settings: Settings = DEFAULTS,
) -> int:
    """The same for the server that `start` returns, given the environment; the memory knows it by `command`."""
    _open_standard_files()
    trial_token = os.environ.get(TRIAL_TOKEN_VARIABLE)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _leave_to_wakeup)
    server = start(server_environment())
    # Not before: what our parent ignores (nohup) the server is to ignore too, and it inherits that, but no handler.
    for number in FORWARDED:
        signal.signal(number, _leave_to_wakeup)
    uid = server_uid(name, command)

    def wake() -> None:
        with suppress(BlockingIOError):  # full: the loop has been woken already
            os.write(wake_write, b"\0")

    writer = Writer(memory, uid, wake=wake, report=report_to_stderr)
    recording = Recording(
        writer.submit, server_uid=uid, name=name, command=command, transport=transport, settings=settings
    )
    relay = Relay(recording, lambda: writer.hints, trial_token=trial_token, settings=settings)
    # Python's 5 ms between two threads is what a message would wait for while the writer computes.
    sys.setswitchinterval(0.0001)
    writer.start()
    try:
        return _Loop(server, relay, writer, wake_read).run()
    finally:
        os.set_blocking(1, True)
        server.kill()
        relay.end()
        writer.close(_END_S)


class _Loop:
    """Moves bytes until the server has ended and its last word has been passed on."""

    def __init__(self, server: Server, relay: Relay, writer: Writer, wake: int) -> None:
        self._server = server
        self._relay = relay
        self._writer = writer
        self._wake = wake
        self._hints = writer.hints
        # Lines from the client that the relay has not taken note of, as `Relay.client_message` takes them.
        self._unnoted: list[tuple[bytes, int | None]] = []
        self._defects = Defects()
        self._up = Lane(
            *(0, server.input, self._from_client, _writer_to(server.input)),
            holds=lambda: relay.edits_requests,
            defect=self._defects.say,
            abridger=relay.abridger,
        )
        self._down = Lane(
            *(server.output, 1, self._from_server, _standard_output_writer()),
            holds=lambda: relay.edits_answers,
            defect=self._defects.say,
            abridger=relay.abridger,
        )
        self._poll = select.poll()
        self._watched: dict[int, int] = {}  # descriptor → events
        self._client_gone = False
        self._client_finished = False  # it closed its own end, and may still read
        self._pending_ended = False  # what can no longer be answered has been
        self._farewell_at: float | None = None
        self._breath_ends = server.started + _FIRST_BREATH_S
        self._term_at: float | None = None
        self._kill_at: float | None = None
        self._settle_in: float | None = None  # seconds until a cancelled call is closed

    def run(self) -> int:
        """Return the exit code to end with.

        Raises:
            CommandError: the server ended of itself without a word.
        """
        self._watch(self._wake, select.POLLIN)
        while not (self._server.status is not None and self._down.source_ended and self._down.is_empty):
            self._watch_lanes()
            for descriptor, _ in self._poll.poll(self._timeout_ms()):
                if descriptor == self._wake:
                    self._woken()
                elif descriptor == 0:
                    self._read_client()
                elif descriptor == self._down.source and self._down.wants_input:
                    self._down.read()
                elif descriptor == 1 and not self._down.wants_output:
                    self._client_vanished()
            self._proceed()
        return self._server.exit_code()

    def _read_client(self) -> None:
        self._up.read()
        self._client_finished |= self._up.source_ended

    def _from_client(self, line: bytes, size: int | None) -> Passage:
        self._unnoted.append((line, size))
        return Passage(self._relay.to_server(line) if size is None else line)

    def _from_server(self, line: bytes, size: int | None) -> Passage:
        return self._relay.server_message(line, size, is_own=self._server.is_own(line))

    def _note(self) -> None:
        for line, size in self._unnoted:
            try:
                self._relay.client_message(line, size)
            except Exception as error:  # noqa: BLE001 - nor the server its question
                self._defects.say(error)
        self._unnoted.clear()

    def _proceed(self) -> None:
        """Do what has become possible: pass lines on, and pass endings on."""
        server, up, down = self._server, self._up, self._down
        up.release(self._writer)
        up.flush()
        self._note()  # after it was passed on: the server works meanwhile
        if server.status is not None:
            # What its descendants might still write is not waited for.
            while down.wants_input:
                if not down.read():
                    down.end()
        server.spoke = server.spoke or down.has_read
        if down.source_ended and not self._client_gone and not self._pending_ended:
            self._end_pending()
        self._settle_in = self._relay.settle()
        if self._relay.overdue_in() is not None:
            self._answer_overdue()
        self._writer.send()
        down.release(self._writer)
        down.flush()
        if down.sink_gone and not self._client_gone:
            self._client_vanished()
        if up.sink_gone and not up.source_ended:
            up.end()
            _replace_by_null(0, os.O_RDONLY)  # as the server would: the client's next write fails
        if up.source_ended and up.is_empty and (server.spoke or time.monotonic() >= self._breath_ends):
            # Not earlier, lest a server that dies of itself seems to have ended because its input did.
            server.close_input()
        if self._pending_ended and down.is_empty and server.status is None and self._term_at is None:
            _replace_by_null(1, os.O_WRONLY)
            self._end_server_soon()
        self._keep_times()

    def _end_pending(self) -> None:
        """Answer in the place of a server whose output has ended, and say how it ended, if it does."""
        if self._server.status is None:
            now = time.monotonic()
            self._farewell_at = self._farewell_at or now + _FAREWELL_S
            if now < self._farewell_at:
                return
        self._pending_ended = True
        while self._up.wants_input and _is_ready(0, select.POLLIN):
            self._read_client()  # what was sent before it could know
        self._note()
        # A server that ends in order when its client has finished owes nothing.
        orderly = self._client_finished and self._server.status == 0
        for passage in self._relay.end(None if orderly else self._server.ending()):
            self._down.insert(passage)

    def _answer_overdue(self) -> None:
        overdue = self._relay.overdue()
        for passage in overdue.to_client:
            self._down.insert(passage)
        for line in overdue.to_server:
            if not (self._up.sink_gone or self._server.input_closed):
                self._up.insert(Passage(line))
                self._up.release(self._writer)
                self._up.flush()

    def _watch_lanes(self) -> None:
        up, down = self._up, self._down
        self._watch(0, select.POLLIN if up.wants_input else None)
        self._watch(up.sink, select.POLLOUT if up.wants_output else None)
        self._watch(down.source, select.POLLIN if down.wants_input else None)
        # Even without anything to write: an error there says that the client is gone.
        self._watch(1, None if self._client_gone else select.POLLOUT if down.wants_output else 0)

    def _watch(self, descriptor: int, events: int | None) -> None:
        if self._watched.get(descriptor) == events:
            return
        if events is None:
            self._poll.unregister(descriptor)
            del self._watched[descriptor]
        else:
            self._poll.register(descriptor, events)
            self._watched[descriptor] = events

    def _woken(self) -> None:
        for number in os.read(self._wake, 4096):
            if number == signal.SIGCHLD:
                self._server.reap()
            elif number:
                self._server.signal(number)
                if number == signal.SIGTERM and self._kill_at is None:
                    self._kill_at = time.monotonic() + _KILL_AFTER_S
        if self._writer.hints is not self._hints:
            self._hints = self._writer.hints
            for line in self._relay.hints_changed():
                self._down.insert(Passage(line))

    def _client_vanished(self) -> None:
        self._client_gone = True
        self._down.lose_sink()
        if not self._down.source_ended:
            self._down.source_ended = True
            os.close(self._server.output)  # as the client did: the server's next write fails
        self._up.end()
        self._end_server_soon()

    def _end_server_soon(self) -> None:
        if self._term_at is None:
            self._term_at = time.monotonic() + _VANISHED_GRACE_S

    def _keep_times(self) -> None:
        now = time.monotonic()
        if self._term_at is not None and now >= self._term_at and self._kill_at is None:
            self._server.signal(signal.SIGTERM)
            self._kill_at = now + _KILL_AFTER_S
        if self._kill_at is not None and now >= self._kill_at:
            self._server.signal(signal.SIGKILL)
            self._down.lose_sink()
            self._kill_at = now + _KILL_AFTER_S

    def _timeout_ms(self) -> int | None:
        now = time.monotonic()
        times = [self._kill_at or self._term_at]
        if self._down.waiting:
            times.append(self._down.waiting[0][1])
        if self._up.source_ended and not self._server.input_closed:
            times.append(self._breath_ends)
        if not self._pending_ended and self._farewell_at is not None:
            times.append(self._farewell_at)
        left = [at - now for at in times if at is not None]
        left += [
            wait for wait in (self._settle_in, self._relay.overdue_in(), self._writer.send_in()) if wait is not None
        ]
        return max(0, int(min(left) * 1000) + 1) if left else None


def _writer_to(descriptor: int) -> Callable[[bytearray], int]:
    return lambda data: os.write(descriptor, data)


def _standard_output_writer() -> Callable[[bytearray], int]:
    """Return a function that writes to standard output without ever waiting for its reader."""
    kind = os.fstat(1)
    if (stat.S_ISFIFO(kind.st_mode) or stat.S_ISSOCK(kind.st_mode)) and not os.path.samestat(kind, os.fstat(2)):
        os.set_blocking(1, False)
        return _writer_to(1)

    def write_when_ready(data: bytearray) -> int:
        # A terminal, or a pipe that is standard error too: whoever shares it does not expect it to stop blocking. As
        # much as this never blocks once there is room.
        if not _is_ready(1, select.POLLOUT):
            raise BlockingIOError
        return os.write(1, data[: select.PIPE_BUF])

    return write_when_ready


def _is_ready(descriptor: int, events: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(0))


def _open_standard_files() -> None:
    """See that 0, 1 and 2 are open: a pipe of ours under one of these numbers would be taken for it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _replace_by_null(descriptor: int, flags: int) -> None:
    null = os.open(os.devnull, flags)
    os.dup2(null, descriptor)
    os.close(null)


def _leave_to_wakeup(number: int, frame: object) -> None:
    """Do nothing: that the handler is Python's makes the number appear in the loop's wake-up pipe."""
