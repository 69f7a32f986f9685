"""The relay's side of the memory: records are committed by one thread, so that whoever relays never waits on a disk.

`submit` returns a ticket; after the next `send`, the record is durable when `done` has reached it. While the memory is
locked, full or unusable, records go to the spool instead, which counts as durable too, and no record waits for the
memory again until a try has succeeded. What is durable survives the death of the process, not a power cut
(synchronous=NORMAL).
"""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType

import apsw

from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.held import HeldMemory
from middleware.memory.rows import HintTexts, close_orphans, missing, served_hints, take_in_spools, write
from middleware.memory.spool import Record, Spool

FIRST_LOOK = 1  # the ticket that is done when the hints have been read for the first time

_BUSY_S = 0.03  # how long one commit may wait for other processes' locks; whoever waits for us gives up at 50 ms
_TICK_S = 0.5  # how often others' changes (hints) are looked for
_RETRY_S = 0.1  # how often a memory that was busy is tried again
_RETRY_BROKEN_S = 1.0  # how often one is that cannot be used at all
# How long others may hold it before the person hears of it: whoever else opens it has given up and said so by then.
_LOCKED_LONG_S = 10.0
_QUIET_S = 60.0  # troubles that follow each other within this time are one, and said once
# How long records that nobody waits for may wait for others. That a call is in flight need not be written when its
# answer comes by then; and the thread does not get in the way of the request.
_COMPANY_S = 0.005
_BATCH = 200  # records in one transaction
_INTRODUCTIONS = 100  # how many servers and sessions are kept for a memory that is made anew


class Writer:
    """Commits records on a thread of its own; made, fed and closed by one other thread.

    `wake` is called, on the writer's thread, when awaited records are durable or the hints have changed; `report`
    with a line for the person whenever something is wrong with the memory.
    """

    def __init__(
        self, memory: Path, server_uid: str, *, wake: Callable[[], None], report: Callable[[str], None]
    ) -> None:
        self.done = 0  # every record up to this ticket is durable
        self.hints: HintTexts = MappingProxyType({})
        self.stalled = False  # somebody gave up waiting, and nothing has been finished since
        self._memory = memory
        self._server_uid = server_uid
        self._wake = wake
        self._report = report
        self._spool = Spool(memory)
        self._held: HeldMemory | None = None
        self._introductions: dict[str, Record] = {}  # uid → the record of a server or session
        self._forgotten: set[str] = set()  # those that are no longer in the memory: each comes back with its next call
        self._healthy = False  # the last try to use the memory succeeded
        self._retry_at = 0.0
        self._troubled_at: float | None = None  # the last trouble that was not a lock
        self._malformed_said = False
        self._locked_since: float | None = None
        self._data_version: object = None
        self._took_in_the_dead = False
        self._collected: list[Record] = []
        self._send_at = 0.0  # when what was collected goes, even if nobody waits for it
        self._awaited = False
        self._sent = FIRST_LOOK  # the last ticket that the thread was given
        self._queue: SimpleQueue[tuple[int, list[Record], bool] | None] = SimpleQueue()
        self._unfinished: deque[tuple[int, list[Record]]] = deque()
        self._unfinished_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="memory-writer", daemon=True)

    def start(self) -> None:
        """Open the memory (on the thread) and begin to write."""
        self._thread.start()

    def submit(self, records: Sequence[Record], *, awaited: bool) -> int:
        """Have `records` written with the next `send`, and return the ticket to compare with `done`."""
        if not self._collected:
            self._send_at = time.monotonic() + _COMPANY_S
        self._collected += records
        self._awaited |= awaited
        return self._sent + 1

    def send_in(self) -> float | None:
        """Return in how many seconds `send` is to be called again for what it has kept back; None: nothing is."""
        return max(0.0, self._send_at - time.monotonic()) if self._collected else None

    def send(self) -> None:
        """Hand what was submitted to the thread, as one transaction: each hand-over costs both threads time.

        What nobody waits for is kept back for a moment.
        """
        if self._awaited or (self._collected and time.monotonic() >= self._send_at):
            self.send_now()

    def send_now(self) -> None:
        """The same, and keep nothing back."""
        if self._collected:
            self._sent += 1
            self._unfinished.append((self._sent, self._collected))
            self._queue.put((self._sent, self._collected, self._awaited))
            self._collected, self._awaited = [], False

    def give_up(self, ticket: int) -> None:
        """Spool what is not durable up to `ticket`, at once: whoever waited for it waits no longer."""
        self.stalled = True
        for records in self._finish(ticket):
            if self._spool.append(records):
                # Else all that passes while the thread hangs on the disk would be held until it goes on.
                records.clear()

    def close(self, timeout_s: float) -> None:
        """Write what is left, then stop; what cannot be written within `timeout_s` stays in the spool."""
        self.send_now()
        self._queue.put(None)
        self._thread.join(timeout_s)
        self.give_up(self._sent)

    def _finish(self, ticket: int) -> list[list[Record]]:
        """Return the records up to `ticket` that were not finished before; either thread may be the first."""
        found = []
        with self._unfinished_lock:
            while self._unfinished and self._unfinished[0][0] <= ticket:
                found.append(self._unfinished.popleft()[1])
        return found

    # --- below, everything runs on the writer's thread

    def _run(self) -> None:
        self._connect()
        self._look()
        self.done = FIRST_LOOK
        self._wake()
        ticked_at = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=self._patience())
            except Empty:
                self._tick(idle=True)
                ticked_at = time.monotonic()
                continue
            ended = not self._write(item)
            if ended:
                break
            if time.monotonic() - ticked_at >= _TICK_S:
                self._tick(idle=False)
                ticked_at = time.monotonic()
        self._end()

    def _patience(self) -> float:
        """Return how many seconds nothing may happen before there is something to do."""
        if not self._healthy:
            return _RETRY_S
        return 0.0 if self._spool else _TICK_S

    def _write(self, item: tuple[int, list[Record], bool] | None) -> bool:
        """Write `item` and what has queued up behind it; return False when the end is among them."""
        batch: list[Record] = []
        last, awaited = self.done, False
        while item is not None:
            last = item[0]
            batch += item[1]
            awaited |= item[2]
            if len(batch) >= _BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
        if batch and not (self._healthy and self._commit(batch)):
            self._put_by(batch)
        self.done = last
        self._finish(last)
        self.stalled = False
        if awaited:
            self._wake()
        return item is not None

    def _commit(self, records: Sequence[Record]) -> bool:
        held = self._connect()
        if held is None:
            return False
        try:
            again = self._forgotten and self._forgotten.intersection(
                str(record.get(key)) for record in records for key in ("server_uid", "session_uid")
            )
            dropped = write(held.connection, [*(self._introductions[uid] for uid in again), *records])
            self._forgotten -= again
        except Exception as error:  # noqa: BLE001 - whatever it is, the records have another place to go
            self._failed(error)
            return False
        if not held.is_there():
            self._disconnect()  # nobody will read that: they go to the spool, and from there to the next
            return False
        self._locked_since = None
        for record in records:
            if record.get("kind") in ("server", "session"):
                self._introductions[str(record.get("uid"))] = record
                if len(self._introductions) > _INTRODUCTIONS:
                    first = next(iter(self._introductions))
                    del self._introductions[first]
                    self._forgotten.discard(first)
        if dropped and not self._malformed_said:
            self._malformed_said = True
            self._report(f"{dropped} records for {self._memory} were malformed and are lost; please report this")
        return True

    def _put_by(self, records: Sequence[Record]) -> None:
        before = self._spool.dropped
        self._spool.append(records)
        if self._spool.dropped > before == 0:
            self._report(
                f"no folder can be written and the memory {self._memory} cannot be used: calls are no longer "
                "recorded; make room, or give another file with --memory"
            )

    def _tick(self, *, idle: bool) -> None:
        if not self._healthy or self._spool:
            self._recover()
        elif not self._file_is_ours():
            self._disconnect()
            self._connect()
        if not self._healthy or self._held is None:
            return
        self._look()
        if idle:
            self._take_in_the_dead()
        if self._held is not None:
            self._held.checkpoint(idle=idle)

    def _recover(self) -> None:
        """Try the memory again, and take our own spool in, a batch at a time: new records come between."""
        if not self._file_is_ours():
            self._disconnect()
            self._retry_at = 0.0
        if not self._healthy and time.monotonic() < self._retry_at:
            return
        try:
            if self._commit(self._spool.peek(_BATCH)):
                self._spool.discard()
                self._healthy = True
        except OSError as error:  # the disk of the spool fails: what is in it is tried again
            self._failed(error)

    def _connect(self) -> HeldMemory | None:
        """Return the open memory, None when it cannot be opened now."""
        if self._held is None:
            try:
                self._held = HeldMemory(
                    self._memory, busy_timeout_ms=int(_BUSY_S * 1000), wait_for_lock=self._wait_for_lock
                )
                if self._introductions:  # opened again: it may be a new one
                    write(self._held.connection, list(self._introductions.values()))
            except Exception as error:  # noqa: BLE001 - a file may be damaged in any way
                self._disconnect()
                self._failed(error)
                return None
            self._data_version = None
            self._healthy = True
        return self._held

    def _disconnect(self) -> None:
        if self._held is not None:
            self._held.let_go()
        self._held = None
        self._healthy = False

    def _file_is_ours(self) -> bool:
        """Whether what is open is still the memory, as far as can be seen in a moment."""
        return self._held is None or (self._held.is_there() and self._held.header_is_whole())

    def _failed(self, error: Exception) -> None:
        self._healthy = False
        now = time.monotonic()
        if isinstance(error, apsw.BusyError | apsw.LockedError | MemoryBusyError):
            self._retry_at = now + _RETRY_S
            self._locked_since = self._locked_since or now
            if now - self._locked_since >= _LOCKED_LONG_S:
                self._locked_since = float("inf")  # said
                line = f"the memory {self._memory} is held by another process; calls are spooled until it lets go"
                self._report(line)
            return
        # To be opened anew: a connection made when nothing could be written would stay that way.
        self._disconnect()
        self._retry_at = now + _RETRY_BROKEN_S
        if self._troubled_at is None or now - self._troubled_at > _QUIET_S:
            line = f"cannot write to the memory {self._memory}: {error}; calls are spooled until that works again"
            self._report(str(error) if isinstance(error, MemoryFileError) else line)
        self._troubled_at = now

    def _look(self) -> None:
        """Read the hints again when another process has written since the last look."""
        if self._held is None:
            return
        try:
            version = self._held.connection.execute("PRAGMA data_version").fetchall()[0][0]
            if version == self._data_version:
                return
            hints = served_hints(self._held.connection, self._server_uid)
            self._forgotten = missing(self._held.connection, self._introductions)
        except apsw.Error:
            return  # locked: the next look will tell
        self._data_version = version
        if hints != self.hints:
            self.hints = MappingProxyType(hints)
            self._wake()

    def _take_in_the_dead(self) -> None:
        if self._held is not None and not self._took_in_the_dead:
            try:
                take_in_spools(self._held.connection, self._memory)
                close_orphans(self._held.connection)
                self._took_in_the_dead = True
            except apsw.Error as error:
                self._failed(error)

    def _end(self) -> None:
        deadline = time.monotonic() + 0.5
        while self._spool and time.monotonic() < deadline:
            self._retry_at = 0.0
            self._recover()
            if not self._healthy:
                break
        if self._healthy:
            self._take_in_the_dead()
        if self._held is not None:
            self._held.close()
        if self._spool.dropped:
            self._report(f"{self._spool.dropped} records found no place and are lost")
        self._spool.close()

    def _wait_for_lock(self, tries: int) -> bool:
        # SQLite's own handler soon sleeps 10 ms and more at a time; other relays' commits last a fraction of one. While
        # the memory is known to be held, there is no waiting at all.
        if not self._healthy or tries * 0.0006 > _BUSY_S:
            return False
        time.sleep(0.0005)
        return True


def report_to_stderr(line: str) -> None:
    """Say `line` to the person, in one write; not when that would wait for somebody to read it."""
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    with suppress(OSError):
        if poll.poll(0):
            os.write(2, f"learner: {' '.join(line.split())}\n".encode("utf-8", "replace"))
