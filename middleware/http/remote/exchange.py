"""One request to a remote server: sent, and its answer passed on, or the reason why there is none."""

import asyncio
from typing import Any

import aiohttp

from middleware.abridge import abridge
from middleware.errors import UpstreamError
from middleware.http.remote.outgoing import Outgoing
from middleware.http.remote.pipes import LineWriter
from middleware.http.remote.replies import (
    Stream,
    body_of,
    broken_off,
    line_of,
    malformed,
    not_mcp,
    refusal,
    succeeded,
)
from middleware.http.remote.session import RemoteSession
from middleware.memory.writer import report_to_stderr
from middleware.messages import HEADER_MISMATCH, SERVER_ENDED, error_answer
from middleware.parsing import parse, spell

RETRY_S = 1.0  # before a stream is asked for again, where the server has not said
_SHORTEST_RETRY_S = 0.05
_RESUMPTIONS = 5  # that fail one after the other before we give up
_LAST_WORDS_S = 1.0  # for a stream to end once the answer has come


class Exchange:
    """A line with requests, and what comes back for them."""

    def __init__(self, session: RemoteSession, outgoing: Outgoing, client: LineWriter, own: set[bytes]) -> None:
        """`own` takes the lines that we say to the client ourselves."""
        self.outgoing = outgoing
        self._session = session
        self._upstream = session.upstream
        self._client = client
        self._own = own

    async def run(self) -> str | None:
        """Send the line, and pass on what comes; return what the client was told went wrong, None if nothing did.

        However it ends, each request has its answer then, but for those that the client has cancelled.
        """
        reason = None
        try:
            reason = await self._run()
        except UpstreamError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not leave the client without an answer
            reason = f"the relay failed, please report this: {type(error).__name__}: {error}"
            report_to_stderr(reason)
        finally:
            self.outgoing.sent.set()
            self.outgoing.settled.set()
        unanswered = list(self.outgoing.asked.values())
        for identifier in unanswered:
            line = error_answer(identifier, SERVER_ENDED, reason or broken_off(self._upstream))
            self._own.add(line)
            await self._client.write(line)
        return reason if unanswered else None

    async def _run(self) -> str | None:
        response = await self._session.post(self.outgoing)
        if response.status == 400 and self.outgoing.is_modern and self.outgoing.method == "tools/call":
            refused, reason = await self._refusal(response)
            if refused is None or refused["error"].get("code") != HEADER_MISMATCH:
                return await self._refused(refused, reason)
            if not await self._session.relearn(self.outgoing):
                return await self._refused(refused, reason)
            response = await self._session.post(self.outgoing)
        if not succeeded(response):
            return await self._refused(*await self._refusal(response))
        if response.content_type == "text/event-stream":
            stream = Stream(self._upstream)
            await self._follow(stream, response)
            return await self._resume(stream)
        async with response:
            if response.status == 202 or "json" not in response.content_type:
                return not_mcp(self._upstream, response)
            body = await body_of(self._upstream, response)
        return None if await self._arrived(body) else malformed(self._upstream)

    async def _refusal(self, response: aiohttp.ClientResponse) -> tuple[dict[str, Any] | None, str]:
        async with response:
            return await refusal(self._upstream, response)

    async def _refused(self, refused: dict[str, Any] | None, reason: str) -> str:
        """Pass the server's own error on, under the id of what was asked: it may not have read that far."""
        if refused is not None:
            for key, identifier in list(self.outgoing.asked.items()):
                del self.outgoing.asked[key]
                await self._client.write(spell({**refused, "id": identifier}).encode() + b"\n")
        return reason

    async def _follow(self, stream: Stream, response: aiohttp.ClientResponse) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with response, asyncio.timeout(None) as limit:
                async for data in stream.events(response):
                    if not await self._arrived(data):
                        raise UpstreamError(malformed(self._upstream))
                    if not self.outgoing.asked and limit.when() is None:
                        # Read to its end, a connection can be used again.
                        limit.reschedule(loop.time() + _LAST_WORDS_S)
        except TimeoutError:
            pass

    async def _resume(self, stream: Stream) -> str | None:
        """Ask for the rest of a stream that ended before the answer, where the server can go on with it."""
        failures = 0
        while self.outgoing.asked and stream.last_id is not None and not self.outgoing.is_modern:
            wait_s = RETRY_S if stream.retry_s is None else max(stream.retry_s, _SHORTEST_RETRY_S)
            await asyncio.sleep(wait_s * 2**failures)
            if not self.outgoing.asked:
                break
            try:
                response = await self._session.get(stream.last_id)
            except UpstreamError:
                failures += 1
                if failures == _RESUMPTIONS:
                    raise
                continue
            if response.status != 200 or response.content_type != "text/event-stream":
                await self._refusal(response)
                break
            await self._follow(stream, response)
            failures = 0 if stream.came else failures + 1
            if failures == _RESUMPTIONS:
                break
        return broken_off(self._upstream) if self.outgoing.asked else None

    async def _arrived(self, data: bytes) -> bool:
        """Pass on what the server said; return False when it is no message."""
        # What a list of tools says of them is needed whole.
        value = parse(data if self.outgoing.method == "tools/list" else abridge(data))
        if not isinstance(value, dict | list):
            return False
        for message in value if isinstance(value, list) else [value]:
            if self.outgoing.answered(message):
                self._session.learn(self.outgoing, message)
        await self._client.write(line_of(data))
        return True
