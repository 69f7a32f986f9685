"""How a server wants amounts of money, durations and numbered ids written; names, dates and times are in `forms`."""

import functools
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from servers.errors import ToolError
from servers.forms import Form, Told

V = TypeVar("V")

# A bare "12.50", which everybody tries first, is never right.
MONEY_MARKS = ("{}", "{} EUR", "{}EUR", "EUR {}", "EUR{}", "€{}", "{}€")
MONEY_POINTS = (".", ",", "")
DURATION_STYLES = ("{m}m", "{m}min", "{m:04}", "PT{m}M", "{h}:{r:02}", "{h}h{r:02}", "PT{h}H{r}M", "{s}", "{s}s")
NUMBER_MARKS = ("{}-", "{}_", "{}", "{}/", "{}.", "#{}-")


@dataclass(frozen=True, order=True)
class Money:
    """An amount of euros, in cents."""

    cents: int

    def __str__(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02}"


@dataclass(frozen=True, order=True)
class Minutes:
    """How long something takes."""

    count: int


@dataclass(frozen=True)
class MoneyForm:
    """An amount as text: what stands between euros and cents, and what says that it is money."""

    mark: str
    point: str

    def write(self, value: Money, /) -> str:
        """Return `value` in this form."""
        return self.mark.format(f"{value.cents // 100}{self.point}{value.cents % 100:02}")


@dataclass(frozen=True)
class DurationForm:
    """A duration as text. `style` is a template of m (all minutes), h and r (hours and the rest), s (seconds)."""

    style: str

    def write(self, value: Minutes, /) -> str:
        """Return `value` in this form."""
        hours, rest = divmod(value.count, 60)
        return self.style.format(m=value.count, h=hours, r=rest, s=value.count * 60)


@dataclass(frozen=True)
class NumberForm:
    """A numbered id: what stands before the number, and to how many digits it is filled up."""

    prefix: str
    digits: int

    def write(self, value: int, /) -> str:
        """Return `value` in this form."""
        return f"{self.prefix}{value:0{self.digits}}"


@functools.cache
def money_forms() -> tuple[MoneyForm, ...]:
    """Return every form but 12.50, which everybody tries first."""
    forms = itertools.starmap(MoneyForm, itertools.product(MONEY_MARKS, MONEY_POINTS))
    return tuple(form for form in forms if form != MoneyForm("{}", "."))


@functools.cache
def duration_forms() -> tuple[DurationForm, ...]:
    """Return every form; a bare number of minutes is never right."""
    return tuple(map(DurationForm, DURATION_STYLES))


@functools.cache
def number_forms(prefixes: tuple[str, ...]) -> tuple[NumberForm, ...]:
    """Return every form that begins with one of `prefixes`; a bare number is never right."""
    marks = [
        mark.format(case(prefix)) for prefix in prefixes for mark in NUMBER_MARKS for case in (str.lower, str.upper)
    ]
    return tuple(itertools.starmap(NumberForm, itertools.product(marks, (0, 6, 8))))


@dataclass(frozen=True)
class Reader(Generic[V]):
    """Reads values of a kind that is too large for a codebook: what is found by `parse` counts if it is so written."""

    form: Form[V]
    parse: Callable[[str], V]
    example: V
    said: str

    def read(self, argument: str, text: str, *, told: Told) -> V:
        """Return the value that `text` stands for; `told` is how much a refusal says ("choices": as an example).

        Raises:
            ToolError: `text` is not in the form.
        """
        try:
            value = self.parse(text)
        except (ValueError, OverflowError):
            value = None
        if value is not None and value != self.example and self.form.write(value) == text:
            return value
        refused = f"{argument} {text[:60]!r} is not valid"
        if told == "nothing":
            raise ToolError(f"{refused}.")
        raise ToolError(f"{refused}; for example, {self.said} is {self.form.write(self.example)!r}.")


def money(form: MoneyForm) -> Reader[Money]:
    """Return what reads amounts of up to a hundred million euros."""
    return Reader(
        form, lambda text: Money(int("".join(re.findall(r"[0-9]", text[:24]))[:10])), Money(81234), "812.34 euros"
    )


def duration(form: DurationForm) -> Reader[Minutes]:
    """Return what reads durations of less than a week."""
    written = _durations(form)
    return Reader(form, lambda text: Minutes(written[text]), Minutes(137), "137 minutes")


def numbered(form: NumberForm, example: int, said: str) -> Reader[int]:
    """Return what reads numbered ids; `example` is the id that refusals show, and `said` what people call it."""
    return Reader(form, lambda text: int((re.findall(r"[0-9]+$", text[:40]) or [""])[0]), example, said)


@functools.lru_cache(maxsize=64)
def _durations(form: DurationForm) -> "_Written":
    return _Written((form.write(Minutes(count)), count) for count in range(1, 7 * 24 * 60))


class _Written(dict[str, int]):
    """Minutes by how they are written; what is not written so is no duration."""

    def __missing__(self, text: str) -> int:
        raise ValueError(text)
