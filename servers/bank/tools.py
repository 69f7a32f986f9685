"""The tools of the bank. What they leave out, and what two of them get wrong, is told in `described`."""

import datetime
import re
from typing import Any

from servers.bank.world import (
    CHANNELS,
    CURRENCIES,
    FREEZE_REASONS,
    LABELS,
    MOST_ON_CARD,
    PERIODS,
    RHYTHMS,
    Payee,
    State,
)
from servers.errors import ToolError
from servers.pages import page
from servers.quantities import Money
from servers.schema import described

PAGE = 4
STATEMENT_LIMIT, STATEMENT_WINDOW = 10, datetime.timedelta(minutes=10)


@described("good", read_only=True)
def get_balance(state: State, account: str, currency: str) -> dict[str, Any]:
    """How much money is on an account right now, converted at today's rate.

    Args:
        account: Account id.
        currency: Currency of the answer.
    """
    name = state.account("account", account, told="example", change=False)
    unit = state.code(tuple(CURRENCIES)).read("currency", currency, told="choices")
    return {"account": name, "currency": unit, "balance": round(state.balances[name] * CURRENCIES[unit] / 100, 2)}


@described("misleading", "the days have the bank's own form, never YYYY-MM-DD; four bookings a page")
def list_bookings(state: State, account: str, since: str, until: str, cursor: str | None = None) -> dict[str, Any]:
    """Bookings (spending, transactions) on an account over a period.

    Args:
        since: First day, YYYY-MM-DD.
        until: Last day, YYYY-MM-DD.
    """
    name = state.account("account", account, told="example", change=False)
    first = state.date().read("since", since, told="example")
    last = state.date().read("until", until, told="nothing")
    if not first <= last <= state.today:
        raise ToolError("The period must begin before it ends, and end in the past.")
    found = [booking for booking in state.bookings(name) if first <= booking.day <= last]
    part, following = page(found, cursor=cursor, size=PAGE, about=f"bookings {name} {first} {last}")
    return {
        "account": name,
        "since": str(first),
        "until": str(last),
        "bookings": [{"day": str(each.day), "payee": each.payee, "amount": each.cents / 100} for each in part],
        "next_cursor": following,
    }


@described("good", "one page holds four payees")
def find_payees(state: State, label: str, cursor: str | None = None) -> dict[str, Any]:
    """Who is known as a payee, by the label under which they are kept.

    Args:
        label: Label of the payees.
    """
    kind = state.code(LABELS).read("label", label, told="choices")
    found = sorted(name for name, payee in state.payees.items() if payee.label == kind)
    part, following = page(found, cursor=cursor, size=PAGE, about=f"payees {kind}")
    return {
        "label": kind,
        "payees": [{"payee": state.forms.payee.write(name), "name": name} for name in part],
        "next_cursor": following,
    }


@described("terse")
def add_payee(state: State, name: str, iban: str, label: str) -> dict[str, Any]:
    """Register a new payee, an IBAN holder.

    Args:
        name: First and last name.
    """
    kind = state.code(LABELS).read("label", label, told="choices")
    words = name.split()
    if len(words) != 2 or not all(word.isalpha() and word.istitle() for word in words) or len(name) > 40:
        raise ToolError(f"name {name[:60]!r} is not valid; for example, 'Xaver Zimmer'.")
    if not (15 <= len(iban) <= 34 and re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]+", iban)):
        raise ToolError(f"iban {iban[:60]!r} is not valid: 15 to 34 capital letters and digits.")
    code = state.forms.payee.write(name)
    if code in {state.forms.payee.write(known) for known in (*state.payees, "Xaver Zimmer")}:
        raise ToolError("409: exists")
    state.payees[name] = Payee(kind, iban)
    return {"payee": code, "name": name, "label": kind, "iban": iban}


@described("good", "the same end-to-end id moves money once; 5,000 euros at most")
def send_money(state: State, account: str, payee: str, amount: float, end_to_end_id: str) -> dict[str, Any]:
    """Pay somebody: transfer an amount from an account to a payee.

    Args:
        account: Account to pay from.
        payee: Payee id.
        amount: In euros.
    """
    source = state.account("account", account, told="example", change=True)
    name = state.payee().read("payee", payee, told="example")
    if not abs(amount) < 1e9:
        raise ToolError("amount is out of range")
    sum_paid = Money(round(amount * 100))
    if not re.fullmatch("[a-z]{2,20}-[0-9]{4,10}", end_to_end_id) or end_to_end_id == "ref-1000":
        raise ToolError(f"end_to_end_id {end_to_end_id[:60]!r} is not valid; a word and a number, as in 'ref-1000'.")
    transfer: dict[str, str | int] = {
        "account": source,
        "payee": name,
        "cents": sum_paid.cents,
        "end_to_end_id": end_to_end_id,
    }

    def act() -> dict[str, Any]:
        state.pay(source, sum_paid)
        state.transfers.append(transfer)
        return {"sent": str(sum_paid), "account": source, "payee": name, "end_to_end_id": end_to_end_id}

    refusal = f"409: end_to_end_id {end_to_end_id!r} belongs to another transfer"
    return state.once(end_to_end_id, transfer, act, refusal=refusal)


@described("terse", "amounts are texts in the bank's own form")
def internal_transfer(state: State, from_account: str, to_account: str, amount: str) -> dict[str, Any]:
    """Shift (rebook) between own accounts.

    Args:
        amount: How much.
    """
    source = state.account("from_account", from_account, told="example", change=True)
    target = state.account("to_account", to_account, told="example", change=True)
    sum_moved = state.amount().read("amount", amount, told="example")
    if source == target:
        raise ToolError("from_account and to_account are the same")
    state.pay(source, sum_moved)
    state.balances[target] += sum_moved.cents
    return {"moved": str(sum_moved), "from": source, "to": target}


@described("good")
def find_standing_orders(state: State, payee: str, rhythm: str) -> dict[str, Any]:
    """Look up the standing orders that pay somebody regularly: from which account, and how much.

    Args:
        payee: Payee id.
        rhythm: How often it is paid.
    """
    name = state.payee().read("payee", payee, told="example")
    pace = state.code(RHYTHMS).read("rhythm", rhythm, told="choices")
    paying = [(account, *orders[name]) for account, orders in state.standing.items() if name in orders]
    found = [
        {"account": state.forms.account.write(account), "amount": amount / 100, "first": first}
        for account, amount, every, first in paying
        if every == pace
    ]
    return {"payee": name, "rhythm": pace, "standing_orders": found}


@described("misleading", "the amount is no plain number, it has the bank's own form; the day has, too")
def set_standing_order(
    state: State, account: str, payee: str, amount: str, rhythm: str, first_day: str
) -> dict[str, Any]:
    """Set up a standing order (regular payment), or replace the one from that account to that payee.

    Args:
        amount: In euros, such as 12.50.
        first_day: When it is paid first.
    """
    source = state.account("account", account, told="example", change=True)
    name = state.payee().read("payee", payee, told="nothing")
    pace = state.code(RHYTHMS).read("rhythm", rhythm, told="nothing")
    day = state.date().read("first_day", first_day, told="example")
    sum_paid = state.amount().read("amount", amount, told="nothing")
    if day <= state.today:
        raise ToolError("first_day must be after today")
    if source not in state.standing:
        raise ToolError("422: this account takes no standing orders")
    if not 0 < sum_paid.cents <= 500_000:
        raise ToolError("422")
    order = (sum_paid.cents, pace, str(day))
    if state.standing[source].get(name) == order:
        raise ToolError("This standing order is there already.")
    state.standing[source][name] = order
    return {"account": source, "payee": name, "amount": str(sum_paid), "rhythm": pace, "first_day": str(day)}


@described("terse")
def stop_standing_order(state: State, account: str, payee: str) -> dict[str, Any]:
    """End (cancel) a regular payment.

    Args:
        payee: Payee id.
    """
    source = state.account("account", account, told="choices", change=True)
    name = state.payee().read("payee", payee, told="example")
    if name not in state.standing.get(source, {}):
        raise ToolError("404: no standing order from this account to this payee")
    del state.standing[source][name]
    return {"stopped": True, "account": source, "payee": name}


@described("good")
def freeze_card(state: State, card: str, reason: str) -> dict[str, Any]:
    """Block a bank card at once, so that nobody can use it.

    Args:
        card: Card id.
    """
    name = state.card().read("card", card, told="example")
    why = state.code(FREEZE_REASONS).read("reason", reason, told="choices")
    if state.cards[name].frozen == why:
        raise ToolError("409: it is frozen already")
    state.cards[name].frozen = why
    return {"card": name, "frozen": True, "reason": why}


@described("terse", "in tens of euros, 2,500 at most")
def set_card_limit(state: State, card: str, limit: int, period: str) -> dict[str, Any]:
    """Spending limit of a card.

    Args:
        limit: Whole euros.
    """
    name = state.card().read("card", card, told="nothing")
    span = state.code(PERIODS).read("period", period, told="choices")
    if not 0 <= limit <= MOST_ON_CARD or limit % 10:
        raise ToolError(f"limit must be a multiple of 10 from 0 to {MOST_ON_CARD}, not {limit}")
    if state.cards[name].limits.get(span) == limit:
        raise ToolError("This is the limit already.")
    state.cards[name].limits[span] = limit
    return {"card": name, "limit": limit, "period": span}


@described("terse", "ten in ten minutes, then 429")
def order_statement(state: State, account: str, since: str, channel: str) -> dict[str, Any]:
    """Have a statement of account sent.

    Args:
        since: First day on it.
    """
    name = state.account("account", account, told="nothing", change=False)
    first = state.date().read("since", since, told="example")
    way = state.code(CHANNELS).read("channel", channel, told="choices")
    if first > state.today:
        raise ToolError("since lies in the future")
    statement = {"account": name, "since": str(first), "channel": way}
    if statement in state.statements:
        raise ToolError("This statement is on its way.")
    state.spend("statements", limit=STATEMENT_LIMIT, window=STATEMENT_WINDOW, refusal="429")
    state.statements.append(statement)
    return statement


TOOLS = (
    get_balance,
    list_bookings,
    find_payees,
    add_payee,
    send_money,
    internal_transfer,
    find_standing_orders,
    set_standing_order,
    stop_standing_order,
    freeze_card,
    set_card_limit,
    order_statement,
)
