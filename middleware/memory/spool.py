"""Where records wait while the memory cannot take them: one file a process, JSON lines, 0600.

A process holds an flock on its spool for as long as it lives, so whoever opens the memory can tell the spools of the
dead, takes them in and removes them. A line that a crash cut short is no record: its result was not passed on yet.
"""

import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from middleware.memory.identity import digest, new_uid

# One row for the memory: its columns by name, and under "kind" what it is a row of.
Record = dict[str, Any]

RAM_LIMIT = 64_000_000  # bytes
_READ_BYTES = 1 << 18


class Spool:
    """One process's records that wait; safe to use from several threads."""

    def __init__(self, memory: Path, *, ram_limit: int = RAM_LIMIT) -> None:
        self.dropped = 0  # records that found no place at all
        self._memory = memory
        self._folders = folders(memory)
        self._files: list[_File] = []
        self._ram: list[bytes] = []
        self._ram_left = ram_limit
        self._taken = 0  # lines of _ram that `peek` showed last
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The file that takes records now; None before the first, or when no folder can be written."""
        return self._files[-1].path if self._files else None

    def append(self, records: Sequence[Record]) -> bool:
        """Write `records`: in the first folder that takes them, else in RAM; else count them as dropped: False."""
        lines = [json.dumps(record).encode() + b"\n" for record in records]
        data = b"".join(lines)
        with self._lock:
            while self._files or self._open_next():
                try:
                    self._files[-1].append(data)
                except OSError:
                    if not self._open_next():
                        break
                else:
                    return True
            if len(data) > self._ram_left:
                self.dropped += len(records)
                return False
            self._ram_left -= len(data)
            self._ram += lines
            return True

    def __bool__(self) -> bool:
        """Whether any record waits."""
        return bool(self._ram) or any(file.has_records() for file in self._files)

    def peek(self, count: int) -> list[Record]:
        """Return up to `count` waiting records, oldest first; they wait on until `discard`."""
        with self._lock:
            for file in self._files:
                if file.has_records():
                    records, file.peeked = _read(file.descriptor, file.start, count)
                    return records
            self._taken = min(count, len(self._ram))
            return [json.loads(line) for line in self._ram[: self._taken]]

    def discard(self) -> None:
        """Forget the records that `peek` returned last: they are in the memory."""
        with self._lock:
            for file in self._files:
                if file.has_records():
                    file.start = file.peeked
                    if not file.has_records():
                        file.empty()
                    return
            self._ram_left += sum(len(line) for line in self._ram[: self._taken])
            del self._ram[: self._taken]

    def close(self) -> None:
        """Let go of the files: empty ones are removed, the others are left for whoever opens the memory next."""
        with self._lock:
            for file in self._files:
                if not file.has_records():
                    with suppress(OSError):
                        file.path.unlink()
                os.close(file.descriptor)
            self._files.clear()

    def _open_next(self) -> bool:
        while self._folders:
            with suppress(OSError):
                self._files.append(_File(self._folders.pop(0) / (_prefix(self._memory) + new_uid() + ".jsonl")))
                return True
        return False


class _File:
    """An open, locked spool file: records lie from `start` to `end`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self.start = self.peeked = self.end = 0
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def has_records(self) -> bool:
        return self.start < self.end

    def append(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(self.descriptor, data[written:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.end)
            raise
        self.end += written

    def empty(self) -> None:
        os.ftruncate(self.descriptor, 0)
        self.start = self.peeked = self.end = 0


class DeadSpool:
    """The spool of a process that is gone, locked by us while we read it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def records(self, count: int) -> Iterator[list[Record]]:
        """Yield all records, at most `count` at a time."""
        start = 0
        while True:
            records, end = _read(self._descriptor, start, count)
            if end == start:
                return
            if records:
                yield records
            start = end

    def remove(self) -> None:
        """Delete the file: its records are in the memory."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def close(self) -> None:
        """Let go of it; a file that was not removed is left for another time."""
        os.close(self._descriptor)


def dead_spools(memory: Path) -> Iterator[DeadSpool]:
    """Yield the spools whose processes are gone, one at a time; each is closed when the next is asked for."""
    for path in spool_files(memory):
        descriptor = _open_dead(path)
        if descriptor is None:
            continue
        spool = DeadSpool(path, descriptor)
        try:
            yield spool
        finally:
            spool.close()


def spool_files(memory: Path) -> list[Path]:
    """Return every spool for `memory` that can be seen, of the living and of the dead."""
    prefix = _prefix(memory)
    found: list[Path] = []
    for folder in folders(memory):
        with suppress(OSError):
            found += sorted(path for path in folder.iterdir() if path.name.startswith(prefix))
    return found


class WaitingSpool(NamedTuple):
    """A spool with records for a memory: how many, and whether its process still lives. `records` is None where it
    cannot be read."""

    path: Path
    records: int | None
    is_living: bool


def waiting_spools(memory: Path) -> list[WaitingSpool]:
    """Return the spools for `memory` that hold records, of the living and of the dead; they stay as they are."""
    looked_at = map(_look, spool_files(memory))
    return [spool for spool in looked_at if spool is not None and spool.records != 0]


def _look(path: Path) -> WaitingSpool | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None  # taken in meanwhile
    except OSError:
        return WaitingSpool(path, None, False)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return WaitingSpool(path, None, False)
        records, start = 0, 0
        while True:
            some, end = _read(descriptor, start, _READ_BYTES)
            if end == start:
                break
            records, start = records + len(some), end
        try:
            # Held for this one moment, in which nobody else looks for the dead's.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return WaitingSpool(path, records, True)
        return WaitingSpool(path, records, False)
    finally:
        os.close(descriptor)


def state_directory() -> Path:
    """Return our folder for what is neither the memory nor in it: in `XDG_STATE_HOME`, else in ~/.local/state.

    Raises:
        RuntimeError: the user has no home directory.
    """
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state).absolute() if state else Path.home() / ".local" / "state") / "practicum"


def folders(memory: Path) -> list[Path]:
    """Return where spools for `memory` may lie, the first choice first."""
    found = [_real(memory).parent]
    with suppress(RuntimeError):
        found.append(state_directory())
    # Not tempfile.gettempdir(): the module is slow to import, and what it tries out is tried anyway.
    found.append(Path(os.environ.get("TMPDIR") or "/tmp"))  # noqa: S108 - made with O_EXCL, read by owner only
    return found


def _open_dead(path: Path) -> int | None:
    """Return a locked descriptor of the spool at `path`, None when it is not ours to read or its process lives."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        # The temporary directory is everybody's: records are believed only from our own user.
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _prefix(memory: Path) -> str:
    # The name is for people; the hash tells apart memories of one name whose spools lie in the same folder.
    real = _real(memory)
    return f"{real.name}-spool-{digest(os.fsencode(real))[:12]}-"


def _real(memory: Path) -> Path:
    """Return the memory's one path, whichever links and relative paths lead to it."""
    return Path(os.path.realpath(memory))


def _read(descriptor: int, start: int, count: int) -> tuple[list[Record], int]:
    """Return up to `count` records from `start` on, and where the next begins; what is no record is skipped."""
    size = _READ_BYTES
    while True:
        data = os.pread(descriptor, size, start)
        if b"\n" in data or len(data) < size:
            break
        size *= 2
    lines = data.splitlines(keepends=True)
    if len(lines) > 1 and not lines[-1].endswith(b"\n") and len(data) == size:
        lines.pop()  # it goes on behind what was read
    records = []
    for line in lines[:count]:
        start += len(line)
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict):
                records.append(record)
    return records, start
