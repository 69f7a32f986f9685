"""What the relay adds to a message, beside its peers in the same run, on both transports.

    python -m benchmarks.relay [--calls 1000] [--rounds 5] [--only GROUP] [--server echo|sdk_echo] [--json]

Four groups, by the transport before and behind each peer: 'stdio', 'http', 'http to stdio' and 'stdio to http'. In
each, `direct` is no peer at all; `bare` passes on what comes and looks at nothing; `fastmcp` and `mcp-proxy` are the
proxies most used (`make bench` installs them; without them they are left out, and said so). The same server stands
behind all: `echo`, which takes next to no time of its own, or `sdk_echo`, which takes what the SDK's servers take.
mcp-proxy speaks HTTP on one side only: for both, two of them stand one behind the other. The peers of a group are
called in turn, one call each, so that whatever else the machine does hits all.
"""

import argparse
import asyncio
import json
import math
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import apsw
import psutil

from middleware.memory.database import open_database
from middleware.memory.rows import close_orphans, take_in_spools

ROOT = Path(__file__).parents[1]
FASTMCP = ROOT / "tests" / "foreign" / ".venv" / "bin" / "python"
MCP_PROXY = ROOT / "benchmarks" / ".venv" / "bin" / "mcp-proxy"
PARALLEL = 50
DELAY_MS = 20
MEGABYTES = 10
TIMEOUT_S = 20
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
SERVERS = ("echo", "sdk_echo")


class Client(Protocol):
    """Speaks to one peer."""

    process: subprocess.Popen[bytes]

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]: ...

    def parallel(self, count: int, params: dict[str, Any]) -> None:
        """Make `count` calls at once."""

    def close(self) -> None: ...


class StdioClient:
    """Speaks lines to a peer over its pipes, with nothing in between."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, bufsize=0
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._identifier = 0
        self._rest = b""

    def notify(self, method: str) -> None:
        self._send(json.dumps({"jsonrpc": "2.0", "method": method}).encode() + b"\n")

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._send(self._line(method, params))
        return self._receive()

    def parallel(self, count: int, params: dict[str, Any]) -> None:
        self._send(b"".join(self._line("tools/call", params) for _ in range(count)))
        for _ in range(count):
            self._receive()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(TIMEOUT_S)

    def _line(self, method: str, params: dict[str, Any]) -> bytes:
        self._identifier += 1
        message = {"jsonrpc": "2.0", "id": self._identifier, "method": method, "params": params}
        return json.dumps(message).encode() + b"\n"

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._input, left) :]

    def _receive(self) -> dict[str, Any]:
        """Return the next response."""
        while True:
            pieces = [self._rest]
            while b"\n" not in pieces[-1]:
                if not select.select([self._output], [], [], TIMEOUT_S)[0]:
                    raise TimeoutError(f"no answer in {TIMEOUT_S} s")
                pieces.append(os.read(self._output, 1 << 20))
                if not pieces[-1]:
                    raise EOFError("the peer ended")
            last, _, self._rest = pieces.pop().partition(b"\n")
            message: dict[str, Any] = json.loads(b"".join([*pieces, last]))
            if "method" not in message:
                return message


class HttpClient:
    """Speaks streamable HTTP to a peer."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._url = url
        self._identifier = 0
        self._headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    def notify(self, method: str) -> None:
        self._runner.run(self._post({"jsonrpc": "2.0", "method": method}))

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return self._runner.run(self._request(method, params))

    def parallel(self, count: int, params: dict[str, Any]) -> None:
        async def all_at_once() -> None:
            await asyncio.gather(*(self._request("tools/call", params) for _ in range(count)))

        self._runner.run(all_at_once())

    def close(self) -> None:
        self._runner.run(self._session.close())
        self._runner.close()

    async def _open(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout, read_bufsize=1 << 20)

    async def _request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._identifier += 1
        body = await self._post({"jsonrpc": "2.0", "id": self._identifier, "method": method, "params": params})
        for event in body.replace(b"\r\n", b"\n").split(b"\n\n") if body[:1] != b"{" else [b"data: " + body]:
            data = event.partition(b"data: ")[2]
            message: dict[str, Any] = json.loads(data) if data else {}
            if "result" in message or "error" in message:
                return message
        raise ValueError(f"no response in {body[:200]!r}")

    async def _post(self, message: dict[str, Any]) -> bytes:
        data = json.dumps(message).encode()
        headers = {**self._headers, "Content-Length": str(len(data))}
        async with self._session.post(self._url, data=_pieces(data), headers=headers) as response:
            if session := response.headers.get("Mcp-Session-Id"):
                self._headers |= {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
            return await response.read()


async def _pieces(data: bytes) -> Any:
    for start in range(0, len(data), 1 << 18):
        yield data[start : start + (1 << 18)]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def opened(front: str, command: Callable[[int], Sequence[str]]) -> Iterator[tuple[Client, float]]:
    """Start a peer, give a client that has listed its tools, and the milliseconds from the start to that."""
    port = _free_port()
    started = time.perf_counter()
    with ExitStack() as stack:
        client: StdioClient | HttpClient
        if front == "stdio":
            client = StdioClient(command(port))
        else:
            process = stack.enter_context(running(command(port)))
            _wait_for(port, process)
            client = HttpClient(f"http://127.0.0.1:{port}/mcp", process)
        stack.callback(client.close)
        client.request("initialize", HELLO)
        client.notify("notifications/initialized")
        assert client.request("tools/list", {})["result"]["tools"][0]["name"] == "echo"
        yield client, (time.perf_counter() - started) * 1000


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.002)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}: {process.args!r}")


def groups(memory: Path, url: str, server: str = "echo") -> dict[str, dict[str, Callable[[int], Sequence[str]]]]:
    """Return, by group and peer, what starts it; a server over HTTP listens on the port it is given."""
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "echo", "--memory", str(memory)]
    bare = [sys.executable, "-m", "benchmarks.bare"]
    fastmcp = [str(FASTMCP), str(ROOT / "benchmarks" / "fastmcp_proxy.py")]
    served = [sys.executable, "-m", f"benchmarks.{server}", "http"]
    echo = [sys.executable, "-m", f"benchmarks.{server}", "stdio"]
    mcp_proxy = str(MCP_PROXY)
    found: dict[str, dict[str, Callable[[int], Sequence[str]]]] = {
        "stdio": {
            "direct": lambda _: echo,
            "bare": lambda _: [*bare, "stdio", *echo],
            "relay": lambda _: [*relay, "--", *echo],
            "fastmcp": lambda _: [*fastmcp, "stdio", *echo],
        },
        "http": {
            "direct": lambda port: [*served, str(port)],
            "bare": lambda port: [*bare, "http", str(port), url],
            "relay": lambda port: [*relay, "--http", f"127.0.0.1:{port}", "--url", url],
            "mcp-proxy": lambda port: [
                *(mcp_proxy, "--port", str(port), "--log-level", "ERROR", "--"),
                *(mcp_proxy, "--transport", "streamablehttp", "--log-level", "ERROR", url),
            ],
            "fastmcp": lambda port: [*fastmcp, str(port), url],
        },
        "http to stdio": {
            "direct": lambda port: [*served, str(port)],
            "relay": lambda port: [*relay, "--http", f"127.0.0.1:{port}", "--", *echo],
            "mcp-proxy": lambda port: [mcp_proxy, "--port", str(port), "--log-level", "ERROR", "--", *echo],
            "fastmcp": lambda port: [*fastmcp, str(port), *echo],
        },
        "stdio to http": {
            "direct": lambda _: echo,
            "relay": lambda _: [*relay, "--url", url],
            "mcp-proxy": lambda _: [mcp_proxy, "--transport", "streamablehttp", "--log-level", "ERROR", url],
            "fastmcp": lambda _: [*fastmcp, "stdio", url],
        },
    }
    for name, path in (("fastmcp", FASTMCP), ("mcp-proxy", MCP_PROXY)):
        if not path.exists():
            print(f"{name} is left out: it is not installed; make bench installs it", file=sys.stderr)
            for peers in found.values():
                peers.pop(name, None)
    return found


def measure(group: str, peers: dict[str, Callable[[int], Sequence[str]]], calls: int, rounds: int) -> dict[str, Any]:
    """Return for each peer of a group its times, its start and its memory."""
    front = group.split()[0]
    starts: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, command in peers.items():
            with opened(front, command) as (_, start_ms):
                starts[name].append(start_ms)
    with ExitStack() as stack:
        clients = {name: stack.enter_context(opened(front, command))[0] for name, command in peers.items()}
        names = list(clients)
        times: dict[str, list[float]] = {name: [] for name in names}
        parallel: dict[str, list[float]] = {name: [] for name in names}
        down: dict[str, list[float]] = {name: [] for name in names}
        up: dict[str, list[float]] = {name: [] for name in names}
        for turn in range(-20, calls):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                elapsed = _timed(clients[name], {"text": "hello"})
                if turn >= 0:
                    times[name].append(elapsed)
        for _ in range(rounds):
            for name, client in clients.items():
                started = time.perf_counter()
                client.parallel(PARALLEL, _call({"text": "hello", "delay_ms": DELAY_MS}))
                parallel[name].append((time.perf_counter() - started) * 1000)
        small = {name: _peak_mb(client) for name, client in clients.items()}
        text = "x" * (MEGABYTES * 1_000_000)
        for _ in range(rounds):
            for name, client in clients.items():
                # What was refused once is not asked again: some peers never answer it.
                for rates, arguments in (
                    (down, {"text": "ten bytes ", "times": len(text) // 10}),
                    (up, {"text": text}),
                ):
                    refused = rates[name] and math.isnan(rates[name][-1])
                    rates[name].append(math.nan if refused else _rate(client, arguments))
        return {
            name: {
                "median_ms": statistics.median(times[name]),
                "p95_ms": statistics.quantiles(times[name], n=100)[94],
                "adds_ms": statistics.median(times[name]) - statistics.median(times["direct"]),
                "50_at_once_ms": statistics.median(parallel[name]),
                "start_ms": statistics.median(starts[name]),
                "peak_mb": small[name],
                "results_mb_s": statistics.median(down[name]),
                "requests_mb_s": statistics.median(up[name]),
                "then_peak_mb": _peak_mb(clients[name]),
            }
            for name in names
        }


def _call(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": "echo", "arguments": arguments}


def _timed(client: Client, arguments: dict[str, Any]) -> float:
    started = time.perf_counter()
    answer = client.request("tools/call", _call(arguments))
    elapsed = (time.perf_counter() - started) * 1000
    if "result" not in answer or answer["result"].get("isError"):
        raise ValueError(f"no result: {str(answer)[:200]}")
    return elapsed


def _rate(client: Client, arguments: dict[str, Any]) -> float:
    """Return the megabytes a second of a long message; nan when the peer refuses it."""
    try:
        return MEGABYTES * 1000 / _timed(client, arguments)
    except (ValueError, aiohttp.ClientError, TimeoutError, EOFError, BrokenPipeError):
        return math.nan


def _peak_mb(client: Client) -> float:
    """Return the most memory that the peer itself, not what stands behind it, has held so far."""
    try:
        status = Path(f"/proc/{client.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000
    except (OSError, StopIteration):  # no Linux: what it holds now
        return float(psutil.Process(client.process.pid).memory_info().rss / 1e6)


def measure_locked(seconds: float = 5.0) -> dict[str, float]:
    """Return the worst wait while the memory is held for `seconds`, and how the calls made meanwhile were kept."""
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory.db"
        with opened("stdio", groups(memory, "")["stdio"]["relay"]) as (client, _):
            before = [_timed(client, {"text": "hello"}) for _ in range(50)]
            holder = apsw.Connection(str(memory))
            holder.set_busy_timeout(1000)
            holder.execute("BEGIN EXCLUSIVE")
            times = []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                times.append(_timed(client, {"text": "hello"}))
                time.sleep(0.005)
            holder.execute("ROLLBACK")
            times += [_timed(client, {"text": "hello"}) for _ in range(50)]
        connection = open_database(memory)
        take_in_spools(connection, memory)
        close_orphans(connection)
        kept = connection.execute("SELECT count(*), count(DISTINCT jsonrpc_id) FROM calls").fetchall()[0]
    return {
        "median_before_ms": statistics.median(before),
        "median_ms": statistics.median(times),
        "worst_ms": max(times),
        "calls": len(before) + len(times),
        "rows": int(str(kept[0])),
        "distinct": int(str(kept[1])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What the relay adds to a message.")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server", choices=SERVERS, default="echo", help="What stands behind the peers.")
    parser.add_argument("--only", action="append", help="A group to measure; may be repeated.")
    parser.add_argument("--locked-seconds", type=float, default=5.0, help="How long the memory is held; 0: not.")
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        with running([sys.executable, "-m", f"benchmarks.{options.server}", "http", str(port)]) as server:
            _wait_for(port, server)
            url = f"http://127.0.0.1:{port}/mcp"
            for group, peers in groups(Path(folder) / "memory.db", url, options.server).items():
                if options.only is None or group in options.only:
                    found[group] = measure(group, peers, options.calls, options.rounds)
                    if not options.json:
                        _print(group, found[group])
    if options.locked_seconds:
        found["locked"] = measure_locked(options.locked_seconds)
        if not options.json:
            print("memory held: " + ", ".join(f"{name} {value:.3f}" for name, value in found["locked"].items()))
    if options.json:
        print(json.dumps(found, indent=2))


def _print(group: str, table: dict[str, dict[str, float]]) -> None:
    columns = list(table["direct"])
    print("".join(f"{column:>14}" for column in [group, *columns]))
    for name, row in table.items():
        print(f"{name:>14}" + "".join(f"{row[column]:>14.3f}" for column in columns))
    print(flush=True)


if __name__ == "__main__":
    main()
