"""What every simulated service keeps beside its content: a clock, chances, quotas and idempotency keys.

None of it is part of a digest: a call that was refused, or sent twice with one key, leaves no trace there.
"""

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from servers.errors import ToolError

TICK = datetime.timedelta(seconds=20)  # of the world's clock, with every call


@dataclass(kw_only=True)
class ServiceState:
    """Base of every state. `forms`: a frozen dataclass, how this seed wants each kind of argument written.

    `now` is the service's own clock, local time without a zone.
    """

    seed: int
    forms: Any
    now: datetime.datetime
    spent: dict[str, list[datetime.datetime]] = field(default_factory=dict)
    answered: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = field(default_factory=dict)

    @property
    def today(self) -> datetime.date:
        """The day on the service's clock."""
        return self.now.date()

    def tick(self) -> None:
        """Let the time of one call pass."""
        self.now += TICK

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of things that have a form."""
        return tuple(each.name for each in fields(self.forms))

    def drift(self, other: "ServiceState", kinds: Sequence[str] | None) -> bool:
        """Take over the forms of `other`, a state of the same service: those named in `kinds`, or all.

        Tells whether any of them was another one.
        """
        before = self.forms
        taken = [kind for kind in self.kinds() if kinds is None or kind in kinds]
        self.forms = replace(before, **{kind: getattr(other.forms, kind) for kind in taken})
        return bool(self.forms != before)

    def chance(self, *about: object) -> random.Random:
        """Return the randomness of one thing in this world: the same thing, the same numbers."""
        return random.Random("/".join(map(str, (self.seed, *about))))  # noqa: S311 - a simulation, not a secret

    def spend(self, what: str, *, limit: int, window: datetime.timedelta, refusal: str) -> None:
        """Count one use of the quota `what`: at most `limit` within `window` of the service's clock.

        Raises:
            ToolError: the quota is used up; the text is `refusal`.
        """
        used = [then for then in self.spent.get(what, ()) if then > self.now - window]
        if len(used) >= limit:
            raise ToolError(refusal)
        self.spent[what] = [*used, self.now]

    def once(
        self, key: str | None, request: Mapping[str, Any], act: Callable[[], dict[str, Any]], *, refusal: str
    ) -> dict[str, Any]:
        """Return what `act()` returns; for an idempotency key that was seen before, what was answered then.

        Raises:
            ToolError: the key was used for another request; the text is `refusal`.
        """
        if key is None:
            return act()
        if key in self.answered:
            asked, answer = self.answered[key]
            if asked != request:
                raise ToolError(refusal)
            return answer
        answer = act()
        self.answered[key] = (dict(request), answer)
        return answer


BESIDE_CONTENT = frozenset(each.name for each in fields(ServiceState))
