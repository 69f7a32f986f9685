"""How long requests may wait for their answers, where the person has set a limit.

A server that tells of a request's progress is at work: its time starts anew. While the server itself waits for the
client (sampling, elicitation, which may mean a person), no time runs at all.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar


class Timed:
    """What a request that can become overdue has."""

    __slots__ = ("overdue", "progress_token", "waits_since")

    def __init__(self, waits_since: float) -> None:
        self.waits_since = waits_since  # when it passed, or the server last told of its progress
        self.progress_token: object = None  # a key, as those of ids
        self.overdue = False  # the relay has answered it: what the server still says is dropped


AnyTimed = TypeVar("AnyTimed", bound=Timed)


class Timeouts:
    """One session's; None as the limit means that nothing ever becomes overdue. Ids and tokens come as keys."""

    def __init__(self, limit_s: float | None, clock: Callable[[], float]) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._asked: set[object] = set()  # the server's requests that the client has not answered
        self._next_due: float | None = None  # no request is overdue before

    def requested(self, request: Timed, progress_token: object) -> None:
        """A request of the client passes."""
        request.progress_token = progress_token
        if self.limit_s is not None and self._next_due is None:
            self._next_due = request.waits_since + self.limit_s

    def progressed(self, progress_token: object, pending: Iterable[Timed]) -> None:
        """The server tells that it is at work."""
        for request in pending:
            if request.progress_token == progress_token:
                request.waits_since = self._clock()

    def asked(self, key: object) -> None:
        """A request of the server passes."""
        if self.limit_s is not None:
            self._asked.add(key)

    def answered(self, key: object, pending: Iterable[Timed]) -> None:
        """The client answers a request of the server."""
        if key in self._asked:
            self._asked.remove(key)
            for request in pending:
                request.waits_since = self._clock()

    def take_overdue(self, pending: Iterable[AnyTimed]) -> list[AnyTimed]:
        """Return those that have become overdue since this was last asked, and mark them."""
        now = self._clock()
        if self.limit_s is None or self._next_due is None or self._asked or now < self._next_due:
            return []
        waiting = [request for request in pending if not request.overdue]
        found = [request for request in waiting if request.waits_since + self.limit_s <= now]
        for request in found:
            request.overdue = True
        left = [request.waits_since for request in waiting if not request.overdue]
        self._next_due = min(left) + self.limit_s if left else None
        return found

    def due_in(self) -> float | None:
        """Return in how many seconds to ask again; None: when the next message has passed."""
        return None if self._next_due is None or self._asked else max(0.0, self._next_due - self._clock())
