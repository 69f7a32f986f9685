"""Requests to the calendar and the calls that serve them."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from servers.calendar.tools import PAGE
from servers.calendar.world import ANSWERS, AUDIENCES, DIRECTORS_ROOMS, ORGANISING, ROOMS, TITLES, State
from servers.pages import page
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template

OPEN_ROOMS = tuple(room for room in ROOMS if room not in DIRECTORS_ROOMS)
KINDS = ("stand-up", "kickoff", "retrospective", "workshop", "handover", "planning round")

# Which of the forms writes an argument; the others stand as they are.
FORM_OF = {
    **{name: name for name in ("event", "person", "room", "answer", "date")},
    "since": "date",
    "start": "time",
    "notify": "audience",
}

Drawn = Callable[[Draws, State], Any]
Fill = Callable[[Draws, State], Filled]


def _call(state: State, tool: str, values: Mapping[str, Any]) -> Call:
    forms = state.forms
    return Call(
        tool,
        {
            name: getattr(forms, FORM_OF[name]).write(value) if name in FORM_OF else value
            for name, value in values.items()
        },
    )


def _single(tool: str, **drawn: Drawn) -> Fill:
    """Return what fills the places of one call, each named like an argument of `tool`."""

    def fill(draws: Draws, state: State) -> Filled:
        values = {name: draw(draws, state) for name, draw in drawn.items()}
        return Filled(values, [_call(state, tool, values)])

    return fill


def _own(draws: Draws, state: State) -> str:
    return draws.open("own event", [title for title, event in state.events.items() if event.organiser is None])


def _invited(draws: Draws, state: State) -> str:
    return draws.open("invited event", [title for title, event in state.events.items() if event.answer in ANSWERS])


def _either(draws: Draws, state: State) -> str:
    return draws.rng.choice((_own, _invited))(draws, state)


def _person(draws: Draws, state: State) -> str:
    return draws.open("person", state.people[1:])


def _title(draws: Draws, state: State) -> str:
    return draws.open("new title", [title for title in TITLES if title not in state.events])


def _room(draws: Draws, _: State) -> str:
    return draws.open("room", OPEN_ROOMS)


def _date(draws: Draws, state: State) -> datetime.date:
    """Draw a day that is still empty: what is new to the test here must not be known from the busy days."""
    return draws.open("date", [state.today + datetime.timedelta(days=n) for n in range(46, 160)])


def _busy_date(draws: Draws, state: State) -> datetime.date:
    """Draw a day on which something takes place."""
    return draws.open("busy date", sorted({event.date for event in state.events.values()}))


def _start(draws: Draws, _: State) -> datetime.time:
    return draws.open("start", [datetime.time(hour, minute) for hour in range(8, 19) for minute in range(0, 60, 5)])


def _minutes(draws: Draws, _: State) -> int:
    return draws.open("minutes", range(20, 185, 5))


def _answer(draws: Draws, _: State) -> str:
    return draws.closed("answer", ANSWERS)


def _status(draws: Draws, _: State) -> str:
    return draws.closed("status", (*ANSWERS, ORGANISING))


def _notify(draws: Draws, _: State) -> str:
    return draws.closed("audience", AUDIENCES)


def _persons_events(draws: Draws, state: State) -> Filled | None:
    person, since = _person(draws, state), _busy_date(draws, state)
    if len(state.calendar(person, since)) > PAGE:
        return None  # one call would not list them all
    values = {"person": person, "since": since}
    return Filled(values, [_call(state, "list_events", values)])


def _own_events(draws: Draws, state: State) -> Filled | None:
    answer, since = _status(draws, state), _busy_date(draws, state)
    if len(state.mine(answer, since)) > PAGE:
        return None
    values = {"answer": answer, "since": since}
    return Filled(values, [_call(state, "my_events", values)])


_create = _single("create_event", title=_title, date=_date, start=_start, minutes=_minutes)
_move = _single("move_event", event=_own, date=_date, start=_start, notify=_notify)


def _two_guests(draws: Draws, state: State) -> Filled | None:
    event, one, other = _own(draws, state), _person(draws, state), _person(draws, state)
    calls = [_call(state, "invite_guest", {"event": event, "person": person}) for person in (one, other)]
    return Filled({"event": event, "person": one, "other": other}, calls) if one != other else None


def _two_rooms(draws: Draws, state: State) -> Filled | None:
    date, one, other = _busy_date(draws, state), _room(draws, state), _room(draws, state)
    calls = [_call(state, "room_schedule", {"room": room, "date": date}) for room in (one, other)]
    return Filled({"date": date, "room": one, "other": other}, calls) if one != other else None


def _create_and_invite(draws: Draws, state: State) -> Filled:
    made, person = _create(draws, state), _person(draws, state)
    invite = _call(state, "invite_guest", {"event": made.slots["title"], "person": person})
    return Filled({**made.slots, "person": person}, [*made.calls, invite])


def _create_in_room(draws: Draws, state: State) -> Filled:
    made, room = _create(draws, state), _room(draws, state)
    book = _call(state, "book_room", {"event": made.slots["title"], "room": room})
    return Filled({**made.slots, "room": room}, [*made.calls, book])


def _move_to_room(draws: Draws, state: State) -> Filled:
    """Move an event and give it a room: the other way round the move would lose the room again."""
    moved, room = _move(draws, state), _room(draws, state)
    book = _call(state, "book_room", {"event": moved.slots["event"], "room": room})
    return Filled({**moved.slots, "room": room}, [*moved.calls, book])


def _invite_organiser(draws: Draws, state: State) -> Filled:
    event, other = _own(draws, state), _invited(draws, state)
    find = _call(state, "get_event", {"event": other})
    invite = _call(state, "invite_guest", {"event": event, "person": state.events[other].organiser})
    return Filled({"event": event, "other": other}, [find, invite], lookups=(0,))


def _first_free(draws: Draws, state: State) -> Filled | None:
    """Ask for the first hour at which somebody is free, where that is not simply nine o'clock."""
    person, date, title = _person(draws, state), _busy_date(draws, state), _title(draws, state)
    hours = state.free_times(person, date)
    if not hours or hours[0].hour == 9:
        return None
    free = _call(state, "free_times", {"person": person, "date": date})
    event = {"title": title, "date": date, "start": hours[0], "minutes": 60}
    calls = [free, _call(state, "create_event", event)]
    return Filled({"person": person, "date": date, "title": title}, calls)


def _whole_calendar(draws: Draws, state: State) -> Filled | None:
    """List a calendar to its end, where that takes two pages."""
    person, since = _person(draws, state), _busy_date(draws, state)
    titles = state.calendar(person, since)
    if not PAGE < len(titles) <= 2 * PAGE:
        return None
    cursor = page(titles, cursor=None, size=PAGE, about=f"calendar of {person} from {since}")[1]
    values = {"person": person, "since": since}
    calls = [_call(state, "list_events", values), _call(state, "list_events", {**values, "cursor": cursor})]
    return Filled(values, calls)


def _small_talk(draws: Draws, state: State) -> Filled:
    return Filled({"person": _person(draws, state), "kind": draws.rng.choice(KINDS)})


def _others_event(draws: Draws, state: State) -> Filled:
    """Ask for a change of somebody else's event; to answer it, or to make another one, was not asked for."""
    title = _invited(draws, state)
    slots = {"event": title, "organiser": state.events[title].organiser, "notify": _notify(draws, state)}
    return Filled({**slots, "date": _date(draws, state), "start": _start(draws, state)})


def _directors_room(draws: Draws, state: State) -> Filled:
    return Filled({"event": _own(draws, state), "room": draws.closed("directors' room", DIRECTORS_ROOMS)})


SINGLE: Mapping[Split, int] = {"practice": 5, "test": 3}
FEW: Mapping[Split, int] = {"practice": 3, "test": 2}
ONCE: Mapping[Split, int] = {"practice": 1, "test": 1}
TEMPLATES: tuple[Template[State], ...] = (
    Template(
        "list_persons",
        (
            "Which events does {person} have on the calendar from {since} on?",
            "I'd like to see the upcoming events of {person}, beginning with {since}.",
            "Look into {person}'s calendar, from {since} onwards.",
        ),
        (
            "Starting on {since}, how busy is {person}? List the events.",
            "Pull up {person}'s agenda of events as of {since}.",
        ),
        _persons_events,
        tasks=SINGLE,
    ),
    Template(
        "details",
        (
            "Show me the event: where and when is the {event}?",
            "Give me the details of the {event}.",
            "Who is invited to the {event}?",
        ),
        (
            "I forgot all details about the {event}: time, place, who comes?",
            "What event is the {event}, and who organises it?",
        ),
        _single("get_event", event=_either),
        tasks=SINGLE,
    ),
    Template(
        "create",
        (
            'Schedule "{title}" on {date} at {start} for {minutes} minutes.',
            'Put a new event into my calendar: "{title}", {date}, {start}, {minutes} minutes.',
            'I need a {minutes} minute appointment called "{title}" on {date}, starting at {start}.',
        ),
        (
            'Please create an event named "{title}" for {date}. It begins at {start} and takes {minutes} minutes.',
            'A new {minutes} minute meeting for my calendar: {date}, from {start} on, and the title is "{title}".',
        ),
        _create,
        tasks=SINGLE,
    ),
    Template(
        "move",
        (
            "Move the {event} to {date} at {start} and notify {notify}.",
            "The {event} has to be rescheduled: {date}, {start}. Tell {notify} about it.",
            "Please postpone the {event} until {date}, {start}; send the change to {notify}.",
        ),
        (
            "Move our {event}: its new day is {date}, the time {start}, and {notify} should hear of that.",
            "Could you reschedule the {event}, so that it begins {date} at {start}? Let {notify} know.",
        ),
        _move,
        tasks=SINGLE,
    ),
    Template(
        "cancel",
        (
            "Cancel the {event} and notify {notify}.",
            "The {event} will not take place. Call it off and tell {notify}.",
            "Please drop the {event}; a message goes to {notify}.",
        ),
        (
            "We no longer need the {event}, so cancel that and inform {notify}.",
            "Let's call off the {event} for good, with a message to {notify}.",
        ),
        _single("cancel_event", event=_own, notify=_notify),
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "invite",
        (
            "Invite {person} to the {event}.",
            "Please add {person} as a guest of the {event}.",
            "{person} should come to the {event} too; send an invitation.",
        ),
        (
            "Could you put {person} on the guest list for the {event}?",
            "Make {person} one more guest at the {event}.",
        ),
        _single("invite_guest", event=_own, person=_person),
        tasks=SINGLE,
    ),
    Template(
        "answer",
        (
            "My answer to the {event} invitation is: {answer}.",
            "Reply to the {event} that I am {answer}.",
            "RSVP for the {event}: put me down as {answer}.",
        ),
        (
            "Tell the organiser of the {event} my answer: {answer}.",
            "About that {event} invitation, please mark me {answer}.",
        ),
        _single("answer_invitation", event=_invited, answer=_answer),
        tasks=SINGLE,
    ),
    Template(
        "my_events",
        (
            "Which of my own meetings and invitations from {since} on have me down as {answer}?",
            "List my own meetings and invitations with the answer {answer}, {since} and later.",
            "Those of my meetings and invitations where I am {answer}, please, from {since}.",
        ),
        (
            "For which meetings of my own on {since} and after that am I marked {answer}?",
            "Go through my own invitations and meetings since {since}: where does it say {answer}?",
        ),
        _own_events,
        tasks=SINGLE,
    ),
    Template(
        "free",
        (
            "When is {person} free on {date}?",
            "Find the free times of {person} on {date}.",
            "I need an hour with {person} on {date}. At what times are they available?",
        ),
        (
            "Is {person} busy all the time on {date}? I'd need a free hour.",
            "Check at what times {person} is available, {date}.",
        ),
        _single("free_times", person=_person, date=_busy_date),
        tasks=SINGLE,
    ),
    Template(
        "book",
        (
            "Book the {room} for the {event}.",
            "The {event} needs a room: reserve the {room}.",
            "Please reserve the {room} so that the {event} can take place there.",
        ),
        (
            "We want to reserve a room for our {event}, namely the {room}.",
            "Could the {event} have the {room}? Book that.",
        ),
        _single("book_room", event=_own, room=_room),
        tasks=SINGLE,
    ),
    Template(
        "schedule",
        (
            "What takes place in the {room} on {date}?",
            "Show me the schedule of the {room} for {date}.",
            "Is anything going on in the {room} on {date}?",
        ),
        (
            "Who uses the {room} on {date}, and when?",
            "I want to know what the {room} is used for, {date}: its whole schedule.",
        ),
        _single("room_schedule", room=_room, date=_busy_date),
        tasks=SINGLE,
    ),
    Template(
        "two_guests",
        ("Invite both {person} and {other} to the {event}.", "The {event} gets two more guests: {person} and {other}."),
        ("Add {person} as well as {other} to the people who come to the {event}.",),
        _two_guests,
        tasks=FEW,
    ),
    Template(
        "two_rooms",
        ("Compare what happens in the {room} and in the {other} on {date}.",),
        ("I look for a quiet place on {date}. Show me the schedules for the {room} and also for the {other}.",),
        _two_rooms,
        tasks=FEW,
    ),
    Template(
        "create_and_invite",
        (
            'Schedule "{title}" on {date}, {start}, {minutes} minutes, and invite {person}.',
            'Set a {minutes} minute "{title}" for {date} at {start}; {person} is to be a guest.',
        ),
        ('Let me meet {person} on {date} from {start}, {minutes} minutes. Call it "{title}" and ask them to come.',),
        _create_and_invite,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "create_in_room",
        ('New event "{title}": {date}, {start}, {minutes} minutes, in the {room}.',),
        ('Arrange a "{title}" that lasts {minutes} minutes on {date} at {start}. It should be held in the {room}.',),
        _create_in_room,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "move_to_room",
        ("Move the {event} to {date}, {start}, into the {room}, and tell {notify}.",),
        ("The {event} changes: from now on it is {date} at {start} and takes the {room}. Inform {notify}.",),
        _move_to_room,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "invite_organiser",
        ("Whoever organises the {other} should be invited to the {event}.",),
        ("Please find out who runs the {other} and add that colleague to the guests for my {event}.",),
        _invite_organiser,
        tasks=FEW,
    ),
    Template(
        "first_free",
        ('Schedule "{title}", 60 minutes, at the first hour at which {person} is free on {date}. I ask them myself.',),
        ('"{title}" takes 60 minutes. Put that on {date}, as early as {person} is available; no invitations yet.',),
        _first_free,
        tasks=FEW,
    ),
    Template(
        "whole_calendar",
        ("List the whole calendar of {person} from {since} on, to the very last event.",),
        ("I want each single appointment that {person} has after {since} or on that day, all pages.",),
        _whole_calendar,
        tasks={"practice": 2, "test": 2},
    ),
    Template(
        "small_talk",
        (
            "Thanks for sorting out {person}'s week, that will be all.",
            "How long should a good {kind} be, in your opinion?",
        ),
        (
            "Is it rude to leave a {kind} before it ends?",
            "I met {person} by chance today and we had a nice chat about gardens.",
            "Give me three tips for a livelier {kind}.",
        ),
        _small_talk,
        kind="no_tool",
        tasks=ONCE,
    ),
    Template(
        "others_event",
        (
            "{organiser}'s {event} is at a bad time. Move it to {date}, {start}.",
            "Cancel the {event} that {organiser} organises and tell {notify}.",
        ),
        ("The {event} organised by {organiser} does not suit me: change it to {date} at {start}.",),
        _others_event,
        kind="forbidden",
        tasks=ONCE,
    ),
    Template(
        "directors_room",
        ("The {event} deserves the {room}. Reserve it.",),
        ("For the {event} we would like to have the {room} this time.",),
        _directors_room,
        kind="forbidden",
        tasks=ONCE,
    ),
)
