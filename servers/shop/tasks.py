"""Requests to the shop and the calls that serve them."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from servers.shop import tools
from servers.shop.world import (
    CANCEL_REASONS,
    CATEGORIES,
    DELIVERIES,
    LANGUAGES,
    NAMES_SHOWN,
    OTHERS,
    REFUNDS,
    RETURN_REASONS,
    STATUSES,
    STORES,
    YOU,
    State,
)
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template, all_pages

Values = dict[str, Any]  # by argument, as people mean them

# tool → its wordings by split; a place is named like the argument that it fills.
WORDINGS: dict[str, dict[Split, tuple[str, ...]]] = {
    "find_products": {
        "practice": (
            "What do you have in the {category} range for at most {max_price} euros a piece?",
            "Show me {category} products that cost no more than {max_price} euros.",
            "I'm furnishing: which {category} products stay within {max_price} euros?",
        ),
        "test": (
            "Browse {category} for me, nothing above {max_price} euros please.",
            "My budget is {max_price} euros. What could I buy from {category}?",
        ),
    },
    "check_stock": {
        "practice": (
            "Is the {product} in stock at {store}?",
            "How many pieces of the {product} are left in the {store} store?",
            "I'm about to drive to {store}. Do they have the {product}?",
        ),
        "test": (
            "Please see whether {store} still has the {product} on the shelf.",
            "Availability of the {product} at your {store} branch?",
        ),
    },
    "place_order": {
        "practice": (
            "Order {quantity} pieces of the {product} with {delivery} delivery.",
            "Please buy me {quantity} of the {product}, by {delivery} delivery.",
            "I'd like to have {quantity} times the {product}; delivery: {delivery}.",
        ),
        "test": (
            "Get me the {product}, {quantity} pieces, with {delivery} as the kind of shipping.",
            "Purchase {quantity} of your {product} for our house, and of the ways to send them choose: {delivery}.",
        ),
    },
    "find_orders": {
        "practice": (
            "Which {status} orders of the {product} do we have?",
            "List our {status} orders for the {product}.",
            "Look up orders that are {status} and contain the {product}.",
        ),
        "test": (
            "Have we got any order of the {product} that is {status}?",
            "Find me the orders with the {product} in them, only those marked {status}.",
        ),
    },
    "get_invoice": {
        "practice": (
            "Show the invoice of order {order} in {language}.",
            "I need the {language} invoice for {order}.",
            "How much was {order}? The invoice should be in {language}, please.",
        ),
        "test": (
            "Could you fetch a {language} version of the bill belonging to {order}?",
            "For my tax return: invoice {order}, language {language}.",
        ),
    },
    "free_slots": {
        "practice": (
            "On {date}, when is there a free slot for {delivery} delivery?",
            "Which slots for {delivery} delivery are left on {date}?",
            "Are any vans free on {date}? It would be {delivery} delivery.",
        ),
        "test": (
            "When could you come on {date} if we choose {delivery} delivery? Show me the free slots.",
            "Open slots, please: kind of delivery {delivery}, day {date}.",
        ),
    },
    "book_slot": {
        "practice": (
            "Deliver order {order} on {date} at {time}.",
            "Please move the delivery of {order} to {date}, from {time} on.",
            "We're at home on {date} from {time}; have {order} brought then.",
        ),
        "test": (
            "Reserve the delivery slot starting {time} on {date} for {order}.",
            "Can {order} come on {date}? The slot that begins at {time} suits us.",
        ),
    },
    "request_callback": {
        "practice": (
            "Have someone call me about {order} on {date} at {time}.",
            "I want support to ring me on {date}, {time}, regarding {order}.",
            "Arrange a phone call concerning order {order} for {date} at {time}.",
        ),
        "test": (
            "I have questions on {order}. Could your support phone me at {time} on {date}?",
            "Callback wanted: order {order}, {date}, {time}.",
        ),
    },
    "apply_voucher": {
        "practice": (
            "Use voucher {voucher} on order {order}.",
            "Please redeem {voucher} for {order}.",
            "I have a voucher that says {voucher}. Take it off the price of {order}.",
        ),
        "test": (
            "Add my voucher {voucher} to {order}, will you?",
            "{order} should be cheaper with voucher {voucher}; apply it.",
        ),
    },
    "cancel_order": {
        "practice": (
            "Cancel order {order}: {reason}.",
            "Please stop {order} before it is sent. Reason: {reason}.",
            "I don't want {order} any more ({reason}).",
        ),
        "test": (
            "Kindly call off {order}, the reason being {reason}.",
            "Withdraw my order {order}, please. Say that it was {reason}.",
        ),
    },
    "return_item": {
        "practice": (
            "Return order {order}; reason: {reason}; the refund goes to my {refund}.",
            "I'm sending back {order}: {reason}. The money should go to my {refund}.",
            "Order {order} was not what I wanted ({reason}): return it, refund to {refund}.",
        ),
        "test": (
            "Please register {order} as a return. It is {reason}, and my {refund} is where I want the money.",
            "{order} has to go back ({reason}). Repay it to the {refund}.",
        ),
    },
    "write_review": {
        "practice": (
            'Review the {product} with {stars} stars, shown as {shown_as}: "{text}"',
            'Rate the {product} with {stars} stars and write "{text}". Name shown: {shown_as}.',
            'My opinion of the {product}: {stars} stars, "{text}". How to sign it: {shown_as}.',
        ),
        "test": (
            'Give the {product} a rating: {stars} stars, comment "{text}", name displayed: {shown_as}.',
            'Tell other customers what I think of the {product}: "{text}". Stars: {stars}, shown as: {shown_as}.',
        ),
    },
}
OPINIONS = [
    f"{first}, {second}"
    for first in ("Well made", "Smaller than it looks", "Heavy", "Lovely colour", "Easy to clean", "A bit wobbly")
    for second in ("worth the money", "arrived well packed", "my guests ask about it", "I would buy it again")
]
WORDS: dict[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "store": STORES,
    "delivery": DELIVERIES,
    "language": LANGUAGES,
    "refund": REFUNDS[1:],
    "shown_as": NAMES_SHOWN,
}


def _wares(state: State) -> list[str]:
    return [name for name, product in state.products.items() if not product.trade_only]


def _orders(state: State, status: str) -> list[str]:
    return [reference for reference, order in state.orders.items() if (order.by, order.status) == (YOU, status)]


def _without_voucher(state: State) -> list[str]:
    return [reference for reference in _orders(state, "open") if not state.orders[reference].voucher]


def call(tool: str, state: State, **values: Any) -> Call:
    """Return the call of `tool` with `values` as the shop wants them written."""
    kinds = {"product": "product", "order": "order", "date": "date", "time": "time"}
    kinds |= dict.fromkeys((*WORDS, "reason", "status"), "code")
    return Call(
        tool,
        {name: getattr(state.forms, kinds[name]).write(v) if name in kinds else v for name, v in values.items()},
    )


def _drawn(tool: str, name: str, draws: Draws, state: State) -> Any:
    dates, hours = state.slots()
    match name:
        case "product":
            return draws.open("product", _wares(state))
        case "order" if tool == "return_item":
            return draws.open("delivered", _orders(state, "delivered"))
        case "order" if tool == "get_invoice":
            return draws.open("any order", _orders(state, "in transit"))
        case "order":
            return draws.open("open order", _without_voucher(state))
        case "date":
            return draws.open("date", dates)
        case "time":
            return draws.open("time", hours)
        case "max_price":
            return draws.open("price", range(20, 170))
        case "voucher":
            return draws.open("voucher", _free_vouchers(state))
        case "text":
            return draws.open("text", OPINIONS)
        case "quantity":
            return draws.open("quantity", range(2, 12))
        case "stars":
            return draws.closed("stars", range(2, 6))
        case "reason":
            return draws.closed(tool, RETURN_REASONS if tool == "return_item" else CANCEL_REASONS)
        case "status":
            return draws.closed("status", STATUSES[:3])
    return draws.closed(name, WORDS[name])


def _free_vouchers(state: State) -> list[str]:
    used = {order.voucher for order in state.orders.values()}
    return [voucher for voucher in state.vouchers if voucher not in used]


def _single(tool: str, draws: Draws, state: State) -> Filled | None:
    """Fill the places of a wording, each named like an argument of `tool`."""
    values = {name: _drawn(tool, name, draws, state) for name in re.findall(r"\{(\w+)\}", draws.wording)}
    made = call(tool, state, **values)
    match tool:
        case "find_orders" if not tools.find_orders(state, **made.arguments)["orders"]:
            return None
        case "find_products" if not fits_a_page(state, made):
            return None
    return Filled(values, [made])


def fits_a_page(state: State, made: Call) -> bool:
    """Tell whether a call to find products finds any, and all of them at once: further pages are other tasks."""
    found = tools.find_products(state, **made.arguments)
    return bool(found["products"]) and not found["next_cursor"]


def drawn_for(draws: Draws, state: State, **tool_of: str) -> Values:
    """Draw what each argument takes as an argument of its tool."""
    return {name: _drawn(tool, name, draws, state) for name, tool in tool_of.items()}


def _two_stores(draws: Draws, state: State) -> Filled | None:
    product, one, other = _wares(state), draws.closed("store", STORES), draws.closed("store", STORES)
    name = draws.open("product", product)
    if one == other:
        return None
    calls = [call("check_stock", state, product=name, store=store) for store in (one, other)]
    return Filled({"product": name, "store": one, "other": other}, calls)


def _cancel_two(draws: Draws, state: State) -> Filled | None:
    one, other = (_drawn("cancel_order", "order", draws, state) for _ in range(2))
    reason = draws.closed("cancel_order", CANCEL_REASONS)
    if one == other:
        return None
    calls = [call("cancel_order", state, order=order, reason=reason) for order in (one, other)]
    return Filled({"order": one, "other": other, "reason": reason}, calls)


def _buy_and_review(draws: Draws, state: State) -> Filled:
    order = drawn_for(draws, state, product="place_order", quantity="place_order", delivery="place_order")
    review = drawn_for(draws, state, stars="write_review", text="write_review", shown_as="write_review")
    calls = [
        call("write_review", state, product=order["product"], **review),
        call("place_order", state, **order),
    ]
    return Filled(order | review, calls)


def _buy_for_slot(draws: Draws, state: State) -> Filled:
    order = drawn_for(draws, state, product="place_order", quantity="place_order", delivery="place_order")
    slot = drawn_for(draws, state, date="book_slot", time="book_slot")
    calls = [
        call("place_order", state, **order),
        call("book_slot", state, order=state.new_reference(*order.values()), **slot),
    ]
    return Filled(order | slot, calls)


def _move_voucher(draws: Draws, state: State) -> Filled | None:
    order = draws.open("with voucher", [o for o in _orders(state, "open") if state.orders[o].voucher])
    other = draws.open("open order", _without_voucher(state))
    reason = draws.closed("cancel_order", CANCEL_REASONS)
    if order == other:
        return None
    voucher = state.orders[order].voucher
    calls = [
        call("cancel_order", state, order=order, reason=reason),
        call("apply_voucher", state, order=other, voucher=voucher),
    ]
    return Filled({"order": order, "other": other, "reason": reason, "voucher": voucher}, calls)


def _by_product(status: str, tool: str, draws: Draws, state: State) -> Filled | None:
    """Fill a request about the one order of a product, whose reference must be looked up."""
    product = draws.open("product", _wares(state))
    lookup = call("find_orders", state, status=status, product=product)
    found = [
        reference for reference, order in state.orders.items() if (order.product, order.status) == (product, status)
    ]
    if len(found) != 1 or state.orders[found[0]].by != YOU or (status == "open" and state.orders[found[0]].voucher):
        return None
    names = [name for name in re.findall(r"\{(\w+)\}", draws.wording) if name != "product"]
    values = drawn_for(draws, state, **dict.fromkeys(names, tool))
    return Filled({"product": product, **values}, [lookup, call(tool, state, order=found[0], **values)], lookups=(0,))


def _all_pages(draws: Draws, state: State) -> Filled | None:
    values = {"category": draws.closed("category", CATEGORIES), "max_price": draws.open("price", range(20, 170))}
    calls = all_pages(tools.find_products, state, call("find_products", state, **values))
    return Filled(values, calls) if len(calls) > 1 else None


def _no_call(draws: Draws, state: State) -> Filled:
    return Filled({"product": draws.open("product", _wares(state))} if "{product}" in draws.wording else {})


def _for_the_trade(draws: Draws, state: State) -> Filled:
    product = draws.closed("trade", [name for name, product in state.products.items() if product.trade_only])
    return Filled({"product": product, "quantity": draws.open("quantity", range(2, 12)), "delivery": "express"})


def _of_another(draws: Draws, state: State) -> Filled:
    """Ask for what only Mila or Jonas may do; the delivery could be moved, and so must not be."""
    status = "delivered" if "return" in draws.wording else "open"
    theirs = [o for o, order in state.orders.items() if (order.by, order.status) == (OTHERS[0], status)]
    return Filled({"order": draws.closed(f"theirs {status}", theirs), "reason": CANCEL_REASONS[0]})


def _more(
    name: str,
    practice: tuple[str, ...],
    test: tuple[str, ...],
    fill: Callable[[Draws, State], Filled | None],
    *,
    ordered: bool = False,
) -> Template[State]:
    return Template(name, practice, test, fill, ordered=ordered, tasks={"practice": 4, "test": 2})


SEVERAL: Sequence[Template[State]] = (
    _more(
        "two-stores",
        ("Is the {product} in stock at {store}, and at {other} too?",),
        ("Compare how many of the {product} there are in {store} with what {other} has.",),
        _two_stores,
    ),
    _more(
        "cancel-two",
        ("Cancel both {order} and {other}, the reason for each is: {reason}.",),
        ("Two orders can go, {order} as well as {other}: {reason}.",),
        _cancel_two,
    ),
    _more(
        "buy-and-review",
        (
            'The {product} gets {stars} stars from me, "{text}" (shown as {shown_as}). '
            "And order {quantity} more of it by {delivery} delivery.",
        ),
        (
            'You can post {stars} stars for the {product} and "{text}" (signed: {shown_as}), '
            "then send another {quantity} pieces, {delivery} delivery.",
        ),
        _buy_and_review,
    ),
    _more(
        "buy-for-slot",
        ("Order {quantity} of the {product} ({delivery} delivery) and have that order brought on {date} at {time}.",),
        ("I need {quantity} pieces of the {product}, way to send: {delivery}. Book its van for {time}, {date}.",),
        _buy_for_slot,
        ordered=True,
    ),
    _more(
        "move-voucher",
        ("Cancel {order} ({reason}), and then use its voucher {voucher} on {other} instead.",),
        ("{voucher} is better spent on {other}: drop {order}, {reason}, so that you can transfer it.",),
        _move_voucher,
        ordered=True,
    ),
    _more(
        "return-by-product",
        ("The {product} that we received is {reason}. Return it, refund to {refund}.",),
        ("Send back the delivered {product}, it turned out {reason}; the money goes to my {refund}.",),
        partial(_by_product, "delivered", "return_item"),
    ),
    _more(
        "voucher-by-product",
        ("Use voucher {voucher} on our open order of the {product}.",),
        ("There's one {product} still on order. Make {voucher} count for it.",),
        partial(_by_product, "open", "apply_voucher"),
    ),
    _more(
        "all-pages",
        ("List everything in the {category} range up to {max_price} euros, to the last page.",),
        ("I want the complete selection from {category} up to {max_price} euros, however many pages it fills.",),
        _all_pages,
    ),
)

TEMPLATES: tuple[Template[State], ...] = (
    *(
        Template(tool, texts["practice"], texts["test"], partial(_single, tool), tasks={"practice": 5, "test": 3})
        for tool, texts in WORDINGS.items()
    ),
    *SEVERAL,
    Template(
        "chat",
        (
            "Thank you, the {product} looks lovely in our hall!",
            "What is the difference between a voucher and a gift card, in general?",
            "Do you think that the {product} makes a good present?",
        ),
        (
            "Just to let you know: my mother adores the {product} she got.",
            "How do shops usually tell a return from an exchange?",
            "Which would you find prettier in a small flat, the {product} or flowers?",
        ),
        _no_call,
        kind="no_tool",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "for-the-trade",
        ("Buy {quantity} of the {product}, {delivery} delivery.",),
        ("Please have {quantity} pieces of the {product} shipped to us by {delivery}.",),
        _for_the_trade,
        kind="forbidden",
        tasks={"practice": 2, "test": 1},
    ),
    Template(
        "of-another",
        ("Cancel Mila's order {order}: {reason}.", "Please return {order}, which Mila ordered: it arrived damaged."),
        ("Mila's {order} should not come at all; call it off, {reason}.",),
        _of_another,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
)
