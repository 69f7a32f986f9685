"""The travel agency: what its fares allow, what a change costs, whose bookings are there, and what refusals tell."""

from collections.abc import Mapping
from typing import Any

import pytest

from servers import registry
from servers.tasks import Call, solved
from servers.travel.tools import PAGE
from servers.travel.world import TOWNS, State, first_state
from servers.world import CallResult, World

SEED = 3


@pytest.fixture
def state() -> State:
    return first_state(SEED)


@pytest.fixture
def world() -> World:
    return registry.load("travel").world(SEED)


def got(result: CallResult) -> Mapping[str, Any]:
    assert result.structured is not None, result.text
    return result.structured


def journey(state: State, fare: str = "standard") -> dict[str, str]:
    train = state.forms.train.write(list(state.trains)[-1])
    return {"train": train, "date": state.forms.date.write(state.today), "fare": state.forms.fare.write(fare)}


def held(state: State, *fares: str, mine: bool = True) -> int:
    return next(n for n, ticket in state.tickets.items() if ticket.fare in fares and ticket.mine == mine)


def test_a_booking_sent_twice_under_one_reference_is_made_once(state: State, world: World) -> None:
    asked = {**journey(state), "reference": "blue 27"}
    first = got(world.call("buy_ticket", asked))
    after = world.digest()
    assert got(world.call("buy_ticket", asked)) == first
    assert world.digest() == after
    other = {**asked, "fare": state.forms.fare.write("flexible")}
    assert world.call("buy_ticket", other).text == "409: the reference was used for another booking"


def test_the_same_journey_is_not_sold_twice_without_a_reference(state: State, world: World) -> None:
    got(world.call("buy_ticket", journey(state)))
    assert "409" in world.call("buy_ticket", journey(state)).text


def test_first_class_is_refused_and_no_reason_is_given(state: State, world: World) -> None:
    assert world.call("buy_ticket", journey(state, "first class")).text == "403"


def test_a_saver_ticket_can_neither_be_changed_nor_refunded(state: State, world: World) -> None:
    number = held(state, "saver")
    ticket = state.tickets[number]
    change = {
        "train": state.forms.train.write(ticket.train),
        "travel_date": state.forms.date.write(ticket.date),
        "new_date": state.forms.date.write(state.today),
    }
    assert "Saver tickets cannot be changed" in world.call("change_ticket", change).text
    cancel = {"booking": state.forms.booking.write(number), "refund": state.forms.refund.write("card")}
    assert world.call("cancel_ticket", cancel).text.startswith("403")


def test_a_changed_ticket_loses_its_seat(state: State, world: World) -> None:
    number = next(n for n, each in state.tickets.items() if each.mine and each.fare != "saver" and each.seat)
    ticket = state.tickets[number]
    change = {
        "train": state.forms.train.write(ticket.train),
        "travel_date": state.forms.date.write(ticket.date),
        "new_date": state.forms.date.write(state.today),
    }
    changed = got(world.call("change_ticket", change))
    assert changed["booking"] == state.forms.booking.write(number)
    assert changed["seat"] is None


def test_colleagues_bookings_do_not_exist_for_the_user(state: State, world: World) -> None:
    booking = state.forms.booking.write(held(state, "standard", "flexible", mine=False))
    seat = {"booking": booking, "seat": state.forms.seat.write("aisle")}
    assert world.call("choose_seat", seat).text == f"booking {booking!r} was not found"


def test_a_ticket_is_cancelled_and_the_refund_noted(state: State, world: World) -> None:
    booking = state.forms.booking.write(held(state, "flexible"))
    cancel = {"booking": booking, "refund": state.forms.refund.write("voucher")}
    assert got(world.call("cancel_ticket", cancel))["refund"] == "voucher"
    assert "not found" in world.call("cancel_ticket", cancel).text


def test_bookings_come_in_pages(state: State, world: World) -> None:
    town = max(TOWNS, key=lambda name: len(state.bookings_to(name, state.today)))
    asked = {"town": state.forms.town.write(town), "since": state.forms.date.write(state.today)}
    part = got(world.call("my_bookings", asked))
    numbers = [booking["booking"] for booking in part["bookings"]]
    assert len(numbers) == PAGE
    while part["next_cursor"] is not None:
        part = got(world.call("my_bookings", {**asked, "cursor": part["next_cursor"]}))
        numbers += [booking["booking"] for booking in part["bookings"]]
    assert numbers == [state.forms.booking.write(number) for number in state.bookings_to(town, state.today)]


@pytest.mark.parametrize("nights", [0, 15])
def test_a_stay_has_a_limit(state: State, world: World, nights: int) -> None:
    asked = {
        "hotel": state.forms.hotel.write(list(state.hotels)[-1]),
        "check_in": state.forms.date.write(state.today),
        "meal": state.forms.meal.write("breakfast"),
    }
    assert "between 1 and 14" in world.call("reserve_room", {**asked, "nights": nights}).text
    got(world.call("reserve_room", {**asked, "nights": 2}))
    assert "409" in world.call("reserve_room", {**asked, "nights": 3}).text


def test_a_day_in_the_past_or_too_far_ahead_is_refused(state: State, world: World) -> None:
    for day in (state.today.replace(year=state.today.year - 1), state.today.replace(year=state.today.year + 1)):
        refused = world.call("buy_ticket", {**journey(state), "date": state.forms.date.write(day)})
        assert "next 200 days" in refused.text


def test_refusals_differ_in_what_they_tell(state: State, world: World) -> None:
    sound = journey(state)
    assert "for example, Wandering Otter is" in world.call("seat_availability", {**sound, "train": "x"}).text
    assert world.call("seat_availability", {**sound, "fare": "x"}).text == "fare 'x' is not valid."
    assert "use one of" in world.call("buy_ticket", {**sound, "fare": "x"}).text
    refund = {"booking": "x", "refund": state.forms.refund.write("card")}
    assert world.call("cancel_ticket", refund).text == "booking 'x' is not valid."
    assert "booking 777123 is" in world.call("choose_seat", {"booking": "x", "seat": "x"}).text


@pytest.mark.parametrize("template", ["cheapest_train", "cheapest_hotel"])
def test_the_cheapest_is_looked_for_on_the_day_that_was_asked_for(template: str) -> None:
    domain = registry.load("travel")
    tasks = [task for task in domain.tasks(SEED, "practice") if task.template.startswith(template)]
    assert tasks
    for task in tasks:
        search, book = task.calls
        day = "date" if "date" in search.arguments else "check_in"
        for other in {call.arguments[day] for one in tasks for call in one.calls} - {search.arguments[day]}:
            assert not solved(domain, SEED, task, [Call(search.name, {**search.arguments, day: other}), book])
