"""Errands that need the shop and the bank."""

from servers.bank import tasks as bank
from servers.bank.world import State as Bank
from servers.domain import SharedState
from servers.shop import tasks as shop
from servers.shop.world import State as Shop
from servers.tasks import Split
from servers.templates import Draws, Filled, Template


def _parts(state: SharedState) -> tuple[Shop, Bank]:
    one, other = state.parts["shop"], state.parts["bank"]
    if not isinstance(one, Shop) or not isinstance(other, Bank):
        raise TypeError("these errands are for the shop and the bank")
    return one, other


def _buy_and_pay(draws: Draws, state: SharedState) -> Filled:
    store, house = _parts(state)
    order = shop.drawn_for(draws, store, product="place_order", quantity="place_order", delivery="place_order")
    paid = bank.drawn_for(draws, house, "amount", "account", "payee", "end_to_end_id")
    calls = [shop.call("place_order", store, **order), bank.call("send_money", house, **paid)]
    return Filled(order | paid, calls)


def _return_and_freeze(draws: Draws, state: SharedState) -> Filled:
    store, house = _parts(state)
    back = shop.drawn_for(draws, store, order="return_item", reason="return_item", refund="return_item")
    card = bank.drawn_for(draws, house, "card", "reason")
    calls = [shop.call("return_item", store, **back), bank.call("freeze_card", house, **card)]
    return Filled(back | {"card": card["card"], "why": card["reason"]}, calls)


def _pay_invoice(draws: Draws, state: SharedState) -> Filled:
    """Fill a request to pay what an invoice says: the total must be looked up, and in the invoice that was named."""
    store, house = _parts(state)
    asked = shop.drawn_for(draws, store, order="get_invoice", language="get_invoice")
    paid = bank.drawn_for(draws, house, "account", "payee", "end_to_end_id")
    total = store.total(asked["order"])
    calls = [shop.call("get_invoice", store, **asked), bank.call("send_money", house, amount=total, **paid)]
    return Filled(asked | paid, calls)


def _for_that_money(draws: Draws, state: SharedState) -> Filled | None:
    """Fill a request for what a sum could buy, which the bank knows."""
    store, house = _parts(state)
    payee = bank.drawn_for(draws, house, "payee")["payee"]
    orders = [orders[payee] for orders in house.standing.values() if payee in orders]
    if not orders:
        return None
    cents, rhythm, _ = orders[0]
    category = shop.drawn_for(draws, store, category="find_products")["category"]
    look = bank.call("find_standing_orders", house, payee=payee, rhythm=rhythm)
    found = shop.call("find_products", store, category=category, max_price=cents / 100)
    if not shop.fits_a_page(store, found):
        return None
    return Filled({"payee": payee, "rhythm": rhythm, "category": category}, [look, found])


EACH: dict[Split, int] = {"practice": 6, "test": 4}
TEMPLATES: tuple[Template[SharedState], ...] = (
    Template(
        "buy-and-pay",
        (
            "Order {quantity} of the {product} by {delivery} delivery, and send {amount} from {account} to {payee}, "
            "end-to-end id {end_to_end_id}.",
        ),
        (
            "{payee} would like our kind of {product}: get {quantity} pieces by {delivery} delivery. Besides, "
            "pay that person {amount} out of {account} with the id {end_to_end_id}.",
        ),
        _buy_and_pay,
        tasks=EACH,
    ),
    Template(
        "return-and-freeze",
        ("Return order {order}: {reason}, refund to {refund}. And freeze my {card} card, reason {why}.",),
        (
            "Two nuisances. My {card} card has to be blocked ({why}), and {order} goes back because it is {reason}; "
            "the money goes to my {refund}.",
        ),
        _return_and_freeze,
        tasks=EACH,
    ),
    Template(
        "pay-invoice",
        (
            "Look up the total of order {order} on its {language} invoice, and send {payee} exactly that from "
            "{account}, end-to-end id {end_to_end_id}.",
        ),
        (
            "{payee} advanced me the money for {order}. Repay what the {language} bill says out of {account}; "
            "id: {end_to_end_id}.",
        ),
        _pay_invoice,
        tasks=EACH,
    ),
    Template(
        "for-that-money",
        ("Which {category} products could I buy for what my {rhythm} standing order to {payee} costs?",),
        ("See how much {payee} gets from me {rhythm}, then show me what {category} offers up to that sum.",),
        _for_that_money,
        tasks=EACH,
    ),
)
