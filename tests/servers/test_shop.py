"""The shop: whose orders may be changed, what slots, vouchers, refunds and stock are like, and which refusals help."""

from typing import Any

import pytest

from servers import registry
from servers.shop.world import (
    CATEGORIES,
    MATERIALS,
    MOST_PIECES,
    OTHERS,
    STORES,
    THINGS,
    YOU,
    State,
    first_state,
)
from servers.world import World

SEED = 7


@pytest.fixture
def state() -> State:
    return first_state(SEED)


@pytest.fixture
def world() -> World:
    return registry.load("shop").world(SEED)


def order_of(state: State, by: str, status: str, number: int = 0, *, voucher: bool | None = None) -> str:
    """Return the code of an order, as the shop writes it."""
    found = [
        reference
        for reference, order in state.orders.items()
        if (order.by, order.status) == (by, status) and voucher in (None, order.voucher is not None)
    ]
    return state.forms.order.write(found[number])


def ware(state: State, *, trade_only: bool = False) -> str:
    names = [name for name, product in state.products.items() if product.trade_only is trade_only]
    return state.forms.product.write(names[0])


def done(world: World, tool: str, **arguments: Any) -> dict[str, Any]:
    result = world.call(tool, arguments)
    assert result.structured is not None, result.text
    return result.structured


def refused(world: World, tool: str, **arguments: Any) -> str:
    result = world.call(tool, arguments)
    assert result.is_error, result.text
    return result.text


def test_no_two_names_are_written_alike_however_short() -> None:
    for words in (MATERIALS, [thing for things in THINGS.values() for thing in things]):
        assert len({word[:3] for word in words}) == len(words)
    for seed in range(40):
        state = first_state(seed)
        assert len(state.product().written) == len(state.products) >= 40


def test_what_another_ordered_may_be_seen_and_moved_and_nothing_else(world: World, state: State) -> None:
    theirs, sent = order_of(state, OTHERS[0], "open"), order_of(state, OTHERS[0], "delivered")
    reason = state.forms.code.write("no longer needed")
    assert refused(world, "cancel_order", order=theirs, reason=reason) == "403"
    assert refused(world, "return_item", order=sent, reason=state.forms.code.write("damaged")) == "403"
    reference = next(each for each in state.orders if state.forms.order.write(each) == theirs)
    dates, _ = state.slots()
    clock = state.free(dates[3], state.orders[reference].delivery)[0]
    slot = {"date": state.forms.date.write(dates[3]), "time": state.forms.time.write(clock)}
    assert done(world, "book_slot", order=theirs, **slot)["slot"] == f"{dates[3]} {clock:%H:%M}"


def test_what_is_for_the_trade_cannot_be_ordered(world: World, state: State) -> None:
    order = {"quantity": 2, "delivery": state.forms.code.write("express")}
    assert "trade" in refused(world, "place_order", product=ware(state, trade_only=True), **order)
    assert done(world, "place_order", product=ware(state), **order)["quantity"] == 2


def test_an_order_takes_twelve_pieces_and_its_refusal_says_so(world: World, state: State) -> None:
    order = {"product": ware(state), "delivery": state.forms.code.write("express")}
    assert f"1 to {MOST_PIECES}" in refused(world, "place_order", quantity=MOST_PIECES + 1, **order)
    assert done(world, "place_order", quantity=MOST_PIECES, **order)["quantity"] == MOST_PIECES


def test_a_whole_number_may_be_written_with_a_point(world: World, state: State) -> None:
    order = {"product": ware(state), "delivery": state.forms.code.write("express")}
    placed = done(world, "place_order", quantity=3.0, **order)
    after = world.digest()
    world.reset()
    assert done(world, "place_order", quantity=3, **order) == placed
    assert world.digest() == after


def test_the_same_order_twice_is_taken_for_a_slip(world: World, state: State) -> None:
    order = {"product": ware(state), "quantity": 3, "delivery": state.forms.code.write("express")}
    done(world, "place_order", **order)
    assert refused(world, "place_order", **order).startswith("409")


def test_without_a_way_to_refund_the_money_becomes_store_credit(world: World, state: State) -> None:
    reason = state.forms.code.write("faulty")
    assert (
        done(world, "return_item", order=order_of(state, YOU, "delivered"), reason=reason)["refund"] == "store credit"
    )
    card = state.forms.code.write("gift card")
    other = order_of(state, YOU, "delivered", 1)
    assert done(world, "return_item", order=other, reason=reason, refund=card)["refund"] == "gift card"
    assert "only once" in refused(world, "return_item", order=other, reason=reason, refund=card)


def test_a_voucher_counts_on_one_order_until_that_is_cancelled(world: World, state: State) -> None:
    holder, other = order_of(state, YOU, "open", voucher=True), order_of(state, YOU, "open", voucher=False)
    voucher = next(o.voucher for o in state.orders.values() if o.voucher and (o.by, o.status) == (YOU, "open"))
    assert holder in refused(world, "apply_voucher", order=other, voucher=voucher)
    done(world, "cancel_order", order=holder, reason=state.forms.code.write("far too slow"))
    assert done(world, "apply_voucher", order=other, voucher=voucher)["voucher"] == voucher
    assert "not found" in refused(world, "apply_voucher", order=other, voucher="NOSUCH1")


def test_a_new_order_can_be_given_a_slot_by_the_id_it_got(world: World, state: State) -> None:
    order = done(world, "place_order", product=ware(state), quantity=4, delivery=state.forms.code.write("evening"))
    dates, hours = state.slots()
    day = state.forms.date.write(dates[0])
    free = done(world, "free_slots", date=day, delivery=state.forms.code.write("evening"))["slots"]
    assert done(world, "book_slot", order=order["order"], date=day, **free[0])["slot"].startswith(str(dates[0]))
    taken = next(clock for clock in map(state.forms.time.write, hours) if {"time": clock} not in free)
    assert refused(world, "book_slot", order=order["order"], date=day, time=taken).startswith("409")


def test_vans_go_on_half_hours_within_four_weeks_and_not_on_sundays(state: State) -> None:
    dates, hours = state.slots()
    assert len(dates) == 24
    assert {day.weekday() for day in dates} == set(range(6))
    assert {clock.minute for clock in hours} == {0, 30}


def test_stock_may_be_asked_eight_times_in_ten_minutes(world: World, state: State) -> None:
    asked = {"product": ware(state), "store": state.forms.code.write(STORES[0])}
    for _ in range(8):
        done(world, "check_stock", **asked)
    assert refused(world, "check_stock", **asked).startswith("429: 8 stock requests")
    for _ in range(30):  # other calls; the shop's clock moves on with each
        refused(world, "check_stock", product="?", store="?")
    assert done(world, "check_stock", **asked)["store"] == STORES[0]


def test_pages_hold_each_product_once_and_a_cursor_is_of_its_own_list(world: World, state: State) -> None:
    asked = {"category": state.forms.code.write(CATEGORIES[0]), "max_price": 1000}
    found, cursor = [], None
    while True:
        part = done(world, "find_products", **asked, **({"cursor": cursor} if cursor else {}))
        found += [product["name"] for product in part["products"]]
        cursor = part["next_cursor"] or cursor
        if part["next_cursor"] is None:
            break
    assert sorted(found) == sorted(n for n, product in state.products.items() if product.category == CATEGORIES[0])
    other = {"category": state.forms.code.write(CATEGORIES[1]), "max_price": 1000}
    assert "cursor" in refused(world, "find_products", **other, cursor=cursor)


def test_refusals_show_an_example_or_the_choices_or_nothing(world: World, state: State) -> None:
    stock = refused(world, "check_stock", product="?", store="?")
    assert (
        stock
        == f"product '?' is not valid; for example, Paper Umbrella is {state.forms.product.write('Paper Umbrella')!r}."
    )
    choices = refused(world, "find_products", category="?", max_price=1)
    assert all(repr(state.forms.code.write(category)) in choices for category in CATEGORIES)
    assert refused(world, "find_orders", product="?", status="?") == "product '?' is not valid."
    assert refused(world, "apply_voucher", order="?", voucher="?") == "order '?' is not valid."
    mine = order_of(state, YOU, "open")
    assert refused(world, "get_invoice", order=mine, language="?") == "language '?' is not valid."
    day = state.forms.date.write(state.slots()[0][0])
    assert refused(world, "book_slot", order=mine, date=day, time="?") == "time '?' is not valid."
    assert refused(world, "request_callback", order=mine, date="?", time="?") == "date '?' is not valid."
    assert "9:41 am is" in refused(world, "request_callback", order=mine, date=day, time="?")


def test_calls_of_which_one_is_refused_leave_nothing_behind_and_take_no_time(world: World, state: State) -> None:
    cancel = {"order": order_of(state, YOU, "open"), "reason": state.forms.code.write("no longer needed")}
    stock = {"product": ware(state), "store": state.forms.code.write(STORES[0])}
    before = world.digest()
    for _ in range(8):
        assert not world.all_or_none([("check_stock", stock), ("cancel_order", cancel), ("cancel_order", cancel)])
        assert world.digest() == before
    assert world.all_or_none([("check_stock", stock), ("cancel_order", cancel)])
    assert world.digest() != before
