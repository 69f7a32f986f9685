"""What a remote server must be told beside each message: session, revision and mirrored headers, in both eras.

Until 2025-11-25 a server may keep a session, begun by `initialize`, and may forget it at any time. We then begin a new
one by saying again what the client said, so that it need not know.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from middleware.abridge import LONG
from middleware.errors import UpstreamError
from middleware.http.mirrored import (
    PROTOCOL_VERSION,
    SESSION_ID,
    MarkedParams,
    encoded,
    headers_of,
    marked_params,
)
from middleware.http.remote.outgoing import Body, Outgoing
from middleware.http.remote.replies import Stream, body_of, refusal, succeeded
from middleware.http.upstream import Upstream
from middleware.memory.writer import report_to_stderr
from middleware.parsing import parse, spell

DELIVERY_S = 30.0  # for a message that has no answer to be taken
_END_S = 1.0  # for the server to be told that the session has ended
_OUR_ID = "practicum-again"  # of what we ask ourselves; the client never sees an answer to it
_PAGES = 100  # of tools that are looked through for one
_SEND = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


class RemoteSession:
    """One client's conversation as the server knows it."""

    def __init__(self, upstream: Upstream, renewed: Callable[[], None]) -> None:
        """`renewed` is called when a new session has been begun, wholly, in the place of a lost one."""
        self.upstream = upstream
        self._renewed = renewed
        self.version: str | None = None  # as negotiated by `initialize`; None without
        self._id: str | None = None
        self._initialize: dict[str, Any] | None = None  # the client's own
        self._initialized: bytes | None = None
        self._marked: dict[str, MarkedParams] = {}  # by tool
        self._renewing = asyncio.Lock()

    async def post(self, outgoing: Outgoing) -> aiohttp.ClientResponse:
        """Send a line of the client, and return the response when its headers are here.

        Raises:
            UpstreamError: the server cannot be reached.
        """
        if outgoing.method == "initialize":
            self._initialize, self._initialized = outgoing.message, None
            self._id = self.version = None
        stale = None if outgoing.is_modern else self._id
        response = await self._post(outgoing.body(), self._headers(outgoing))
        if response.status == 404 and stale is not None:
            response.release()
            await self.renew(stale)
            response = await self._post(outgoing.body(), self._headers(outgoing))
        if succeeded(response) and outgoing.method == "initialize":
            self._id = _session_id(response)
        if succeeded(response) and outgoing.method == "notifications/initialized":
            self._initialized = outgoing.line
        return response

    async def get(self, last_id: str | None) -> aiohttp.ClientResponse:
        """Ask for the server's own stream, or with the id of an event for what comes behind that.

        Raises:
            UpstreamError: the server cannot be reached.
        """
        headers = {"Accept": "text/event-stream", **self._legacy()}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        return await self.upstream.request("GET", list(headers.items()))

    def learn(self, outgoing: Outgoing, answer: Mapping[str, Any]) -> None:
        """Take from an answer what later messages need."""
        result = answer.get("result")
        if not isinstance(result, dict):
            return
        if outgoing.method == "initialize":
            version = result.get("protocolVersion")
            self.version = version if isinstance(version, str) and version.isprintable() else None
        elif outgoing.method == "tools/list":
            self._learn_tools(result)

    async def relearn(self, call: Outgoing) -> bool:
        """Look up the tool of a call whose headers the server misses; return whether they differ now.

        Clients may call a tool that they have not listed, or listed long ago, and on stdio they know of no headers.

        Raises:
            UpstreamError: the server cannot be reached.
        """
        name = call.params.get("name")
        before = self._headers(call)
        params: dict[str, Any] = {"_meta": call.params.get("_meta")}
        for _ in range(_PAGES):
            listing = Outgoing(_ask("tools/list", params))
            result = (await self._answer(listing, self._headers(listing))).get("result")
            if not isinstance(result, dict):
                break
            self._learn_tools(result)
            params["cursor"] = result.get("nextCursor")
            if not params["cursor"] or self._headers(call) != before:
                break
        return isinstance(name, str) and self._headers(call) != before

    async def renew(self, stale: str | None = None) -> None:
        """Begin a new session in the place of one that the server has forgotten, unless that has been done.

        Raises:
            UpstreamError: that cannot be done.
        """
        async with self._renewing:
            if self._initialize is None or (stale is not None and self._id != stale):
                return
            try:
                async with asyncio.timeout(DELIVERY_S):
                    identifier = await self._begin_again(self._initialize)
            except TimeoutError:
                raise UpstreamError(self._lost("takes too long to begin a new one; try again")) from None
            self._id = identifier  # not before: whoever sent in between would have been too early
            report_to_stderr(self._lost("a new one was begun, and what the old one held is gone"))
            if self._initialized is not None:
                self._renewed()

    async def _begin_again(self, initialize: Mapping[str, Any]) -> str | None:
        opening = Outgoing(_ask("initialize", initialize.get("params")))
        response = await self._post(opening.body(), _SEND)
        identifier = _session_id(response)
        answer = await self._quiet(opening, response)
        if "result" not in answer:
            raise UpstreamError(self._lost("begins no new one; start the client again"))
        self.learn(opening, answer)
        if self._initialized is not None:
            body = Outgoing(self._initialized).body()
            (await self._post(body, {**_SEND, **self._legacy(identifier)})).release()
        return identifier

    def _lost(self, what: str) -> str:
        return f"the server {self.upstream.name!r} at {self.upstream.shown} has forgotten the session: {what}"

    async def end(self) -> None:
        """Tell the server that the session has ended, if that takes no long."""
        if self._id is not None:
            try:
                async with asyncio.timeout(_END_S), await self.upstream.request("DELETE", list(self._legacy().items())):
                    pass
            except (UpstreamError, TimeoutError):
                pass  # it will forget the session by itself

    async def _post(self, body: Body, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        return await self.upstream.request("POST", list(headers.items()), body)

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        if outgoing.is_modern:
            name = outgoing.params.get("name")
            marked = self._marked.get(name, {}) if isinstance(name, str) else {}
            # A long message was read in part, and what is marked may stand behind that.
            message = parse(outgoing.line) if marked and len(outgoing.line) > LONG else outgoing.message
            return {**_SEND, **headers_of(message, marked)}
        return {**_SEND, **self._legacy()}

    def _legacy(self, identifier: str | None = None) -> dict[str, str]:
        identifier = identifier or self._id
        headers = {SESSION_ID: identifier} if identifier is not None else {}
        if self.version is not None:
            headers[PROTOCOL_VERSION] = encoded(self.version)
        return headers

    def _learn_tools(self, result: Mapping[str, Any]) -> None:
        tools = result.get("tools")
        for tool in tools if isinstance(tools, list) else []:
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                self._marked[tool["name"]] = marked_params(tool.get("inputSchema"))

    async def _answer(self, asked: Outgoing, headers: Mapping[str, str]) -> dict[str, Any]:
        return await self._quiet(asked, await self._post(asked.body(), headers))

    async def _quiet(self, asked: Outgoing, response: aiohttp.ClientResponse) -> dict[str, Any]:
        """Return the answer to a request of our own, {} if there is none."""
        async with response:
            if not succeeded(response):
                return (await refusal(self.upstream, response))[0] or {}
            if response.content_type != "text/event-stream":
                answer = parse(await body_of(self.upstream, response))
                return answer if asked.answered(answer) else {}
            async for data in Stream(self.upstream).events(response):
                answer = parse(data)
                if asked.answered(answer):
                    return dict(answer)
            return {}


def _ask(method: str, params: object) -> bytes:
    return spell({"jsonrpc": "2.0", "id": _OUR_ID, "method": method, "params": params}).encode()


def _session_id(response: aiohttp.ClientResponse) -> str | None:
    identifier = response.headers.get(SESSION_ID)
    return identifier if identifier and identifier.isprintable() and identifier.isascii() else None
