"""How a server wants names, dates and times written: the conventions that descriptions leave out.

A form is composed of parts, each drawn from a seed, so that no caller can know it beforehand but anybody can infer it
from a few written examples and write values never seen with it.
"""

import datetime
import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from servers.errors import ToolError

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
LETTERS = (None, 3, 4)
CASES = ("lower", "upper", "title")
SEPARATORS = ("-", "_", ".", ":", "/", "")
DATE_ORDERS = ("ymd", "dmy", "mdy")
DATE_SEPARATORS = ("-", "/", ".", "_", " ", "")
# How 3 March's month is written. Days are padded, except beside the unpadded "3".
MONTH_STYLES = ("03", "3", "Mar", "MAR")
TIME_SEPARATORS = (":", ".", "h", "-", "_", "")
TIME_MARKS = ("{}", "T{}", "{}Z", "{}UTC", "@{}")

Told = Literal["example", "choices", "nothing"]  # how much a refusal says of the right form

V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)


class Form(Protocol[V_contra]):
    """A way to write values of one kind."""

    def write(self, value: V_contra, /) -> str:
        """Return `value` as the server wants it."""
        ...


@dataclass(frozen=True)
class NameForm:
    """A name of one or more words as a code.

    `mark` is a template of words such as "wx {}" or "{} wx"; `letters` is how many of each word are kept, None for all.
    """

    mark: str
    letters: int | None
    case: str
    separator: str

    def write(self, value: str, /) -> str:
        """Return the code for the name `value`."""
        short = " ".join(word[: self.letters] for word in value.split())
        words = self.mark.format(short).split()
        recase = {"lower": str.lower, "upper": str.upper, "title": str.title}[self.case]
        return self.separator.join(recase(word) for word in words)


@dataclass(frozen=True)
class DateForm:
    """A day as text: the order of its parts, what stands between them, and the style of the month."""

    order: str
    separator: str
    month: str

    def write(self, value: datetime.date, /) -> str:
        """Return `value` in this form."""
        name = MONTHS[value.month - 1][:3]
        month = {"03": f"{value.month:02}", "3": str(value.month), "Mar": name, "MAR": name.upper()}[self.month]
        day = str(value.day) if self.month == "3" else f"{value.day:02}"
        parts = {"y": str(value.year), "m": month, "d": day}
        return self.separator.join(parts[part] for part in self.order)


@dataclass(frozen=True)
class TimeForm:
    """A time of day on the 24-hour clock: what stands between hours and minutes, and what marks it as a time."""

    separator: str
    mark: str

    def write(self, value: datetime.time, /) -> str:
        """Return `value` in this form."""
        return self.mark.format(f"{value.hour:02}{self.separator}{value.minute:02}")


@functools.cache
def name_forms(marks: tuple[str, ...]) -> tuple[NameForm, ...]:
    """Return every form that puts one of `marks` before or after the name; a bare name is never right."""
    sides = [side for mark in marks for side in (f"{mark} {{}}", f"{{}} {mark}")]
    return tuple(itertools.starmap(NameForm, itertools.product(sides, LETTERS, CASES, SEPARATORS)))


@functools.cache
def date_forms() -> tuple[DateForm, ...]:
    """Return every form but the ISO one, which everybody tries first."""
    forms = itertools.starmap(DateForm, itertools.product(DATE_ORDERS, DATE_SEPARATORS, MONTH_STYLES))
    iso = [DateForm("ymd", "-", "03"), DateForm("ymd", "-", "3")]  # the second is the first on many days
    return tuple(form for form in forms if form not in iso and (form.separator, form.month) != ("", "3"))


@functools.cache
def time_forms() -> tuple[TimeForm, ...]:
    """Return every form but 14:30, which everybody tries first."""
    forms = itertools.starmap(TimeForm, itertools.product(TIME_SEPARATORS, TIME_MARKS))
    return tuple(form for form in forms if form != TimeForm(":", "{}"))


class Codebook(Generic[V]):
    """The values of one kind by how they are written; a text that is not in it is refused.

    `example` is a value, and `said` what people call it, that refusals may show. It is not among the values: a caller
    who pastes it has not understood the form, and must not be served for that.
    """

    def __init__(self, form: Form[V], values: Iterable[V], *, example: V, said: str) -> None:
        self.written = {form.write(value): value for value in values if value != example}
        self.example = form.write(example)
        self.said = said

    def read(self, argument: str, text: str, *, told: Told) -> V:
        """Return the value that `text` stands for; `told` is how much a refusal says of the right form.

        Raises:
            ToolError: `text` is not in the form.
        """
        if text in self.written:
            return self.written[text]
        if text == self.example:
            raise ToolError(f"{argument} {text!r} is only an example of the form.")
        refused = f"{argument} {text[:60]!r} is not valid"
        if told == "example":
            raise ToolError(f"{refused}; for example, {self.said} is {self.example!r}.")
        if told == "choices":
            raise ToolError(f"{refused}; use one of {', '.join(map(repr, self.written))}.")
        raise ToolError(f"{refused}.")
