"""Intents on all four ways through the relay, as processes, in both eras."""

import json
import random
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from middleware.intent import ARGUMENT
from middleware.memory.identity import INTENT_ARGUMENT
from tests.middleware.http.test_run import relay
from tests.middleware.listed import listing
from tests.middleware.peer import ECHO, TIMEOUT_S, Peer, call, python, remembered, wait_for

TOOLS = [
    {
        "name": "tide",
        "inputSchema": {
            "type": "object",
            "properties": {"city": {"type": "string", "x-mcp-header": "City"}},
            "additionalProperties": False,
        },
    },
    {"name": "own", "inputSchema": {"type": "object", "required": [INTENT_ARGUMENT]}},
]
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
WAYS = ("stdio to command", "stdio to URL", "HTTP to URL", "HTTP to command")

# Sends a message, and returns the answer.
Ask = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize("is_modern", [False, True], ids=["handshake", "modern"])
@pytest.mark.parametrize("way", WAYS)
def test_the_argument_is_shown_and_goes_no_further(memory_file: Path, way: str, is_modern: bool) -> None:
    meta = {"_meta": META} if is_modern else {}
    with client(memory_file, way, is_modern) as ask:
        listed = ask({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": meta})["result"]
        tide, own = listed["tools"]
        assert tide["inputSchema"]["properties"] == {
            **TOOLS[0]["inputSchema"]["properties"],  # type: ignore[index] # of mixed values
            INTENT_ARGUMENT: ARGUMENT,
        }
        assert own == TOOLS[1]
        assert (listed["ttlMs"], listed["cacheScope"]) == (1000, "private")
        for name, arguments, left in (
            ("tide", {"city": "Sines", INTENT_ARGUMENT: "to swim"}, {"city": "Sines"}),
            ("tide", {INTENT_ARGUMENT: "to swim", "city": "Sines"}, {"city": "Sines"}),
            ("tide", {"city": "Sines"}, {"city": "Sines"}),
            ("own", {INTENT_ARGUMENT: "its own"}, {INTENT_ARGUMENT: "its own"}),
        ):
            answer = ask(call(2, name, arguments, **meta))
            assert answer["result"]["content"][0]["text"] == json.dumps(call(2, name, left, **meta))
    assert remembered(memory_file, "tool_name, arguments_json, intent") == [
        *[("tide", '{"city":"Sines"}', said) for said in ("to swim", "to swim", None)],
        ("own", f'{{"{INTENT_ARGUMENT}":"its own"}}', None),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_of_megabytes_loses_the_argument_too(memory_file: Path, way: str) -> None:
    text = random.Random(1).randbytes(600_000).hex()
    with client(memory_file, way, True) as ask:
        answer = ask(call(2, "say", {INTENT_ARGUMENT: "to see", "text": text}, _meta=META))
        assert answer["result"]["content"][0]["text"] == json.dumps(call(2, "say", {"text": text}, _meta=META))
    assert remembered(memory_file, "intent") == [("to see",)]


def test_two_relays_one_behind_the_other_both_note_it_and_the_server_sees_nothing(memory_file: Path) -> None:
    inner_memory = memory_file.parent / "inner.db"
    inner = [
        sys.executable,
        "-I",
        "-m",
        "learner",
        "proxy",
        "--name",
        "inner",
        "--memory",
        str(inner_memory),
        "--intent",
    ]
    with Peer(memory_file, [*inner, "--", *listing(memory_file.parent, TOOLS)], options=["--intent"]) as peer:
        peer.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert list(peer.message()["result"]["tools"][0]["inputSchema"]["properties"]) == ["city", INTENT_ARGUMENT]
        answer = peer.call(2, "tide", {"city": "Sines", INTENT_ARGUMENT: "to swim"})
        assert json.loads(answer["result"]["content"][0]["text"]) == call(2, "tide", {"city": "Sines"})
        peer.finish()
    for memory in (memory_file, inner_memory):
        assert remembered(memory, "arguments_json, intent") == [('{"city":"Sines"}', "to swim")]


def test_a_call_in_flight_keeps_its_intent_when_the_relay_is_killed(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO), options=["--intent"]) as peer:
        peer.send(call(1, "hang", {INTENT_ARGUMENT: "to sail"}))
        wait_for(memory_file, "SELECT count(*) FROM open_calls", [(1,)])
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
    assert remembered(memory_file, "intent, arguments_json") == [("to sail", "{}")]


@contextmanager
def client(memory: Path, way: str, is_modern: bool) -> Iterator[Ask]:
    """Speak to a server with `TOOLS` through a relay that asks for intents."""
    front, _, back = way.partition(" to ")
    with ExitStack() as stack:
        target = ["--", *listing(memory.parent, TOOLS)]
        if back == "URL":
            # The remote server is one on stdio, behind a relay that asks for nothing and remembers elsewhere.
            _, url = stack.enter_context(relay(memory.parent / "other.db", *target))
            target = ["--url", url]
        if front == "HTTP":
            _, url = stack.enter_context(relay(memory, "--intent", *target))
            yield _over_http(url, is_modern)
            return
        peer = stack.enter_context(Peer(memory, options=["--intent", *target]))

        def ask(message: dict[str, Any]) -> Any:
            peer.send(message)
            return peer.message()

        if not is_modern:
            ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO})
            peer.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield ask
        peer.finish()


def _over_http(url: str, is_modern: bool) -> Ask:
    session: dict[str, str] = {}

    def ask(message: dict[str, Any]) -> Any:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        headers |= _repeated(message) if is_modern else session
        request = urllib.request.Request(url, json.dumps(message).encode(), headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            if "Mcp-Session-Id" in response.headers:
                session["Mcp-Session-Id"] = response.headers["Mcp-Session-Id"]
            return json.loads(response.read() or b"null")

    if not is_modern:
        ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO})
        ask({"jsonrpc": "2.0", "method": "notifications/initialized"})
    return ask


def _repeated(message: dict[str, Any]) -> dict[str, str]:
    """Return the headers that repeat what a modern message says."""
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"]}
    if "name" in message["params"]:
        headers["Mcp-Name"] = message["params"]["name"]
        city = message["params"]["arguments"].get("city")
        headers |= {} if city is None else {"Mcp-Param-City": city}
    return headers
