"""The simulated servers by name; a new one is one line here, and a folder of that name beside this file."""

import functools
import importlib

from servers.domain import Domain, together
from servers.errors import UnknownWorldError
from servers.tasks import Split, Task

_DOMAINS = {
    "shop": "A shop for household things: products, orders, delivery slots, vouchers, returns.",
    "email": "A mailbox: messages, threads, labels, filters, drafts, mail sent now or later.",
    "contacts": "An address book: people, organisations, groups, phone numbers, who may see a card.",
    "bank": "A bank: accounts, payees, transfers, standing orders, cards, statements.",
    "weather": "Weather stations: conditions, forecasts, tides, alerts, observations.",
    "calendar": "An office calendar: events, rooms, invitations, free times.",
    "files": "A document store: folders, documents, labels, sharing, versions, retention, trash.",
    "tickets": "An issue tracker: projects, tickets, workflow, assignees, comments, deadlines.",
    "travel": "A travel agency: trains, seats, tickets, hotels, and the rules for changing and cancelling.",
    "smart_home": "A smart home: devices, rooms, scenes, thermostats, doors.",
}
# Pairs with tasks that need the tools of both: `errands/ONE_OTHER.py` holds their templates.
_ERRANDS: tuple[tuple[str, str], ...] = (
    ("shop", "bank"),
    ("calendar", "travel"),
    ("contacts", "email"),
    ("weather", "smart_home"),
    ("files", "tickets"),
)


def worlds() -> list[str]:
    """Return the names of the simulated servers."""
    return list(_DOMAINS)


def pairs() -> list[str]:
    """Return the names of the pairs of servers that have tasks which need both."""
    return ["+".join(pair) for pair in _ERRANDS]


def errands(pair: str, seed: int, split: Split) -> list[Task]:
    """Return the tasks that need the tools of both servers of a pair, such as "contacts+email"."""
    from servers.templates import tasks_of

    both = together([_domain(one) for one in pair.split("+")], lambda _, __: [])
    templates = importlib.import_module(f"servers.errands.{pair.replace('+', '_')}").TEMPLATES
    return tasks_of(pair, templates, both.first_state, both.functions, seed, split)


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

    def shared(seed: int, split: Split) -> list[Task]:
        both = [pair for pair in _ERRANDS if set(pair) <= set(names)]
        return [task for pair in both for task in errands("+".join(pair), seed, split)]

    return together([_domain(one) for one in names], shared)


@functools.cache
def _domain(name: str) -> Domain:
    # Loaded when they are asked for: a server starts with its own modules, and without its tasks.
    world = importlib.import_module(f"servers.{name}.world")
    tools = importlib.import_module(f"servers.{name}.tools")

    def tasks(seed: int, split: Split) -> list[Task]:
        from servers.templates import tasks_of

        templates = importlib.import_module(f"servers.{name}.tasks").TEMPLATES
        return tasks_of(name, templates, world.first_state, tools.TOOLS, seed, split)

    return Domain(name, _DOMAINS[name], world.first_state, tools.TOOLS, tasks)
