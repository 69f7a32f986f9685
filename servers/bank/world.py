"""The state of a bank, as one customer sees it: accounts, payees, cards, standing orders, transfers.

Its habits, which no description tells in full:

- accounts, payees and cards are named by codes made from their names, each kind in its own way;
- every word from a list (a currency, a rhythm, a reason) has a code, all of one make;
- days have the bank's own form; amounts are plain numbers in payments to others, and texts in the bank's own form in
  the older parts (between accounts, standing orders);
- a transfer carries an end-to-end id: the same one again returns the first answer and moves nothing, another transfer
  under it is refused;
- some accounts may be read and not touched (403); of accounts and cards of others it is said that they are not valid;
- a payment is at most 5,000 euros and never more than the balance; a card's limit at most 2,500, in tens; ten
  statements in ten minutes; bookings and payees come in pages;
- what is moved today is off the balance at once, and is booked tomorrow.
"""

import datetime
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days
from servers.errors import ToolError
from servers.forms import Codebook, DateForm, NameForm, Told, date_forms, name_forms
from servers.quantities import Money, MoneyForm, Reader, money, money_forms
from servers.service import ServiceState

# No two words of a list begin with the same three letters, so that shortened names stay distinct.
ACCOUNTS = ("Everyday", "Holiday Pot", "Roof Repair", "Studio", "Emergency Fund", "Garden Plan", "Music Lessons")
SMALL = "Petty Cash"  # nearly empty: it must be filled before it can pay
VIEWED = ("Rowing Club", "Choir")  # the user audits them
HIDDEN = "Mila Private"
CARDS = ("Olive", "Crimson", "Silver Travel", "Student", "Fuel", "Online Shopping", "Backup")
OTHERS_CARDS = ("Violet", "Turquoise")
FIRST_NAMES = (
    "Agnes", "Boris", "Clara", "Dario", "Elena", "Farid", "Greta", "Hugo", "Ingrid", "Jamal",
    "Katja", "Leon", "Mirjam", "Nadia", "Oskar", "Petra", "Quentin", "Rosa", "Stefan", "Tilda",
)  # fmt: skip
LAST_NAMES = (
    "Abbot", "Bakker", "Castillo", "Dumont", "Eriksen", "Fischer", "Gallo", "Horvat", "Ivanov", "Jansen",
    "Kowalski", "Lindgren", "Moretti", "Novak", "Okafor", "Petrov", "Quiroga", "Rossi", "Sandoval", "Tanaka",
)  # fmt: skip
LABELS = ("rent", "health", "school", "sports", "repairs", "family", "charity", "travel")
CURRENCIES = {"euros": 1.0, "pounds": 0.86, "francs": 0.94, "dollars": 1.09, "kroner": 7.46}
RHYTHMS = ("weekly", "monthly", "quarterly", "yearly")
FREEZE_REASONS = ("lost", "stolen", "damaged", "suspicious charge", "not used")
PERIODS = ("per day", "per week", "per month", "per purchase")
CHANNELS = ("inbox", "home address", "branch office", "tax adviser")
MOST_PAID, MOST_ON_CARD = Money(500_000), 2_500  # the second in euros
PAYEES = 56


@dataclass(frozen=True)
class Forms:
    """How this seed's bank wants each kind of argument written; `code` is for every word from a list."""

    account: NameForm
    payee: NameForm
    card: NameForm
    code: NameForm
    date: DateForm
    amount: MoneyForm


@dataclass
class Payee:
    """Somebody who can be paid; `iban` is "" for those whom the bank has known for long."""

    label: str
    iban: str = ""


@dataclass
class Card:
    """`limits` are in euros, by period; `frozen` says why, None while it works."""

    limits: dict[str, int] = field(default_factory=dict)
    frozen: str | None = None


@dataclass(frozen=True)
class Booking:
    """One line of a statement, from before the user came today."""

    day: datetime.date
    payee: str
    cents: int


@dataclass(kw_only=True)
class State(ServiceState):
    """`balances` are in cents, by account; `standing` is account → payee → amount, rhythm and first day.

    `opened` is the day on which the user came.
    """

    forms: Forms
    opened: datetime.date
    balances: dict[str, int]
    payees: dict[str, Payee]
    cards: dict[str, Card]
    standing: dict[str, dict[str, tuple[int, str, str]]]
    transfers: list[dict[str, str | int]] = field(default_factory=list)
    statements: list[dict[str, str]] = field(default_factory=list)

    def account(self, argument: str, text: str, *, told: Told, change: bool) -> str:
        """Return the account whose code `text` is, to look into or to `change`.

        Raises:
            ToolError: there is none that the user may see ("not valid"), or change ("403").
        """
        name = codes(self.forms.account, (*ACCOUNTS, SMALL, *VIEWED), "Sample Account").read(argument, text, told=told)
        if change and name in VIEWED:
            raise ToolError("403 Forbidden")
        return name

    def payee(self) -> Codebook[str]:
        """Return the codes of the payees."""
        # Not one that is kept: payees are added while the bank runs.
        return Codebook(self.forms.payee, self.payees, example="Xaver Zimmer", said="Xaver Zimmer")

    def card(self) -> Codebook[str]:
        """Return the codes of the user's cards."""
        return codes(self.forms.card, CARDS, "Golden Specimen")

    def code(self, words: tuple[str, ...]) -> Codebook[str]:
        """Return the codes for the words of one list."""
        return codes(self.forms.code, words, "dummy entry")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def amount(self) -> Reader[Money]:
        """Return what reads amounts that are texts."""
        return money(self.forms.amount)

    def pay(self, account: str, amount: Money) -> None:
        """Take `amount` off an account.

        Raises:
            ToolError: it is no amount that may be paid, or not there.
        """
        if not Money(0) < amount <= MOST_PAID:
            raise ToolError(f"An amount must be above 0 and at most {MOST_PAID} euros, not {amount}.")
        if amount.cents > self.balances[account]:
            raise ToolError("422: insufficient funds")
        self.balances[account] -= amount.cents

    def bookings(self, account: str) -> list[Booking]:
        """Return the bookings of the last half year on an account, the oldest first."""
        chance = self.chance("bookings", account)
        known = [name for name, payee in self.payees.items() if not payee.iban]
        start = self.opened - datetime.timedelta(days=180)
        made = [
            Booking(
                start + datetime.timedelta(days=chance.randrange(180)),
                chance.choice(known),
                -chance.randint(400, 30_000),
            )
            for _ in range(40)
        ]
        return sorted(made, key=lambda booking: (booking.day, booking.payee, booking.cents))


def first_state(seed: int) -> State:
    """Return how the bank of `seed` starts."""
    forms = random.Random(f"bank forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"bank {seed}")  # noqa: S311 - a simulation, not a secret
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    people = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    payees = {name: Payee(LABELS[number % len(LABELS)]) for number, name in enumerate(rng.sample(people, PAYEES))}
    rich = {name: rng.randint(2_000_000, 6_000_000) for name in (*ACCOUNTS, *VIEWED, HIDDEN)}
    standing: dict[str, dict[str, tuple[int, str, str]]] = {name: {} for name in ACCOUNTS}
    for name in payees:
        first = today - datetime.timedelta(days=rng.randrange(20, 300))
        standing[rng.choice(ACCOUNTS)][name] = (rng.randrange(500, 40_000, 50), rng.choice(RHYTHMS), str(first))
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, datetime.time(7, 45)),
        opened=today,
        forms=Forms(
            account=forms.choice(name_forms(("acc", "gl", "ac", "led", "bal", "dep"))),
            payee=forms.choice(name_forms(("ben", "pay", "cp", "rcv", "bp", "cred"))),
            card=forms.choice(name_forms(("crd", "pan", "card", "tok", "pl", "cc"))),
            code=forms.choice(name_forms(("t", "fld", "lst", "en", "cls", "ty"))),
            date=forms.choice(date_forms()),
            amount=forms.choice(money_forms()),
        ),
        balances=rich | {SMALL: 320},
        payees=payees,
        cards={name: Card() for name in (*CARDS, *OTHERS_CARDS)},
        standing=standing,
    )
