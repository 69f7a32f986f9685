"""Tasks for a world, and the check that needs no code per task: play the gold calls and the given ones, compare."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from servers.schema import definition
from servers.world import ToolFunction, World

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Split = Literal["practice", "test"]


class Call(NamedTuple):
    """A tool's name and its arguments."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A user's request and calls that serve it, from the first state of its seed.

    `template` names the wording that the query was made from: the cluster for intervals. `slots` holds what the query
    says in that wording's places, as it says it.
    """

    id: str
    template: str
    query: str
    calls: tuple[Call, ...]
    slots: Mapping[str, str]


@dataclass(frozen=True)
class Domain:
    """One simulated server: how its state starts, its tools, and `tasks(seed, split)`."""

    name: str
    description: str
    first_state: Callable[[int], "DataclassInstance"]
    functions: Sequence[ToolFunction]
    tasks: Callable[[int, Split], list[Task]]

    def world(self, seed: int) -> World:
        """Return a fresh world of `seed`."""
        return World(self.name, seed, self.first_state, self.functions)

    def tools(self) -> list[dict[str, Any]]:
        """Return the definitions exactly as `tools/list` shows them; they are the same for every seed."""
        return [definition(function) for function in self.functions]


class _Outcome(NamedTuple):
    changed: bool
    digest: str
    last: dict[str, Any] | None


def solved(domain: Domain, seed: int, task: Task, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Tell whether `calls`, refused ones included, do in a fresh world what the task's gold calls do.

    Where the gold calls change the state, the end states must be equal; where they only read, the state must be
    untouched and the last result that is not an error must be the gold one.
    """
    gold = _play(domain.world(seed), task.calls)
    given = _play(domain.world(seed), calls)
    return given.digest == gold.digest and (gold.changed or given.last == gold.last)


def _play(world: World, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> _Outcome:
    before = world.digest()
    last = None
    for name, arguments in calls:
        result = world.call(name, arguments)
        if not result.is_error:
            last = result.structured
    after = world.digest()
    return _Outcome(after != before, after, last)
