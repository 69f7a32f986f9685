"""The one process that serves all clients of the revisions without sessions, from 2026-07-28 on.

Each request says all about itself, so any number of clients can share a process. What a line of it belongs to, it says
by an id or a progress token; what does not say it goes to the newest request: the likeliest cause.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from aiohttp import web

from middleware.abridge import abridge
from middleware.http.clients import client_of
from middleware.http.hosted.child import Child
from middleware.http.hosted.children import Children
from middleware.http.hosted.identifiers import PROGRESS_PATH, replaced
from middleware.http.hosted.in_flight import Entry, InFlight
from middleware.http.hosted.refusal import refusal
from middleware.http.hosted.stream import Stream
from middleware.http.mirrored import MarkedParams, marked_params
from middleware.http.recorder import Recorder
from middleware.messages import META_SUBSCRIPTION_ID, PARSE_ERROR, at, cancellation
from middleware.parsing import parse
from middleware.relay import Passage, Relay

_LISTEN = "subscriptions/listen"
# The HTTP status that goes with a JSON-RPC error, so that clients which probe for a revision need not read the body.
_STATUS = {-32700: 400, -32600: 400, -32601: 404, -32602: 400, -32020: 400, -32021: 400, -32022: 400}


class _Exchange:
    """One request of a client; `is_open` until it is answered, or given up."""

    entry: Entry["_Exchange"]

    def __init__(self, message: dict[str, Any], child: Child, stream: Stream, relay: Relay) -> None:
        self.identifier = message["id"]
        self.method = message["method"]
        self.child = child
        self.stream = stream
        self.relay = relay
        self.is_open = True
        self.was_sent = False
        self.alarm: asyncio.TimerHandle | None = None


class Shared:
    """The process and the exchanges with it."""

    def __init__(self, children: Children, recorder: Recorder) -> None:
        self._children = children
        self._recorder = recorder
        self._child: Child | None = None
        self._in_flight: InFlight[_Exchange] = InFlight()
        self._marked: dict[str, MarkedParams] = {}

    def marked(self, message: dict[str, Any]) -> MarkedParams:
        """Return which arguments the called tool wants repeated in headers, as far as it has been listed."""
        name = at(message, ("params", "name"))
        return self._marked.get(name, {}) if message.get("method") == "tools/call" and isinstance(name, str) else {}

    async def post(self, request: web.BaseRequest, line: bytes, message: dict[str, Any]) -> web.StreamResponse:
        """Pass a client's request to the process, and the answer back.

        Raises:
            CommandError: the command cannot be run.
        """
        if self._child is None:
            self._child = self._children.start(take=self._take, ended=self.close)
        child = self._child
        is_listen = message["method"] == _LISTEN
        relay = self._recorder.exchange(client_of(request, [message]))
        exchange = _Exchange(message, child, Stream(request, child, is_always_stream=is_listen), relay)
        try:
            exchange.entry = self._in_flight.enter(exchange, message, line)
            data = replaced(relay.to_server(line), exchange.entry.to_server)
        except ValueError:  # in the midst of a long message, of which only the beginning was read
            return refusal(400, PARSE_ERROR, "the body is no JSON", exchange.identifier)
        with child.in_use(), self._hearing(exchange) if is_listen else nullcontext():
            try:
                self._recorder.client_message(relay, line)
                await child.write(data)
                exchange.was_sent = True
                self._keep_time(exchange)
                del line, data, message  # which may be long, and so may the answer be
                return await exchange.stream.respond(self._recorder)
            finally:
                unsent = exchange.stream.close()
                if exchange.alarm is not None:
                    exchange.alarm.cancel()
                if exchange.is_open:
                    relay.hang_up()
                    self._give_up(exchange, "the client closed the stream")
                self._pass_elsewhere(unsent)
                relay.end()  # of an answer that was none
                self._recorder.noted(relay)

    async def notify(self, line: bytes) -> web.StreamResponse:
        """Pass a client's notification to the process, if it runs."""
        if self._child is not None:
            await self._child.write(line)
        return web.Response(status=202)

    def close(self, reason: str) -> None:
        """Answer what is open with the `reason`, and end the process."""
        child, self._child = self._child, None
        for exchange in self._in_flight.newest_first():
            exchange.is_open = False
            for passage in exchange.relay.abandon([exchange.identifier], reason):
                exchange.stream.put(passage, is_last=True)
            exchange.stream.finish()
        self._in_flight.clear()
        if child is not None:
            child.end()

    def _hearing(self, exchange: _Exchange) -> AbstractContextManager[None]:
        return self._recorder.listening(exchange.relay, lambda message: exchange.stream.put(Passage(message)))

    def _give_up(self, exchange: _Exchange, reason: str) -> None:
        """Have the process stop working on a request."""
        exchange.is_open = False
        if exchange.was_sent:
            exchange.child.write_now(cancellation(exchange.entry.identifier, reason).rstrip())
            self._in_flight.forget(exchange.entry)
        else:
            self._in_flight.leave(exchange.entry)

    def _keep_time(self, exchange: _Exchange) -> None:
        due_in = exchange.relay.overdue_in()
        if due_in is not None and exchange.is_open:
            exchange.alarm = asyncio.get_running_loop().call_later(due_in, self._answer_overdue, exchange)

    def _answer_overdue(self, exchange: _Exchange) -> None:
        for passage in exchange.relay.overdue().to_client:
            exchange.stream.put(passage, is_last=True)
            self._give_up(exchange, "the server gave no answer in time")
        self._keep_time(exchange)

    def _take(self, line: bytes) -> None:
        """Pass a line of the process on to where it belongs; what belongs nowhere is dropped."""
        message = parse(abridge(line))
        if not isinstance(message, dict):
            return
        method = message.get("method")
        if not isinstance(method, str):
            exchange, is_last = self._in_flight.answered(message.get("id")), True
        elif method == "notifications/cancelled":  # the end of a subscription
            exchange, is_last = self._in_flight.answered(at(message, ("params", "requestId"))), True
        else:
            exchange, is_last = self._exchange_of(message, method), False
        if exchange is not None:
            exchange.is_open = not is_last
            exchange.stream.put(self._note(exchange, line, message), is_last=is_last)

    def _pass_elsewhere(self, unsent: Sequence[Passage]) -> None:
        """Pass on what a stream that has ended did not send and what names no request; the rest was its client's."""
        for passage in unsent:
            message = parse(abridge(passage.data))
            method = message.get("method") if isinstance(message, dict) else None
            if not isinstance(method, str) or _names_a_request(message, method):
                continue
            exchange = self._exchange_of(message, method)
            if exchange is not None:
                exchange.stream.put(passage)

    def _note(self, exchange: _Exchange, line: bytes, message: dict[str, Any]) -> Passage:
        if "error" in message:
            code = at(message, ("error", "code"))
            exchange.stream.status = _STATUS.get(code, 200) if isinstance(code, int) else 200
        elif exchange.method == "tools/list":
            self._note_marks(parse(line))
        with suppress(ValueError):  # in the midst of a long message, of which only the beginning was read
            line = replaced(line, exchange.entry.to_client)
        return self._recorder.server_message(exchange.relay, line)

    def _note_marks(self, message: dict[str, Any]) -> None:
        tools = at(message, ("result", "tools"))
        for tool in tools if isinstance(tools, list) else []:
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                self._marked[tool["name"]] = marked_params(tool.get("inputSchema"))

    def _exchange_of(self, message: dict[str, Any], method: str) -> _Exchange | None:
        if method == "notifications/progress":
            return self._in_flight.of_token(at(message, PROGRESS_PATH))
        if (subscription := at(message, ("params", "_meta", META_SUBSCRIPTION_ID))) is not None:
            return self._in_flight.of_id(subscription)
        is_change = method.endswith("/list_changed") or method == "notifications/resources/updated"
        open_ones = self._in_flight.newest_first()
        return next((one for one in open_ones if (one.method == _LISTEN) == is_change), None)


def _names_a_request(message: dict[str, Any], method: str) -> bool:
    return (
        method in ("notifications/progress", "notifications/cancelled")
        or at(message, ("params", "_meta", META_SUBSCRIPTION_ID)) is not None
    )
