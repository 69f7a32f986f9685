"""Definitions from functions, and what a wrong argument is told."""

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.schema import definition, invalid, validator_of


def open_valve(
    state: object, pipe: str, turns: int, pressure: float = 1.0, quick: bool | None = None
) -> dict[str, Any]:
    """Open a valve.

    Takes a while.

    Args:
        pipe: Which pipe: its label.
        turns: How far.
    """
    return {}


SCHEMA = definition(open_valve)["inputSchema"]


def test_signature_and_docstring_become_the_definition() -> None:
    assert definition(open_valve) == {
        "name": "open_valve",
        "description": "Open a valve.\n\nTakes a while.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "pipe": {"type": "string", "description": "Which pipe: its label."},
                "turns": {"type": "integer", "description": "How far."},
                "pressure": {"type": "number", "default": 1.0},
                "quick": {"type": "boolean"},
            },
            "required": ["pipe", "turns"],
            "additionalProperties": False,
        },
    }


def test_an_argument_type_without_a_json_form_is_named() -> None:
    def paint(state: object, colours: set[str]) -> None: ...

    with pytest.raises(TypeError, match=r"paint\.colours"):
        definition(paint)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "missing argument 'pipe', 'turns'; this tool takes pipe, turns, pressure, quick"),
        ({"pipe": "a", "turns": "3"}, "argument 'turns' must be of type integer, not '3'"),
        (
            {"pipe": "a", "turns": 1, "speed": 2},
            "unknown argument 'speed'; this tool takes pipe, turns, pressure, quick",
        ),
        ([], "arguments must be an object; this tool takes pipe, turns, pressure, quick"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_right(arguments: object, told: str) -> None:
    assert invalid(arguments, validator_of(open_valve)) == told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["pipe", "turns", "pressure", "quick", "other"]), json_values))
def test_arguments_are_refused_exactly_when_the_function_could_not_take_them(arguments: dict[str, Any]) -> None:
    if invalid(arguments, validator_of(open_valve)) is None:
        inspect.signature(open_valve).bind(None, **arguments)
        assert isinstance(arguments["pipe"], str)
    else:
        wellformed = (
            {"pipe", "turns"} <= set(arguments) <= {"pipe", "turns", "pressure", "quick"}
            and isinstance(arguments["pipe"], str)
            and isinstance(arguments["turns"], int)
            and isinstance(arguments.get("pressure", 1), int | float)
            and isinstance(arguments.get("quick", True), bool)
        )
        booleans = any(isinstance(arguments.get(name), bool) for name in ("turns", "pressure"))
        assert booleans or not wellformed
