"""Requests to the travel agency and the calls that serve them."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from servers.pages import page
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template
from servers.travel.tools import PAGE
from servers.travel.world import (
    FARES,
    HOTELS_HELD,
    MEALS,
    REFUNDS,
    SEATS,
    TOWNS,
    TRAINS_HELD,
    State,
)

SOLD = tuple(fare for fare in FARES if fare != "first class")
COLOURS = ("amber", "blue", "coral", "green", "ivory", "olive", "pearl", "red", "teal", "white")

# Which of the forms writes an argument; the others stand as they are.
FORM_OF = {
    **{name: name for name in ("town", "train", "hotel", "fare", "seat", "meal", "refund", "date", "booking")},
    **dict.fromkeys(("origin", "destination"), "town"),
    **dict.fromkeys(("travel_date", "new_date", "check_in", "since"), "date"),
}

Drawn = Callable[[Draws, State], Any]
Fill = Callable[[Draws, State], Filled]


def _call(state: State, tool: str, values: Mapping[str, Any]) -> Call:
    written = {
        name: getattr(state.forms, FORM_OF[name]).write(value) if name in FORM_OF else value
        for name, value in values.items()
    }
    return Call(tool, written)


def _single(tool: str, **drawn: Drawn) -> Fill:
    """Return what fills the places of one call, each named like an argument of `tool`."""

    def fill(draws: Draws, state: State) -> Filled:
        values = {name: draw(draws, state) for name, draw in drawn.items()}
        return Filled(values, [_call(state, tool, values)])

    return fill


def _town(draws: Draws, _: State) -> str:
    return draws.open("town", TOWNS)


def _train(draws: Draws, state: State) -> str:
    """Draw a train for which nobody has a ticket yet."""
    return draws.open("train", list(state.trains)[TRAINS_HELD:])


def _hotel(draws: Draws, state: State) -> str:
    """Draw a hotel where the user has no stay yet."""
    return draws.open("hotel", list(state.hotels)[HOTELS_HELD:])


def _route(draws: Draws, state: State) -> tuple[str, str]:
    return draws.open("route", sorted({(train.origin, train.destination) for train in state.trains.values()}))


def _date(draws: Draws, state: State) -> datetime.date:
    """Draw a day after all that is booked: what is new to the test here must not be known from there."""
    return draws.open("date", [state.today + datetime.timedelta(days=n) for n in range(61, 195)])


def _since(draws: Draws, state: State) -> datetime.date:
    return draws.open("since", [state.today + datetime.timedelta(days=n) for n in range(1, 60)])


def _fare(draws: Draws, _: State) -> str:
    return draws.closed("fare", SOLD)


def _seat(draws: Draws, _: State) -> str:
    return draws.closed("seat", SEATS)


def _meal(draws: Draws, _: State) -> str:
    return draws.closed("meal", MEALS)


def _refund(draws: Draws, _: State) -> str:
    return draws.closed("refund", REFUNDS)


def _nights(draws: Draws, _: State) -> int:
    return draws.open("nights", range(2, 13))


def _reference(draws: Draws, _: State) -> str:
    return draws.open("reference", [f"{colour} {number}" for colour in COLOURS for number in range(11, 100, 8)])


def _ticket(draws: Draws, state: State) -> int:
    """Draw a ticket that may be changed and refunded."""
    return draws.open("ticket", [n for n, held in state.tickets.items() if held.mine and held.fare != "saver"])


def _bookings(draws: Draws, state: State) -> Filled | None:
    town, since = _town(draws, state), _since(draws, state)
    if len(state.bookings_to(town, since)) > PAGE:
        return None  # one call would not list them all
    values = {"town": town, "since": since}
    return Filled(values, [_call(state, "my_bookings", values)])


_search = _single("search_hotels", town=_town, check_in=_date, meal=_meal)
_book = _single("buy_ticket", train=_train, date=_date, fare=_fare)
_book_hotel = _single("reserve_room", hotel=_hotel, check_in=_date, nights=_nights, meal=_meal)


def _search_trains(draws: Draws, state: State) -> Filled:
    (origin, destination), date = _route(draws, state), _date(draws, state)
    values = {"origin": origin, "destination": destination, "date": date}
    return Filled(values, [_call(state, "search_trains", values)])


def _change(draws: Draws, state: State) -> Filled:
    ticket = state.tickets[_ticket(draws, state)]
    values = {"train": ticket.train, "travel_date": ticket.date, "new_date": _date(draws, state)}
    return Filled(values, [_call(state, "change_ticket", values)])


def _cancel_stay(draws: Draws, state: State) -> Filled:
    stay = state.stays[draws.open("stay", list(state.stays))]
    values = {"hotel": stay.hotel, "check_in": stay.check_in, "refund": _refund(draws, state)}
    return Filled(values, [_call(state, "cancel_stay", values)])


def _two_towns(draws: Draws, state: State) -> Filled | None:
    town, other, check_in, meal = _town(draws, state), _town(draws, state), _date(draws, state), _meal(draws, state)
    values = {"check_in": check_in, "meal": meal}
    calls = [_call(state, "search_hotels", {"town": name, **values}) for name in (town, other)]
    return Filled({"town": town, "other": other, **values}, calls) if town != other else None


def _there_and_back(draws: Draws, state: State) -> Filled | None:
    train, other, fare = _train(draws, state), _train(draws, state), _fare(draws, state)
    date, back = sorted((_date(draws, state), _date(draws, state)))
    calls = [
        _call(state, "buy_ticket", {"train": name, "date": day, "fare": fare})
        for name, day in ((train, date), (other, back))
    ]
    slots = {"train": train, "other": other, "date": date, "back": back, "fare": fare}
    return Filled(slots, calls) if train != other and date != back else None


def _train_and_hotel(draws: Draws, state: State) -> Filled:
    """Book a journey and a room: the day of travel is the day of arrival."""
    ticket, stay = _book(draws, state), _book_hotel(draws, state)
    date = ticket.slots["date"]
    values = {**stay.slots, "check_in": date}
    return Filled({**values, **ticket.slots}, [*ticket.calls, _call(state, "reserve_room", values)])


def _book_then_seat(draws: Draws, state: State) -> Filled:
    """Book, and then choose a seat by the booking number that came back."""
    booked, seat = _book(draws, state), _seat(draws, state)
    number = state.number(booked.slots["train"], booked.slots["date"])
    choose = _call(state, "choose_seat", {"booking": number, "seat": seat})
    return Filled({**booked.slots, "seat": seat}, [*booked.calls, choose])


def _change_then_seat(draws: Draws, state: State) -> Filled:
    """Change a ticket and choose a seat: the other way round the change would lose the seat again."""
    number, new_date, seat = _ticket(draws, state), _date(draws, state), _seat(draws, state)
    ticket = state.tickets[number]
    values = {"train": ticket.train, "travel_date": ticket.date, "new_date": new_date}
    calls = [_call(state, "change_ticket", values), _call(state, "choose_seat", {"booking": number, "seat": seat})]
    return Filled({**values, "booking": number, "seat": seat}, calls)


def _rebook(draws: Draws, state: State) -> Filled | None:
    """Cancel a ticket and buy another for the same journey, of which there cannot be two."""
    number, refund, fare = _ticket(draws, state), _refund(draws, state), _fare(draws, state)
    ticket = state.tickets[number]
    cancel = _call(state, "cancel_ticket", {"booking": number, "refund": refund})
    again = {"train": ticket.train, "date": ticket.date, "fare": fare}
    slots = {**again, "booking": number, "refund": refund}
    return Filled(slots, [cancel, _call(state, "buy_ticket", again)]) if fare != ticket.fare else None


def _cheapest_train(draws: Draws, state: State) -> Filled:
    # No lookup that may be made in another way: prices differ from day to day, so the search must be for this one.
    (origin, destination), date, fare = _route(draws, state), _date(draws, state), _fare(draws, state)
    cheapest = min(state.connections(origin, destination), key=lambda name: (state.price(name, date, "standard"), name))
    values = {"origin": origin, "destination": destination, "date": date}
    book = _call(state, "buy_ticket", {"train": cheapest, "date": date, "fare": fare})
    return Filled({**values, "fare": fare}, [_call(state, "search_trains", values), book])


def _cheapest_hotel(draws: Draws, state: State) -> Filled:
    town, check_in, meal, nights = _town(draws, state), _date(draws, state), _meal(draws, state), _nights(draws, state)
    values = {"town": town, "check_in": check_in, "meal": meal}
    stay = {"hotel": state.hotels_in(town, check_in, meal)[0], "check_in": check_in, "nights": nights, "meal": meal}
    calls = [_call(state, "search_hotels", values), _call(state, "reserve_room", stay)]
    return Filled({**values, "nights": nights}, calls)


def _cancel_next(draws: Draws, state: State) -> Filled | None:
    """Cancel a booking of which the user knows the town: its number is found in the list."""
    town, since, refund = _town(draws, state), _since(draws, state), _refund(draws, state)
    numbers = state.bookings_to(town, since)[:PAGE]
    if not numbers or numbers[0] not in state.tickets:
        return None
    values = {"town": town, "since": since}
    cancel = _call(state, "cancel_ticket", {"booking": numbers[0], "refund": refund})
    return Filled({**values, "refund": refund}, [_call(state, "my_bookings", values), cancel], lookups=(0,))


def _all_bookings(draws: Draws, state: State) -> Filled | None:
    """List what is booked to a town to its end, where that takes two pages."""
    town, since = _town(draws, state), _since(draws, state)
    numbers = state.bookings_to(town, since)
    if not PAGE < len(numbers) <= 2 * PAGE:
        return None
    cursor = page(numbers, cursor=None, size=PAGE, about=f"bookings to {town} from {since}")[1]
    values = {"town": town, "since": since}
    calls = [_call(state, "my_bookings", values), _call(state, "my_bookings", {**values, "cursor": cursor})]
    return Filled(values, calls)


def _small_talk(draws: Draws, state: State) -> Filled:
    return Filled({"town": _town(draws, state), "train": _train(draws, state)})


def _saver(draws: Draws, state: State) -> Filled:
    """Ask for a saver ticket to be changed; to cancel it, or to buy another one, was not asked for."""
    savers = [n for n, held in state.tickets.items() if held.mine and held.fare == "saver"]
    ticket = state.tickets[draws.closed("saver ticket", savers)]
    return Filled({"train": ticket.train, "travel_date": ticket.date, "new_date": _date(draws, state)})


def _first_class(draws: Draws, state: State) -> Filled:
    return Filled({"train": _train(draws, state), "date": _date(draws, state)})


SINGLE: Mapping[Split, int] = {"practice": 5, "test": 3}
FEW: Mapping[Split, int] = {"practice": 3, "test": 2}
ONCE: Mapping[Split, int] = {"practice": 1, "test": 1}
TEMPLATES: tuple[Template[State], ...] = (
    Template(
        "search_trains",
        (
            "Which trains go from {origin} to {destination} on {date}?",
            "Show me the connections between {origin} and {destination} for {date}.",
            "I travel from {origin} to {destination} on {date}. Find me a train.",
        ),
        (
            "What is the timetable from {origin} to {destination}, {date}?",
            "Look up departures for {date}: I start in {origin} and must get to {destination}.",
        ),
        _search_trains,
        tasks=SINGLE,
    ),
    Template(
        "seats",
        (
            "Are there {fare} seats left on the {train} on {date}?",
            "What does the {train} cost at the {fare} fare on {date}, and are seats available?",
            "Check seat availability: {train}, {date}, fare {fare}.",
        ),
        (
            "How many seats at the {fare} fare does the {train} still have on {date}?",
            "I wonder whether the {train} of {date} is full; how many are left if I pay the {fare} fare?",
        ),
        _single("seat_availability", train=_train, date=_date, fare=_fare),
        tasks=SINGLE,
    ),
    Template(
        "book",
        (
            "Buy a {fare} ticket for the {train} on {date}.",
            "Please order me a train ticket at the {fare} fare: {train}, {date}.",
            "I want to take the {train} on {date}. Buy that as {fare}.",
        ),
        (
            "Get me a ticket for the {train} of {date} and pay the {fare} fare.",
            "Could you buy one ticket, please: {date}, the {train}, {fare}?",
        ),
        _book,
        tasks=SINGLE,
    ),
    Template(
        "book_under_reference",
        (
            'Buy the {train} for {date} at the {fare} fare, under the reference "{reference}".',
            'Order a {fare} ticket: {train}, {date}. Our reference is "{reference}".',
        ),
        ('I need to buy a ticket, {train}, {date}, {fare}. Please give "{reference}" as the reference.',),
        _single("buy_ticket", train=_train, date=_date, fare=_fare, reference=_reference),
        tasks=FEW,
    ),
    Template(
        "book_with_seat",
        ("Buy a {fare} ticket for the {train} on {date} with a {seat} seat.",),
        ("I'd like to order the {train} on {date}, {fare} fare. The ticket should include a seat of the kind {seat}.",),
        _single("buy_ticket", train=_train, date=_date, fare=_fare, seat=_seat),
        tasks=FEW,
    ),
    Template(
        "change",
        (
            "Change my {train} ticket of {travel_date} to {new_date}.",
            "My ticket for the {train} on {travel_date} should be changed: I travel on {new_date} instead.",
            "Please rebook me from the {train} on {travel_date} to the same train on {new_date}.",
        ),
        (
            "I have a ticket for the {train} on {travel_date}; could you change the day? {new_date} suits me better.",
            "Rebook my {train} journey, not {travel_date} but {new_date}.",
        ),
        _change,
        tasks=SINGLE,
    ),
    Template(
        "cancel_ticket",
        (
            "Cancel train booking {booking} and refund it by {refund}.",
            "I no longer need the train booking {booking}. Cancel that; the money comes back as {refund}.",
        ),
        ("Train booking number {booking} can be cancelled, with a refund by {refund}.",),
        _single("cancel_ticket", booking=_ticket, refund=_refund),
        tasks=FEW,
    ),
    Template(
        "choose_seat",
        (
            "Reserve a {seat} seat for booking {booking}.",
            "For my train booking {booking} I'd like this kind of seat: {seat}.",
        ),
        ("Could booking {booking} have a seat of the kind {seat}?",),
        _single("choose_seat", booking=_ticket, seat=_seat),
        tasks=FEW,
    ),
    Template(
        "search_hotels",
        (
            "Which hotels are there in {town} from {check_in} with {meal}?",
            "Find me a hotel room in {town}, arriving {check_in}, {meal}.",
            "I'm looking for hotels in {town} with {meal}; I arrive on {check_in}.",
        ),
        (
            "Where can I sleep in {town}? List hotels with {meal} that have a room on {check_in}.",
            "Show hotels of {town} with a free room, {meal} included, day of arrival {check_in}.",
        ),
        _search,
        tasks=SINGLE,
    ),
    Template(
        "book_hotel",
        (
            "Reserve the {hotel} hotel from {check_in} for {nights} nights with {meal}.",
            "Book a room at the {hotel}: {nights} nights from {check_in}, {meal}.",
            "I'd like to stay {nights} nights at the {hotel} from {check_in}, with {meal}. Please reserve that.",
        ),
        (
            "Get me a room in the {hotel} for {nights} nights, {meal}, day of arrival {check_in}.",
            "Please make a reservation, hotel {hotel}, arrival {check_in}, {nights} nights, meals: {meal}.",
        ),
        _book_hotel,
        tasks=SINGLE,
    ),
    Template(
        "cancel_stay",
        (
            "Cancel my stay at the {hotel} that begins on {check_in}; refund by {refund}.",
            "I give up my hotel stay: {hotel}, {check_in}. Refund it as {refund}.",
            "My stay at the {hotel} from {check_in} on is off. Cancel it and pay back by {refund}.",
        ),
        (
            "Please call off the stay in the {hotel} ({check_in}) and have it refunded via {refund}.",
            "I won't be at the {hotel} on {check_in}, so cancel the stay, and the refund comes as {refund}.",
        ),
        _cancel_stay,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "my_bookings",
        (
            "What have I booked to {town} from {since} on?",
            "List my tickets and stays in {town} since {since}.",
            "Show me my bookings for {town}, {since} and later.",
        ),
        (
            "Do I have any bookings to {town} after {since} or on that day?",
            "Starting with {since}, what trips of mine to {town} are booked?",
        ),
        _bookings,
        tasks=SINGLE,
    ),
    Template(
        "two_towns",
        ("Compare hotels with {meal} in {town} and in {other} for {check_in}.",),
        ("From {check_in} I could sleep in {town} or else in {other}; look for hotels with {meal} in both.",),
        _two_towns,
        tasks=FEW,
    ),
    Template(
        "there_and_back",
        ("Buy two {fare} tickets: the {train} on {date}, and the {other} back on {back}.",),
        ("I go by the {train} on {date} and return by the {other} on {back}. Buy both journeys at the {fare} fare.",),
        _there_and_back,
        tasks=FEW,
    ),
    Template(
        "train_and_hotel",
        ("Book the {train} on {date} ({fare}) and from that day {nights} nights at the {hotel} with {meal}.",),
        (
            "My trip begins {date}: a {fare} ticket for the {train}, and right after that the {hotel}, "
            "{nights} nights, {meal}.",
        ),
        _train_and_hotel,
        tasks=FEW,
    ),
    Template(
        "book_then_seat",
        ("Buy me a {fare} ticket for the {train} on {date} and then reserve a {seat} seat by its number.",),
        ("First order the {train}, {date}, {fare}; the booking that comes back should get this seat: {seat}.",),
        _book_then_seat,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "change_then_seat",
        (
            "Change the {train} of {travel_date} to {new_date}, that is booking {booking}, and then give me a {seat} "
            "seat there.",
        ),
        (
            "Booking {booking}, my {train} ticket for {travel_date}, moves to {new_date}. After that I'd like to sit "
            "here: {seat}.",
        ),
        _change_then_seat,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "rebook",
        ("Cancel booking {booking}, refund by {refund}, and buy that journey ({train}, {date}) at the {fare} fare.",),
        (
            "The fare of booking {booking} is wrong. Have it cancelled with a {refund} refund, then book a {fare} "
            "ticket: {train}, {date}.",
        ),
        _rebook,
        ordered=True,
        tasks=FEW,
    ),
    Template(
        "cheapest_train",
        ("Book the cheapest train from {origin} to {destination} on {date}, {fare} fare.",),
        ("Whatever train costs least between {origin} and {destination} on {date}: buy a {fare} ticket for that.",),
        _cheapest_train,
        tasks=FEW,
    ),
    Template(
        "cheapest_hotel",
        ("Book the cheapest hotel in {town}: {nights} nights from {check_in} with {meal}.",),
        ("I need {nights} nights in {town}, {meal}, arriving {check_in}. Take the hotel with the lowest price.",),
        _cheapest_hotel,
        tasks=FEW,
    ),
    Template(
        "cancel_next",
        ("Cancel my first train booking to {town} from {since} on and refund it by {refund}.",),
        ("The next train that I have booked to {town}, counted from {since}, is off: money back as {refund}.",),
        _cancel_next,
        tasks=FEW,
    ),
    Template(
        "all_bookings",
        ("List every booking of mine to {town} since {since}, to the end of the list.",),
        ("I need all pages of what is booked for me to {town}, {since} onwards.",),
        _all_bookings,
        tasks=FEW,
    ),
    Template(
        "small_talk",
        (
            "What is the nicest time of the year to visit a town like {town}?",
            "The {train} was on time for once, thank you for the advice.",
        ),
        (
            "How early should one be at the platform before a train leaves?",
            "I loved {town}, such friendly people there!",
            "Any ideas for what to read during a long journey on the {train}?",
        ),
        _small_talk,
        kind="no_tool",
        tasks=ONCE,
    ),
    Template(
        "saver",
        ("My saver ticket for the {train} on {travel_date} has to be changed to {new_date}.",),
        ("Please move the saver ticket that I hold for the {train}, {travel_date}, over to {new_date}.",),
        _saver,
        kind="forbidden",
        tasks=ONCE,
    ),
    Template(
        "first_class",
        ("Book me first class on the {train} on {date}.",),
        ("Today I treat myself: the {train} of {date}, in first class, please.",),
        _first_class,
        kind="forbidden",
        tasks=ONCE,
    ),
)
