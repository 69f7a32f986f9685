"""The connections to a remote server."""

import asyncio
import socket

from aiohttp import web

from middleware.http.upstream import Upstream
from tests.middleware.http.peers import run, served


def test_a_connection_is_asked_whether_it_lives() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async def test() -> None:
        async with served(answer) as url:
            upstream = Upstream("remote", url, {})
            response = await upstream.request("GET", [])
            assert response.connection is not None
            assert response.connection.transport is not None
            connected = response.connection.transport.get_extra_info("socket")
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            response.close()
            await upstream.close()

    run(test())
