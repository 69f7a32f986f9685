"""How right the calls of one reply are."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from adapters.messages import ToolCall, ToolSpec
from learner.suites import Case, GoldCall

MEASURES = ("wellformed", "api_match", "correct", "strict")


@dataclass(frozen=True)
class Score:
    """What one reply to one case is worth; a mean over cases is a fraction of all of them."""

    wellformed: bool
    api_match: bool
    correct: bool
    strict: bool


def score(case: Case, calls: Sequence[ToolCall], tools: Sequence[ToolSpec], *, solved: bool | None = None) -> Score:
    """Judge the calls of one reply to `case`; `tools` are the suite's.

    - `wellformed`: there are calls, and each fits the input schema of a tool that the case shows.
    - `api_match`: every gold call has a call of its own to the same tool.
    - `correct`: calls and gold match one to one, every gold argument is right; extra arguments are ignored.
    - `strict`: as `correct`, and no argument is extra.

    Where gold makes no call, all four ask whether none was made. `solved` is the verdict of a task's own check; it
    takes the argument judge's place in `correct`, and `strict` then needs both. (What a user may not do is right in
    the task's own eyes as long as it did not happen, though a call was tried.)
    """
    if not case.calls:
        none = not calls
        return Score(none, none, none if solved is None else solved, none)
    shown = {tool.name: tool for tool in tools if case.tools is None or tool.name in case.tools}
    exact = len(calls) == len(case.calls)
    strict = exact and _matches(case, calls, _is_exactly_right)
    return Score(
        wellformed=bool(calls) and all(call.name in shown and _fits(call, shown[call.name]) for call in calls),
        api_match=_matches(case, calls, _is_right_tool),
        correct=exact and _matches(case, calls, _is_right) if solved is None else solved,
        strict=strict and solved is not False,
    )


def _is_right_tool(gold: GoldCall, call: ToolCall) -> bool:
    return call.name == gold.name


def _is_right(gold: GoldCall, call: ToolCall) -> bool:
    arguments: object = call.arguments  # what a model wrote: whatever its type says, it may be no object
    if call.name != gold.name or not isinstance(arguments, Mapping):
        return False
    accepted = {name: [value] for name, value in gold.arguments.items()} | dict(gold.allowed or {})
    return all(
        _is_accepted(arguments[name], values) if name in arguments else "" in (gold.allowed or {}).get(name, ())
        for name, values in accepted.items()
    )


def _is_exactly_right(gold: GoldCall, call: ToolCall) -> bool:
    known = {*gold.arguments, *(gold.allowed or {})}
    return _is_right(gold, call) and all(name in known for name in call.arguments)


def _matches(case: Case, calls: Sequence[ToolCall], fits: Callable[[GoldCall, ToolCall], bool]) -> bool:
    """Whether each gold call can be given a call of its own that fits it; in gold's order if the case is ordered."""
    if case.ordered:
        later = iter(calls)
        return all(any(fits(gold, call) for call in later) for gold in case.calls)
    taken: dict[int, int] = {}  # call → gold

    def place(gold: int, tried: set[int]) -> bool:
        # Kuhn's augmenting path: a taken call is freed if its gold call finds another.
        for number, call in enumerate(calls):
            if number not in tried and fits(case.calls[gold], call):
                tried.add(number)
                if number not in taken or place(taken[number], tried):
                    taken[number] = gold
                    return True
        return False

    return all(place(gold, set()) for gold in range(len(case.calls)))


def _is_accepted(value: object, accepted: Iterable[object]) -> bool:
    """Whether `value` is one of `accepted`, in any spelling that `normalised` does not tell apart."""
    try:
        return any(normalised(value) == normalised(one) or _in_listed_form(value, one) for one in accepted)
    except RecursionError:
        return False  # nested deeper than any gold


def _in_listed_form(value: object, accepted: object) -> bool:
    # BFCL writes an accepted object with the list of accepted values in the place of each value.
    return (
        isinstance(value, Mapping)
        and isinstance(accepted, Mapping)
        and all(isinstance(values, list) for values in accepted.values())
        and all(name in accepted for name in value)
        and all(
            _is_accepted(value[name], values) if name in value else "" in values for name, values in accepted.items()
        )
    )


def normalised(value: Any) -> Any:
    """Return what two spellings of the same argument share; hashable.

    Texts lose case and the white space around them. Numbers, and texts that spell one as JSON does, compare as
    numbers: "5", 5 and 5.0 are one, "007" and "1,000" are not (the first may be an id, the second a list). Lists and
    objects are normalised all the way down; true is the text "true", as the published rule lower-cases everything.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        text = value.strip().lower()
        return Decimal(text) if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text) else text
    if isinstance(value, Mapping):
        return frozenset((name, normalised(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(normalised(item) for item in value)
    return value


def _fits(call: ToolCall, tool: ToolSpec) -> bool:
    """Whether the arguments fit the tool's schema; a schema that is itself malformed forbids nothing."""
    arguments: object = call.arguments
    if not isinstance(arguments, Mapping):
        return False
    try:
        validator = _validator(json.dumps(tool.input_schema))
        return validator is None or validator.is_valid(arguments)
    except (Unresolvable, RecursionError):
        return True


@lru_cache(maxsize=4096)
def _validator(schema_json: str) -> Validator | None:
    schema = json.loads(schema_json)
    try:
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        kind.check_schema(schema)
    except (jsonschema.SchemaError, TypeError):
        return None
    # A registry of our own, because the default one would fetch a "$ref" to elsewhere from the network.
    return kind(schema, registry=Registry())
