"""Requests to the weather service and the calls that serve them."""

import datetime
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, State

# tool → its wordings by split; a slot is named like the argument that it fills.
WORDINGS: dict[str, dict[Split, tuple[str, ...]]] = {
    "current_conditions": {
        "practice": (
            "What is the temperature at {station} right now, in {units}?",
            "Please tell me how warm it is at {station} at the moment. I need it in {units}.",
            "{station}: latest reading in {units}, please.",
        ),
        "test": (
            "Could you check the current conditions for {station} and give them to me in {units}?",
            "How cold has it become over at {station} now? Use {units}.",
        ),
    },
    "daily_forecast": {
        "practice": (
            "What does the {model} model forecast for {station} on {date}?",
            "I'm planning a trip to {station} on {date}; what weather does {model} predict?",
            "Forecast for {station} on {date}, taken from the {model} model, please.",
        ),
        "test": (
            "According to the {model} run, will it rain at {station} on {date}?",
            "Show the outlook that {model} has for {station} and {date}.",
        ),
    },
    "climate_history": {
        "practice": (
            "How much rain fell at {station} between {start} and {end}?",
            "Pull the climate record of {station} from {start} to {end}.",
            "I need past weather for {station}, starting {start} and ending {end}.",
        ),
        "test": (
            "Summarise the archive of {station} for the period from {start} through {end}.",
            "Looking back, what was the average temperature at {station} from {start} until {end}?",
        ),
    },
    "tide_times": {
        "practice": (
            "When is high tide at {station} on {date}?",
            "Please look up the tides for {station}, {date}.",
            "We sail from {station} on {date}: at what hours is the water highest?",
        ),
        "test": (
            "I want to take the boat out of {station} on {date}. What are the tide times?",
            "High water and low water for {date} in {station}, please.",
        ),
    },
    "list_alerts": {
        "practice": (
            "Which {severity} warnings are in force on {date}?",
            "List all alerts of {severity} severity or worse for {date}.",
            "On {date}, is anything rated {severity} expected? Show me the alerts.",
        ),
        "test": (
            "Are there any alerts at the {severity} level or above on {date}?",
            "Give me an overview of weather warnings for {date}, {severity} and up.",
        ),
    },
    "subscribe_alert": {
        "practice": (
            "Notify me of {hazard} at {station} from {severity} severity on.",
            "Please sign me up for {severity} {hazard} warnings at {station}.",
            "I'd like a subscription for {hazard} alerts at {station}, threshold {severity}.",
        ),
        "test": (
            "Subscribe me, so that I hear about {severity} {hazard} near {station}.",
            "Whenever {hazard} at {station} becomes {severity}, send me a message.",
        ),
    },
    "cancel_subscription": {
        "practice": (
            "Cancel my {hazard} alerts for {station}.",
            "I no longer want {hazard} messages about {station}; please stop them.",
            "Remove the {hazard} subscription at {station}.",
        ),
        "test": (
            "Unsubscribe me from the {hazard} warnings of {station}, thanks.",
            "Could you cancel what I get on {hazard} near {station}?",
        ),
    },
    "report_observation": {
        "practice": (
            "Record {value} {units} at {station}, measured at {time}.",
            "I read {value} {units} on the thermometer at {station} at {time}; please log it.",
            "New observation from {station}: {value} {units} at {time}.",
        ),
        "test": (
            "Please enter my measurement for {station}: it was {value} {units} when I looked at {time}.",
            "At {time} I observed {value} {units} in {station}. Add that to the log.",
        ),
    },
    "compare_stations": {
        "practice": (
            "Which is warmer, {station} or {other_station}? Answer in {units}.",
            "Compare {station} with {other_station} in {units}.",
            "What is the temperature difference between {station} and {other_station}, in {units}?",
        ),
        "test": (
            "By how much is {station} warmer than {other_station} at present, in {units}?",
            "Is it colder at {station} compared to {other_station}? Tell me the gap in {units}.",
        ),
    },
    "request_bulletin": {
        "practice": (
            "Schedule a bulletin from the {model} model for {date} at {time}.",
            "I'd like {model} to send its bulletin on {date}, {time}.",
            "Order the {time} bulletin of {date} produced by {model}.",
        ),
        "test": (
            "Can you arrange for a bulletin by {model} to be issued at {time} on {date}?",
            "Put in a request: {model} bulletin, {date}, {time}.",
        ),
    },
}


def _fill(tool: str, draws: Draws, state: State) -> Filled | None:
    """Fill the places of a wording, each named like an argument of `tool`."""
    names = re.findall(r"\{(\w+)\}", draws.wording)
    values = {name: _drawn(tool, name, draws, state) for name in names}
    # What the service has: a period in order, a model that covers the station, a subscription to cancel.
    if tool == "climate_history":
        values["start"], values["end"] = sorted((values["start"], values["end"]))
    if tool == "daily_forecast":
        values["model"] = draws.rng.choice([m for m in MODELS if state.covers(m, values["station"])])
    if tool == "cancel_subscription":
        values["hazard"] = draws.rng.choice(list(state.subscriptions[values["station"]]))
    if len(set(values.values())) < len(values):
        return None
    call = Call(tool, {name: _written(name, value, state) for name, value in values.items()})
    return Filled({name: _said(name, value, draws) for name, value in values.items()}, (call,))


def _drawn(tool: str, name: str, draws: Draws, state: State) -> Any:
    day = datetime.timedelta(days=1)
    ahead = [state.today + day * n for n in range(1, 361)]
    match name:
        case "station" | "other_station":
            return draws.open("station", state.stations[1:])
        case "date" if tool == "list_alerts":
            return draws.open("alert day", [date for date in ahead if state.has_alerts(date)])
        case "date":
            return draws.open("date", ahead[:90])
        case "start" | "end":
            return draws.open("past", [state.today - day * n for n in range(1, 700, 7)])
        case "time":
            return draws.open("time", [datetime.time(n // 12, n % 12 * 5) for n in range(0, 288, 5)])
        case "value":
            return draws.open("value", [n / 10 for n in range(-120, 390, 7)])
    words: dict[str, Sequence[str]] = {"units": UNITS, "severity": SEVERITIES, "hazard": HAZARDS, "model": MODELS}
    return draws.closed(name, words[name])


def _written(name: str, value: Any, state: State) -> Any:
    if isinstance(value, float):
        return value
    kinds = {"other_station": "station", "start": "date", "end": "date"}
    return getattr(state.forms, kinds.get(name, name)).write(value)


def _said(name: str, value: Any, draws: Draws) -> Any:
    return draws.rng.choice((f"degrees {value}", value)) if name == "units" and value != "Kelvin" else value


TEMPLATES: tuple[Template[State], ...] = tuple(
    Template(tool, texts["practice"], texts["test"], partial(_fill, tool)) for tool, texts in WORDINGS.items()
)
