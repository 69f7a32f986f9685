"""How people say things in requests: a day, a time, an amount, in several ways each."""

import datetime
import random
import re

from servers.forms import MONTHS
from servers.quantities import Minutes, Money


def said(value: object, rng: random.Random) -> str:
    """Return `value` as somebody would say it; `rng` chooses among the ways."""
    match value:
        case datetime.datetime():
            raise TypeError("say the day and the time of a moment each in a place of its own")
        case datetime.date():
            return said_day(value, rng)
        case datetime.time():
            half = "am" if value.hour < 12 else "pm"
            return rng.choice((f"{value:%H:%M}", f"{value.hour % 12 or 12}:{value:%M} {half}"))
        case Money():
            return rng.choice((f"{value} euros", f"€{value}", f"EUR {value}", f"{value} EUR"))
        case Minutes():
            return rng.choice((f"{value.count} minutes", f"{value.count} min"))
    return str(value)


def with_articles(text: str) -> str:
    """Return `text` with "an" where "a" came to stand before a vowel."""
    return re.sub(r"\b([Aa]) (?=[aeioAEIO])", r"\1n ", text)


def plain_day(day: datetime.date) -> str:
    """Return `day` as refusals say it, such as 3 March 2027."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def said_day(day: datetime.date, rng: random.Random) -> str:
    """Return `day` in one of four ways."""
    month, tens = MONTHS[day.month - 1], day.day // 10
    ordinal = f"{day.day}{'th' if tens == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day.day % 10, 'th')}"
    return rng.choice(
        (
            plain_day(day),
            f"{month} {day.day}, {day.year}",
            f"{month} {ordinal}, {day.year}",
            f"the {ordinal} of {month} {day.year}",
        )
    )
