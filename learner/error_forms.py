"""Which errors are the same but for what they are about: an error's form is its text without values, ids and numbers.

Logged text is hostile input: it is cut before anything is looked for in it, and the patterns take time in proportion
to it.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from learner.arguments import leaves

VALUE = "…"
_MAX_CHARACTERS = 500  # of an error; what is wrong stands at its beginning
_MAX_JSON = 20_000  # characters of an error that is JSON
_SHORT, _LONG = 3, 200  # characters of an argument's value that is looked for in the error
# Longer ones are no names or values but texts.
_QUOTED = re.compile(
    "|".join(
        (
            r'\\?"([^"\\\n]{0,200})\\?"',
            r"(?<!\w)'([^'\n]{0,200})'(?!\w)",
            r"`([^`\n]{0,200})`",
            r"\u201c([^\u201d\n]{0,200})\u201d",
            r"\u2018([^\u2019\n]{0,200})\u2019",
        )
    )
)
# A number that says which error it is: HTTP 404, status code 500, error -32602, errno 2.
_CODE = re.compile(
    r"\b(?:https?|status|code|errno)[\s:=#(\[]{0,4}-?\d{1,6}\b|\berror[\s:=#(\[]{0,4}(?:-\d{1,6}|[45]\d\d)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<!\w)[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+|(?<![\w./])~?/[^\s\"'<>:,;)]+", re.IGNORECASE)
_WITH_DIGIT = re.compile(r"(?<![\w-])[+-]?(?:[^\W\d]|[_-])*+\d[\w.:+%-]*")
_SEVERAL = re.compile(rf"{VALUE}(?:[\s,;:/|.-]{{0,4}}{VALUE})++")


def error_form(text: str, arguments: Mapping[str, Any] | None = None, names: Collection[str] = ()) -> str:
    """Return the form of an error's text: one line in which each value is "…".

    A value is what is quoted, holds a digit, is an address, or was one of the call's `arguments`; but not a quoted name
    among `names`, the tool's arguments: which of them is wrong is what tells errors apart.
    """
    line = " ".join(_plain(text).replace("\0", " ").split())[:_MAX_CHARACTERS]
    codes = [match.group() for match in _CODE.finditer(line)]
    line = _CODE.sub("\0", line)
    for value in sorted(_values(arguments or {}, names), key=len, reverse=True):
        if value.lower() in line.lower():  # a new pattern for every value costs more than the rest
            line = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", VALUE, line, flags=re.IGNORECASE)
    line = _QUOTED.sub(lambda match: _name_or_value(match, names), line)
    for pattern in (_ADDRESS, _WITH_DIGIT, _SEVERAL):
        line = pattern.sub(VALUE, line)
    for code in codes:
        line = line.replace("\0", code, 1)
    return line


def _plain(text: str) -> str:
    """Return an error that is JSON as its values by path: there, what is quoted need not be a value."""
    if text.lstrip()[:1] in ("{", "[") and len(text) <= _MAX_JSON:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return ", ".join(f"{path}: {leaf}" for path, leaf in leaves(value).items())
    return text


def _values(arguments: Mapping[str, Any], names: Collection[str]) -> Iterator[str]:
    for value in leaves(arguments).values():
        if isinstance(value, str) and _SHORT <= len(value) <= _LONG and value not in names:
            yield " ".join(value.split())


def _name_or_value(match: re.Match[str], names: Collection[str]) -> str:
    inside = next(group for group in match.groups() if group is not None)
    return inside if inside in names else VALUE
