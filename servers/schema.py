"""A tool's definition from its function, and arguments checked against it.

As in the MCP SDK's high-level server, the signature gives names and types and the docstring gives the words; the
result is plain JSON, exactly as `tools/list` shows it.
"""

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_MARK = "_described"

F = TypeVar("F", bound=Callable[..., Any])


class Described(NamedTuple):
    """How well a tool's own words describe it, what a misleading one gets wrong, and its MCP annotations."""

    words: Literal["good", "terse", "misleading"]
    note: str
    annotations: Mapping[str, bool]


def described(
    words: Literal["good", "terse", "misleading"],
    note: str = "",
    *,
    read_only: bool | None = None,
    destructive: bool | None = None,
    idempotent: bool | None = None,
) -> Callable[[F], F]:
    """Mark a tool's function with how well its words describe it; a `note` says what they leave out or get wrong.

    Clients see the annotations and never the rest. Most real tools carry none, so most should be None here.
    """
    hints = {"readOnlyHint": read_only, "destructiveHint": destructive, "idempotentHint": idempotent}

    def mark(function: F) -> F:
        given = {name: value for name, value in hints.items() if value is not None}
        setattr(function, _MARK, Described(words, note, given))
        return function

    return mark


def description_of(function: Callable[..., Any]) -> Described:
    """Return what `described` says of a tool's function; of one without it, that its words are good."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Described) else Described("good", "", {})


@functools.cache
def definition(function: Callable[..., Any]) -> dict[str, Any]:
    """Return `name`, `description` and `inputSchema` of a tool whose first parameter is the world's state.

    The docstring's text up to `Args:` is the description; under it, `name: text` describes one argument a line. The
    same object for the same function: copy it before changing it.

    Raises:
        TypeError: an argument is of a type that has no JSON form here.
    """
    description, _, lines = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    words = dict(line.strip().split(": ", 1) for line in lines.splitlines() if line.strip())
    hints = get_type_hints(function)
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        properties[name] = _json_type(hints[name], f"{function.__name__}.{name}")
        if name in words:
            properties[name]["description"] = words[name]
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
        elif parameter.default is not None:
            properties[name]["default"] = parameter.default
    made = {
        "name": function.__name__,
        "description": description.strip(),
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }
    annotations = description_of(function).annotations
    return made | {"annotations": dict(annotations)} if annotations else made


def invalid(arguments: object, validator: Draft202012Validator) -> str | None:
    """Return what is wrong with `arguments` and what is right, for a model to read; None when they fit."""
    schema: Any = validator.schema
    errors = sorted(validator.iter_errors(arguments), key=lambda error: list(error.path))
    # One error a missing argument comes in, one sentence for all of them goes out.
    return "; ".join(dict.fromkeys(_sentence(error, schema) for error in errors)) or None


@functools.cache
def validator_of(function: Callable[..., Any]) -> Draft202012Validator:
    """Return what checks the arguments of a tool's function; making one costs more than a call."""
    return Draft202012Validator(definition(function)["inputSchema"])


def _json_type(hint: Any, where: str) -> dict[str, Any]:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is list:
        return {"type": "array", "items": _json_type(get_args(hint)[0], where)}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if hint not in _TYPES:
        raise TypeError(
            f"{where}: {hint} has no JSON type here; use str, int, float, bool, a Literal, or lists of them"
        )
    return {"type": _TYPES[hint]}


def _sentence(error: ValidationError, schema: Mapping[str, Any]) -> str:
    known = schema.get("properties", {})
    takes = f"this tool takes {', '.join(known) or 'none'}"
    given: Any = error.instance
    if error.path:
        where = f"argument {error.path[0]!r}"
        if error.validator == "type":
            return f"{where} must be of type {error.validator_value}, not {repr(given)[:60]}"
        return f"{where}: {error.message[:200]}"
    match error.validator:
        case "required":
            missing = [name for name in schema["required"] if name not in given]
            return f"missing argument {', '.join(map(repr, missing))}; {takes}"
        case "additionalProperties":
            unknown = [repr(name)[:60] for name in given if name not in known]
            return f"unknown argument {', '.join(unknown)}; {takes}"
        case "type":
            return f"arguments must be an object; {takes}"
    return error.message[:200]
