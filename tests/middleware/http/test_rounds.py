"""Rounds of one call, each of which is an exchange of its own over HTTP."""

import json
from pathlib import Path

from aiohttp import web

from tests.middleware.http.peers import client, relayed, run, served
from tests.middleware.peer import call, remembered


def test_rounds_in_exchanges_of_their_own_are_one_call(memory_file: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        kind = "complete" if "inputResponses" in message["params"] else "input_required"
        result = {"resultType": kind, "requestState": "s"}
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def test() -> None:
        rounds = (
            call(1, "pay", {"n": 1}),
            call(2, "pay", {"n": 2}),
            call(3, "pay", {"n": 1}, requestState="s", inputResponses={}),
        )
        async with served(answer) as server, relayed(memory_file, server) as url, client() as session:
            for message in rounds:
                async with session.post(url, json=message) as response:
                    await response.read()

    run(test())
    assert sorted(remembered(memory_file, "jsonrpc_id, outcome, rounds")) == [("1", "result", 2), ("2", "no_answer", 1)]
