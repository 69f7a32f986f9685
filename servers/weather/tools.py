"""The tools of the weather service. Signature and docstring become the definition that clients see.

The docstrings leave out what real ones leave out: how a station, a day, a time or a unit is written. How much a refusal
tells differs from tool to tool, as it does in real services: `told` at each argument says how much.
"""

import datetime
from typing import Any

from servers.errors import ToolError
from servers.weather.world import HAZARDS, SEVERITIES, State

_FROM_KELVIN = {
    "Celsius": lambda kelvin: kelvin - 273.15,
    "Fahrenheit": lambda kelvin: kelvin * 9 / 5 - 459.67,
    "Kelvin": lambda kelvin: kelvin,
    "Rankine": lambda kelvin: kelvin * 9 / 5,
}


def current_conditions(state: State, station: str, units: str | None = None) -> dict[str, Any]:
    """Latest temperature measured at a weather station.

    Args:
        station: Station id.
        units: Temperature scale.
    """
    place = state.station().read("station", station, told="example")
    if units is None:
        raise ToolError("missing argument 'units': the station has no default scale")
    unit = state.units().read("units", units, told="example")
    return {"station": place, "temperature": round(_FROM_KELVIN[unit](_kelvin(state, place)), 1), "unit": unit}


def daily_forecast(state: State, station: str, date: str, model: str | None = None) -> dict[str, Any]:
    """Forecast for one day at a station: highest and lowest temperature (°C), chance of rain (%).

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


def climate_history(state: State, station: str, start: str, end: str) -> dict[str, Any]:
    """Past weather at a station over a period: mean temperature (°C) and total rainfall (mm), from the archive.

    Args:
        station: Station id.
        start: First day of the period.
        end: Last day of the period.
    """
    place = state.station().read("station", station, told="example")
    calendar = state.date()
    first = calendar.read("start", start, told="example")
    last = calendar.read("end", end, told="nothing")
    if not first <= last <= state.today:
        raise ToolError("The period must begin before it ends, and end in the past.")
    chance = state.chance("history", place, first, last)
    return {
        "station": place,
        "start": first.isoformat(),
        "end": last.isoformat(),
        "mean_c": round(chance.uniform(-4, 21), 1),
        "rain_mm": round(chance.uniform(0, 90), 1),
    }


def tide_times(state: State, station: str, date: str) -> dict[str, Any]:
    """High tide and low tide of one day, in the station's local time.

    Args:
        station: Station id.
        date: Day of the tides.
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


def list_alerts(state: State, severity: str, date: str) -> dict[str, Any]:
    """Weather alerts (warnings) of a day over all stations, from a lowest severity upwards.

    Args:
        severity: Lowest severity to list.
        date: Day on which the alerts are in force.
    """
    lowest = state.severity().read("severity", severity, told="choices")
    day = state.date().read("date", date, told="example")
    if not state.has_alerts(day):
        raise ToolError("No alerts are known for that day.")
    chance = state.chance("in force", day)
    alerts = [
        {"station": place, "hazard": chance.choice(HAZARDS), "severity": chance.choice(SEVERITIES)}
        for place in chance.sample(state.stations, 6)
    ]
    listed = [alert for alert in alerts if SEVERITIES.index(alert["severity"]) >= SEVERITIES.index(lowest)]
    return {"date": day.isoformat(), "lowest_severity": lowest, "alerts": listed}


def subscribe_alert(state: State, station: str, hazard: str, severity: str) -> dict[str, Any]:
    """Subscribe the user to messages about a hazard near a station; replaces an earlier subscription to the same.

    Args:
        station: Station id.
        hazard: Kind of hazard to be notified of.
        severity: Lowest severity that is sent.
    """
    place = state.station().read("station", station, told="example")
    peril = state.hazard().read("hazard", hazard, told="choices")
    lowest = state.severity().read("severity", severity, told="choices")
    if state.subscriptions.get(place, {}).get(peril) == lowest:
        raise ToolError(f"There is already a subscription to {lowest} {peril} at {place}.")
    state.subscriptions.setdefault(place, {})[peril] = lowest
    return {"subscribed": True, "station": place, "hazard": peril, "severity": lowest}


def cancel_subscription(state: State, station: str, hazard: str) -> dict[str, Any]:
    """Cancel (unsubscribe, stop, remove) one of the user's alert subscriptions.

    Args:
        station: Station id.
        hazard: Kind of hazard that is no longer of interest.
    """
    place = state.station().read("station", station, told="example")
    peril = state.hazard().read("hazard", hazard, told="nothing")
    if peril not in state.subscriptions.get(place, {}):
        raise ToolError(f"There is no subscription to {peril} at {place}.")
    del state.subscriptions[place][peril]
    return {"cancelled": True, "station": place, "hazard": peril}


def report_observation(state: State, station: str, value: float, units: str, time: str) -> dict[str, Any]:
    """Record (log) a temperature that the user has observed at a station today.

    Args:
        station: Station id.
        value: Measured temperature.
        units: Temperature scale of the value.
        time: Time of the observation.
    """
    place = state.station().read("station", station, told="example")
    unit = state.units().read("units", units, told="choices")
    clock = state.time().read("time", time, told="example")
    if not -500 <= value <= 1000:
        raise ToolError(f"value {value} is no temperature on Earth.")
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


def compare_stations(state: State, station: str, other_station: str, units: str | None = None) -> dict[str, Any]:
    """Difference between the temperatures of two stations now, and which of them is warmer.

    Args:
        station: Station id.
        other_station: Station to compare it with.
        units: Temperature scale of the difference.
    """
    one = state.station().read("station", station, told="example")
    other = state.station().read("other_station", other_station, told="nothing")
    kelvin = _kelvin(state, one) - _kelvin(state, other)
    places = {"station": one, "other_station": other, "warmer": one if kelvin > 0 else other}
    if units is None:
        # A legacy default, and nothing that a caller reads beforehand warns of it.
        return {**places, "difference": round(kelvin * 10), "unit": "tenths of a kelvin"}
    unit = state.units().read("units", units, told="choices")
    scale = 9 / 5 if unit in ("Fahrenheit", "Rankine") else 1
    return {**places, "difference": round(kelvin * scale, 1), "unit": unit}


def request_bulletin(state: State, model: str, date: str, time: str) -> dict[str, Any]:
    """Order a bulletin, a written summary of a model run, to be sent to the user later.

    Args:
        model: Numerical model.
        date: Day on which it is sent.
        time: Time at which it is sent.
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
