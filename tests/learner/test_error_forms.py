import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.error_forms import error_form

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no station called 'Corvane'", "no station called 'Petrel Rock'"),
        ('no station called "Corvane"', 'no station called ""'),
        ("no station called “Corvane”", "no station called “Petrel”"),
        ("order 17 was not found", "order 18231 was not found"),
        ("order A-17/3 was not found", "order B-9 was not found"),
        ("timed out after 3.5 s", "timed out after 12 s"),
        ("no such file: /home/a/b.txt", "no such file: /tmp/c"),
        ("cannot reach https://a.example/x?y=1", "cannot reach http://b.example/"),
        ("0b5b1a4e-6cbe-4a0e-9e6f-0a8f8f1f5d11 is gone", "f3b5-11 is gone"),
        ("2026-11-23T10:00:00Z lies in the past", "2020-01-01 lies in the past"),
        ("unknown: 'a', 'b'", "unknown: 'a', 'b', 'c'"),
        ('{"error": "not found", "id": 5}', '{"error": "not found",   "id": 6}'),
        ("a\nb  17", "a b 18"),
    ],
)
def test_errors_that_differ_in_values_only_have_one_form(one: str, other: str) -> None:
    assert error_form(one) == error_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no such station", "no such day"),
        ("HTTP 404", "HTTP 500"),
        ("request failed with status code 401", "request failed with status code 429"),
        ("MCP error -32602: wrong", "MCP error -32603: wrong"),
        ("Error: 404", "Error: 500"),
        ('{"error": "not found"}', '{"error": "forbidden"}'),
        ("don't know it", "can't do it"),
    ],
)
def test_other_errors_have_other_forms(one: str, other: str) -> None:
    assert error_form(one) != error_form(other)


def test_a_value_of_the_calls_own_arguments_need_not_be_quoted() -> None:
    one = error_form("unknown station Corvane!", {"where": {"station": "Corvane"}})
    other = error_form("unknown station PETREL!", {"where": {"station": "Petrel"}})
    assert one == other == "unknown station …!"
    assert error_form("unknown stations", {"station": "station"}) == "unknown stations"


def test_the_name_of_an_argument_tells_errors_apart() -> None:
    names = {"day", "station"}
    assert error_form("'day' is required", {}, names) == "day is required"
    assert error_form("'day' is required", {}, names) != error_form("'station' is required", {}, names)
    assert error_form("'dry' is required", {}, names) == error_form("'stat' is required", {}, names)


@given(st.text(max_size=3000) | ANYTHING.map(json.dumps), st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4))
def test_any_text_has_a_form_on_one_line(text: str, arguments: dict[str, Any]) -> None:
    form = error_form(text, arguments, set(arguments))
    assert len(form.splitlines()) <= 1
    assert len(form) <= 500


@given(st.text(alphabet="abc \t'\"`", max_size=60), st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_never_tell_errors_apart(text: str, one: int, other: int) -> None:
    assert error_form(f"{text} {one}") == error_form(f"{text} {other}")


@pytest.mark.parametrize("piece", ["'", '"', '\\"', "a-", "/a", "0.", "…,", "status ", "\0", "[", "{", "\u2018"])
def test_hostile_text_is_formed_without_delay(piece: str) -> None:
    for text in (piece * 100_000, "[" * 10_000 + "]" * 10_000):
        assert len(error_form(text, {"a": piece * 60})) <= 500
