"""How much of what calls say is kept, on every way through the relay: by real processes, and the bytes they write."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from middleware.memory.identity import INTENT_ARGUMENT
from middleware.memory.shortening import CUT_KEY
from middleware.memory.store import Memory
from middleware.settings import MAX_CUT_BYTES, Settings
from tests.middleware.http.test_run import post, relay
from tests.middleware.peer import ROOT, TIMEOUT_S, Peer, call, python, remembered
from tests.middleware.secrets.driving import locked, written
from tests.middleware.taken import Taken, result

MARK = "marker-of-what-was-said"
KEPT = "tool_name, outcome, error_code, request_bytes > 0, result_bytes > 0, duration_ms > 0, tool_hash IS NOT NULL"

# Says back what it was told in every way in which a call can end; as large as `size` asks. "ask" asks for input.
SERVER = """
import json, sys
for line in sys.stdin.buffer:
    m = json.loads(line)
    if "id" not in m: continue
    params = m.get("params") or {}
    name, given = params.get("name"), params.get("arguments") or {}
    text = json.dumps(given) + "y" * given.get("size", 0)
    tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("say", "refuse", "fail", "ask", "hang")]
    if m["method"] == "initialize": answer = {"result": {"protocolVersion": "2025-11-25", "capabilities": {}}}
    elif m["method"] == "tools/list": answer = {"result": {"tools": tools}}
    elif name == "hang": continue
    elif name == "refuse": answer = {"error": {"code": -32602, "message": "no " + text, "data": given}}
    elif name == "fail": answer = {"result": {"content": [{"type": "text", "text": text}], "isError": True}}
    elif name == "ask": answer = {"result": {"resultType": "input_required", "inputRequests": given}}
    else: answer = {"result": {"content": [{"type": "text", "text": text}], "structuredContent": given}}
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer}) + "\\n")
    sys.stdout.flush()
"""
# The same, asked by HTTP: it prints its port, and hands every body to a process of the above.
REMOTE = f"""
import http.server, json, subprocess, sys
server = subprocess.Popen([sys.executable, "-I", "-c", {SERVER!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.stdin.write(body.replace(b"\\n", b" ") + b"\\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
front = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(front.server_port, flush=True)
front.serve_forever()
"""

LISTING = {"jsonrpc": "2.0", "id": 0, "method": "tools/list", "params": {}}
HELLO = {"protocolVersion": "2025-11-25", "clientInfo": {"name": "c", "version": "1"}, "capabilities": {}}
# Sends a message, and returns the answer.
Ask = Callable[[Mapping[str, Any]], Any]


@contextmanager
def remote_server() -> Iterator[str]:
    with subprocess.Popen(python(REMOTE), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        finally:
            process.kill()


@contextmanager
def on_stdio(memory: Path, command: Sequence[str], *options: str) -> Iterator[Ask]:
    with Peer(memory, command, options=options) as peer:

        def ask(message: Mapping[str, Any]) -> Any:
            peer.send(message)
            return peer.message()

        yield ask
        assert peer.finish() == 0


@contextmanager
def over_http(memory: Path, *options: str) -> Iterator[Ask]:
    with relay(memory, *options) as (process, url):
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        headers["Content-Type"] = "application/json"
        if "--" in options:
            hello = json.dumps({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": HELLO}).encode()
            with urllib.request.urlopen(urllib.request.Request(url, hello, headers), timeout=TIMEOUT_S) as response:
                headers["Mcp-Session-Id"] = response.headers["Mcp-Session-Id"]

        def ask(message: Mapping[str, Any]) -> Any:
            status, body = post(url, message, **headers)
            assert status == 200, body
            return json.loads(body)

        yield ask
        process.terminate()
        process.wait(TIMEOUT_S)


@contextmanager
def way(name: str, memory: Path, *options: str) -> Iterator[Ask]:
    """Give what asks through the relay on one of its four ways."""
    if name == "stdio":
        with on_stdio(memory, python(SERVER), *options) as ask:
            yield ask
    elif name == "http-stdio":
        with over_http(memory, *options, "--", *python(SERVER)) as ask:
            yield ask
    elif name == "stdio-url":
        with remote_server() as url, on_stdio(memory, (), *options, "--url", url) as ask:
            yield ask
    else:
        with remote_server() as url, over_http(memory, *options, "--url", url) as ask:
            yield ask


WAYS = ("stdio", "stdio-url", "http-url", "http-stdio")


def said_everywhere(ask: Ask) -> None:
    """Have every kind of call pass, each with the marker in what it says and is told."""
    ask(LISTING)
    given = {"text": MARK, "nested": [{MARK: 1}]}
    for number, name in enumerate(("say", "refuse", "fail"), 1):
        assert MARK in json.dumps(ask(call(number, name, given)))
    assert MARK in json.dumps(ask(call(f"id {MARK}", "say", {**given, "size": 600_000})))


def left(folder: Path) -> list[str]:
    return [path.name for path, data in written(folder) if MARK.encode() in data]


@pytest.mark.parametrize("name", WAYS)
def test_with_capture_off_nothing_that_was_said_is_in_any_file(memory_file: Path, name: str) -> None:
    with way(name, memory_file, "--capture", "off") as ask:
        said_everywhere(ask)
        assert left(memory_file.parent) == []
    assert left(memory_file.parent) == []
    columns = "arguments_json, result_json, error, jsonrpc_id, capture"
    assert set(remembered(memory_file, columns)) == {(None, None, None, None, "off")}
    assert sorted(remembered(memory_file, KEPT)) == [
        ("fail", "tool_error", None, 1, 1, 1, 1),
        ("refuse", "protocol_error", -32602, 1, 1, 1, 1),
        ("say", "result", None, 1, 1, 1, 1),
        ("say", "result", None, 1, 1, 1, 1),
    ]


@pytest.mark.parametrize("name", WAYS)
def test_with_capture_full_a_long_result_and_long_arguments_are_whole(memory_file: Path, name: str) -> None:
    text = "x" * 1_000_000
    with way(name, memory_file, "--capture", "full") as ask:
        ask(LISTING)
        answer = ask(call(1, "say", {"text": text}))
        refusal = ask(call(2, "refuse", {"text": text}))
    [first, second] = remembered(memory_file, "arguments_json, result_json, error, capture")
    assert json.loads(first[0]) == {"text": text}
    assert json.loads(first[1]) == answer["result"]
    assert second[2].startswith(refusal["error"]["message"])
    assert {first[3], second[3]} == {"full"}


@pytest.mark.parametrize("name", WAYS)
def test_by_default_the_beginning_is_kept_and_the_row_says_so(memory_file: Path, name: str) -> None:
    with way(name, memory_file) as ask:
        ask(call(1, "say", {"text": "x" * 20_000}))
    [(arguments, captured)] = remembered(memory_file, "arguments_json, capture")
    assert captured == "cut"
    assert len(arguments) <= 16 * 1024
    assert CUT_KEY in json.loads(arguments)


@pytest.mark.parametrize("size", [3_000, 100_000, 400_000])
def test_how_much_is_kept_of_long_ones_can_be_said(memory_file: Path, size: int) -> None:
    for limit in (2_000, 50_000, MAX_CUT_BYTES):
        memory = memory_file.with_name(f"{limit}.db")
        with way("stdio", memory, "--cut-bytes", str(limit)) as ask:
            ask(call(1, "say", {"text": "word " * (size // 5)}))
        [(arguments, request_bytes)] = remembered(memory, "arguments_json, request_bytes")
        assert request_bytes > size
        if request_bytes > limit:
            assert json.loads(arguments)[CUT_KEY] == {"bytes": request_bytes}
            assert 0.8 * limit < len(arguments) <= limit
        else:
            assert json.loads(arguments) == {"text": "word " * (size // 5)}


def test_with_capture_off_the_spool_and_calls_in_flight_say_nothing_either(memory_file: Path) -> None:
    data = memory_file.parent / "data"
    data.mkdir()
    memory = data / "memory.db"
    with locked(memory), Peer(memory, python(SERVER), options=["--capture", "off"]) as peer:
        peer.send(call(1, "hang", {"text": MARK}))
        peer.call(2, "ask", {"text": MARK})
        peer.call(3, "refuse", {"text": MARK})
        spools = [path for path, found in written(data) if "spool" in path.name and found]
        assert spools
        assert left(data) == []
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
    assert sorted(remembered(memory, "tool_name, outcome, arguments_json, capture")) == [
        ("ask", "no_answer", None, "off"),
        ("hang", "no_answer", None, "off"),
        ("refuse", "protocol_error", None, "off"),
    ]
    assert left(data) == []


def test_with_capture_off_intents_are_neither_asked_for_nor_kept(memory_file: Path) -> None:
    for capture, expected in (("cut", MARK), ("off", None)):
        memory = memory_file.with_name(f"{capture}.db")
        with way("stdio", memory, "--intent", "--capture", capture) as ask:
            assert (INTENT_ARGUMENT in json.dumps(ask(LISTING))) == (capture == "cut")
            ask(call(1, "say", {INTENT_ARGUMENT: MARK}))
        assert remembered(memory, "intent, outcome") == [(expected, "result")]
    assert MARK.encode() not in memory.read_bytes()


def test_the_environment_says_what_is_kept_where_the_command_line_does_not(memory_file: Path) -> None:
    for options, expected in (((), "off"), (("--capture", "full"), "full")):
        with Peer(memory_file, python(SERVER), environment={"PRACTICUM_CAPTURE": "off"}, options=options) as peer:
            peer.call(1, "say", {"text": MARK})
            assert peer.finish() == 0
        assert remembered(memory_file, "capture")[-1] == (expected,)
    with Peer(memory_file, python(SERVER), environment={"PRACTICUM_CAPTURE": "some"}) as peer:
        assert peer.process.wait(TIMEOUT_S) == 2
        assert "PRACTICUM_CAPTURE" in peer.said()


def test_what_was_not_kept_is_shown_as_that_and_teaches_nothing(memory_file: Path) -> None:
    with way("stdio", memory_file, "--capture", "off") as ask:
        said_everywhere(ask)
    shown = learner(memory_file, "calls")
    assert "(not kept)" in shown
    assert MARK not in shown
    [first, *_] = json.loads(learner(memory_file, "calls", "--json"))
    assert (first["arguments"], first["result"], first["error"], first["capture"]) == (None, None, None, "off")
    failures = learner(memory_file, "tools", "--failures")
    assert "not kept" in failures
    distilled = subprocess.run(
        command(memory_file, "distill", "--to", "prompt"), capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S
    )
    assert distilled.returncode == 1
    assert "Traceback" not in distilled.stderr
    with Memory(memory_file) as memory:
        [server] = memory.servers()
        assert [made.kept for made in memory.sessions(server.uid, limit=9)[0]] == [False] * 4


def test_a_failure_and_its_correction_are_known_without_what_they_said() -> None:
    taken = Taken(settings=Settings(capture="off"))
    for number, (arguments, is_error) in enumerate((({"day": MARK}, True), ({"day": "2026-11-23"}, False))):
        taken.relay.client_message(json.dumps(call(number, "tide", arguments)).encode())
        taken.relay.server_message(json.dumps(result(number, {"content": [], "isError": is_error})).encode())
    failed, good = [record for record in taken.records if record["kind"] == "call"]
    assert good["corrects"] == failed["uid"]
    assert MARK not in json.dumps(taken.records)


def command(memory: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", "learner", "--memory", str(memory), *arguments]


def learner(memory: Path, *arguments: str) -> str:
    done = subprocess.run(command(memory, *arguments), capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout
