"""What a record is known by: the uids, hashes and times that every process makes for itself in the same way."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

# Python's own SHA-256 where it has one: hashlib loads OpenSSL for it, and that weighs on every relay.
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # from Python 3.12 on
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

# The `_meta` key under which the learner names the trial that a call belongs to, as {"token": ..., "uid": ...}, and
# the environment variable in which it gives the relay that it started the token to compare with.
TRIAL_META_KEY = "practicum/trial"
TRIAL_TOKEN_VARIABLE = "PRACTICUM_TRIAL_TOKEN"  # noqa: S105 - the variable's name, no token
# The one in which a relay on HTTP is given the token that its clients must have. Servers see neither.
HTTP_TOKEN_VARIABLE = "PRACTICUM_HTTP_TOKEN"  # noqa: S105 - as above
OUR_VARIABLES = (TRIAL_TOKEN_VARIABLE, HTTP_TOKEN_VARIABLE)
# The argument in which a model tells a relay that asks (`--intent`) what a call is for.
INTENT_ARGUMENT = "practicum_intent"


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal, 64 digits."""
    return sha256(data).hexdigest()


def new_uid() -> str:
    """Return a fresh 32-digit hexadecimal uid; later ones sort after earlier ones (to the millisecond)."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def now() -> str:
    """Return the time as the memory writes it: UTC, ISO 8601, milliseconds."""
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1)  # many calls fall into one second
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def server_uid(name: str, command: Sequence[str]) -> str:
    """Return what a server is known by: its name and a hash of its command (or of its URL, as the only element)."""
    return digest(json.dumps([name, *command]).encode())[:16]


def tool_hash(definition: Mapping[str, Any]) -> str:
    """Return the content hash of one element of a `tools/list` result; the order of its members does not matter."""
    return content_hash(definition)


def content_hash(value: Any) -> str:
    """Return a hash of the JSON value, 32 digits; the order of members does not matter.

    Raises:
        RecursionError: it is nested too deeply.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest(text.encode("utf-8", "surrogatepass"))[:32]
