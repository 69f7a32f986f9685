"""The relay in front of a URL: every HTTP exchange passed on as it is, every message in it taken note of.

Status, headers and bodies go through unchanged, and so do event streams, event by event. A message that carries a
result waits until it is recorded. What belongs to one connection only (hop-by-hop headers, encodings), and what is
meant for one party only (tokens, cookies), stays on its side.
"""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from middleware.errors import UpstreamError
from middleware.http.events import Event, EventReader, event_of, with_data
from middleware.http.front import BODY_LIMIT
from middleware.http.mirrored import SESSION_ID
from middleware.http.recorder import Recorder
from middleware.http.upstream import Upstream
from middleware.memory.writer import report_to_stderr
from middleware.parsing import parse
from middleware.relay import Passage, Relay

_SESSIONS = 1_000  # that are told apart at once; the least recently used is forgotten first
_WHOLE = 1 << 20  # bytes; a longer body is passed on while it comes
_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
# Encodings and lengths are each connection's own; credentials are meant for whoever they were sent to.
_NOT_TO_SERVER = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "authorization", "cookie", "expect"}
_NOT_TO_CLIENT = _HOP_BY_HOP | {"content-length", "content-encoding", "set-cookie", "date", "server"}
_CLIENT = "io.modelcontextprotocol/clientInfo"


class Reverse:
    """A `Backend` that is a remote server."""

    def __init__(self, upstream: Upstream, recorder: Recorder) -> None:
        self.upstream = upstream
        self.recorder = recorder
        self._sessions: OrderedDict[str, Relay] = OrderedDict()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on, and its response back."""
        body = await _read(request)
        if body is None:
            return web.Response(status=413, text=f"a request may hold at most {BODY_LIMIT} bytes\n")
        return await _Exchange(self, request, body).run()

    async def close(self) -> None:
        """Close the connections to the server, and every call that is still open."""
        await self.upstream.close()
        for relay in self._sessions.values():
            relay.end()
        self._sessions.clear()

    def session(self, identifier: str) -> Relay:
        """Return the relay of a session; one that is new to us was begun before we were."""
        return self._sessions.get(identifier) or self.begin(identifier, self.recorder.session())

    def begin(self, identifier: str, relay: Relay) -> Relay:
        """Keep `relay` for the session that the server has just named."""
        self._sessions[identifier] = relay
        if len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)[1].end()
        return relay

    def forget(self, identifier: str) -> None:
        """Close the calls of a session that has ended."""
        relay = self._sessions.pop(identifier, None)
        if relay is not None:
            relay.end()


class _Exchange:
    """One request of a client and its response."""

    def __init__(self, reverse: Reverse, request: web.BaseRequest, body: bytes) -> None:
        self._reverse = reverse
        self._recorder = reverse.recorder
        self._request = request
        self._body = body
        value = parse(body) if body else None
        messages = [message for message in (value if isinstance(value, list) else [value]) if isinstance(message, dict)]
        self._asked = [message for message in messages if "id" in message and isinstance(message.get("method"), str)]
        self._session_id = request.headers.get(SESSION_ID)
        # Without a session nothing outlives the exchange: its end is the end of its requests.
        self._is_alone = self._session_id is None
        if self._session_id is not None:
            self._relay = reverse.session(self._session_id)
        elif any(message["method"] == "initialize" for message in self._asked):
            self._relay = self._recorder.session()
        else:
            self._relay = self._recorder.exchange(_client(request, messages))

    async def run(self) -> web.StreamResponse:
        """Pass the request on; return the response, which has been sent already if it was streamed."""
        gone = True
        try:
            response = await self._run()
            gone = False
        except ConnectionResetError:  # the client is gone, which is its right
            return web.Response(status=499)
        finally:
            if self._is_alone:
                self._relay.end(cancelled=gone)
            self._recorder.noted(self._relay)
        return response

    async def _run(self) -> web.StreamResponse:
        data = self._relay.to_server(self._body)
        self._relay.client_message(self._body)
        self._recorder.noted(self._relay)
        try:
            response = await self._reverse.upstream.request(
                self._request.method, _kept(self._request.headers.items(), _NOT_TO_SERVER), data
            )
        except UpstreamError as error:
            return await self._failed(str(error))
        async with response:
            self._follow_session(response)
            if response.content_type == "text/event-stream":
                return await self._pass_stream(response)
            return await self._pass_body(response)

    def _follow_session(self, response: aiohttp.ClientResponse) -> None:
        given = response.headers.get(SESSION_ID)
        if self._session_id is None and given is not None:
            self._session_id = given
            self._is_alone = False
            self._reverse.begin(given, self._relay)
        elif self._session_id is not None and (
            response.status == 404 or (self._request.method == "DELETE" and response.ok)
        ):
            self._reverse.forget(self._session_id)

    async def _pass_body(self, response: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = CIMultiDict(_kept(response.headers.items(), _NOT_TO_CLIENT))
        try:
            body = await response.read()
        except aiohttp.ClientError as error:
            return await self._failed(str(self._reverse.upstream.failure(error)))
        passage = self._note(body)
        self._abandon(f"the server answered with HTTP {response.status} {response.reason or ''}".rstrip())
        await self._recorder.durable(passage.ticket)
        return web.Response(status=response.status, reason=response.reason, headers=headers, body=_whole(passage))

    async def _pass_stream(self, response: aiohttp.ClientResponse) -> web.StreamResponse:
        stream = _Stream(self._request, response)
        await stream.begin()
        reader = EventReader()
        can_resume = False
        hears = self._is_alone or self._request.method == "GET"
        with self._recorder.listening(self._relay, stream.insert) if hears else nullcontext():
            try:
                async for chunk in response.content.iter_any():
                    for event in reader.feed(chunk):
                        can_resume |= event.id is not None
                        await stream.write(await self._noted(event))
            except aiohttp.ClientError:
                pass  # the server is gone; what it had not finished is seen to below
        if can_resume:
            await stream.write(reader.rest())
        else:
            for passage in self._abandon("the server closed the stream before it answered; try again"):
                await self._recorder.durable(passage.ticket)
                await stream.write(event_of(passage.data))
        await stream.end()
        return stream.response

    async def _noted(self, event: Event) -> bytes:
        """Take note of an event; return it as it goes on, once it may."""
        if not event.data:
            return event.raw
        passage = self._note(event.data)
        await self._recorder.durable(passage.ticket)
        return event.raw if passage.finish is None else with_data(event, passage.finish())

    def _note(self, message: bytes) -> Passage:
        try:
            return self._relay.server_message(message)
        except Exception as error:  # noqa: BLE001 - a defect of ours must never cost the client its answer
            report_to_stderr(f"a message passed unrecorded, please report this: {type(error).__name__}: {error}")
            return Passage(message)

    def _abandon(self, reason: str) -> list[Passage]:
        """Close the requests that will not be answered; return what to tell the client of each."""
        return self._relay.abandon([message["id"] for message in self._asked], reason)

    async def _failed(self, reason: str) -> web.Response:
        passages = self._abandon(reason)
        for passage in passages:
            await self._recorder.durable(passage.ticket)
        if not passages:
            return web.Response(status=502, text=reason + "\n")
        errors = [passage.data.rstrip() for passage in passages]
        body = errors[0] if len(errors) == 1 else b"[" + b",".join(errors) + b"]"
        return web.Response(status=502, body=body, content_type="application/json")


class _Stream:
    """An event stream to a client."""

    def __init__(self, request: web.BaseRequest, upstream: aiohttp.ClientResponse) -> None:
        headers = CIMultiDict(_kept(upstream.headers.items(), _NOT_TO_CLIENT))
        self.response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
        self._request = request
        self._inserted: deque[bytes] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        if data:
            await self.response.write(data)

    def insert(self, message: bytes) -> None:
        """Send a message of ours; events are written whole, so it falls between two."""
        task = asyncio.ensure_future(self.write(event_of(message)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        await self.response.write_eof()


def _kept(headers: Iterable[tuple[str, str]], dropped: set[str]) -> list[tuple[str, str]]:
    pairs = list(headers)
    # A Connection header names further ones that are its connection's own.
    named = {name.strip().lower() for key, value in pairs if key.lower() == "connection" for name in value.split(",")}
    return [(key, value) for key, value in pairs if key.lower() not in dropped and key.lower() not in named]


def _client(request: web.BaseRequest, messages: list[dict[str, Any]]) -> tuple[str | None, ...]:
    """Return what a client without a session is known by."""
    info: Any = None
    for message in messages:
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        info = meta.get(_CLIENT) if isinstance(meta, dict) else info
    return request.remote, request.headers.get("User-Agent"), json.dumps(info, sort_keys=True)


def _whole(passage: Passage) -> bytes:
    return passage.finish() if passage.finish else passage.data


async def _read(request: web.BaseRequest) -> bytes | None:
    """Return the body of a request, None when it is too long."""
    chunks = []
    size = 0
    async for chunk in request.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_LIMIT:
            return None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
