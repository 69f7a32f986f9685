"""The memory as a relay holds it open, for hours: what happens to the file meanwhile is noticed, and does no harm.

Whoever deletes, replaces or overwrites the file does so behind SQLite's back, which would go on writing to what nobody
will ever read.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from middleware.memory.database import open_database
from middleware.memory.errors import MemoryFileError

_CHECKPOINT_PAGES = 1_000  # of WAL: checkpoint when nothing is going on; and when much is, at ten times as many
_MAGIC = b"SQLite format 3\0"


class HeldMemory:
    """An open memory, for the one thread that writes."""

    def __init__(self, path: Path, *, busy_timeout_ms: int, wait_for_lock: Callable[[int], bool]) -> None:
        """Open it; `wait_for_lock` is SQLite's busy handler from then on.

        Raises:
            MemoryFileError: it cannot be opened, or is not a memory.
            apsw.Error: it cannot be read, or is no longer there.
        """
        self._path = str(path)
        self._wal_pages = 0
        self.connection = open_database(path, busy_timeout_ms=busy_timeout_ms)
        try:
            # KiB; an appender needs no more, and the default is 2000.
            self.connection.execute("PRAGMA cache_size=-256")
            self.connection.set_busy_handler(wait_for_lock)
            self.connection.set_wal_hook(self._note_wal)
            self._file = _identity(self._path)
            if not self.header_is_whole():
                # It may be whole in the log, from which this brings it back.
                self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            if not self.header_is_whole():
                raise MemoryFileError(
                    f"{path} is damaged: its header was overwritten; bring back a copy, or move it away"
                )
        except BaseException:
            self.let_go()
            raise

    def is_there(self) -> bool:
        """Return whether the memory's path still leads to this file."""
        return self._file is not None and _identity(self._path) == self._file

    def header_is_whole(self) -> bool:
        """Return whether the file still begins as a memory does; SQLite itself looks when it is opened, not later."""
        # Through SQLite's own descriptor: closing another would drop this process's locks.
        try:
            return self.connection.read("main", 0, 0, len(_MAGIC)) == (True, _MAGIC)
        except apsw.Error:
            return False

    def checkpoint(self, *, idle: bool) -> None:
        """Bring the log into the file if it has grown long: it is the one thing that waits for the disk."""
        if self._wal_pages >= _CHECKPOINT_PAGES and (idle or self._wal_pages >= 10 * _CHECKPOINT_PAGES):
            with suppress(apsw.Error):
                self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._wal_pages = 0

    def close(self) -> None:
        """Close it in order; the last process to do so removes the log."""
        if not self.is_there():
            self.let_go()
            return
        with suppress(apsw.Error):
            self.connection.close()

    def let_go(self) -> None:
        """Close it without touching anything: the log is removed by name, which may be another memory's by now, or
        hold what a damaged file needs to be whole again."""
        with suppress(apsw.Error):
            self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with suppress(apsw.Error):
            self.connection.close()

    def _note_wal(self, connection: apsw.Connection, name: str, pages: int) -> int:  # noqa: ARG002 - apsw's signature
        # Taking this hook switches off SQLite's own checkpoint, which would make one unlucky commit wait for the disk.
        self._wal_pages = pages
        return apsw.SQLITE_OK


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells this file from all others; None when it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path would be made anew for every commit
    except OSError:
        return None
    return status.st_dev, status.st_ino
