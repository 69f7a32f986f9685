"""The tools of the weather service. Signature and docstring become the definition that clients see.

They leave out what real ones leave out, how a station, a day, a time or a unit is written, and four parameters in ten
altogether. How much a refusal tells differs from argument to argument: `told` says how much where each is read.
"""

import datetime
from typing import Any

from servers.errors import ToolError
from servers.pages import page
from servers.schema import described
from servers.weather.world import MOST_SUBSCRIPTIONS, State

PAGE = 8  # alerts
ARCHIVE_LIMIT, ARCHIVE_WINDOW = 5, datetime.timedelta(minutes=2)

_FROM_KELVIN = {
    "Celsius": lambda kelvin: kelvin - 273.15,
    "Fahrenheit": lambda kelvin: kelvin * 9 / 5 - 459.67,
    "Kelvin": lambda kelvin: kelvin,
    "Rankine": lambda kelvin: kelvin * 9 / 5,
}


@described("good")
def current_conditions(state: State, station: str, units: str | None = None) -> dict[str, Any]:
    """Current conditions at a weather station: how warm or cold it is right now, by the latest reading.

    Args:
        station: Station id.
        units: Temperature scale.
    """
    place = state.station().read("station", station, told="example")
    if units is None:
        raise ToolError("missing argument 'units': the station has no default scale")
    unit = state.units().read("units", units, told="example")
    return {"station": place, "temperature": round(_FROM_KELVIN[unit](_kelvin(state, place)), 1), "unit": unit}


@described("good", "a model is asked for, though the schema says that it may be left out")
def daily_forecast(state: State, station: str, date: str, model: str | None = None) -> dict[str, Any]:
    """Weather forecast (outlook) of a model for one day at a station: temperatures (°C), chance of rain (%).

    Args:
        station: Station id.
        date: Day of the forecast.
        model: Numerical model to take the forecast from.
    """
    place = state.station().read("station", station, told="example")
    day = state.date().read("date", date, told="example")
    if model is None:
        raise ToolError("missing argument 'model': there is no default model")
    source = state.model().read("model", model, told="example")
    if not state.covers(source, place):
        raise ToolError(f"The {source} model does not cover {place}.")
    chance = state.chance("forecast", place, day, source)
    low = chance.randint(-8, 18)
    return {
        "station": place,
        "date": day.isoformat(),
        "model": source,
        "high_c": low + chance.randint(2, 12),
        "low_c": low,
        "rain_percent": chance.randrange(0, 101, 5),
    }


@described("terse")
def climate_history(state: State, station: str, start: str, end: str) -> dict[str, Any]:
    """Past weather over a period, from the archive: rain that fell, average temperature.

    Args:
        station: Station id.
    """
    place = state.station().read("station", station, told="example")
    calendar = state.date()
    first = calendar.read("start", start, told="example")
    last = calendar.read("end", end, told="nothing")
    if not first <= last <= state.today:
        raise ToolError("The period must begin before it ends, and end in the past.")
    state.spend("archive", limit=ARCHIVE_LIMIT, window=ARCHIVE_WINDOW, refusal="429: archive quota exceeded")
    chance = state.chance("history", place, first, last)
    return {
        "station": place,
        "start": first.isoformat(),
        "end": last.isoformat(),
        "mean_c": round(chance.uniform(-4, 21), 1),
        "rain_mm": round(chance.uniform(0, 90), 1),
    }


@described("misleading", "the day has the service's own form, never YYYY-MM-DD", read_only=True)
def tide_times(state: State, station: str, date: str) -> dict[str, Any]:
    """High tide and low tide of one day, in the station's local time.

    Args:
        date: Day of the tides, as YYYY-MM-DD.
    """
    place = state.station().read("station", station, told="example")
    day = state.date().read("date", date, told="example")
    chance = state.chance("tide", place, day)
    high = datetime.datetime.combine(day, datetime.time(chance.randrange(5), chance.randrange(60)))
    tide = datetime.timedelta(hours=6, minutes=12)
    return {
        "station": place,
        "date": day.isoformat(),
        "high": [f"{high:%H:%M}", f"{high + 2 * tide:%H:%M}"],
        "low": [f"{high + tide:%H:%M}", f"{high + 3 * tide:%H:%M}"],
    }


@described("terse", "eight alerts a page; the answer's `next_cursor` leads to more")
def list_alerts(state: State, severity: str, date: str, cursor: str | None = None) -> dict[str, Any]:
    """Weather alerts (warnings) of a day.

    Args:
        severity: Lowest severity to list.
    """
    lowest = state.severity().read("severity", severity, told="choices")
    day = state.date().read("date", date, told="example")
    if not state.has_alerts(day):
        raise ToolError("No alerts are known for that day.")
    alerts = state.alerts(day, lowest)
    codes = {"station": state.forms.station, "hazard": state.forms.hazard, "severity": state.forms.severity}
    written = [{kind: codes[kind].write(name) for kind, name in alert.items()} for alert in alerts]
    part, next_cursor = page(written, cursor=cursor, size=PAGE, about=f"alerts {day} {lowest}")
    return {
        "date": day.isoformat(),
        "lowest_severity": lowest,
        "total": len(alerts),
        "alerts": part,
        "next_cursor": next_cursor,
    }


@described("good", "a station takes four subscriptions at most")
def subscribe_alert(state: State, station: str, hazard: str, severity: str) -> dict[str, Any]:
    """Subscribe the user to messages about a hazard near a station; replaces an earlier subscription to the same.

    Args:
        hazard: Kind of hazard to be notified of.
        severity: Lowest severity that is sent.
    """
    place = state.station().read("station", station, told="example")
    peril = state.hazard().read("hazard", hazard, told="choices")
    lowest = state.severity().read("severity", severity, told="choices")
    held = state.subscriptions[place]
    if held.get(peril) == lowest:
        raise ToolError(f"There is already a subscription to {lowest} {peril} at {place}.")
    if peril not in held and len(held) >= MOST_SUBSCRIPTIONS:
        raise ToolError(f"409: no more than {MOST_SUBSCRIPTIONS} subscriptions at one station")
    held[peril] = lowest
    return {"subscribed": True, "station": place, "hazard": peril, "severity": lowest}


@described("terse")
def cancel_subscription(state: State, station: str, hazard: str) -> dict[str, Any]:
    """Cancel (unsubscribe, stop, remove) one of the user's alert subscriptions."""
    place = state.station().read("station", station, told="example")
    peril = state.hazard().read("hazard", hazard, told="nothing")
    if peril not in state.subscriptions[place]:
        raise ToolError(f"There is no subscription to {peril} at {place}.")
    del state.subscriptions[place][peril]
    return {"cancelled": True, "station": place, "hazard": peril}


@described("good", "at some stations only staff may report")
def report_observation(state: State, station: str, value: float, units: str, time: str) -> dict[str, Any]:
    """Record (log, enter) an observation: a temperature that the user has measured at a station today.

    Args:
        station: Station id.
        value: Measured temperature.
        time: Time of the observation.
    """
    place = state.station().read("station", station, told="example")
    unit = state.units().read("units", units, told="choices")
    clock = state.time().read("time", time, told="example")
    if not -500 <= value <= 1000:
        raise ToolError(f"value {value} is no temperature on Earth.")
    if place in state.staffed:
        raise ToolError("403: observations of this station are made by its staff")
    observation: dict[str, str | float] = {
        "station": place,
        "value": float(value),
        "unit": unit,
        "time": f"{state.today} {clock:%H:%M}",
    }
    if observation in state.observations:
        raise ToolError("This observation has already been recorded.")
    state.observations.append(observation)
    return {"recorded": True, **observation}


@described("terse", "without units the answer is in tenths of a kelvin")
def compare_stations(state: State, station: str, other_station: str, units: str | None = None) -> dict[str, Any]:
    """Difference between the temperatures of two stations now, and which is warmer.

    Args:
        other_station: Station to compare it with.
    """
    one = state.station().read("station", station, told="example")
    other = state.station().read("other_station", other_station, told="nothing")
    kelvin = _kelvin(state, one) - _kelvin(state, other)
    places = {"station": one, "other_station": other, "warmer": one if kelvin > 0 else other}
    if units is None:
        # A legacy default, and nothing that a caller reads beforehand warns of it.
        return {**places, "difference": round(kelvin * 10), "unit": "tenths of a kelvin"}
    unit = state.units().read("units", units, told="nothing")
    scale = 9 / 5 if unit in ("Fahrenheit", "Rankine") else 1
    return {**places, "difference": round(kelvin * scale, 1), "unit": unit}


@described("misleading", "a model's code is meant, not its name, and any minute of the day, in the service's own form")
def request_bulletin(state: State, model: str, date: str, time: str) -> dict[str, Any]:
    """Order a bulletin, a written summary of a model run, to be sent to the user later.

    Args:
        model: Name of the numerical model.
        time: Hour at which it is sent, 0 to 23.
    """
    source = state.model().read("model", model, told="example")
    day = state.date().read("date", date, told="example")
    clock = state.time().read("time", time, told="nothing")
    bulletin = {"model": source, "at": f"{day} {clock:%H:%M}"}
    if bulletin in state.bulletins:
        raise ToolError("This bulletin has already been ordered.")
    state.bulletins.append(bulletin)
    return {"ordered": True, **bulletin}


TOOLS = (
    current_conditions,
    daily_forecast,
    climate_history,
    tide_times,
    list_alerts,
    subscribe_alert,
    cancel_subscription,
    report_observation,
    compare_stations,
    request_bulletin,
)


def _kelvin(state: State, place: str) -> float:
    return state.chance("temperature", place, state.today).uniform(256, 308)
