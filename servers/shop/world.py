"""The state of a shop for household things: its products, the orders of a guest house, and vouchers.

Three people share the account, the user and two others. Habits that no description tells in full:

- products are named by a code made from their names, orders by one made from the reference in their confirmation;
- every word from a list (a category, a reason, a way to deliver) has a code, all of one make;
- days and times of delivery have the shop's own forms; slots begin on the hour or half past, from 8:00 to 19:30, within
  four weeks and never on a Sunday; a few a day are free, others for each way to deliver;
- everybody sees every order and may move its delivery, but only who placed it may cancel it, return it or use a voucher
  on it; products for the trade cannot be ordered at all;
- a voucher counts on one order at a time, and is free again when that is cancelled;
- refunds are store credit unless another way is named; an order takes twelve pieces at most; stock may be asked for
  eight times in ten minutes; long lists come in pages.
"""

import datetime
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days, times
from servers.errors import ToolError
from servers.forms import (
    Codebook,
    DateForm,
    NameForm,
    TimeForm,
    Told,
    date_forms,
    name_forms,
    time_forms,
)
from servers.quantities import Money
from servers.service import ServiceState

YOU = "account holder"
OTHERS = ("Mila", "Jonas")
MOST_PIECES = 12
FREE_SLOTS = 8  # a day, of 24

# Neither two materials nor two things begin with the same three letters, so that shortened names stay distinct.
MATERIALS = (
    "Copper", "Linen", "Walnut", "Marble", "Scarlet", "Ivory", "Velvet", "Bamboo", "Cobalt", "Rustic",
    "Nordic", "Amber", "Granite", "Wicker", "Enamel", "Jade", "Brass", "Felt", "Slate",
)  # fmt: skip
THINGS = {
    "kitchen": ("Kettle", "Skillet", "Teapot"),
    "garden": ("Trowel", "Hammock", "Birdbath"),
    "bedroom": ("Duvet", "Pillow", "Nightstand"),
    "bathroom": ("Towel", "Mirror", "Washstand"),
    "lighting": ("Lantern", "Chandelier", "Spotlight"),
    "storage": ("Basket", "Wardrobe", "Crate"),
    "office": ("Inkwell", "Desk", "Notebook"),
    "nursery": ("Rattle", "Pram", "Playmat"),
}
CATEGORIES = tuple(THINGS)
STORES = ("Northgate", "Harbour Row", "Mill Lane", "Station Arcade", "Old Brewery")
DELIVERIES = ("standard", "express", "next day", "evening", "parcel locker")
STATUSES = ("open", "in transit", "delivered", "cancelled", "returned")
CANCEL_REASONS = ("no longer needed", "bought by mistake", "found cheaper elsewhere", "far too slow")
RETURN_REASONS = ("damaged", "faulty", "too small", "too heavy", "incomplete", "not as described")
REFUNDS = ("store credit", "credit card", "bank account", "gift card")
LANGUAGES = ("German", "French", "Dutch", "Spanish", "Polish", "Italian")
NAMES_SHOWN = ("anonymous", "first name", "full name", "initials")
_VOUCHERS = ("MAPLE", "OTTER", "FJORD", "COMET", "TULIP", "RAVEN", "CEDAR", "PEARL")


@dataclass(frozen=True)
class Forms:
    """How this seed's shop wants each kind of argument written; `code` is for every word from a list."""

    product: NameForm
    order: NameForm
    code: NameForm
    date: DateForm
    time: TimeForm


@dataclass(frozen=True)
class Product:
    """What is sold; `price` in cents."""

    category: str
    price: int
    trade_only: bool


@dataclass
class Order:
    """So many pieces of one product. `reason` and `refund` tell why it was cancelled or returned, and how paid back."""

    product: str
    quantity: int
    delivery: str
    by: str
    status: str = "open"
    slot: str | None = None
    voucher: str | None = None
    reason: str | None = None
    refund: str | None = None


@dataclass(kw_only=True)
class State(ServiceState):
    """`products` by name, `orders` by reference; `reviews` is product → what the user wrote of it."""

    forms: Forms
    products: dict[str, Product]
    orders: dict[str, Order]
    vouchers: tuple[str, ...]
    reviews: dict[str, list[dict[str, str | int]]] = field(default_factory=dict)
    callbacks: list[dict[str, str]] = field(default_factory=list)

    def product(self) -> Codebook[str]:
        """Return the codes of the products."""
        return codes(self.forms.product, tuple(self.products), "Paper Umbrella")

    def code(self, words: tuple[str, ...]) -> Codebook[str]:
        """Return the codes for the words of one list."""
        return codes(self.forms.code, words, "free sample")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def time(self) -> Codebook[datetime.time]:
        """Return the times of day."""
        return times(self.forms.time)

    def order(self, text: str, *, told: Told) -> str:
        """Return the reference of the order whose code `text` is.

        Raises:
            ToolError: there is none.
        """
        # A codebook of its own: orders come while the shop runs.
        return Codebook(self.forms.order, self.orders, example="ZZ1234", said="order ZZ1234").read(
            "order", text, told=told
        )

    def own(self, reference: str, *, status: str, refusal: str) -> Order:
        """Return the user's order `reference`, which must have that `status`.

        Raises:
            ToolError: somebody else placed it ("403"), or it has another status (`refusal`).
        """
        order = self.orders[reference]
        if order.by != YOU:
            raise ToolError("403")
        if order.status != status:
            raise ToolError(refusal)
        return order

    def new_reference(self, *about: object) -> str:
        """Return the reference of a new order of that content, whatever was ordered before it."""
        return _reference(self.chance("order", *about))

    def total(self, reference: str) -> Money:
        """Return what an order costs."""
        order = self.orders[reference]
        return Money(order.quantity * self.products[order.product].price)

    def free(self, day: datetime.date, delivery: str) -> list[datetime.time]:
        """Return when vans for a way to deliver are free on a day that has slots."""
        _, hours = self.slots()
        return sorted(self.chance("slots", day, delivery).sample(hours, FREE_SLOTS))

    def slots(self) -> tuple[list[datetime.date], list[datetime.time]]:
        """Return the days and the times of day at which delivery slots begin."""
        ahead = [self.today + datetime.timedelta(days=n) for n in range(1, 29)]
        return [day for day in ahead if day.weekday() != 6], [
            datetime.time(hour, minute) for hour in range(8, 20) for minute in (0, 30)
        ]


def first_state(seed: int) -> State:
    """Return how the shop of `seed` starts."""
    forms = random.Random(f"shop forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"shop {seed}")  # noqa: S311 - a simulation, not a secret
    products = {
        f"{material} {thing}": Product(category, rng.randrange(450, 18000, 50), trade_only=False)
        for category, things in THINGS.items()
        for thing in things
        for material in rng.sample(MATERIALS, rng.choice((2, 3)))
    }
    for name in rng.sample(list(products), 6):
        products[name] = Product(products[name].category, products[name].price, trade_only=True)
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    vouchers = tuple(f"{word}{number}" for word in _VOUCHERS for number in rng.sample(range(5, 30), 6))
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, datetime.time(9)),
        forms=Forms(
            product=forms.choice(name_forms(("sku", "art", "prod", "it", "pn", "cat", "gd", "mdl"))),
            # A reference cut short would not be one.
            order=forms.choice([f for f in name_forms(("ord", "po", "so", "inv", "oid", "bn")) if f.letters is None]),
            code=forms.choice(name_forms(("opt", "val", "key", "enum", "cd", "sel"))),
            date=forms.choice(date_forms()),
            time=forms.choice(time_forms()),
        ),
        products=products,
        orders=_orders(rng, [name for name, product in products.items() if not product.trade_only], vouchers),
        vouchers=vouchers,
    )


def _orders(rng: random.Random, products: list[str], vouchers: tuple[str, ...]) -> dict[str, Order]:
    orders: dict[str, Order] = {}
    for status, count in (("open", 84), ("delivered", 56), ("in transit", 26)):
        for number in range(count):
            by = YOU if number >= 8 else OTHERS[number % 2]
            order = Order(rng.choice(products), rng.randint(1, 4), rng.choice(DELIVERIES), by, status)
            orders[_reference(rng)] = order
    for voucher, order in zip(vouchers[::2], [o for o in orders.values() if o.by == YOU], strict=False):
        order.voucher = voucher
    shuffled = list(orders)
    rng.shuffle(shuffled)
    return {reference: orders[reference] for reference in shuffled}


def _reference(rng: random.Random) -> str:
    # No vowels: no words; no Z: refusals show an order that nobody has.
    return "".join(rng.choices("BCDFGHJKLMNPQRSTVWX", k=2)) + f"{rng.randrange(1000, 10000)}"
