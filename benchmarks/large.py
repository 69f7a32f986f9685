"""What messages of many megabytes cost: no relay at all, the barest forwarder, the relay, in turn.

    python -m benchmarks.large [--megabytes 10] [--rounds 10] [--shapes text ...] [--json]

Both ends do their work: the server parses each request and serialises each result, the client serialises and parses
too; a figure is the message's bytes by the time from before it is made to after it is read. `text` is one long ASCII
string, `escapes` one with quotes, line breaks and emoji in it, `dense` lists and objects of numbers and short strings.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.relay import ROOT

SHAPES = ("text", "escapes", "dense")


def shaped(shape: str, size: int) -> Any:
    """Return a value of about `size` bytes of JSON."""
    if shape == "text":
        return "ten bytes " * (size // 10)
    if shape == "escapes":
        line = 'He said: "no" \N{GRINNING FACE}, or was it C:\\temp? é\n'
        return line * (size // len(spelled(line)))
    rows: list[Any] = []
    left = size
    while left > 0:
        number = len(rows)
        rows.append({"id": number, "tags": ["a", f"b{number % 7}"], "at": {"x": number / 3, "y": [[number], None]}})
        left -= len(spelled(rows[-1])) + 2
    return rows


def spelled(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def serve(size: int) -> None:
    """A server whose one tool returns what it is asked for, or says how much it was given."""
    results = {shape: shaped(shape, size) for shape in SHAPES}
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        arguments = request.get("params", {}).get("arguments", {})
        value = results.get(arguments.get("give"), len(line))
        result = {"content": [value if isinstance(value, list) else {"type": "text", "text": value}]}
        data = memoryview(spelled({"jsonrpc": "2.0", "id": request["id"], "result": result}) + b"\n")
        while data:
            data = data[os.write(1, data) :]


class Client:
    """Speaks to one peer over its pipes."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0)
        self.rate(give="nothing")

    def rate(self, **arguments: Any) -> float:
        """Return the megabytes a second of one call, by the longer of its two messages."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        started = time.perf_counter()
        params = {"name": "t", "arguments": arguments}
        asked = spelled({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) + b"\n"
        data = memoryview(asked)
        while data:
            data = data[os.write(self.process.stdin.fileno(), data) :]
        pieces = [b""]
        while not pieces[-1].endswith(b"\n"):
            pieces.append(os.read(self.process.stdout.fileno(), 1 << 20))
            if not pieces[-1]:
                raise EOFError("the peer ended")
        answer = b"".join(pieces)
        json.loads(answer)
        return max(len(asked), len(answer)) / 1e6 / (time.perf_counter() - started)

    def peak_mb(self) -> float:
        """Return the most memory that the peer ever held, in MB; Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def peers(memory: Path, size: int) -> dict[str, list[str]]:
    """Return the command of each peer, by name."""
    server = [sys.executable, "-m", "benchmarks.large", "--serve", str(size)]
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "large", "--memory", str(memory), "--"]
    return {
        "direct": server,
        "bare forwarder": [sys.executable, "-m", "benchmarks.bare", "stdio", *server],
        "relay": [*relay, *server],
    }


def measure(megabytes: int, rounds: int, shapes: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each shape and direction: MB/s of each peer (medians), and the peak memory of each so far."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            value = shaped(shape, megabytes * 1_000_000)
            for direction, arguments in (("results", {"give": shape}), ("requests", {"value": value})):
                commands = peers(Path(folder) / "memory.db", megabytes * 1_000_000)
                clients = {name: Client(command) for name, command in commands.items()}
                rates: dict[str, list[float]] = {name: [] for name in clients}
                for _ in range(rounds):
                    for name, client in clients.items():
                        rates[name].append(client.rate(**arguments))
                row: dict[str, Any] = {"shape": shape, "direction": direction}
                row |= {f"{name} MB/s": round(statistics.median(rates[name]), 1) for name in clients}
                row["relay / direct"] = round(row["relay MB/s"] / row["direct MB/s"], 2)
                row |= {f"{name} peak MB": round(clients[name].peak_mb(), 1) for name in ("bare forwarder", "relay")}
                rows.append(row)
                for client in clients.values():
                    client.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="What messages of many megabytes cost.")
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=SHAPES)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    rows = measure(options.megabytes, options.rounds, options.shapes)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("".join(f"{column:>23}" for column in rows[0]))
    for row in rows:
        print("".join(f"{value:>23}" for value in row.values()))


if __name__ == "__main__":
    main()
