"""Every simulated server: its tasks can be solved, cannot be solved otherwise, and practice foretells none of them."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import checks
from servers import registry
from servers.schema import definition, description_of
from servers.tasks import Call, Split, Task, play, solved

Check = Callable[[], None]
ROOT = Path(__file__).parents[2]
NAMES = registry.worlds()
PAIRS = registry.pairs()
SPLITS: tuple[Split, ...] = ("practice", "test")
SEEDS = (0, 1, 2)
each_domain = pytest.mark.parametrize("name", [*NAMES, *PAIRS])
each_single = pytest.mark.parametrize("name", NAMES)


@cache
def tasks_in(name: str, seed: int, split: Split) -> tuple[Task, ...]:
    """The tasks of a server; of a pair only those that its parts do not have."""
    return tuple(checks.tasks_in(name, seed, split))


def both(name: str, seed: int) -> tuple[Task, ...]:
    return tasks_in(name, seed, "practice") + tasks_in(name, seed, "test")


@each_domain
@pytest.mark.parametrize("seed", SEEDS)
def test_gold_calls_solve_every_task(name: str, seed: int) -> None:
    domain = registry.load(name)
    for task in both(name, seed):
        assert solved(domain, seed, task, task.calls), task


@each_domain
def test_all_tasks_of_a_split_can_be_served_by_one_server_in_turn(name: str) -> None:
    for split in SPLITS:
        world = registry.load(name).world(1)
        for task in tasks_in(name, 1, split):
            for call in task.calls:
                result = world.call(*call)
                assert not result.is_error, (task, result.text)


@each_domain
def test_refused_calls_before_the_good_ones_do_no_harm(name: str) -> None:
    domain = registry.load(name)
    for task in tasks_in(name, 1, "test"):
        if task.calls:
            refused = Call(task.calls[0].name, {**task.calls[0].arguments, "surplus": 1})
            assert solved(domain, 1, task, (refused, *task.calls)), task


@each_domain
def test_mutated_calls_do_not_solve_a_task(name: str) -> None:
    domain = registry.load(name)
    tried, wrongly = Counter[str](), Counter[str]()
    examples: dict[str, Any] = {}
    for seed in SEEDS:
        tasks, surplus = both(name, seed), checks.changing(name, seed)
        rng = random.Random(seed)
        for task in tasks:
            for kind, calls in checks.mutants(task, tasks, surplus, rng, each=1):
                tried[kind] += 1
                if solved(domain, seed, task, calls):
                    wrongly[kind] += 1
                    examples.setdefault(kind, (task, calls))
    # The services of a pair share no state: what one does hardly ever depends on what the other did before.
    assert set(checks.KINDS) - ({"swapped order"} if name in PAIRS else set()) <= set(tried), tried
    assert all(count <= 0.01 * tried[kind] for kind, count in wrongly.items()), (wrongly, tried, examples)


@each_domain
def test_whoever_does_nothing_solves_less_than_15_percent(name: str) -> None:
    domain = registry.load(name)
    tasks = tasks_in(name, 0, "test")
    assert sum(solved(domain, 0, task, []) for task in tasks) < 0.15 * len(tasks)


@each_domain
def test_whoever_calls_every_tool_with_defaults_solves_less_than_5_percent(name: str) -> None:
    domain = registry.load(name)
    tasks = tasks_in(name, 0, "test")
    for which in ("required", "properties"):
        calls = checks.calls_by_default(domain, which)
        for order in (calls, calls[::-1]):
            assert sum(solved(domain, 0, task, order) for task in tasks) < 0.05 * len(tasks)
        alone = Counter(call.name for task in tasks for call in calls if solved(domain, 0, task, [call]))
        assert all(count < 0.07 * len(tasks) for count in alone.values()), alone


def test_definitions_are_as_good_and_as_bad_as_real_ones() -> None:
    functions = {name: registry.load(name).functions for name in NAMES}
    tools = [definition(function) for own in functions.values() for function in own]
    parameters = [schema for tool in tools for schema in tool["inputSchema"]["properties"].values()]
    undescribed = sum("description" not in schema for schema in parameters)
    assert 0.3 <= undescribed / len(parameters) <= 0.5
    assert 0 < sum("annotations" in tool for tool in tools) / len(tools) <= 0.08
    for name, own in functions.items():
        told = [description_of(function) for function in own]
        assert {one.words for one in told} == {"good", "terse", "misleading"}, name
        assert all(one.note for one in told if one.words == "misleading"), name


def test_the_ten_worlds_are_there() -> None:
    assert len(NAMES) == 10
    assert len({tool["name"] for name in NAMES for tool in registry.load(name).tools()}) >= 60
    assert sum(len(tasks_in(name, 0, "test")) for name in NAMES) >= 400
    assert {part for pair in PAIRS for part in pair.split("+")} == set(NAMES)


@each_single
def test_templates_are_many_and_of_every_kind(name: str) -> None:
    tools = {tool["name"] for tool in registry.load(name).tools()}
    for split in SPLITS:
        tasks = tasks_in(name, 0, split)
        assert len({task.template for task in tasks}) >= 10
        assert len(tasks) >= (40 if split == "test" else 100)
        assert {call.name for task in tasks for call in task.calls} == tools, "a tool that no task needs"
        kinds = {task.kind for task in tasks}
        assert kinds == {"calls", "no_tool", "forbidden"}
        sizes = [(len(task.calls), len({call.name for call in task.calls})) for task in tasks]
        assert any(calls == 1 for calls, _ in sizes), "no single call"
        assert any(calls > names for calls, names in sizes), "no tool is called twice"
        assert any(names > 1 for _, names in sizes), "no task needs two tools"
        assert any(task.ordered for task in tasks)


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_has_tasks_that_need_both(name: str) -> None:
    tools = [{tool["name"] for tool in registry.load(part).tools()} for part in name.split("+")]
    for split in SPLITS:
        tasks = tasks_in(name, 0, split)
        assert len({task.template for task in tasks}) >= 2
        for task in tasks:
            called = {call.name for call in task.calls}
            assert all(called & own for own in tools) or task.kind != "calls", task


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def masked(task: Task) -> str:
    query = task.query
    for word in sorted(task.slots.values(), key=len, reverse=True):
        query = query.replace(word, " ")
    return query


@each_domain
def test_no_practice_wording_is_near_a_test_wording(name: str) -> None:
    practice, test = ({words(masked(task)) for task in tasks_in(name, 2, split)} for split in SPLITS)
    for one in practice:
        for other in test:
            assert len(one & other) / len(one | other) < 0.6, (sorted(one), sorted(other))


@each_domain
def test_no_two_tasks_ask_for_the_same(name: str) -> None:
    tasks = both(name, 0)
    assert len({task.id for task in tasks}) == len(tasks)
    for split in SPLITS:
        called = [json.dumps(task.calls) for task in tasks_in(name, 0, split) if task.calls]
        assert len(set(called)) == len(called)


@each_domain
def test_queries_name_no_tool(name: str) -> None:
    tools = {tool["name"] for tool in registry.load(name).tools() if "_" in tool["name"]}
    for task in both(name, 2):
        assert not [tool for tool in tools if tool in task.query]


@each_single
@pytest.mark.parametrize("seed", SEEDS)
def test_half_of_the_open_test_values_never_occur_in_practice(name: str, seed: int) -> None:
    values: dict[str, dict[Split, set[str]]] = {}
    for split in SPLITS:
        for task in tasks_in(name, seed, split):
            for call in task.calls:
                for argument, value in call.arguments.items():
                    values.setdefault(argument, {"practice": set(), "test": set()})[split].add(json.dumps(value))
    many = {argument: found for argument, found in values.items() if len(found["test"]) >= 12}
    assert many
    for argument, found in many.items():
        assert len(found["test"] - found["practice"]) >= 0.5 * len(found["test"]), argument


@each_domain
def test_gold_calls_are_refused_where_other_conventions_hold(name: str) -> None:
    """What is learned on one seed is of no use on another: every task rests on what the seed drew."""
    domain = registry.load(name)
    accepted = made = 0
    for seed in range(4):
        for task in tasks_in(name, seed, "test"):
            if task.calls:
                world = domain.world(seed)
                world.drift(None, seed + 1)
                made += 1
                accepted += None not in play(world, task.calls).results
    assert accepted <= 0.02 * made, f"{accepted} of {made}"


@each_single
def test_each_convention_has_many_alternatives_and_none_prevails(name: str) -> None:
    drawn: dict[str, Counter[Any]] = {}
    for seed in range(120):
        forms = registry.load(name).first_state(seed).forms
        for kind, form in vars(forms).items():
            drawn.setdefault(kind, Counter())[form] += 1
    assert len(drawn) >= 3
    for kind, counts in drawn.items():
        assert len(counts) >= 8, kind
        assert max(counts.values()) <= 0.4 * 120, kind


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@each_domain
@settings(max_examples=60)
@given(data=st.data())
def test_whatever_a_model_sends_is_answered_and_a_refusal_changes_nothing(name: str, data: st.DataObject) -> None:
    domain = registry.load(name)
    golds = [call for task in both(name, 0) for call in task.calls]
    gold = data.draw(st.sampled_from(golds))
    # Sound arguments but for one or two: that is how a tool gets half way before it refuses.
    others = data.draw(
        st.dictionaries(st.sampled_from(sorted(gold.arguments) or ["x"]) | st.text(max_size=5), json_values, max_size=2)
    )
    world = domain.world(0)
    before = world.digest()
    result = world.call(data.draw(st.sampled_from([gold.name, gold.name, "nonsense"])), {**gold.arguments, **others})
    assert result.text
    assert len(result.text.splitlines()) == 1
    if result.is_error:
        assert world.digest() == before
    else:
        assert json.loads(result.text) == result.structured


def test_the_same_seed_and_calls_give_the_same_bytes_in_every_process() -> None:
    script = (
        "from servers import registry\n"
        "for name in [*registry.worlds(), *registry.pairs()]:\n"
        "    domain = registry.load(name)\n"
        "    world = domain.world(11)\n"
        "    print(domain.tools())\n"
        "    for split in ('practice', 'test'):\n"
        "        for task in domain.tasks(11, split):\n"
        "            print(task)\n"
        "            print([world.call(*call).text for call in task.calls])\n"
        "    print(world.digest().content)\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=250,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) > 300 * len(NAMES)


@each_domain
def test_worlds_of_different_seeds_differ_and_use_no_randomness_but_their_own(name: str) -> None:
    domain = registry.load(name)
    random.seed(1)
    digests = {domain.world(seed).digest() for seed in range(20)}
    random.seed(2)
    assert len(digests) == 20
    registry.load(name).first_state(3)
    assert domain.world(3).digest() in digests


@each_domain
def test_reset_undoes_everything_and_the_diff_says_what_was_done(name: str) -> None:
    domain = registry.load(name)
    world = domain.world(1)
    first = world.digest()
    for task in tasks_in(name, 1, "test"):
        for call in task.calls:
            world.call(*call)
    assert first.diff(world.digest())
    world.reset()
    assert world.digest() == first
    assert not first.diff(world.digest())
