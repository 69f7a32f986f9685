"""The weather tasks: solvable, not solvable otherwise, and no test task foreseen by practice."""

import datetime
import random
import re
from collections import Counter
from collections.abc import Iterable

import pytest

from servers import registry
from servers.forms import MONTHS
from servers.tasks import Call, Task, solved
from servers.weather.tasks import TEMPLATES
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, first_state

WEATHER = registry.load("weather")
SEEDS = range(5)
READING = {
    "current_conditions",
    "daily_forecast",
    "climate_history",
    "tide_times",
    "list_alerts",
    "compare_stations",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_gold_calls_solve_every_task(seed: int) -> None:
    for task in (*WEATHER.tasks(seed, "practice"), *WEATHER.tasks(seed, "test")):
        assert solved(WEATHER, seed, task, task.calls), task


@pytest.mark.parametrize("seed", SEEDS)
def test_all_practice_tasks_can_be_served_by_one_server_in_turn(seed: int) -> None:
    world = WEATHER.world(seed)
    for task in WEATHER.tasks(seed, "practice"):
        assert not world.call(*task.calls[0]).is_error, task


def test_refused_calls_before_the_good_one_do_no_harm() -> None:
    for task in WEATHER.tasks(1, "test"):
        refused = Call(task.calls[0].name, {**task.calls[0].arguments, "surplus": 1})
        assert solved(WEATHER, 1, task, (refused, *task.calls))


def test_splits_are_large_balanced_and_of_distinct_tasks() -> None:
    practice, test = WEATHER.tasks(0, "practice"), WEATHER.tasks(0, "test")
    assert len(practice) >= 200
    assert len(test) == 100
    assert set(Counter(task.template for task in test).values()) == {5}
    assert len({task.template for task in test}) == 20
    assert len({task.template for task in practice}) >= 20
    assert len({task.id for task in (*practice, *test)}) == len(practice) + len(test)
    # Every prefix of whole rounds holds every template equally often: a shorter practice is still a fair one.
    assert len({task.template for task in practice[:30]}) == 30
    assert {task.calls[0].name for task in test} == {tool["name"] for tool in WEATHER.tools()}


def mutations(task: Task, others: list[Task], rng: random.Random) -> Iterable[tuple[str, list[Call]]]:
    gold = task.calls[0]
    dropped = rng.choice(list(gold.arguments))
    yield "dropped argument", [Call(gold.name, {k: v for k, v in gold.arguments.items() if k != dropped})]
    changed = rng.choice(list(gold.arguments))
    value = rng.choice(
        [
            other.calls[0].arguments[changed]
            for other in others
            if other.calls[0].arguments.get(changed, gold.arguments[changed]) != gold.arguments[changed]
        ]
    )
    yield "wrong value", [Call(gold.name, {**gold.arguments, changed: value})]
    yield "wrong tool", [rng.choice([other for other in others if other.calls[0].name != gold.name]).calls[0]]
    surplus = rng.choice([other for other in others if other.calls[0].name not in READING and other is not task])
    yield "surplus call", [gold, surplus.calls[0]]
    yield "nothing", []


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_calls_do_not_solve_a_task(seed: int) -> None:
    rng = random.Random(seed)
    wrongly: Counter[str] = Counter()
    tasks = WEATHER.tasks(seed, "test")
    for task in tasks:
        for kind, calls in mutations(task, tasks, rng):
            wrongly[kind] += solved(WEATHER, seed, task, calls)
    assert all(count <= 0.01 * len(tasks) for count in wrongly.values()), wrongly


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
    tasks = WEATHER.tasks(seed, "test")
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
        tasks = WEATHER.tasks(seed, "test")
        calls = Counter(str(task.calls) for task in tasks)
        assert max(calls.values()) <= 0.03 * len(tasks)


def test_every_test_task_rests_on_two_conventions_or_more() -> None:
    kinds = {"other_station": "station", "start": "date", "end": "date"}
    for task in WEATHER.tasks(0, "test"):
        used = {kinds.get(name, name) for name in task.calls[0].arguments} - {"value"}
        assert len(used) >= 2, task


def test_calls_of_one_seed_solve_next_to_nothing_in_another() -> None:
    for seed in SEEDS:
        other = {task.template: task for task in WEATHER.tasks(seed + 1, "test")}
        forms = first_state(seed + 1).forms
        for task in WEATHER.tasks(seed, "test"):
            assert not solved(WEATHER, seed, task, other[task.template].calls)
            name, arguments = task.calls[0]
            if "station" in task.slots:
                foreign = {**arguments, "station": forms.station.write(task.slots["station"])}
                assert not solved(WEATHER, seed, task, [(name, foreign)])


def masked(task: Task) -> str:
    query = task.query
    for word in sorted(task.slots.values(), key=len, reverse=True):
        query = query.replace(word, " ")
    return query


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def test_no_practice_wording_is_near_a_test_wording() -> None:
    practice = {words(masked(task)) for task in WEATHER.tasks(3, "practice")}
    test = {words(masked(task)) for task in WEATHER.tasks(3, "test")}
    assert (len(practice), len(test)) == (30, 20)
    assert max(len(one & other) / len(one | other) for one in practice for other in test) < 0.6


def test_queries_name_no_tool_and_no_code() -> None:
    tools = {tool["name"] for tool in WEATHER.tools()}
    for task in WEATHER.tasks(2, "test"):
        assert not [tool for tool in tools if tool in task.query]
        codes = [value for key, value in task.calls[0].arguments.items() if key != "value"]
        assert not [code for code in codes if code in task.query], task


@pytest.mark.parametrize("seed", SEEDS)
def test_half_of_the_open_test_values_never_occur_in_practice(seed: int) -> None:
    kinds = {"other_station": "station", "start": "past", "end": "past"}

    def values(split: str) -> dict[str, list[object]]:
        found: dict[str, list[object]] = {}
        for task in WEATHER.tasks(seed, "practice" if split == "practice" else "test"):
            for name, value in task.calls[0].arguments.items():
                found.setdefault(kinds.get(name, name), []).append(value)
        return found

    practice, test = values("practice"), values("test")
    for kind in ("station", "date", "past", "time", "value"):
        new = [value for value in test[kind] if value not in practice[kind]]
        assert len(new) >= 0.5 * len(test[kind]), kind
        assert len(set(new)) >= 0.5 * len(set(test[kind])), kind
    for kind in ("units", "severity", "hazard", "model"):
        assert set(test[kind]) <= set(practice[kind])


def test_requests_say_days_in_several_ways() -> None:
    days = [task.slots["date"] for task in WEATHER.tasks(0, "test") if "date" in task.slots]
    ways = {re.sub(r"\d+", "1", re.sub("|".join(MONTHS), "M", day)) for day in days}
    assert {"1 M 1", "M 1, 1"} <= ways
    assert len(ways) >= 4


def test_every_tool_has_wordings_of_its_own_in_both_splits() -> None:
    assert {template.name for template in TEMPLATES} >= {tool["name"] for tool in WEATHER.tools()}
    every = [text for template in TEMPLATES for text in (*template.practice, *template.test)]
    assert len(set(every)) == len(every)
