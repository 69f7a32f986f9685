"""A smart home as a guest of the household sees it: devices in rooms, scenes, timers, thermostats, doors.

Its habits, which no description tells; the forms are drawn from the seed:

- Devices and doors, rooms, scenes and modes are codes made of their names. Days, times of day and durations have a form
  of their own; a bare number of minutes is never right.
- A refusal shows an example or lists the choices, but not everywhere: nothing is told of the mode to list, the room of
  a thermostat, the device of a timer, a scene's time, the scene and day to unschedule, and how long a door stays open.
- A scene puts all devices of a room into its mode, so what is moved there later does not follow.
- A scene that is scheduled with a reference may be sent again: the answer is the first one. Another request with that
  reference is refused.
- Thermostats take 10 to 30 degrees in steps of a half. Some devices only an administrator may change, and to some doors
  the answer is a bare 403.
"""

import datetime
import itertools
import random
from dataclasses import dataclass

from servers.codebooks import codes, days, times
from servers.forms import Codebook, DateForm, NameForm, TimeForm, date_forms, name_forms, time_forms
from servers.quantities import DurationForm, Minutes, Reader, duration, duration_forms
from servers.service import ServiceState

MODES = ("economy", "boost", "silent", "twilight", "holiday", "automatic")
SCENES = (
    "Movie Night", "Good Morning", "Dinner Party", "Quiet Reading", "Away", "Deep Sleep", "Spring Cleaning",
    "Home Office",
)  # fmt: skip
ROOMS = (
    "Kitchen", "Study", "Nursery", "Attic", "Pantry", "Guest Bedroom", "Music Room", "Laundry", "Library", "Sun Porch",
    "Workshop", "Garden Shed",
)  # fmt: skip
DOORS = (
    "Front Door", "Back Door", "Cellar Door", "Garage Door", "Terrace Door", "Side Gate", "Orchard Gate", "Yard Gate",
    "Balcony Door", "Vault Door", "Office Door", "Chapel Door",
)  # fmt: skip
# No two words of the two lists begin with the same three letters, so that shortened names stay distinct.
LOOKS = (
    "Amber", "Bright", "Corner", "Desk", "Round", "Old", "Little", "Window", "Ceiling", "Marble", "Velvet", "Jade",
    "Spare", "Hanging",
)  # fmt: skip
KINDS = ("Lamp", "Fan", "Heater", "Blind", "Speaker", "Kettle", "Radio", "Humidifier", "Projector", "Aquarium")
DEVICES, RESTRICTED, PRIVATE, SCHEDULED = 48, 4, 3, 45
MARKS = {
    "device": ("dev", "ep", "node", "dv", "zb", "tg", "ieee", "gw"),
    "room": ("rm", "area", "zn", "loc", "spc", "flr", "hm", "ar"),
    "scene": ("scn", "rout", "pres", "seq", "mac", "grp", "amb", "cue"),
    "mode": ("md", "opm", "prog", "sel", "fx", "cfg", "prf", "op"),
}


@dataclass(frozen=True)
class Forms:
    """How this seed's home wants each kind of argument written; `device` is also the form of doors."""

    device: NameForm
    room: NameForm
    scene: NameForm
    mode: NameForm
    date: DateForm
    time: TimeForm
    duration: DurationForm


@dataclass(kw_only=True)
class Device:
    """A device; only administrators change a `restricted` one. `minutes` is what its timer was set to (0: none)."""

    room: str
    mode: str
    restricted: bool
    minutes: int = 0


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole home.

    `effects` is scene → mode, `running` room → scene, `held` room → its thermostat's setting, `scheduled` scene → day →
    time and reference, `unlocked` door → minutes; guests do not open `private` doors.
    """

    forms: Forms
    devices: dict[str, Device]
    effects: dict[str, str]
    scheduled: dict[str, dict[str, dict[str, str | None]]]
    private: tuple[str, ...]
    running: dict[str, str]
    held: dict[str, dict[str, str | float]]
    unlocked: dict[str, int]

    def device(self) -> Codebook[str]:
        """Return the ids of the devices."""
        return codes(self.forms.device, tuple(self.devices), "Copper Toaster")

    def door(self) -> Codebook[str]:
        """Return the ids of the doors."""
        return codes(self.forms.device, DOORS, "Tower Hatch")

    def room(self) -> Codebook[str]:
        """Return the codes of the rooms."""
        return codes(self.forms.room, ROOMS, "Winter Salon")

    def scene(self) -> Codebook[str]:
        """Return the codes of the scenes."""
        return codes(self.forms.scene, SCENES, "Tea Time")

    def mode(self) -> Codebook[str]:
        """Return the codes of the modes."""
        return codes(self.forms.mode, MODES, "turbo")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def time(self) -> Codebook[datetime.time]:
        """Return the times of day."""
        return times(self.forms.time)

    def duration(self) -> Reader[Minutes]:
        """Return what reads durations."""
        return duration(self.forms.duration)


def first_state(seed: int) -> State:
    """Return how the home of `seed` starts."""
    habits = random.Random(f"smart_home forms {seed}")  # noqa: S311 - a simulation, not a secret
    forms = Forms(
        **{kind: habits.choice(name_forms(marks)) for kind, marks in MARKS.items()},
        date=habits.choice(date_forms()),
        time=habits.choice(time_forms()),
        duration=habits.choice(duration_forms()),
    )
    rng = random.Random(f"smart_home content {seed}")  # noqa: S311 - a simulation, not a secret
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    names = [" ".join(pair) for pair in rng.sample(list(itertools.product(LOOKS, KINDS)), DEVICES)]
    scheduled: dict[str, dict[str, dict[str, str | None]]] = {scene: {} for scene in SCENES}
    ahead = list(itertools.product(SCENES, range(1, 60)))
    for scene, day in rng.sample(ahead, SCHEDULED):
        time = f"{rng.randrange(24):02}:{rng.choice((0, 15, 30, 45)):02}"
        scheduled[scene][str(today + datetime.timedelta(days=day))] = {"time": time, "reference": None}
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, datetime.time(7, 15)),
        forms=forms,
        devices={
            name: Device(room=rng.choice(ROOMS), mode=rng.choice(MODES), restricted=number < RESTRICTED)
            for number, name in enumerate(names)
        },
        effects={scene: rng.choice(MODES) for scene in SCENES},
        scheduled=scheduled,
        private=tuple(rng.sample(DOORS, PRIVATE)),
        running={},
        held={},
        unlocked={},
    )
