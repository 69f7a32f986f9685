"""Clients that send what is no message get an error, the server goes on, and the other clients notice nothing."""

import asyncio
import io
import json
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import mcp.types as types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mcp import Client

from servers.messages import MESSAGE_LIMIT

TIMEOUT_S = 90
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count", "arguments": {"by": 0}}}
HALF = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"é'.encode()[:-1] + b'"}}'
AMISS = [
    b"hello",
    b"{",
    HALF,
    b'"text"',
    b"7",
    b"null",
    b"[]",
    b"[" + json.dumps(CALL).encode() + b"]",
    b"[" * 100_000,
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"9" * 5000 + b"}}",
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1}',
    b"\x00\xff\xfe",
    b"x" * 10_000_000,
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"' + b"x" * 10_000_000 + b'"}}',
]
REFUSED = [  # messages, and requests that no server answers otherwise
    {"jsonrpc": "2.0", "id": 1, "method": "no/such"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count", "arguments": [1]}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "none such"}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": {}}},
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | _json,
        "id": st.integers() | st.text() | _json,
        "method": st.sampled_from(("ping", "tools/list", "tools/call", "initialize", "notifications/x")) | _json,
        "params": st.fixed_dictionaries({}, optional={"name": _json, "arguments": _json, "requestId": _json}) | _json,
    },
)
_whole = json.dumps(CALL).encode()
garbage = st.one_of(
    st.binary(max_size=200),
    (_json | _fields).map(lambda value: json.dumps(value).encode()),
    st.integers(0, len(_whole) - 1).map(lambda end: _whole[:end]),
    st.tuples(st.integers(0, len(_whole) - 1), st.integers(0, 255)).map(
        lambda at: _whole[: at[0]] + bytes([at[1]]) + _whole[at[0] + 1 :]
    ),
).map(lambda data: data.replace(b"\n", b""))


class Process:
    """A server on stdio and a client that sends it any bytes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.toy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._answers: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._asked = 0

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(json.loads(line))

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        left = memoryview(line + b"\n")
        while left:
            left = left[self.process.stdin.write(left) :]

    def until_answered(self, method: str = "ping", params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Make a request and return all that comes until its answer, the answer too."""
        self._asked += 1
        identifier = f"ours {self._asked}"
        message = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params or {}}
        self.send(json.dumps(message).encode())
        came = [self._answers.get(timeout=TIMEOUT_S)]
        while came[-1].get("id") != identifier:
            came.append(self._answers.get(timeout=TIMEOUT_S))
        return came

    def close(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        self.process.stdout.close()
        return code


@contextmanager
def on_stdio() -> Iterator[Process]:
    process = Process()
    process.until_answered("initialize", HELLO)
    yield process
    assert process.close() == 0


@pytest.fixture(scope="module")
def stdio() -> Iterator[Process]:
    with on_stdio() as process:
        yield process


@pytest.mark.parametrize("line", AMISS, ids=lambda line: repr(line[:40]))
def test_a_line_that_is_no_message_is_answered_by_one_error(stdio: Process, line: bytes) -> None:
    stdio.send(line)
    error, answer = stdio.until_answered()
    assert error["error"]["code"] in (types.PARSE_ERROR, types.INVALID_REQUEST)
    assert error["id"] in (None, 1)
    assert answer["result"] == {}


@pytest.mark.parametrize("message", REFUSED, ids=repr)
def test_a_request_that_makes_no_sense_is_answered_by_an_error(stdio: Process, message: dict[str, Any]) -> None:
    stdio.send(json.dumps(message).encode())
    error, answer = stdio.until_answered()
    assert error["id"] == 1
    assert error["error"]["code"] in (types.METHOD_NOT_FOUND, types.INVALID_PARAMS)
    assert answer["result"] == {}


@given(lines=st.lists(garbage, max_size=5))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(lines=[b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}'])
def test_whatever_comes_on_stdio_each_line_is_answered_as_it_should_be(stdio: Process, lines: list[bytes]) -> None:
    for line in lines:
        stdio.send(line)
    *came, answer = stdio.until_answered()
    assert "result" in answer
    assert len(came) == sum(_is_owed_an_answer(line) for line in lines if line.strip())


def _is_owed_an_answer(line: bytes) -> bool:
    """Tell whether `line` is anything but a notification."""
    try:
        message = json.loads(line.decode(), parse_constant=_refuse)
    except ValueError:
        return True
    return not (
        isinstance(message, dict)
        and message.get("jsonrpc") == "2.0"
        and isinstance(message.get("method"), str)
        and isinstance(message.get("params", {}), dict | None)
        and "id" not in message
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def test_lines_come_whole_however_they_are_cut(stdio: Process) -> None:
    assert stdio.process.stdin is not None
    for byte in json.dumps(CALL).encode() + b"\n\r\n":
        stdio.process.stdin.write(bytes([byte]))
    answer, _ = stdio.until_answered()
    assert answer["result"]["structuredContent"].keys() == {"number"}


def test_garbage_before_the_handshake_is_answered_too() -> None:
    process = Process()
    for _ in range(50):
        process.send(b"hello")
    *errors, answer = process.until_answered("initialize", HELLO)
    assert [error["error"]["code"] for error in errors] == [types.PARSE_ERROR] * 50
    assert answer["result"]["serverInfo"]["name"] == "toy"
    assert process.close() == 0


def test_a_client_that_closes_our_output_ends_us_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.toy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    with process.stdin, process:  # our input stays open: the write alone tells it
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_requests_that_a_shell_pipes_in_are_all_answered() -> None:
    lines = [json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}).encode()]
    lines += [json.dumps({**CALL, "id": number}).encode() for number in range(1, 200)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers.toy"], input=b"\n".join(lines), capture_output=True, timeout=TIMEOUT_S
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(answer["id"] for answer in answers if "result" in answer) == list(range(200))


def test_requests_in_a_file_are_answered(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text(json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}))
    with file.open() as source:
        done = subprocess.run(
            [sys.executable, "-m", "tests.servers.toy"], stdin=source, capture_output=True, timeout=TIMEOUT_S
        )
    assert json.loads(done.stdout)["id"] == 0


def test_a_lost_call_does_not_keep_a_server_whose_client_is_gone() -> None:
    process = Process()
    process.until_answered("initialize", HELLO)
    process.send(json.dumps({**CALL, "params": {"name": "count", "arguments": {"lost": True}}}).encode())
    assert process.close() == 0


# Over HTTP.

MODERN = {"MCP-Protocol-Version": "2026-07-28"}
EACH_ERA: list[dict[str, str]] = [{}, MODERN]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "tests.servers.toy", "http"], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize("body", AMISS, ids=lambda body: repr(body[:40]))
def test_a_body_that_is_no_message_gets_a_status_that_says_so(url: str, body: bytes) -> None:
    async def act() -> None:
        async with aiohttp.ClientSession() as session:
            for headers in EACH_ERA:
                status, answer = await _post(session, url, body, headers)
                assert status == (413 if len(body) > MESSAGE_LIMIT else 400)
                assert json.loads(answer)["error"]["code"] in (types.PARSE_ERROR, types.INVALID_REQUEST)

    _run(act())


@given(bodies=st.lists(garbage, min_size=1, max_size=6))
@settings(max_examples=25)
def test_whatever_is_posted_another_client_notices_nothing(url: str, bodies: list[bytes]) -> None:
    async def act() -> None:
        async with aiohttp.ClientSession() as session, Client(url) as good:
            for number, body in enumerate(bodies, 1):
                for headers in EACH_ERA:
                    for path in ("", "/bad"):
                        status, _ = await _post(session, url + path, body, headers)
                        assert status < 500
                assert (await good.call_tool("count", {})).structured_content == {"number": number}

    _run(act())


@given(data=st.binary(max_size=300) | garbage.map(lambda body: b"POST /mcp HTTP/1.1\r\nHost: x\r\n\r\n" + body))
@settings(max_examples=25)
def test_whatever_bytes_come_to_the_socket_another_client_notices_nothing(url: str, data: bytes) -> None:
    async def act() -> None:
        async with Client(url) as good:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write(data)
            writer.write_eof()
            with suppress(ConnectionError):
                assert b" 200 " not in (await reader.read())[:20]
            writer.close()
            assert (await good.call_tool("count", {})).structured_content == {"number": 1}

    _run(act())


def _run(test: Coroutine[Any, Any, None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await test

    asyncio.run(timed())


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    more = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    async with session.post(url, data=io.BytesIO(body), headers={**more, **headers}) as response:
        return response.status, await response.read()
