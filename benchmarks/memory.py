"""How the memory holds up at a million calls with a million distinct queries.

    python -m benchmarks.memory [--calls 1000000] [--folder DIR]

Queries are the STE suite's own with 30 % of their words exchanged for other words of the suite. Nearest-query search is
run beside its peer, SQLite FTS5 (porter, all words OR-ed, bm25), on the same queries in the same run. A call is
committed as the relay commits it: handed to the writer's thread, waited for.
"""

import argparse
import json
import multiprocessing
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import apsw

from middleware.memory.database import open_database
from middleware.memory.identity import new_uid, now
from middleware.memory.nearest import NearestIndex
from middleware.memory.spool import Record
from middleware.memory.store import Memory
from middleware.memory.writer import FIRST_LOOK, Writer

SUITE = Path(__file__).parents[2] / "shared" / "suites" / "ste"
SMALL = 20_000


def synthetic_queries(count: int, seed: int) -> list[str]:
    lines = [line for split in ("train", "dev") for line in (SUITE / f"cases-{split}.jsonl").read_text().splitlines()]
    originals = [json.loads(line)["query"].split() for line in lines]
    words = [word for query in originals for word in query]
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        query = " ".join(draw.choice(words) if draw.random() < 0.3 else word for word in draw.choice(originals))
        made[query] = None
    return list(made)


def percentiles(milliseconds: Sequence[float]) -> str:
    ordered = sorted(milliseconds)
    return (
        f"median {statistics.median(ordered):8.3f} ms   p95 {ordered[int(len(ordered) * 0.95)]:8.3f} ms   "
        f"p99 {ordered[int(len(ordered) * 0.99)]:8.3f} ms   (n = {len(ordered)})"
    )


def timed(work: Callable[[str], object], queries: Iterable[str]) -> list[float]:
    taken = []
    for query in queries:
        start = time.perf_counter()
        work(query)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def fill(path: Path, queries: Sequence[str]) -> None:
    """Write calls and trials straight into the tables: how they get there is measured apart."""
    database = open_database(path)
    result = json.dumps({"content": [{"type": "text", "text": "x" * 200}]})
    with database:
        database.execute("INSERT INTO servers VALUES ('s', 'bench', 'bench', '2026-01-01T00:00:00.000Z')")
        database.executemany(
            """
            INSERT INTO calls (uid, server_uid, session_uid, tool_name, arguments_json, result_json, outcome,
                created_at, duration_ms, request_bytes, result_bytes, jsonrpc_id, trial_uid)
            VALUES (?, 's', 'u', ?, ?, ?, ?, '2026-01-01T00:00:00.000Z', 1.5, 100, 250, '1', ?)
            """,
            (
                (
                    f"c{number}",
                    f"tool_{number % 40}",
                    json.dumps({"query": query}),
                    result,
                    "result" if number % 7 else "tool_error",
                    f"t{number}",
                )
                for number, query in enumerate(queries)
            ),
        )
        database.executemany(
            "INSERT INTO trials (uid, server_uid, query, source, created_at) "
            "VALUES (?, 's', ?, 'import', '2026-01-01T00:00:00.000Z')",
            ((f"t{number}", query) for number, query in enumerate(queries)),
        )
    database.close()


def fts5(queries: Sequence[str]) -> Callable[[str], object]:
    database = apsw.Connection("")
    with database:
        database.execute("CREATE VIRTUAL TABLE f USING fts5 (query, tokenize='porter unicode61')")
        database.executemany("INSERT INTO f VALUES (?)", ((query,) for query in queries))

    def search(query: str) -> object:
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", query.lower())))
        return database.execute("SELECT rowid FROM f WHERE f MATCH ? ORDER BY rank LIMIT 8", (match,)).fetchall()

    return search


def nearest(queries: Sequence[str], asked: Sequence[str], peers_asked: int) -> None:
    for count in sorted({min(SMALL, len(queries)), len(queries)}):
        index = NearestIndex()
        start = time.perf_counter()
        index.add(enumerate(queries[:count]))
        built = time.perf_counter() - start
        timed(index.nearest, asked[:20])
        print(f"8 nearest of {count:>9,}   {percentiles(timed(index.nearest, asked))}   built in {built:.1f} s")
        peer = fts5(queries[:count])
        timed(peer, asked[:3])
        print(f"  FTS5 (peer)            {percentiles(timed(peer, asked[:peers_asked]))}")


def commits(path: Path, count: int) -> list[float]:
    """Commit `count` calls through the relay's writer, one after the other; return each one's milliseconds."""
    woken = threading.Event()
    writer = Writer(path, "s", wake=woken.set, report=print)
    writer.start()
    while writer.done < FIRST_LOOK:
        woken.wait()
    taken = []
    for number in range(count):
        uid = new_uid()
        record: Record = {
            "kind": "call",
            "uid": uid,
            "server_uid": "s",
            "session_uid": "u",
            "tool_name": f"tool_{number % 40}",
            "tool_hash": "h",
            "arguments_json": json.dumps({"query": f"number {number}"}),
            "result_json": json.dumps({"content": [{"type": "text", "text": "x" * 200}]}),
            "outcome": "result",
            "error": None,
            "error_code": None,
            "created_at": now(),
            "duration_ms": 1.0,
            "request_bytes": 100,
            "result_bytes": 250,
            "jsonrpc_id": "1",
            "rounds": 1,
            "corrects": None,
            "trial_uid": None,
        }
        woken.clear()
        start = time.perf_counter()
        ticket = writer.submit([record], awaited=True)
        writer.send()
        while writer.done < ticket:
            woken.wait()
            woken.clear()
        taken.append((time.perf_counter() - start) * 1000)
        time.sleep(0.001)  # a call and its answer do not come back to back
    writer.close(5)
    return taken


def whole_command(path: Path, *arguments: str) -> float:
    command = [sys.executable, "-I", "-m", "learner", "--memory", str(path), *arguments]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--peers-asked", type=int, default=20)
    options = parser.parse_args()
    if not SUITE.is_dir():
        print(f"skipped: the queries are made from the suite at {SUITE}, which is not there")
        return
    queries = synthetic_queries(options.calls, seed=1)
    asked = synthetic_queries(options.asked, seed=2)
    print(f"{options.calls:,} queries, all distinct")
    nearest(queries, asked, options.peers_asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        start = time.perf_counter()
        fill(path, queries)
        size, filled = path.stat().st_size / 1e6, time.perf_counter() - start
        print(f"memory of {options.calls:,} calls and trials: {size:.0f} MB, {filled:.0f} s")
        for command in ("calls", "servers", "tools", "tools --failures", "trials"):
            taken = whole_command(path, *command.split()) * 1000
            print(f"learner {command:<16} {taken:8.0f} ms (whole process, median of 5)")
        start = time.perf_counter()
        with Memory(path) as memory:
            memory.nearest_queries(asked[0])
            print(f"index beside the memory, first use: {time.perf_counter() - start:.1f} s")
            print(f"  then on disk           {percentiles(timed(memory.nearest_queries, asked))}")
            start = time.perf_counter()
            memory.calls(search="weather forecast")
            print(f"full text, first use: {time.perf_counter() - start:.1f} s")
            searched = timed(lambda query: memory.calls(search=" ".join(query.split()[:3])), asked[:50])
            print(f"  then                   {percentiles(searched)}")
        print(f"one call committed       {percentiles(commits(path, 2000))}")
        fresh = Path(folder) / "eight.db"
        open_database(fresh).close()
        with multiprocessing.get_context("spawn").Pool(8) as pool:
            all_taken = [value for values in pool.starmap(commits, [(fresh, 500)] * 8) for value in values]
        print(f"  8 writers at once      {percentiles(all_taken)}")


if __name__ == "__main__":
    main()
