"""Tasks that need the calendar and the travel agency: what stands in the one is booked in the other."""

import datetime
from collections.abc import Mapping
from typing import Any, cast

from servers.calendar.world import TITLES
from servers.calendar.world import State as CalendarState
from servers.domain import SharedState
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.travel.world import HOTELS_HELD, MEALS, TRAINS_HELD
from servers.travel.world import State as TravelState

LAST_DAYS = range(61, 195)  # nothing is booked, and nothing in the calendar, so late
FARES = ("saver", "standard", "flexible")


def _calendar(state: SharedState) -> CalendarState:
    return cast("CalendarState", state.parts["calendar"])


def _travel(state: SharedState) -> TravelState:
    return cast("TravelState", state.parts["travel"])


def _date(draws: Draws, state: SharedState) -> datetime.date:
    return draws.open("late date", [_travel(state).today + datetime.timedelta(days=n) for n in LAST_DAYS])


def _own_event(draws: Draws, state: SharedState) -> str:
    events = _calendar(state).events
    return draws.open("own event", [title for title, event in events.items() if event.organiser is None])


def _start(draws: Draws) -> datetime.time:
    return draws.open("start", [datetime.time(hour, minute) for hour in range(8, 19) for minute in range(0, 60, 5)])


def _title(draws: Draws, state: SharedState) -> str:
    return draws.open("title", [title for title in TITLES if title not in _calendar(state).events])


def _ticket(draws: Draws, state: SharedState, date: datetime.date) -> tuple[Call, dict[str, Any]]:
    travel = _travel(state)
    train, fare = draws.open("train", list(travel.trains)[TRAINS_HELD:]), draws.closed("fare", FARES)
    arguments = {
        "train": travel.forms.train.write(train),
        "date": travel.forms.date.write(date),
        "fare": travel.forms.fare.write(fare),
    }
    return Call("buy_ticket", arguments), {"train": train, "fare": fare}


def _room(draws: Draws, state: SharedState, date: datetime.date) -> tuple[Call, dict[str, Any]]:
    travel = _travel(state)
    hotel, meal = draws.open("hotel", list(travel.hotels)[HOTELS_HELD:]), draws.closed("meal", MEALS)
    nights = draws.open("nights", range(2, 13))
    arguments = {
        "hotel": travel.forms.hotel.write(hotel),
        "check_in": travel.forms.date.write(date),
        "nights": nights,
        "meal": travel.forms.meal.write(meal),
    }
    return Call("reserve_room", arguments), {"hotel": hotel, "nights": nights, "meal": meal}


def _train_to_event(draws: Draws, state: SharedState) -> Filled:
    """Buy a ticket for the day of an event: the day is found in the calendar."""
    calendar, title = _calendar(state), _own_event(draws, state)
    look = Call("get_event", {"event": calendar.forms.event.write(title)})
    buy, slots = _ticket(draws, state, calendar.events[title].date)
    return Filled({**slots, "event": title}, [look, buy], lookups=(0,))


def _connections_to_event(draws: Draws, state: SharedState) -> Filled:
    """Ask for trains on the day of an event: the day is found in the calendar first."""
    calendar, travel, title = _calendar(state), _travel(state), _own_event(draws, state)
    routes = sorted({(train.origin, train.destination) for train in travel.trains.values()})
    origin, destination = draws.open("route", routes)
    look = Call("get_event", {"event": calendar.forms.event.write(title)})
    arguments = {
        "origin": travel.forms.town.write(origin),
        "destination": travel.forms.town.write(destination),
        "date": travel.forms.date.write(calendar.events[title].date),
    }
    slots = {"event": title, "origin": origin, "destination": destination}
    return Filled(slots, [look, Call("search_trains", arguments)], lookups=(0,))


def _room_at_event(draws: Draws, state: SharedState) -> Filled:
    """Reserve a room from the day of an event on: the day is found in the calendar."""
    calendar, title = _calendar(state), _own_event(draws, state)
    look = Call("get_event", {"event": calendar.forms.event.write(title)})
    reserve, slots = _room(draws, state, calendar.events[title].date)
    return Filled({**slots, "event": title}, [look, reserve], lookups=(0,))


def _move_and_travel(draws: Draws, state: SharedState) -> Filled:
    calendar, title, date, start = _calendar(state), _own_event(draws, state), _date(draws, state), _start(draws)
    arguments = {
        "event": calendar.forms.event.write(title),
        "date": calendar.forms.date.write(date),
        "start": calendar.forms.time.write(start),
        "notify": calendar.forms.audience.write("nobody"),
    }
    buy, slots = _ticket(draws, state, date)
    return Filled({**slots, "event": title, "date": date, "start": start}, [Call("move_event", arguments), buy])


def _visit(draws: Draws, state: SharedState) -> Filled:
    calendar, title, date, start = _calendar(state), _title(draws, state), _date(draws, state), _start(draws)
    arguments = {
        "title": title,
        "date": calendar.forms.date.write(date),
        "start": calendar.forms.time.write(start),
        "minutes": 90,
    }
    reserve, slots = _room(draws, state, date)
    return Filled({**slots, "title": title, "date": date, "start": start}, [Call("create_event", arguments), reserve])


FEW: Mapping[Split, int] = {"practice": 3, "test": 3}
TEMPLATES: tuple[Template[SharedState], ...] = (
    Template(
        "train_to_event",
        ("Buy a {fare} ticket for the {train} on the day of the {event}.",),
        ("I go by the {train} to the {event}: look up the date and order a {fare} ticket.",),
        _train_to_event,
        tasks=FEW,
    ),
    Template(
        "connections_to_event",
        ("Which trains go from {origin} to {destination} on the day of the {event}?",),
        ("See when the {event} is, then show me the departures of that day, {origin} to {destination}.",),
        _connections_to_event,
        tasks=FEW,
    ),
    Template(
        "room_at_event",
        ("Reserve the {hotel} hotel for {nights} nights with {meal}, from the day of the {event}.",),
        ("When is the {event}? On that day I arrive at the {hotel}, so book me {nights} nights there, {meal}.",),
        _room_at_event,
        tasks=FEW,
    ),
    Template(
        "move_and_travel",
        ("Move the {event} to {date}, {start}, tell nobody, and buy a {fare} ticket for the {train} on that day.",),
        ("I need the {train} ({fare} fare) on {date}, and the {event} goes to that date at {start}. Notify nobody.",),
        _move_and_travel,
        tasks=FEW,
    ),
    Template(
        "visit",
        ('Schedule "{title}" on {date} at {start}, 90 minutes, and from then {nights} nights at the {hotel}, {meal}.',),
        (
            "On {date} I arrive at the {hotel} for {nights} nights with {meal}; book that. Add a 90 minute "
            '"{title}" for the same day, from {start}.',
        ),
        _visit,
        tasks=FEW,
    ),
)
