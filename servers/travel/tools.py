"""The tools of the travel agency. Signature and docstring become the definition that clients see.

How much a refusal tells differs from tool to tool: `told` at each argument says how much.
"""

import datetime
from typing import Any

from servers.errors import ToolError
from servers.pages import page
from servers.schema import described
from servers.travel.world import State, Stay, Ticket

PAGE = 3
LONGEST = 14  # nights
AHEAD = 200  # days


@described("misleading", "towns are wanted as ids and the day in the agency's own form, not as names and ISO 8601")
def search_trains(state: State, origin: str, destination: str, date: str) -> dict[str, Any]:
    """Find train connections (timetable, departures) between two towns on one day.

    Args:
        origin: Name of the town where the journey starts.
        destination: Name of the town where it ends.
        date: Day of travel (YYYY-MM-DD).
    """
    day = _day(state, "date", date)
    start = state.town().read("origin", origin, told="example")
    end = state.town().read("destination", destination, told="nothing")
    return {
        "origin": start,
        "destination": end,
        "date": state.forms.date.write(day),
        "trains": [
            {
                "train": state.forms.train.write(name),
                "name": name,
                "departs": f"{state.trains[name].departs:%H:%M}",
                "standard_fare": f"{state.price(name, day, 'standard')} EUR",
            }
            for name in state.connections(start, end)
        ],
    }


@described("good")
def seat_availability(state: State, train: str, date: str, fare: str) -> dict[str, Any]:
    """How many seats are left (available) on a train at one fare, and what a ticket costs.

    Args:
        train: Train id.
        date: Day of travel.
        fare: Code of the fare.
    """
    name = state.train().read("train", train, told="example")
    day = _day(state, "date", date)
    kind = state.fare().read("fare", fare, told="nothing")
    return {
        "train": state.forms.train.write(name),
        "date": state.forms.date.write(day),
        "fare": kind,
        "seats_left": state.chance("seats", name, day, kind).randrange(1, 90),
        "price": f"{state.price(name, day, kind)} EUR",
    }


@described("misleading", "a fare is no word but a code; so is a seat, and without it none is reserved")
def buy_ticket(
    state: State,
    train: str,
    date: str,
    fare: str,
    seat: str | None = None,
    reference: str | None = None,
) -> dict[str, Any]:
    """Buy (order) a train ticket.

    Args:
        date: Day of travel.
        fare: The word saver or standard or flexible.
        reference: Your own reference; the same booking is not made twice under it.
    """
    name = state.train().read("train", train, told="example")
    day = _day(state, "date", date)
    kind = state.fare().read("fare", fare, told="choices")
    place = None if seat is None else state.seat().read("seat", seat, told="nothing")
    if reference is not None and not 0 < len(reference) <= 40:
        raise ToolError("reference must have between 1 and 40 characters")
    if kind == "first class":
        raise ToolError("403")

    def book() -> dict[str, Any]:
        if state.ticket_for(name, day) is not None:
            raise ToolError(f"409: you have a ticket for the {name} on that day")
        number = state.number(name, day)
        state.tickets[number] = Ticket(name, day, kind, place, reference)
        return _shown(state, number)

    request = {"train": name, "date": day, "fare": kind, "seat": place}
    return state.once(reference, request, book, refusal="409: the reference was used for another booking")


@described("good")
def change_ticket(state: State, train: str, travel_date: str, new_date: str) -> dict[str, Any]:
    """Change (rebook) a train ticket of the user to another day, on the same train and at the same fare.

    Args:
        train: Train id.
        new_date: Day to which it is changed.
    """
    old = state.date().read("travel_date", travel_date, told="example")
    new = _day(state, "new_date", new_date)
    name = state.train().read("train", train, told="nothing")
    number = state.ticket_for(name, old)
    if number is None:
        raise ToolError(f"You have no ticket for the {name} on that day.")
    if state.tickets[number].fare == "saver":
        raise ToolError("Saver tickets cannot be changed; for another day you may buy a new one.")
    if state.ticket_for(name, new) is not None:
        raise ToolError(f"409: you have a ticket for the {name} on the new day already")
    state.tickets[number].date, state.tickets[number].seat = new, None
    return _shown(state, number)


@described("terse")
def cancel_ticket(state: State, booking: str, refund: str) -> dict[str, Any]:
    """Cancel a train booking.

    Args:
        refund: How the money comes back.
    """
    back = state.refund().read("refund", refund, told="choices")
    number = state.read_ticket(booking, told="nothing")
    if state.tickets[number].fare == "saver":
        raise ToolError("403: no refund on saver tickets")
    cancelled = state.tickets.pop(number)
    state.refunds[number] = back
    return {"cancelled": state.forms.booking.write(number), "train": cancelled.train, "refund": back}


@described("terse")
def choose_seat(state: State, booking: str, seat: str) -> dict[str, Any]:
    """Reserve a kind of seat for a train booking."""
    number = state.read_ticket(booking, told="example")
    place = state.seat().read("seat", seat, told="choices")
    if state.tickets[number].seat == place:
        raise ToolError(f"the seat is {place} already")
    state.tickets[number].seat = place
    return _shown(state, number)


@described("terse")
def search_hotels(state: State, town: str, check_in: str, meal: str) -> dict[str, Any]:
    """Hotels of a town with a free room.

    Args:
        check_in: Day of arrival.
    """
    place = state.town().read("town", town, told="example")
    day = _day(state, "check_in", check_in)
    plan = state.meal().read("meal", meal, told="nothing")
    return {
        "town": place,
        "check_in": state.forms.date.write(day),
        "meal": plan,
        "hotels": [
            {
                "hotel": state.forms.hotel.write(name),
                "name": name,
                "price": f"{state.room_price(name, day, plan)} EUR",
            }
            for name in state.hotels_in(place, day, plan)
        ],
    }


@described("good")
def reserve_room(state: State, hotel: str, check_in: str, nights: int, meal: str) -> dict[str, Any]:
    """Reserve (book) a room in a hotel for some nights.

    Args:
        hotel: Hotel id.
        nights: Number of nights (14 at most).
        meal: What meals are included.
    """
    inn = state.hotel().read("hotel", hotel, told="example")
    day = _day(state, "check_in", check_in)
    plan = state.meal().read("meal", meal, told="choices")
    if not 1 <= nights <= LONGEST:
        raise ToolError(f"nights must be between 1 and {LONGEST}, not {nights}")
    if state.stay_in(inn, day) is not None:
        raise ToolError(f"409: you stay at the {inn} from that day already")
    number = state.number(inn, day)
    state.stays[number] = Stay(inn, day, nights, plan)
    return {
        "booking": state.forms.booking.write(number),
        "hotel": inn,
        "check_in": state.forms.date.write(day),
        "nights": nights,
        "meal": plan,
    }


@described("good")
def cancel_stay(state: State, hotel: str, check_in: str, refund: str) -> dict[str, Any]:
    """Cancel (give up) a hotel stay of the user.

    Args:
        hotel: Hotel id.
        check_in: Day of arrival.
        refund: How the money comes back.
    """
    day = state.date().read("check_in", check_in, told="example")
    back = state.refund().read("refund", refund, told="example")
    inn = state.hotel().read("hotel", hotel, told="nothing")
    number = state.stay_in(inn, day)
    if number is None:
        raise ToolError(f"You have no stay at the {inn} from that day on.")
    del state.stays[number]
    state.refunds[number] = back
    return {"cancelled": state.forms.booking.write(number), "hotel": inn, "refund": back}


@described("terse")
def my_bookings(state: State, town: str, since: str, cursor: str | None = None) -> dict[str, Any]:
    """What the user has booked to a town: trips, tickets and stays.

    Args:
        since: First day.
    """
    place = state.town().read("town", town, told="example")
    day = state.date().read("since", since, told="nothing")
    numbers, next_cursor = page(
        state.bookings_to(place, day), cursor=cursor, size=PAGE, about=f"bookings to {place} from {day}"
    )
    return {
        "town": place,
        "since": state.forms.date.write(day),
        "bookings": [_shown(state, number) for number in numbers],
        "next_cursor": next_cursor,
    }


TOOLS = (
    search_trains,
    seat_availability,
    buy_ticket,
    change_ticket,
    cancel_ticket,
    choose_seat,
    search_hotels,
    reserve_room,
    cancel_stay,
    my_bookings,
)


def _day(state: State, argument: str, text: str) -> datetime.date:
    day = state.date().read(argument, text, told="example")
    if not state.today <= day <= state.today + datetime.timedelta(days=AHEAD):
        raise ToolError(f"{argument} must lie in the next {AHEAD} days")
    return day


def _shown(state: State, number: int) -> dict[str, Any]:
    booking = {"booking": state.forms.booking.write(number)}
    if number in state.stays:
        stay = state.stays[number]
        return {
            **booking,
            "hotel": stay.hotel,
            "check_in": state.forms.date.write(stay.check_in),
            "nights": stay.nights,
            "meal": stay.meal,
        }
    ticket = state.tickets[number]
    return {
        **booking,
        "train": ticket.train,
        "date": state.forms.date.write(ticket.date),
        "fare": ticket.fare,
        "seat": ticket.seat,
        "reference": ticket.reference,
    }
