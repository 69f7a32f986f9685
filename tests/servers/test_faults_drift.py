"""Faults that last: a service whose definitions or conventions become others, from some call on."""

import dataclasses
import json
import types
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servers import registry
from servers.errors import FaultPlanError
from servers.faults import Faulty, Plan
from servers.faults.drift import CHANGES, ConventionDrift, SchemaDrift
from servers.faults.fault import Fault
from servers.faults.service import Failure
from servers.schema import definition
from servers.service import ServiceState
from servers.tasks import Call
from servers.weather.world import first_state
from servers.world import World

WEATHER = registry.load("weather")
SEED = 11
TOOL = "daily_forecast"  # with an argument that may be left out


def gold(tool: str = TOOL) -> Call:
    alone = (task.calls[0] for task in WEATHER.tasks(SEED, "test") if len(task.calls) == 1)
    return next(call for call in alone if call.name == tool)


def faulty(*faults: Fault, seed: int = SEED, world: World | None = None) -> Faulty:
    return Faulty(world or WEATHER.world(SEED), Plan(faults), seed)


def drifted(change: str, tool: str = TOOL, seed: int = SEED) -> Faulty:
    return faulty(SchemaDrift(tools=(tool,), changes=(change,)), seed=seed)


def named(served: Faulty, name: str) -> dict[str, Any]:
    return next(tool for tool in served.tools if tool["name"] == name)


def original(name: str = TOOL) -> dict[str, Any]:
    return next(tool for tool in WEATHER.tools() if tool["name"] == name)


PLAIN = WEATHER.world(SEED).call(*gold())


@pytest.mark.parametrize("seed", range(5))
def test_a_renamed_argument_is_wanted_by_its_new_name(seed: int) -> None:
    served = drifted("argument_renamed", seed=seed)
    schema = named(served, TOOL)["inputSchema"]
    before = original()["inputSchema"]
    [old] = set(before["properties"]) - set(schema["properties"])
    [new] = set(schema["properties"]) - set(before["properties"])
    assert list(schema["properties"].values()) == list(before["properties"].values())
    assert (new in schema["required"]) == (old in before["required"])
    refused = served.call(*gold())
    assert refused.is_error
    assert repr(new) in refused.text or f", {new}" in refused.text or f" {new}," in refused.text
    arguments = {new if name == old else name: value for name, value in gold().arguments.items()}
    assert served.call(TOOL, arguments) == PLAIN


def test_an_argument_that_could_be_left_out_is_asked_for() -> None:
    tool = "compare_stations"
    served = drifted("argument_required", tool)
    assert named(served, tool)["inputSchema"]["required"] == ["station", "other_station", "units"]
    refused = served.call(tool, {"station": "a", "other_station": "b"})
    assert refused.is_error
    assert "missing argument 'units'" in refused.text


def test_where_none_could_be_left_out_there_is_a_new_one_that_the_world_does_not_see() -> None:
    tool = "subscribe_alert"
    served = drifted("argument_required", tool)
    *_, new = named(served, tool)["inputSchema"]["required"]
    assert new not in original(tool)["inputSchema"]["properties"]
    assert f"missing argument {new!r}" in served.call(*gold(tool)).text
    answer = served.call(tool, {**gold(tool).arguments, new: "x"})
    assert answer == WEATHER.world(SEED).call(*gold(tool))
    assert not answer.is_error


def test_a_renamed_tool_is_unknown_by_its_old_name() -> None:
    served = drifted("tool_renamed")
    [new] = {tool["name"] for tool in served.tools} - {tool["name"] for tool in WEATHER.tools()}
    assert {**named(served, new), "name": TOOL} == original()
    gone = served.call(*gold())
    assert gone.protocol_error == -32602
    assert gone.text.startswith(f"Unknown tool: '{TOOL}'; the tools are ")
    assert new in gone.text
    assert served.call(new, gold().arguments) == PLAIN


def test_a_removed_tool_is_unknown() -> None:
    served = drifted("tool_removed")
    assert served.tools == [tool for tool in WEATHER.tools() if tool["name"] != TOOL]
    assert served.call(*gold()).protocol_error == -32602


def test_another_description_changes_nothing_else() -> None:
    served = drifted("description_changed")
    changed, before = named(served, TOOL), original()
    assert changed["description"] != before["description"]
    assert [*changed["inputSchema"]["properties"]] == [*before["inputSchema"]["properties"]]
    assert served.call(*gold()) == PLAIN


@pytest.mark.parametrize("change", CHANGES)
def test_the_worlds_own_definitions_stay_as_they_are(change: str) -> None:
    before = json.dumps(WEATHER.tools())
    served = faulty(SchemaDrift(changes=(change,), count=99))
    assert json.dumps(served.tools) != before
    assert json.dumps(WEATHER.tools()) == before


@pytest.mark.parametrize("change", CHANGES)
def test_the_tools_that_did_not_change_work_on(change: str) -> None:
    served = drifted(change)
    assert served.call(*gold("tide_times")) == WEATHER.world(SEED).call(*gold("tide_times"))


def test_definitions_change_after_the_call_that_was_named() -> None:
    served = faulty(SchemaDrift(after=2, changes=("tool_removed",), tools=(TOOL,)))
    for _ in range(2):
        assert list(served.tools) == WEATHER.tools()
        assert served.call(*gold()) == PLAIN
    # Before the next call, so that a host can tell its clients.
    assert named_tools(served) == named_tools(drifted("tool_removed"))
    assert served.call(*gold()).protocol_error == -32602


def named_tools(served: Faulty) -> list[str]:
    return [tool["name"] for tool in served.tools]


def test_without_names_the_seed_draws_as_many_tools_as_were_asked_for() -> None:
    drawn = set()
    for seed in range(40):
        served = faulty(SchemaDrift(count=2, changes=("description_changed",)), seed=seed)
        changed = {tool["name"] for tool in served.tools} - {t["name"] for t in served.tools if t in WEATHER.tools()}
        assert len(changed) == 2
        drawn |= changed
    assert drawn == {tool["name"] for tool in WEATHER.tools()}


def test_the_seed_draws_each_change() -> None:
    seen = {json.dumps(faulty(SchemaDrift(tools=(TOOL,)), seed=seed).tools) for seed in range(60)}
    assert len(seen) >= 8


def test_a_call_by_a_new_name_is_still_one_of_the_tool_that_faults_are_limited_to() -> None:
    served = faulty(
        SchemaDrift(tools=(TOOL,), changes=("tool_renamed",)), Failure(rate=1.0, protocol=0.0, tools=(TOOL,))
    )
    [new] = set(named_tools(served)) - {tool["name"] for tool in WEATHER.tools()}
    assert served.call(new, gold().arguments).text != PLAIN.text
    assert not served.call(*gold("tide_times")).is_error


@settings(max_examples=60)
@given(st.integers(), st.lists(st.integers(1, 10), min_size=1, max_size=6))
def test_however_often_a_service_drifts_its_definitions_are_good_and_answer(seed: int, counts: list[int]) -> None:
    served = faulty(*(SchemaDrift(count=count) for count in counts), seed=seed)
    names = named_tools(served)
    assert len(set(names)) == len(names)
    for tool in served.tools:
        schema = tool["inputSchema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert set(schema["required"]) <= set(schema["properties"])
        # Everything given by the name that is shown reaches the world, which then refuses the values, not the names.
        answer = served.call(tool["name"], {name: _some(kind) for name, kind in schema["properties"].items()})
        assert answer.protocol_error is None
        assert "this tool takes" not in answer.text
        missing = served.call(tool["name"], {})
        assert all(repr(name) in missing.text for name in schema["required"])


def _some(schema: dict[str, Any]) -> Any:
    return 1 if schema["type"] == "number" else "?"


def test_a_tool_without_arguments_can_drift_too() -> None:
    def ping(state: ServiceState) -> dict[str, Any]:
        """Return nothing."""
        return {}

    for change in CHANGES:
        served = faulty(SchemaDrift(changes=(change,)), world=World("ping", 0, first_state, [ping]))
        assert (served.tools == [definition(ping)]) is (change == "argument_renamed")


def test_a_new_name_is_no_other_tools() -> None:
    def run(state: ServiceState) -> dict[str, Any]:
        """Return nothing."""
        return {}

    functions = [run]
    for name in ("run_v2", "toy_run", "run_beta", "do_run"):
        functions.append(types.FunctionType(run.__code__, {}, name))
        functions[-1].__annotations__ = {"state": ServiceState}
    served = faulty(
        SchemaDrift(tools=("run",), changes=("tool_renamed",)), world=World("toy", 0, first_state, functions)
    )
    assert len(set(named_tools(served)) - {function.__name__ for function in functions}) == 1
    assert len(set(named_tools(served))) == 5


@dataclasses.dataclass(frozen=True)
class TwoForms:
    polite: bool


def two_forms(seed: int) -> ServiceState:
    return ServiceState(seed=seed, forms=TwoForms(seed % 2 == 0), now=first_state(seed).now)


def test_a_drift_is_to_another_form_even_where_there_are_two() -> None:
    for seed in range(20):
        world = World("toy", 0, two_forms, [])
        faulty(ConventionDrift(), world=world, seed=seed)
        assert world._state.forms == TwoForms(False)


def test_conventions_drift_after_the_call_that_was_named() -> None:
    world = WEATHER.world(SEED)
    served = faulty(ConventionDrift(kinds=("station",), after=3), world=world)
    before = world.digest()
    assert [served.call(*gold("tide_times")).is_error for _ in range(6)] == [False] * 3 + [True] * 3
    assert "station" in served.call(*gold("tide_times")).text
    assert world.digest() == before, "what the world holds is as it was, it is only written otherwise"


def test_only_the_kinds_that_were_named_drift() -> None:
    hazard = faulty(ConventionDrift(kinds=("hazard",)))
    assert not hazard.call(*gold("tide_times")).is_error
    assert "hazard" in hazard.call(*gold("subscribe_alert")).text


def test_refusals_teach_the_new_form() -> None:
    served = faulty(ConventionDrift(kinds=("station",)))
    shown = served.call(*gold("tide_times")).text
    old = WEATHER.world(SEED).call("tide_times", {**gold("tide_times").arguments, "station": "?"}).text
    assert shown.rpartition(" is ")[2] != old.rpartition(" is ")[2]
    assert shown.rpartition(", ")[2].partition(" is ")[0] == old.rpartition(", ")[2].partition(" is ")[0]


@pytest.mark.parametrize("seed", range(8))
def test_without_names_the_seed_draws_as_many_kinds_as_were_asked_for(seed: int) -> None:
    for count in (1, 3, 99):
        world, served_world = WEATHER.world(seed), WEATHER.world(seed)
        faulty(ConventionDrift(count=count), world=served_world, seed=seed)
        before, after = vars(world._state.forms), vars(served_world._state.forms)
        assert sum(before[kind] != after[kind] for kind in before) == min(count, 7)


def test_a_kind_that_the_world_does_not_have_is_named() -> None:
    with pytest.raises(
        FaultPlanError, match=r"convention_drift is for the kind 'dates', which is not there; .*: station"
    ):
        faulty(ConventionDrift(kinds=("dates",)))


def test_what_is_written_in_the_new_form_is_served() -> None:
    world = WEATHER.world(SEED)
    served = faulty(ConventionDrift(kinds=("station",)), world=world)
    station = world._state.forms.station.write(first_state(SEED).stations[5])
    assert not served.call("tide_times", {**gold("tide_times").arguments, "station": station}).is_error
