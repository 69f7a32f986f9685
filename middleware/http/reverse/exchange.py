"""One request of a client and its response, passed on as they are and taken note of.

Status, headers and bodies go through unchanged, and so do event streams, event by event. A message that carries a
result waits until it is recorded; a long one passes while it comes, all but its last piece.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from middleware.abridge import LONG, abridge
from middleware.errors import UpstreamError
from middleware.http.clients import client_of
from middleware.http.events import Event, EventReader, event_of, with_data
from middleware.http.front import BODY_LIMIT, ENDING
from middleware.http.mirrored import PROTOCOL_VERSION, SESSION_ID
from middleware.http.recorder import Recorder
from middleware.http.reverse.down import ClientGoneError, DownStream, headers_down, write
from middleware.http.reverse.headers import to_server
from middleware.http.upstream import Upstream
from middleware.messages import SERVER_ENDED, TIMED_OUT, cancellation
from middleware.parsing import parse, spell
from middleware.relay import OVERDUE, Passage, Relay

_SOON_S = 0.005  # for how long the headers of a stream may wait for its first event
_TELL_S = 1.0  # the longest that the server may take to hear that we gave up


class Sessions(Protocol):
    """The sessions that clients have with a server."""

    def session(self, identifier: str) -> Relay:
        """Return the relay of a session."""

    def begin(self, identifier: str, relay: Relay) -> Relay:
        """Keep `relay` for the session that the server has just named."""

    def forget(self, identifier: str) -> None:
        """Close a session that has ended."""


class Exchange:
    """One request of a client and its response."""

    def __init__(
        self,
        request: web.BaseRequest,
        upstream: Upstream,
        recorder: Recorder,
        sessions: Sessions,
        timeout_s: float | None,
    ) -> None:
        self._request = request
        self._upstream = upstream
        self._recorder = recorder
        self._sessions = sessions
        self._timeout_s = timeout_s
        self._asked: list[object] = []  # the ids of the requests in it
        self._listens = False
        self._introduces = False
        self._session_id = request.headers.get(SESSION_ID)
        # Without a session nothing outlives the exchange: its end is the end of its requests.
        self._is_alone = self._session_id is None
        self._relay = self._choose_relay([])
        self._stream: DownStream | None = None
        self._passing: web.StreamResponse | None = None  # a long body, under way
        self._patience = asyncio.timeout(None)

    async def run(self) -> web.StreamResponse:
        """Pass the request on; return the response, which has been sent already if it was streamed."""
        gone = True
        try:
            async with asyncio.timeout(None) as self._patience:
                response = await self._run()
            gone = False
        except TimeoutError:
            gone = False
            response = await self._gave_up()
        except _TooLongError:
            return web.Response(status=413, text=f"a message may have at most {BODY_LIMIT} bytes\n")
        except (ClientGoneError, ConnectionResetError):  # which is its right
            return web.Response(status=499)
        except asyncio.CancelledError as error:
            if error.args != (ENDING,):
                raise
            gone = False
            response = await self._failed(503, f"the relay in front of {self._upstream.name!r} was told to end")
        finally:
            if self._is_alone and gone:
                self._relay.hang_up()
            elif self._is_alone:
                self._relay.end()
            self._recorder.noted(self._relay)
        return response

    async def _run(self) -> web.StreamResponse:
        headers = to_server(self._request.headers.items())
        length = self._request.content_length
        if length is not None and length > BODY_LIMIT:
            raise _TooLongError
        data: bytes | AsyncIterator[bytes]
        if length is not None and length > LONG and not self._relay.edits_requests:
            headers.append(("Content-Length", str(length)))
            data = self._upload()
        else:
            data = await self._body()
        try:
            response = await self._upstream.request(self._request.method, headers, data)
        except UpstreamError as error:
            return await self._failed(502, str(error))
        async with response:
            self._follow_session(response)
            self._upstream.note_refusal(response.status)
            if response.content_type == "text/event-stream":
                return await self._pass_stream(response)
            if _is_large(response) and not self._relay.edits_answers:
                return await self._pass_large(response)
            return await self._pass_body(response)

    async def _body(self) -> bytes:
        """Read the request's body whole, and take note of it; return what goes on."""
        chunks = [chunk async for chunk in self._chunks()]
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._heard(abridge(body, self._relay.abridger()), len(body))
        return self._relay.to_server(body)

    async def _upload(self) -> AsyncIterator[bytes]:
        """Yield the request's body as it comes, and take note of it at its end: the server cannot act on it before."""
        abridger = self._relay.abridger()
        async for chunk in self._chunks():
            abridger.feed(chunk)
            yield chunk
        self._heard(abridger.finish(), abridger.size)

    async def _chunks(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._request.content.iter_any():
            size += len(chunk)
            if size > BODY_LIMIT:
                raise _TooLongError
            yield chunk

    def _heard(self, body: bytes, size: int) -> None:
        if not body:
            return
        value = parse(body)
        messages = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
        self._asked = [one["id"] for one in messages if "id" in one and isinstance(one.get("method"), str)]
        self._listens = any(one.get("method") == "subscriptions/listen" for one in messages)
        self._relay = self._choose_relay(messages)
        self._recorder.client_message(self._relay, body, size)
        self._alive()

    def _choose_relay(self, messages: list[dict[str, Any]]) -> Relay:
        if self._session_id is not None:
            return self._sessions.session(self._session_id)
        self._introduces = any(message.get("method") == "initialize" for message in messages)
        if self._introduces:
            return self._recorder.session()
        return self._recorder.exchange(client_of(self._request, messages))

    def _follow_session(self, response: aiohttp.ClientResponse) -> None:
        given = response.headers.get(SESSION_ID)
        if self._session_id is None and given is not None:
            self._session_id = given
            self._is_alone = False
            self._sessions.begin(given, self._relay)
        elif self._session_id is None and self._introduces:
            self._recorder.stay_with(client_of(self._request, []), self._relay)
        elif self._session_id is not None and (
            response.status == 404 or (self._request.method == "DELETE" and response.ok)
        ):
            self._sessions.forget(self._session_id)

    async def _pass_body(self, response: aiohttp.ClientResponse) -> web.StreamResponse:
        try:
            body = await response.read()
        except aiohttp.ClientError as error:
            return await self._failed(502, str(self._upstream.failure(error)))
        passage = self._answered(body, response)
        await self._recorder.durable(passage.ticket)
        return web.Response(
            status=response.status, reason=response.reason, headers=headers_down(response), body=_whole(passage)
        )

    async def _pass_large(self, response: aiohttp.ClientResponse) -> web.StreamResponse:
        """Pass a long body on as it comes, all but its last piece: that waits until what it completes is recorded."""
        down = web.StreamResponse(status=response.status, reason=response.reason, headers=headers_down(response))
        if "Content-Encoding" not in response.headers:
            down.content_length = response.content_length
        self._passing = down
        await down.prepare(self._request)
        abridger = self._relay.abridger()
        last = b""
        try:
            async for chunk in response.content.iter_any():
                await write(down, last)
                abridger.feed(chunk)
                last = chunk
                self._alive()
        except aiohttp.ClientError as error:
            return await self._failed(502, str(self._upstream.failure(error)))
        await self._recorder.durable(self._answered(abridger.finish(), response, abridger.size).ticket)
        await write(down, last)
        await down.write_eof()
        return down

    def _abort(self) -> None:
        """Let the client see that what it has is not all."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _answered(self, body: bytes, response: aiohttp.ClientResponse, size: int | None = None) -> Passage:
        passage = self._recorder.server_message(self._relay, self._under_its_id(body), size)
        if passage.finish is None:
            passage = Passage(body, passage.ticket)
        status = "" if response.ok else f" (HTTP {response.status} {response.reason or ''}".rstrip() + ")"
        self._abandon(f"the server's response held no answer to the request{status}")
        return passage

    def _under_its_id(self, body: bytes) -> bytes:
        """Return an error of the server under the id of the only request; one that was not read has none of its own."""
        if len(self._asked) != 1 or b'"error"' not in body[:LONG]:
            return body
        value = parse(body) if len(body) <= LONG else None
        if not isinstance(value, dict) or value.get("id") is not None or not isinstance(value.get("error"), dict):
            return body
        return spell({**value, "id": self._asked[0]}).encode()

    async def _pass_stream(self, response: aiohttp.ClientResponse) -> web.StreamResponse:
        reader = EventReader()
        early = list(reader.feed(await _soon(response), whole=True))
        can_resume = any(event.id is not None for event in early)
        data = b"".join([await self._noted(event) for event in early])
        if early and response.content.at_eof() and not self._relay.awaits(self._asked):
            # Over before it has begun, as most are: sent at once, it costs both sides a third of the work.
            return web.Response(
                status=response.status,
                reason=response.reason,
                headers=headers_down(response),
                body=data + reader.rest(),
            )
        self._stream = stream = DownStream(self._request, response)
        await stream.begin()
        await stream.write(data)
        hears = self._is_alone or self._request.method == "GET"
        with self._recorder.listening(self._relay, stream.insert) if hears else nullcontext():
            try:
                async for chunk in response.content.iter_any():
                    for event in reader.feed(chunk, whole=self._relay.edits_answers):
                        can_resume |= event.id is not None
                        self._alive()
                        await stream.write(await self._noted(event), ends=event.ends)
            except aiohttp.ClientError:
                pass  # the server is gone; what it had not finished is seen to below
        cut_short = reader.rest()
        if not can_resume and self._relay.awaits(self._asked):
            return await self._failed(502, "the server closed the stream before it answered; try again")
        await stream.write(cut_short)
        await stream.end()
        return stream.response

    async def _noted(self, event: Event) -> bytes:
        """Take note of an event; return it as it goes on, once it may."""
        if not event.data:
            return event.raw
        passage = self._recorder.server_message(self._relay, event.data)
        self._alive()
        await self._recorder.durable(passage.ticket)
        return event.raw if passage.finish is None else with_data(event, passage.finish())

    def _abandon(self, reason: str, code: int = SERVER_ENDED) -> list[Passage]:
        """Close the requests that will not be answered; return what to tell the client of each."""
        return self._relay.abandon(self._asked, reason, code)

    def _alive(self) -> None:
        """The server has been asked, or has been heard of: the time that it may be silent starts anew."""
        if self._timeout_s is not None:
            now = asyncio.get_running_loop().time()
            # A subscription is answered at its end, whenever that is.
            waits = not self._listens and self._relay.awaits(self._asked)
            self._patience.reschedule(now + self._timeout_s if waits else None)

    async def _gave_up(self) -> web.StreamResponse:
        reason = OVERDUE.format(limit_s=self._timeout_s)
        if not self._is_alone:  # else the end of the connection has said it
            for identifier in self._asked:
                await self._tell(cancellation(identifier, reason))
        return await self._failed(504, reason, TIMED_OUT)

    async def _tell(self, notification: bytes) -> None:
        headers = [(SESSION_ID, self._session_id or ""), ("Content-Type", "application/json")]
        headers += [("Accept", "application/json, text/event-stream")]
        headers += [
            (key, value) for key, value in self._request.headers.items() if key.lower() == PROTOCOL_VERSION.lower()
        ]
        with suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(_TELL_S):
                (await self._upstream.request("POST", headers, notification.rstrip())).release()

    async def _failed(self, status: int, reason: str, code: int = SERVER_ENDED) -> web.StreamResponse:
        """Tell the client why its requests get no answer, in a response or in the stream that is open."""
        passages = self._abandon(reason, code)
        for passage in passages:
            await self._recorder.durable(passage.ticket)
        under_way = self._passing or (self._stream.response if self._stream and self._stream.mid_event else None)
        if under_way is not None:
            self._abort()
            return under_way
        if self._stream is not None:
            for passage in passages:
                await self._stream.write(event_of(passage.data))
            await self._stream.end()
            return self._stream.response
        if not passages:
            return web.Response(status=status, text=reason + "\n")
        errors = [passage.data.rstrip() for passage in passages]
        body = errors[0] if len(errors) == 1 else b"[" + b",".join(errors) + b"]"
        return web.Response(status=status, body=body, content_type="application/json")


def _whole(passage: Passage) -> bytes:
    return passage.finish() if passage.finish else passage.data


async def _soon(response: aiohttp.ClientResponse) -> bytes:
    """Return what has come of a body, or comes within a moment."""
    try:
        async with asyncio.timeout(_SOON_S):
            return await response.content.readany()
    except (TimeoutError, aiohttp.ClientError):
        return b""  # what is wrong with it shows when more is asked for


def _is_large(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is None or response.content_length > LONG


class _TooLongError(Exception):
    """A message is longer than we take."""
