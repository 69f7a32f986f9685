"""Tasks for a world, and the check that needs no code per task: play the gold calls and the given ones, compare."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from servers.digest import Digest
    from servers.domain import Domain
    from servers.world import World

Split = Literal["practice", "test"]
Kind = Literal["calls", "no_tool", "forbidden"]


class Call(NamedTuple):
    """A tool's name and its arguments."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A user's request and calls that serve it, from the first state of its seed.

    `template` names the wording that the query was made from: the cluster for intervals. `slots` holds what the query
    says in that wording's places, as it says it. Without `calls` a task needs no tool ("no_tool"), or asks for what
    the user may not do ("forbidden"). The calls at the positions `lookups` only lead to what later calls need;
    `ordered` tells whether the calls must be made in this order.
    """

    id: str
    template: str
    query: str
    calls: tuple[Call, ...]
    slots: Mapping[str, str]
    kind: Kind = "calls"
    ordered: bool = False
    lookups: tuple[int, ...] = ()


class Played(NamedTuple):
    """What calls did in a fresh world: the digests before and after, and each call's result (None: refused)."""

    before: "Digest"
    after: "Digest"
    results: tuple[dict[str, Any] | None, ...]
    changed: tuple[bool, ...]


def solved(domain: "Domain", seed: int, task: Task, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Tell whether `calls`, refused ones included, do in a fresh world what the task's gold calls do.

    The end states must be equal, so that every side effect counts; so does one that is gone again by the end, because
    no more calls may have changed something than the gold's. What the gold calls read must have been returned too (of
    a lookup, what later calls took from it), and where they only read, the last result that is not an error must be
    one of theirs: calling everything is no answer. Where no tool is needed none may be called; what the user may not
    do must not have happened, whatever was tried.
    """
    if task.kind == "no_tool":
        return not calls
    given = _played(domain, seed, json.dumps(calls))
    if task.kind == "forbidden":
        return not any(given.changed)
    gold = _played(domain, seed, json.dumps(task.calls))
    if given.after != gold.after or sum(given.changed) > sum(gold.changed):
        return False
    returned = [result for result in given.results if result is not None]
    # A call may say again what it was given, which is no way to find it out.
    read = {
        value
        for (_, arguments), result, changed in zip(calls, given.results, given.changed, strict=True)
        if not changed
        for value in set(_values(result)) - set(_values(arguments))
    }
    reads = [number for number, changed in enumerate(gold.changed) if not changed]
    for number in reads:
        taken = _taken(task, number, gold.results[number]) if number in task.lookups else set()
        # Whoever was given what a lookup is for may have asked in another way.
        if gold.results[number] not in returned and not (taken and taken <= read):
            return False
    # What was asked for comes last; what a lookup found is only the way to it.
    asked = [gold.results[number] for number in reads if number not in task.lookups]
    return gold.after != gold.before or (bool(returned) and returned[-1] in asked)


# The gold calls of a task are played for every answer to it, and some answers are given to many tasks.
@functools.lru_cache(maxsize=128)
def _played(domain: "Domain", seed: int, calls_json: str) -> Played:
    return play(domain.world(seed), json.loads(calls_json), before=_first_digest(domain, seed))


@functools.lru_cache(maxsize=32)
def _first_digest(domain: "Domain", seed: int) -> "Digest":
    return domain.world(seed).digest()


def _taken(task: Task, lookup: int, result: object) -> set[str]:
    """Return the values of later calls that came from the lookup's result, and not from what it was asked."""
    later = [call.arguments for call in task.calls[lookup + 1 :]]
    return set(_values(later)) & set(_values(result)) - set(_values(task.calls[lookup].arguments))


def _values(value: object) -> Iterator[str]:
    """Yield the values in a JSON value that are no objects or lists, each as JSON."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _values(part)
    elif isinstance(value, list):
        for part in value:
            yield from _values(part)
    else:
        yield json.dumps(value)


def play(world: "World", calls: Sequence[tuple[str, Mapping[str, Any]]], *, before: "Digest | None" = None) -> Played:
    """Make `calls` in `world`, one after the other; `before` is its digest, where that is known."""
    before = digest = before or world.digest()
    results, changed = [], []
    for name, arguments in calls:
        result = world.call(name, arguments)
        after = digest if result.is_error else world.digest()
        results.append(None if result.is_error else result.structured)
        changed.append(after != digest)
        digest = after
    return Played(before, digest, tuple(results), tuple(changed))
