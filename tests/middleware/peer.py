"""A client that speaks raw lines to a real relay process, and small servers for it to stand in front of."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import apsw

from middleware.memory.database import open_database
from middleware.memory.rows import close_orphans, take_in_spools

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 90.0

# Answers every request at once with what it was asked; "die" ends it, "hang" is never answered.
ECHO = """
import json, os, sys
for line in sys.stdin.buffer:
    try: messages = json.loads(line)
    except ValueError: continue
    for m in messages if isinstance(messages, list) else [messages]:
        if not isinstance(m, dict) or "id" not in m or "method" not in m: continue
        params = m.get("params") or {}
        name = params.get("name")
        if name == "die": sys.exit(5)
        if name == "kill": os.kill(os.getpid(), 9)
        if name == "hang": continue
        if name == "refuse": answer = {"error": {"code": -32602, "message": "no such thing", "data": {"why": 1}}}
        elif name == "fail": answer = {"result": {"content": [{"type": "text", "text": "bad date"}], "isError": True}}
        else: answer = {"result": {"content": [{"type": "text", "text": json.dumps(params.get("arguments"))}]}}
        sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer}).encode() + b"\\n")
        sys.stdout.buffer.flush()
"""


def python(script: str) -> list[str]:
    """Return a command that runs `script`."""
    return [sys.executable, "-I", "-c", script]


class Peer:
    """A relay process in front of `command`, or of what `options` name, and we its client."""

    def __init__(
        self,
        memory: Path,
        command: Sequence[str] = (),
        *,
        name: str = "peer",
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", name, "--memory", str(memory), *options]
        self.process = subprocess.Popen(
            [*relay, "--", *command] if command else relay,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(memory.parent / "state"), **(environment or {})},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr
        self._buffer = bytearray()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT_S)
        for file in (self.stdin, self.stdout, self.stderr):
            with suppress(BrokenPipeError):
                file.close()

    def send(self, *messages: object) -> None:
        """Send each message as one line; bytes as they are."""
        for message in messages:
            self.stdin.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")
        self.stdin.flush()

    def line(self) -> bytes:
        """Return the next line, b"" at the end."""
        deadline = time.monotonic() + TIMEOUT_S
        searched = 0
        while (newline := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not select.select([self.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"no line in {TIMEOUT_S} s; so far {bytes(self._buffer[:200])!r}")
            data = os.read(self.stdout.fileno(), 1 << 16)
            if not data:
                newline = len(self._buffer)
                break
            self._buffer += data
        line = bytes(self._buffer[: newline + 1])
        del self._buffer[: newline + 1]
        return line

    def message(self) -> Any:
        """Return the next message."""
        return json.loads(self.line())

    def call(self, identifier: object, name: str, arguments: object = None, **params: object) -> Any:
        """Call a tool and return the next message."""
        self.send(call(identifier, name, arguments, **params))
        return self.message()

    def finish(self) -> int:
        """Close our end, and return the exit code."""
        self.stdin.close()
        return self.process.wait(TIMEOUT_S)

    def warning(self) -> str:
        """Return the next line of standard error."""
        if not select.select([self.stderr], [], [], TIMEOUT_S)[0]:
            raise TimeoutError(f"no warning in {TIMEOUT_S} s")
        return self.stderr.readline().decode()

    def said(self) -> str:
        """Return all of standard error; the relay must have ended."""
        return self.stderr.read().decode()


def call(identifier: object, name: str, arguments: object = None, **params: object) -> dict[str, Any]:
    """Return a `tools/call` request."""
    arguments = {} if arguments is None else arguments
    params = {"name": name, "arguments": arguments, **params}
    return {"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}


def remembered(memory: Path, columns: str = "tool_name, outcome") -> list[tuple[Any, ...]]:
    """Return these columns of all calls as they were written, after taking in what dead relays have left."""
    connection = open_database(memory)
    take_in_spools(connection, memory)
    close_orphans(connection)
    rows = connection.execute(f"SELECT {columns} FROM calls ORDER BY id").fetchall()
    connection.close()
    return rows


def wait_for(memory: Path, query: str, expected: object) -> None:
    """Wait until `query` yields `expected`, with a time-out."""
    deadline = time.monotonic() + TIMEOUT_S
    found: object = None
    while time.monotonic() < deadline:
        try:
            connection = apsw.Connection(str(memory), flags=apsw.SQLITE_OPEN_READWRITE)
            connection.set_busy_timeout(1000)
            found = connection.execute(query).fetchall()
            connection.close()
        except apsw.Error as error:
            found = error
        if found == expected:
            return
        time.sleep(0.02)
    raise TimeoutError(f"{query}: {found!r}, not {expected!r}")
