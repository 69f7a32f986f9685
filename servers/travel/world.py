"""A travel agency for business trips: trains between towns, seats, hotels, and what the user has booked.

Habits that no description tells:

- Trains, hotels and towns have ids made of their names; fares, seats, meals and refunds are codes; days have a form of
  their own; bookings have numbers in a form of their own.
- The company does not pay for first class. Saver tickets can neither be changed nor refunded. A changed ticket loses
  its seat.
- A booking that is sent twice under one reference is made once. Colleagues' bookings do not exist for the user.
- What a train or a room costs differs from day to day.
- Lists of bookings come in pages; nobody books more than 14 nights, or more than 200 days ahead.
"""

import datetime
import random
from dataclasses import dataclass

from servers.codebooks import codes, days
from servers.errors import ToolError
from servers.forms import Codebook, DateForm, NameForm, Told, date_forms, name_forms
from servers.quantities import Money, NumberForm, Reader, number_forms, numbered
from servers.service import ServiceState

# No two words of one list begin with the same three letters, so that shortened names stay distinct.
TOWNS = (
    "Alderholm", "Brinmouth", "Carrowby", "Dovermere", "Elmsford", "Farnwick", "Glenavon", "Hollingdale", "Inverloch",
    "Kingsbarrow", "Langstrand", "Marlhaven", "Northwold", "Oxmoor", "Penbrook", "Redcastle", "Southgate", "Thornbury",
    "Uppingholt", "Westerdale",
)  # fmt: skip
TRAIN_FIRST = (
    "Amber", "Blue", "Crimson", "Dashing", "Emerald", "Flying", "Golden", "Highland", "Ivory", "Jolly", "Midnight",
    "Northern", "Painted", "Quiet", "Royal", "Silver", "Thundering", "Velvet",
)  # fmt: skip
TRAIN_LAST = ("Arrow", "Comet", "Dolphin", "Falcon", "Heron", "Lark", "Mariner", "Rambler", "Swallow", "Voyager")
HOTEL_FIRST = (
    "Abbey", "Bishop", "Castle", "Dragon", "Fountain", "Garden", "Harbour", "Imperial", "Lakeside", "Meadow", "Orchard",
    "Park", "Regent", "Station",
)  # fmt: skip
HOTEL_LAST = ("Court", "House", "Inn", "Lodge", "Manor", "Palace", "Terrace", "Villa")
FARES = ("saver", "standard", "flexible", "first class")
RATES = {"saver": 60, "standard": 100, "flexible": 150, "first class": 240}  # percent of a train's price
SEATS = ("window", "aisle", "table", "quiet zone")
MEALS = ("breakfast", "half board", "full board", "self catering")
REFUNDS = ("card", "voucher", "credit")
TRAINS, TRAINS_HELD, HOTELS, HOTELS_HELD = 110, 34, 96, 18  # those held are what the user has booked from
ROUTES = 36
TICKETS, STAYS = 68, 34
MARKS = {
    "town": ("city", "loc", "plc", "stn", "geo", "twn", "dest", "gx"),
    "train": ("tr", "rail", "svc", "ic", "trn", "line", "rx", "zug"),
    "hotel": ("htl", "prop", "acc", "hx", "inv", "lodg", "bed", "ht"),
    "fare": ("cls", "tariff", "fb", "rate", "fc", "prc", "ft", "cat"),
    "seat": ("pos", "pref", "sp", "place", "sx", "spot", "zone", "st"),
    "meal": ("mp", "brd", "plan", "food", "cater", "bb", "din", "ml"),
    "refund": ("rf", "pay", "back", "ret", "mode", "payout", "rb", "via"),
}
NUMBER_PREFIXES = ("bk", "res", "pnr", "tvl")


@dataclass(frozen=True)
class Forms:
    """How this seed's agency wants each kind of argument written."""

    town: NameForm
    train: NameForm
    hotel: NameForm
    fare: NameForm
    seat: NameForm
    meal: NameForm
    refund: NameForm
    date: DateForm
    booking: NumberForm


@dataclass(frozen=True)
class Train:
    """A train that goes every day from `origin` to `destination`; `price` is the standard fare of an ordinary day."""

    origin: str
    destination: str
    departs: datetime.time
    price: Money


@dataclass(frozen=True)
class Hotel:
    """A hotel; `price` is for an ordinary night."""

    town: str
    price: Money


@dataclass
class Ticket:
    """A booked train. `seat` None: no seat is reserved."""

    train: str
    date: datetime.date
    fare: str
    seat: str | None = None
    reference: str | None = None
    mine: bool = True


@dataclass
class Stay:
    """Booked nights in a hotel."""

    hotel: str
    check_in: datetime.date
    nights: int
    meal: str


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole state; `tickets` and `stays` by booking number, `refunds` is booking number → where the money went."""

    forms: Forms
    trains: dict[str, Train]
    hotels: dict[str, Hotel]
    tickets: dict[int, Ticket]
    stays: dict[int, Stay]
    refunds: dict[int, str]

    def town(self) -> Codebook[str]:
        """Return the ids of the towns."""
        return codes(self.forms.town, TOWNS, "Yarrow Cross")

    def train(self) -> Codebook[str]:
        """Return the ids of the trains."""
        return codes(self.forms.train, tuple(self.trains), "Wandering Otter")

    def hotel(self) -> Codebook[str]:
        """Return the ids of the hotels."""
        return codes(self.forms.hotel, tuple(self.hotels), "Wanderer Rest")

    def fare(self) -> Codebook[str]:
        """Return the codes of the fares."""
        return codes(self.forms.fare, FARES, "sleeper")

    def seat(self) -> Codebook[str]:
        """Return the codes of the kinds of seats."""
        return codes(self.forms.seat, SEATS, "wheelchair")

    def meal(self) -> Codebook[str]:
        """Return the codes of the meals that a stay includes."""
        return codes(self.forms.meal, MEALS, "all inclusive")

    def refund(self) -> Codebook[str]:
        """Return the codes of the ways in which money comes back."""
        return codes(self.forms.refund, REFUNDS, "cheque")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def booking(self) -> Reader[int]:
        """Return what reads booking numbers."""
        return numbered(self.forms.booking, 777_123, "booking 777123")

    def read_ticket(self, text: str, *, told: Told) -> int:
        """Return the number of the user's ticket that `text` stands for.

        Raises:
            ToolError: there is none, or it is a colleague's.
        """
        number = self.booking().read("booking", text, told=told)
        if number not in self.tickets or not self.tickets[number].mine:
            raise ToolError(f"booking {text!r} was not found")
        return number

    def ticket_for(self, train: str, date: datetime.date) -> int | None:
        """Return the number of the user's ticket for `train` on `date`, None where there is none."""
        held = [n for n, ticket in self.tickets.items() if (ticket.train, ticket.date) == (train, date) and ticket.mine]
        return held[0] if held else None

    def stay_in(self, hotel: str, check_in: datetime.date) -> int | None:
        """Return the number of the stay that begins on `check_in`, None where there is none."""
        held = [n for n, stay in self.stays.items() if (stay.hotel, stay.check_in) == (hotel, check_in)]
        return held[0] if held else None

    def number(self, *about: object) -> int:
        """Return a free booking number for what is booked: the same whatever was booked before, unless it is taken."""
        number = self.chance("booking", *about).randrange(100_000, 777_000)
        while number in self.tickets or number in self.stays:
            number += 1
        return number

    def price(self, train: str, day: datetime.date, fare: str) -> Money:
        """Return what a ticket costs; no two days are alike."""
        of_day = self.chance("fares", train, day).randrange(70, 140)  # percent
        return Money(self.trains[train].price.cents * of_day * RATES[fare] // 10_000)

    def room_price(self, hotel: str, day: datetime.date, meal: str) -> Money:
        """Return what a night with such meals costs from `day` on; no two days are alike."""
        of_day = self.chance("rooms", hotel, day, meal).randrange(70, 140)  # percent
        return Money(self.hotels[hotel].price.cents * of_day // 100)

    def connections(self, origin: str, destination: str) -> list[str]:
        """Return the trains from `origin` to `destination`, the earliest first."""
        found = [
            name for name, train in self.trains.items() if (train.origin, train.destination) == (origin, destination)
        ]
        return sorted(found, key=lambda name: (self.trains[name].departs, name))

    def hotels_in(self, town: str, day: datetime.date, meal: str) -> list[str]:
        """Return the hotels of `town`, the cheapest from `day` on first."""
        return sorted(
            (name for name, hotel in self.hotels.items() if hotel.town == town),
            key=lambda name: (self.room_price(name, day, meal), name),
        )

    def bookings_to(self, town: str, since: datetime.date) -> list[int]:
        """Return the numbers of the user's bookings to `town` from `since` on, the earliest first."""
        dated = [
            (ticket.date, number)
            for number, ticket in self.tickets.items()
            if self.trains[ticket.train].destination == town and ticket.mine
        ]
        dated += [
            (stay.check_in, number) for number, stay in self.stays.items() if self.hotels[stay.hotel].town == town
        ]
        return [number for date, number in sorted(dated) if date >= since]


def first_state(seed: int) -> State:
    """Return how the agency of `seed` starts."""
    forms = random.Random(f"travel forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"travel content {seed}")  # noqa: S311 - a simulation, not a secret
    # The first day of the calendar too: errands lead from one to the other.
    today = datetime.date(2026, 1, 1) + datetime.timedelta(
        days=random.Random(f"first day {seed}").randrange(365)  # noqa: S311 - a simulation, not a secret
    )
    pairs = [(origin, destination) for origin in TOWNS for destination in TOWNS if origin != destination]
    routes = rng.sample(pairs, ROUTES)
    names = rng.sample([f"{first} {last}" for first in TRAIN_FIRST for last in TRAIN_LAST], TRAINS)
    trains = {
        name: Train(
            *routes[number % ROUTES],
            datetime.time(rng.randrange(5, 22), rng.randrange(60)),
            Money(rng.randrange(900, 9_000) * 2),
        )
        for number, name in enumerate(names)
    }
    inns = rng.sample([f"{first} {last}" for first in HOTEL_FIRST for last in HOTEL_LAST], HOTELS)
    hotels = {
        name: Hotel(TOWNS[number % len(TOWNS)], Money(rng.randrange(4_000, 16_000))) for number, name in enumerate(inns)
    }
    state = State(
        seed=seed,
        forms=Forms(
            **{kind: forms.choice(name_forms(marks)) for kind, marks in MARKS.items()},
            date=forms.choice(date_forms()),
            booking=forms.choice(number_forms(NUMBER_PREFIXES)),
        ),
        now=datetime.datetime.combine(today, datetime.time(7, 15)),
        trains=trains,
        hotels=hotels,
        tickets={},
        stays={},
        refunds={},
    )
    soon = [today + datetime.timedelta(days=n) for n in range(1, 60)]
    for train, date in rng.sample([(train, date) for train in names[:TRAINS_HELD] for date in soon], TICKETS):
        fare = rng.choice(("saver", "standard", "flexible", "flexible", "flexible"))
        seat = rng.choice((None, *SEATS))
        state.tickets[state.number(train, date)] = Ticket(train, date, fare, seat, mine=rng.random() < 0.9)
    for hotel, date in rng.sample([(hotel, date) for hotel in inns[:HOTELS_HELD] for date in soon], STAYS):
        state.stays[state.number(hotel, date)] = Stay(hotel, date, rng.randrange(1, 6), rng.choice(MEALS))
    return state
