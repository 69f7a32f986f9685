"""What a client hears, and a person, when a remote server cannot be reached or answers with something else."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable

import pytest
from aiohttp import web

from middleware.http.remote.conversation import _IN_FLIGHT
from middleware.http.remote.server import _Unawaited
from tests.middleware.http.near import TIMEOUT_S, conversation, event, request, result, run, said, server, stream


async def not_json(incoming: web.BaseRequest) -> web.StreamResponse:
    return said(b'{"jsonrpc":"2.0","id":1,"result":')


async def malformed_event(incoming: web.BaseRequest) -> web.StreamResponse:
    return await stream(incoming, b"data: {nonsense\n\n")


async def closing(incoming: web.BaseRequest) -> web.StreamResponse:
    assert incoming.transport is not None
    incoming.transport.close()
    return web.Response()


async def half_a_body(incoming: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(incoming)
    await response.write(b'{"jsonrpc":"2.0"')
    return await closing(incoming)


def status(number: int, body: str = "no", kind: str = "text/plain", **headers: str) -> Callable[..., object]:
    async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=number, text=body, content_type=kind, headers=headers)

    return respond


REFUSALS = [
    (status(401, '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}'), "--header X-Key"),
    (status(403), "HTTP 403 Forbidden); check the value behind --header X-Key"),
    (status(400), "refused the message (HTTP 400 Bad Request); check its URL"),
    (status(429), "try again later"),
    (status(500), "look into the server's log"),
    (status(599), "HTTP 599"),
    (status(200, "<html>", "text/html"), "answered with text/html, which is no MCP"),
    (status(202), "took the request but gave no answer"),
    (status(302, Location="https://elsewhere.example/in?key=secret"), "sends us on to https://elsewhere.example/in ("),
    (status(307, Location="https://elsewhere.example/in?key=secret"), "sends us on to https://elsewhere.example/in;"),
    (status(307, Location="http://[secret"), "sends us on to [no URL]"),
    (not_json, "sent an answer that is no JSON"),
    (malformed_event, "sent an answer that is no JSON"),
    (closing, "it closed the connection without an answer"),
    (half_a_body, "broke off its answer"),
]


@pytest.mark.parametrize(("refuse", "words"), REFUSALS, ids=[words[:30] for _, words in REFUSALS])
def test_what_is_no_answer_is_an_error_that_says_what_to_do_and_the_next_request_is_tried(
    refuse: Callable[[web.BaseRequest], "asyncio.Future[web.StreamResponse]"],
    words: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            identifier = (await incoming.json())["id"]
            return await refuse(incoming) if identifier == 1 else said(result(identifier))

        async with server(respond) as url, conversation(f"{url}?key=secret", {"X-Key": "secret"}) as client:
            answer = await client.ask(request(1, "x"))
            assert (answer["id"], answer["error"]["code"]) == (1, -32000)
            assert words in answer["error"]["message"]
            assert f"the server 'near' at {url} " in answer["error"]["message"]
            assert "secret" not in str(answer)
            assert await client.ask(request(2, "x")) == result(2)

    run(scenario)
    assert capfd.readouterr().err.count(words) == 1  # of the first request, the person hears too


@pytest.mark.parametrize("identifier", ["null", '"server-error"', "1"])
@pytest.mark.parametrize("number", [400, 403, 404, 500])
def test_a_json_rpc_error_in_a_refusal_is_the_answer_whatever_id_it_names(number: int, identifier: str) -> None:
    error = '{"code":-32022,"message":"no such revision","data":{"supported":["2026-07-28"]}}'

    async def scenario() -> None:
        respond = status(number, f'{{"jsonrpc":"2.0","id":{identifier},"error":{error}}}', "application/json")
        async with server(respond) as url, conversation(url) as client:  # type: ignore[arg-type] # as pytest sees it
            answer = await client.ask(request(1, "server/discover"))
            assert (answer["id"], answer["error"]["data"]) == (1, {"supported": ["2026-07-28"]})

    run(scenario)


def test_a_server_that_is_not_there_is_said_once_to_the_person_and_to_each_request(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def scenario() -> None:
        async with conversation(f"http://user:secret@127.0.0.1:{port}/mcp?key=secret") as client:
            for identifier in (1, 2):
                message = (await client.ask(request(identifier, "x")))["error"]["message"]
                assert message == (
                    f"the server 'near' at http://127.0.0.1:{port}/mcp cannot be reached: Connection refused; "
                    "check its URL and that it runs"
                )
            async with server(lambda incoming: answering(incoming), port):
                assert await client.ask(request(3, "x")) == result(3)

    async def answering(incoming: web.BaseRequest) -> web.StreamResponse:
        return said(result((await incoming.json())["id"]))

    run(scenario)
    assert capfd.readouterr().err.count("\n") == 1


def test_a_server_that_speaks_no_tls_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            return web.Response()

        async with server(respond) as url, conversation(url.replace("http:", "https:")) as client:
            message = (await client.ask(request(1, "x")))["error"]["message"]
            assert "cannot be reached: TLS failed (" in message
            assert "; does it speak plain http?" in message

    run(scenario)


def test_a_notification_that_cannot_be_delivered_is_said_to_the_person(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            message = await incoming.json()
            return said(result(message["id"])) if "id" in message else web.Response(status=500)

        async with server(respond) as url, conversation(url) as client:
            await client.send({"jsonrpc": "2.0", "method": "n"})
            assert await client.ask(request(1, "x")) == result(1)

    run(scenario)
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "n could not be delivered: the server 'near'" in told


def test_what_is_no_json_is_sent_and_the_servers_complaint_passed_on() -> None:
    complaint = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no JSON"}}

    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            assert await incoming.read() == b'{"half'
            return said(complaint, 400)

        async with server(respond) as url, conversation(url) as client:
            await client.send(b"", b'{"half')
            assert await client.message() == complaint

    run(scenario)


def test_only_so_many_requests_are_in_flight_and_the_rest_wait_their_turn() -> None:
    async def scenario() -> None:
        begun = 0
        full, release = asyncio.Event(), asyncio.Event()

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            nonlocal begun
            begun += 1
            if begun == _IN_FLIGHT:
                full.set()
            await release.wait()
            return said(result((await incoming.json())["id"]))

        async with server(respond) as url, conversation(url) as client:
            await client.send(*(request(number, "x") for number in range(_IN_FLIGHT + 20)))
            await full.wait()
            assert begun == _IN_FLIGHT
            release.set()
            assert {(await client.message())["id"] for _ in range(_IN_FLIGHT + 20)} == set(range(_IN_FLIGHT + 20))

    run(scenario)


def test_a_client_that_does_not_read_holds_the_servers_stream_back() -> None:
    async def scenario() -> None:
        written = 0
        held = asyncio.Event()
        flood = event({"jsonrpc": "2.0", "method": "n", "params": {"text": "x" * 100_000}})

        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            nonlocal written
            response = await stream(incoming)
            while written < 64 << 20:
                try:
                    # In the middle of a flood nothing but a full way takes that long.
                    await asyncio.wait_for(asyncio.shield(response.write(flood)), 2)
                except TimeoutError:
                    break
                written += len(flood)
            held.set()
            return response

        async with server(respond) as url, conversation(url) as client:
            await client.send(request(1, "x"))
            await held.wait()
            assert written < 16 << 20
            while (await client.message()).get("id") != 1:
                pass

    run(scenario)


def test_an_endless_event_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("middleware.http.remote.replies.LINE_LIMIT", 1 << 20)

    async def scenario() -> None:
        async def respond(incoming: web.BaseRequest) -> web.StreamResponse:
            response = await stream(incoming)
            while True:
                await response.write(b"x" * 100_000)

        async with server(respond) as url, conversation(url) as client:
            assert "above 1 MiB" in (await client.ask(request(1, "x")))["error"]["message"]

    run(scenario)


def test_a_name_server_that_does_not_answer_holds_nothing_up() -> None:
    blocked, release = os.pipe()
    future = _Unawaited().submit(os.read, blocked, 1)
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
    os.write(release, b"x")
    assert future.result(TIMEOUT_S) == b"x"
    os.close(blocked)
    os.close(release)
