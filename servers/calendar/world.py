"""An office calendar: the user's own events, those of colleagues, rooms, and answers to invitations.

Habits that no description tells:

- Events, people and rooms have ids made of their names; answers and who is told of a change are codes.
- Days and times have a form of their own.
- Only the organiser changes an event. A private event of others does not exist for the user.
- Some rooms are for the directors.
- An event that is moved loses its room, and if nobody says who is to be told, the whole company is.
- Calendars and the user's own events come in pages; free times may be asked for twelve times in ten minutes.
"""

import datetime
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from servers.codebooks import codes, days, times
from servers.errors import ToolError
from servers.forms import Codebook, DateForm, NameForm, TimeForm, Told, date_forms, name_forms, time_forms
from servers.service import ServiceState

# No two words of one list begin with the same three letters, so that shortened names stay distinct.
TOPICS = (
    "Archive", "Budget", "Catalogue", "Delivery", "Energy", "Fleet", "Harbour", "Insurance", "Invoice", "Logistics",
    "Marketing", "Newsletter", "Onboarding", "Payroll", "Pension", "Podcast", "Quality", "Recruiting", "Security",
    "Tender", "Training", "Usability", "Warehouse", "Website",
)  # fmt: skip
KINDS = (
    "Briefing", "Demo", "Forum", "Handover", "Interview", "Kickoff", "Lunch", "Planning", "Retrospective", "Review",
    "Standup", "Workshop",
)  # fmt: skip
TITLES = tuple(f"{topic} {kind}" for topic in TOPICS for kind in KINDS)
FIRST_NAMES = (
    "Ada", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Livia", "Marek",
    "Nadia", "Oskar", "Petra", "Quentin", "Rosa", "Stefan", "Tilda", "Umar", "Vera", "Wanda", "Yusuf", "Zora",
)  # fmt: skip
LAST_NAMES = (
    "Ashdown", "Bellamy", "Corrigan", "Drummond", "Eastley", "Forsyth", "Galbraith", "Hargreave", "Ibsen", "Jellicoe",
    "Kowalski", "Lindqvist", "Moreau", "Novak", "Okonkwo", "Pemberton", "Quist", "Rasmussen", "Szabo", "Thackeray",
    "Underhill", "Valdez", "Winslow", "Yamada", "Zimmer",
)  # fmt: skip
ROOMS = (
    "Aurora Hall", "Birch Studio", "Cascade Loft", "Dune Parlour", "Ember Corner", "Fjord Suite", "Glacier Room",
    "Heron Nest", "Iris Chamber", "Juniper Hall", "Kestrel Loft", "Lagoon Studio", "Meadow Suite", "Nimbus Parlour",
    "Opal Chamber", "Prairie Nest", "Quartz Corner", "Raven Room", "Summit Salon", "Tulip Salon",
)  # fmt: skip
DIRECTORS_ROOMS = ("Summit Salon", "Tulip Salon")
ANSWERS = ("attending", "absent", "undecided", "remote")
ORGANISING = "organising"
AUDIENCES = ("everybody", "confirmed attendees", "nobody")
WHOLE_COMPANY = "whole company"  # who is told where nobody said it; not to be asked for

PEOPLE = 66  # the first one is the example that refusals show
OWN, INVITED, OTHERS = 54, 26, 14  # events organised by the user, by others with the user as a guest, without
MARKS = {
    "event": ("evt", "cal", "ev", "mtg", "appt", "entry", "slot", "ce"),
    "person": ("usr", "pp", "staff", "emp", "acct", "who", "prs", "uid"),
    "room": ("rm", "loc", "res", "space", "fac", "plc", "site", "rs"),
    "answer": ("rsvp", "ans", "re", "att", "reply", "pst", "resp", "rv"),
    "audience": ("send", "ntf", "mail", "upd", "msg", "tell", "cc", "inf"),
}


@dataclass(frozen=True)
class Forms:
    """How this seed's calendar wants each kind of argument written."""

    event: NameForm
    person: NameForm
    room: NameForm
    answer: NameForm
    audience: NameForm
    date: DateForm
    time: TimeForm


@dataclass
class Event:
    """An event. `organiser` None: the user's own. `answer` is what the user said, None where not invited."""

    organiser: str | None
    date: datetime.date
    start: datetime.time
    minutes: int
    guests: list[str] = field(default_factory=list)
    room: str | None = None
    private: bool = False
    answer: str | None = None
    told: str | None = None  # who heard of the last change
    cancelled: bool = False

    def span(self) -> tuple[datetime.datetime, datetime.datetime]:
        """Return when it begins and when it ends."""
        begins = datetime.datetime.combine(self.date, self.start)
        return begins, begins + datetime.timedelta(minutes=self.minutes)

    def overlaps(self, other: "Event") -> bool:
        """Tell whether both take place at some moment."""
        (begins, ends), (other_begins, other_ends) = self.span(), other.span()
        return begins < other_ends and other_begins < ends


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole state; `events` by title, `people` with the example of refusals first."""

    forms: Forms
    people: tuple[str, ...]
    events: dict[str, Event]

    def person(self) -> Codebook[str]:
        """Return the ids of the colleagues."""
        return codes(self.forms.person, self.people, self.people[0])

    def room(self) -> Codebook[str]:
        """Return the ids of the rooms."""
        return codes(self.forms.room, ROOMS, "Copper Gallery")

    def answer(self) -> Codebook[str]:
        """Return the codes of what the user has to do with an event."""
        return codes(self.forms.answer, (*ANSWERS, ORGANISING), "on holiday")

    def audience(self) -> Codebook[str]:
        """Return the codes of who is told of a change."""
        return codes(self.forms.audience, AUDIENCES, "team leads")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def time(self) -> Codebook[datetime.time]:
        """Return the times of day."""
        return times(self.forms.time)

    def event(self) -> Codebook[str]:
        """Return the ids of all events, private and cancelled ones too."""
        return Codebook(self.forms.event, self.events, example="Copper Jubilee", said="the Copper Jubilee")

    def read_event(self, text: str, *, told: Told) -> str:
        """Return the title of the event with the id `text`.

        Raises:
            ToolError: there is none, it was cancelled, or the user may not see it.
        """
        title = self.event().read("event", text, told=told)
        if not self.visible(self.events[title]):
            raise ToolError(f"404: no event {text!r}")
        if self.events[title].cancelled:
            raise ToolError(f"410: {title} was cancelled")
        return title

    def visible(self, event: Event) -> bool:
        """Tell whether the user may see `event`."""
        return not event.private

    def calendar(self, person: str, since: datetime.date) -> list[str]:
        """Return the titles of the visible events that `person` has from `since` on, the earliest first."""
        return self._in_order(
            title
            for title, event in self.events.items()
            if person in (event.organiser, *event.guests) and event.date >= since and self.visible(event)
        )

    def mine(self, answer: str, since: datetime.date) -> list[str]:
        """Return the titles of the user's events from `since` on by what the user said, the earliest first."""
        return self._in_order(
            title for title, event in self.events.items() if event.answer == answer and event.date >= since
        )

    def in_room(self, room: str, date: datetime.date) -> list[str]:
        """Return the titles of the events in `room` on `date`, private ones too, the earliest first."""
        return self._in_order(title for title, event in self.events.items() if (event.room, event.date) == (room, date))

    def free_times(self, person: str, date: datetime.date) -> list[datetime.time]:
        """Return the full hours of `date` at which `person` is free for an hour, private events counted."""
        taken = [
            event
            for event in self.events.values()
            if person in (event.organiser, *event.guests) and event.date == date and not event.cancelled
        ]
        hours = [datetime.time(hour) for hour in range(9, 17)]
        return [hour for hour in hours if not any(Event(None, date, hour, 60).overlaps(event) for event in taken)]

    def _in_order(self, titles: Iterable[str]) -> list[str]:
        held = [title for title in titles if not self.events[title].cancelled]
        return sorted(held, key=lambda title: (*self.events[title].span(), title))


def first_state(seed: int) -> State:
    """Return how the calendar of `seed` starts."""
    forms = random.Random(f"calendar forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"calendar content {seed}")  # noqa: S311 - a simulation, not a secret
    # The first day of the travel service too: errands lead from one to the other.
    today = datetime.date(2026, 1, 1) + datetime.timedelta(
        days=random.Random(f"first day {seed}").randrange(365)  # noqa: S311 - a simulation, not a secret
    )
    pairs = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    people = tuple(rng.sample(pairs, PEOPLE))
    roles = ["own"] * OWN + ["invited"] * INVITED + ["other"] * OTHERS
    events: dict[str, Event] = {}
    for title, role in zip(rng.sample(TITLES, len(roles)), roles, strict=True):
        organiser, *guests = rng.sample(people[1:], rng.randrange(5, 9))
        event = Event(
            organiser=None if role == "own" else organiser,
            date=today + datetime.timedelta(days=rng.randrange(1, 45)),
            start=datetime.time(rng.randrange(9, 17), rng.choice((0, 15, 30, 45))),
            minutes=rng.choice((30, 45, 60, 90)),
            guests=sorted(guests),
            private=role == "other" and rng.random() < 0.5,
            answer={"own": ORGANISING, "invited": rng.choice(ANSWERS), "other": None}[role],
        )
        room = rng.choice(ROOMS)
        if role != "own" and not any(event.overlaps(other) for other in events.values() if other.room == room):
            event.room = room
        events[title] = event
    return State(
        seed=seed,
        forms=Forms(
            **{kind: forms.choice(name_forms(marks)) for kind, marks in MARKS.items()},
            date=forms.choice(date_forms()),
            time=forms.choice(time_forms()),
        ),
        now=datetime.datetime.combine(today, datetime.time(8, 30)),
        people=people,
        events=dict(sorted(events.items())),
    )
