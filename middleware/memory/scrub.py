"""What was deleted leaves the disk too: its pages are zeroed, the log is emptied, and the file is made anew."""

import os
import shutil
from pathlib import Path

import apsw

from middleware.memory.errors import MemoryBusyError, MemoryFileError

_PATIENCE_MS = 30_000  # how long a process that reads the memory may keep the log from being emptied


def require_room(path: Path) -> None:
    """Check that the disk can hold what `scrub` writes on its way: the memory once more, there and where SQLite keeps
    temporary files.

    Raises:
        MemoryFileError: it cannot.
    """
    size = sum(path.with_name(path.name + end).stat().st_size for end in ("", "-wal") if _is_file(path, end))
    needed: dict[int, tuple[Path, int]] = {}
    for folder in (path.resolve().parent, _temporary()):
        device = folder.stat().st_dev
        needed[device] = (folder, needed.get(device, (folder, 0))[1] + size)
    for folder, count in needed.values():
        free = shutil.disk_usage(folder).free
        if free < count:
            raise MemoryFileError(
                f"{folder} has {free / 1e6:.0f} MB free, and {count / 1e6:.0f} MB are needed to rewrite {path}; "
                "nothing was changed; make room and run it again"
            )


def zero_what_is_deleted(database: apsw.Connection) -> None:
    """Let this connection overwrite whatever it deletes from now on."""
    database.execute("PRAGMA secure_delete=ON").fetchall()


def empty_search(database: apsw.Connection) -> None:
    """Empty the full-text index, in the caller's transaction: the next search makes it anew.

    Entries of single rows cannot be taken out of it for sure, and row ids may be given again.
    """
    database.execute("INSERT INTO calls_fts (calls_fts) VALUES ('delete-all')")
    database.execute("UPDATE calls_fts_state SET last_id = 0")


def scrub(database: apsw.Connection, path: Path) -> None:
    """Rewrite the memory without its free pages, and empty the log. Relays that run meanwhile spool.

    Raises:
        MemoryBusyError: a process kept the memory for too long; doing it again is safe.
    """
    database.set_busy_timeout(_PATIENCE_MS)
    try:
        # Emptied first too, so that the disk need not hold the old log beside the new one.
        database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        database.execute("VACUUM").fetchall()
        database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except (apsw.BusyError, apsw.LockedError) as error:
        raise MemoryBusyError(
            f"another process kept the memory {path} for half a minute, so what was deleted may still be in its log; "
            "end what reads it and run this again"
        ) from error
    except apsw.FullError as error:
        raise MemoryFileError(
            f"the disk is full, so {path} could not be rewritten; make room and run it again"
        ) from error


def live_bytes(database: apsw.Connection) -> int:
    """Return how large the memory would be without its free pages."""
    [(pages, free, size)] = database.execute(
        "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
    ).fetchall()
    return (int(str(pages)) - int(str(free))) * int(str(size))


def _is_file(path: Path, end: str) -> bool:
    return path.with_name(path.name + end).is_file()


def _temporary() -> Path:
    """Return the folder in which SQLite makes its temporary files (https://sqlite.org/tempfiles.html, section 5)."""
    named = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"]  # noqa: S108
    for folder in filter(None, named):
        if os.access(folder, os.W_OK | os.X_OK) and Path(folder).is_dir():
            return Path(folder)
    return Path()
