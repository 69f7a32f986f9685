"""A service of forty weather stations: conditions, forecasts, an archive, tides, alerts, and what users report.

Its habits, which no description tells; the forms are drawn from the seed:

- Stations, temperature scales, severities, hazards and models are codes made of their names. Days and times of day have
  a form of their own, and it is neither 2026-03-03 nor 14:30.
- A refusal shows the right form by an example or lists the choices, but not everywhere: nothing is told of the second
  station and the scale in a comparison, the end of a period, the hazard to cancel and a bulletin's time.
- A comparison without a scale is answered in tenths of a kelvin. Elsewhere a scale or a model that is missing is asked
  for, though the schema says that it may be left out.
- Alerts come in pages of eight. The archive answers five requests within two minutes.
- A station takes four subscriptions at most. At some stations only staff may report.
"""

import datetime
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days, times
from servers.forms import (
    Codebook,
    DateForm,
    NameForm,
    TimeForm,
    date_forms,
    name_forms,
    time_forms,
)
from servers.service import ServiceState

UNITS = ("Celsius", "Fahrenheit", "Kelvin", "Rankine")
SEVERITIES = ("minor", "moderate", "severe", "extreme")
HAZARDS = ("frost", "storm surge", "flooding", "lightning", "dense smoke", "blizzard")
MODELS = ("Borealis", "Meridian", "Halcyon", "Tamarack", "Zephyrus")
OPENS = datetime.time(8, 30)  # of the service's clock on its first day
PLACES = 41  # the first one is the example that refusals show, 40 are served
STAFFED = 5  # of them
MOST_SUBSCRIPTIONS = 4  # at one station

# No two words of the three lists begin with the same three letters, so that shortened names stay distinct.
TOWNS = (
    "Aldermoor", "Brackley", "Corvane", "Dunmere", "Eskdale", "Fenwick", "Gorsley", "Hexmoor", "Inverlee", "Kilbrae",
    "Lindholm", "Mellowby", "Norwell", "Orvane", "Penhallow", "Quarrow", "Skelwith", "Thornwick", "Ulverby", "Wraxhill",
)  # fmt: skip
EPITHETS = (
    "Amber", "Badger", "Cinder", "Dapple", "Ember", "Falcon", "Granite", "Harbour", "Juniper", "Kestrel",
    "Larch", "Maple", "Otter", "Pebble", "Raven", "Silver", "Tansy", "Umber", "Violet", "Willow",
)  # fmt: skip
FEATURES = (
    "Beach", "Bridge", "Cliff", "Crossing", "Forest", "Grove", "Heath", "Island", "Lighthouse", "Meadow",
    "Point", "Ridge", "Spire", "Summit", "Valley",
)  # fmt: skip
SIDES = ("Upper", "Lower", "Great", "Little", "Outer")

MARKS = {
    "station": ("wx", "st", "met", "obs", "ws", "aws", "gs", "loc"),
    "units": ("deg", "uom", "un", "tmp", "dg", "meas", "tu", "scl"),
    "severity": ("sev", "lvl", "cat", "grd", "tier", "rnk", "wrn", "sv"),
    "hazard": ("haz", "hz", "risk", "ev", "prl", "phn", "hzd", "thr"),
    "model": ("nwp", "mdl", "run", "fc", "src", "gen", "prd", "sys"),
}


@dataclass(frozen=True)
class Forms:
    """How this seed's service wants each kind of argument written."""

    station: NameForm
    units: NameForm
    severity: NameForm
    hazard: NameForm
    model: NameForm
    date: DateForm
    time: TimeForm


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole state. `subscriptions` is station → hazard → lowest severity; at `staffed` only staff may report."""

    forms: Forms
    stations: tuple[str, ...]
    staffed: tuple[str, ...]
    subscriptions: dict[str, dict[str, str]]
    observations: list[dict[str, str | float]] = field(default_factory=list)
    bulletins: list[dict[str, str]] = field(default_factory=list)

    def station(self) -> Codebook[str]:
        """Return the ids of the stations."""
        return codes(self.forms.station, self.stations, self.stations[0])

    def units(self) -> Codebook[str]:
        """Return the codes of the temperature scales."""
        return codes(self.forms.units, UNITS, "Reaumur")

    def severity(self) -> Codebook[str]:
        """Return the codes of the severities."""
        return codes(self.forms.severity, SEVERITIES, "advisory")

    def hazard(self) -> Codebook[str]:
        """Return the codes of the hazards."""
        return codes(self.forms.hazard, HAZARDS, "solar flare")

    def model(self) -> Codebook[str]:
        """Return the codes of the models."""
        return codes(self.forms.model, MODELS, "Cumulus")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def time(self) -> Codebook[datetime.time]:
        """Return the times of day."""
        return times(self.forms.time)

    def covers(self, model: str, station: str) -> bool:
        """Tell whether `model` makes forecasts for `station`; two of the models do."""
        return model in self.chance("models", station).sample(MODELS, 2)

    def has_alerts(self, day: datetime.date) -> bool:
        """Tell whether anything is in force on `day`, as on four days in five."""
        return self.chance("alerts", day).random() < 0.8

    def alerts(self, day: datetime.date, lowest: str) -> list[dict[str, str]]:
        """Return what is in force on a `day`, of severity `lowest` or worse, one a station."""
        if not self.has_alerts(day):
            return []
        chance = self.chance("in force", day)
        alerts = [
            {"station": place, "hazard": chance.choice(HAZARDS), "severity": chance.choice(SEVERITIES)}
            for place in chance.sample(self.stations[1:], chance.randrange(3, 16))
        ]
        return [alert for alert in alerts if SEVERITIES.index(alert["severity"]) >= SEVERITIES.index(lowest)]


def first_state(seed: int) -> State:
    """Return how the service of `seed` starts."""
    habits = random.Random(f"weather forms {seed}")  # noqa: S311 - a simulation, not a secret
    forms = Forms(
        **{kind: habits.choice(name_forms(marks)) for kind, marks in MARKS.items()},
        date=habits.choice(date_forms()),
        time=habits.choice(time_forms()),
    )
    rng = random.Random(f"weather content {seed}")  # noqa: S311 - a simulation, not a secret
    stations = _place_names(rng)
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, OPENS),
        forms=forms,
        stations=stations,
        staffed=tuple(rng.sample(stations[1:], STAFFED)),
        subscriptions={
            station: {hazard: rng.choice(SEVERITIES) for hazard in rng.sample(HAZARDS, rng.choice((2, 4)))}
            for station in stations
        },
    )


def _place_names(rng: random.Random) -> tuple[str, ...]:
    names = [f"{rng.choice(EPITHETS)} {rng.choice(FEATURES)}"]  # two words show what stands between them
    while len(names) < PLACES:
        pair = f"{rng.choice(EPITHETS)} {rng.choice(FEATURES)}"
        name = rng.choice((rng.choice(TOWNS), pair, pair, f"{rng.choice(SIDES)} {pair}"))
        if name not in names:
            names.append(name)
    return tuple(names)
