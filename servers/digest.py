"""A fingerprint of a world's content that can be compared, and diffed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, NamedTuple

from servers.service import BESIDE_CONTENT, ServiceState

ABSENT = "(absent)"


class Change(NamedTuple):
    """One value that two contents do not share: its path, and both values (or `ABSENT`)."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {json.dumps(self.before)} → {json.dumps(self.after)}"


@dataclass(frozen=True)
class Digest:
    """Equal digests, equal contents. `content` is the content as canonical JSON."""

    fingerprint: str
    content: str = field(compare=False, repr=False)

    def diff(self, later: "Digest") -> list[Change]:
        """Return what changed from this content to `later`, by path; none when they are equal."""
        before, after = dict(_leaves(json.loads(self.content))), dict(_leaves(json.loads(later.content)))
        return [
            Change(path, before.get(path, ABSENT), after.get(path, ABSENT))
            for path in dict.fromkeys((*before, *after))
            if before.get(path, ABSENT) != after.get(path, ABSENT)
        ]


def digest_of(state: object) -> Digest:
    """Return the digest of a state: all of its fields but those that every service has beside its content."""
    content = json.dumps(_plain(state), sort_keys=True, default=_plain)
    return Digest(hashlib.sha256(content.encode()).hexdigest(), content)


def _plain(value: object) -> Any:
    # Not asdict(): it copies every value, and a world is fingerprinted for each check.
    if isinstance(value, ServiceState):
        return {name: part for name, part in vars(value).items() if name not in BESIDE_CONTENT}
    return value.__dict__ if is_dataclass(value) else str(value)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from _leaves(part, f"{path}[{index}]")
    else:
        yield path, value
