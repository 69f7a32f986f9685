"""Requests to the weather service and the calls that serve them.

Practice and test share no template, and more than half of what fills the test's open slots (stations, days, times,
values) never occurs in practice. Words from closed sets (units, severities, hazards, models) all occur in practice.
"""

import datetime
import itertools
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from servers.forms import MONTHS, NameForm
from servers.tasks import Call, Split, Task
from servers.weather.world import HAZARDS, MODELS, SEVERITIES, UNITS, State, first_state, said

# tool → its wordings by split; a slot is named like the argument that it fills.
TEMPLATES: dict[str, dict[Split, tuple[str, ...]]] = {
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
TASKS_PER_TEMPLATE: dict[Split, int] = {"practice": 7, "test": 5}


def tasks(seed: int, split: Split) -> list[Task]:
    """Return the split's tasks for `seed`, in rounds that hold every template once."""
    state = first_state(seed)
    slots = _Slots(state, split)
    wordings = [
        (tool, f"{tool}-{split}-{number}", text)
        for tool, texts in TEMPLATES.items()
        for number, text in enumerate(texts[split], 1)
    ]
    made = []
    for turn in range(1, TASKS_PER_TEMPLATE[split] + 1):
        for tool, template, text in slots.rng.sample(wordings, len(wordings)):
            filled = slots.fill(tool, text)
            call = Call(tool, {name: argument for name, (_, argument) in filled.items()})
            words = {name: word for name, (word, _) in filled.items()}
            made.append(Task(f"weather-{seed}-{template}-{turn}", template, text.format(**words), (call,), words))
    return made


class _Slots:
    """Fills a template: each slot as the user says it, and as the service of this seed wants it."""

    def __init__(self, state: State, split: Split) -> None:
        # The values to choose from come from the seed alone, the choice also from the split.
        shared = random.Random(f"weather slots {state.seed}")  # noqa: S311 - a simulation, not a secret
        self.rng = random.Random(f"weather {split} {state.seed}")  # noqa: S311 - a simulation, not a secret
        self._state = state
        self._split = split
        self._asked: set[tuple[Any, ...]] = set()
        day = datetime.timedelta(days=1)
        ahead = [state.today + day * n for n in shared.sample(range(1, 721), 720)]
        self._draws: dict[str, Callable[[], Any]] = {
            "station": self._open(state.stations[1:]),
            "date": self._open(ahead[:90]),
            "alert day": self._open([date for date in ahead if state.has_alerts(date)]),
            "past": self._open([state.today - day * n for n in shared.sample(range(1, 700), 90)]),
            "time": self._open([datetime.time(n // 12, n % 12 * 5) for n in shared.sample(range(288), 60)]),
            "value": self._open([n / 10 for n in shared.sample(range(-120, 390), 90)]),
            "units": self._closed(UNITS),
            "severity": self._closed(SEVERITIES),
            "hazard": self._closed(HAZARDS),
            "model": self._closed(MODELS),
        }

    def fill(self, tool: str, text: str) -> dict[str, tuple[str, Any]]:
        """Return argument → (as said, as written) for every slot in `text`."""
        names = re.findall(r"\{(\w+)\}", text)
        values = self._drawn(tool, names)
        while len(set(values.values())) < len(values) or not self._is_new(tool, values):
            values = self._drawn(tool, names)
        return {name: (self._said(name, value), self._written(name, value)) for name, value in values.items()}

    def _drawn(self, tool: str, names: Sequence[str]) -> dict[str, Any]:
        kinds = {name: _DRAWN_AS.get(name, name) for name in names}
        if tool == "list_alerts":
            kinds["date"] = "alert day"
        values = {name: self._draws[kind]() for name, kind in kinds.items()}
        # What the service has: a period in order, a model that covers the station, a subscription to cancel.
        if tool == "climate_history":
            values["start"], values["end"] = sorted((values["start"], values["end"]))
        if tool == "daily_forecast":
            values["model"] = self.rng.choice([m for m in MODELS if self._state.covers(m, values["station"])])
        if tool == "cancel_subscription":
            values["hazard"] = self.rng.choice(list(self._state.subscriptions[values["station"]]))
        return values

    def _open(self, values: Sequence[Any]) -> Callable[[], Any]:
        """Draw from values of which three in five of the test's never occur in practice."""
        known = len(values) * 3 // 5
        if self._split == "practice":
            return lambda: self.rng.choice(values[:known])
        new, old = values[known:], values[: known // 2]
        sides = itertools.cycle((new, old, new, old, new))
        return lambda: self.rng.choice(next(sides))

    def _closed(self, values: Sequence[str]) -> Callable[[], str]:
        """Draw each value equally often."""
        turns = itertools.cycle(self.rng.sample(values, len(values)))
        return lambda: next(turns)

    def _is_new(self, tool: str, values: dict[str, Any]) -> bool:
        """Tell whether this changes the first state, and whether one server could serve it after all earlier tasks."""
        key: tuple[Any, ...] = (tool, *values.values())
        if tool in ("subscribe_alert", "cancel_subscription"):
            key = (values["station"], values["hazard"])
            if self._state.subscriptions[values["station"]].get(values["hazard"]) == values.get("severity"):
                return False
        is_new = key not in self._asked
        self._asked.add(key)
        return is_new

    def _written(self, name: str, value: Any) -> Any:
        forms = self._state.forms
        if isinstance(value, datetime.date):
            return forms.date.write(value)
        if isinstance(value, datetime.time):
            return forms.time.write(value)
        if isinstance(value, float):
            return value
        form: NameForm = getattr(forms, _DRAWN_AS.get(name, name))
        return form.write(value)

    def _said(self, name: str, value: Any) -> str:
        if isinstance(value, datetime.date):
            return self._said_day(value)
        if isinstance(value, datetime.time):
            half = "am" if value.hour < 12 else "pm"
            return self.rng.choice((f"{value:%H:%M}", f"{value.hour % 12 or 12}:{value:%M} {half}"))
        if name == "units":
            return "Kelvin" if value == "Kelvin" else self.rng.choice((f"degrees {value}", str(value)))
        return str(value)

    def _said_day(self, day: datetime.date) -> str:
        month, tens = MONTHS[day.month - 1], day.day // 10
        ordinal = f"{day.day}{'th' if tens == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day.day % 10, 'th')}"
        return self.rng.choice(
            (
                said(day),
                f"{month} {day.day}, {day.year}",
                f"{month} {ordinal}, {day.year}",
                f"the {ordinal} of {month} {day.year}",
            )
        )


_DRAWN_AS = {"other_station": "station", "start": "past", "end": "past"}
