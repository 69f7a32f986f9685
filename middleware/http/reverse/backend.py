"""The relay in front of a URL: a remote server, as a `Backend`, and the sessions that clients have with it."""

from collections import OrderedDict

from aiohttp import web

from middleware.http.recorder import Recorder
from middleware.http.reverse.exchange import Exchange
from middleware.http.upstream import Upstream
from middleware.relay import Relay

_SESSIONS = 1_000  # that are told apart at once; the least recently used is forgotten first


class Reverse:
    """A `Backend` that is a remote server."""

    def __init__(self, upstream: Upstream, recorder: Recorder, *, timeout_s: float | None = None) -> None:
        """`timeout_s` is the longest that a request may be left alone by the server; None: for ever."""
        self._timeout_s = timeout_s
        self._upstream = upstream
        self._recorder = recorder
        self._sessions: OrderedDict[str, Relay] = OrderedDict()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on, and its response back."""
        return await Exchange(request, self._upstream, self._recorder, self, self._timeout_s).run()

    async def close(self) -> None:
        """Close the connections to the server, and every call that is still open."""
        await self._upstream.close()
        for relay in self._sessions.values():
            relay.end()
        self._sessions.clear()

    def session(self, identifier: str) -> Relay:
        """Return the relay of a session; one that is new to us was begun before we were."""
        if identifier not in self._sessions:
            return self.begin(identifier, self._recorder.session())
        self._sessions.move_to_end(identifier)
        return self._sessions[identifier]

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
