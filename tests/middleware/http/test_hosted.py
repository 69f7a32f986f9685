"""A server on stdio behind HTTP: whose answer goes to whom, in which form, and what becomes of processes and calls."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleware.http.access import Access
from middleware.http.events import EventReader
from middleware.http.front import listening
from middleware.http.hosted import backend, child
from middleware.http.hosted import stream as streams
from middleware.http.hosted.backend import Hosted
from middleware.http.mirrored import PROTOCOL_VERSION, SESSION_ID, headers_of
from middleware.http.recorder import Recorder
from middleware.memory.identity import HTTP_TOKEN_VARIABLE
from middleware.messages import META_SUBSCRIPTION_ID
from middleware.relay import Relay
from middleware.settings import Settings
from tests.middleware.http.peers import run
from tests.middleware.peer import TIMEOUT_S, call, python, remembered, wait_for

BOTH = "application/json, text/event-stream"
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}

# Writes down each line it reads in the file that it is given; what it answers depends on the tool that is called.
SERVER = """
import json, os, sys, time
log = open(sys.argv[1], "ab", 0)
held = []
def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    sys.stdout.flush()
def answer(m, text):
    say(id=m["id"], result={"content": [{"type": "text", "text": text}]})
def bury(lines, messages, length=0, **to):
    # Says `messages` behind more than a client that does not read takes, and in front of more than a pipe holds.
    to.setdefault("method", "notifications/message")
    for n in range(lines): say(**to, params={"progressToken": "buried", "data": "before" * 2000})
    for message in messages: say(**{"params": {"text": "x" * length}, **message})
    for n in range(200): say(**to, params={"progressToken": "buried", "data": "behind" * 2000})
    log.write(b"buried\\n")
log.write(b"started %d\\n" % os.getpid())
for line in sys.stdin.buffer:
    log.write(line)
    messages = json.loads(line)
    for m in messages if isinstance(messages, list) else [messages]:
        if m.get("method") == "vendor/change":
            say(method="notifications/tools/list_changed")
            log.write(b"changed\\n")
        elif m.get("method") == "vendor/bury": bury(**m["params"])
        if "id" not in m: continue
        if "method" not in m:
            answer(held.pop(), json.dumps(m["result"]))
            continue
        params = m.get("params") or {}
        meta = params.get("_meta") or {}
        name, arguments = params.get("name"), params.get("arguments") or {}
        token = meta.get("progressToken")
        method = m["method"]
        if method == "initialize":
            if arguments: say(id=m["id"], error={"code": -32602, "message": "not you"})
            else: say(id=m["id"], result={"protocolVersion": params.get("protocolVersion"), "capabilities": {}})
        elif method == "tools/list":
            marked = {"type": "string", "x-mcp-header": "Region"}
            say(id=m["id"], result={"tools": [{"name": "marked", "inputSchema": {"properties": {"region": marked}}}]})
        elif method == "subscriptions/listen":
            tag = {"_meta": {"%s": m["id"]}}
            say(method="notifications/subscriptions/acknowledged", params={**tag, "notifications": {}})
            say(method="notifications/tools/list_changed", params=tag)
        elif method != "tools/call": say(id=m["id"], error={"code": -32601, "message": "Method not found"})
        elif name == "hang": pass
        elif name == "die": os._exit(5)
        elif name == "deaf":
            log.write(b"deaf\\n")
            while not os.path.exists(arguments["until"]): time.sleep(0.01)
            answer(m, "hears")
        elif name == "hold": held.append(m)
        elif name == "free":
            while held:
                one = held.pop(0)
                answer(one, json.dumps(one["params"]["arguments"]))
            answer(m, "free")
        elif name == "progress":
            for n in range(3): say(method="notifications/progress", params={"progressToken": token, "progress": n})
            answer(m, arguments.get("text", "done"))
        elif name == "ask":
            held.append(m)
            say(id="q", method="sampling/createMessage", params={})
        elif name == "change":
            say(method="notifications/tools/list_changed")
            answer(m, "changed")
        elif name == "flood":
            for n in range(arguments["lines"]):
                say(method="notifications/progress", params={"progressToken": token, "message": "x" * 10000})
            answer(m, "flooded")
        elif name == "bury": bury(**arguments)
        elif name == "raw":
            sys.stdout.write(arguments["line"] + "\\n")
            sys.stdout.flush()
        elif name == "environment": answer(m, json.dumps(dict(os.environ)))
        else: answer(m, json.dumps(arguments))
""".replace("%s", META_SUBSCRIPTION_ID)


class Front:
    """The relay's URL, a client's connections to it, and what the server has written down."""

    def __init__(self, url: str, session: aiohttp.ClientSession, log: Path) -> None:
        self.url = url
        self.session = session
        self.log = log

    def post(self, body: object, **headers: str) -> Any:
        """Post `body`, JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", "Accept": BOTH, **named(headers)}
        return self.session.post(self.url, data=io.BytesIO(data), headers=given)

    async def ask(self, body: object, **headers: str) -> tuple[int, list[Any]]:
        """Post `body`; return the status and the messages of the response."""
        async with self.post(body, **headers) as response:
            return response.status, [json.loads(data) async for data in datas(response)]

    def modern(self, message: dict[str, Any], **headers: str) -> Any:
        """Post a modern request with the headers that belong to it."""
        params = message.get("params", {})
        message = {**message, "params": {**params, "_meta": {**META, **params.get("_meta", {})}}}
        return self.post(message, **{**headers_of(message, {}), **headers})

    async def ask_modern(self, message: dict[str, Any], **headers: str) -> tuple[int, list[Any]]:
        """The same, and return the status and the messages of the response."""
        async with self.modern(message, **headers) as response:
            return response.status, [json.loads(data) async for data in datas(response)]

    async def begin(self) -> str:
        """Begin a session, and return its id."""
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
        async with self.post(message) as response:
            assert response.status == 200
            return str(response.headers[SESSION_ID])

    def heard(self) -> list[bytes]:
        """Return the lines that the server's processes have read."""
        return [line for line in self.log.read_bytes().splitlines() if not line.startswith(b"started")]

    def started(self) -> list[int]:
        """Return the server's processes."""
        return [int(line[8:]) for line in self.log.read_bytes().splitlines() if line.startswith(b"started")]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something can be seen from outside; the test's own time-out ends it."""
        while not condition():
            await asyncio.sleep(0.01)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def datas(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the messages in a response as they come, whether it is a stream or not."""
    if response.content_type != "text/event-stream":
        if body := await response.read():
            yield body
        return
    reader = EventReader()
    async for chunk in response.content.iter_any():
        for event in reader.feed(chunk):
            if event.data is not None:
                yield event.data


@asynccontextmanager
async def hosted(memory: Path, *, timeout_s: float | None = None) -> AsyncIterator[Front]:
    log = memory.parent / "heard"
    log.touch()
    command = [*python(SERVER), str(log)]
    recorder = Recorder(
        memory, name="hosted", command=command, trial_token=None, settings=Settings(timeout_s=timeout_s)
    )
    try:
        # The client outlives the relay, and so sees what it says at its end.
        async with (
            aiohttp.ClientSession() as session,
            listening("127.0.0.1", 0, Access("127.0.0.1"), Hosted("hosted", command, recorder)) as url,
        ):
            yield Front(url, session, log)
    finally:
        await recorder.close()


def with_front(memory: Path, test: Callable[[Front], Awaitable[None]]) -> None:
    async def work() -> None:
        async with hosted(memory) as front:
            await test(front)

    run(work())


def text_of(message: Any) -> str:
    return str(message["result"]["content"][0]["text"])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_session_has_its_own_process_and_ends_with_it(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        one, two = await front.begin(), await front.begin()
        assert one != two
        assert await front.ask(call(1, "echo", {"a": 1}), Mcp_Session_Id=one) == (
            200,
            [{"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": '{"a": 1}'}]}}],
        )
        first, second = front.started()
        async with front.session.delete(front.url, headers={SESSION_ID: one}) as response:
            assert response.status == 200
        assert (await front.ask(call(2, "echo"), Mcp_Session_Id=one))[0] == 404
        assert (await front.ask(call(2, "echo"), Mcp_Session_Id=two))[0] == 200
        await front.until(lambda: not is_running(first))
        assert is_running(second)
        assert (await front.ask({"jsonrpc": "2.0", "method": "notifications/initialized"}, Mcp_Session_Id=two))[
            0
        ] == 202

    with_front(memory_file, test)
    assert remembered(memory_file) == [("echo", "result")] * 2
    assert remembered(memory_file, "count(DISTINCT session_uid)") == [(2,)]


def test_no_session_id_is_written_anywhere(memory_file: Path) -> None:
    identifiers = []

    async def test(front: Front) -> None:
        identifiers.append(await front.begin())
        await front.ask(call(1, "echo"), Mcp_Session_Id=identifiers[0])

    with_front(memory_file, test)
    (identifier,) = identifiers
    for file in memory_file.parent.rglob("*"):
        assert not file.is_file() or identifier.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (call(1, "x"), {}, 400, -32600),
        (call(1, "x"), {"Mcp_Session_Id": "unknown"}, 404, -32600),
        (call(1, "x"), {"Accept": "application/json"}, 406, -32600),
        (call(1, "x"), {"Content_Type": "text/plain"}, 415, -32600),
        (call(1, "x"), {"MCP_Protocol_Version": "newest"}, 400, -32602),
        ({"id": 1, "method": "initialize"}, {"MCP_Protocol_Version": "2026-07-28"}, 404, -32601),
        (b"{", {}, 400, -32700),
        (b'{"id": "a\nb"}', {}, 400, -32700),
        (b"7", {}, 400, -32600),
        (b"[]", {}, 400, -32600),
        ([call(1, "x")], {"MCP_Protocol_Version": "2026-07-28"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, {"MCP_Protocol_Version": "2026-07-28"}, 400, -32600),
        (call(None, "x", _meta=META), {"MCP_Protocol_Version": "2026-07-28"}, 400, -32600),
        (call(1, "x"), {"MCP_Protocol_Version": "2026-07-28"}, 400, -32602),
        (call(1, "x", _meta=META), {"MCP_Protocol_Version": "2026-07-28"}, 400, -32020),
        (call(1, "x", _meta=META), {}, 400, -32020),
    ],
)
def test_what_cannot_be_passed_on_is_refused_with_words(
    memory_file: Path, body: object, headers: dict[str, str], status: int, code: int
) -> None:
    async def test(front: Front) -> None:
        said, (message,) = await front.ask(body, **headers)
        assert (said, message["error"]["code"]) == (status, code)
        assert front.started() == []

    with_front(memory_file, test)


def test_a_session_has_one_get_stream_and_modern_clients_none(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        headers = {SESSION_ID: await front.begin(), "Accept": BOTH}
        async with front.session.get(front.url, headers=headers) as stream:
            assert (stream.status, stream.content_type) == (200, "text/event-stream")
            async with front.session.get(front.url, headers=headers) as second:
                assert second.status == 409
        for method in ("GET", "DELETE"):
            modern = {**headers, PROTOCOL_VERSION: "2026-07-28"}
            async with front.session.request(method, front.url, headers=modern) as response:
                assert (response.status, response.headers["Allow"]) == (405, "POST")
        async with front.session.get(front.url, headers={**headers, "Accept": "application/json"}) as response:
            assert response.status == 406

    with_front(memory_file, test)


def test_changes_go_to_the_get_stream_if_there_is_one_and_are_kept_until_there_is_any(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        headers = {SESSION_ID: identifier, "Accept": BOTH}
        change = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        # With no stream at all it is kept until there is one.
        await front.ask({"jsonrpc": "2.0", "method": "vendor/change"}, Mcp_Session_Id=identifier)
        await front.until(lambda: front.log.read_bytes().endswith(b"changed\n"))
        # Without a GET stream it goes with the answer that it comes before.
        _, messages = await front.ask(call(1, "change"), Mcp_Session_Id=identifier)
        assert messages[:2] == [change, change]
        assert len(messages) == 3
        async with front.session.get(front.url, headers=headers) as stream:
            assert len((await front.ask(call(2, "change"), Mcp_Session_Id=identifier))[1]) == 1
            assert json.loads(await anext(datas(stream))) == change

    with_front(memory_file, test)


def test_a_question_of_the_server_comes_with_the_call_that_caused_it(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        listening = {SESSION_ID: identifier, "Accept": BOTH}
        async with (
            front.session.get(front.url, headers=listening),
            front.post(call(1, "ask"), Mcp_Session_Id=identifier) as response,
        ):
            assert response.content_type == "text/event-stream"
            messages = datas(response)
            assert json.loads(await anext(messages))["method"] == "sampling/createMessage"
            reply = {"jsonrpc": "2.0", "id": "q", "result": {"text": "so"}}
            assert await front.ask(reply, Mcp_Session_Id=identifier) == (202, [])
            assert json.loads(text_of(json.loads(await anext(messages)))) == {"text": "so"}
            assert [message async for message in messages] == []

    with_front(memory_file, test)


def test_a_batch_is_one_line_and_its_answers_one_stream(memory_file: Path) -> None:
    batch = [call(1, "echo", {"a": 1}), call("1", "echo", {"a": 2})]

    async def test(front: Front) -> None:
        identifier = await front.begin()
        _status, messages = await front.ask(batch, Mcp_Session_Id=identifier)
        assert [(message["id"], text_of(message)) for message in messages] == [(1, '{"a": 1}'), ("1", '{"a": 2}')]
        assert front.heard()[-1] == json.dumps(batch).encode()

    with_front(memory_file, test)
    assert remembered(memory_file) == [("echo", "result")] * 2


def test_a_call_whose_process_dies_gets_an_error_and_its_session_is_gone(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        status, (message,) = await front.ask(call(1, "die"), Mcp_Session_Id=identifier)
        assert (status, message["id"], message["error"]["code"]) == (200, 1, -32000)
        assert "exit code 5" in message["error"]["message"]
        assert (await front.ask(call(2, "echo"), Mcp_Session_Id=identifier))[0] == 404

    with_front(memory_file, test)
    assert remembered(memory_file) == [("die", "no_answer")]


def test_a_server_that_refuses_the_handshake_leaves_no_session(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"arguments": {"no": 1}}}
        async with front.post(message) as response:
            assert (await response.json())["error"]["message"] == "not you"
            identifier = response.headers[SESSION_ID]
        assert (await front.ask(call(2, "echo"), Mcp_Session_Id=identifier))[0] == 404
        await front.until(lambda: not is_running(front.started()[0]))

    with_front(memory_file, test)


def test_a_client_that_leaves_has_cancelled_in_the_later_revisions_only(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        left: list[asyncio.Task[Any]] = []
        for post, headers in ((front.post, {"Mcp_Session_Id": identifier}), (front.modern, {})):
            asking = asyncio.create_task(post(call(7, "hold", {"by": len(headers)}), **headers).__aenter__())
            left.append(asking)
            await front.until(lambda: sum(b'"hold"' in line for line in front.heard()) == len(left))
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        await front.until(lambda: b"notifications/cancelled" in front.heard()[-1])
        assert json.loads(front.heard()[-1])["params"]["requestId"] == 7
        assert sum(b"notifications/cancelled" in line for line in front.heard()) == 1
        # Both answers come late: the one to be recorded, the other for nobody, least of all for who has its id now.
        assert text_of((await front.ask(call(8, "free"), Mcp_Session_Id=identifier))[1][-1]) == "free"
        next_one = asyncio.create_task(front.ask_modern(call(7, "hold", {"by": "another"})))
        await front.until(lambda: b"another" in front.heard()[-1])
        assert text_of((await front.ask_modern(call(8, "free")))[1][-1]) == "free"
        _status, (message,) = await next_one
        assert (message["id"], text_of(message)) == (7, '{"by": "another"}')

    with_front(memory_file, test)
    assert sorted(remembered(memory_file, "tool_name, outcome, jsonrpc_id")) == [
        ("free", "result", "8"),
        ("free", "result", "8"),
        ("hold", "cancelled", "7"),
        ("hold", "result", "7"),
        ("hold", "result", "7"),
    ]


def test_clients_that_use_the_same_ids_at_once_get_their_own_answers(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        asking = []
        for number in range(5):
            asking.append(asyncio.create_task(front.ask_modern(call(1, "hold", {"client": number}))))
            await front.until(lambda: len(front.heard()) == len(asking))
        assert (await front.ask_modern(call(1, "free")))[0] == 200
        for number, one in enumerate(asking):
            status, (message,) = await one
            assert (status, message["id"]) == (200, 1)
            assert json.loads(text_of(message)) == {"client": number}
        ids = [json.loads(line)["id"] for line in front.heard()]
        assert ids[0] == 1
        assert len(set(ids)) == len(ids)
        assert len(front.started()) == 1
        await front.ask_modern(call(1, "echo"))
        assert json.loads(front.heard()[-1])["id"] == 1  # only what would clash is replaced

    with_front(memory_file, test)
    expected = [("echo", "result", "1"), ("free", "result", "1"), *[("hold", "result", "1")] * 5]
    assert sorted(remembered(memory_file, "tool_name, outcome, jsonrpc_id")) == expected


def test_progress_goes_to_who_asked_even_under_the_same_token(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        meta = {"progressToken": "t"}
        held = asyncio.create_task(front.ask_modern(call(1, "hold", {}, _meta=meta)))
        await front.until(lambda: len(front.heard()) == 1)
        _status, messages = await front.ask_modern(call(2, "progress", {}, _meta=meta))
        assert [message.get("params") for message in messages[:-1]] == [
            {"progressToken": "t", "progress": n} for n in range(3)
        ]
        assert text_of(messages[-1]) == "done"
        await front.ask_modern(call(3, "free"))
        assert len((await held)[1]) == 1

    with_front(memory_file, test)


def test_a_subscription_is_a_stream_that_names_the_clients_own_id(memory_file: Path) -> None:
    listen = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {"notifications": {}}}

    async def test(front: Front) -> None:
        async with front.modern(listen) as first, front.modern(listen) as second:
            for response in (first, second):
                assert response.content_type == "text/event-stream"
                messages = datas(response)
                for method in ("notifications/subscriptions/acknowledged", "notifications/tools/list_changed"):
                    message = json.loads(await anext(messages))
                    assert (message["method"], message["params"]["_meta"][META_SUBSCRIPTION_ID]) == (method, 1)
        await front.until(lambda: sum(b"notifications/cancelled" in line for line in front.heard()) == 2)
        cancelled = {json.loads(line)["params"]["requestId"] for line in front.heard()[-2:]}
        assert cancelled == {json.loads(line)["id"] for line in front.heard()[:2]}

    with_front(memory_file, test)


def test_errors_have_the_status_that_probing_clients_look_for(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        status, (message,) = await front.ask_modern({"jsonrpc": "2.0", "id": 1, "method": "server/discover"})
        assert (status, message["error"]["code"]) == (404, -32601)
        status, (message,) = await front.ask_modern(call(2, "die"))
        assert (status, message["error"]["code"]) == (200, -32000)
        assert (await front.ask_modern(call(3, "echo")))[0] == 200
        assert len(front.started()) == 2

    with_front(memory_file, test)
    assert remembered(memory_file) == [("die", "no_answer"), ("echo", "result")]


def test_an_answer_that_is_none_ends_its_request(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        line = '{"jsonrpc":"2.0","id":1}'
        assert await front.ask_modern(call(1, "raw", {"line": line})) == (200, [json.loads(line)])
        await asyncio.to_thread(wait_for, memory_file, "SELECT tool_name, outcome FROM calls", [("raw", "no_answer")])

    with_front(memory_file, test)


@pytest.mark.parametrize("modern", [False, True])
def test_a_defect_of_ours_costs_a_record_but_no_message(
    modern: bool, memory_file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    async def test(front: Front) -> None:
        headers = {} if modern else {SESSION_ID.replace("-", "_"): await front.begin()}
        monkeypatch.setattr(Relay, "client_message", fail)
        monkeypatch.setattr(Relay, "server_message", fail)
        for number in (1, 2):
            ask = front.ask_modern if modern else front.ask
            assert (await ask(call(number, "say", {"n": number}), **headers))[0] == 200

    with_front(memory_file, test)
    assert capfd.readouterr().err.count("please report this") == 1


def test_a_message_that_ends_after_we_were_told_to_end_starts_nothing(memory_file: Path) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    class Watched(Hosted):
        async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
            asyncio.get_running_loop().call_soon(begun.set)  # when it has begun to read
            return await super().respond(request)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"jsonrpc":"2.0","id":1,'
        await closed.wait()
        yield b'"method":"initialize"}'

    async def test() -> None:
        recorder = Recorder(memory_file, name="hosted", command=["x"], trial_token=None)
        log = memory_file.parent / "heard"
        backend = Watched("hosted", [*python(SERVER), str(log)], recorder)
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), backend) as url, aiohttp.ClientSession() as session:
            headers = {"Content-Type": "application/json", "Accept": BOTH}
            asking = asyncio.create_task(session.post(url, data=slowly(), headers=headers))
            await begun.wait()
            await backend.close()
            closed.set()
            async with await asking as response:
                assert response.status == 503
        await recorder.close()
        assert not log.exists()

    run(test())


@pytest.mark.parametrize(
    ("beginning", "instead"),
    [
        ('{"jsonrpc":"2.0","id":"a","result":"', {"id": "a", "code": -32000}),
        ('{"jsonrpc":"2.0","id":"a","method":"sampling/createMessage","params":"', None),
        ('{"jsonrpc":"2.0","method":"notifications/message","params":"', None),
    ],
)
def test_only_an_answer_that_is_too_long_becomes_an_error(beginning: str, instead: dict[str, Any] | None) -> None:
    line = child.refusal(beginning.encode() + b"x" * 5000)
    found = json.loads(line) if line else None
    assert (found and {"id": found["id"], "code": found["error"]["code"]}) == instead


def test_headers_are_held_against_the_schema_that_was_listed(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        marked = call(1, "marked", {"region": "eu"})
        assert (await front.ask_modern(marked))[0] == 200
        assert (await front.ask_modern({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}))[0] == 200
        status, (message,) = await front.ask_modern(marked)
        assert (status, message["error"]["code"]) == (400, -32020)
        assert (await front.ask_modern(marked, Mcp_Param_Region="eu"))[0] == 200
        assert (await front.ask_modern(marked, Mcp_Param_Region="us"))[0] == 400

    with_front(memory_file, test)


def test_a_client_cannot_cancel_by_an_id_that_may_be_anothers(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        held = asyncio.create_task(front.ask_modern(call(1, "hold", {"mine": 1})))
        await front.until(lambda: len(front.heard()) == 1)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        vendors = {"jsonrpc": "2.0", "method": "vendor/said"}
        for message in (cancel, vendors):
            assert await front.ask(message, MCP_Protocol_Version="2026-07-28") == (202, [])
        await front.ask_modern(call(2, "free"))
        assert text_of((await held)[1][0]) == '{"mine": 1}'
        assert [json.loads(line)["method"] for line in front.heard()] == ["tools/call", "vendor/said", "tools/call"]

    with_front(memory_file, test)


def test_a_cancelled_request_that_nobody_answers_does_not_stay_open(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        hanging = asyncio.create_task(front.ask(call(1, "hang"), Mcp_Session_Id=identifier))
        await front.until(lambda: b'"hang"' in front.heard()[-1])
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        assert (await front.ask(cancel, Mcp_Session_Id=identifier))[0] == 202
        assert await hanging == (200, [])

    with_front(memory_file, test)
    assert remembered(memory_file) == [("hang", "cancelled")]


def test_open_requests_are_told_when_we_end(memory_file: Path) -> None:
    async def work() -> None:
        async with hosted(memory_file) as front:
            identifier = await front.begin()
            asking = [
                asyncio.create_task(front.ask(call(1, "hang"), Mcp_Session_Id=identifier)),
                asyncio.create_task(front.ask_modern(call(1, "hang"))),
            ]
            for one in asking:
                one.add_done_callback(lambda done: answers.append(done.result()))
            await front.until(lambda: len(front.heard()) == 3)
            fronts.append(front)
        assert [(status, message["error"]["code"]) for status, (message,) in answers] == [(200, -32000)] * 2
        assert not any(map(is_running, fronts[0].started()))

    answers: list[Any] = []
    fronts: list[Front] = []
    run(work())
    assert remembered(memory_file) == [("hang", "no_answer")] * 2


def test_a_client_that_does_not_read_is_cut_off_and_others_are_served(
    memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_PATIENCE_S", 0.1)

    async def test(front: Front) -> None:
        flood = call(1, "flood", {"lines": 3000}, _meta={"progressToken": "t"})
        async with front.modern(flood) as response:
            assert response.status == 200
            assert text_of((await front.ask_modern(call(2, "echo", {"a": 1})))[1][0]) == '{"a": 1}'
            with pytest.raises(aiohttp.ClientError):
                async for _ in datas(response):
                    pass
        assert any(b"notifications/cancelled" in line for line in front.heard())

    with_front(memory_file, test)
    assert remembered(memory_file) == [("flood", "cancelled"), ("echo", "result")]


def test_a_client_that_reads_gets_all_of_a_flood(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        flood = call(1, "flood", {"lines": 1000}, _meta={"progressToken": "t"})
        status, messages = await front.ask_modern(flood)
        assert (status, len(messages)) == (200, 1001)

    with_front(memory_file, test)


def test_a_request_that_hangs_is_given_up_and_its_late_answer_dropped(memory_file: Path) -> None:
    async def work() -> None:
        async with hosted(memory_file, timeout_s=0.3) as front:
            identifier = await front.begin()
            for ask, headers in ((front.ask, {"Mcp_Session_Id": identifier}), (front.ask_modern, {})):
                status, (message,) = await ask(call(1, "hold"), **headers)
                assert (status, message["id"], message["error"]["code"]) == (200, 1, -32001)
                _, messages = await ask(call(2, "free"), **headers)
                assert [text_of(message) for message in messages] == ["free"]
                await front.until(lambda: b"notifications/cancelled" in b"".join(front.heard()[-2:]))

    run(work())
    assert remembered(memory_file) == [("hold", "no_answer"), ("free", "result")] * 2


def test_long_messages_pass_whole_in_either_form(memory_file: Path) -> None:
    text = "ä\u2028\\" * 300_000

    async def test(front: Front) -> None:
        identifier = await front.begin()
        for ask, headers in ((front.ask, {"Mcp_Session_Id": identifier}), (front.ask_modern, {})):
            status, (message,) = await ask(call(1, "echo", {"text": text}), **headers)
            assert (status, json.loads(text_of(message))) == (200, {"text": text})
            told = call(2, "progress", {"text": text}, _meta={"progressToken": "t"})
            status, messages = await ask(told, **headers)
            assert (status, len(messages), text_of(messages[-1])) == (200, 4, text)

    with_front(memory_file, test)
    rows = remembered(memory_file, "outcome, length(result_json) < 20000, result_bytes > 2000000")
    assert rows == [("result", 1, 1)] * 4


def test_the_server_sees_none_of_our_secrets(memory_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HTTP_TOKEN_VARIABLE, "secret")
    monkeypatch.setenv("PRACTICUM_TRIAL_TOKEN", "secret")

    async def test(front: Front) -> None:
        front.session.headers["Authorization"] = "Bearer secret"
        _, (message,) = await front.ask_modern(call(1, "environment"))
        assert "secret" not in json.loads(text_of(message)).values()

    with_front(memory_file, test)


# What a JSON text may look like, beyond what an encoder of ours would write.
PARAMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def test_messages_pass_byte_for_byte_in_both_directions(memory_file: Path) -> None:
    async def exchange(front: Front, identifier: str, body: bytes, answer: bytes) -> None:
        before = len(front.heard())
        line = answer.decode("utf-8", "surrogateescape")
        async with front.post(call(5, "raw", {"line": line}), Mcp_Session_Id=identifier) as response:
            assert await response.read() == answer
        async with front.post(body, Mcp_Session_Id=identifier) as response:
            assert response.status == 202
        await front.until(lambda: len(front.heard()) > before + 1)
        assert front.heard()[-1] == body.strip(b" \t\r\n").replace(b"\n", b" ").replace(b"\r", b" ")

    async def work() -> None:
        async with hosted(memory_file) as front:
            identifier = await front.begin()
            loop = asyncio.get_running_loop()

            @settings(max_examples=60, suppress_health_check=list(HealthCheck))
            @given(PARAMS, st.sampled_from([None, 1]), st.booleans(), st.sampled_from(["", " ", "\r\n"]))
            def passes(params: Any, indent: int | None, ascii_only: bool, blank: str) -> None:
                def spelled(message: dict[str, Any], indent: int | None) -> bytes:
                    text = json.dumps(message, indent=indent, ensure_ascii=ascii_only)
                    return text.encode("utf-8", "replace")

                notification = {"jsonrpc": "2.0", "method": "vendor/x", "params": params, "odd": params}
                body = blank.encode() + spelled(notification, indent) + blank.encode()
                answer = spelled({"odd": params, "id": 5, "result": params}, None)
                asyncio.run_coroutine_threadsafe(exchange(front, identifier, body, answer), loop).result(TIMEOUT_S)

            await asyncio.to_thread(passes)

    run(work())
    wait_for(memory_file, "SELECT DISTINCT outcome FROM calls", [("result",)])


def test_a_session_that_nobody_uses_is_ended_and_one_that_waits_for_an_answer_is_not(
    memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_IDLE_S", 0.3)

    async def test(front: Front) -> None:
        used = await front.begin()
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(front.ask(call(1, "hold"), Mcp_Session_Id=used))
            await front.until(lambda: any(b'"hold"' in line for line in front.heard()))
            unused = await front.begin()
            first, second = front.started()
            await front.until(lambda: not is_running(second))
            assert (await front.ask(call(2, "echo"), Mcp_Session_Id=unused))[0] == 404
            assert is_running(first)
            assert (await front.ask(call(3, "free"), Mcp_Session_Id=used))[0] == 200
        assert answer.result()[0] == 200

    with_front(memory_file, test)


def test_the_session_unused_longest_makes_room_for_another_unless_all_are_in_use(
    memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "_SESSIONS", 2)

    async def test(front: Front) -> None:
        one, two = await front.begin(), await front.begin()
        assert (await front.ask(call(1, "echo"), Mcp_Session_Id=one))[0] == 200
        three = await front.begin()
        _, second, _ = front.started()
        await front.until(lambda: not is_running(second))
        assert (await front.ask(call(1, "echo"), Mcp_Session_Id=two))[0] == 404
        async with asyncio.TaskGroup() as group:
            held = [group.create_task(front.ask(call(2, "hold"), Mcp_Session_Id=each)) for each in (one, three)]
            await front.until(lambda: sum(b'"hold"' in line for line in front.heard()) == 2)
            status, (message,) = await front.ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}})
            assert (status, "end one with DELETE" in message["error"]["message"]) == (503, True)
            for each in (one, three):
                assert (await front.ask(call(3, "free"), Mcp_Session_Id=each))[0] == 200
        assert [task.result()[0] for task in held] == [200, 200]

    with_front(memory_file, test)


def test_an_answer_that_is_too_long_becomes_an_error_and_the_next_passes(
    memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "LINE_LIMIT", 1 << 20)

    async def test(front: Front) -> None:
        identifier = await front.begin()
        for ask, headers in ((front.ask, {"Mcp_Session_Id": identifier}), (front.ask_modern, {})):
            _, (message,) = await ask(call("long", "echo", {"text": "x" * 3_000_000}), **headers)
            assert (message["id"], "too long to pass on" in message["error"]["message"]) == ("long", True)
            _, (message,) = await ask(call("next", "echo", {"text": "x"}), **headers)
            assert message["id"] == "next"
            assert "result" in message

    with_front(memory_file, test)
    assert remembered(memory_file) == [("echo", "protocol_error"), ("echo", "result")] * 2


def test_a_server_that_does_not_read_holds_its_clients_until_it_does(memory_file: Path) -> None:
    until = memory_file.parent / "hear"

    async def test(front: Front) -> None:
        identifier = await front.begin()
        for ask, headers in ((front.ask, {"Mcp_Session_Id": identifier}), (front.ask_modern, {})):
            until.unlink(missing_ok=True)
            before = front.log.read_bytes().count(b"deaf\n")
            async with asyncio.TaskGroup() as group:
                deaf = group.create_task(ask(call("deaf", "deaf", {"until": str(until)}), **headers))
                await front.until(lambda: front.log.read_bytes().count(b"deaf\n") > before)  # noqa: B023 - used here
                long = [
                    group.create_task(ask(call(number, "echo", {"text": "x" * 700_000}), **headers))
                    for number in range(4)
                ]
                # One client's server does not read; another's is served meanwhile.
                other = await front.begin()
                assert (await front.ask(call(1, "echo"), Mcp_Session_Id=other))[0] == 200
                assert not any(task.done() for task in [deaf, *long])
                until.touch()
            assert [len(text_of(task.result()[1][0])) for task in long] == [700_012] * 4

    with_front(memory_file, test)
    assert remembered(memory_file, "count(*), sum(outcome = 'result')") == [(12, 12)]
