"""Faults on the way to a service and in it: answers late or never, refused because of others, failed for no fault of
the caller's."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from servers.faults.fault import CallFault, Rated, Turn
from servers.faults.options import LONGEST_S, seconds, share, some, whole
from servers.service import TICK
from servers.world import CallResult

INTERNAL_ERROR = -32603  # JSON-RPC 2.0
LOST = CallResult(True, "", lost=True)

# What services and the proxies before them say; {id} is what their people ask for, and tells the caller nothing.
FAILURES = (
    "500 Internal Server Error",
    "Internal server error (request {id})",
    "502 Bad Gateway",
    "503 Service Unavailable: upstream connect error or disconnect/reset before headers. "
    "reset reason: connection termination",
    '{{"error": {{"code": 500, "status": "INTERNAL", "message": "An unexpected error occurred. Try again later."}}}}',
    "Error: 'NoneType' object has no attribute 'get'",
    "could not serialize access due to concurrent update",
)
REFUSALS = {
    "retry_after": (
        "429 Too Many Requests. Retry-After: {wait}",
        '{{"error": "rate_limited", "retry_after_s": {wait}}}',
    ),
    "limit": (
        "Rate limit exceeded: at most {calls} requests in {window} s.",
        '{{"error": {{"code": 429, "message": "Quota of {calls} requests per {window} s exceeded"}}}}',
    ),
    "nothing": (
        "Too many requests",
        "Resource has been exhausted (e.g. check quota).",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Latency(Rated):
    """The answer comes late: log-normal, by its median and by what one call in a hundred takes longer than."""

    kind: ClassVar[str] = "latency"
    rate: float = share(1.0)
    median_s: float = seconds(0.2)
    p99_s: float = seconds(2.0)

    def __post_init__(self) -> None:
        if self.p99_s < self.median_s:
            raise ValueError(f"p99_s must be at least median_s, {self.median_s:g}, not {self.p99_s:g}")

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return the answer, later."""
        standard = NormalDist()
        spread = math.log(self.p99_s / self.median_s) / standard.inv_cdf(0.99)
        draw = turn.chance.random() or 0.5  # 0 has no place on the normal curve
        delay_s = min(self.median_s * math.exp(spread * standard.inv_cdf(draw)), LONGEST_S)
        result = proceed()
        return dataclasses.replace(result, delay_s=result.delay_s + delay_s)


@dataclass(frozen=True, kw_only=True)
class Timeout(Rated):
    """No answer comes, or a gateway's after `gateway_s` seconds; `takes_effect` of these calls were carried out."""

    kind: ClassVar[str] = "timeout"
    takes_effect: float = share(0.5)
    gateway_s: float | None = seconds(None)

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return no answer, or the gateway's."""
        if turn.chance.random() < self.takes_effect:
            proceed()
        if self.gateway_s is None:
            return LOST
        return CallResult(True, "504 Gateway Timeout", delay_s=self.gateway_s)


@dataclass(frozen=True, kw_only=True)
class RateLimit(CallFault):
    """Of every `window` calls, the first `calls` are let through.

    Time goes by calls, as on the world's clock: whoever is told to wait is served after as many more calls, and waiting
    alone changes nothing.
    """

    kind: ClassVar[str] = "rate_limit"
    calls: int = whole(10, lowest=1)
    window: int = whole(12, lowest=1)
    told: tuple[str, ...] = some(tuple(REFUSALS))

    def __post_init__(self) -> None:
        if self.window <= self.calls:
            raise ValueError(f"window must be above calls, {self.calls}, not {self.window}")

    def hits(self, turn: Turn) -> bool:
        """Tell whether the window's calls are used up."""
        return (turn.count - 1) % self.window >= self.calls

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:  # noqa: ARG002 - nothing takes effect
        """Return the refusal; a service words it always alike."""
        manners = turn.character
        text = manners.choice(REFUSALS[manners.choice(self.told)])
        wait, window = self.window - (turn.count - 1) % self.window, self.window
        in_s = {"wait": wait * TICK.seconds, "window": window * TICK.seconds}
        return CallResult(True, text.format(calls=self.calls, **in_s))


@dataclass(frozen=True, kw_only=True)
class Failure(Rated):
    """The service fails; `takes_effect` of these calls were carried out before.

    `protocol` of them come back as JSON-RPC errors, the others as results with `is_error`.
    """

    kind: ClassVar[str] = "server_error"
    takes_effect: float = share(0.2)
    protocol: float = share(0.25)

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return an error that is not the caller's."""
        if turn.chance.random() < self.takes_effect:
            proceed()
        if turn.chance.random() < self.protocol:
            return CallResult(True, "Internal error", protocol_error=INTERNAL_ERROR)
        request = f"{turn.chance.getrandbits(48):012x}"
        return CallResult(True, turn.chance.choice(FAILURES).format(id=request))
