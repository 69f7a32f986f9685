"""Which good call corrects which failed one: the same tool in the same session, soon after, with other arguments.

This is the best lesson that a client gives which tells nothing of its queries: what was wrong, and what was right.
Only what a caller can have got wrong counts as failed (`tool_error`, `protocol_error`). The good call corrects the last
failure before it; earlier ones of the same attempt are the failed calls to that tool since its last good one. A good
call with the very arguments that failed corrects nothing: the server had a bad moment, and nobody learned anything.
"""

from middleware.memory.live import CLOSE_S
from middleware.memory.spool import Record

_TOOLS = 256  # whose last failures are kept, a session: names come from the client


class Failure:
    """A failed call that a good one may still correct."""

    __slots__ = ("arguments_hash", "at", "settled", "trial_uid", "uid")

    def __init__(self, record: Record, arguments_hash: str, at: float) -> None:
        self.uid: str = record["uid"]
        self.trial_uid: str | None = record["trial_uid"]
        self.arguments_hash = arguments_hash
        self.at = at
        self.settled = False  # a good call has followed


class Corrections:
    """The last failure of each tool in one session. Times are in seconds, monotonic."""

    def __init__(self) -> None:
        self._failures: dict[str, Failure] = {}

    def failed(self, record: Record, arguments_hash: str, at: float) -> None:
        """Take note that this call failed."""
        self._failures.pop(record["tool_name"], None)
        self._failures[record["tool_name"]] = Failure(record, arguments_hash, at)
        if len(self._failures) > _TOOLS:
            del self._failures[next(iter(self._failures))]

    def open_to(self, tool_name: str, trial_uid: str | None, at: float) -> Failure | None:
        """Return the failure that a call sent now may correct: its caller has seen it, and is still at the same."""
        failure = self._failures.get(tool_name)
        if failure is None or failure.settled or at - failure.at > CLOSE_S:
            self._failures.pop(tool_name, None)
            return None
        return failure if failure.trial_uid == trial_uid else None

    def settle(self, failure: Failure, arguments_hash: str) -> str | None:
        """Take note that a call to which `failure` was open went well; return the uid of what it corrects, if any."""
        if failure.settled:
            return None
        failure.settled = True
        return None if failure.arguments_hash == arguments_hash else failure.uid
