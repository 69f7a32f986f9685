"""The tools of the shop. What they leave out, and what two of them get wrong, is told in `described`."""

import datetime
from typing import Any

from servers.errors import ToolError
from servers.pages import page
from servers.schema import described
from servers.shop.world import (
    CANCEL_REASONS,
    CATEGORIES,
    DELIVERIES,
    LANGUAGES,
    MOST_PIECES,
    NAMES_SHOWN,
    REFUNDS,
    RETURN_REASONS,
    STATUSES,
    STORES,
    YOU,
    Order,
    State,
)

PAGE = 4
STOCK_LIMIT, STOCK_WINDOW = 8, datetime.timedelta(minutes=10)


@described("good", "the list comes in pages of four")
def find_products(state: State, category: str, max_price: float, cursor: str | None = None) -> dict[str, Any]:
    """Browse the range of one category, cheapest first: what is sold, and the price of a piece in euros.

    Args:
        category: Category code.
        max_price: Highest price of a piece, in euros.
    """
    kind = state.code(CATEGORIES).read("category", category, told="choices")
    found = sorted(
        (product.price, name)
        for name, product in state.products.items()
        if product.category == kind and product.price <= max_price * 100
    )
    part, following = page(found, cursor=cursor, size=PAGE, about=f"products {kind} {max_price}")
    return {
        "category": kind,
        "max_price": max_price,
        "products": [
            {"product": state.forms.product.write(name), "name": name, "price": price / 100} for price, name in part
        ],
        "next_cursor": following,
    }


@described("terse", "eight questions in ten minutes, then 429")
def check_stock(state: State, product: str, store: str) -> dict[str, Any]:
    """Availability in a store.

    Args:
        product: Product code.
    """
    name = state.product().read("product", product, told="example")
    place = state.code(STORES).read("store", store, told="example")
    state.spend(
        "stock",
        limit=STOCK_LIMIT,
        window=STOCK_WINDOW,
        refusal=f"429: {STOCK_LIMIT} stock requests in 10 minutes are free; wait a little.",
    )
    return {"product": name, "store": place, "pieces": state.chance("stock", name, place).randrange(30)}


@described("good")
def place_order(state: State, product: str, quantity: int, delivery: str) -> dict[str, Any]:
    """Buy a product; the new order is open until it is sent.

    Args:
        product: Product code.
        quantity: Number of pieces.
    """
    name = state.product().read("product", product, told="example")
    way = state.code(DELIVERIES).read("delivery", delivery, told="example")
    if not 1 <= quantity <= MOST_PIECES:
        raise ToolError(
            f"quantity must be 1 to {MOST_PIECES}, not {quantity}: larger orders go through our sales team."
        )
    if state.products[name].trade_only:
        raise ToolError("403: this product is sold to the trade only")
    reference = state.new_reference(name, quantity, way)
    if reference in state.orders:
        raise ToolError("409: the same order has just been placed; change the quantity if you want more.")
    state.orders[reference] = Order(name, quantity, way, YOU)
    return {"order": state.forms.order.write(reference), "product": name, "quantity": quantity, "delivery": way}


@described("good")
def find_orders(state: State, product: str, status: str) -> dict[str, Any]:
    """Look up past and current orders of a product, whoever in the house placed them.

    Args:
        status: State of the orders to list, such as open or delivered.
    """
    name = state.product().read("product", product, told="nothing")
    stage = state.code(STATUSES).read("status", status, told="choices")
    found = [
        {"order": state.forms.order.write(reference), "by": order.by, "voucher": order.voucher}
        for reference, order in state.orders.items()
        if (order.product, order.status) == (name, stage)
    ]
    return {"product": name, "status": stage, "orders": found}


@described("terse")
def get_invoice(state: State, order: str, language: str) -> dict[str, Any]:
    """Invoice, total in euros.

    Args:
        order: Order id.
    """
    reference = state.order(order, told="example")
    tongue = state.code(LANGUAGES).read("language", language, told="nothing")
    bought = state.orders[reference]
    return {
        "order": reference,
        "language": tongue,
        "product": bought.product,
        "quantity": bought.quantity,
        "total": state.total(reference).cents / 100,
    }


@described("terse", "a slot's `time` is written as book_slot wants it")
def free_slots(state: State, date: str, delivery: str) -> dict[str, Any]:
    """When vans are still free.

    Args:
        delivery: Way of delivery.
    """
    day = state.date().read("date", date, told="example")
    way = state.code(DELIVERIES).read("delivery", delivery, told="choices")
    dates, _ = state.slots()
    if day not in dates:
        raise ToolError("no vans on that day")
    free = [{"time": state.forms.time.write(clock)} for clock in state.free(day, way)]
    return {"date": str(day), "delivery": way, "slots": free}


@described("misleading", "day and time have the shop's own forms; slots are on half hours, 8 to 20, never on Sundays")
def book_slot(state: State, order: str, date: str, time: str) -> dict[str, Any]:
    """Choose when an open order is delivered: book, reserve or move its slot.

    Args:
        date: Day of delivery (YYYY-MM-DD).
        time: Beginning of the slot (HH:MM).
    """
    reference = state.order(order, told="example")
    day = state.date().read("date", date, told="example")
    clock = state.time().read("time", time, told="nothing")
    dates, hours = state.slots()
    if state.orders[reference].status != "open":
        raise ToolError("This order is not open any more.")
    if day not in dates:
        raise ToolError("No van goes out on that day: slots are within four weeks, from tomorrow, Sundays aside.")
    if clock not in hours:
        raise ToolError("time: no such slot")
    if clock not in state.free(day, state.orders[reference].delivery):
        raise ToolError("409: this slot is taken; look up which are free.")
    state.orders[reference].slot = f"{day} {clock:%H:%M}"
    return {"order": reference, "slot": f"{day} {clock:%H:%M}"}


@described("terse", "support calls when vans go: within four weeks, on half hours, never on Sundays")
def request_callback(state: State, order: str, date: str, time: str) -> dict[str, Any]:
    """Phone call (callback): support will ring the user up about an order.

    Args:
        order: Order id.
        time: When to ring.
    """
    reference = state.order(order, told="example")
    day = state.date().read("date", date, told="nothing")
    clock = state.time().read("time", time, told="example")
    dates, hours = state.slots()
    if day not in dates or clock not in hours:
        raise ToolError("nobody is there at that time")
    call = {"order": reference, "at": f"{day} {clock:%H:%M}"}
    if call in state.callbacks:
        raise ToolError("This call has already been arranged.")
    state.callbacks.append(call)
    return call


@described("terse", "a voucher counts on one order at a time")
def apply_voucher(state: State, order: str, voucher: str) -> dict[str, Any]:
    """Redeem a voucher.

    Args:
        voucher: Voucher as printed.
    """
    reference = state.order(order, told="nothing")
    if voucher not in state.vouchers:
        raise ToolError(f"voucher {voucher[:60]!r} not found")
    used = [other for other, each in state.orders.items() if each.voucher == voucher and each.status == "open"]
    if used:
        raise ToolError(f"This voucher is already in use on order {state.forms.order.write(used[0])!r}.")
    bought = state.own(reference, status="open", refusal="Vouchers count on open orders only.")
    bought.voucher = voucher
    return {"order": reference, "voucher": voucher}


@described("good")
def cancel_order(state: State, order: str, reason: str) -> dict[str, Any]:
    """Cancel an open order before it is sent; its voucher is free again. Delivered ones can be returned instead.

    Args:
        order: Order id.
    """
    reference = state.order(order, told="example")
    why = state.code(CANCEL_REASONS).read("reason", reason, told="choices")
    bought = state.own(reference, status="open", refusal="409: not open")
    bought.status, bought.reason, bought.voucher = "cancelled", why, None
    return {"order": reference, "status": "cancelled", "reason": why}


@described("misleading", "without `refund` the money becomes store credit")
def return_item(state: State, order: str, reason: str, refund: str | None = None) -> dict[str, Any]:
    """Return (send back) a delivered order and get the money back; a label is sent by mail.

    Args:
        order: Order id.
        reason: Why it goes back.
        refund: How the money is paid back. Defaults to the original means of payment.
    """
    reference = state.order(order, told="example")
    why = state.code(RETURN_REASONS).read("reason", reason, told="choices")
    way = REFUNDS[0] if refund is None else state.code(REFUNDS).read("refund", refund, told="example")
    bought = state.own(reference, status="delivered", refusal="Only delivered orders can be returned, and only once.")
    bought.status, bought.reason, bought.refund = "returned", why, way
    return {"order": reference, "status": "returned", "reason": why, "refund": way}


@described("good")
def write_review(state: State, product: str, stars: int, text: str, shown_as: str) -> dict[str, Any]:
    """Publish the user's opinion (rating and review) of a product.

    Args:
        product: Product code.
        stars: 1 (poor) to 5 (excellent).
        text: What others should know.
    """
    name = state.product().read("product", product, told="example")
    shown = state.code(NAMES_SHOWN).read("shown_as", shown_as, told="choices")
    if not 1 <= stars <= 5:
        raise ToolError(f"stars must be 1 to 5, not {stars}")
    if not 1 <= len(text) <= 200:
        raise ToolError("text must have 1 to 200 characters")
    review: dict[str, str | int] = {"stars": stars, "text": text, "shown_as": shown}
    if review in state.reviews.get(name, []):
        raise ToolError("409: duplicate review")
    state.reviews.setdefault(name, []).append(review)
    return {"product": name, **review}


TOOLS = (
    find_products,
    check_stock,
    place_order,
    find_orders,
    get_invoice,
    free_slots,
    book_slot,
    request_callback,
    apply_voucher,
    cancel_order,
    return_item,
    write_review,
)
