"""A session of the revisions that have a handshake: one client, one process of its own, and which stream each message
of the process belongs to.

From 2025-03-26 to 2025-11-25 a server may send requests and notifications beside its answers. What a line of the
process does not say is which of the client's open streams it is meant for; clients read them all, so the newest is as
good as any, and that of a GET is for what belongs to no request. Nothing is sent twice; what one stream had not sent
when its client left it, another sends.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from aiohttp import web

from middleware.abridge import abridge
from middleware.http.hosted.children import Children
from middleware.http.hosted.identifiers import PROGRESS_PATH, TOKEN_PATH
from middleware.http.hosted.stream import Stream
from middleware.http.recorder import Recorder
from middleware.lane import HELD_LIMIT
from middleware.messages import at, id_key
from middleware.parsing import parse
from middleware.relay import Passage
from middleware.splice import beginning, decode, elements, encode

_CANCEL_GRACE_S = 1.0  # an answer that crossed the cancellation on its way still passes
_ENDED = "the session has ended; begin a new one with initialize"


class Session:
    """One client's session."""

    def __init__(self, children: Children, recorder: Recorder, *, closed: Callable[[], None]) -> None:
        """Start the session's process; `closed` is called once it serves no longer.

        Raises:
            CommandError: the command cannot be run.
        """
        self._recorder = recorder
        self._closed = closed
        self._is_closed = False
        self._posts: dict[Stream, list[Any]] = {}  # the open ones, newest last, with the ids not yet answered
        self._asked: dict[object, deque[Stream]] = {}  # id → who asked; in order, as ids may be used twice at once
        self._tokens: dict[object, Stream] = {}  # progress token → who gave it
        self._initializing: object = None
        self._get: Stream | None = None
        self._held: deque[Passage] = deque()  # what came while no stream was open
        self._held_bytes = 0
        self._alarm: asyncio.TimerHandle | None = None
        self.child = children.start(take=self._take, ended=self.close)
        self._relay = recorder.session()
        self._listening = ExitStack()
        self._listening.enter_context(recorder.listening(self._relay, self._hints_changed))

    async def post(
        self, request: web.BaseRequest, line: bytes, messages: Sequence[dict[str, Any]], headers: dict[str, str]
    ) -> web.StreamResponse:
        """Pass a client's line to the process, and the answers to it back; `messages` is what the line says."""
        asked = [message for message in messages if "id" in message and isinstance(message.get("method"), str)]
        with self.child.in_use():
            if not asked:
                await self._send(line)
                for message in messages:
                    if message.get("method") == "notifications/cancelled":
                        identifier = at(message, ("params", "requestId"))
                        asyncio.get_running_loop().call_later(_CANCEL_GRACE_S, self._give_up, id_key(identifier))
                return web.Response(status=202)
            stream = Stream(request, self.child)
            self._posts[stream] = [message["id"] for message in asked]
            for message in asked:
                self._asked.setdefault(id_key(message["id"]), deque()).append(stream)
                if (token := at(message, TOKEN_PATH)) is not None:
                    self._tokens[id_key(token)] = stream
                if message["method"] == "initialize":
                    self._initializing = id_key(message["id"])
            try:
                self._pass_held(stream)
                await self._send(line)
                del line, messages, asked  # which may be long, and so may the answer be
                return await stream.respond(self._recorder, headers)
            finally:
                # A client that is gone has not cancelled: its answer is still recorded when it comes.
                unsent = stream.close()
                self._posts.pop(stream, None)
                tokens = [token for token, whose in self._tokens.items() if whose is stream]
                for token in tokens:
                    del self._tokens[token]
                self._pass_elsewhere(unsent, tokens)

    async def listen(self, request: web.BaseRequest) -> web.StreamResponse:
        """Open the stream for what belongs to no request."""
        if self._get is not None:
            return web.Response(status=409, text="the session's one GET stream is open already\n")
        with self.child.in_use():
            stream = self._get = Stream(request, self.child, is_always_stream=True)
            try:
                self._pass_held(stream)
                return await stream.respond(self._recorder)
            finally:
                unsent = stream.close()
                self._get = None
                self._pass_elsewhere(unsent)

    def close(self, reason: str = _ENDED) -> None:
        """End the session: open requests get the `reason`, and the process is ended."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        self._listening.close()
        for stream, identifiers in list(self._posts.items()):
            passages = self._relay.abandon(identifiers, reason)
            for passage in passages:
                stream.put(passage, is_last=passage is passages[-1])
            stream.finish()
        self._relay.end()
        self._recorder.noted(self._relay)
        if self._get is not None:
            self._get.finish()
        self.child.end()
        self._closed()

    async def _send(self, line: bytes) -> None:
        data = self._relay.to_server(line)
        self._recorder.client_message(self._relay, line)
        await self.child.write(data)
        self._keep_time()

    def _give_up(self, key: object) -> None:
        """End a response that waits for a cancelled request only: most servers do not answer it."""
        stream = self._answered(key)
        if stream is not None and not self._posts.get(stream):
            stream.finish()

    def _hints_changed(self, message: bytes) -> None:
        self._put(self._unrelated(), Passage(message))

    def _take(self, line: bytes) -> None:
        """Pass a line of the process on to where it belongs."""
        value = parse(abridge(line))
        messages = [message for message in (value if isinstance(value, list) else [value]) if isinstance(message, dict)]
        if not messages:
            return  # no message, and a client over HTTP can make nothing of anything else
        if len({id(stream) for stream in map(self._stream_of, messages)}) > 1:
            for one in _parts(line):
                self._take(one)
            return
        self._deliver(self._recorder.server_message(self._relay, line), messages)
        self._keep_time()

    def _deliver(self, passage: Passage, messages: Sequence[dict[str, Any]]) -> None:
        """Pass on what says these messages, which all belong to one stream."""
        stream = self._stream_of(messages[0])
        answers = [message for message in messages if not isinstance(message.get("method"), str)]
        for message in answers:
            self._answered(id_key(message.get("id")))
        if stream is not None or not answers:
            self._put(stream, passage, is_last=stream in self._posts and not self._posts[stream])
        if any("error" in message and id_key(message.get("id")) == self._initializing for message in answers):
            self.close()  # a session that the server did not want

    def _keep_time(self) -> None:
        due_in = self._relay.overdue_in()
        if due_in is not None and self._alarm is None and not self._is_closed:
            self._alarm = asyncio.get_running_loop().call_later(due_in, self._answer_overdue)

    def _answer_overdue(self) -> None:
        self._alarm = None
        overdue = self._relay.overdue()
        for passage in overdue.to_client:
            self._deliver(passage, [parse(passage.data)])
        for line in overdue.to_server:
            self.child.write_now(line.rstrip())
        self._recorder.noted(self._relay)
        self._keep_time()

    def _stream_of(self, message: dict[str, Any]) -> Stream | None:
        method = message.get("method")
        if not isinstance(method, str):
            whose = self._asked.get(id_key(message.get("id")))
            return whose[0] if whose else None
        if method == "notifications/progress" and (stream := self._tokens.get(id_key(at(message, PROGRESS_PATH)))):
            return stream
        if method.endswith("/list_changed") or method == "notifications/resources/updated":
            return self._unrelated()
        return self._newest() or self._get

    def _unrelated(self) -> Stream | None:
        return self._get or self._newest()

    def _newest(self) -> Stream | None:
        return next((stream for stream, asked in reversed(self._posts.items()) if asked), None)

    def _answered(self, key: object) -> Stream | None:
        """Note that a request is no longer open; return who asked."""
        whose = self._asked.get(key)
        if not whose:
            return None
        stream = whose.popleft()
        if not whose:
            del self._asked[key]
        open_ids = self._posts.get(stream, [])
        for index, identifier in enumerate(open_ids):
            if id_key(identifier) == key:
                del open_ids[index]
                break
        return stream

    def _put(self, stream: Stream | None, passage: Passage, *, is_last: bool = False) -> None:
        if stream is not None:
            stream.put(passage, is_last=is_last)
            return
        self._held.append(passage)
        self._held_bytes += len(passage.data)
        while self._held_bytes > HELD_LIMIT:
            self._held_bytes -= len(self._held.popleft().data)

    def _pass_elsewhere(self, unsent: Sequence[Passage], tokens: Sequence[object] = ()) -> None:
        """Pass on what a stream that has ended, whose progress `tokens` these were, did not send."""
        for passage in unsent:
            value = parse(abridge(passage.data))
            if isinstance(value, list):
                self._pass_elsewhere([Passage(part, passage.ticket) for part in _parts(passage.data)], tokens)
            elif isinstance(value, dict) and isinstance(method := value.get("method"), str):  # no answer
                if method == "notifications/progress" and id_key(at(value, PROGRESS_PATH)) in tokens:
                    continue
                is_log = method == "notifications/message"
                stream = self._newest() if is_log else self._stream_of(value)
                if stream is not None or not is_log:  # a log tells of what is going on, which would then be nothing
                    self._put(stream, passage)

    def _pass_held(self, stream: Stream) -> None:
        while self._held:
            stream.put(self._held.popleft())
        self._held_bytes = 0


def _parts(line: bytes) -> list[bytes]:
    """Return the messages of a batch."""
    text = decode(line)
    return [encode(text[span.start : span.end]) for span in elements(text, beginning(text))]
