"""What becomes of a client's lines on their way to a remote server and back."""

import asyncio
import json
import os
import select
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from hypothesis import given, settings
from hypothesis import strategies as st

from middleware.http.remote.conversation import Conversation
from middleware.http.remote.server import RemoteServer
from middleware.http.upstream import Upstream
from tests.middleware.http.near import (
    TIMEOUT_S,
    conversation,
    event,
    modern,
    request,
    result,
    run,
    said,
    server,
    stream,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def test_requests_are_posted_side_by_side_and_answers_come_as_they_come() -> None:
    async def scenario() -> None:
        both = asyncio.Event()
        first: list[object] = []

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            identifier = (await incoming.json())["id"]
            first.append(identifier)
            if len(first) == 2:
                both.set()
            await both.wait()
            return said(result(identifier))

        async with server(respond) as url, conversation(url) as client:
            await client.send(request(1, "a"), request("1", "b"))
            assert {json.dumps((await client.message())["id"]) for _ in range(2)} == {"1", '"1"'}

    run(scenario)


def test_an_id_that_comes_back_spelled_otherwise_is_still_the_same() -> None:
    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        return said(result(float((await incoming.json())["id"])))

    async def scenario() -> None:
        async with server(respond) as url, conversation(url) as client:
            assert [(await client.ask(request(number, "a")))["id"] for number in (1, 2)] == [1.0, 2.0]

    run(scenario)


@pytest.mark.parametrize("location", ["http://[", "mailto:somebody", "http://elsewhere.test:99999/"])
def test_a_redirect_to_what_is_no_url_is_an_answer_like_others(location: str) -> None:
    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=308, headers={"Location": location})

    async def scenario() -> None:
        async with server(respond) as url, conversation(url) as client:
            words = (await client.ask(request(1, "a")))["error"]["message"]
            assert "sends us on" in words
            assert "report this" not in words

    run(scenario)


def test_a_defect_ends_the_conversation_with_an_exit_code_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail(_: Conversation) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Conversation, "run", fail)
    remote = RemoteServer(Upstream("x", "http://x.test/", {}))
    assert select.select([remote.output], [], [], TIMEOUT_S)[0]
    assert os.read(remote.output, 1) == b""
    os.close(remote.output)
    remote.close_input()
    remote._thread.join(TIMEOUT_S)
    remote.reap()
    assert (remote.status, remote.exit_code()) == (256, 1)
    assert "failed before the server answered" in remote.ending()
    assert capfd.readouterr().err.count("\n") == 1


def test_any_json_reply_in_any_pieces_is_one_line_and_otherwise_untouched() -> None:
    @settings(max_examples=40)
    @given(values, st.sampled_from([None, 0, 2]), st.booleans(), st.lists(st.integers(1, 40), max_size=5))
    def each(value: object, indent: int | None, plain: bool, cuts: list[int]) -> None:
        body = json.dumps(result(7, value), indent=indent, ensure_ascii=not plain).encode("utf-8", "surrogatepass")
        assert runner.run(ask(body, cuts)) == body.replace(b"\n", b" ")

    async def ask(body: bytes, cuts: Sequence[int]) -> bytes:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            await incoming.read()
            response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
            await response.prepare(incoming)
            await in_pieces(response, body, cuts)
            return response

        async with server(respond) as url, conversation(url) as client:
            await client.send(request(7, "x"))
            return await client.line()

    with asyncio.Runner() as runner:
        each()


def test_any_stream_in_any_pieces_is_its_messages_in_order() -> None:
    @settings(max_examples=40)
    @given(st.lists(values, max_size=4), st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(1, 40), max_size=5))
    def each(progress: list[object], newline: str, cuts: list[int]) -> None:
        messages = [{"jsonrpc": "2.0", "method": "n", "params": [value]} for value in progress] + [result(7)]
        texts = ["id: 1\ndata: \n\n: a comment\n\n", *(event(message).decode() for message in messages)]
        body = "".join(texts).replace("\n", newline).encode("utf-8", "surrogatepass")
        assert runner.run(ask(body, cuts, len(messages))) == messages

    async def ask(body: bytes, cuts: Sequence[int], expected: int) -> list[object]:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            await incoming.read()
            response = await stream(incoming)
            await in_pieces(response, body, cuts)
            return response

        async with server(respond) as url, conversation(url) as client:
            await client.send(request(7, "x"))
            return [await client.message() for _ in range(expected)]

    with asyncio.Runner() as runner:
        each()


async def in_pieces(response: web.StreamResponse, body: bytes, cuts: Sequence[int]) -> None:
    for size in [*cuts, len(body)]:
        piece, body = body[:size], body[size:]
        if piece:
            await response.write(piece)


def test_data_of_several_lines_is_one_line() -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            return await stream(incoming, b'data: {"jsonrpc":"2.0",\ndata: "id":1,\ndata: "result":{}}\n\n')

        async with server(respond) as url, conversation(url) as client:
            await client.send(request(1, "x"))
            assert await client.line() == b'{"jsonrpc":"2.0", "id":1, "result":{}}'

    run(scenario)


def test_a_handshake_is_answered_before_anything_else_goes_out_and_gives_what_the_rest_carries() -> None:
    async def scenario() -> None:
        seen: list[tuple[object, str | None, str | None, str | None]] = []
        release = asyncio.Event()

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            if incoming.method == "GET":
                return web.Response(status=405)
            if incoming.method == "DELETE":
                seen.append(("DELETE", incoming.headers.get("Mcp-Session-Id"), None, None))
                return web.Response()
            message = await incoming.json()
            headers = incoming.headers
            names = ("Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method")
            seen.append((message["method"], *(headers.get(name) for name in names)))
            assert (headers["Accept"], headers["Content-Type"], headers["X-Key"]) == (
                "application/json, text/event-stream",
                "application/json",
                "secret",
            )
            if message["method"] == "initialize":
                await release.wait()
                answer = result(message["id"], {"protocolVersion": "2025-06-18", "capabilities": {}})
                return said(answer, session="s-1")
            return said(result(message["id"])) if "id" in message else web.Response(status=202)

        async with server(respond) as url, conversation(url, {"X-Key": "secret"}) as client:
            await client.send(
                request(0, "initialize", protocolVersion="2025-11-25"),
                {"jsonrpc": "2.0", "method": "notifications/initialized"},
                request(1, "tools/list"),
            )
            release.set()
            assert [(await client.message())["id"] for _ in range(2)] == [0, 1]
        assert seen == [
            ("initialize", None, None, None),
            ("notifications/initialized", "s-1", "2025-06-18", None),
            ("tools/list", "s-1", "2025-06-18", None),
            ("DELETE", "s-1", None, None),
        ]

    run(scenario)


def test_a_notification_goes_out_behind_what_was_sent_before_it_and_ahead_of_what_was_sent_after_it() -> None:
    async def scenario() -> None:
        order: list[object] = []
        cancelled = asyncio.Event()

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            message = await incoming.json()
            order.append(message.get("id", message.get("method")))
            if message.get("method") == "notifications/cancelled":
                for _ in range(20):  # long enough for what comes behind to overtake, if it could
                    await asyncio.sleep(0)
                order.append("accepted")
                cancelled.set()
                return web.Response(status=202)
            if message["method"] == "slow":
                await cancelled.wait()
            elif message["method"] == "initialize":
                return said(result(0, {"protocolVersion": "2025-11-25"}))
            return said(result(message["id"]))

        async with server(respond) as url, conversation(url) as client:
            await client.ask(request(0, "initialize"))
            # Each slow one needs a connection of its own, which the cancellation, on an open one, could outrun.
            await client.send(
                *(request(number, "slow") for number in range(1, 9)),
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
                request(9, "fast"),
            )
            assert {(await client.message())["id"] for _ in range(9)} == set(range(1, 10))
        assert set(order[1:9]) == set(range(1, 9))
        assert order[9:] == ["notifications/cancelled", "accepted", 9]

    run(scenario)


def test_a_cancellation_waits_for_a_request_that_is_still_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        order: list[object] = []
        connected = asyncio.Event()
        request_now = Upstream.request

        async def request_late(self: Upstream, method: str, *what: Any) -> ClientResponse:
            if method == "POST" and '"slow"' in what[1].decode():
                await connected.wait()
            return await request_now(self, method, *what)

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            if incoming.method == "POST":
                order.append((await incoming.json()).get("method"))
            return await handshake(incoming)

        monkeypatch.setattr(Upstream, "request", request_late)
        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            await client.send(
                request(1, "slow"),
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
            )
            # Time enough for the cancellation to go first, if it could.
            asyncio.get_running_loop().call_later(0.2, connected.set)
            await client.message()
        assert order[2:] == ["slow", "notifications/cancelled"]

    run(scenario)


def test_a_stream_that_is_left_open_behind_its_answer_is_closed() -> None:
    async def scenario() -> None:
        closed = asyncio.Event()

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            await stream(incoming, event(result(1)))
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 2 * TIMEOUT_S)
            finally:
                closed.set()
            raise AssertionError

        async with server(respond) as url, conversation(url) as client:
            assert await client.ask(request(1, "x")) == result(1)
            await asyncio.wait_for(closed.wait(), TIMEOUT_S)

    run(scenario)


def test_messages_of_the_modern_era_carry_the_headers_that_mirror_them() -> None:
    tool = {"name": "sql ü", "inputSchema": {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}}

    async def scenario() -> None:
        seen: list[dict[str, str]] = []

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            seen.append({name: value for name, value in incoming.headers.items() if name.lower().startswith("mcp-")})
            message = await incoming.json()
            return said(result(message["id"], {"tools": [tool]} if message["method"] == "tools/list" else {}))

        async with server(respond) as url, conversation(url) as client:
            await client.ask(modern(1, "tools/list"))
            await client.ask(modern(2, "tools/call", name="sql ü", arguments={"region": "eu"}))
        assert seen[0] == {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
        assert seen[1] == {
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "=?base64?c3FsIMO8?=",
            "Mcp-Param-Region": "eu",
        }

    run(scenario)


def test_a_tool_that_was_never_listed_is_looked_up_when_its_headers_are_missed() -> None:
    tools = [[{"name": "other"}], [{"name": "sql", "inputSchema": {"properties": {"r": {"x-mcp-header": "R"}}}}]]

    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            message = await incoming.json()
            if message["method"] == "tools/list":
                page = int(message["params"].get("cursor") or 0)
                return said(result(message["id"], {"tools": tools[page], "nextCursor": None if page else "1"}))
            if incoming.headers.get("Mcp-Param-R") != "eu":
                error = {"code": -32020, "message": "Header mismatch"}
                return said({"jsonrpc": "2.0", "id": message["id"], "error": error}, 400)
            return said(result(message["id"], "found"))

        async with server(respond) as url, conversation(url) as client:
            assert (await client.ask(modern(1, "tools/call", name="sql", arguments={"r": "eu"})))["result"] == "found"
            refused = await client.ask(modern(2, "tools/call", name="sql", arguments={}))
            assert (refused["id"], refused["error"]["code"]) == (2, -32020)

    run(scenario)


def test_the_servers_own_stream_is_opened_after_the_handshake_and_taken_up_where_it_ended() -> None:
    async def scenario() -> None:
        asked: list[str | None] = []

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            if incoming.method != "GET":
                return await handshake(incoming)
            assert incoming.headers["Mcp-Session-Id"] == "s"
            asked.append(incoming.headers.get("Last-Event-ID"))
            if len(asked) == 3:
                return web.Response(status=405)
            return await stream(incoming, event({"jsonrpc": "2.0", "method": "n"}, f"e{len(asked)}", retry_ms=1))

        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            assert [(await client.message())["method"] for _ in range(2)] == ["n", "n"]
            await client.ask(request(1, "ping"))
        assert asked[:2] == [None, "e1"]

    run(scenario)


def test_a_stream_that_ends_before_the_answer_is_asked_for_again() -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            if incoming.method == "GET" and "Last-Event-ID" in incoming.headers:
                last = incoming.headers["Last-Event-ID"]
                if last == "e1":
                    return await stream(incoming, event("", "e2"))
                assert last == "e2"
                return await stream(incoming, event(result(5, "late"), "e3"))
            if incoming.method == "POST" and (await incoming.json()).get("id") == 5:
                return await stream(incoming, event("", "e1", retry_ms=1))
            return await handshake(incoming)

        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            assert await client.ask(request(5, "long")) == result(5, "late")

    run(scenario)


@pytest.mark.parametrize("era", ["legacy without ids", "modern"])
def test_a_stream_that_cannot_be_taken_up_again_is_an_error(era: str) -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            assert incoming.method == "POST"
            return await stream(incoming, event("", "e1" if era == "modern" else None, retry_ms=1))

        async with server(respond) as url, conversation(url) as client:
            answer = await client.ask(modern(5, "subscriptions/listen") if era == "modern" else request(5, "long"))
            assert answer["id"] == 5
            assert "closed the stream before it answered" in answer["error"]["message"]

    run(scenario)


def test_a_session_that_the_server_forgot_is_begun_anew_without_the_client(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        seen: list[tuple[object, object, str | None]] = []
        sessions = 0
        forgotten = False

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            nonlocal sessions, forgotten
            session = incoming.headers.get("Mcp-Session-Id")
            if incoming.method != "POST":
                return web.Response(status=405)
            message = await incoming.json()
            seen.append((message["method"], message.get("params"), session))
            if message["method"] == "initialize":
                sessions += 1
                forgotten = False
                answer = result(message["id"], {"protocolVersion": "2025-11-25", "capabilities": {}})
                return said(answer, session=f"s{sessions}")
            if forgotten:
                return said({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no session"}}, 404)
            return said(result(message["id"])) if "id" in message else web.Response(status=202)

        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            await client.ask(request(1, "a"))
            forgotten = True
            await client.send(request(2, "b"), request(3, "c"))
            assert {(await client.message())["id"] for _ in range(2)} == {2, 3}
        assert sessions == 2
        handshakes = [entry for entry in seen if entry[0] == "initialize"]
        assert handshakes[0][1:] == handshakes[1][1:]
        assert [entry[2] for entry in seen if entry[0] == "notifications/initialized"] == ["s1", "s2"]
        assert [entry[2] for entry in seen if entry[0] == "b"] == ["s1", "s2"]

    run(scenario)
    said_to_the_person = capfd.readouterr().err
    assert said_to_the_person.count("\n") == 1
    assert "has forgotten the session: a new one was begun" in said_to_the_person


def test_a_server_that_knows_no_session_at_all_is_not_asked_forever() -> None:
    async def scenario() -> None:
        begun = 0

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            nonlocal begun
            message = await incoming.json() if incoming.method == "POST" else {}
            if message.get("method") == "initialize":
                begun += 1
                return said(result(message["id"], {"protocolVersion": "2025-11-25"}), session="s")
            return web.Response(status=404)

        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            assert "404" in (await client.ask(request(1, "a")))["error"]["message"]
        assert begun <= 3

    run(scenario)


def test_a_cancellation_of_the_modern_era_closes_the_requests_stream() -> None:
    async def scenario() -> None:
        begun, closed = asyncio.Event(), asyncio.Event()
        methods = []

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            message = await incoming.json()
            methods.append(message["method"])
            if message["method"] != "hang":
                return said(result(message["id"]))
            begun.set()
            try:
                await asyncio.wait_for(asyncio.Event().wait(), TIMEOUT_S)
            finally:
                closed.set()
            raise AssertionError

        async with server(respond) as url, conversation(url) as client:
            await client.send(modern(1, "hang"))
            await begun.wait()
            await client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
            await asyncio.wait_for(closed.wait(), TIMEOUT_S)
            assert (await client.ask(modern(2, "next")))["id"] == 2  # and no answer to 1 before it
        assert methods == ["hang", "next"]

    run(scenario)


def test_a_cancelled_request_of_the_legacy_era_keeps_nothing_open() -> None:
    async def scenario() -> None:
        closed = asyncio.Event()

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            message = await incoming.json() if incoming.method == "POST" else {}
            if message.get("method") != "hang":
                return await handshake(incoming)
            try:
                await asyncio.wait_for(asyncio.Event().wait(), TIMEOUT_S)
            finally:
                closed.set()
            raise AssertionError

        async with server(respond) as url, conversation(url) as client:
            await client.begin()
            await client.send(
                request(1, "hang"),
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
            )
            await asyncio.wait_for(closed.wait(), TIMEOUT_S)
            assert (await client.ask(request(2, "ping")))["id"] == 2

    run(scenario)


def test_a_batch_is_one_post_and_each_of_its_requests_is_answered() -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            assert len(await incoming.json()) == 3
            return said([result(1)])

        async with server(respond) as url, conversation(url) as client:
            await client.send([request(1, "a"), request(2, "b"), {"jsonrpc": "2.0", "method": "n"}])
            assert await client.message() == [result(1)]
            unanswered = await client.message()
            assert (unanswered["id"], "error" in unanswered) == (2, True)

    run(scenario)


async def handshake(incoming: web.BaseRequest) -> web.StreamResponse:
    """Be a server with sessions that answers every request and has no stream of its own."""
    if incoming.method == "GET":
        return web.Response(status=405)
    message: Any = await incoming.json() if incoming.method == "POST" else {}
    if "id" not in message or "method" not in message:
        return web.Response(status=202)
    return said(result(message["id"], {"protocolVersion": "2025-11-25"}), session="s")
