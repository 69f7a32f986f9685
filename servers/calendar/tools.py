"""The tools of the calendar. Signature and docstring become the definition that clients see.

How much a refusal tells differs from tool to tool: `told` at each argument says how much.
"""

import datetime
from typing import Any

from servers.calendar.world import DIRECTORS_ROOMS, ORGANISING, WHOLE_COMPANY, Event, State
from servers.errors import ToolError
from servers.pages import page
from servers.schema import described

PAGE = 5
LONGEST = 480  # minutes


@described("terse")
def list_events(state: State, person: str, since: str, cursor: str | None = None) -> dict[str, Any]:
    """Upcoming events on a colleague's calendar (agenda).

    Args:
        since: First day to show.
    """
    day = state.date().read("since", since, told="example")
    colleague = state.person().read("person", person, told="example")
    titles, next_cursor = page(
        state.calendar(colleague, day), cursor=cursor, size=PAGE, about=f"calendar of {colleague} from {day}"
    )
    return {
        "person": state.forms.person.write(colleague),
        "since": state.forms.date.write(day),
        "events": [_line(state, title) for title in titles],
        "next_cursor": next_cursor,
    }


@described("good", read_only=True)
def get_event(state: State, event: str) -> dict[str, Any]:
    """Details of one event: when and where it takes place, who organises it, who is invited.

    Args:
        event: Event id.
    """
    title = state.read_event(event, told="nothing")
    return _shown(state, title)


@described("misleading", "days and times are taken in the calendar's own form only, not as ISO 8601")
def create_event(state: State, title: str, date: str, start: str, minutes: int) -> dict[str, Any]:
    """Schedule a new event (meeting, appointment) in the user's calendar.

    Args:
        title: Title of the event.
        date: ISO 8601 date.
        start: ISO 8601 time at which it starts.
    """
    day = _day(state, "date", date)
    clock = state.time().read("start", start, told="example")
    if not title.strip() or len(title) > 60:
        raise ToolError("title must have between 1 and 60 characters")
    if not 15 <= minutes <= LONGEST:
        raise ToolError(f"minutes must be between 15 and {LONGEST}, not {minutes}")
    written = state.forms.event.write(title)
    if written in state.event().written or written == state.event().example:
        raise ToolError(f"409: there is already an event with the id {written!r}")
    state.events[title] = Event(None, day, clock, minutes, answer=ORGANISING)
    return _shown(state, title)


@described("misleading", "where notify is left out, not the guests but the whole company is told; a room is lost")
def move_event(state: State, event: str, date: str, start: str, notify: str | None = None) -> dict[str, Any]:
    """Move (reschedule, postpone) an event to another day or time.

    Args:
        event: Event id.
        date: New day.
        start: New time.
        notify: Who is told of it. By default only the guests.
    """
    title = state.read_event(event, told="example")
    day = _day(state, "date", date)
    audience = WHOLE_COMPANY if notify is None else state.audience().read("notify", notify, told="choices")
    clock = state.time().read("start", start, told="nothing")
    moved = state.events[title]
    if moved.organiser is not None:
        raise ToolError("403")
    if (moved.date, moved.start) == (day, clock):
        raise ToolError(f"{title} takes place then already")
    moved.date, moved.start, moved.room, moved.told = day, clock, None, audience
    return _shown(state, title) | {"told": audience}


@described("good")
def cancel_event(state: State, event: str, notify: str) -> dict[str, Any]:
    """Cancel (call off) an event that the user organises.

    Args:
        notify: Who gets a message that it was cancelled.
    """
    title = state.read_event(event, told="example")
    audience = state.audience().read("notify", notify, told="nothing")
    called_off = state.events[title]
    if called_off.organiser is not None:
        raise ToolError(f"Only the organiser, {called_off.organiser}, can cancel {title}; you can decline it instead.")
    called_off.cancelled, called_off.told = True, audience
    return {"cancelled": title, "told": audience}


@described("terse")
def invite_guest(state: State, event: str, person: str) -> dict[str, Any]:
    """Add a guest."""
    title = state.read_event(event, told="example")
    guest = state.person().read("person", person, told="nothing")
    invited = state.events[title]
    if invited.organiser is not None:
        raise ToolError("403 Forbidden")
    if guest in invited.guests:
        raise ToolError(f"409: {guest} is invited to {title} already")
    invited.guests = sorted([*invited.guests, guest])
    return {"event": state.forms.event.write(title), "title": title, "guests": _people(state, invited.guests)}


@described("good")
def answer_invitation(state: State, event: str, answer: str) -> dict[str, Any]:
    """Tell the organiser of an event whether the user takes part (RSVP): accept, decline, or in between.

    Args:
        answer: The user's answer to the invitation.
    """
    title = state.read_event(event, told="example")
    given = state.answer().read("answer", answer, told="choices")
    invited = state.events[title]
    if invited.answer is None or ORGANISING in (invited.answer, given):
        raise ToolError(f"{title} is no invitation that can be answered so.")
    if invited.answer == given:
        raise ToolError(f"409: your answer to {title} is {given} already")
    invited.answer = given
    return {"event": state.forms.event.write(title), "title": title, "answer": given}


@described("terse")
def my_events(state: State, answer: str, since: str, cursor: str | None = None) -> dict[str, Any]:
    """The user's own meetings and invitations, by what the user answered (said) to them.

    Args:
        since: Earliest day.
    """
    day = state.date().read("since", since, told="example")
    given = state.answer().read("answer", answer, told="nothing")
    titles, next_cursor = page(state.mine(given, day), cursor=cursor, size=PAGE, about=f"{given} from {day}")
    return {
        "answer": state.forms.answer.write(given),
        "since": state.forms.date.write(day),
        "events": [_line(state, title) for title in titles],
        "next_cursor": next_cursor,
    }


@described("good")
def free_times(state: State, person: str, date: str) -> dict[str, Any]:
    """Times at which a colleague is free (available, not busy) for an hour on one day, between 9:00 and 17:00.

    Args:
        person: Id of the colleague.
        date: The day.
    """
    colleague = state.person().read("person", person, told="example")
    day = state.date().read("date", date, told="example")
    state.spend(
        "free times",
        limit=12,
        window=datetime.timedelta(minutes=10),
        refusal="429: free times may be asked for 12 times in 10 minutes",
    )
    return {
        "person": state.forms.person.write(colleague),
        "date": state.forms.date.write(day),
        "free": [state.forms.time.write(clock) for clock in state.free_times(colleague, day)],
    }


@described("good")
def book_room(state: State, event: str, room: str) -> dict[str, Any]:
    """Reserve a meeting room for an event, for as long as it takes; a room that it had before is given back."""
    title = state.read_event(event, told="example")
    place = state.room().read("room", room, told="example")
    held = state.events[title]
    if held.organiser is not None:
        raise ToolError(f"{title} is read-only for you")
    if place in DIRECTORS_ROOMS:
        raise ToolError(f"403: the {place} may be reserved by directors only")
    if held.room == place:
        raise ToolError(f"{title} has the {place} already")
    taken = [other for other in state.in_room(place, held.date) if state.events[other].overlaps(held)]
    if taken:
        raise ToolError(f"409: the {place} is taken at that time")
    held.room = place
    return _shown(state, title)


@described("terse")
def room_schedule(state: State, room: str, date: str) -> dict[str, Any]:
    """Schedule of a room: what takes place there on a day."""
    place = state.room().read("room", room, told="choices")
    day = state.date().read("date", date, told="nothing")
    return {
        "room": state.forms.room.write(place),
        "date": state.forms.date.write(day),
        "events": [
            _line(state, title) if state.visible(state.events[title]) else {"title": "private"}
            for title in state.in_room(place, day)
        ],
    }


TOOLS = (
    list_events,
    get_event,
    create_event,
    move_event,
    cancel_event,
    invite_guest,
    answer_invitation,
    my_events,
    free_times,
    book_room,
    room_schedule,
)


def _day(state: State, argument: str, text: str) -> datetime.date:
    day = state.date().read(argument, text, told="example")
    if day < state.today:
        raise ToolError(f"{argument} lies in the past")
    return day


def _people(state: State, names: list[str]) -> list[str]:
    return [state.forms.person.write(name) for name in names]


def _line(state: State, title: str) -> dict[str, Any]:
    event = state.events[title]
    return {
        "event": state.forms.event.write(title),
        "title": title,
        "date": state.forms.date.write(event.date),
        "start": state.forms.time.write(event.start),
        "minutes": event.minutes,
    }


def _shown(state: State, title: str) -> dict[str, Any]:
    event = state.events[title]
    return _line(state, title) | {
        "organiser": "the user" if event.organiser is None else state.forms.person.write(event.organiser),
        "guests": _people(state, event.guests),
        "room": None if event.room is None else state.forms.room.write(event.room),
        "answer": None if event.answer is None else state.forms.answer.write(event.answer),
    }
