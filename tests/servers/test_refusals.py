"""Refusals tell a careful caller enough: one that is told the tool and what the request means, tries, reads the
response, and never sees a gold call."""

import datetime
import re
from collections.abc import Sequence
from typing import Any

import pytest

from servers import registry
from servers.forms import MONTHS, Codebook, date_forms, name_forms, time_forms
from servers.tasks import Call, Split, Task, solved
from servers.weather.world import HAZARDS, MARKS, MODELS, SEVERITIES, UNITS, first_state
from servers.world import World

WEATHER = registry.load("weather")
SCHEMAS = {tool["name"]: tool["inputSchema"] for tool in WEATHER.tools()}
KINDS = {"other_station": "station", "start": "date", "end": "date"}
NAMES = {"units": UNITS, "severity": SEVERITIES, "hazard": HAZARDS, "model": MODELS}
TRIES = 6


class CarefulCaller:
    """Knows the families of forms, and narrows each down by what refusals show."""

    def __init__(self) -> None:
        self.forms: dict[str, Any] = {}

    def attempt(self, world: World, task: Task, meant: dict[str, Any]) -> list[Call]:
        name = task.calls[0].name
        given = list(SCHEMAS[name]["required"])
        calls = []
        for _ in range(TRIES):
            calls.append(Call(name, {argument: self._written(argument, meant[argument]) for argument in given}))
            result = world.call(*calls[-1])
            if not result.is_error:
                break
            if missing := re.search(r"missing argument '(\w+)'", result.text):
                given.append(missing[1])
            else:
                self._learn(result.text)
        return calls

    def _written(self, argument: str, value: Any) -> Any:
        form = self.forms.get(KINDS.get(argument, argument))
        if isinstance(value, float):
            return value
        return form.write(value) if form else str(value)

    def _learn(self, text: str) -> None:
        kind = KINDS.get(text.split()[0], text.split()[0])
        if shown := re.search(r"for example, (.+) is '(.+)'\.$", text):
            family: Sequence[Any] = {"date": date_forms(), "time": time_forms()}.get(kind) or name_forms(MARKS[kind])
            self.forms[kind] = next(form for form in family if form.write(_value(kind, shown[1])) == shown[2])
        elif "use one of" in text:
            codes = re.findall(r"'([^']+)'", text.partition("use one of")[2])
            self.forms[kind] = next(
                form for form in name_forms(MARKS[kind]) if [form.write(name) for name in NAMES[kind]] == codes
            )


def _value(kind: str, said: str) -> Any:
    if kind == "date":
        day, month, year = said.split()
        return datetime.date(int(year), MONTHS.index(month) + 1, int(day))
    return datetime.time(9, 41) if kind == "time" else said


def meaning(seed: int, task: Task) -> dict[str, Any]:
    """Return what each argument of the task means, as any reader of the request would understand it."""
    state = first_state(seed)
    meant = {}
    for argument, value in task.calls[0].arguments.items():
        kind = KINDS.get(argument, argument)
        book: Codebook[Any] | None = None if kind == "value" else getattr(state, kind)()
        meant[argument] = book.written[value] if book else value
    return meant


def tasks(seed: int, split: Split) -> list[Task]:
    """Return the tasks of one call: who makes several needs no other words."""
    return [task for task in WEATHER.tasks(seed, split) if len(task.calls) == 1]


@pytest.mark.parametrize("seed", range(10))
def test_practice_on_refusals_alone_teaches_every_convention(seed: int) -> None:
    caller = CarefulCaller()
    world = WEATHER.world(seed)
    for task in tasks(seed, "practice"):
        caller.attempt(world, task, meaning(seed, task))
    state = first_state(seed)
    assert caller.forms == {kind: getattr(state.forms, kind) for kind in caller.forms}
    assert set(caller.forms) == {"station", "units", "severity", "hazard", "model", "date", "time"}


@pytest.mark.parametrize("seed", range(3))
def test_only_the_silent_default_escapes_a_careful_caller(seed: int) -> None:
    caller = CarefulCaller()
    world = WEATHER.world(seed)
    for task in tasks(seed, "practice"):
        caller.attempt(world, task, meaning(seed, task))
    for task in tasks(seed, "test"):
        calls = caller.attempt(WEATHER.world(seed), task, meaning(seed, task))
        assert solved(WEATHER, seed, task, calls) is (task.calls[0].name != "compare_stations"), calls


@pytest.mark.parametrize("seed", range(3))
def test_a_first_attempt_succeeds_by_refusals_wherever_they_help(seed: int) -> None:
    """Where nothing is told (a hazard to cancel, a bulletin's time), other tools have to be tried first."""
    failed = set()
    for task in tasks(seed, "practice"):
        calls = CarefulCaller().attempt(WEATHER.world(seed), task, meaning(seed, task))
        if not solved(WEATHER, seed, task, calls):
            failed.add(task.calls[0].name)
    assert failed == {"cancel_subscription", "request_bulletin", "compare_stations"}
