"""Requests to the weather service and the calls that serve them."""

import datetime
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.weather.tools import PAGE, list_alerts
from servers.weather.world import HAZARDS, MODELS, MOST_SUBSCRIPTIONS, SEVERITIES, UNITS, State

# Of one call: tool → its wordings by split; a slot is named like the argument that it fills.
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
    values = {name: _drawn(name, draws, state) for name in names}
    # What the service has: a period in order, a model that covers the station, a subscription to cancel.
    if tool == "climate_history":
        values["start"], values["end"] = sorted((values["start"], values["end"]))
    if tool == "daily_forecast":
        values["model"] = draws.rng.choice([m for m in MODELS if state.covers(m, values["station"])])
    if tool == "cancel_subscription":
        values["hazard"] = draws.rng.choice(list(state.subscriptions[values["station"]]))
    # A day on which one call lists all there is, and there is something to list.
    if tool == "list_alerts" and not 0 < len(state.alerts(values["date"], values["severity"])) <= PAGE:
        return None
    if tool == "report_observation":
        values["value"] = _in_scale(values["value"], values["units"])
    if len(set(values.values())) < len(values):
        return None
    call = Call(tool, {name: _written(name, value, state) for name, value in values.items()})
    return Filled({name: _said(name, value, draws) for name, value in values.items()}, (call,))


def _drawn(name: str, draws: Draws, state: State) -> Any:
    day = datetime.timedelta(days=1)
    ahead = [state.today + day * n for n in range(1, 91)]
    match name:
        case "station" | "other_station":
            return draws.open("station", state.stations[1:])
        case "date":
            return draws.open("date", ahead)
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


def _in_scale(celsius: float, units: str) -> float:
    return {
        "Celsius": celsius,
        "Fahrenheit": round(celsius * 9 / 5 + 32, 1),
        "Kelvin": round(celsius + 273.15, 1),
        "Rankine": round((celsius + 273.15) * 9 / 5, 1),
    }[units]


def _said(name: str, value: Any, draws: Draws) -> Any:
    return draws.rng.choice((f"degrees {value}", value)) if name == "units" and value != "Kelvin" else value


def _two_tides(draws: Draws, state: State) -> Filled | None:
    stations = _two_stations(draws, state)
    day = _drawn("date", draws, state)
    calls = [_call("tide_times", state, station=station, date=day) for station in stations]
    return Filled({"station": stations[0], "other": stations[1], "date": day}, calls) if len(calls) == 2 else None


def _leaving(draws: Draws, state: State) -> Filled:
    station, units = (_drawn(name, draws, state) for name in ("station", "units"))
    day = _drawn("date", draws, state)
    calls = [
        _call("current_conditions", state, station=station, units=units),
        _call("tide_times", state, station=station, date=day),
    ]
    return Filled({"station": station, "units": _said("units", units, draws), "date": day}, calls)


def _measured(draws: Draws, state: State) -> Filled | None:
    """A measurement to record, and a subscription beside it."""
    values = {name: _drawn(name, draws, state) for name in ("station", "value", "units", "time", "hazard", "severity")}
    values["value"] = _in_scale(values["value"], values["units"])
    calls = [
        _call("report_observation", state, **{name: values[name] for name in ("station", "value", "units", "time")}),
        _call("subscribe_alert", state, **{name: values[name] for name in ("station", "hazard", "severity")}),
    ]
    return Filled({name: _said(name, value, draws) for name, value in values.items()}, calls)


def _instead(draws: Draws, state: State) -> Filled | None:
    """A station that takes no further subscription, so that one must go before the other comes."""
    station = _drawn("station", draws, state)
    held = state.subscriptions[station]
    if len(held) < MOST_SUBSCRIPTIONS:
        return None
    severity = _drawn("severity", draws, state)
    old, new = draws.rng.choice(list(held)), draws.rng.choice([hazard for hazard in HAZARDS if hazard not in held])
    calls = [
        _call("cancel_subscription", state, station=station, hazard=old),
        _call("subscribe_alert", state, station=station, hazard=new, severity=severity),
    ]
    return Filled({"station": station, "old": old, "new": new, "severity": severity}, calls)


def _whatever(draws: Draws, state: State) -> Filled | None:
    """A hazard that only the list of the day's alerts tells."""
    station, severity = (_drawn(name, draws, state) for name in ("station", "severity"))
    day = _drawn("date", draws, state)
    alerts = state.alerts(day, SEVERITIES[0])
    hazard = {alert["station"]: alert["hazard"] for alert in alerts}.get(station)
    if hazard is None or len(alerts) > PAGE:
        return None
    calls = [
        _call("list_alerts", state, severity=SEVERITIES[0], date=day),
        _call("subscribe_alert", state, station=station, hazard=hazard, severity=severity),
    ]
    return Filled({"station": station, "date": day, "severity": severity}, calls, lookups=(0,))


def _every_page(draws: Draws, state: State) -> Filled | None:
    day, severity = (_drawn(name, draws, state) for name in ("date", "severity"))
    if len(state.alerts(day, severity)) <= PAGE:
        return None
    calls = [_call("list_alerts", state, severity=severity, date=day)]
    while (cursor := list_alerts(state, **calls[-1].arguments)["next_cursor"]) is not None:
        calls.append(Call("list_alerts", {**calls[0].arguments, "cursor": cursor}))
    return Filled({"date": day, "severity": severity}, calls)


def _talk(draws: Draws, state: State) -> Filled:  # noqa: ARG001 - every template is filled alike
    return Filled({"hazard": draws.closed("talked about", HAZARDS)})


def _staffed(draws: Draws, state: State) -> Filled:
    values = {name: _drawn(name, draws, state) for name in ("value", "units", "time")}
    values["value"] = _in_scale(values["value"], values["units"])
    said = {name: _said(name, value, draws) for name, value in values.items()}
    return Filled({**said, "station": draws.closed("staffed", state.staffed)})


def _two_stations(draws: Draws, state: State) -> list[str]:
    return list(dict.fromkeys(_drawn("station", draws, state) for _ in range(2)))


def _call(tool: str, state: State, **values: Any) -> Call:
    return Call(tool, {name: _written(name, value, state) for name, value in values.items()})


def _of(practice: int, test: int) -> dict[Split, int]:
    return {"practice": practice, "test": test}


TEMPLATES: tuple[Template[State], ...] = (
    *(
        Template(tool, texts["practice"], texts["test"], partial(_fill, tool), tasks=_of(6, 4))
        for tool, texts in WORDINGS.items()
    ),
    Template(
        "two tides",
        (
            "When is high tide on {date}, at {station} and at {other}?",
            "We may sail from {station} or from {other} on {date}. Look up the tides for both.",
        ),
        (
            "I need {date}'s tide tables of two harbours: {station}, {other}.",
            "How do low and high water differ between {station} and {other} on {date}? Get me both lists.",
        ),
        _two_tides,
        tasks=_of(2, 1),
    ),
    Template(
        "leaving",
        (
            "How warm is {station} right now, in {units}, and when does its tide turn on {date}?",
            "Please get me the present temperature at {station} ({units}) as well as its tides for {date}.",
        ),
        (
            "Before I leave for {station}: its conditions at this moment in {units}, high and low water on {date}.",
            "Boat trip on {date}. What tides will {station} have, and what does its thermometer say now in {units}?",
        ),
        _leaving,
        tasks=_of(2, 1),
    ),
    Template(
        "measured",
        (
            "Log {value} {units} at {station}, taken at {time}, and notify me there of {hazard} from {severity} on.",
            "It was {value} {units} at {station} at {time}; record that. And sign me up for {severity} {hazard} there.",
        ),
        (
            "Two things for {station}: add my {value} {units} ({time}), and subscribe me to {severity} {hazard}.",
            "{station}, {time}: {value} {units}. Enter it, and always tell me when {hazard} there gets {severity}.",
        ),
        _measured,
        tasks=_of(2, 1),
    ),
    Template(
        "instead",
        (
            "At {station} I want {severity} {new} warnings in place of those about {old}.",
            "Swap my {old} alerts for {station}: stop them and give me {new} from {severity} on.",
        ),
        (
            "My list for {station} is full. Drop {old}, then add {new} with threshold {severity}.",
            "Instead of {old}, tell me about {new} near {station} once it is {severity}.",
        ),
        _instead,
        ordered=True,
        tasks=_of(3, 2),
    ),
    Template(
        "whatever",
        (
            "There is an alert for {station} on {date}. Sign me up for whatever hazard it is, {severity} or worse.",
            "See what is in force at {station} on {date} and notify me of that hazard there from {severity} on.",
        ),
        (
            "Something is announced around {station} for {date}. Find out what; subscribe me to it at {severity}.",
            "Whichever danger {station} is warned of on {date}: I want messages about it, once it becomes {severity}.",
        ),
        _whatever,
        tasks=_of(2, 1),
    ),
    Template(
        "every page",
        (
            "I need the complete list of {severity} alerts on {date}, to the last page.",
            "Every single warning of {date} from {severity} upwards, please, however many there are.",
        ),
        (
            "Go through all pages of the alerts for {date}, {severity} or higher, and leave none out.",
            "Read out each alert known for {date} of level {severity} at least, also what comes after page one.",
        ),
        _every_page,
        tasks=_of(2, 1),
    ),
    Template(
        "talk",
        (
            "Thanks, that was all about {hazard} for today.",
            "What does the word {hazard} mean in meteorology?",
            "Explain to my daughter how {hazard} comes about.",
            "I am rather afraid of {hazard}. Aren't you?",
        ),
        (
            "Why is {hazard} so hard to predict? Just in general.",
            "Write two rhyming lines on {hazard} for a birthday card.",
            "Good morning! I slept badly, I dreamt of {hazard}.",
        ),
        _talk,
        kind="no_tool",
        tasks=_of(1, 1),
    ),
    Template(
        "staffed",
        (
            "Record {value} {units} at {station}, which I measured at {time}.",
            "My thermometer at {station} showed {value} {units} at {time}; log it for me.",
            "Add an observation from {station}, {time}: {value} {units}.",
        ),
        (
            "Put {value} {units} into the log of {station}; that's what I saw at {time}.",
            "Enter what I measured: {station}, {value} {units}, looked at {time}.",
            "I was in {station} at {time} and got {value} {units}. Report that as an observation.",
        ),
        _staffed,
        kind="forbidden",
        tasks=_of(1, 1),
    ),
)
