"""What the relay adds to a message, beside its peers in the same run: no relay at all, and the barest forwarder.

    python -m benchmarks.relay [--calls 1000] [--json]

The peers are called in turn, one call each, so that whatever else the machine does hits all alike. The bare forwarder
is asyncio, parses nothing and records nothing. The locked memory is held by this process with BEGIN EXCLUSIVE.
"""

import argparse
import asyncio
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import psutil

from middleware.memory.database import open_database
from middleware.memory.rows import close_orphans, take_in_spools

ROOT = Path(__file__).parents[1]
PARALLEL = 50
DELAY_MS = 20
TOOLS = [
    {"name": "echo", "description": "Say it again.", "inputSchema": {"type": "object", "properties": {"text": {}}}}
]


async def serve() -> None:
    """A server that echoes, after `delay_ms` where that is asked for, without the SDK's own milliseconds."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    def answer(identifier: object, result: object) -> None:
        data = json.dumps({"jsonrpc": "2.0", "id": identifier, "result": result}).encode() + b"\n"
        while data:
            data = data[os.write(1, data) :]

    while line := await reader.readline():
        request = json.loads(line)
        if request["method"] == "initialize":
            answer(request["id"], {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {}})
        elif request["method"] == "tools/list":
            answer(request["id"], {"tools": TOOLS})
        elif request["method"] == "tools/call":
            arguments = request["params"]["arguments"]
            result = {"content": [{"type": "text", "text": arguments["text"] * arguments.get("times", 1)}]}
            loop.call_later(arguments.get("delay_ms", 0) / 1000, answer, request["id"], result)


async def forward(command: Sequence[str]) -> None:
    """The bare peer: lines in both directions, not looked at."""
    loop = asyncio.get_running_loop()
    child = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 26)
    assert child.stdin is not None
    assert child.stdout is not None
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while line := await source.readline():
            sink.write(line)
            await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, child.stdin), pump(child.stdout, writer))
    await child.wait()


class Client:
    """Speaks to one peer over its pipes, with nothing in between."""

    def __init__(self, command: Sequence[str]) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        self._identifier = 0
        self._buffer = bytearray()
        self._request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "b"}})
        self._request("tools/list", {})
        self.start_ms = (time.perf_counter() - started) * 1000

    def call(self, **arguments: Any) -> float:
        """Return how many milliseconds one call took."""
        started = time.perf_counter()
        self._request("tools/call", {"name": "echo", "arguments": {"text": "hello", **arguments}})
        return (time.perf_counter() - started) * 1000

    def parallel(self, count: int, delay_ms: int) -> float:
        """Return how many milliseconds `count` calls at once took, each of which waits `delay_ms` in the server."""
        started = time.perf_counter()
        arguments = {"text": "hello", "delay_ms": delay_ms}
        self._send("".join(self._line("tools/call", {"name": "echo", "arguments": arguments}) for _ in range(count)))
        for _ in range(count):
            self._receive()
        return (time.perf_counter() - started) * 1000

    def rss_mb(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def _line(self, method: str, params: dict[str, Any]) -> str:
        self._identifier += 1
        return json.dumps({"jsonrpc": "2.0", "id": self._identifier, "method": method, "params": params}) + "\n"

    def _request(self, method: str, params: dict[str, Any]) -> None:
        self._send(self._line(method, params))
        self._receive()

    def _send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def _receive(self) -> bytes:
        assert self.process.stdout is not None
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not select.select([self.process.stdout], [], [], 30)[0]:
                raise TimeoutError("no answer in 30 s")
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                raise EOFError("the peer ended")
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line


def peers(memory: Path) -> dict[str, list[str]]:
    """Return the command of each peer, by name."""
    server = [sys.executable, "-m", "benchmarks.relay", "--serve"]
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "echo", "--memory", str(memory), "--"]
    return {
        "direct": server,
        "bare forwarder": [sys.executable, "-m", "benchmarks.relay", "--forward", *server],
        "relay": [*relay, *server],
    }


def measure(calls: int = 1000, rounds: int = 5) -> dict[str, dict[str, float]]:
    """Return for each peer the times of sequential calls, of 50 at once and of starting, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        commands = peers(Path(folder) / "memory.db")
        starts: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                client = Client(command)
                starts[name].append(client.start_ms)
                client.close()
        clients = {name: Client(command) for name, command in commands.items()}
        times: dict[str, list[float]] = {name: [] for name in clients}
        parallel: dict[str, list[float]] = {name: [] for name in clients}
        large: dict[str, list[float]] = {name: [] for name in clients}
        names = list(clients)
        for turn in range(calls):
            for name in names[turn % 3 :] + names[: turn % 3]:
                times[name].append(clients[name].call())
        for _ in range(rounds):
            for name, client in clients.items():
                parallel[name].append(client.parallel(PARALLEL, DELAY_MS))
        rss = {name: client.rss_mb() for name, client in clients.items()}
        for _ in range(rounds):
            for name, client in clients.items():
                large[name].append(client.call(times=200_000))
        for client in clients.values():
            client.close()
    return {
        name: {
            "median_ms": statistics.median(times[name]),
            "p95_ms": statistics.quantiles(times[name], n=100)[94],
            "p99_ms": statistics.quantiles(times[name], n=100)[98],
            "parallel_ms": statistics.median(parallel[name]),
            "megabyte_ms": statistics.median(large[name]),
            "start_ms": statistics.median(starts[name]),
            "rss_mb": rss[name],
        }
        for name in names
    }


def measure_locked(seconds: float = 5.0) -> dict[str, float]:
    """Return the worst wait while the memory is held for `seconds`, and how the calls made meanwhile were kept."""
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory.db"
        client = Client(peers(memory)["relay"])
        baseline = statistics.median(client.call() for _ in range(50))
        holder = apsw.Connection(str(memory))
        holder.set_busy_timeout(1000)
        holder.execute("BEGIN EXCLUSIVE")
        times = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            times.append(client.call())
            time.sleep(0.005)
        holder.execute("ROLLBACK")
        times += [client.call() for _ in range(50)]
        client.close()
        connection = open_database(memory)
        take_in_spools(connection, memory)
        close_orphans(connection)
        kept = connection.execute("SELECT count(*), count(DISTINCT jsonrpc_id) FROM calls").fetchall()[0]
    return {
        "median_before_ms": baseline,
        "median_ms": statistics.median(times),
        "worst_ms": max(times),
        "calls": len(times) + 50,
        "rows": int(str(kept[0])),
        "distinct": int(str(kept[1])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What the relay adds to a message.")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--forward", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.forward:
        asyncio.run(forward(options.forward))
    elif options.serve:
        asyncio.run(serve())
    else:
        table, locked = measure(options.calls), measure_locked()
        if options.json:
            print(json.dumps({"peers": table, "locked": locked}, indent=2))
            return
        columns = list(table["direct"])
        print("".join(f"{column:>16}" for column in ["", *columns]))
        for name, row in table.items():
            print(f"{name:>16}" + "".join(f"{row[column]:>16.3f}" for column in columns))
        print("memory held: " + ", ".join(f"{name} {value:.3f}" for name, value in locked.items()))


if __name__ == "__main__":
    main()
