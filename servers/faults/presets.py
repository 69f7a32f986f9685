"""Plans by name, for those who want a service of a kind and not to write a file."""

from servers.faults.answers import Malformed, Truncated
from servers.faults.drift import ConventionDrift, SchemaDrift
from servers.faults.fault import Fault
from servers.faults.service import Failure, Latency, RateLimit, Timeout

_slow = (Latency(median_s=0.8, p99_s=8.0), Timeout(rate=0.02, gateway_s=10.0))
_flaky = (Latency(), Timeout(rate=0.02), Failure(rate=0.1))
_busy = (Latency(median_s=0.4, p99_s=4.0), RateLimit(calls=10, window=13), Failure(rate=0.02))
_broken = (Failure(rate=0.05), Truncated(rate=0.1), Malformed(rate=0.1))
_drifting = (SchemaDrift(after=20, count=2), ConventionDrift(after=40, count=2))

PRESETS: dict[str, tuple[Fault, ...]] = {
    "slow": _slow,
    "flaky": _flaky,
    "busy": _busy,
    "broken": _broken,
    "drifting": _drifting,
    "awful": (*_busy, Timeout(rate=0.02), *_broken, *_drifting),
}
