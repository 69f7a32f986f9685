"""The options of faults: what each takes, and what is said when a plan gives something else."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

LONGEST_S = 3600.0


class Option(NamedTuple):
    """How an option is read from JSON: `read` returns its value, or raises TypeError; `takes` says what fits."""

    takes: str
    read: Callable[[object], Any]


def share(default: float) -> Any:
    """Return a field for a share of calls, from 0 to 1."""
    return _field(default, "a number from 0 to 1", lambda value: _number(value, 0, 1))


def seconds(default: float | None) -> Any:
    """Return a field for a time in seconds; None, in JSON null, where that is the default."""
    takes = f"seconds above 0 and at most {LONGEST_S:.0f}"

    def read(value: object) -> float | None:
        return None if value is None and default is None else _number(value, math.ulp(0.0), LONGEST_S)

    return _field(default, takes if default is not None else f"{takes}, or null", read)


def whole(default: int, *, lowest: int = 0) -> Any:
    """Return a field for a number of calls or tools."""

    def read(value: object) -> int:
        number = _number(value, lowest, 10**9)
        if number != int(number):
            raise TypeError
        return int(number)

    return _field(default, f"a whole number from {lowest} to {10**9}", read)


def names() -> Any:
    """Return a field for a list of names; None where nothing is named."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            raise TypeError
        return tuple(value)

    return _field(None, "a list of one or more names", read)


def some(choices: Sequence[str]) -> Any:
    """Return a field for one or more of `choices`; all of them where nothing is named."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(name in choices for name in value):
            raise TypeError
        return tuple(value)

    return _field(tuple(choices), f"a list of one or more of {', '.join(choices)}", read)


def _field(default: object, takes: str, read: Callable[[object], Any]) -> Any:
    return dataclasses.field(default=default, metadata={"option": Option(takes, read)})


def _number(value: object, lowest: float, highest: float) -> float:
    # bool is an int in Python, and JSON's true is no number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise TypeError
    return float(value)
