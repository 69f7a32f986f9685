"""The four ways through the relay, each as a process to start and a client that calls through it.

Two clients in turn speak the two eras, where the way is HTTP: with a session of its own, and without any.
"""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 60.0
# What the client speaks, then what the server does.
WAYS = ("stdio", "stdio-url", "http-url", "http-stdio")
MODERN = "2026-07-28"
_LEGACY = "2025-11-25"

# Answers each request at once, without the start of a JSON library.
SERVER = """
import os, re, sys
result = b'{"content":[{"type":"text","text":"%s"}]}' % (b"x" * 300)
for line in sys.stdin.buffer:
    found = re.search(rb'"id": ("[^"]*")', line)
    if found is None: continue
    try:
        os.write(1, b'{"jsonrpc":"2.0","id":%s,"result":%s}\\n' % (found[1], result))
    except BrokenPipeError:
        break
"""


class RelayGoneError(Exception):
    """The relay died; what was asked was not answered."""


class Client(Protocol):
    """Calls through one relay."""

    warnings: int  # lines that the relay has said before it could be reached

    def calls(self, identifiers: Sequence[str]) -> Iterator[str]:
        """Make a call under each id, at once; yield the ids as their results come.

        Raises:
            RelayGoneError: the relay died.
        """

    def close(self) -> None:
        """Close our end."""


def start_relay(
    way: str, memory: Path, *, name: str, url: str, errors: IO[bytes] | int | None = None
) -> subprocess.Popen[bytes]:
    """Start a relay in front of `url`, where the way ends there, or of `SERVER`.

    Over HTTP its address is told on standard error, which then always is a pipe.
    """
    front, _, back = way.partition("-")
    target = ["--url", url] if back == "url" else ["--", sys.executable, "-I", "-S", "-c", SERVER]
    address = ["--http", "127.0.0.1:0"] if front == "http" else []
    return subprocess.Popen(
        [
            *(sys.executable, "-I", "-m", "learner", "proxy", "--name", name, "--memory", str(memory)),
            *(*address, *target),
        ],
        stdin=subprocess.PIPE if front == "stdio" else subprocess.DEVNULL,
        stdout=subprocess.PIPE if front == "stdio" else subprocess.DEVNULL,
        stderr=subprocess.PIPE if front == "http" else errors,
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(memory.parent / "state")},
    )


def client_of(way: str, relay: subprocess.Popen[bytes], number: int) -> Client:
    """Return the client of a relay that was started just now.

    Raises:
        RelayGoneError: it has died already.
    """
    if way.startswith("stdio"):
        return StdioClient(relay)
    assert relay.stderr is not None
    for warnings, line in enumerate(relay.stderr):
        if found := re.search(rb"is served at http://127\.0\.0\.1:(\d+)/mcp", line):
            client = HttpClient(int(found[1]), is_modern=number % 2 == 1)
            client.warnings = warnings
            return client
    raise RelayGoneError


@contextmanager
def remote() -> Iterator[str]:
    """Run the echo server of the benchmarks over HTTP; the value is its URL."""
    command = [sys.executable, "-m", "benchmarks.echo", "http", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        finally:
            process.kill()


class StdioClient:
    """Speaks lines."""

    def __init__(self, relay: subprocess.Popen[bytes]) -> None:
        assert relay.stdin is not None
        assert relay.stdout is not None
        self._input, self._output = relay.stdin, relay.stdout
        self._buffer = b""
        self.warnings = 0

    def calls(self, identifiers: Sequence[str]) -> Iterator[str]:
        try:
            os.write(self._input.fileno(), b"".join(_call(one) + b"\n" for one in identifiers))
        except BrokenPipeError as error:
            raise RelayGoneError from error
        wanted = len(identifiers)
        while wanted:
            data = os.read(self._output.fileno(), 1 << 16)
            if not data:
                raise RelayGoneError
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            yield from (_answered(line) for line in lines)
            wanted -= len(lines)

    def close(self) -> None:
        for end in (self._input, self._output):
            end.close()


class HttpClient:
    """Speaks HTTP, with a connection for each call that is under way."""

    def __init__(self, port: int, *, is_modern: bool) -> None:
        self._port = port
        self._is_modern = is_modern
        self._all: list[http.client.HTTPConnection] = []
        self._free: list[http.client.HTTPConnection] = []
        self._session: str | None = None
        self._has_begun = is_modern
        self.warnings = 0
        self.name = "benchmark"  # that the client goes by

    def calls(self, identifiers: Sequence[str]) -> Iterator[str]:
        connections: list[http.client.HTTPConnection] = []
        try:
            if not self._has_begun:
                self.begin()
            for identifier in identifiers:
                connections.append(self._connection())
                self._post(connections[-1], _call(identifier, self.name if self._is_modern else None))
            for connection in connections:
                body = connection.getresponse().read()
                yield _answered(body.partition(b"data: ")[2].strip() if body[:1] != b"{" else body)
        except (OSError, http.client.HTTPException) as error:
            raise RelayGoneError from error
        self._free += connections

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    def begin(self) -> None:
        """Begin a session."""
        connection = self._connection()
        hello = {"protocolVersion": _LEGACY, "capabilities": {}, "clientInfo": {"name": self.name, "version": "1"}}
        message = {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello}
        self._post(connection, json.dumps(message).encode())
        response = connection.getresponse()
        response.read()
        self._session = response.headers["Mcp-Session-Id"]
        self._has_begun = True
        self._free.append(connection)

    def end(self) -> None:
        """End the session."""
        connection = self._connection()
        connection.request("DELETE", "/mcp", headers={"Mcp-Session-Id": self._session or ""})
        connection.getresponse().read()
        self._session = None
        self._free.append(connection)

    def _connection(self) -> http.client.HTTPConnection:
        if self._free:
            return self._free.pop()
        self._all.append(http.client.HTTPConnection("127.0.0.1", self._port, TIMEOUT_S))
        return self._all[-1]

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if self._is_modern:
            headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
        elif self._session is not None:
            headers |= {"MCP-Protocol-Version": _LEGACY, "Mcp-Session-Id": self._session}
        connection.request("POST", "/mcp", body, headers)


def _call(identifier: str, modern_name: str | None = None) -> bytes:
    params: dict[str, Any] = {"name": "echo", "arguments": {"text": f"{identifier:>300}"}}
    if modern_name is not None:
        prefix = "io.modelcontextprotocol/"
        client = {"name": modern_name, "version": "1"}
        meta = {f"{prefix}protocolVersion": MODERN, f"{prefix}clientCapabilities": {}, f"{prefix}clientInfo": client}
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}).encode()


def _answered(data: bytes) -> str:
    message = json.loads(data)
    assert "result" in message, message
    return str(message["id"])
