"""A client as the file's readers are: parses the file in its own way, fills in placeholders, starts what an entry says
and asks it for its tools. And the servers behind: each says how it was started, or what it was sent."""

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TIMEOUT_S = 90.0

# Answers a call with its command line, its environment as the system gave it, and its working directory.
ECHO = f"""#!{sys.executable} -I
import json, os, sys
try:
    block = open("/proc/self/environ", "rb").read().decode("utf-8", "surrogateescape")
    environment = dict(item.split("=", 1) for item in block.split("\\0") if item)
except OSError:
    environment = dict(os.environ)
TOOL = {{"name": "started", "inputSchema": {{"type": "object"}}}}
for line in sys.stdin.buffer:
    message = json.loads(line)
    if "id" not in message: continue
    method = message["method"]
    if method == "initialize":
        result = {{"protocolVersion": "2025-11-25", "capabilities": {{}}}}
        result["serverInfo"] = {{"name": "e", "version": "1"}}
    elif method == "tools/list": result = {{"tools": [TOOL]}}
    else:
        started = {{"argv": sys.argv, "environment": environment, "cwd": os.getcwd()}}
        result = {{"content": [{{"type": "text", "text": json.dumps(started)}}]}}
    sys.stdout.buffer.write(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}).encode() + b"\\n")
    sys.stdout.buffer.flush()
"""


class _Handler(BaseHTTPRequestHandler):
    """Answers a call with the path and the headers it came with."""

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "id" not in message:
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if message["method"] == "initialize":
            result: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}}
            result["serverInfo"] = {"name": "h", "version": "1"}
        elif message["method"] == "tools/list":
            result = {"tools": [{"name": "started", "inputSchema": {"type": "object"}}]}
        else:
            sent = {"path": self.path, "headers": dict(self.headers.items())}
            result = {"content": [{"type": "text", "text": json.dumps(sent)}]}
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_error(405)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def http_server() -> Iterator[str]:
    """Serve MCP over HTTP; the value is the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
    finally:
        server.shutdown()
        thread.join(TIMEOUT_S)
        server.server_close()


def read(data: bytes) -> Any:
    """Parse JSON with comments and commas before closing brackets, character by character: not as we do it."""
    text = data.decode().removeprefix("\ufeff")
    kept: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            kept.append(text[at : end + 1])
            at = end + 1
        elif text.startswith("//", at):
            while at < len(text) and text[at] not in "\r\n":
                at += 1
        elif text.startswith("/*", at):
            at = text.index("*/", at) + 2
        else:
            if text[at] in "]}" and kept and kept[-1] == ",":
                kept.pop()
            if not text[at].isspace():
                kept.append(text[at])
            at += 1
    return json.loads("".join(kept) or "{}", strict=False)


def servers(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the servers in a file that was read, as its client would see them: name and entry."""
    mcp = value.get("mcp")
    containers = [value.get("mcpServers"), value.get("servers"), value.get("mcp.servers")]
    containers.append(mcp.get("servers") if isinstance(mcp, dict) else None)
    containers += [project.get("mcpServers") for project in value.get("projects", {}).values()]
    for container in containers:
        yield from (container or {}).items()


def expand(text: str, values: Mapping[str, str]) -> str:
    """Fill in `${NAME}`, `${NAME:-default}`, `${env:NAME}` and `${input:NAME}`, as clients do before they start one."""
    return re.sub(
        r"\$\{(?:env:|input:)?([\w-]+)(?::-([^}]*))?\}", lambda found: values.get(found[1], found[2] or ""), text
    )


def filled(entry: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return command, args, env, cwd, url and headers of an entry with its placeholders filled in."""
    return {
        "argv": [expand(item, values) for item in [entry.get("command", ""), *(entry.get("args") or [])]],
        "env": {name: expand(item, values) for name, item in (entry.get("env") or {}).items()},
        "cwd": entry.get("cwd"),
        "headers": {name: expand(item, values) for name, item in (entry.get("headers") or {}).items()},
    }


def ask(argv: list[str], environment: Mapping[str, str], cwd: str | Path) -> Any:
    """Start a server as a client does, go through the handshake, list its tools and call one; return what it says.

    Raises:
        AssertionError: it does not answer; with what it said on standard error.
    """
    requests: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "tools/call", "params": {"name": "started", "arguments": {}}},
    ]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=dict(environment)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            answers = []
            buffer = b""
            for request in requests:
                with suppress(BrokenPipeError):
                    process.stdin.write(json.dumps({"jsonrpc": "2.0", **request}).encode() + b"\n")
                    process.stdin.flush()
                while "id" in request:
                    line, newline, rest = buffer.partition(b"\n")
                    if newline:
                        buffer = rest
                        answers.append(json.loads(line))
                        break
                    data = _some(process.stdout.fileno())
                    assert data, f"{argv}: {process.stderr.read().decode()}"
                    buffer += data
            process.stdin.close()
            assert process.wait(TIMEOUT_S) == 0, process.stderr.read().decode()
        except BaseException:
            process.kill()
            raise
    assert [tool["name"] for tool in answers[1]["result"]["tools"]] == ["started"]
    return json.loads(answers[2]["result"]["content"][0]["text"])


def _some(descriptor: int) -> bytes:
    deadline = time.monotonic() + TIMEOUT_S
    if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        raise TimeoutError(f"no answer in {TIMEOUT_S} s")
    return os.read(descriptor, 1 << 16)
