"""The weather service: what its tools do, refuse and keep to themselves."""

import dataclasses
import datetime
import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servers import registry
from servers.errors import UnknownWorldError
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, first_state

WEATHER = registry.load("weather")
SEED = 11
NOON = datetime.time(12, 0)


def written(kind: str, name: str) -> str:
    code: str = getattr(first_state(SEED).forms, kind).write(name)
    return code


def station(number: int = 5) -> str:
    return written("station", first_state(SEED).stations[number])


def test_an_unknown_world_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownWorldError, match=r"'wether'; there are: .*weather"):
        registry.load("wether")


def test_definitions_hold_no_convention_and_are_the_same_for_every_seed() -> None:
    text = json.dumps(WEATHER.tools())
    for seed in range(20):
        assert json.dumps(WEATHER.world(seed).tools) == text
        state = first_state(seed)
        for kind, names in {"station": state.stations, "units": UNITS, "hazard": HAZARDS, "model": MODELS}.items():
            form = getattr(state.forms, kind)
            assert not [name for name in names if form.write(name) in text]
        assert not [name for name in SEVERITIES if state.forms.severity.write(name) in text]
        assert state.forms.date.write(state.today) not in text


def test_every_tool_and_argument_is_described() -> None:
    assert len(WEATHER.tools()) >= 8
    for tool in WEATHER.tools():
        assert tool["description"]
        assert all("description" in argument for argument in tool["inputSchema"]["properties"].values())


def test_a_comparison_without_the_optional_unit_is_answered_in_the_legacy_one() -> None:
    world = WEATHER.world(SEED)
    stations = {"station": station(), "other_station": station(6)}
    silent = world.call("compare_stations", stations)
    asked = world.call("compare_stations", stations | {"units": written("units", "Kelvin")})
    assert silent.structured is not None
    assert asked.structured is not None
    assert silent.structured["unit"] == "tenths of a kelvin"
    assert silent.structured["difference"] == pytest.approx(10 * asked.structured["difference"], abs=1)


def test_elsewhere_an_optional_argument_that_matters_is_asked_for() -> None:
    state = first_state(SEED)
    day = state.forms.date.write(state.today)
    for tool, arguments, missing in (
        ("daily_forecast", {"station": station(), "date": day}, "missing argument 'model'"),
        ("current_conditions", {"station": station()}, "missing argument 'units'"),
    ):
        refused = WEATHER.world(SEED).call(tool, arguments)
        assert refused.is_error
        assert missing in refused.text


def test_refusals_show_an_example_or_the_choices_or_only_the_argument() -> None:
    world = WEATHER.world(SEED)
    state = first_state(SEED)
    assert (
        world.call("tide_times", {"station": "Nowhere", "date": "x"}).text
        == f"station 'Nowhere' is not valid; for example, {state.stations[0]} is {station(0)!r}."
    )
    stations = {"station": station(), "other_station": station(6)}
    choices = world.call("compare_stations", stations | {"units": "Celsius"}).text
    assert all(repr(written("units", name)) in choices for name in UNITS)
    assert world.call("compare_stations", stations | {"other_station": "x"}).text == "other_station 'x' is not valid."


def test_every_kind_of_argument_has_a_tool_whose_refusal_helps() -> None:
    world = WEATHER.world(SEED)
    state = first_state(SEED)
    day = state.forms.date.write(state.today)
    helpful: dict[str, tuple[str, dict[str, Any]]] = {
        "station": ("current_conditions", {"station": "?"}),
        "date": ("daily_forecast", {"station": station(), "date": "?"}),
        "units": ("current_conditions", {"station": station(), "units": "?"}),
        "model": ("request_bulletin", {"model": "?", "date": day, "time": "?"}),
        "severity": ("list_alerts", {"severity": "?", "date": day}),
        "hazard": ("subscribe_alert", {"station": station(), "hazard": "?", "severity": "?"}),
        "time": (
            "report_observation",
            {"station": station(), "value": 1, "units": written("units", "Celsius"), "time": "?"},
        ),
    }
    assert set(helpful) == {field.name for field in dataclasses.fields(state.forms)}
    for argument, (tool, arguments) in helpful.items():
        refused = world.call(tool, arguments)
        assert refused.is_error
        assert refused.text.startswith(f"{argument} '?' is not valid")
        assert not refused.text.endswith("valid.")


def test_subscribing_and_cancelling_change_the_state_and_reset_undoes_it() -> None:
    world = WEATHER.world(SEED)
    first = world.digest()
    place = first_state(SEED).stations[5]
    hazard = next(hazard for hazard in HAZARDS if hazard not in first_state(SEED).subscriptions[place])
    arguments = {"station": station(), "hazard": written("hazard", hazard)}
    severe = {"severity": written("severity", "severe")}
    assert not world.call("subscribe_alert", arguments | severe).is_error
    assert world.digest() != first
    assert not world.call("cancel_subscription", arguments).is_error
    assert world.digest() == first
    assert world.call("cancel_subscription", arguments).is_error
    world.call("subscribe_alert", arguments | severe)
    world.reset()
    assert world.digest() == first


def test_what_was_done_is_not_done_twice() -> None:
    """A caller that repeats a remembered call in place of the one asked for is told so."""
    world = WEATHER.world(SEED)
    changing = {"subscribe_alert", "cancel_subscription", "report_observation", "request_bulletin"}
    for task in WEATHER.tasks(SEED, "test")[:20]:
        name, arguments = task.calls[0]
        if name in changing:
            assert not world.call(name, arguments).is_error
            before = world.digest()
            assert world.call(name, arguments).is_error
            assert world.digest() == before


def test_a_whole_number_is_recorded_like_the_same_number_with_a_point() -> None:
    digests = set()
    for value in (12, 12.0):
        world = WEATHER.world(SEED)
        arguments = {"station": station(), "value": value, "units": written("units", "Celsius")}
        time = first_state(SEED).forms.time
        assert not world.call("report_observation", arguments | {"time": time.write(NOON)}).is_error
        digests.add(world.digest())
    assert len(digests) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_value_that_no_thermometer_shows_is_refused(value: float) -> None:
    world = WEATHER.world(SEED)
    before = world.digest()
    arguments = {"station": station(), "value": value, "units": written("units", "Celsius")}
    result = world.call("report_observation", arguments | {"time": first_state(SEED).forms.time.write(NOON)})
    assert result.is_error
    assert world.digest() == before


def test_a_period_that_ends_before_it_begins_or_in_the_future_is_refused() -> None:
    state = first_state(SEED)
    later, earlier = state.today.replace(year=state.today.year + 1), state.today.replace(year=state.today.year - 1)
    write = state.forms.date.write
    for start, end in ((state.today, earlier), (state.today, later)):
        arguments = {"station": station(), "start": write(start), "end": write(end)}
        assert "period" in WEATHER.world(SEED).call("climate_history", arguments).text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
argument_names = sorted({name for tool in WEATHER.tools() for name in tool["inputSchema"]["properties"]})


@settings(max_examples=200)
@given(
    st.sampled_from([tool["name"] for tool in WEATHER.tools()]) | st.text(),
    st.dictionaries(st.sampled_from(argument_names) | st.text(), json_values, max_size=5),
)
def test_whatever_a_model_sends_is_answered_and_a_refusal_changes_nothing(name: str, arguments: dict[str, Any]) -> None:
    world = WEATHER.world(SEED)
    before = world.digest()
    result = world.call(name, arguments)
    assert result.is_error
    assert result.text
    assert world.digest() == before


def test_the_same_seed_and_calls_give_the_same_bytes_in_every_process() -> None:
    script = (
        "from servers.registry import load\n"
        "weather = load('weather')\n"
        "world = weather.world(11)\n"
        "for split in ('practice', 'test'):\n"
        "    for task in weather.tasks(11, split):\n"
        "        print(task)\n"
        "        print([world.call(*call).text for call in task.calls])\n"
        "print(world.digest())\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed},
            cwd=registry.__file__.rsplit("/", 2)[0],
            capture_output=True,
            check=True,
            timeout=200,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) > 600


def test_worlds_of_different_seeds_differ() -> None:
    assert len({WEATHER.world(seed).digest() for seed in range(50)}) == 50


def test_a_world_uses_no_randomness_but_its_own() -> None:
    random.seed(1)
    one = WEATHER.world(SEED).digest()
    random.seed(2)
    assert WEATHER.world(SEED).digest() == one
