"""Requests that need the weather service and the smart home."""

import datetime
from typing import Any

from servers.domain import SharedState
from servers.smart_home import tasks as home
from servers.smart_home.world import State as Home
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.weather.tools import tide_times
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS
from servers.weather.world import State as Weather


def _parts(state: SharedState) -> tuple[Weather, Home]:
    weather, smart_home = state.parts["weather"], state.parts["smart_home"]
    assert isinstance(weather, Weather)  # noqa: S101 - for the type checker: the names say so
    assert isinstance(smart_home, Home)  # noqa: S101 - the same
    return weather, smart_home


def _day(draws: Draws, state: SharedState) -> datetime.date:
    """Draw a day that lies ahead for both services."""
    first = max(part.today for part in state.parts.values())
    return draws.open("day", [first + datetime.timedelta(days=n) for n in range(1, 91)])


def _station(draws: Draws, weather: Weather) -> str:
    return draws.open("station", weather.stations[1:])


def _asked(tool: str, weather: Weather, **values: Any) -> Call:
    return Call(tool, {kind: getattr(weather.forms, kind).write(value) for kind, value in values.items()})


def _warm(draws: Draws, state: SharedState) -> Filled:
    weather, smart_home = _parts(state)
    there = {"station": _station(draws, weather), "units": draws.closed("units", UNITS)}
    here = {kind: home.drawn(kind, draws, smart_home) for kind in ("room", "celsius", "until")}
    calls = [
        _asked("current_conditions", weather, **there),
        home.call("set_temperature", smart_home, **here),
    ]
    return Filled({**there, **here}, calls)


def _forecast(draws: Draws, state: SharedState) -> Filled:
    weather, smart_home = _parts(state)
    station, date = _station(draws, weather), _day(draws, state)
    model = draws.rng.choice([model for model in MODELS if weather.covers(model, station)])
    planned = {kind: home.drawn(kind, draws, smart_home) for kind in ("scene", "time")}
    calls = [
        _asked("daily_forecast", weather, station=station, date=date, model=model),
        home.call("schedule_scene", smart_home, date=date, **planned),
    ]
    return Filled({"station": station, "date": date, "model": model, **planned}, calls)


def _warned(draws: Draws, state: SharedState) -> Filled:
    weather, smart_home = _parts(state)
    told = {
        "station": _station(draws, weather),
        "hazard": draws.closed("hazard", HAZARDS),
        "severity": draws.closed("severity", SEVERITIES),
    }
    changed = {kind: home.drawn(kind, draws, smart_home) for kind in ("device", "mode")}
    calls = [_asked("subscribe_alert", weather, **told), home.call("set_mode", smart_home, **changed)]
    return Filled({**told, **changed}, calls)


def _tide(draws: Draws, state: SharedState) -> Filled:
    """A scene whose time only the tide table tells."""
    weather, smart_home = _parts(state)
    station, date = _station(draws, weather), _day(draws, state)
    scene = home.drawn("scene", draws, smart_home)
    look = _asked("tide_times", weather, station=station, date=date)
    high = datetime.time.fromisoformat(tide_times(weather, **look.arguments)["high"][0])
    calls = [look, home.call("schedule_scene", smart_home, scene=scene, date=date, time=high)]
    return Filled({"station": station, "date": date, "scene": scene}, calls, lookups=(0,))


TASKS: dict[Split, int] = {"practice": 2, "test": 1}

TEMPLATES: tuple[Template[SharedState], ...] = (
    Template(
        "warm",
        (
            "Tell me the temperature at {station} in {units}, and hold the {room} at {celsius} degrees until {until}.",
            "How warm is {station} right now ({units})? Also set the {room} thermostat to {celsius} till {until}.",
        ),
        (
            "Check the conditions around {station} in {units}; then heat the {room} to {celsius}, up to {until}.",
            "Is it cold over at {station}, in {units}? In the {room} I want {celsius} degrees, ending {until}.",
        ),
        _warm,
        tasks=TASKS,
    ),
    Template(
        "forecast",
        (
            "Forecast for {station} on {date} from the {model} model, please, and schedule {scene} that day at {time}.",
            "What does {model} predict for {station} on {date}? And plan the scene {scene} for {time} on it.",
        ),
        (
            "We stay in on {date}: have {scene} begin at {time}, and show me {model}'s outlook, station {station}.",
            "Add {scene} to the plan of {date}, {time}. According to {model}, will {station} get rain then?",
        ),
        _forecast,
        tasks=TASKS,
    ),
    Template(
        "warned",
        (
            "Sign me up for {severity} {hazard} warnings at {station}, and switch the {device} to {mode} mode.",
            "Notify me of {hazard} at {station} from {severity} on; besides, put the {device} into {mode}.",
        ),
        (
            "Whenever {hazard} becomes {severity} near {station}, message me. The {device} should change to {mode}.",
            "I want {mode} for the {device}, plus a subscription: {station}, {hazard}, {severity} and worse.",
        ),
        _warned,
        tasks=TASKS,
    ),
    Template(
        "tide",
        (
            "Schedule {scene} on {date} for the minute of the first high tide at {station}.",
            "Look up the tides of {station} for {date}, and plan {scene} to start when the first high water is.",
        ),
        (
            "On {date}, {scene} should begin together with that day's earliest high tide in {station}.",
            "Find out when {station} first has high water on {date}; at that time let {scene} start by itself.",
        ),
        _tide,
        tasks=TASKS,
    ),
)
