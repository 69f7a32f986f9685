"""The address that clients reach: what does not grow with what they send."""

import asyncio

from aiohttp import web

from middleware.http.access import Access
from middleware.http.front import listening
from tests.middleware.http.peers import client, post, run


class Echo:
    """A backend that keeps the tasks of its requests."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with what was asked."""
        self.tasks.append(request.task)
        return web.Response(body=await request.read())

    async def close(self) -> None:
        """Nothing is open."""


def test_a_connection_that_is_kept_alive_holds_nothing_of_its_requests() -> None:
    echo = Echo()

    async def test() -> None:
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), echo) as url, client() as session:
            for number in range(5):
                assert await post(session, url, number) == (200, b"%d" % number)
            (task,) = set(echo.tasks)
            callbacks = task._callbacks  # private, and the one place where they show
            assert len(callbacks or []) <= 1

    run(test())
