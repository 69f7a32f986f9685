"""The weather tasks: not solvable by what anybody tries first, nor by what another seed taught."""

import datetime
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from servers import registry
from servers.forms import MONTHS
from servers.smart_home.world import ROOMS
from servers.smart_home.world import first_state as first_home
from servers.tasks import Call, Kind, Task, solved
from servers.weather.tasks import TEMPLATES
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, first_state

WEATHER = registry.load("weather")
SEEDS = range(5)


def singles(tasks: Sequence[Task]) -> list[Task]:
    return [task for task in tasks if len(task.calls) == 1]


def test_splits_are_large_balanced_and_of_distinct_tasks() -> None:
    practice, test = WEATHER.tasks(0, "practice"), WEATHER.tasks(0, "test")
    assert len(practice) >= 200
    assert len(test) == 100
    assert set(Counter(task.template for task in singles(test)).values()) == {4}
    assert {task.calls[0].name for task in singles(test)} == {tool["name"] for tool in WEATHER.tools()}
    # Every prefix of whole rounds holds every template equally often: a shorter practice is still a fair one.
    wordings = len({task.template for task in practice})
    assert len({task.template for task in practice[:wordings]}) == wordings


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_arguments_do_not_solve_a_task(seed: int) -> None:
    """ISO dates, 24-hour times and names as they are said, in any case."""
    state = first_state(seed)
    codes = {
        getattr(state.forms, kind).write(name): name
        for kind, names in {
            "station": state.stations,
            "units": UNITS,
            "severity": SEVERITIES,
            "hazard": HAZARDS,
            "model": MODELS,
        }.items()
        for name in names
    }
    day = datetime.timedelta(days=1)
    codes |= {
        state.forms.date.write(state.today + n * day): (state.today + n * day).isoformat() for n in range(-730, 731)
    }
    tasks = singles(WEATHER.tasks(seed, "test"))
    naive = 0
    for task in tasks:
        name, arguments = task.calls[0]
        plain = {key: codes.get(value, value) for key, value in arguments.items()}
        lowered = {key: value.lower() if isinstance(value, str) else value for key, value in plain.items()}
        as_said = {key: value if key == "value" else task.slots[key] for key, value in arguments.items()}
        naive += any(solved(WEATHER, seed, task, [(name, each)]) for each in (plain, lowered, as_said))
    assert naive == 0


def test_no_constant_call_solves_more_than_a_few_tasks() -> None:
    for seed in SEEDS:
        tasks = singles(WEATHER.tasks(seed, "test"))
        calls = Counter(str(task.calls) for task in tasks)
        assert max(calls.values()) <= 0.03 * len(tasks)


def test_every_test_task_rests_on_two_conventions_or_more() -> None:
    kinds = {"other_station": "station", "start": "date", "end": "date"}
    for task in singles(WEATHER.tasks(0, "test")):
        used = {kinds.get(name, name) for name in task.calls[0].arguments} - {"value"}
        assert len(used) >= 2, task


def test_calls_of_one_seed_solve_next_to_nothing_in_another() -> None:
    for seed in SEEDS:
        other = {task.template: task for task in WEATHER.tasks(seed + 1, "test")}
        forms = first_state(seed + 1).forms
        for task in singles(WEATHER.tasks(seed, "test")):
            assert not solved(WEATHER, seed, task, other[task.template].calls)
            name, arguments = task.calls[0]
            if "station" in task.slots:
                foreign = {**arguments, "station": forms.station.write(task.slots["station"])}
                assert not solved(WEATHER, seed, task, [(name, foreign)])


def test_queries_name_no_code() -> None:
    for task in WEATHER.tasks(2, "test"):
        codes = [value for call in task.calls for key, value in call.arguments.items() if key != "value"]
        assert not [code for code in codes if code in task.query], task


def test_requests_say_days_in_several_ways() -> None:
    days = [task.slots["date"] for task in WEATHER.tasks(0, "test") if "date" in task.slots]
    ways = {re.sub(r"\d+", "1", re.sub("|".join(MONTHS), "M", day)) for day in days}
    assert {"1 M 1", "M 1, 1"} <= ways
    assert len(ways) >= 4


def test_every_tool_has_wordings_of_its_own_in_both_splits() -> None:
    assert {template.name for template in TEMPLATES} >= {tool["name"] for tool in WEATHER.tools()}
    every = [text for template in TEMPLATES for text in (*template.practice, *template.test)]
    assert len(set(every)) == len(every)


def turned(to: str) -> Call:
    forms = registry.load("smart_home").first_state(0).forms
    arguments = {"room": forms.room.write("Pantry"), "until": forms.time.write(datetime.time(20))}
    return Call("set_temperature", {**arguments, "celsius": float(to)})


def one_task(calls: Sequence[Call], kind: Kind = "calls") -> Task:
    return Task("warm", "warm", "Warm the pantry.", tuple(calls), {}, kind)


def test_what_a_later_call_covers_up_has_happened() -> None:
    home = registry.load("smart_home")
    assert solved(home, 0, one_task([turned("21")]), [turned("21"), turned("21")])  # refused: it is so already
    assert not solved(home, 0, one_task([turned("21")]), [turned("25"), turned("21")])
    assert solved(home, 0, one_task([turned("25"), turned("21")]), [turned("21")])


def test_what_may_not_be_done_may_not_be_done_and_undone_either() -> None:
    home = registry.load("smart_home")
    forbidden = one_task([], "forbidden")
    state = first_home(0)
    name, device = next((name, one) for name, one in state.devices.items() if not one.restricted)
    there = [
        Call("move_device", {"device": state.forms.device.write(name), "room": state.forms.room.write(room)})
        for room in (next(room for room in ROOMS if room != device.room), device.room)
    ]
    world = home.world(0)
    before = world.digest()
    assert not any(world.call(*call).is_error for call in there)
    assert world.digest() == before
    assert not solved(home, 0, forbidden, there)
    assert solved(home, 0, forbidden, [])
