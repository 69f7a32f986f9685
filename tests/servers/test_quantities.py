"""Amounts, durations and numbered ids: what a form writes, and only that, is read back."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.errors import ToolError
from servers.forms import Form
from servers.quantities import (
    Minutes,
    Money,
    Reader,
    duration,
    duration_forms,
    money,
    money_forms,
    number_forms,
    numbered,
)

amounts = st.integers(0, 10**9).map(Money)
lengths = st.integers(1, 7 * 24 * 60 - 1).map(Minutes)
numbers = st.integers(1, 10**7)


def readers() -> list[tuple[Reader[Any], st.SearchStrategy[Any]]]:
    made: list[tuple[Reader[Any], st.SearchStrategy[Any]]] = [(money(form), amounts) for form in money_forms()]
    made += [(duration(form), lengths) for form in duration_forms()]
    made += [(numbered(form, 4711, "ticket 4711"), numbers) for form in number_forms(("ord", "tk"))]
    return made


@given(st.data())
def test_what_a_form_writes_is_read_back(data: st.DataObject) -> None:
    reader, values = data.draw(st.sampled_from(readers()))
    value = data.draw(values.filter(lambda value: value != reader.example))
    assert reader.read("amount", reader.form.write(value), told="nothing") == value


@given(st.data(), st.text(max_size=30))
def test_what_no_form_writes_is_refused_in_one_line(data: st.DataObject, text: str) -> None:
    reader, _ = data.draw(st.sampled_from(readers()))
    refused = ""
    try:
        value = reader.read("amount", text, told="example")
    except ToolError as error:
        refused = str(error)
    if not refused:
        assert reader.form.write(value) == text
        return
    assert len(refused.splitlines()) == 1
    assert repr(reader.form.write(reader.example)) in refused


@pytest.mark.parametrize(("forms", "value", "naive"), [
    (money_forms(), Money(1250), "12.50"),
    (duration_forms(), Minutes(90), "90"),
    (number_forms(("ord",)), 4712, "4712"),
])  # fmt: skip
def test_the_form_everybody_tries_first_is_never_right(forms: tuple[Form[Any], ...], value: Any, naive: str) -> None:
    assert len(set(forms)) == len(forms) >= 9
    assert naive not in [form.write(value) for form in forms]


def test_the_example_is_shown_and_not_served() -> None:
    reader = money(money_forms()[0])
    with pytest.raises(
        ToolError, match=re.escape(f"for example, 812.34 euros is '{reader.form.write(Money(81234))}'.")
    ):
        reader.read("amount", reader.form.write(Money(81234)), told="example")
    with pytest.raises(ToolError, match=r"^amount 'x' is not valid\.$"):
        reader.read("amount", "x", told="nothing")
