"""A server that speaks stdio, served over HTTP to any number of clients.

The revisions with a handshake have sessions, each with a process of its own. The later ones have none: all their
clients share one process. Which of the two a request belongs to, it says itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from typing import Any
from uuid import uuid4

from aiohttp import web

from middleware.abridge import LONG, abridge
from middleware.errors import CommandError
from middleware.http.front import BODY_LIMIT, ENDING
from middleware.http.hosted.children import Children
from middleware.http.hosted.identifiers import as_line
from middleware.http.hosted.refusal import refusal
from middleware.http.hosted.session import Session
from middleware.http.hosted.shared import Shared
from middleware.http.mirrored import METHOD, NAME, PROTOCOL_VERSION, SESSION_ID, is_modern, mismatch, revision_of
from middleware.http.recorder import Recorder
from middleware.memory.writer import report_to_stderr
from middleware.messages import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    META_CLIENT_CAPABILITIES,
    META_PROTOCOL_VERSION,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    SERVER_ENDED,
    at,
)
from middleware.parsing import parse

_SESSIONS = 100  # at once; each is a process
# No later revision will have sessions. What a client says that is none of these is for the server to accept or refuse.
_WITH_SESSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
_REQUIRED_META = (META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES)
_CLOSING = "the server is being ended"


class Hosted:
    """A `Backend` that is a command."""

    def __init__(self, name: str, command: Sequence[str], recorder: Recorder) -> None:
        self._name = name
        self._recorder = recorder
        self._children = Children(name, command)
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # the least recently used first
        self._shared = Shared(self._children, recorder)
        self._is_closing = False

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        # In a task of its own, since not only a client that is gone ends us: when all is ended, this one is answered.
        answering = asyncio.get_running_loop().create_task(self._answer(request))
        try:
            return await asyncio.shield(answering)
        except asyncio.CancelledError as error:
            if error.args == (ENDING,):
                return await answering
            answering.cancel()
            raise

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except ConnectionResetError:  # the client is gone, which is its right
            return web.Response(status=499)
        except CommandError as error:
            report_to_stderr(str(error))
            return refusal(
                502, SERVER_ENDED, f"the server {self._name!r} cannot be started; the relay's own output says why"
            )

    async def close(self) -> None:
        """End every process; what is open is told so."""
        self._is_closing = True
        for session in list(self._sessions.values()):
            session.close(_CLOSING)
        self._shared.close(_CLOSING)
        await self._children.close()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._is_closing:
            return refusal(503, SERVER_ENDED, _CLOSING)
        revision = request.headers.get(PROTOCOL_VERSION)
        if request.method == "POST":
            return await (await self._post(request, revision))
        if revision is not None and revision not in _WITH_SESSIONS:
            return web.Response(status=405, headers={"Allow": "POST"})
        if request.method not in ("GET", "DELETE"):
            return web.Response(status=405, headers={"Allow": "GET, POST, DELETE"})
        if request.method == "GET" and not _accepts(request, "text/event-stream"):
            return refusal(406, INVALID_REQUEST, "the Accept header must list text/event-stream")
        session = self._session(request)
        if isinstance(session, web.Response):
            return session
        if request.method == "GET":
            return await session.listen(request)
        session.close()
        return web.Response(status=200)

    async def _post(self, request: web.BaseRequest, revision: str | None) -> Awaitable[web.StreamResponse]:
        """Read a message and find out who answers it; return the answering, which then alone holds the message."""
        if not (_accepts(request, "application/json") and _accepts(request, "text/event-stream")):
            words = "the Accept header must list both application/json and text/event-stream"
            return _refused(406, INVALID_REQUEST, words)
        if request.content_type != "application/json":
            return _refused(415, INVALID_REQUEST, "the Content-Type must be application/json")
        body = await _read(request)
        if body is None:
            return _refused(413, INVALID_REQUEST, f"a request may hold at most {BODY_LIMIT} bytes")
        if self._is_closing:  # since its beginning came: what it started now, nobody would end
            return _refused(503, SERVER_ENDED, _CLOSING)
        line, value = as_line(body), parse(abridge(body))
        if line is None or value is None:
            return _refused(400, PARSE_ERROR, "the body is no JSON")
        if revision is None:
            has_sessions = not (isinstance(value, dict) and is_modern(revision_of(value)))
        else:
            has_sessions = revision in _WITH_SESSIONS
        if not has_sessions:
            return self._post_modern(request, line, value)
        messages = value if isinstance(value, list) else [value]
        if not messages or not all(isinstance(message, dict) for message in messages):
            return _refused(400, INVALID_REQUEST, "the body is no JSON-RPC message")
        headers = {}
        if SESSION_ID not in request.headers and any(message.get("method") == "initialize" for message in messages):
            identifier = uuid4().hex
            headers[SESSION_ID] = identifier
            session: Session | web.Response = self._begin(identifier)
        else:
            session = self._session(request)
        if isinstance(session, web.Response):
            return _ready(session)
        return session.post(request, line, messages, headers)

    def _post_modern(self, request: web.BaseRequest, line: bytes, message: Any) -> Awaitable[web.StreamResponse]:
        method = message.get("method") if isinstance(message, dict) else None
        if not isinstance(method, str):
            return _refused(400, INVALID_REQUEST, "the body must be one JSON-RPC request or notification")
        if "id" not in message:
            # A client cancels by closing its stream; by an id it could cancel another client's request.
            if method == "notifications/cancelled":
                return _ready(web.Response(status=202))
            return self._shared.notify(line)
        identifier = message["id"]
        if not isinstance(identifier, str | int) or isinstance(identifier, bool):
            return _refused(400, INVALID_REQUEST, "a request's id must be a string or an integer")
        if method == "initialize":  # which would make some servers speak an earlier revision to all clients
            return _refused(404, METHOD_NOT_FOUND, "Method not found: this revision has no handshake", identifier)
        missing = [key for key in _REQUIRED_META if at(message, ("params", "_meta", key)) is None]
        if missing:
            return _refused(400, INVALID_PARAMS, f"params._meta must have {' and '.join(missing)}", identifier)
        for name in (PROTOCOL_VERSION, METHOD, NAME):
            if len(request.headers.getall(name, [])) > 1:
                return _refused(400, HEADER_MISMATCH, f"Header mismatch: {name} is given twice", identifier)
        marked = self._shared.marked(message)
        # What is repeated in headers may lie beyond what was kept of a long message.
        whole = parse(line) if marked and len(line) > LONG else message
        words = mismatch(whole, request.headers, marked)
        if words is not None:
            return _refused(400, HEADER_MISMATCH, words, identifier)
        return self._shared.post(request, line, message)

    def _begin(self, identifier: str) -> Session | web.Response:
        if len(self._sessions) >= _SESSIONS:
            idle = next((session for session in self._sessions.values() if not session.child.is_in_use), None)
            if idle is None:
                return refusal(
                    503, SERVER_ENDED, f"{_SESSIONS} sessions are open; end one with DELETE, or try again later"
                )
            idle.close()
        session = Session(self._children, self._recorder, closed=lambda: self._forget(identifier))
        self._sessions[identifier] = session
        return session

    def _forget(self, identifier: str) -> None:
        self._sessions.pop(identifier, None)

    def _session(self, request: web.BaseRequest) -> Session | web.Response:
        """Return the session that a request names, or why it cannot be answered."""
        identifier = request.headers.get(SESSION_ID)
        if identifier is None:
            return refusal(400, INVALID_REQUEST, f"{SESSION_ID} is missing; a session begins with initialize")
        if identifier not in self._sessions:
            return refusal(404, INVALID_REQUEST, "there is no such session; begin one with initialize")
        self._sessions.move_to_end(identifier)
        return self._sessions[identifier]


def _accepts(request: web.BaseRequest, media_type: str) -> bool:
    given = {
        part.partition(";")[0].strip().lower() for part in ",".join(request.headers.getall("Accept", [])).split(",")
    }
    return bool(given & {media_type, media_type.partition("/")[0] + "/*", "*/*"})


async def _ready(response: web.StreamResponse) -> web.StreamResponse:
    return response


def _refused(status: int, code: int, words: str, identifier: object = None) -> Awaitable[web.StreamResponse]:
    return _ready(refusal(status, code, words, identifier))


async def _read(request: web.BaseRequest) -> bytes | None:
    """Return the body of a request, None when it is too long."""
    chunks = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > BODY_LIMIT:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
