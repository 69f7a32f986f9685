"""Pairs requests with their responses as they pass, and says what must be done before a message may go on.

Sans-IO: messages in, messages out, whatever carries them. The relay parses a copy and passes the bytes themselves on;
it changes them in three places only: hints in `tools/list` results, while an artefact is served; the learner's own
trial id, when the learner started the relay; and the argument for intents, where they are asked for.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from middleware.abridge import LONG, Abridger, abridge
from middleware.edits import without_answers, without_trial
from middleware.hints import CurrentHints, appending
from middleware.intent import Intents
from middleware.listing import EditTool, rewrite
from middleware.memory.identity import TRIAL_META_KEY
from middleware.memory.writer import FIRST_LOOK
from middleware.messages import (
    META_SUBSCRIPTION_ID,
    PARSE_ERROR,
    SERVER_ENDED,
    TIMED_OUT,
    at,
    cancellation,
    error_answer,
    id_key,
    list_changed,
    list_changed_for,
)
from middleware.parsing import parse, spell
from middleware.recording import Recording
from middleware.rounds import OpenCall
from middleware.settings import DEFAULTS, Settings
from middleware.timeouts import Timed, Timeouts

_LATE_S = 60.0  # for how long what the server says to a request that is overdue is dropped: many never answer
_CANCEL_GRACE_S = 1.0  # an answer that crossed the cancellation on its way is still taken
OVERDUE = (
    "the server gave no answer in {limit_s:g} s and was told to cancel; try again, or give the relay a longer --timeout"
)


class Passage(NamedTuple):
    """A message for the client: it may go on once the writer has `done` the `ticket`; as `finish()`, if given."""

    data: bytes
    ticket: int = 0
    finish: Callable[[], bytes] | None = None


class Overdue(NamedTuple):
    """What the passing of time brings about: messages for the client, messages for the server."""

    to_client: list[Passage]
    to_server: list[bytes]


class _Request(Timed):
    """A client's request that has no response yet."""

    __slots__ = ("call", "cancelled_at", "identifier", "listens", "method")

    def __init__(self, method: object, identifier: object, passed_at: float) -> None:
        super().__init__(passed_at)
        self.method = method
        self.identifier = identifier
        self.call: OpenCall | None = None
        self.cancelled_at: float | None = None
        self.listens = False  # a subscription to changes of the tools that the server has acknowledged


class Relay:
    """One session between a client and a server."""

    def __init__(
        self,
        recording: Recording,
        hints: CurrentHints,
        *,
        trial_token: str | None = None,
        settings: Settings = DEFAULTS,
        intents: Intents | None = None,
        clock: Callable[[], float] = time.perf_counter,
        shares_recording: bool = False,
    ) -> None:
        """A recording that is shared, by exchanges of one client, does not end with this relay. `intents` are given
        by whoever makes several relays for one server."""
        self._recording = recording
        self._shares_recording = shares_recording
        self._hints = hints
        self._trial_token = trial_token
        self._settings = settings
        self._intents = (intents or Intents()) if settings.intent else None
        self._clock = clock
        self._timeouts = Timeouts(settings.timeout_s, clock)
        # An id may be in flight twice, against the protocol; the answers are taken to come in the requests' order.
        self._pending: dict[object, deque[_Request]] = {}
        self._cancelled = 0  # how many of them are cancelled calls
        self._late: deque[tuple[object, _Request]] = deque()  # those that are overdue, the earliest first
        self._may_notify = False  # the server declared tools.listChanged in a handshake
        self._initialized = False

    def to_server(self, data: bytes) -> bytes:
        """Return what goes on to the server of a message from the client: all but our own trial id and intents."""
        if self._trial_token is not None:
            data = without_trial(data)
        return data if self._intents is None else self._intents.strip(data)

    def abridger(self) -> Abridger:
        """Return what reads a message of this relay as far as it is to be recorded."""
        return self._settings.abridger()

    @property
    def edits_requests(self) -> bool:
        """Whether a message from the client may have to be changed, and so has to be held whole."""
        return self._trial_token is not None or self._intents is not None

    @property
    def edits_answers(self) -> bool:
        """Whether a message from the server may have to be changed or kept back, and so has to be held whole."""
        return any(request.method == "tools/list" or request.overdue for request in self._open())

    def client_message(self, data: bytes, size: int | None = None) -> None:
        """Take note of a message from the client, before any that the server sends after it has gone on.

        `size` is given when `data` is what an `Abridger` kept of a message of so many bytes.
        """
        size, value = (len(data), parse(abridge(data, self.abridger()))) if size is None else (size, parse(data))
        for message in value if isinstance(value, list) else (value,):
            if isinstance(message, dict) and isinstance(message.get("method"), str):
                self._from_client(message, size if message is value else len(spell(message)))
            elif isinstance(message, dict) and "id" in message:
                self._timeouts.answered(id_key(message["id"]), self._open())

    def server_message(self, data: bytes, size: int | None = None, *, is_own: bool = False) -> Passage:
        """Take note of a message from the server; return how it goes on to the client.

        `size` is given when `data` is what an `Abridger` kept of a message of so many bytes; of a long one, only the
        ticket counts. `is_own`: it is an error that was said in place of a server which gave no answer.
        """
        abridged = size is not None and size > self._settings.whole_limit
        size = len(data) if size is None else size
        whole = size <= LONG or any(request.method == "tools/list" for request in self._open())
        value = parse(data if abridged or whole else abridge(data, self.abridger()))
        ticket = 0
        listings = []
        late = []
        for index, message in enumerate(value if isinstance(value, list) else (value,)):
            if not isinstance(message, dict):
                continue
            if isinstance(message.get("method"), str):
                self._server_notified(message)
                continue
            request = self._take(message)
            if request is None:
                continue
            if request.overdue:
                late.append(index)
            elif request.call is not None and is_own:
                ticket = max(ticket, self._recording.unanswered(request.call, message["error"]["message"]))
            elif request.call is not None:
                own_size = size if message is value else len(spell(message))
                ticket = max(ticket, self._answered(request.call, request, message, own_size))
            elif request.method == "tools/list" and not abridged:
                result = message.get("result")
                if isinstance(result, dict):
                    ticket = max(ticket, FIRST_LOOK, self._recording.tools(result.get("tools")))
                    listings.append(index)
            elif request.method == "initialize":
                self._handshake(message.get("result"))
        if late:
            data, listings = without_answers(data, late), []
        if not listings:
            return Passage(data, ticket)
        # The hints are put in when the message goes, not now: the first look at them may not have ended.
        return Passage(data, ticket, lambda: rewrite(data, listings, self._features()))

    def _features(self) -> list[EditTool]:
        hints = self._hints()
        features = [appending(hints)] if hints else []
        if self._intents is not None:
            # A client may have kept a list from when models were asked: calls lose the argument all the same.
            features.append(self._intents.declare if self._settings.asks_intents else self._intents.note)
        return features

    def hints_changed(self) -> Iterator[bytes]:
        """Yield the notifications that tell the client to list the tools again, where it can hear them."""
        if self._may_notify and self._initialized:
            yield list_changed()
        for requests in self._pending.values():
            for request in requests:
                if request.listens:
                    yield list_changed_for(request.identifier)

    def settle(self) -> float | None:
        """Close cancelled calls that were not answered in a second; return seconds until the next is due, if any."""
        if not self._cancelled:
            return None
        limit = self._clock() - _CANCEL_GRACE_S
        soonest = None
        for key, requests in list(self._pending.items()):
            for request in list(requests):
                if request.call is None or request.cancelled_at is None:
                    continue
                if request.cancelled_at <= limit:
                    self._recording.unanswered(request.call)
                    self._remove(key, request)
                else:
                    left = request.cancelled_at - limit
                    soonest = left if soonest is None else min(soonest, left)
        return soonest

    def overdue(self) -> Overdue:
        """Answer requests that have waited too long with an error, and tell the server that nobody waits any more.

        What the server still answers is dropped.
        """
        found = Overdue([], [])
        while self._late and (self._late[0][1].cancelled_at or 0.0) + _LATE_S <= self._clock():
            key, request = self._late.popleft()
            if request in self._pending.get(key, ()):
                self._remove(key, request)
        # A subscription is answered at its end, whenever that is.
        waiting = (one for one in self._open() if one.cancelled_at is None and one.method != "subscriptions/listen")
        for request in self._timeouts.take_overdue(waiting):
            reason = OVERDUE.format(limit_s=self._timeouts.limit_s)
            ticket = 0 if request.call is None else self._recording.unanswered(request.call, reason)
            request.call, request.cancelled_at = None, self._clock()
            self._late.append((id_key(request.identifier), request))
            found.to_client.append(Passage(error_answer(request.identifier, TIMED_OUT, reason), ticket))
            if request.method != "initialize":  # which the protocol forbids to cancel
                found.to_server.append(cancellation(request.identifier, reason))
        return found

    def overdue_in(self) -> float | None:
        """Return in how many seconds `overdue` is to be asked; None: not before another message has passed."""
        due_in = self._timeouts.due_in()
        if not self._late:
            return due_in
        forget_in = max(0.0, (self._late[0][1].cancelled_at or 0.0) + _LATE_S - self._clock())
        return forget_in if due_in is None else min(due_in, forget_in)

    def _open(self) -> Iterator[_Request]:
        for requests in self._pending.values():
            yield from requests

    def share(self) -> Recording:
        """Return the recording, which from now on does not end with this relay."""
        self._shares_recording = True
        return self._recording

    def awaits(self, identifiers: Iterable[object]) -> bool:
        """Whether any of these requests is still open."""
        return any(id_key(identifier) in self._pending for identifier in identifiers)

    def end(self, reason: str | None = None) -> list[Passage]:
        """Close every request that is still open, since no answer can come any more.

        With a `reason`, for the person, the client still listens: return an error for each request that it waits for.
        """
        passages = self._close(list(self._pending), reason, SERVER_ENDED)
        if not self._shares_recording:
            self._recording.end()
        return passages

    def abandon(self, identifiers: Iterable[object], reason: str, code: int = SERVER_ENDED) -> list[Passage]:
        """Close those of these requests that are still open; return an error for each, as `end` does."""
        return self._close(list({id_key(identifier) for identifier in identifiers}), reason, code)

    def hang_up(self) -> None:
        """Close every open request as cancelled: the client has gone, and its going says that."""
        for request in self._open():
            if request.call is not None and request.cancelled_at is None:
                self._recording.cancel(request.call)
        self.end()

    def _close(self, keys: Iterable[object], reason: str | None, code: int) -> list[Passage]:
        passages = []
        for key in keys:
            for request in list(self._pending.get(key, ())):
                self._remove(key, request)
                told = reason if request.cancelled_at is None else None
                ticket = 0 if request.call is None else self._recording.unanswered(request.call, told)
                if told is not None:
                    passages.append(Passage(error_answer(request.identifier, code, told), ticket))
        return passages

    def _from_client(self, message: dict[str, Any], size: int) -> None:
        method = message["method"]
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" not in message:
            if method == "notifications/cancelled" and "requestId" in params:
                self._cancel(params["requestId"])
            elif method == "notifications/initialized":
                self._initialized = True
            return
        meta = params.get("_meta")
        self._recording.client_from_meta(meta)
        request = _Request(method, message["id"], self._clock())
        self._timeouts.requested(request, id_key(meta.get("progressToken")) if isinstance(meta, dict) else None)
        if method == "tools/call":
            intent = None if self._intents is None else self._intents.take(params)
            request.call = self._recording.request(message, size, self._trial(meta), intent)
        elif method == "initialize":
            self._recording.client(info=params.get("clientInfo"), protocol_version=params.get("protocolVersion"))
        self._pending.setdefault(id_key(message["id"]), deque()).append(request)

    def _take(self, response: dict[str, Any]) -> _Request | None:
        """Return the request that `response` answers, which is then no longer pending."""
        if "id" not in response or not ("result" in response or "error" in response):
            return None
        # What could not be parsed had no id to be answered under: it is not the request whose id was null.
        if response["id"] is None and at(response, ("error", "code")) == PARSE_ERROR:
            return None
        key = id_key(response["id"])
        requests = self._pending.get(key)
        if not requests:
            return None
        # One that is overdue may never be answered: a server that was told to cancel owes nothing.
        self._remove(key, request := next((one for one in requests if not one.overdue), requests[0]))
        return request

    def _remove(self, key: object, request: _Request) -> None:
        requests = self._pending[key]
        requests.remove(request)
        if not requests:
            del self._pending[key]
        if request.call is not None and request.cancelled_at is not None:
            self._cancelled -= 1

    def _cancel(self, identifier: object) -> None:
        key = id_key(identifier)
        for request in self._pending.get(key, ()):
            if request.cancelled_at is None:
                request.cancelled_at = self._clock()
                if request.call is not None:
                    self._cancelled += 1
                    self._recording.cancel(request.call)
                else:
                    self._remove(key, request)
                return

    def _answered(self, call: OpenCall, request: _Request, message: dict[str, Any], size: int) -> int:
        # Some servers answer a cancelled request with an error that says no more than that.
        if request.cancelled_at is not None and message.get("error") is not None:
            self._recording.unanswered(call)
            return 0
        return self._recording.answer(call, message, size)

    def _handshake(self, result: object) -> None:
        if not isinstance(result, dict):
            return
        self._recording.client(protocol_version=result.get("protocolVersion"))
        capabilities = result.get("capabilities")
        tools = capabilities.get("tools") if isinstance(capabilities, dict) else None
        self._may_notify = isinstance(tools, dict) and tools.get("listChanged") is True

    def _server_notified(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._timeouts.asked(id_key(message["id"]))
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if message["method"] == "notifications/progress" and "progressToken" in params:
            self._timeouts.progressed(id_key(params["progressToken"]), self._open())
        elif message["method"] == "notifications/cancelled":
            self._timeouts.answered(id_key(params.get("requestId")), self._open())
        if message["method"] != "notifications/subscriptions/acknowledged":
            return
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        granted = params.get("notifications") if isinstance(params, dict) else None
        if isinstance(meta, dict) and isinstance(granted, dict) and granted.get("toolsListChanged") is True:
            for request in self._pending.get(id_key(meta.get(META_SUBSCRIPTION_ID)), ()):
                request.listens = request.method == "subscriptions/listen"

    def _trial(self, meta: object) -> str | None:
        """Return the trial that `meta` names, if it knows the token."""
        trial = meta.get(TRIAL_META_KEY) if isinstance(meta, dict) else None
        if self._trial_token is None or not isinstance(trial, dict) or trial.get("token") != self._trial_token:
            return None
        uid = trial.get("uid")
        return uid if isinstance(uid, str) and uid.isprintable() else None
