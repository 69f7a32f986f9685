"""The address book of a company: people, the organisations they work for, groups, and who may see a card.

What its descriptions leave out:

- ids are made from names, in a form of their own for people, organisations and groups;
- kinds of phone numbers, and the roles in which a card is shared, are codes;
- phone numbers are written in one form only, and it is not the international one;
- a list comes in pages of five, and tells of the next one by a cursor;
- some cards belong to colleagues: they can be read, and a change is refused by a bare 403; some are private, and the
  service says that there is none;
- one group is looked after by somebody else;
- of a card one part is told at a time;
- where both of two merged contacts have a number, that of the deleted one counts, unless the caller says otherwise;
- a reference makes a new contact safe to create twice, and is kept on the card;
- contacts are merged only if they share organisation and last name.
"""

import datetime
import functools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from servers.codebooks import codes
from servers.forms import Codebook, NameForm, name_forms
from servers.people import NOBODY, doubles, singles
from servers.quantities import Reader
from servers.service import ServiceState

ORGANISATIONS = (
    "Larkspur Foods", "Beacon Glass", "Copperline Rail", "Dovetail Joinery", "Everglade Paper", "Foxglove Dairy",
    "Granary Bank", "Hawthorn Press", "Ironbridge Steel", "Juniper Tea", "Kestrel Couriers", "Lantern Films",
    "Millstone Bakers", "Northgate Clinic", "Orchard Theatre", "Pinnacle Ropes",
)  # fmt: skip
GROUPS = (
    "Choir", "Book Club", "Press", "Alumni", "Summer Party", "Running Team", "Suppliers", "Ski Trip", "Volunteers",
)  # fmt: skip
GUARDED = "Board"  # the one group that somebody else looks after
LINES = ("mobile", "work", "home", "fax", "pager")
DETAILS = ("numbers", "groups", "manager", "access")
ROLES = ("viewer", "commenter", "editor", "delegate", "owner")
LARGE = 4  # organisations, each of more people than a page holds
PAGE = 5
SEEN_ONLY = 3  # cards of each kind that the user may not change
OPENS = datetime.time(9, 15)

MARKS = {
    "person": ("per", "ct", "ppl", "idn", "vcf", "hum", "pid", "cn"),
    "organisation": ("org", "co", "frm", "biz", "acct", "ou", "corp", "ent"),
    "group": ("grp", "lst", "lbl", "gx", "cg", "tg", "crc", "gr"),
    "line": ("ph", "ln", "tl", "nmb", "typ", "dev", "pk", "lt"),
    "detail": ("fld", "prt", "msk", "vw", "sec", "prj", "col", "inc"),
    "role": ("acl", "rl", "prm", "gnt", "lvl", "rt", "asg", "prv"),
}
PHONE_MARKS = ("{}", "tel:{}", "+{}", "({})", "p/{}", "{}#", "t.{}", "nr_{}")
PHONE_SEPARATORS = ("-", ".", "/", "_", "", ":")


@dataclass(frozen=True)
class PhoneForm:
    """A phone number as text: what stands between area code and number, and what marks it as one."""

    mark: str
    separator: str

    def write(self, value: str, /) -> str:
        """Return `value`, such as "0309-41876", in this form."""
        return self.mark.format(value.replace("-", self.separator))


@functools.cache
def phone_forms() -> tuple[PhoneForm, ...]:
    """Return every form but the one in which people say numbers."""
    forms = [PhoneForm(mark, separator) for mark in PHONE_MARKS for separator in PHONE_SEPARATORS]
    return tuple(form for form in forms if form != PhoneForm("{}", "-"))


@dataclass(frozen=True)
class Forms:
    """How this seed's address book wants each kind of argument written."""

    person: NameForm
    organisation: NameForm
    group: NameForm
    line: NameForm
    detail: NameForm
    role: NameForm
    phone: PhoneForm


@dataclass(kw_only=True)
class Card:
    """One contact. `phones` is line → number; `shared` is colleague → role; without `manager` there is nobody above."""

    organisation: str
    phones: dict[str, str]
    groups: list[str]
    manager: str | None = None
    access: Literal["change", "read", "none"] = "change"
    shared: dict[str, str] = field(default_factory=dict)
    reference: str = ""


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole address book. `cards` is by name; `staff` are the user's own colleagues, and `large`
    are organisations of which more people than a page holds are in one group, with that group."""

    forms: Forms
    cards: dict[str, Card]
    staff: tuple[str, ...]
    large: dict[str, str]

    def person(self) -> Codebook[str]:
        """Return the ids of the contacts."""
        return codes(self.forms.person, tuple(self.cards), NOBODY)

    def organisation(self) -> Codebook[str]:
        """Return the ids of the organisations."""
        return codes(self.forms.organisation, ORGANISATIONS, "Quarry Stone")

    def group(self) -> Codebook[str]:
        """Return the ids of the groups."""
        return codes(self.forms.group, (*GROUPS, GUARDED), "Wine Tasting")

    def line(self) -> Codebook[str]:
        """Return the codes of the kinds of phone numbers."""
        return codes(self.forms.line, LINES, "satellite")

    def detail(self) -> Codebook[str]:
        """Return the codes of the parts of a card."""
        return codes(self.forms.detail, DETAILS, "birthdays")

    def role(self) -> Codebook[str]:
        """Return the codes of the roles in which a card is shared."""
        return codes(self.forms.role, ROLES, "auditor")

    def phone(self) -> Reader[str]:
        """Return what reads phone numbers."""
        return Reader(self.forms.phone, _number, "0481-20357", "the number 0481-20357")

    def members(self, organisation: str, group: str | None) -> list[str]:
        """Return who works there, of a group or all, in the order of their names; private cards do not show."""
        return sorted(
            name
            for name, card in self.cards.items()
            if card.organisation == organisation and card.access != "none" and (group is None or group in card.groups)
        )


def first_state(seed: int) -> State:
    """Return how the address book of `seed` starts."""
    drawn = random.Random(f"contacts forms {seed}")  # noqa: S311 - a simulation, not a secret
    forms = Forms(
        **{kind: drawn.choice(name_forms(marks)) for kind, marks in MARKS.items()},
        phone=drawn.choice(phone_forms()),
    )
    rng = random.Random(f"contacts {seed}")  # noqa: S311 - a simulation, not a secret
    organisations = rng.sample(ORGANISATIONS, len(ORGANISATIONS))
    own, large, small = organisations[0], organisations[1 : 1 + LARGE], organisations[1 + LARGE :]
    alone = singles(seed)
    size = len(alone) // (LARGE + 2)  # one share for each large organisation, two for the user's own
    staff = alone[: 2 * size]
    cards = {name: _card(rng, own) for name in staff}
    for number, name in enumerate(alone[2 * size :]):
        cards[name] = _card(rng, large[number // size])
        common = GROUPS[number // size]
        cards[name].groups = [common, *(group for group in cards[name].groups if group != common)]
    for number, (formal, short) in enumerate(doubles(seed)):
        # Three of the same four numbers: whichever card's number counts after a merger, it shows.
        for name in (formal, short):
            cards[name] = _card(rng, small[number % len(small)], [line for line in LINES if line != "pager"])
        cards[short].phones["pager"] = _drawn_number(rng)
        if number < SEEN_ONLY:
            cards[formal].access = "read"
    for name in staff[-SEEN_ONLY:]:
        cards[name].access = "none"
    for name, card in cards.items():
        if rng.random() < 0.5:
            card.shared[rng.choice([each for each in staff[:-SEEN_ONLY] if each != name])] = rng.choice(ROLES)
    for organisation in organisations:
        first, *others = (name for name, card in cards.items() if card.organisation == organisation)
        for name in others:
            cards[name].manager = first
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, OPENS),
        forms=forms,
        cards=cards,
        staff=staff[:-SEEN_ONLY],
        large=dict(zip(large, GROUPS, strict=False)),
    )


def _card(rng: random.Random, organisation: str, lines: Sequence[str] = LINES) -> Card:
    return Card(
        organisation=organisation,
        phones={line: _drawn_number(rng) for line in rng.sample(lines, 3)},
        groups=rng.sample(GROUPS, 3),
    )


def _drawn_number(rng: random.Random) -> str:
    return f"0{rng.randrange(100, 1000)}-{rng.randrange(10000, 100000)}"


def _number(text: str) -> str:
    digits = "".join(re.findall(r"[0-9]", text[:24]))
    if len(digits) != 9:
        raise ValueError(text)
    return f"{digits[:4]}-{digits[4:]}"
