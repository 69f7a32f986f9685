"""The address that clients reach: what does not grow with what they send, and odd but lawful requests."""

import asyncio
import socket

import pytest
from aiohttp import web

from middleware.http import front
from middleware.http.access import Access
from middleware.http.front import listening, sayer
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


def test_a_client_that_waits_to_be_told_to_go_on_is_told_and_long_headers_pass() -> None:
    async def test() -> None:
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), Echo()) as url:
            port = int(url.rpartition(":")[2].partition("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = [b"POST /mcp HTTP/1.1", b"Host: 127.0.0.1", b"Content-Length: 2", b"Expect: 100-continue"]
            head += [b"Mcp-Param-Long: " + b"x" * 200_000]
            writer.write(b"\r\n".join([*head, b"", b""]))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(2) == b"{}"
            writer.close()
            await writer.wait_closed()

    run(test())


def test_headers_beyond_what_anybody_sends_are_refused_and_the_next_client_is_served() -> None:
    async def test() -> None:
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), Echo()) as url, client() as session:
            assert (await post(session, url, b"{}", X_Long="x" * 300_000))[0] == 400
            assert await post(session, url, b"{}") == (200, b"{}")

    run(test())


def test_only_so_many_requests_are_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "_REQUESTS", 2)
    arrived = asyncio.Queue[None]()
    goes_on = asyncio.Event()

    class Slow(Echo):
        async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
            arrived.put_nowait(None)
            await goes_on.wait()
            return await super().respond(request)

    async def test() -> None:
        async with listening("127.0.0.1", 0, Access("127.0.0.1"), Slow()) as url, client() as session:
            open_ones = [asyncio.create_task(post(session, url, b"{}")) for _ in range(2)]
            for _ in open_ones:
                await arrived.get()
            status, said = await post(session, url, b"{}")
            assert (status, b"try again" in said) == (503, True)
            goes_on.set()
            assert await asyncio.gather(*open_ones) == [(200, b"{}")] * 2
            assert await post(session, url, b"{}") == (200, b"{}")

    run(test())


def test_a_listener_that_was_closed_while_it_waited_for_descriptors_is_no_trouble(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def listen_again() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(sayer())
        closed = socket.socket()
        closed.close()
        # What asyncio does itself, a second after it had no descriptor for a connection.
        loop.call_soon(loop._start_serving, asyncio.Protocol, closed)  # type: ignore[attr-defined]
        loop.call_soon(int, "this is said")
        await asyncio.sleep(0.01)

    asyncio.run(listen_again())
    (line,) = capfd.readouterr().err.splitlines()
    assert "this is said" in line
