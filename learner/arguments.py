"""Compares the arguments of two calls: what differs between one that failed and one that worked.

Arguments are compared leaf by leaf (`filter.day`, `stops[1].name`), so that a wrong value deep inside is seen as that.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_MAX_LEAVES = 200  # of one call's arguments; what lies behind is compared as little as what was cut away
_MAX_DEPTH = 20
_MAX_CHARACTERS = 200  # of a text, when it is asked how alike two are


class Missing:
    """The value of an argument that is not there; null is a value."""


MISSING = Missing()


class Difference(NamedTuple):
    """One argument that is not the same in two calls: its path, and both values (or `MISSING`)."""

    path: str
    failed: Any
    worked: Any


def leaves(value: Any) -> dict[str, Any]:
    """Return the values inside `value` that are no objects or arrays (empty ones count as values), by their paths."""
    found: dict[str, Any] = {}
    for path, leaf in _leaves(value, "", 0):
        if len(found) == _MAX_LEAVES:
            break
        found[path] = leaf
    return found


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value and depth < _MAX_DEPTH:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list) and value and depth < _MAX_DEPTH:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]", depth + 1)
    else:
        yield path, value


def differences(failed: Mapping[str, Any], worked: Mapping[str, Any]) -> list[Difference]:
    """Return what differs, in the order in which the failed call gives its arguments, then what only the other has."""
    one, other = (leaves(arguments) if arguments else {} for arguments in (failed, worked))  # none are no value
    return [
        Difference(path, one.get(path, MISSING), other.get(path, MISSING))
        for path in [*one, *(path for path in other if path not in one)]
        if not _same(one.get(path, MISSING), other.get(path, MISSING))
    ]


def nearest(failed: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the position of the candidate most like `failed`, the first of equals; None when there is none.

    The fewest arguments differ; among these, the values that differ are most alike.
    """
    return min(range(len(candidates)), key=lambda index: _distance(failed, candidates[index]), default=None)


def _distance(failed: Mapping[str, Any], worked: Mapping[str, Any]) -> tuple[int, float]:
    differing = differences(failed, worked)
    return len(differing), sum(1 - _likeness(each.failed, each.worked) for each in differing)


def _likeness(one: Any, other: Any) -> float:
    """Return 0 to 1: the share of the pairs of neighbouring characters that two values have in common."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return 0.0
    a, b = _pairs(one), _pairs(other)
    return len(a & b) / len(a | b) if a | b else 1.0


def _pairs(value: Any) -> set[str]:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = f" {text[:_MAX_CHARACTERS].lower()} "
    return {text[index : index + 2] for index in range(len(text) - 1)}


def _same(one: Any, other: Any) -> bool:
    """Return whether two leaves are the same as JSON: true is not 1."""
    return type(one) is type(other) and bool(one == other)
