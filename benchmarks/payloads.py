"""What tools are given and what they answer, of each kind: for measuring what looking at it takes."""

import hashlib
import json
import random
import uuid
from collections.abc import Callable
from typing import Any

BYTES = 2000
_SENTENCE = (
    "the harbour office lists when water is high and low at each station along the coast so that a boat can leave "
    "before the swell grows wind from north west light in morning then fresh"
)
_WORDS = _SENTENCE.split()
_CODE = '''def next_high_water(station: Station, after: datetime) -> Tide | None:
    """Return the first high water at `station` later than `after`."""
    for tide in sorted(station.tides, key=lambda tide: tide.at):
        if tide.kind == "high" and tide.at > after:
            return tide
    return None

'''
SECRETS = ("password=Xq7wLmN2pR", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "postgres://ann:hunter2@host/db")


def payloads(seed: int = 1, size: int = BYTES) -> dict[str, dict[str, Any]]:
    """Return JSON objects of about `size` bytes each, by kind; only the last holds secrets."""
    rng = random.Random(seed)
    prose = _lines(size, lambda: " ".join(rng.choices(_WORDS, k=12)).capitalize() + ".")
    listing = _lines(
        size,
        lambda: (
            f"-rw-r--r-- 1 ann staff {rng.randrange(99999):>6} Nov 23 06:{rng.randrange(60):02} {_hash(rng, 40)} "
            f"src/{rng.choice(_WORDS)}/{rng.choice(_WORDS)}_{rng.choice(_WORDS)}.py"
        ),
    )
    quarter = size // 4
    parts = [prose[start : start + quarter] for start in range(0, size, quarter)]
    return {
        "prose": {"text": prose},
        "code": {"text": (_CODE * (size // len(_CODE) + 1))[:size]},
        "table": _rows(
            size,
            lambda: {
                "station": f"PT-{rng.randrange(9999):04}",
                "kind": rng.choice(["tide", "swell"]),
                "from": f"2026-11-{rng.randint(1, 28):02}T06:00:00Z",
                "level": rng.randrange(80) / 8,
                "name": rng.choice(_WORDS),
            },
        ),
        "ids": _rows(
            size,
            lambda: {
                "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                "user_id": f"usr_{_hash(rng, 16)}",
                "n": rng.randrange(10**9),
            },
        ),
        "listing": {"text": listing},
        "three secrets": {
            "text": " ".join([parts[0], *(f"{s} {part}" for s, part in zip(SECRETS, parts[1:], strict=True))])
        },
    }


def _lines(size: int, make: Callable[[], str]) -> str:
    lines: list[str] = []
    while len("\n".join(lines)) < size:
        lines.append(make())
    return "\n".join(lines)[:size]


def _rows(size: int, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    while len(json.dumps(rows)) < size:
        rows.append(make())
    return {"rows": rows}


def _hash(rng: random.Random, length: int) -> str:
    return hashlib.sha256(rng.randbytes(8)).hexdigest()[:length]
