from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.arguments import MISSING, Difference, differences, leaves, nearest
from tests.learner.test_error_forms import ANYTHING

ARGUMENTS = st.dictionaries(st.text(max_size=8), ANYTHING, max_size=5)


def test_what_differs_is_found_deep_inside() -> None:
    failed = {"where": {"station": "Corvane", "units": "C"}, "days": [1, 2], "draft": None}
    worked = {"where": {"station": "CVN-12", "units": "C"}, "days": [1], "exact": True}
    assert differences(failed, worked) == [
        Difference("where.station", "Corvane", "CVN-12"),
        Difference("days[1]", 2, MISSING),
        Difference("draft", None, MISSING),
        Difference("exact", MISSING, True),
    ]


def test_a_call_without_arguments_lacks_those_of_the_other_and_nothing_else() -> None:
    assert differences({}, {"station": "Corvane"}) == [Difference("station", MISSING, "Corvane")]
    assert differences({"days": []}, {}) == [Difference("days", [], MISSING)]


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ("1", 1), ({}, []), (None, "")])
def test_values_of_different_types_differ(one: Any, other: Any) -> None:
    assert differences({"a": one}, {"a": other}) == [Difference("a", one, other)]


def test_the_nearest_call_is_the_one_in_which_the_least_differs() -> None:
    failed = {"station": "Corvane", "day": "3 March", "units": "C"}
    candidates = [
        {"station": "Petrel", "day": "2027-03-09", "units": "F"},
        {"station": "Corvane", "day": "2027-03-09", "units": "C"},
        {"station": "Corvane", "day": "3 march", "units": "C"},
        {"station": "Corvane", "day": "3 march", "units": "C"},
    ]
    assert nearest(failed, candidates) == 2
    assert nearest(failed, candidates[:2]) == 1
    assert nearest(failed, []) is None


@given(ARGUMENTS, ARGUMENTS)
def test_only_what_is_the_same_has_no_difference(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (differences(one, other) == []) == (differences(other, one) == [])
    swapped = {(each.path, repr(each.worked), repr(each.failed)) for each in differences(other, one)}
    assert {(each.path, repr(each.failed), repr(each.worked)) for each in differences(one, other)} == swapped
    assert nearest(one, [other]) == 0


def test_deep_and_wide_arguments_are_compared_as_far_as_is_sensible() -> None:
    deep: Any = "end"
    for _ in range(900):
        deep = {"a": deep}
    assert len(leaves(deep)) == 1
    assert len(leaves({"a": list(range(100_000))})) == 200
    assert nearest({"a": "x" * 1_000_000}, [{"a": "y" * 1_000_000}]) == 0
