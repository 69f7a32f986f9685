"""The simulated servers by name; a new one is one line here, and a folder of that name beside this file."""

import functools
import importlib

from servers.domain import Domain, together
from servers.errors import UnknownWorldError
from servers.tasks import Split, Task

_DOMAINS = {
    "weather": "Weather stations: conditions, forecasts, tides, alerts, observations.",
}
# Tasks that need the tools of two servers: `errands/ONE_OTHER.py` holds them.
_ERRANDS: tuple[tuple[str, str], ...] = ()


def worlds() -> list[str]:
    """Return the names of the simulated servers."""
    return list(_DOMAINS)


def pairs() -> list[str]:
    """Return the names of the pairs of servers that have tasks which need both."""
    return ["+".join(pair) for pair in _ERRANDS]


@functools.cache
def load(name: str) -> Domain:
    """Return the simulated server called `name`; "contacts+email" is one server with the tools of both.

    Raises:
        UnknownWorldError: there is none, or one is named twice.
    """
    names = name.split("+")
    for one in names:
        if one not in _DOMAINS:
            raise UnknownWorldError(f"no simulated server is called {one[:60]!r}; there are: {', '.join(worlds())}")
    if len(set(names)) < len(names):
        raise UnknownWorldError(f"{name[:60]!r} names a simulated server twice; name each once")
    if len(names) == 1:
        return _domain(name)

    def errands(seed: int, split: Split) -> list[Task]:
        both = [pair for pair in _ERRANDS if set(pair) <= set(names)]
        return [
            task
            for pair in both
            for task in importlib.import_module(f"servers.errands.{'_'.join(pair)}").tasks(seed, split)
        ]

    return together([_domain(one) for one in names], errands)


@functools.cache
def _domain(name: str) -> Domain:
    # Loaded when they are asked for: a server starts with its own module, and without its tasks.
    world = importlib.import_module(f"servers.{name}.world")
    tools = importlib.import_module(f"servers.{name}.tools")

    def tasks(seed: int, split: Split) -> list[Task]:
        found: list[Task] = importlib.import_module(f"servers.{name}.tasks").tasks(seed, split)
        return found

    return Domain(name, _DOMAINS[name], world.first_state, tools.TOOLS, tasks)
