"""The bank: idempotent transfers, accounts that may only be read or not seen, limits, pages, which refusals help."""

from typing import Any

import pytest

from servers import registry
from servers.bank.world import (
    ACCOUNTS,
    CARDS,
    FIRST_NAMES,
    HIDDEN,
    LAST_NAMES,
    OTHERS_CARDS,
    PERIODS,
    RHYTHMS,
    SMALL,
    VIEWED,
    State,
    first_state,
)
from servers.quantities import Money
from servers.world import World

SEED = 5


@pytest.fixture
def state() -> State:
    return first_state(SEED)


@pytest.fixture
def world() -> World:
    return registry.load("bank").world(SEED)


def done(world: World, tool: str, **arguments: Any) -> dict[str, Any]:
    result = world.call(tool, arguments)
    assert result.structured is not None, result.text
    return result.structured


def refused(world: World, tool: str, **arguments: Any) -> str:
    result = world.call(tool, arguments)
    assert result.is_error, result.text
    return result.text


def payment(state: State, **changed: Any) -> dict[str, Any]:
    payee = state.forms.payee.write(next(iter(state.payees)))
    account = state.forms.account.write(ACCOUNTS[0])
    return {"account": account, "payee": payee, "amount": 12.5, "end_to_end_id": "rent-2001", **changed}


def balance(world: World, state: State, account: str) -> float:
    code = state.forms.account.write(account)
    euros: float = done(world, "get_balance", account=code, currency=state.forms.code.write("euros"))["balance"]
    return euros


def test_no_two_names_are_written_alike_however_short() -> None:
    for words in (FIRST_NAMES, LAST_NAMES):
        assert len({word[:3] for word in words}) == len(words)
    for seed in range(40):
        state = first_state(seed)
        assert len(state.payee().written) == len(state.payees) >= 40
        assert len(state.card().written) == len(CARDS)


def test_the_same_transfer_again_moves_nothing_and_answers_the_same(world: World, state: State) -> None:
    before = balance(world, state, ACCOUNTS[0])
    first = done(world, "send_money", **payment(state))
    assert done(world, "send_money", **payment(state)) == first
    assert balance(world, state, ACCOUNTS[0]) == pytest.approx(before - 12.5)


def test_another_transfer_under_a_used_id_is_refused(world: World, state: State) -> None:
    done(world, "send_money", **payment(state))
    assert refused(world, "send_money", **payment(state, amount=13)).startswith("409: end_to_end_id 'rent-2001'")
    done(world, "send_money", **payment(state, amount=13, end_to_end_id="rent-2002"))


def test_audited_accounts_are_read_and_not_touched(world: World, state: State) -> None:
    assert balance(world, state, VIEWED[0]) > 0
    code = state.forms.account.write(VIEWED[0])
    assert refused(world, "send_money", **payment(state, account=code)) == "403 Forbidden"


def test_what_belongs_to_others_is_said_not_to_exist(world: World, state: State) -> None:
    hidden = state.forms.account.write(HIDDEN)
    euros = state.forms.code.write("euros")
    assert "is not valid" in refused(world, "get_balance", account=hidden, currency=euros)
    card = state.forms.card.write(OTHERS_CARDS[0])
    assert "is not valid" in refused(world, "freeze_card", card=card, reason=state.forms.code.write("lost"))


def test_a_payment_has_limits(world: World, state: State) -> None:
    assert "at most 5000.00 euros" in refused(world, "send_money", **payment(state, amount=5000.01))
    assert "above 0" in refused(world, "send_money", **payment(state, amount=-3))
    small = state.forms.account.write(SMALL)
    assert refused(world, "send_money", **payment(state, account=small)) == "422: insufficient funds"


def test_an_empty_account_pays_once_it_was_filled(world: World, state: State) -> None:
    small, big = (state.forms.account.write(name) for name in (SMALL, ACCOUNTS[0]))
    amount = state.forms.amount.write(Money(5000))
    done(world, "internal_transfer", from_account=big, to_account=small, amount=amount)
    assert done(world, "send_money", **payment(state, account=small, amount=50))["sent"] == "50.00"


def test_older_parts_want_amounts_in_a_form_of_their_own(world: World, state: State) -> None:
    small, big = (state.forms.account.write(name) for name in (SMALL, ACCOUNTS[0]))
    moved = {"from_account": big, "to_account": small}
    text = refused(world, "internal_transfer", **moved, amount="50.00")
    assert f"812.34 euros is {state.forms.amount.write(Money(81234))!r}" in text


def test_a_cards_limit_is_in_tens_and_bounded(world: World, state: State) -> None:
    card = {"card": state.forms.card.write(CARDS[0]), "period": state.forms.code.write(PERIODS[0])}
    for limit in (2510, 15, -10):
        assert f"multiple of 10 from 0 to 2500, not {limit}" in refused(world, "set_card_limit", **card, limit=limit)
    assert done(world, "set_card_limit", **card, limit=2500)["limit"] == 2500


def test_a_new_payee_can_be_paid_by_the_id_it_got(world: World, state: State) -> None:
    name = next(f"{a} {b}" for a in FIRST_NAMES for b in LAST_NAMES if f"{a} {b}" not in state.payees)
    new = {"name": name, "iban": "NL24BANK0426504746", "label": state.forms.code.write("rent")}
    assert refused(world, "add_payee", **new | {"iban": "NL24 BANK"}).startswith("iban 'NL24 BANK' is not valid")
    payee = done(world, "add_payee", **new)["payee"]
    assert refused(world, "add_payee", **new) == "409: exists"
    assert done(world, "send_money", **payment(state, payee=payee))["payee"] == name


def test_standing_orders_are_found_with_the_id_of_their_account(world: World, state: State) -> None:
    account, orders = next((name, orders) for name, orders in state.standing.items() if orders)
    payee, (_, rhythm, _) = next(iter(orders.items()))
    asked = {"payee": state.forms.payee.write(payee), "rhythm": state.forms.code.write(rhythm)}
    found = done(world, "find_standing_orders", **asked)["standing_orders"]
    assert found[0]["account"] == state.forms.account.write(account)
    done(world, "stop_standing_order", account=found[0]["account"], payee=asked["payee"])
    assert done(world, "find_standing_orders", **asked)["standing_orders"] == []


def test_payees_of_a_label_come_in_two_pages(world: World, state: State) -> None:
    label = state.forms.code.write("health")
    first = done(world, "find_payees", label=label)
    second = done(world, "find_payees", label=label, cursor=first["next_cursor"])
    names = [payee["name"] for part in (first, second) for payee in part["payees"]]
    assert names == sorted(name for name, payee in state.payees.items() if payee.label == "health")
    assert second["next_cursor"] is None
    other = state.forms.code.write("rent")
    assert "cursor" in refused(world, "find_payees", label=other, cursor=first["next_cursor"])


def test_ten_statements_in_ten_minutes_and_a_bare_429(world: World, state: State) -> None:
    asked = {"account": state.forms.account.write(ACCOUNTS[0]), "channel": state.forms.code.write("inbox")}
    days = [state.forms.date.write(booking.day) for booking in state.bookings(ACCOUNTS[0])]
    days = list(dict.fromkeys(days))
    for day in days[:10]:
        done(world, "order_statement", **asked, since=day)
    assert refused(world, "order_statement", **asked, since=days[10]) == "429"


def test_refusals_show_an_example_or_the_choices_or_nothing(world: World, state: State) -> None:
    account = payment(state)["account"]
    assert "Xaver Zimmer is" in refused(world, "send_money", **payment(state, payee="?"))
    choices = refused(world, "find_standing_orders", payee=payment(state)["payee"], rhythm="?")
    assert all(repr(state.forms.code.write(rhythm)) in choices for rhythm in RHYTHMS)
    assert refused(world, "order_statement", account="?", since="?", channel="?") == "account '?' is not valid."
    order = {"account": account, "amount": "?", "first_day": "?"}
    assert refused(world, "set_standing_order", payee="?", rhythm="?", **order) == "payee '?' is not valid."
    payee = payment(state)["payee"]
    assert refused(world, "set_standing_order", payee=payee, rhythm="?", **order) == "rhythm '?' is not valid."
    assert "Sample Account is" in refused(world, "get_balance", account="?", currency="?")
    assert refused(world, "set_card_limit", card="?", limit=100, period="?") == "card '?' is not valid."
    assert "Golden Specimen is" in refused(world, "freeze_card", card="?", reason="?")
