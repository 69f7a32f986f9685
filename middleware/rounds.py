"""A call in flight, and the calls that wait for their next round.

From revision 2026-07-28 on a server may answer a call by asking for input (`resultType: "input_required"`); the client
then sends the same call again under a new id, with `inputResponses` and the `requestState` that it was given. On the
wire these are unrelated requests; here they are rounds of one call.

A retry is the same call: it has the same tool, arguments and `requestState`. All three are compared, because a server
may give many calls the same state ("step 2"). Calls that are alike in all three cannot be told apart; of these, the one
that has waited longest goes on.
"""

from typing import Any, TypeGuard

from middleware.corrections import Failure
from middleware.memory.identity import content_hash, digest
from middleware.memory.spool import Record
from middleware.parsing import spell

# How many calls may wait: a client that abandons its calls must not make us grow. As a row's result is cut, each takes
# some tens of kilobytes at most; with `--capture full`, as much as its messages.
WAITING_LIMIT = 256


class OpenCall:
    """A call that has no outcome yet: its row so far, when its request passed (`started`, seconds, monotonic), and
    `failure`, the failed call that it may turn out to correct."""

    __slots__ = ("_arguments", "_arguments_hash", "failure", "record", "started")

    def __init__(self, record: Record, arguments: Any, started: float, failure: Failure | None) -> None:
        self.record = record
        self.started = started
        self.failure = failure
        self._arguments = arguments
        self._arguments_hash: str | None = None

    @property
    def arguments_hash(self) -> str:
        """A hash of the arguments as they came, which few calls need; from then on they are not held any more."""
        if self._arguments_hash is None:
            self._arguments_hash = _hash(self._arguments)
            self._arguments = None
        return self._arguments_hash


class Rounds:
    """The calls of one client that were asked for input and have not gone on yet."""

    def __init__(self, *, limit: int = WAITING_LIMIT) -> None:
        self._limit = limit
        # Oldest first. Only a hash is kept of what makes a retry the same call: a `requestState` may open doors.
        self._waiting: list[tuple[str, OpenCall]] = []

    def wait(self, call: OpenCall, state: Any) -> OpenCall | None:
        """Let `call`, which was given `state`, wait for its next round; return a call for which there is no room."""
        self._waiting.append((_key(call.record["tool_name"], call.arguments_hash, state), call))
        return self._waiting.pop(0)[1] if len(self._waiting) > self._limit else None

    def take(self, tool_name: str, params: dict[str, Any]) -> OpenCall | None:
        """Return the call that goes on with this request's `params`, which then waits no longer, if there is one."""
        state = params.get("requestState")
        if not self._waiting or (state is None and params.get("inputResponses") is None):
            return None
        key = _key(tool_name, _hash(params.get("arguments")), state)
        for index, (waiting, call) in enumerate(self._waiting):
            if waiting == key:
                del self._waiting[index]
                return call
        return None

    def end(self) -> list[OpenCall]:
        """Return all that wait: their next round will not come."""
        calls = [call for _, call in self._waiting]
        self._waiting.clear()
        return calls


def asks_for_input(result: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether this result of a call only ends a round."""
    return isinstance(result, dict) and result.get("resultType") == "input_required"


def _key(tool_name: str, arguments_hash: str, state: Any) -> str:
    return digest("\0".join([tool_name, arguments_hash, spell(state)]).encode())


def _hash(arguments: Any) -> str:
    try:
        return content_hash(arguments)
    except RecursionError:
        return content_hash(spell(arguments))
