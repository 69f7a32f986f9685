"""Clients that leave a command's front: what was on its way to one of their streams and was not its alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from middleware.http.hosted import stream as streams
from middleware.http.hosted.stream import Stream
from middleware.http.mirrored import SESSION_ID
from middleware.http.recorder import Recorder
from middleware.relay import Passage
from tests.middleware.http.peers import client, run, served
from tests.middleware.http.test_hosted import BOTH, Front, datas, text_of, with_front
from tests.middleware.peer import call

QUESTION = {"id": "q", "method": "sampling/createMessage"}
REPLY = {"jsonrpc": "2.0", "id": "q", "result": {"text": "so"}}
# More than the kernel takes for a client that does not read, as lines before the question and as the question itself.
BEHIND = {"lines": 3000, "length": 10}
WITHIN = {"lines": 0, "length": 30_000_000}


async def buried(front: Front) -> None:
    """Wait until the relay has taken what the server said, to the last pipeful."""
    await front.until(lambda: b"buried\n" in front.log.read_bytes())


async def open_call(front: Front, sending: Any) -> asyncio.Task[aiohttp.ClientResponse]:
    """Send a call that is answered later, and wait until the server has it; the task ends when its response begins."""
    before = len(front.heard())
    task: asyncio.Task[aiohttp.ClientResponse] = asyncio.ensure_future(sending)
    await front.until(lambda: len(front.heard()) > before)
    return task


async def all_of(messages: AsyncIterator[bytes]) -> list[bytes]:
    return [message async for message in messages]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients that do not read waited for."""
    monkeypatch.setattr(streams, "HELD_LIMIT", 1 << 30)


@pytest.mark.parametrize(
    ("amount", "is_cut_off"), [(BEHIND, False), (WITHIN, False), (WITHIN, True)], ids=["behind", "within", "cut off"]
)
def test_a_question_that_a_client_left_unread_comes_on_another_stream(
    memory_file: Path, monkeypatch: pytest.MonkeyPatch, amount: dict[str, int], is_cut_off: bool
) -> None:
    if is_cut_off:
        monkeypatch.setattr(streams, "_PATIENCE_S", 0.5)
    else:
        monkeypatch.setattr(streams, "HELD_LIMIT", 1 << 30)

    async def test(front: Front) -> None:
        identifier = await front.begin()
        first = await open_call(front, front.post(call(1, "hold"), Mcp_Session_Id=identifier))
        to = {"method": "notifications/progress", "messages": [QUESTION]}
        bury = call(2, "bury", {**amount, **to}, _meta={"progressToken": "buried"})
        async with front.post(bury, Mcp_Session_Id=identifier) as unread:
            if not is_cut_off:
                await buried(front)
                assert not first.done()
                unread.close()
            async with await first as response:
                messages = datas(response)
                question = json.loads(await anext(messages))
                assert (question["id"], len(question["params"]["text"])) == ("q", amount["length"])
                rest = asyncio.create_task(all_of(messages))  # at once, as this client is to be waited for
                assert (await front.ask(REPLY, Mcp_Session_Id=identifier))[0] == 202
                *others, answer = await rest
                assert json.loads(text_of(json.loads(answer))) == {"text": "so"}
                # What the other client had not read of its own progress was for nobody else.
                assert not any(b"before" in message for message in others)

    with_front(memory_file, test)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("message", [QUESTION, {"method": "notifications/tools/list_changed"}])
def test_what_a_get_stream_left_unsent_is_kept_for_the_next(memory_file: Path, message: dict[str, str]) -> None:
    async def test(front: Front) -> None:
        identifier = await front.begin()
        headers = {SESSION_ID: identifier, "Accept": BOTH}
        async with front.session.get(front.url, headers=headers) as unread:
            bury = {"jsonrpc": "2.0", "method": "vendor/bury", "params": {"lines": 3000, "messages": [message]}}
            assert (await front.ask(bury, Mcp_Session_Id=identifier))[0] == 202
            await buried(front)
            unread.close()
        async with AsyncExitStack() as stack:
            while True:  # until the relay has noticed that the first is gone
                stream = await stack.enter_async_context(front.session.get(front.url, headers=headers))
                if stream.status == 200:
                    break
            # The log of whatever it was about is not kept.
            assert json.loads(await anext(datas(stream))) == {"jsonrpc": "2.0", **message, "params": {"text": ""}}

    with_front(memory_file, test)


@pytest.mark.usefixtures("patient")
def test_what_names_no_request_of_the_shared_process_comes_on_another_stream(memory_file: Path) -> None:
    async def test(front: Front) -> None:
        first = await open_call(front, front.modern(call(1, "hold")))
        # What ends a request may be said of the leaver's own only.
        ending = {"method": "notifications/cancelled", "params": {"requestId": 2}}
        to = {"method": "notifications/progress", "messages": [{"method": "notifications/vendor"}, ending]}
        bury = call(2, "bury", {**BEHIND, **to}, _meta={"progressToken": "buried"})
        async with front.modern(bury) as unread:
            await buried(front)
            assert not first.done()
            unread.close()
            async with await first as response:
                messages = datas(response)
                assert json.loads(await anext(messages))["method"] == "notifications/vendor"
                assert [text_of(message) for message in (await front.ask_modern(call(3, "free")))[1]] == ["free"]
                assert json.loads(await anext(messages))["id"] == 1
                assert [message async for message in messages] == []

    with_front(memory_file, test)


def test_a_response_that_ends_without_an_answer_is_a_stream_whatever_is_in_it(memory_file: Path) -> None:
    class Nothing:
        def hold(self, holder: object) -> None: ...

        def release(self, holder: object) -> None: ...

    async def test() -> None:
        recorder = Recorder(memory_file, name="x", command=["x"], trial_token=None)

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            stream = Stream(request, Nothing())
            stream.put(Passage(b"{}\n"))
            stream.finish()
            response = await stream.respond(recorder)
            assert stream.close() == []
            return response

        async with served(answer) as url, client() as session, session.post(url) as response:
            assert (response.content_type, [data async for data in datas(response)]) == ("text/event-stream", [b"{}"])
        await recorder.close()

    run(test())
