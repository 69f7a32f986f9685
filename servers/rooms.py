"""Which world an HTTP request goes to: each client has one of its own, or all are in one.

A room is a world and the sessions in it. Who opens a session at `/mcp` gets a room; `/mcp/NAME` is the room of that
name, for whoever comes there. Clients of the modern era have no sessions; at `/mcp` they are told to come to a name.
Why so is in docs/decisions/0020-a-world-for-each-client.md.
"""

import functools
import itertools
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
import mcp.types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servers.host import server
from servers.messages import MESSAGE_LIMIT, MessageError, read_message
from servers.world import Served

PATH = "/mcp"
ROOMS = 500  # held at once
IDLE_S = 30 * 60.0  # after which a room that nobody has used is let go
_NAMED = re.compile(rf"{PATH}/([A-Za-z0-9._-]{{1,64}})")
_SESSION = "mcp-session-id"

Refusal = Callable[[Mapping[str, str]], tuple[int, str] | None]


@dataclass(eq=False)
class _Room:
    """A world, as the manager of the sessions in it."""

    key: str  # its path, or the id of the one session in it
    manager: StreamableHTTPSessionManager
    used_at: float
    requests: int = 0  # that are open now, streams too
    ready: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)


class Rooms:
    """An ASGI application that serves as many worlds as there are clients, or one to all.

    `make` makes a world; `refusal` returns the status and the words to refuse a request with by its headers.
    """

    def __init__(
        self,
        make: Callable[[], Served],
        *,
        shared: bool = False,
        refusal: Refusal = lambda _: None,
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._make = make
        self._shared = shared
        self._refusal = refusal
        self._clock = clock
        self._rooms: dict[str, _Room] = {}
        self._opened = itertools.count()
        # Answers what goes to no world, as the SDK would.
        self._nowhere = StreamableHTTPSessionManager(_nowhere())
        self._group: anyio.abc.TaskGroup  # while running

    @property
    def held(self) -> int:
        """How many worlds are held."""
        return len(self._rooms)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be ready for requests; at the end, end all that is open."""
        async with self._nowhere.run(), anyio.create_task_group() as self._group:
            try:
                yield
            finally:
                self._group.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        if refused := self._refusal(headers):
            status, words = refused
            await _said(status, words, {"WWW-Authenticate": "Bearer"} if status == 401 else None)(scope, receive, send)
            return
        message = None
        if scope["method"] == "POST":
            body = await _body(receive)
            if body is None:
                return  # the client is gone
            try:
                message = read_message(body)
            except MessageError as error:
                answer = error.answer.model_dump(by_alias=True, exclude_unset=True)
                await JSONResponse(answer, 413 if len(body) > MESSAGE_LIMIT else 400)(scope, receive, send)
                return
            receive = _again(body, receive)
        await self._way(scope["path"], headers, message)(scope, receive, send)

    def _way(self, path: str, headers: Headers, message: types.JSONRPCMessage | None) -> ASGIApp:
        """Return what answers a request; `message` is what it posts, None where it posts nothing."""
        if path == PATH and not self._shared:
            return self._way_of_session(headers, message)
        if path != PATH and (self._shared or not _NAMED.fullmatch(path)):
            where = (
                PATH if self._shared else f"{PATH} or {PATH}/NAME, a NAME of up to 64 letters, digits, '.', '_', '-'"
            )
            return _said(404, f"there is nothing at this path; the server is at {where}")
        room = self._room(path)
        if room is None:
            if not isinstance(message, types.JSONRPCRequest):
                return self._nowhere.handle_request
            room = self._open(path)
        return _FULL if room is None else functools.partial(self._in, room)

    def _way_of_session(self, headers: Headers, message: types.JSONRPCMessage | None) -> ASGIApp:
        session = headers.get(_SESSION)
        if session is not None:
            room = self._room(session)
            return self._nowhere.handle_request if room is None else functools.partial(self._in, room)
        opens = isinstance(message, types.JSONRPCRequest) and message.method == "initialize"
        if not opens or headers.get("mcp-protocol-version", "") not in ("", *HANDSHAKE_PROTOCOL_VERSIONS):
            return self._nowhere.handle_request
        room = self._open(f"opening {next(self._opened)}")
        return _FULL if room is None else functools.partial(self._in_new, room)

    def _room(self, key: str) -> _Room | None:
        room = self._rooms.get(key)
        if room is not None and self._is_left(room):
            self._end(room)
            return None
        return room

    def _is_left(self, room: _Room) -> bool:
        return room.key != PATH and not room.requests and self._clock() - room.used_at > IDLE_S

    def _open(self, key: str) -> _Room | None:
        """Return a new room with a world in it, None when there are too many."""
        if len(self._rooms) >= ROOMS:
            for left in [room for room in self._rooms.values() if self._is_left(room)]:
                self._end(left)
            if len(self._rooms) >= ROOMS:
                return None
        manager = StreamableHTTPSessionManager(server(self._make()), session_idle_timeout=IDLE_S, max_sessions=ROOMS)
        room = self._rooms[key] = _Room(key, manager, self._clock())
        self._group.start_soon(_keep, room)
        return room

    def _end(self, room: _Room) -> None:
        self._rooms.pop(room.key, None)
        room.ended.set()

    async def _in(self, room: _Room, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in `room`; a session's own room goes with it."""
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        room.requests += 1
        try:
            await room.ready.wait()
            await room.manager.handle_request(scope, receive, watch)
        finally:
            room.requests -= 1
            room.used_at = self._clock()
        if scope["method"] == "DELETE" and status < 300 and not room.key.startswith(PATH):
            self._end(room)

    async def _in_new(self, room: _Room, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request that opens a session in `room`, which is the session's from then on."""

        async def watch(message: Message) -> None:
            session = Headers(raw=message.get("headers", [])).get(_SESSION)
            if message.get("status", 500) < 300 and session is not None:
                self._rooms[session] = self._rooms.pop(room.key)
                room.key = session
            await send(message)

        try:
            await self._in(room, scope, receive, watch)
        finally:
            if room.key.startswith("opening"):
                self._end(room)


async def _keep(room: _Room) -> None:
    async with room.manager.run():
        room.ready.set()
        await room.ended.wait()


def _nowhere() -> Server:
    """Return the server that clients without a world speak to: all it says is how to get one."""

    async def refuse(ctx: ServerRequestContext, call_next: CallNext) -> HandlerResult:  # noqa: ARG001 - its protocol
        raise MCPError(
            types.UNSUPPORTED_PROTOCOL_VERSION,
            f"Each session has a world of its own here, and this protocol version has no sessions: add a name to the "
            f"URL, as in {PATH}/alice, and the world of that name is yours; or start the server with --shared",
            {"supported": list(HANDSHAKE_PROTOCOL_VERSIONS), "requested": LATEST_MODERN_VERSION},
        )

    nowhere: Server = Server("nowhere")
    nowhere.middleware.append(refuse)
    return nowhere


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> ASGIApp:
    return PlainTextResponse(words + "\n", status, headers)


_FULL = _said(
    503, f"{ROOMS} worlds are in use; end a session, or try again when one has been idle for {IDLE_S / 60:.0f} min"
)


async def _body(receive: Receive) -> bytes | None:
    """Return the body, of one above the limit as much as shows that; None when the client goes before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        # To the end, or the client would find the connection closed under it before it reads why.
        body += message.get("body", b"")[: MESSAGE_LIMIT + 1 - len(body)]
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives `body` once more, and then what else comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
