"""The memory looked at from outside, for whoever asks whether it is well: nothing is written, migrated or taken in."""

import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import apsw

from middleware.memory.errors import MemoryBusyError, MemoryDamagedError, MemoryFileError
from middleware.memory.migrations import STEPS
from middleware.memory.nearest import index_folder, index_problem
from middleware.memory.processes import process_is_gone
from middleware.memory.retention import KEEP_BYTES, KEEP_DAYS, Due, Retention

_BUSY_MS = 2000
_PROGRESS_STEPS = 20_000  # of SQLite's virtual machine between two looks at the clock: about a millisecond
_MAX_PROBLEMS = 20
# The versions with the WAL-reset bug are those from the first on, but for what was mended on an older line of releases.
_BUG_SINCE, _BUG_UNTIL = (3, 7, 0), (3, 51, 3)
_MENDED = ((3, 44, 6), (3, 50, 7))


class Inspection:
    """One memory file, opened to look at. Use it as a context manager.

    Raises:
        MemoryFileError: on opening: it cannot be read.
        MemoryDamagedError: on opening, or on leaving after what SQLite said inside: it is damaged, or no database.
        MemoryBusyError: from any method, when another process holds the memory for longer than two seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = _opened(path)
        except apsw.BusyError as error:
            raise _busy(path) from error
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise MemoryDamagedError(f"{path} is not a memory (not an SQLite database, or damaged): {error}") from error
        except apsw.Error as error:
            raise MemoryFileError(f"{path} cannot be opened: {error}") from error

    def __enter__(self) -> "Inspection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(apsw.Error):
            self._db.close()
        if isinstance(error, apsw.BusyError):
            raise _busy(self.path) from error
        if isinstance(error, apsw.NotADBError | apsw.CorruptError):
            raise MemoryDamagedError(f"{self.path} is damaged: {error}") from error
        if isinstance(error, apsw.Error):
            raise MemoryFileError(f"{self.path} could not be read: {error}") from error

    def schema(self) -> tuple[list[str], list[str]]:
        """Return the schema steps that are missing, and those that this version does not know.

        Raises:
            MemoryFileError: it is another program's database.
        """
        tables = {str(name) for (name,) in self._db.execute("SELECT name FROM sqlite_schema").fetchall()}
        if "migrations" not in tables:
            if tables:
                raise MemoryFileError(f"{self.path} is another program's database")
            return [name for name, _ in STEPS], []
        applied = [str(name) for (name,) in self._db.execute("SELECT name FROM migrations ORDER BY rowid").fetchall()]
        known = [name for name, _ in STEPS]
        return [name for name in known if name not in applied], [name for name in applied if name not in known]

    def damage(self, *, seconds: float) -> tuple[list[str], bool]:
        """Return what SQLite finds wrong in the file, its indexes and the full-text index, and whether all of it was
        looked at within `seconds`."""
        until = time.monotonic() + seconds
        found: list[str] = []
        self._db.set_progress_handler(lambda: time.monotonic() >= until, _PROGRESS_STEPS)
        try:
            for (problem,) in self._db.execute(f"PRAGMA quick_check({_MAX_PROBLEMS})"):
                found.append(str(problem))
        except apsw.InterruptError:
            return found, False
        except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
            found.append(str(error))
        finally:
            self._db.set_progress_handler(None)
        return [problem for problem in found if problem != "ok"], True

    def due(self, *, keep_days: float = KEEP_DAYS, keep_bytes: int = KEEP_BYTES) -> Due:
        """Return what is beyond the limits, as `Retention.due`."""
        return Retention(self._db, self.path, _nothing).due(keep_days=keep_days, keep_bytes=keep_bytes)

    def calls(self) -> tuple[int, str | None]:
        """Return how many calls there are, and when the newest passed."""
        [(count, newest)] = self._db.execute(
            "SELECT count(*), (SELECT created_at FROM calls ORDER BY id DESC LIMIT 1) FROM calls"
        ).fetchall()
        return int(str(count)), None if newest is None else str(newest)

    def in_flight(self) -> tuple[int, int]:
        """Return how many calls wait for an answer, and of how many the relay is gone."""
        rows = self._db.execute("SELECT pid, process FROM open_calls").fetchall()
        gone = sum(process_is_gone(int(str(pid)), str(process)) for pid, process in rows)
        return len(rows) - gone, gone

    def query_index_problem(self) -> str:
        """Return what is wrong with the nearest-query index beside the memory, "" where nothing is or there is none."""
        rows = self._db.execute("SELECT applied_at FROM migrations ORDER BY rowid LIMIT 1").fetchall()
        return index_problem(index_folder(self.path), of=str(rows[0][0]) if rows else "")

    def artefact_folders(self) -> list[Path]:
        """Return the folders of all artefacts."""
        return [Path(str(path)) for (path,) in self._db.execute("SELECT path FROM artefacts").fetchall()]


def own_sqlite() -> str:
    """Return the version of the SQLite that reads and writes the memory."""
    return apsw.sqlite_lib_version()


def has_reset_bug(version: str) -> bool:
    """Return whether this SQLite may lose commits when two processes write and checkpoint at once (decision 0001)."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    mended = any(numbers[:2] == line[:2] and numbers >= line for line in _MENDED)
    return _BUG_SINCE <= numbers < _BUG_UNTIL and not mended


def _opened(path: Path) -> apsw.Connection:
    had_log = path.with_name(path.name + "-wal").exists()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(_BUSY_MS)
        connection.execute("PRAGMA query_only=ON").fetchall()
        # Closing writes the log into the file. One that we made ourselves is empty, and is removed by that.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 if had_log else 0)
        connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _busy(path: Path) -> MemoryBusyError:
    return MemoryBusyError(f"the memory {path} is held by another process; try again when it has finished")


def _nothing() -> None:
    """What thinning would have removed; looking removes nothing."""
