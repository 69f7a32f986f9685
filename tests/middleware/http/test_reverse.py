"""The relay in front of a URL: what passes, what is remembered, what happens when either side goes."""

import asyncio
import gzip
import json
import queue
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from middleware.http.events import event_of
from middleware.http.mirrored import SESSION_ID
from middleware.memory.identity import TRIAL_META_KEY
from tests.middleware.http.peers import TIMEOUT_S, client, post, relayed, result_for, run, served
from tests.middleware.peer import call, remembered, wait_for
from tests.middleware.test_stdio import lines

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def informed(name: str, version: str = "1") -> dict[str, Any]:
    return {"_meta": {**MODERN, "io.modelcontextprotocol/clientInfo": {"name": name, "version": version}}}


def sessions(memory: Path) -> list[tuple[Any, ...]]:
    return remembered(
        memory,
        "tool_name, (SELECT client_name FROM sessions WHERE uid = session_uid),"
        " (SELECT count(DISTINCT session_uid) FROM calls)",
    )


def test_a_call_passes_byte_for_byte_and_is_remembered(memory_file: Path) -> None:
    heard: list[bytes] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(await request.read())
        return web.Response(body=result_for(json.loads(heard[-1])), content_type="application/json")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            body = b'{"method" :"tools/call","id":"\\u00fc", "params":{"name":"say","arguments":{"a" : 1.50}}}\n'
            status, answered = await post(session, url, body)
            assert (status, answered) == (200, result_for({"id": "ü"}))
            assert heard == [body]

    run(test())
    assert remembered(memory_file, "tool_name, outcome, arguments_json, jsonrpc_id") == [
        ("say", "result", '{"a":1.5}', '"ü"')
    ]


def test_headers_pass_but_for_what_is_meant_for_one_side_only(memory_file: Path) -> None:
    heard: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(request)
        headers = [("X-Down", "1"), ("X-Down", "2"), ("Set-Cookie", "c=1"), ("Mcp-Session-Id", "s"), ("X-Hop", "x")]
        response = web.Response(status=418, reason="Short and stout", body=b"no", content_type="text/plain")
        response.headers.extend([*headers, ("Connection", "X-Hop")])
        return response

    async def test() -> None:
        own = {"Authorization": "Bearer ours", "X-Key": "k"}
        async with served(answer) as server, relayed(memory_file, server, own) as url, client() as session:
            headers = {
                "Authorization": "Bearer the client's",
                "Cookie": "a=b",
                "X-Api-Key": "the client's",
                "X-Key": "the client's",
                "Mcp-Param-Token": "t",
                "Mcp-Param-Region": "north",
                "Last-Event-ID": "7",
                "X-Hop": "x",
                "Connection": "X-Hop, keep-alive",
            }
            async with session.post(url, data=b"{}", headers=headers) as response:
                assert (response.status, response.reason) == (418, "Short and stout")
                assert response.headers.getall("X-Down") == ["1", "2"]
                assert response.headers["Mcp-Session-Id"] == "s"
                assert not {"Set-Cookie", "X-Hop"} & set(response.headers)

    run(test())
    (request,) = heard
    assert request.headers.getall("Authorization") == ["Bearer ours"]
    assert request.headers.getall("X-Key") == ["k"]
    assert (request.headers["Mcp-Param-Region"], request.headers["Last-Event-ID"]) == ("north", "7")
    assert request.headers["Mcp-Param-Token"] == "t"
    assert not {"Cookie", "X-Hop", "X-Api-Key"} & set(request.headers)


def test_a_stream_passes_event_by_event_as_it_comes(memory_file: Path) -> None:
    parts = [
        b": a comment\n\nid: 1\ndata:\n\n",
        b'id: 2\r\nevent: message\r\ndata: {"jsonrpc":"2.0",\r\ndata:  "method":"notifications/message"}\r\n\r\n',
        event_of(result_for({"id": 1})),
        b"data: cut sho",
    ]
    passed = [asyncio.Event() for _ in parts]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part, event in zip(parts, passed, strict=True):
            await response.write(part)
            if part is not parts[-1]:
                await event.wait()  # the next is sent only when this one has arrived
        return response

    async def test() -> None:
        async with (
            served(answer) as server,
            relayed(memory_file, server) as url,
            client() as session,
            session.post(url, data=json.dumps(call(1, "say")).encode()) as response,
        ):
            for part, event in zip(parts, passed, strict=True):
                assert await response.content.readexactly(len(part)) == part
                event.set()
            assert await response.content.read() == b""

    run(test())
    assert remembered(memory_file) == [("say", "result")]


def test_a_result_is_durable_before_the_client_has_it(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        if message["id"] == 1:
            return web.Response(body=result_for(message), content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event_of(result_for(message)))
        await asyncio.Event().wait()
        raise AssertionError

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            # A new memory takes longer to make than a message waits: the first row may go through the spool.
            await post(session, url, call(1, "first"))
            await asyncio.to_thread(wait_for, memory_file, "SELECT count(*) FROM calls", [(1,)])
            await post(session, url, call(1, "json"))
            assert remembered(memory_file)[1:] == [("json", "result")]
            async with session.post(url, data=json.dumps(call(2, "stream")).encode()) as response:
                await response.content.readuntil(b"\n\n")
                assert remembered(memory_file)[2:] == [("stream", "result")]

    run(test())


def test_a_session_is_one_session_and_its_id_is_written_nowhere(memory_file: Path) -> None:
    identifier = "a-session-id-nobody-may-read"

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        result = {"jsonrpc": "2.0", "id": message["id"], "result": {"protocolVersion": "2025-11-25"}}
        headers = {SESSION_ID: identifier} if message["method"] == "initialize" else {}
        return web.json_response(result, headers=headers)

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            params = {"clientInfo": {"name": "a client", "version": "1"}}
            await post(session, url, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
            for number in (1, 2):
                await post(session, url, call(number, f"t{number}"), Mcp_Session_Id=identifier)

    run(test())
    assert sessions(memory_file) == [("t1", "a client", 1), ("t2", "a client", 1)]
    for path in memory_file.parent.rglob("*"):
        assert path.is_dir() or identifier.encode() not in path.read_bytes()


def test_clients_without_sessions_are_told_apart_even_with_the_same_ids_at_once(memory_file: Path) -> None:
    both = asyncio.Barrier(2)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        await both.wait()
        return web.Response(body=result_for(message, message["params"]["name"]), content_type="application/json")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            answers = await asyncio.gather(
                *(post(session, url, call(1, tool, **informed(tool))) for tool in ("one", "two"))
            )
            assert [json.loads(body)["result"]["content"][0]["text"] for _, body in answers] == ["one", "two"]

    run(test())
    assert sorted(sessions(memory_file)) == [("one", "one", 2), ("two", "two", 2)]
    results = remembered(memory_file, "tool_name, result_json")
    assert all(json.loads(text)["content"][0]["text"] == name for name, text in results)


def test_a_client_of_a_server_without_sessions_is_still_known_by_what_it_said(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=result_for(json.loads(await request.read())), content_type="application/json")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            for name in ("one", "two"):
                params = {"clientInfo": {"name": name, "version": "1"}}
                hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
                await post(session, url, hello, User_Agent=name)
            for name in ("one", "two", "one"):
                await post(session, url, call(1, name), User_Agent=name)

    run(test())
    assert sessions(memory_file) == [("one", "one", 2), ("two", "two", 2), ("one", "one", 2)]


def test_rounds_of_a_call_are_joined_over_exchanges(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        if "inputResponses" in message["params"]:
            return web.Response(body=result_for(message), content_type="application/json")
        result = {"resultType": "input_required", "requestState": "opaque"}
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            await post(session, url, call(1, "ask", {"a": 1}, **informed("c")))
            again = {"inputResponses": {"x": {}}, "requestState": "opaque"}
            await post(session, url, call(2, "ask", {"a": 1}, **informed("c"), **again))
            await post(session, url, call(3, "never", **informed("c")))

    run(test())
    assert sorted(remembered(memory_file, "tool_name, outcome, rounds")) == [
        ("ask", "result", 2),
        ("never", "no_answer", 1),
    ]


def test_an_error_for_no_request_in_particular_is_that_of_the_only_one(memory_file: Path) -> None:
    refused = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"Header mismatch"}}'

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=400, body=refused, content_type="application/json")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            assert await post(session, url, call(1, "say")) == (400, refused)

    run(test())
    assert remembered(memory_file, "outcome, error, error_code") == [("protocol_error", "Header mismatch", -32020)]


def test_a_modern_client_that_goes_away_cancels_its_call(memory_file: Path) -> None:
    arrived, left = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            waiting = asyncio.ensure_future(post(session, url, call(1, "slow", **informed("c"))))
            await arrived.wait()
            waiting.cancel()
            await left.wait()  # the server hears of it

    run(test())
    assert remembered(memory_file) == [("slow", "cancelled")]


def test_a_client_that_goes_away_in_mid_stream_is_normal(memory_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    left = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(event_of(b'{"jsonrpc":"2.0","method":"notifications/message"}'))
        finally:
            left.set()

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            async with session.post(url, data=json.dumps(call(1, "slow", **informed("c"))).encode()) as response:
                await response.content.readuntil(b"\n\n")
                response.close()
            await left.wait()

    run(test())
    assert remembered(memory_file) == [("slow", "cancelled")]
    assert capfd.readouterr().err == ""


def test_a_server_that_cannot_be_reached_is_said_in_the_answer(memory_file: Path) -> None:
    async def test() -> None:
        async with served(lambda request: asyncio.sleep(0, web.Response())) as server:
            pass
        async with relayed(memory_file, server + "?key=s3cret") as url, client() as session:
            status, body = await post(session, url, call("x", "say"))
            assert status == 502
            message = json.loads(body)
            assert message["id"] == "x"
            assert "'remote'" in message["error"]["message"]
            assert server in message["error"]["message"]
            assert "s3cret" not in message["error"]["message"]
            status, body = await post(session, url, {"jsonrpc": "2.0", "method": "notifications/x"})
            assert (status, b"cannot be reached" in body) == (502, True)

    run(test())
    ((outcome, error),) = remembered(memory_file, "outcome, error")
    assert outcome == "no_answer"
    assert "cannot be reached" in error


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "the server's response held no answer to the request"),
        (404, "the server's response held no answer to the request (HTTP 404 Not Found)"),
    ],
)
def test_a_response_without_an_answer_is_remembered_as_that(memory_file: Path, status: int, words: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"hello": "world"}, status=status)

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            assert (await post(session, url, call(1, "say")))[0] == status

    run(test())
    assert remembered(memory_file, "outcome, error") == [("no_answer", words)]


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_server_that_dies_in_mid_answer_leaves_an_error(memory_file: Path, kind: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": kind, "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: {"resu')
        assert request.transport is not None
        request.transport.abort()
        return response

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            _, body = await post(session, url, call(7, "die"))
            last = json.loads(body.split(b"data: ")[-1])
            assert last["id"] == 7
            assert "error" in last

    run(test())
    assert remembered(memory_file) == [("die", "no_answer")]


def test_a_stream_that_can_be_resumed_is_left_to_the_client_to_resume(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if request.method == "GET":
            assert request.headers["Last-Event-ID"] == "1"
            await response.write(b"id: 2\n" + event_of(result_for({"id": 1})))
        else:
            await response.write(b"id: 1\nretry: 10\ndata:\n\n")
        return response

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            headers = {SESSION_ID: "s"}
            async with session.post(url, data=json.dumps(call(1, "long")).encode(), headers=headers) as response:
                assert await response.read() == b"id: 1\nretry: 10\ndata:\n\n"
            async with session.get(url, headers={**headers, "Last-Event-ID": "1"}) as response:
                assert b'"result"' in await response.read()

    run(test())
    assert remembered(memory_file) == [("long", "result")]


@pytest.mark.parametrize("session_id", [None, "s"])
def test_a_server_that_hangs_is_given_up_when_that_is_wanted(memory_file: Path, session_id: str | None) -> None:
    told: list[Any] = []
    left = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        if "id" not in message:
            told.append(message["params"]["requestId"])
            return web.Response(status=202)
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server, timeout_s=0.05) as url, client() as session:
            own = {"Mcp_Session_Id": session_id} if session_id else {}
            status, body = await post(session, url, call("x", "hang"), **own)
            assert (status, json.loads(body)["id"], json.loads(body)["error"]["code"]) == (504, "x", -32001)
            await left.wait()

    run(test())
    assert told == (["x"] if session_id else [])  # without a session, the end of the connection says it
    assert remembered(memory_file) == [("hang", "no_answer")]


def test_subscriptions_and_what_follows_an_answer_have_no_time_to_keep(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event_of(result_for(message)) if message["method"] == "tools/call" else b": open\n\n")
        await asyncio.sleep(0.3)
        await response.write(b": end\n\n")
        return response

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server, timeout_s=0.1) as url, client() as session:
            assert (await post(session, url, call(1, "long")))[1].endswith(b": end\n\n")
            listen = {"jsonrpc": "2.0", "id": 2, "method": "subscriptions/listen"}
            assert b": end\n\n" in (await post(session, url, listen))[1]

    run(test())
    assert remembered(memory_file) == [("long", "result")]


def test_redirects_are_followed_on_the_servers_own_host_only(memory_file: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/mcp":
            return web.Response(status=307, headers={"Location": "/mcp/"})
        if request.path == "/mcp/":
            return web.Response(body=result_for(json.loads(await request.read())), content_type="application/json")
        return web.Response(status=308, headers={"Location": "http://localhost:1/x?key=s3cret"})

    async def test() -> None:
        async with served(answer) as server, client() as session:
            async with relayed(memory_file, server) as url:
                for number in (1, 2):
                    assert (await post(session, url, call(number, "say")))[0] == 200
            assert asked == ["/mcp", "/mcp/", "/mcp/"]
            async with relayed(memory_file, server + "-elsewhere") as url:
                status, body = await post(session, url, call(3, "say"))
                assert (status, b"http://localhost:1/x;" in body, b"s3cret" in body) == (502, True, False)

    run(test())


def test_a_compressed_answer_is_read_and_remembered(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = gzip.compress(result_for(json.loads(await request.read())))
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            assert (await post(session, url, call(1, "say")))[1] == result_for({"id": 1})

    run(test())
    assert remembered(memory_file) == [("say", "result")]


@pytest.mark.parametrize("streamed", [False, True])
def test_ten_megabytes_pass_in_both_directions_and_are_cut_in_memory(memory_file: Path, streamed: bool) -> None:
    text = "ü😀x" * 500_000

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.content.read())
        body = result_for(message, message["params"]["arguments"]["text"])
        if streamed:
            return web.Response(body=event_of(body), content_type="text/event-stream")
        return web.Response(body=body, content_type="application/json")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            body = json.dumps(call(1, "say", {"text": text}), ensure_ascii=False).encode()

            async def pieces() -> Any:
                for start in range(0, len(body), 1 << 16):
                    yield body[start : start + (1 << 16)]

            async with session.post(url, data=pieces(), headers={"Content-Length": str(len(body))}) as response:
                answered = await response.read()
            data = answered.split(b"data: ", 1)[-1].replace(b"\ndata: ", b"\n")
            assert json.loads(data)["result"]["content"][0]["text"] == text

    run(test())
    ((outcome, result, size),) = remembered(memory_file, "outcome, result_json, result_bytes")
    assert outcome == "result"
    assert len(result) < 20_000
    assert json.loads(result)["practicum/cut"]["bytes"] == size > 9_000_000


def test_a_trial_is_recorded_and_never_reaches_the_server(memory_file: Path) -> None:
    heard: list[Any] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(json.loads(await request.read()))
        return web.Response(body=result_for(heard[-1]), content_type="application/json")

    async def test() -> None:
        async with (
            served(answer) as server,
            relayed(memory_file, server, trial_token="t") as url,
            client() as session,
        ):
            meta = {TRIAL_META_KEY: {"token": "t", "uid": "trial-1"}, "other": 1}
            await post(session, url, call(1, "say", _meta=meta))

    run(test())
    assert heard[0]["params"]["_meta"] == {"other": 1}
    assert remembered(memory_file, "trial_uid") == [("trial-1",)]


def test_strangers_are_kept_out(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("nothing of theirs reaches the server")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            assert (await post(session, url, {}, Host="evil.example"))[0] == 403
            assert (await post(session, url, {}, Origin="https://evil.example"))[0] == 403
            assert (await post(session, url.replace("/mcp", "/other"), {}))[0] == 404

    run(test())


def test_a_server_that_wants_credentials_is_said_to_the_person_once(
    memory_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer resource_metadata="http://x/"'})

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            for number in (1, 2):
                async with session.post(url, json=call(number, "say")) as response:
                    assert response.status == 401
                    assert "WWW-Authenticate" not in response.headers

    run(test())
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "--header" in said
    assert remembered(memory_file) == [("say", "no_answer")] * 2


def test_a_compressed_request_is_refused(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("it never comes this far")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            body = gzip.compress(json.dumps(call(1, "say")).encode())
            assert (await post(session, url, body, Content_Encoding="gzip"))[0] == 415

    run(test())


def test_a_message_that_is_too_long_is_refused(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("it never comes this far")

    async def test() -> None:
        async with served(answer) as server, relayed(memory_file, server) as url:
            host, port = url.split("/")[2].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Length: {(64 << 20) + 1}\r\n\r\n".encode())
            assert b" 413 " in await reader.readline()
            writer.close()

    run(test())


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a relay in front of a server that answers with what it was sent, and what that was."""
    heard: list[bytes] = []
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    url: queue.Queue[str] = queue.Queue()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(await request.read())
        return web.Response(body=heard[-1], headers={"Content-Type": request.headers["X-Answer-As"]})

    async def stay() -> None:
        memory = tmp_path_factory.mktemp("echo") / "memory.db"
        async with served(answer) as server, relayed(memory, server) as front:
            url.put(front)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),))
    thread.start()
    try:
        yield url.get(timeout=TIMEOUT_S), heard
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(TIMEOUT_S)
        loop.close()


@given(body=lines, kind=st.sampled_from(["application/json", "text/event-stream", "text/plain"]), session=st.booleans())
def test_any_bytes_pass_in_both_directions_as_they_are(
    body: bytes, kind: str, session: bool, echo: tuple[str, list[bytes]]
) -> None:
    url, heard = echo
    headers = {"X-Answer-As": kind, "Content-Type": "application/json", **({SESSION_ID: "s"} if session else {})}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        answered = response.read()
    assert heard.pop() == body
    # The relay adds one thing: an error where a stream ends and leaves a request without its answer.
    assert answered == body or (kind == "text/event-stream" and b'"error"' in answered)
