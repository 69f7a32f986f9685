"""Does a relay grow, in memory, in open files or in processes, when it lives long?

    python -m benchmarks.soak [--way WAY] [--load LOAD] [--calls 100000] [--sessions 2000] [--clients 10000] [--json]

Ways are those of `benchmarks.kill`; all in turn without --way. On each, one client makes `calls`, one after the other,
with arguments and results of a few hundred bytes. Over HTTP there are two loads more: `sessions`, each opened, used for
one call and ended, and `clients` of the revision without sessions, each of another name, that make one call each.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.ways import TIMEOUT_S, WAYS, Client, HttpClient, client_of, remote, start_relay
from middleware.memory.database import open_database

SAMPLES = 10
LOADS = ("calls", "sessions", "clients")


@dataclass(frozen=True)
class Sample:
    """How the relay stood after so many calls."""

    calls: int
    rss_mb: float
    descriptors: int
    threads: int
    children: int
    mean_ms: float  # of the calls since the sample before


def measure(calls: int, way: str = "stdio", load: str = "calls") -> tuple[list[Sample], int]:
    """Return ten samples of a relay that `calls` calls go through, and how many calls were in the memory at the end."""
    samples = []
    with tempfile.TemporaryDirectory() as folder, remote() if way.endswith("url") else nullcontext("") as url:
        memory = Path(folder) / "memory.db"
        relay = start_relay(way, memory, name="soak", url=url, errors=subprocess.DEVNULL)
        client = client_of(way, relay, LOADS.index(load) // 2)
        one = _one(client, load)
        process = psutil.Process(relay.pid)
        for done in range(0, calls, calls // SAMPLES):
            started = time.perf_counter()
            for number in range(done, done + calls // SAMPLES):
                one(str(number))
            seconds = time.perf_counter() - started
            samples.append(
                Sample(
                    calls=done + calls // SAMPLES,
                    rss_mb=round(process.memory_info().rss / 1e6, 2),
                    descriptors=process.num_fds(),
                    threads=process.num_threads(),
                    children=len(process.children()),
                    mean_ms=round(seconds * 1000 / (calls // SAMPLES), 3),
                )
            )
            if sys.stderr.isatty():
                print(f"\r{samples[-1].calls} calls", end="", file=sys.stderr)
        client.close()
        if way.startswith("http"):
            relay.terminate()
        relay.wait(TIMEOUT_S)
        if relay.stderr is not None:
            relay.stderr.close()
        connection = open_database(memory)
        rows = int(str(connection.execute("SELECT count(DISTINCT uid) FROM calls").fetchall()[0][0]))
        connection.close()
    return samples, rows


def _one(client: Client, load: str) -> Callable[[str], None]:
    """Return what makes one call of a load."""

    def call(identifier: str) -> None:
        assert list(client.calls([identifier])) == [identifier]

    def session(identifier: str) -> None:
        assert isinstance(client, HttpClient)
        client.begin()
        call(identifier)
        client.end()

    def of_another_name(identifier: str) -> None:
        assert isinstance(client, HttpClient)
        client.name = f"client {identifier}"
        call(identifier)

    return {"calls": call, "sessions": session, "clients": of_another_name}[load]


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether a relay grows.")
    parser.add_argument("--way", choices=WAYS, help="Only this one.")
    parser.add_argument("--load", choices=LOADS, help="Only this one.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    for way in [options.way] if options.way else WAYS:
        for load in [options.load] if options.load else LOADS if way.startswith("http") else LOADS[:1]:
            samples, rows = measure(getattr(options, load), way, load)
            if options.json:
                found = {"way": way, "load": load, "samples": [asdict(sample) for sample in samples], "rows": rows}
                print(json.dumps(found), flush=True)
                continue
            print(f"{way}, {load}")
            print("  ".join(f"{name:>11}" for name in asdict(samples[0])))
            for sample in samples:
                print("  ".join(f"{value:>11}" for value in asdict(sample).values()))
            print(f"in the memory: {rows} calls", flush=True)


if __name__ == "__main__":
    main()
