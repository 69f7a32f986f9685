"""A world: seeded state that tools read and change, and the one way to call them.

The state is the only clock and the only randomness that a tool sees, so the same seed and the same calls give the
same bytes, in every process.
"""

import functools
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from servers.digest import Digest, digest_of
from servers.errors import ToolError
from servers.schema import definition, invalid, validator_of
from servers.service import ServiceState

ToolFunction = Callable[..., dict[str, Any]]
FirstState = Callable[[int], ServiceState]


@dataclass(frozen=True)
class CallResult:
    """What a client sees of a call: `text`, and as JSON the same in `structured` unless `is_error`.

    The rest is what faults do to it: the answer comes after `delay_s` seconds; `lost`, it never comes; with
    `protocol_error`, a JSON-RPC code, it is that error and `text` its message.
    """

    is_error: bool
    text: str
    structured: dict[str, Any] | None = None
    delay_s: float = 0.0
    lost: bool = False
    protocol_error: int | None = None


class Served(Protocol):
    """What a host serves: a world, or whatever stands in front of one."""

    name: str

    @property
    def tools(self) -> Sequence[dict[str, Any]]:
        """The definitions, exactly as `tools/list` shows them now."""

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Call a tool. A call that the host must delay, lose or answer by a protocol error says so in its result."""


class World:
    """The state of one seed and the tools that act on it.

    `first_state(seed)` returns the state, a dataclass whose fields are JSON values, dates or dataclasses of such. A
    tool is a function of that state and of its own arguments; it raises `ToolError` before it changes anything.
    """

    def __init__(self, name: str, seed: int, first_state: FirstState, tools: Sequence[ToolFunction]) -> None:
        self.name = name
        self.seed = seed
        self._first_state = first_state
        self._functions = {tool.__name__: tool for tool in tools}
        self.tools = [definition(tool) for tool in tools]
        self.reset()

    def reset(self) -> None:
        """Put everything back to where the seed starts."""
        self._state: ServiceState = pickle.loads(_first(self._first_state, self.seed))  # noqa: S301 - our own bytes

    def digest(self) -> Digest:
        """Return a fingerprint of the whole content, which can be diffed: equal digests, equal contents."""
        return digest_of(self._state)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of things that the service wants written in a form of its own."""
        return self._state.kinds()

    def drift(self, kinds: Sequence[str] | None, seed: int) -> bool:
        """Let the service want things written as the service of `seed` does: those `kinds` of its forms, or all.

        Tells whether that is another way than before.
        """
        return self._state.drift(self._first_state(seed), kinds)

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Call the tool `name`; whatever a model can do wrong is answered by a result with `is_error`."""
        if name not in self._functions:
            return CallResult(True, f"no tool is called {name[:60]!r}; the tools are {', '.join(self._functions)}")
        self._state.tick()
        function = self._functions[name]
        wrong = invalid(arguments, validator_of(function))
        if wrong is not None:
            return CallResult(True, wrong)
        try:
            structured = function(self._state, **{name: _whole(value) for name, value in arguments.items()})
        except ToolError as error:
            return CallResult(True, str(error))
        return CallResult(False, json.dumps(structured, ensure_ascii=False), structured)

    def all_or_none(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Make `calls` and return True; when one of them is refused, undo them, with the time they took: False."""
        before = pickle.dumps(self._state)
        if any(self.call(*call).is_error for call in calls):
            self._state = pickle.loads(before)  # noqa: S301 - our own bytes
            return False
        return True


def _whole(value: Any) -> Any:
    # JSON has one kind of number: whoever writes 6.0 means 6, and must leave the same state.
    return int(value) if isinstance(value, float) and value.is_integer() else value


# A world is made anew for every check; its first state need not be.
@functools.lru_cache(maxsize=64)
def _first(first_state: FirstState, seed: int) -> bytes:
    return pickle.dumps(first_state(seed))
