"""The memory file: whether it can be read, is whole, private, and within its limits."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from learner.cli.health.finding import Finding, Place, command, megabytes
from learner.cli.show import when
from middleware.memory.database import NETWORK_FILE_SYSTEMS, file_system
from middleware.memory.errors import MemoryBusyError, MemoryDamagedError, MemoryFileError
from middleware.memory.forget import was_cut_short
from middleware.memory.inspection import Inspection
from middleware.memory.nearest import index_folder
from middleware.memory.retention import KEEP_BYTES, KEEP_DAYS
from middleware.memory.spool import waiting_spools

LOOK_S = 20.0  # for looking through the file, where nobody asks for more
_ERASES = "if you do not know it any more, the command here at least erases for good what it had deleted"
LONG_LOG = 100_000_000  # bytes; relays bring their log into the file at some 40 MB


def memory_findings(place: Place) -> Iterator[Finding]:
    """Look at the memory, unless there is none yet."""
    path = place.memory
    yield from _place(path)
    if not os.path.lexists(path):
        yield Finding("memory", "ok", f"{path} is not there yet; the first call makes it")
        return
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no file"
        yield Finding("memory", "failure", f"{path} is {kind}", command("unset", "PRACTICUM_MEMORY"))
        return
    yield from _access(path)
    if was_cut_short(path):
        # What it was to forget is written nowhere, on purpose: only whoever gave it can give it again.
        text = f"a forgetting was cut short: give that learner forget again; {_ERASES}"
        yield Finding("forgetting", "failure", text, place.learner("forget", "--before", "1970-01-01", "--yes"))
    try:
        with Inspection(path) as inspection:
            yield from _inside(inspection, place)
    except MemoryBusyError as error:
        yield Finding("memory", "warning", str(error), place.learner("doctor"))
    except MemoryDamagedError as error:
        yield Finding("memory", "failure", str(error), _move_away(path))
    except MemoryFileError as error:
        # A read-only or full disk, or somebody else's database: nothing that moving the file away would mend.
        yield Finding("memory", "failure", str(error), command("export", "PRACTICUM_MEMORY=ANOTHER-FILE"))


def spool_findings(place: Place) -> Iterator[Finding]:
    """Look for records that wait to be taken into the memory."""
    found = waiting_spools(place.memory)
    if not found:
        yield Finding("spool", "ok", "no record waits to be taken into the memory")
    for spool in found:
        if spool.records is None:
            yield Finding("spool", "warning", f"{spool.path} cannot be read", command("ls", "-l", spool.path))
        elif spool.is_living:
            text = f"{spool.records} records of a running relay wait in {spool.path}; it takes them in when it can"
            yield Finding("spool", "warning", text, place.learner("doctor"))
        else:
            text = f"{spool.records} records of a relay that ended wait in {spool.path}; the next command takes them in"
            yield Finding("spool", "warning", text, place.learner("calls"))


def limits(place: Place) -> tuple[float, int]:
    """Return for how many days what calls said is kept, and how many bytes the memory may have."""
    days = KEEP_DAYS if place.keep_days is None else place.keep_days
    return days, KEEP_BYTES if place.keep_bytes is None else int(place.keep_bytes)


def log_bytes(path: Path) -> int:
    """Return how long the memory's log is."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0


def _place(path: Path) -> Iterator[Finding]:
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    kind = file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        text = f"{folder} is on a network file system ({kind}), where SQLite can lose commits"
        yield Finding("memory", "failure", text, "export PRACTICUM_MEMORY=FILE-ON-A-LOCAL-DISK")
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"nothing can be written in {folder}"
        yield Finding("memory", "failure", text, command("chmod", "u+rwx", folder))


def _access(path: Path) -> Iterator[Finding]:
    """Calls hold what people work on: nobody else may read them."""
    index = index_folder(path)
    beside = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    beside += [index] if index.is_dir() else []
    open_to_others = []
    for one in beside:
        try:
            status = one.stat()
        except OSError:
            continue
        if status.st_uid != os.geteuid():
            text = f"{one} belongs to another user (number {status.st_uid})"
            yield Finding("memory access", "warning", text, command("chown", os.geteuid(), one))
        if stat.S_IMODE(status.st_mode) & 0o077:
            open_to_others.append(one)
    if open_to_others:
        text = f"others can read or change {', '.join(map(str, open_to_others))}"
        yield Finding("memory access", "warning", text, command("chmod", "go=", *open_to_others))
    elif not os.access(path, os.R_OK | os.W_OK):
        yield Finding("memory access", "failure", f"{path} cannot be read and written", command("chmod", "600", path))
    else:
        yield Finding("memory access", "ok", "nobody else can read the memory")


def _inside(inspection: Inspection, place: Place) -> Iterator[Finding]:
    path = place.memory
    missing, unknown = inspection.schema()
    if unknown:
        text = f"{path} was written by a newer version: it has schema step {unknown[-1]}"
        yield Finding("memory", "failure", text, command("pip", "install", "--upgrade", "practicum"))
        return
    seconds = float("inf") if place.thorough else LOOK_S
    problems, is_all = inspection.damage(seconds=seconds)
    search = [problem for problem in problems if "calls_fts" in problem]
    others = [problem for problem in problems if "calls_fts" not in problem]
    if others:
        text = f"{path} is damaged: {others[0]}" + (f" (and {len(others) - 1} more)" if len(others) > 1 else "")
        yield Finding("memory damage", "failure", text, _move_away(path))
    elif is_all:
        yield Finding("memory damage", "ok", "the memory is whole")
    else:
        text = f"no damage found in {seconds:.0f} s, in which not all of the memory could be read"
        yield Finding("memory damage", "ok", text, place.learner("doctor", "--thorough"))
    if search:
        yield Finding("search index", "warning", f"it is damaged: {search[0]}", place.learner("doctor", "--prune"))
    if missing:
        text = f"{path} is of an older version; the next command brings it up to date ({', '.join(missing)})"
        yield Finding("memory", "ok", text, place.learner("calls"))
        return
    count, newest = inspection.calls()
    last = f", the last of {when(newest)} UTC" if newest else ""
    yield Finding("memory", "ok", f"{path}: {count} calls{last}")
    yield from _limits(inspection, place)
    waiting, gone = inspection.in_flight()
    if waiting or gone:
        ended = f"; {gone} of relays that ended become calls without an answer with the next command" if gone else ""
        yield Finding("calls in flight", "ok", f"{waiting} wait for an answer{ended}")
    if problem := inspection.query_index_problem():
        yield Finding("query index", "warning", f"{index_folder(path)}: {problem}", place.learner("doctor", "--prune"))


def _limits(inspection: Inspection, place: Place) -> Iterator[Finding]:
    days, most = limits(place)
    due = inspection.due(keep_days=days, keep_bytes=most)
    reasons = []
    if due.old_calls:
        reasons.append(f"{due.old_calls} calls are older than {days:g} days")
    if due.bytes_over:
        reasons.append(f"it is {megabytes(due.bytes_over)} above its {megabytes(most)}")
    if reasons:
        yield Finding(
            "memory size",
            "warning",
            f"{megabytes(due.bytes_now)}; {' and '.join(reasons)}",
            place.learner("doctor", "--prune"),
        )
    else:
        within = f"{megabytes(most)} and {days:g} days"
        yield Finding("memory size", "ok", f"{megabytes(due.bytes_now)}, within its limits ({within})")
    size = log_bytes(place.memory)
    if size > LONG_LOG:
        text = f"its log has grown to {megabytes(size)}: a process that reads for long keeps it from being emptied"
        yield Finding("memory log", "warning", text, place.learner("doctor", "--prune"))


def _move_away(path: Path) -> str:
    """What was in it may be brought back with the sqlite3 program's .recover; relays make a new one meanwhile."""
    return command("mv", path, path.with_name(path.name + ".damaged"))
