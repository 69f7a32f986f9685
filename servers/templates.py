"""Templates of requests and the tasks that are made from them: practice and test apart, each task tried before use.

Practice and test share no wording. More than half of what fills a test's open places (names, days, amounts) never
occurs in practice; words from closed sets (the codes of enums) all do.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from servers.phrases import said, with_articles
from servers.service import ServiceState
from servers.tasks import Call, Kind, Split, Task
from servers.world import ToolFunction, World

S = TypeVar("S", bound=ServiceState)
V = TypeVar("V")
TRIES = 400  # drawings for one task, until it is new and can be done


@dataclass(frozen=True)
class Filled:
    """A request's places with what stands in each, and the calls that serve it.

    A place takes a text as it stands, and anything else (a date, a time, an amount) in one of the ways people say it.
    """

    slots: Mapping[str, object]
    calls: Sequence[Call] = ()
    lookups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Template(Generic[S]):
    """Wordings of one kind of request by split, and what fills them.

    `fill(draws, state)` draws what stands in the places of a wording, or returns None when the draw makes no sense and
    another should be made; `state` is the first one of the seed, and is left as it is. `tasks` says how many are made
    from each wording.
    """

    name: str
    practice: tuple[str, ...]
    test: tuple[str, ...]
    fill: Callable[["Draws", S], Filled | None]
    kind: Kind = "calls"
    ordered: bool = False
    tasks: Mapping[Split, int] = field(default_factory=lambda: {"practice": 7, "test": 5})

    def wordings(self, split: Split) -> tuple[str, ...]:
        """Return the wordings of one split."""
        return self.practice if split == "practice" else self.test


class Draws:
    """What fills the places, drawn from the seed. `wording` is the text that is being filled."""

    def __init__(self, name: str, seed: int, split: Split) -> None:
        # The values to choose from come from the seed alone, the choice also from the split.
        self._pools = f"{name} pools {seed}"
        self.rng = random.Random(f"{name} {split} {seed}")  # noqa: S311 - a simulation, not a secret
        self.split = split
        self.wording = ""
        self._kinds: dict[str, Callable[[], Any]] = {}

    def open(self, kind: str, values: Sequence[V]) -> V:
        """Draw from many values, of which two in three of the test's never occur in practice.

        `values` must be the same each time that the same `kind` is drawn.
        """
        if kind not in self._kinds:
            self._kinds[kind] = self._open(kind, values)
        drawn: V = self._kinds[kind]()
        return drawn

    def closed(self, kind: str, values: Sequence[V]) -> V:
        """Draw from a few values, each equally often, all of them in both splits."""
        if kind not in self._kinds:
            turns = itertools.cycle(self.rng.sample(values, len(values)))
            self._kinds[kind] = lambda: next(turns)
        drawn: V = self._kinds[kind]()
        return drawn

    def _open(self, kind: str, values: Sequence[V]) -> Callable[[], V]:
        shuffled = random.Random(f"{self._pools} {kind}").sample(values, len(values))  # noqa: S311 - not a secret
        known = max(1, len(values) * 3 // 5)
        if self.split == "practice":
            return lambda: self.rng.choice(shuffled[:known])
        new, old = shuffled[known:] or shuffled, shuffled[: max(1, known // 2)]
        sides = itertools.cycle((new, new, old))
        return lambda: self.rng.choice(next(sides))


def tasks_of(
    name: str,
    templates: Sequence[Template[S]],
    first_state: Callable[[int], S],
    tools: Sequence[ToolFunction],
    seed: int,
    split: Split,
) -> list[Task]:
    """Return the split's tasks for `seed`, in rounds that hold every template once, as long as it has tasks left.

    Each was played before use: its gold calls are accepted in a fresh world, and in one that served all tasks before
    it, and do something there that no earlier task asked for.

    Raises:
        ValueError: a template cannot be filled so often; give it more to draw from.
    """
    draws, state = Draws(name, seed, split), first_state(seed)
    served, asked = World(name, seed, first_state, tools), set[str]()
    wordings = [
        (template, f"{template.name}-{split}-{number}", text)
        for template in templates
        for number, text in enumerate(template.wordings(split), 1)
    ]
    made = []
    for turn in range(1, max(template.tasks[split] for template in templates) + 1):
        left = [wording for wording in wordings if turn <= wording[0].tasks[split]]
        for template, label, text in draws.rng.sample(left, len(left)):
            draws.wording = text
            for filled in _tries(template, draws, state):
                slots = {place: said(value, draws.rng) for place, value in filled.slots.items()}
                query = with_articles(text.format(**slots))
                key = json.dumps([filled.calls or query], sort_keys=True)
                fresh = World(name, seed, first_state, tools)
                if key not in asked and _can_be_done(template, filled.calls, fresh, served):
                    break
            else:
                raise ValueError(f"{name}: template {label!r} finds no new task in {TRIES} drawings")
            asked.add(key)
            made.append(
                Task(
                    id=f"{name}-{seed}-{label}-{turn}",
                    template=label,
                    query=query,
                    calls=tuple(filled.calls),
                    slots=slots,
                    kind=template.kind,
                    ordered=template.ordered,
                    lookups=filled.lookups,
                )
            )
    return made


def nothing(draws: Draws, state: ServiceState) -> Filled:  # noqa: ARG001 - as every filler
    """Fill a request that has no places and needs no call."""
    return Filled({})


def all_pages(tool: ToolFunction, state: ServiceState, first: Call) -> list[Call]:
    """Return the calls that read a list to its end, of which `first` reads the first page."""
    calls = [first]
    while cursor := tool(state, **calls[-1].arguments)["next_cursor"]:
        calls.append(Call(first.name, {**first.arguments, "cursor": cursor}))
    return calls


def _tries(template: Template[S], draws: Draws, state: S) -> Iterator[Filled]:
    for _ in range(TRIES):
        filled = template.fill(draws, state)
        if filled is not None:
            yield filled


def _can_be_done(template: Template[Any], calls: Sequence[Call], fresh: World, served: World) -> bool:
    if template.kind != "calls":
        return not calls
    if not calls or any(fresh.call(*call).is_error for call in calls):
        return False
    # A server that has served all earlier tasks must accept this one too: practice is one long life.
    return served.all_or_none(calls)
