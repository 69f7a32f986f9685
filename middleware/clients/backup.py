"""What `learner wrap` keeps of a file: its bytes before and after, each entry's own text, and a script that needs only
a shell to put the old file back.

A folder for each file, in the state directory: client files often lie in repositories, and the data directory may be
deleted. It goes when the relay is taken out. Files are 0600: entries hold secrets.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from middleware.clients.jsonc import parse
from middleware.errors import ClientFileError
from middleware.memory.identity import digest, now
from middleware.memory.spool import state_directory

_FORMAT = 1
_SCRIPT = rb"""#!/bin/sh
# Puts a client's configuration file back as it was before `learner wrap`.
# It needs nothing but this shell: no Practicum, no Python, no PATH. Two programs make it quicker where they are.
LC_ALL=C
export LC_ALL
umask 077
file=%(file)s
backup=%(backup)s

fail() { printf '%%s\n' "not restored: $1" >&2; exit 1; }

copy() {
    if [ -x /bin/cat ]; then /bin/cat <"$1" >"$2"; return; fi
    {
        while IFS= read -r line; do printf '%%s\n' "$line" || return 1; done
        printf '%%s' "$line"
    } <"$1" >"$2"
}

same() {
    [ -f "$1" ] && [ -r "$1" ] && [ -f "$2" ] && [ -r "$2" ] || return 1
    if [ -x /usr/bin/cmp ]; then /usr/bin/cmp -s -- "$1" "$2"; return; fi
    exec 3<"$1" 4<"$2"
    while :; do
        IFS= read -r one <&3; one_left=$?
        IFS= read -r other <&4; other_left=$?
        [ "$one_left" = "$other_left" ] && [ "$one" = "$other" ] || return 1
        [ "$one_left" = 0 ] || return 0
    done
}

[ -f "$backup/original" ] && [ -r "$backup/original" ] || fail "cannot read $backup/original"
if same "$file" "$backup/original"; then
    printf '%%s\n' "nothing to do: $file is as it was before"
    exit 0
fi
if [ -e "$file" ] && ! same "$file" "$backup/written"; then
    number=1
    while [ -e "$file.edited-$number" ]; do number=$((number + 1)); done
    copy "$file" "$file.edited-$number" || fail "cannot keep $file, which was edited, as $file.edited-$number"
    printf '%%s\n' "the file was edited since; that copy is kept as $file.edited-$number"
fi
copy "$backup/original" "$file" || fail "cannot write $file"
same "$file" "$backup/original" || fail "$file could not be written whole; the old one is $backup/original"
printf '%%s\n' "restored $file"
"""


@dataclass(frozen=True)
class Wrapped:
    """One entry: the keys that lead to it, its text with the relay as it was written, and before."""

    keys: tuple[str, ...]
    written: str
    original: str


@dataclass(frozen=True)
class Backup:
    """What is kept of the file at `path`, whose links are followed.

    `written` are the bytes that `learner wrap` left, `original` those that `learner unwrap` restores while the file
    still holds them. `created_at` is UTC.
    """

    path: Path
    original: bytes
    written: bytes
    entries: tuple[Wrapped, ...]
    created_at: str

    @property
    def directory(self) -> Path:
        """The folder that holds it."""
        return directory_of(self.path)

    @property
    def restore_script(self) -> Path:
        """The script that puts the old file back."""
        return self.directory / "restore.sh"


def wrapped_directory() -> Path:
    """Return the folder of all backups."""
    return state_directory() / "wrapped"


def directory_of(path: Path) -> Path:
    """Return the folder for the backup of the file at `path`, whose links were followed."""
    name = re.sub(r"[^\w.-]", "_", path.name, flags=re.ASCII)[:40]
    return wrapped_directory() / f"{name}-{digest(os.fsencode(path))[:12]}"


def load(path: Path) -> Backup | None:
    """Return the backup of the file at `path`; None if there is none that can be read."""
    return _load(directory_of(path))


def all_backups() -> list[Backup]:
    """Return every backup that can be read."""
    try:
        directories = sorted(wrapped_directory().iterdir())
    except OSError:
        return []
    return [backup for directory in directories if (backup := _load(directory)) is not None]


def save(path: Path, original: bytes, written: bytes, entries: tuple[Wrapped, ...]) -> Backup:
    """Keep a backup of the file at `path`, in place of an earlier one.

    Whenever this breaks off, the script still restores the old file: at worst it thinks that somebody edited it.

    Raises:
        OSError: it cannot be written.
    """
    backup = Backup(path, original, written, entries, now())
    record = {
        "format": _FORMAT,
        "path": str(path),
        "created_at": backup.created_at,
        "entries": [{"keys": one.keys, "written": one.written, "original": one.original} for one in entries],
    }
    script = _SCRIPT % {b"file": _quoted(path), b"backup": _quoted(backup.directory)}
    backup.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(backup.directory / "original", original, 0o600)
    write_whole(backup.directory / "written", written, 0o600)
    write_whole(backup.restore_script, script, 0o700)
    write_whole(backup.directory / "record.json", json.dumps(record, indent=1).encode(), 0o600)
    return backup


def remove(path: Path) -> None:
    """Forget the backup of the file at `path`, if there is one."""
    shutil.rmtree(directory_of(path), ignore_errors=True)


@contextmanager
def locked() -> Iterator[None]:
    """Hold off other processes that change client files.

    Raises:
        OSError: the folder of the backups cannot be written.
    """
    wrapped_directory().mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(wrapped_directory() / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Put `data` into the file at `path` at once: whoever reads it sees the old bytes or the new ones.

    Without `mode` it keeps mode, owner and extended attributes of the file that is there.

    Raises:
        OSError: it cannot be written, and is as it was.
    """
    number, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            if mode is None:
                _take_after(path, file.fileno(), temporary)
            else:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    with suppress(OSError):  # the name's place on the disk; some file systems cannot
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _take_after(path: Path, descriptor: int, temporary: str) -> None:
    there = path.stat()
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (there.st_uid, there.st_gid):
        os.fchown(descriptor, there.st_uid, there.st_gid)
    shutil.copystat(path, temporary)
    os.utime(temporary)  # clients that look at the time have to see that it changed


def _quoted(path: Path) -> bytes:
    return b"'" + os.fsencode(path).replace(b"'", b"'\\''") + b"'"


def _load(directory: Path) -> Backup | None:
    try:
        record = json.loads((directory / "record.json").read_bytes())
        entries = tuple(
            Wrapped(tuple(one["keys"]), _json(one["written"]), _json(one["original"])) for one in record["entries"]
        )
        return Backup(
            Path(record["path"]),
            (directory / "original").read_bytes(),
            (directory / "written").read_bytes(),
            entries,
            record["created_at"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _json(text: str) -> str:
    parse(text)
    return text


def failure(path: Path, error: OSError) -> ClientFileError:
    """Return what to say when the file at `path`, or its backup, cannot be read or written."""
    where = f" ({error.filename})" if error.filename and os.fsdecode(error.filename) != str(path) else ""
    return ClientFileError(f"{path} cannot be read or changed: {error.strerror}{where}; check who may write there")
