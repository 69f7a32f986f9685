"""Does a relay grow, in memory or in open files, when it lives long?

    python -m benchmarks.soak [--calls 100000] [--json]

One client calls through one relay, one call after the other, with arguments and results of a few hundred bytes.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.relay import StdioClient
from middleware.memory.database import open_database

SAMPLES = 10
SERVER = """
import json, sys
for line in sys.stdin.buffer:
    message = json.loads(line)
    result = {"content": [{"type": "text", "text": message["params"].get("arguments", {}).get("text", "")}]}
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\\n")
    sys.stdout.buffer.flush()
"""


@dataclass(frozen=True)
class Sample:
    """How the relay stood after so many calls."""

    calls: int
    rss_mb: float
    descriptors: int
    threads: int
    mean_ms: float  # of the calls since the sample before


def measure(calls: int) -> tuple[list[Sample], int]:
    """Return ten samples of a relay that `calls` calls go through, and how many calls were in the memory at the end."""
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory.db"
        relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "soak", "--memory", str(memory), "--"]
        client = StdioClient([*relay, sys.executable, "-I", "-c", SERVER])
        process = psutil.Process(client.process.pid)
        for done in range(0, calls, calls // SAMPLES):
            started = time.perf_counter()
            for number in range(done, done + calls // SAMPLES):
                client.request("tools/call", {"name": "echo", "arguments": {"text": f"{number:>300}"}})
            seconds = time.perf_counter() - started
            samples.append(
                Sample(
                    calls=done + calls // SAMPLES,
                    rss_mb=round(process.memory_info().rss / 1e6, 2),
                    descriptors=process.num_fds(),
                    threads=process.num_threads(),
                    mean_ms=round(seconds * 1000 / (calls // SAMPLES), 3),
                )
            )
            if sys.stderr.isatty():
                print(f"\r{samples[-1].calls} calls", end="", file=sys.stderr)
        client.close()
        assert client.process.stdout is not None
        client.process.stdout.close()
        connection = open_database(memory)
        rows = int(str(connection.execute("SELECT count(DISTINCT uid) FROM calls").fetchall()[0][0]))
        connection.close()
    return samples, rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether a relay grows.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    samples, rows = measure(options.calls)
    if options.json:
        print(json.dumps({"samples": [asdict(sample) for sample in samples], "rows": rows}))
        return
    print("  ".join(f"{name:>11}" for name in asdict(samples[0])))
    for sample in samples:
        print("  ".join(f"{value:>11}" for value in asdict(sample).values()))
    print(f"in the memory: {rows} calls")


if __name__ == "__main__":
    main()
