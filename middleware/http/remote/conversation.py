"""A client's lines to a remote server and back: which may overtake which, how many at once, and how it all ends.

A server on stdio reads line by line; a remote one is sent requests side by side. What they have in common is kept: a
notification or a response goes out when all that was read before it is with the network, and is taken before anything
behind it goes out; so does `initialize`, which must even have been answered.
"""

import asyncio
from contextlib import suppress

from middleware.abridge import abridge
from middleware.errors import UpstreamError
from middleware.http.remote.exchange import RETRY_S, Exchange
from middleware.http.remote.outgoing import Outgoing
from middleware.http.remote.pipes import LineWriter, lines
from middleware.http.remote.replies import Stream, line_of, refusal, succeeded
from middleware.http.remote.session import DELIVERY_S, RemoteSession
from middleware.http.upstream import Upstream
from middleware.memory.writer import report_to_stderr
from middleware.messages import id_key
from middleware.parsing import parse, spell

_IN_FLIGHT = 100  # requests; more wait, and the client with them
_LAST_S = 0.3  # for connections to be closed
_CROSSING_S = 1.0  # an answer that crossed its cancellation on the way still passes
_LONGEST_RETRY_S = 30.0


class Conversation:
    """Passes lines between two pipes and a server, and records nothing."""

    def __init__(self, upstream: Upstream, source: int, sink: int, own: set[bytes]) -> None:
        """`own` takes each line that no server has said, before it is written."""
        self._upstream = upstream
        self._session = RemoteSession(upstream, self._listen)
        self._source = source
        self._own = own
        self._client = LineWriter(sink)
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._running: dict[asyncio.Task[None], Outgoing] = {}
        self._listener: asyncio.Task[None] | None = None
        self._reached = False  # the server has answered something, or was said not to

    async def run(self) -> None:
        """Pass lines on until the client's have ended and all are answered; or until cancelled."""
        try:
            async for line in lines(self._source):
                if line.strip():
                    await self._send(Outgoing(line))
            self._stop_streams()
            while self._running:
                await asyncio.wait(self._running)
            await self._client.drain()
        finally:
            self._stop_streams(everything=True)
            if self._running:
                await asyncio.wait(self._running, timeout=_LAST_S)
            await self._session.end()
            await self._upstream.close()

    async def _send(self, outgoing: Outgoing) -> None:
        if self._is_cancellation_of_ours(outgoing):
            return
        if outgoing.is_request and outgoing.method != "initialize":
            await self._slots.acquire()
            self._start(outgoing)
            return
        for other in list(self._running.values()):
            await other.sent.wait()
        if outgoing.is_request:
            await self._slots.acquire()
            self._start(outgoing)
            await outgoing.settled.wait()
        else:
            await self._deliver(outgoing)

    def _start(self, outgoing: Outgoing) -> None:
        task = asyncio.create_task(self._ask(outgoing))
        self._running[task] = outgoing
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        outgoing = self._running.pop(task)
        outgoing.sent.set()
        outgoing.settled.set()
        self._slots.release()
        if not task.cancelled():
            task.result()

    async def _ask(self, outgoing: Outgoing) -> None:
        reason = await Exchange(self._session, outgoing, self._client, self._own).run()
        if reason is not None and not self._reached:
            report_to_stderr(reason)
        self._reached = True

    async def _deliver(self, outgoing: Outgoing) -> None:
        """Send what has no answer, and see that it is taken before anything behind it is sent."""
        try:
            async with asyncio.timeout(DELIVERY_S), await self._session.post(outgoing) as response:
                if not succeeded(response):
                    refused, reason = await refusal(self._upstream, response)
                    if not outgoing.is_json and refused is not None:
                        await self._client.write(spell(refused).encode() + b"\n")
                        return
                    raise UpstreamError(reason)
        except TimeoutError:
            self._undelivered(outgoing, f"no answer from {self._upstream.shown} within {DELIVERY_S:.0f} s")
        except UpstreamError as error:
            self._undelivered(outgoing, str(error))
        else:
            if outgoing.method == "notifications/initialized":
                self._listen()
            elif outgoing.method == "notifications/cancelled":
                self._forget(outgoing)

    def _undelivered(self, outgoing: Outgoing, reason: str) -> None:
        what = str(outgoing.method)[:80] if outgoing.method is not None else "a response of the client"
        report_to_stderr(f"{what} could not be delivered: {reason}")

    def _is_cancellation_of_ours(self, outgoing: Outgoing) -> bool:
        """Close the request that a cancellation names, where closing it is what cancels it."""
        if outgoing.method != "notifications/cancelled":
            return False
        found = self._find(outgoing)
        for task, request in found:
            if request.is_modern:
                task.cancel()
        # What is no longer there needs no cancellation where none is ever sent.
        return any(request.is_modern for _, request in found) or (not found and self._session.version is None)

    def _forget(self, cancellation: Outgoing) -> None:
        """The server knows that a request is cancelled, and will most likely never answer it."""
        for task, request in self._find(cancellation):
            request.asked.pop(id_key(cancellation.params["requestId"]), None)
            if not request.asked:
                request.settled.set()
                asyncio.get_running_loop().call_later(_CROSSING_S, task.cancel)

    def _find(self, cancellation: Outgoing) -> list[tuple[asyncio.Task[None], Outgoing]]:
        key = id_key(cancellation.params.get("requestId"))
        return [(task, request) for task, request in self._running.items() if key in request.asked]

    def _listen(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
        self._listener = asyncio.create_task(self._listening())

    async def _listening(self) -> None:
        """Pass on what the server says of itself, until it says that it will not."""
        stream = Stream(self._upstream)
        failures = 0
        had_one = False
        while True:
            with suppress(UpstreamError):
                async with await self._session.get(stream.last_id) as response:
                    if response.status == 200 and response.content_type == "text/event-stream":
                        had_one = True
                        async for data in stream.events(response):
                            if isinstance(parse(abridge(data)), dict | list):
                                await self._client.write(line_of(data))
                        failures = 0 if stream.came else failures
                    elif response.status == 404 and had_one:
                        had_one = False  # it has forgotten us, or has no stream any more
                        stream = Stream(self._upstream)
                        await self._session.renew()
                    elif response.status < 500 and response.status != 429:
                        return
            await asyncio.sleep(min(_LONGEST_RETRY_S, (stream.retry_s or RETRY_S) * 2**failures))
            failures += 1

    def _stop_streams(self, *, everything: bool = False) -> None:
        """End what has no end of its own, or everything."""
        if self._listener is not None:
            self._listener.cancel()
        for task, outgoing in self._running.items():
            if everything or outgoing.method == "subscriptions/listen":
                task.cancel()
