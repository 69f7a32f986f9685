"""A tool's definition from its function, and arguments checked against it.

As in the MCP SDK's high-level server, the signature gives names and types and the docstring gives the words; the
result is plain JSON, exactly as `tools/list` shows it.
"""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def definition(function: Callable[..., Any]) -> dict[str, Any]:
    """Return `name`, `description` and `inputSchema` of a tool whose first parameter is the world's state.

    The docstring's text up to `Args:` is the description; under it, `name: text` describes one argument a line.

    Raises:
        TypeError: an argument is of a type that has no JSON form here.
    """
    description, _, described = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    words = dict(line.strip().split(": ", 1) for line in described.splitlines() if line.strip())
    hints = get_type_hints(function)
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        properties[name] = {"type": _json_type(hints[name], f"{function.__name__}.{name}")}
        if name in words:
            properties[name]["description"] = words[name]
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
    return {
        "name": function.__name__,
        "description": description.strip(),
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


def invalid(arguments: object, schema: Mapping[str, Any]) -> str | None:
    """Return what is wrong with `arguments` and what is right, for a model to read; None when they fit."""
    errors = sorted(Draft202012Validator(schema).iter_errors(arguments), key=lambda error: list(error.path))
    # One error a missing argument comes in, one sentence for all of them goes out.
    return "; ".join(dict.fromkeys(_sentence(error, schema) for error in errors)) or None


def _json_type(hint: Any, where: str) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    if hint not in _TYPES:
        raise TypeError(f"{where}: {hint} has no JSON type here; use one of str, int, float, bool")
    return _TYPES[hint]


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
