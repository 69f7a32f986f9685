"""The weather service: what its tools do, refuse and keep to themselves."""

import dataclasses
import datetime
import json
from typing import Any

import pytest

from servers import registry
from servers.errors import UnknownWorldError
from servers.weather.tools import ARCHIVE_LIMIT, PAGE
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, first_state

WEATHER = registry.load("weather")
SEED = 11
NOON = datetime.time(12, 0)


def written(kind: str, name: str) -> str:
    code: str = getattr(first_state(SEED).forms, kind).write(name)
    return code


def station(number: int = 5) -> str:
    return written("station", first_state(SEED).stations[number])


def room_for_one(held: int) -> tuple[str, str]:
    """Return a station with so many subscriptions, and a hazard that is not among them."""
    subscribed = first_state(SEED).subscriptions
    place = next(place for place in first_state(SEED).stations[1:] if len(subscribed[place]) == held)
    return place, next(hazard for hazard in HAZARDS if hazard not in subscribed[place])


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


def test_every_tool_is_described_and_four_arguments_in_ten_are_not() -> None:
    assert all(tool["description"] for tool in WEATHER.tools())
    arguments = [schema for tool in WEATHER.tools() for schema in tool["inputSchema"]["properties"].values()]
    assert 0.35 <= sum("description" not in schema for schema in arguments) / len(arguments) <= 0.5


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
    reading = {"station": station(), "value": 1, "units": "Celsius", "time": "x"}
    choices = world.call("report_observation", reading).text
    assert all(repr(written("units", name)) in choices for name in UNITS)
    stations = {"station": station(), "other_station": station(6)}
    assert world.call("compare_stations", stations | {"units": "x"}).text == "units 'x' is not valid."
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
    place, hazard = room_for_one(2)
    arguments = {"station": written("station", place), "hazard": written("hazard", hazard)}
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
    for task in WEATHER.tasks(SEED, "test")[:30]:
        name, arguments = task.calls[0] if len(task.calls) == 1 else ("", {})
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


def test_alerts_come_in_pages_and_a_cursor_leads_nowhere_in_another_list() -> None:
    state = first_state(SEED)
    ahead = (state.today + datetime.timedelta(days=n) for n in range(1, 361))
    day = next(day for day in ahead if state.has_alerts(day) and len(state.alerts(day, "minor")) > PAGE)
    world = WEATHER.world(SEED)
    asked = {"severity": written("severity", "minor"), "date": state.forms.date.write(day)}
    first = world.call("list_alerts", asked).structured
    assert first is not None
    rest = world.call("list_alerts", asked | {"cursor": first["next_cursor"]}).structured
    assert rest is not None
    assert len(first["alerts"]) == PAGE
    codes = [{kind: written(kind, name) for kind, name in alert.items()} for alert in state.alerts(day, "minor")]
    assert first["alerts"] + rest["alerts"] == codes, "as the next call needs them"
    assert rest["next_cursor"] is None
    elsewhere = asked | {"severity": written("severity", "severe"), "cursor": first["next_cursor"]}
    assert "is not valid for this list" in world.call("list_alerts", elsewhere).text


def test_the_archive_answers_so_many_requests_and_a_minute_later_again() -> None:
    world = WEATHER.world(SEED)
    state = first_state(SEED)
    ago = [state.forms.date.write(state.today - datetime.timedelta(days=days)) for days in (30, 10)]
    period = {"station": station(), "start": ago[0], "end": ago[1]}
    answers = [world.call("climate_history", period) for _ in range(ARCHIVE_LIMIT + 1)]
    assert [answer.is_error for answer in answers] == [False] * ARCHIVE_LIMIT + [True]
    assert answers[-1].text == "429: archive quota exceeded"
    assert not world.call("climate_history", period).is_error


def test_at_a_station_with_staff_nobody_else_reports() -> None:
    world = WEATHER.world(SEED)
    reading = {"value": 1, "units": written("units", "Celsius"), "time": first_state(SEED).forms.time.write(NOON)}
    for place in first_state(SEED).stations[1:]:
        result = world.call("report_observation", {"station": written("station", place), **reading})
        assert result.is_error is (place in first_state(SEED).staffed)
        assert not result.is_error or result.text.startswith("403")


def test_a_station_with_four_subscriptions_takes_no_other_until_one_is_cancelled() -> None:
    world = WEATHER.world(SEED)
    place, hazard = room_for_one(4)
    there = {"station": written("station", place)}
    another = there | {"hazard": written("hazard", hazard), "severity": written("severity", "severe")}
    assert world.call("subscribe_alert", another).text.startswith("409")
    held = next(iter(first_state(SEED).subscriptions[place]))
    assert not world.call("cancel_subscription", there | {"hazard": written("hazard", held)}).is_error
    assert not world.call("subscribe_alert", another).is_error
