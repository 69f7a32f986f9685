"""Faults of the answer: the call was carried out, and what comes back is not what was sent."""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from servers.faults.fault import Rated, Turn
from servers.faults.options import some
from servers.world import CallResult

CUT_MARKS = ("", "", "…", " [truncated]")
PAGES = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    "<!DOCTYPE html>\n<html><head><title>Scheduled maintenance</title></head>\n"
    "<body><h1>We'll be back soon!</h1></body></html>\n",
    '<!doctype html>\n<html lang="en"><head><title>Sign in</title></head>\n'
    '<body><form action="/login" method="post"></form></body></html>\n',
)
OF_FIELDS = ("wrong_type", "missing_field")
SHAPES = (*OF_FIELDS, "html", "empty")


@dataclass(frozen=True, kw_only=True)
class Truncated(Rated):
    """The text ends in the middle, and there is no structured content."""

    kind: ClassVar[str] = "truncated"

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return the beginning of the answer."""
        result = proceed()
        if result.protocol_error is not None or len(result.text) < 2:
            return result
        kept = turn.chance.randrange(1, len(result.text))
        text = result.text[:kept] + turn.chance.choice(CUT_MARKS)
        return dataclasses.replace(result, text=text, structured=None)


@dataclass(frozen=True, kw_only=True)
class Malformed(Rated):
    """The answer has one of `shapes`: a field of the wrong type or left out, a web page, nothing at all."""

    kind: ClassVar[str] = "malformed"
    shapes: tuple[str, ...] = some(SHAPES)

    def answer(self, turn: Turn, proceed: Callable[[], CallResult]) -> CallResult:
        """Return what the answer was made into."""
        result = proceed()
        if result.protocol_error is not None:
            return result
        # A refusal has no fields, and neither has an empty object.
        fitting = [shape for shape in self.shapes if result.structured or shape not in OF_FIELDS]
        if not fitting:
            return result
        shape = turn.chance.choice(fitting)
        if shape == "html":
            return dataclasses.replace(result, text=turn.chance.choice(PAGES), structured=None)
        if shape == "empty":
            return dataclasses.replace(result, text="", structured=None)
        structured = copy.deepcopy(result.structured)
        holder, key = turn.chance.choice(list(_fields(structured)))
        if shape == "missing_field":
            del holder[key]
        else:
            holder[key] = _of_another_type(holder[key])
        return dataclasses.replace(result, text=json.dumps(structured, ensure_ascii=False), structured=structured)


def _fields(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)


def _of_another_type(value: Any) -> Any:
    """Return `value` as sloppy services write it: figures and objects as text, a text or a list in something else."""
    if isinstance(value, str):
        return [value]
    if value is None:
        return ""
    if isinstance(value, list):
        return {"items": value}
    return json.dumps(value, ensure_ascii=False)
