"""One simulated server: how its state starts, its tools and its tasks; and several of them as one."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from servers.schema import definition
from servers.service import ServiceState
from servers.tasks import Split, Task
from servers.world import FirstState, ToolFunction, World


@dataclass(frozen=True, eq=False)
class Domain:
    """A simulated server: how its state starts, its tools, and `tasks(seed, split)`."""

    name: str
    description: str
    first_state: FirstState
    functions: Sequence[ToolFunction]
    tasks: Callable[[int, Split], list[Task]]

    def world(self, seed: int) -> World:
        """Return a fresh world of `seed`."""
        return World(self.name, seed, self.first_state, self.functions)

    def tools(self) -> list[dict[str, Any]]:
        """Return the definitions exactly as `tools/list` shows them; they are the same for every seed."""
        return [definition(function) for function in self.functions]


@dataclass(kw_only=True)
class SharedState(ServiceState):
    """The states of several services, by their names; each keeps its own clock, quotas and forms."""

    parts: dict[str, ServiceState]

    def tick(self) -> None:
        """Let the time of one call pass, everywhere."""
        for part in self.parts.values():
            part.tick()

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of things that have a form in any part."""
        return tuple(dict.fromkeys(kind for part in self.parts.values() for kind in part.kinds()))

    def drift(self, other: ServiceState, kinds: Sequence[str] | None) -> bool:
        """Take over the forms of `other` in every part that has such `kinds`, or all."""
        if not isinstance(other, SharedState):
            return False
        return True in [part.drift(other.parts[name], kinds) for name, part in self.parts.items()]


def together(domains: Sequence[Domain], errands: Callable[[int, Split], list[Task]]) -> Domain:
    """Return one server with the tools of all `domains`: their tasks, and then `errands`, which need several of them.

    Raises:
        ValueError: two of them have a tool of one name.
    """
    names = [function.__name__ for domain in domains for function in domain.functions]
    if len(set(names)) < len(names):
        raise ValueError(f"tools of one name in {' and '.join(domain.name for domain in domains)}")

    def first_state(seed: int) -> SharedState:
        parts = {domain.name: domain.first_state(seed) for domain in domains}
        return SharedState(seed=seed, forms=None, now=next(iter(parts.values())).now, parts=parts)

    def tasks(seed: int, split: Split) -> list[Task]:
        return [task for domain in domains for task in domain.tasks(seed, split)] + errands(seed, split)

    return Domain(
        name="+".join(domain.name for domain in domains),
        description=" ".join(domain.description for domain in domains),
        first_state=first_state,
        functions=[_in_part(domain.name, function) for domain in domains for function in domain.functions],
        tasks=tasks,
    )


@functools.cache
def _in_part(name: str, function: ToolFunction) -> ToolFunction:
    @functools.wraps(function)
    def call(state: SharedState, **arguments: Any) -> dict[str, Any]:
        return function(state.parts[name], **arguments)

    return call
