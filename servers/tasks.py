"""Tasks for a world, and the check that needs no code per task: play the gold calls and the given ones, compare."""

from collections.abc import Mapping, Sequence
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

    The end states must be equal, so that every side effect counts. What the gold calls read must have been returned
    too (lookups aside), and where they only read, the last result that is not an error must be one of theirs: calling
    everything is no answer. Where no tool is needed none may be called; what the user may not do must not have
    happened, whatever was tried.
    """
    if task.kind == "no_tool":
        return not calls
    given = play(domain.world(seed), calls)
    if task.kind == "forbidden":
        return given.after == given.before
    gold = play(domain.world(seed), task.calls)
    if given.after != gold.after:
        return False
    wanted = [
        result
        for number, (result, changed) in enumerate(zip(gold.results, gold.changed, strict=True))
        if not changed and number not in task.lookups
    ]
    returned = [result for result in given.results if result is not None]
    if not all(result in returned for result in wanted):
        return False
    return gold.after != gold.before or (bool(returned) and returned[-1] in wanted)


def play(world: "World", calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Played:
    """Make `calls` in `world`, one after the other."""
    before = digest = world.digest()
    results, changed = [], []
    for name, arguments in calls:
        result = world.call(name, arguments)
        after = world.digest() if not result.is_error else digest
        results.append(None if result.is_error else result.structured)
        changed.append(after != digest)
        digest = after
    return Played(before, digest, tuple(results), tuple(changed))
