"""The barest peers of `benchmarks.relay`: what comes is passed on, not looked at and not recorded.

python -m benchmarks.bare stdio COMMAND...
python -m benchmarks.bare http PORT URL
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence


async def on_stdio(command: Sequence[str]) -> None:
    loop = asyncio.get_running_loop()
    child = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 26)
    assert child.stdin is not None
    assert child.stdout is not None
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while line := await source.readline():
            sink.write(line)
            await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, child.stdin), pump(child.stdout, writer))
    await child.wait()


async def on_http(port: int, url: str) -> None:
    import aiohttp  # not at the top: it would slow the start on stdio
    from aiohttp import web

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        kept = {key: value for key, value in request.headers.items() if key.lower() not in ("host", "content-length")}
        async with session.request(request.method, url, headers=kept, data=request.content) as answered:
            headers = {key: value for key, value in answered.headers.items() if key.lower() != "transfer-encoding"}
            response = web.StreamResponse(status=answered.status, headers=headers)
            await response.prepare(request)
            async for chunk in answered.content.iter_any():
                await response.write(chunk)
            return response

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        runner = web.ServerRunner(web.Server(respond, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(on_stdio(sys.argv[2:]) if sys.argv[1] == "stdio" else on_http(int(sys.argv[2]), sys.argv[3]))
