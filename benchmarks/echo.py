"""The server behind every peer of `benchmarks.relay`: it echoes, on stdio or over HTTP, and takes next to no time.

    python -m benchmarks.echo stdio
    python -m benchmarks.echo http PORT

Its tool `echo` returns its `text`, `times` times over, after `delay_ms`. Over HTTP it answers as the SDK's servers do
by default: with a session, and each response as an event of a stream. It prints its port; 0 is any free one.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Any
from uuid import uuid4

TOOLS = [
    {
        "name": "echo",
        "description": "Say it again.",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "times": {"type": "integer"}, "delay_ms": {"type": "number"}},
        },
    }
]
INITIALIZED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "echo", "version": "1"},
}


async def answer(request: dict[str, Any]) -> bytes | None:
    """Return the response to a message, None when it wants none."""
    method, identifier = request.get("method"), request.get("id")
    if identifier is None or method is None:
        return None
    outcome: dict[str, Any] = {"error": {"code": -32601, "message": "Method not found"}}
    if method == "initialize":
        outcome = {"result": INITIALIZED}
    elif method == "ping":
        outcome = {"result": {}}
    elif method == "tools/list":
        outcome = {"result": {"tools": TOOLS}}
    elif method == "tools/call":
        arguments = request["params"]["arguments"]
        if delay_ms := arguments.get("delay_ms", 0):
            await asyncio.sleep(delay_ms / 1000)
        text = arguments["text"] * arguments.get("times", 1)
        # Of a long request only the length comes back, so that one direction is measured at a time.
        text = str(len(text)) if len(arguments["text"]) > 1_000_000 else text
        outcome = {"result": {"content": [{"type": "text", "text": text}]}}
    return json.dumps({"jsonrpc": "2.0", "id": identifier, **outcome}).encode()


async def on_stdio() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks: set[asyncio.Task[None]] = set()

    async def respond(line: bytes) -> None:
        data = await answer(json.loads(line))
        left = memoryview(b"" if data is None else data + b"\n")
        while left:
            left = left[os.write(1, left) :]

    while line := await reader.readline():
        task = asyncio.ensure_future(respond(line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def on_http(port: int) -> None:
    from aiohttp import web  # not at the top: it would slow the start on stdio

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405 if request.method == "GET" else 200)
        body = b"".join([chunk async for chunk in request.content.iter_any()])
        message = json.loads(body)
        data = await answer(message)
        if data is None:
            return web.Response(status=202)
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        if message["method"] == "initialize":
            headers["Mcp-Session-Id"] = uuid4().hex
        response = web.StreamResponse(headers=headers)
        with suppress(ConnectionResetError):  # the client was killed
            await response.prepare(request)
            await response.write(b"event: message\r\ndata: " + data + b"\r\n\r\n")
        return response

    runner = web.ServerRunner(web.Server(respond, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(on_stdio() if sys.argv[1] == "stdio" else on_http(int(sys.argv[2])))
