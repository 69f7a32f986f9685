"""Opens the memory file. Everyone who reads or writes it comes through here, so that all do it alike.

All access goes through apsw, which brings its own SQLite: Python's is often one of those (3.7.0 to 3.51.2) that can
lose commits when two processes write and checkpoint at once, and two SQLite libraries in one process must not open
the same file at all (closing one's descriptor drops the other's POSIX locks).
"""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import apsw

from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.migrations import SchemaError, migrate

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}
)


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the memory is when nobody says otherwise: `PRACTICUM_MEMORY`, else the user's data directory."""
    named = environment.get("PRACTICUM_MEMORY")
    if named:
        return Path(named).expanduser()
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "practicum" / "memory.db"


def open_database(path: Path, *, busy_timeout_ms: int = 5000) -> apsw.Connection:
    """Open the memory at `path`, created (0600) and migrated if need be, in WAL mode.

    Raises:
        MemoryBusyError: another process held it for longer than `busy_timeout_ms`.
        MemoryFileError: it is not a memory, is of a newer schema, or cannot be opened; nothing was changed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if file_system(path.parent) in NETWORK_FILE_SYSTEMS:
            raise MemoryFileError(
                f"{path} is on a network file system, where SQLite can lose commits; give a local file with --memory"
            )
        # SQLite gives -wal and -shm the mode of the main file, so the file is made before SQLite sees it. Never
        # opened when it is there: closing it again would drop the locks of this process's other connections.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = apsw.Connection(str(path))
    except OSError as error:
        raise MemoryFileError(
            f"cannot open the memory {path}: {error.strerror}; give another file with --memory"
        ) from error
    except apsw.Error as error:
        raise MemoryFileError(f"cannot open the memory {path}: {error}; give another file with --memory") from error
    try:
        connection.set_busy_timeout(busy_timeout_ms)
        # A transaction that reads first and writes later would fail at once, busy timeout or not, when another
        # process wrote in between; so each takes its write lock at the start.
        connection.transaction_mode = "IMMEDIATE"
        # apsw stops at the first row, so without fetchall() only the first of these would run.
        connection.execute("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON").fetchall()
        # The schema is checked before WAL mode is set: another program's file stays untouched. An empty file is
        # nobody's, and in WAL mode its schema is written without waiting for the disk.
        if connection.execute("PRAGMA page_count").get == 0:
            _use_wal(connection, busy_timeout_ms)
        migrate(connection)
        _use_wal(connection, busy_timeout_ms)
    except apsw.BusyError as error:
        connection.close()
        raise MemoryBusyError(
            f"the memory {path} is held by another process; try again when it has finished"
        ) from error
    except SchemaError as error:
        connection.close()
        raise MemoryFileError(
            f"{path} cannot be used as memory: {error}; upgrade practicum or give another file with --memory"
        ) from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        connection.close()
        raise MemoryFileError(
            f"{path} is not a memory (not an SQLite database); give another file with --memory"
        ) from error
    except apsw.Error as error:
        connection.close()
        raise MemoryFileError(f"cannot use the memory {path}: {error}; give another file with --memory") from error
    return connection


def _use_wal(connection: apsw.Connection, busy_timeout_ms: int) -> None:
    # Changing the mode of a new file fails at once, busy timeout or not, while another process uses it.
    deadline = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        except apsw.BusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.005)
        else:
            return


def file_system(folder: Path) -> str:
    """Return the type of the file system that holds `folder`, "" where the system does not say (not on Linux)."""
    best, kind = "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text()
    except OSError:
        return ""
    resolved = str(folder.resolve())
    for line in mounts.splitlines():
        _, point, name, *_ = line.split(" ")
        if (resolved + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, name
    return kind
