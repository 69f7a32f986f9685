"""`learner proxy --url` as a process: what is remembered, how it ends, and real servers behind it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web
from mcp import Client, StdioServerParameters

from middleware.memory.database import open_database
from middleware.memory.identity import server_uid
from tests.middleware.http.near import MODERN, request, result, said, server, stream
from tests.middleware.peer import ROOT, TIMEOUT_S, Peer, call, remembered, wait_for

SERVER = """
import sys
from mcp.server import MCPServer
from mcp.server.mcpserver import Context

mcp = MCPServer("demo")

@mcp.tool()
async def add(a: int, b: int, ctx: Context) -> int:
    await ctx.report_progress(1, 2)
    return a + b

mcp.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]), json_response=sys.argv[2] == "json")
"""


@contextmanager
def serving(respond: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """Serve `respond` from a thread of its own; the value is its URL."""
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    url: list[str] = []
    begun = threading.Event()

    async def serve() -> None:
        async with server(respond) as address:
            url.append(address)
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert begun.wait(TIMEOUT_S)
        yield url[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(TIMEOUT_S)
        loop.close()


class SdkServer:
    """A server of the SDK, which can be started again at the same address."""

    def __init__(self, how: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self._command = [sys.executable, "-I", "-c", SERVER, str(self._port), how]
        self.url = f"http://127.0.0.1:{self._port}/mcp"
        self.start()

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError(self.url)

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait(TIMEOUT_S)


async def legacy(incoming: web.BaseRequest) -> web.StreamResponse:
    """Be a server with a session that answers calls; one of "hang" never."""
    if incoming.method == "GET":
        return web.Response(status=405)
    message: Any = await incoming.json() if incoming.method == "POST" else {}
    if "id" not in message:
        return web.Response(status=202)
    if message["method"] == "initialize":
        return said(result(0, {"protocolVersion": "2025-11-25", "capabilities": {}}), session="s")
    if message["params"].get("name") == "hang":
        await asyncio.Event().wait()
    return said(result(message["id"], {"content": [{"type": "text", "text": "done"}]}))


def test_calls_are_remembered_and_nothing_secret_is(memory_file: Path) -> None:
    with serving(legacy) as url:
        secret = url.replace("http://", "http://user:hidden1@") + "?key=hidden2"
        options = ["--url", secret, "--header", "X-Key=THE_KEY"]
        with Peer(memory_file, options=options, environment={"THE_KEY": "hidden3"}) as peer:
            peer.send(request(0, "initialize", protocolVersion="2025-11-25"))
            peer.message()
            assert peer.call(1, "say", {"a": 1})["result"]["content"][0]["text"] == "done"
            assert peer.finish() == 0
            assert peer.said() == ""
        assert remembered(memory_file, "tool_name, outcome, arguments_json") == [("say", "result", '{"a":1}')]
        database = open_database(memory_file)
        assert database.execute("SELECT uid, command FROM servers").fetchall() == [(server_uid("peer", [url]), url)]
        assert database.execute("SELECT transport, protocol_version FROM sessions").fetchall() == [
            ("http", "2025-11-25")
        ]
        database.close()
    for file in memory_file.parent.rglob("*"):
        assert not file.is_file() or b"hidden" not in file.read_bytes()


def test_what_is_in_flight_when_the_client_has_finished_is_still_answered(memory_file: Path) -> None:
    release = threading.Event()
    ended: list[str | None] = []

    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.method == "DELETE":
            ended.append(incoming.headers.get("Mcp-Session-Id"))
        elif incoming.method == "POST" and (await incoming.json()).get("id") == 1:
            await asyncio.to_thread(release.wait, TIMEOUT_S)
        return await legacy(incoming)

    with serving(respond) as url, Peer(memory_file, options=["--url", url]) as peer:
        peer.send(request(0, "initialize"))
        peer.message()
        peer.send(call(1, "say"))
        peer.stdin.close()
        release.set()
        assert peer.message()["id"] == 1
        assert peer.line() == b""
        assert peer.process.wait(TIMEOUT_S) == 0
        assert ended == ["s"]
    assert remembered(memory_file) == [("say", "result")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_tells_client_and_server(memory_file: Path, number: signal.Signals) -> None:
    begun, deleted = threading.Event(), threading.Event()

    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.method == "DELETE":
            deleted.set()
            await asyncio.Event().wait()  # which our end must not wait for
        if incoming.method == "POST" and (await incoming.json()).get("id") == 1:
            begun.set()
        return await legacy(incoming)

    with serving(respond) as url, Peer(memory_file, options=["--url", url]) as peer:
        peer.send(request(0, "initialize"))
        peer.message()
        peer.send(call(1, "hang"))
        assert begun.wait(TIMEOUT_S)
        peer.process.send_signal(number)
        answer = peer.message()
        assert answer["id"] == 1
        assert "was told to end before the server answered" in answer["error"]["message"]
        assert peer.process.wait(TIMEOUT_S) == 128 + number
        assert deleted.wait(TIMEOUT_S)
        assert peer.said() == ""
    assert remembered(memory_file) == [("hang", "no_answer")]


@pytest.mark.parametrize("method", ["GET", "listen"])
def test_open_streams_do_not_keep_it_alive(memory_file: Path, method: str) -> None:
    opened = threading.Event()

    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.method == "GET" or (
            incoming.method == "POST" and (await incoming.json()).get("method") == "subscriptions/listen"
        ):
            await stream(incoming, b": hello\n\n")
            opened.set()
            await asyncio.Event().wait()
        return await legacy(incoming)

    with serving(respond) as url, Peer(memory_file, options=["--url", url]) as peer:
        if method == "GET":
            peer.send(request(0, "initialize"), {"jsonrpc": "2.0", "method": "notifications/initialized"})
            peer.message()
        else:
            meta = {"io.modelcontextprotocol/protocolVersion": MODERN}
            peer.send(request(1, "subscriptions/listen", _meta=meta))
        assert opened.wait(TIMEOUT_S)
        assert peer.finish() == 0
        assert peer.said() == ""


def test_a_client_that_vanishes_ends_it(memory_file: Path) -> None:
    with serving(legacy) as url, Peer(memory_file, options=["--url", url]) as peer:
        peer.send(request(0, "initialize"))
        peer.message()
        peer.send(call(1, "hang"))
        peer.stdin.close()
        peer.stdout.close()
        assert peer.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM
    assert remembered(memory_file) == [("hang", "no_answer")]


def test_a_cancelled_call_of_the_modern_era_is_remembered_as_one(memory_file: Path) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN}
    with serving(legacy) as url, Peer(memory_file, options=["--url", url]) as peer:
        peer.send(call(1, "hang", _meta=meta))
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
        wait_for(memory_file, "SELECT outcome FROM calls", [("cancelled",)])
        assert peer.call(2, "say", _meta=meta)["id"] == 2
        assert peer.finish() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "ftp://x/secret?key=secret"], "--url ftp://x/secret: give the server's whole URL"),
        (["--url", "http://x/", "--header", "Authorization=NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is not set"),
        (["--url", "http://x/", "--header", "Authorization"], "write NAME=VARIABLE"),
    ],
)
def test_options_that_mean_nothing_are_said(memory_file: Path, options: list[str], words: str) -> None:
    with Peer(memory_file, options=options) as peer:
        assert peer.process.wait(TIMEOUT_S) == 2
        assert words in " ".join(peer.said().split())
    assert not memory_file.exists()


@pytest.mark.parametrize("how", ["sse", "json"])
def test_the_sdks_client_reaches_the_sdks_server_in_both_eras_and_after_a_restart(memory_file: Path, how: str) -> None:
    sdk = SdkServer(how)

    async def scenario(mode: str) -> None:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-I", "-m", "learner", "proxy", "--name", "demo", "--memory", str(memory_file), "--url", sdk.url],
            cwd=ROOT,
            env=dict(os.environ),
        )
        seen = []

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, total))

        with anyio.fail_after(TIMEOUT_S):
            async with Client(parameters, mode=mode) as client:
                expected = "2025-11-25" if mode == "legacy" else MODERN
                assert client.protocol_version == expected
                assert [tool.name for tool in (await client.list_tools()).tools] == ["add"]
                called = await client.call_tool("add", {"a": 1, "b": 2}, progress_callback=progress)
                assert called.structured_content == {"result": 3}
                assert seen == ([(1.0, 2.0)] if how == "sse" else [])
                sdk.kill()
                sdk.start()
                assert (await client.call_tool("add", {"a": 2, "b": 2})).structured_content == {"result": 4}

    try:
        anyio.run(scenario, "auto")
        anyio.run(scenario, "legacy")
    finally:
        sdk.kill()
    assert remembered(memory_file, "outcome, result_json IS NULL") == [("result", 0)] * 4
    assert json.loads(remembered(memory_file, "result_json")[0][0])["structuredContent"] == {"result": 3}


def test_a_call_that_a_remote_server_does_not_answer_is_remembered_as_that_and_never_corrected(
    memory_file: Path,
) -> None:
    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        name = (await incoming.json())["params"].get("name") if incoming.method == "POST" else None
        if name == "die":
            assert incoming.transport is not None
            incoming.transport.abort()
        if name == "refuse":
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": {"code": 7, "message": "no"}}, status=400)
        return web.Response(status=503) if name == "busy" else await legacy(incoming)

    with serving(respond) as url, Peer(memory_file, options=["--url", url]) as peer:
        peer.send(request(0, "initialize"))
        peer.message()
        assert "closed the connection" in peer.call(1, "die")["error"]["message"]
        assert "HTTP 503" in peer.call(2, "busy", {"a": 1})["error"]["message"]
        assert peer.call(3, "refuse")["error"]["code"] == 7
        assert peer.finish() == 0
    rows = remembered(memory_file, "tool_name, outcome, error_code, error LIKE 'the server %'")
    assert rows == [("die", "no_answer", None, 1), ("busy", "no_answer", None, 1), ("refuse", "protocol_error", 7, 0)]


def test_a_url_may_be_written_in_any_alphabet(memory_file: Path) -> None:
    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        assert incoming.raw_path == "/m%C3%BCsli?%C3%A4=%C3%B6"
        return await legacy(incoming)

    with serving(respond) as url, Peer(memory_file, options=["--url", url.replace("mcp", "müsli?ä=ö")]) as peer:
        assert "result" in peer.call(1, "say")
        assert peer.finish() == 0
    with Peer(memory_file, options=["--url", "http://müsli.invalid/ä"]) as peer:
        assert "http://müsli.invalid/ä cannot be reached" in peer.call(1, "say")["error"]["message"]
