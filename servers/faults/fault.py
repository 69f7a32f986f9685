"""What a fault is: options that a plan may set, and what it does to the calls that it hits.

Whether a call is hit depends on the seed, on the fault and on the call's number alone. So a fault added to a plan moves
none of the others, and a higher rate hits the same calls and more.
"""

import functools
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from servers.faults.options import names, share, whole
from servers.world import CallResult


@dataclass(frozen=True)
class Turn:
    """One call as one fault meets it.

    `number` is the call's number among all, `count` among those that the fault is limited to; both begin at 1.
    """

    key: str
    number: int
    count: int

    @functools.cached_property
    def chance(self) -> random.Random:
        """The randomness of this fault at this call."""
        return randomness(self.key, self.number)

    @property
    def character(self) -> random.Random:
        """The randomness of this fault that is the same at every call: the manners that a service keeps."""
        return randomness(self.key)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Base of every fault: the first `after` calls are left alone."""

    kind: ClassVar[str]
    after: int = whole(0)


@dataclass(frozen=True, kw_only=True)
class ToolFault(Fault):
    """A fault that may be limited to some `tools`, by the names that the world gives them."""

    tools: tuple[str, ...] | None = names()


@dataclass(frozen=True, kw_only=True)
class CallFault(ToolFault, ABC):
    """A fault that hits single calls."""

    @abstractmethod
    def hits(self, turn: Turn) -> bool:
        """Tell whether the call of `turn` is hit."""

    @abstractmethod
    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return what the client sees of a call that is hit; it takes effect if and only if `proceed` is called."""


@dataclass(frozen=True, kw_only=True)
class Rated(CallFault):
    """A fault that hits a share of the calls."""

    rate: float = share(0.05)

    def hits(self, turn: Turn) -> bool:
        """Tell whether the call of `turn` is hit: `rate` of them are."""
        return turn.chance.random() < self.rate


def randomness(*about: object) -> random.Random:
    """Return the randomness of one thing: the same thing, the same numbers, in every process."""
    return random.Random("/".join(map(str, about)))  # noqa: S311 - a simulation, not a secret
