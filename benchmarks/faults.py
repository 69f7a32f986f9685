"""Does a call fail or wait when the memory cannot be used, and is it remembered all the same?

    python -m benchmarks.faults [--way WAY] [--fault FAULT] [--seconds 5] [--locked-seconds 30] [--json]

One client calls every 5 ms, through a relay on stdio and through one over HTTP in front of a URL: for a while without a
fault, then for as long with it, then a little after its cause is gone. The memory holds 2,000 calls before. Full and
read-only disks are file systems of their own, which only root can make; without root they are left out.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import apsw

from benchmarks.ways import TIMEOUT_S, Client, RelayGoneError, client_of, remote, start_relay
from middleware.memory.database import open_database

FAULTS = ("full", "read-only", "header", "page", "locked")
WAYS = ("stdio", "http-url")
AT_START = ("read-only", "page")  # these need that no relay has the memory open when they begin
PAUSE_S = 0.005
CALLS_BEFORE = 2_000
CALLS_AFTER = 50
NOISE = random.Random(7).randbytes(4096)
# SQLite's log may have 40 MB of it before it is brought into the file.
DISK_MB = 96

# Begins a fault; what it returns removes the cause.
Begin = Callable[[Path], Callable[[], None]]


@dataclass(frozen=True)
class Report:
    """What came of one fault on one way."""

    fault: str
    way: str
    calls: int  # while it lasted
    failed: int
    worst_ms_without: float  # of as many calls, or nearly, without it
    worst_ms: float
    warnings: int
    made: int  # calls in all
    rows: int  # calls in the memory, once the cause is gone
    distinct: int

    @property
    def is_sound(self) -> bool:
        return self.failed == 0 and self.made == self.rows == self.distinct


class Calls:
    """A client, and what became of its calls."""

    def __init__(self, client: Client, made: int) -> None:
        self.made = made
        self.failed = 0
        self.client = client

    def during(self, seconds: float) -> list[float]:
        """Call every 5 ms; return how long each took, in milliseconds."""
        until = time.monotonic() + seconds
        times = []
        while time.monotonic() < until:
            times.append(self.one())
            time.sleep(PAUSE_S)
        return times

    def one(self) -> float:
        started = time.perf_counter()
        identifier = str(self.made)
        self.made += 1
        try:
            assert list(self.client.calls([identifier])) == [identifier]
        except (AssertionError, RelayGoneError):
            self.failed += 1
        return (time.perf_counter() - started) * 1000


def fill(memory: Path) -> Callable[[], None]:
    """Leave no room on the memory's disk."""
    filler = memory.parent / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    size = 1 << 16
    while size:
        try:
            os.write(descriptor, b"x" * size)
        except OSError:
            size //= 2
    os.close(descriptor)
    return filler.unlink


def make_read_only(memory: Path) -> Callable[[], None]:
    """Have the memory's disk refuse to be written; it cannot while somebody has it open for that."""
    disk = str(memory.parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    def undo() -> None:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)

    return undo


def damage_header(memory: Path) -> Callable[[], None]:
    """Overwrite what the file begins with, while the relay has it open."""
    return _overwrite(memory, 0, NOISE[:100])


def damage_page(memory: Path) -> Callable[[], None]:
    """Overwrite the page through which SQLite finds calls; a relay that has read it already would not notice."""
    connection = open_database(memory)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'calls'").fetchall()[0]
    connection.close()
    return _overwrite(memory, (int(str(page)) - 1) * len(NOISE), NOISE)


def _overwrite(memory: Path, start: int, noise: bytes) -> Callable[[], None]:
    with memory.open("r+b") as file:
        file.seek(start)
        before = file.read(len(noise))
        file.seek(start)
        file.write(noise)

    def repair() -> None:
        with memory.open("r+b") as file:
            file.seek(start)
            if file.read(len(noise)) == noise:  # else SQLite has brought it back, newer than ours
                file.seek(start)
                file.write(before)

    return repair


def lock(memory: Path) -> Callable[[], None]:
    """Hold the memory exclusively."""
    holder = apsw.Connection(str(memory))
    holder.set_busy_timeout(int(TIMEOUT_S * 1000))
    holder.execute("BEGIN EXCLUSIVE")

    def release() -> None:
        holder.execute("ROLLBACK")
        holder.close()

    return release


BEGIN: dict[str, Begin] = {
    "full": fill,
    "read-only": make_read_only,
    "header": damage_header,
    "page": damage_page,
    "locked": lock,
}


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """Make `folder` a small file system of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def measure(fault: str, way: str, seconds: float, calls_before: int = CALLS_BEFORE) -> Report:
    """Make calls on one way without and with a fault."""
    own_disk: AbstractContextManager[None]
    with tempfile.TemporaryDirectory() as name, remote() if way.endswith("url") else nullcontext("") as url:
        folder = Path(name) / "memory"
        folder.mkdir()
        own_disk = disk(folder) if fault in ("full", "read-only") else nullcontext()
        with own_disk:
            return _measure(fault, way, seconds, folder / "memory.db", url, calls_before)


def _measure(fault: str, way: str, seconds: float, memory: Path, url: str, calls_before: int) -> Report:
    open_database(memory).close()
    relay, calls = _start(way, memory, url, 0)
    for _ in range(calls_before):
        calls.one()
    # When it ends all is brought from the log into the file, where pages can be damaged; the log is then small.
    _end(way, relay, calls)
    relay, calls = _start(way, memory, url, calls.made)
    without = calls.during(seconds)
    if fault in AT_START:
        _end(way, relay, calls)
        undo = BEGIN[fault](memory)
        relay, calls = _start(way, memory, url, calls.made)
    else:
        undo = BEGIN[fault](memory)
    times = calls.during(seconds)
    undo()
    for _ in range(CALLS_AFTER):
        calls.one()
    rows, distinct = _wait_for(memory, calls.made)
    warnings = _end(way, relay, calls)
    return Report(
        fault=fault,
        way=way,
        calls=len(times),
        failed=calls.failed,
        worst_ms_without=round(max(without), 1),
        worst_ms=round(max(times), 1),
        warnings=warnings,
        made=calls.made,
        rows=rows,
        distinct=distinct,
    )


def _start(way: str, memory: Path, url: str, made: int) -> tuple[subprocess.Popen[bytes], Calls]:
    """Start a relay, and make a first call, which waits for the start."""
    relay = start_relay(way, memory, name="faults", url=url, errors=subprocess.PIPE)
    calls = Calls(client_of(way, relay, 1), made)
    calls.one()
    return relay, calls


def _end(way: str, relay: subprocess.Popen[bytes], calls: Calls) -> int:
    """End a relay; return how many lines it has said."""
    calls.client.close()
    if way.startswith("http"):
        relay.terminate()
    relay.wait(TIMEOUT_S)
    assert relay.stderr is not None
    with relay.stderr:
        return calls.client.warnings + len(relay.stderr.read().splitlines())


def _wait_for(memory: Path, made: int) -> tuple[int, int]:
    """Wait until the relay itself has put all calls into the memory; return how many it has, and how many distinct."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        connection = open_database(memory)
        found = connection.execute("SELECT count(*), count(DISTINCT jsonrpc_id) FROM calls").fetchall()[0]
        connection.close()
        rows, distinct = int(str(found[0])), int(str(found[1]))
        if rows >= made or time.monotonic() > deadline:
            return rows, distinct
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description="What becomes of calls when the memory cannot be used.")
    parser.add_argument("--way", choices=WAYS, help="Only this one.")
    parser.add_argument("--fault", choices=FAULTS, help="Only this one.")
    parser.add_argument("--seconds", type=float, default=5.0, help="How long each fault lasts.")
    parser.add_argument("--locked-seconds", type=float, default=30.0, help="How long the memory is locked.")
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    reports: list[Report] = []
    for fault in [options.fault] if options.fault else FAULTS:
        if fault in ("full", "read-only") and os.geteuid():
            print(f"{fault}: left out; a file system of its own needs root", file=sys.stderr)
            continue
        for way in [options.way] if options.way else WAYS:
            report = measure(fault, way, options.locked_seconds if fault == "locked" else options.seconds)
            if options.json:
                print(json.dumps(asdict(report)), flush=True)
            else:
                if not reports:
                    print("  ".join(f"{name:>16}" for name in asdict(report)))
                print("  ".join(f"{value:>16}" for value in asdict(report).values()), flush=True)
            reports.append(report)
    sys.exit(0 if all(report.is_sound for report in reports) else 1)


if __name__ == "__main__":
    main()
