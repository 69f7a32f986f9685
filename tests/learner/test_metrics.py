import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.messages import ToolCall, ToolSpec
from learner.metrics import Score, normalised, score
from learner.suites import Case, GoldCall, read_cases, read_suite

SHARED = Path(__file__).parents[2].parent / "shared" / "suites"
PAIR = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}
TOOLS = (ToolSpec("pair", "", PAIR), ToolSpec("other", "", {"type": "object"}), ToolSpec("hidden", "", {}))


def gold(*calls: GoldCall, ordered: bool = False) -> Case:
    return Case("1", "?", calls, tools=("pair", "other"), ordered=ordered)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name, arguments)


def marks(case: Case, *calls: ToolCall, solved: bool | None = None) -> str:
    """The four marks as letters: w, a, c, s where 1, - where 0."""
    given = score(case, calls, TOOLS, solved=solved)
    pairs = zip("wacs", (given.wellformed, given.api_match, given.correct, given.strict), strict=True)
    return "".join(letter if mark else "-" for letter, mark in pairs)


ONE = gold(GoldCall("pair", {"a": 1, "b": "Oslo"}))
BARE = gold(GoldCall("pair", {}))


def test_call_as_in_gold_is_right_in_every_sense() -> None:
    assert marks(ONE, call("pair", a=1, b="Oslo")) == "wacs"


def test_extra_argument_fails_strict_alone() -> None:
    assert marks(ONE, call("pair", a=1, b="Oslo", c=2)) == "wac-"


def test_missing_or_wrong_argument_leaves_the_right_tool() -> None:
    assert marks(ONE, call("pair", a=1)) == "wa--"
    assert marks(ONE, call("pair", a=1, b="Rome")) == "wa--"


def test_wrong_tool_is_only_wellformed() -> None:
    assert marks(ONE, call("other", a=1, b="Oslo")) == "w---"


def test_tool_that_is_unknown_or_not_shown_is_not_wellformed() -> None:
    assert marks(ONE, call("hidden")) == "----"
    assert marks(ONE, call("nowhere")) == "----"


def test_correct_does_not_require_wellformed() -> None:
    assert marks(ONE, call("pair", a="1", b="Oslo")) == "-acs"


def test_no_call_where_one_is_due_is_wrong_in_every_sense() -> None:
    assert marks(ONE) == "----"
    assert marks(BARE) == "----"


def test_gold_without_calls_asks_whether_none_was_made() -> None:
    assert marks(gold()) == "wacs"
    assert marks(gold(), call("other")) == "----"


def test_arguments_that_are_no_object_never_fit() -> None:
    malformed: Any = '{"a": 1}'
    assert marks(BARE, ToolCall("pair", malformed)) == "-a--"


TWO = GoldCall("pair", {"a": 1}), GoldCall("pair", {"a": 2})


def test_several_gold_calls_match_in_any_order() -> None:
    assert marks(gold(*TWO), call("pair", a=2), call("pair", a=1)) == "wacs"


def test_ordered_gold_calls_match_in_their_order_only() -> None:
    assert marks(gold(*TWO, ordered=True), call("pair", a=1), call("pair", a=2)) == "wacs"
    assert marks(gold(*TWO, ordered=True), call("pair", a=2), call("pair", a=1)) == "wa--"


def test_surplus_call_fails_correct_and_strict() -> None:
    assert marks(ONE, call("pair", a=1, b="Oslo"), call("other")) == "wa--"


def test_missing_call_fails_the_tool_too() -> None:
    assert marks(gold(*TWO), call("pair", a=1)) == "w---"


def test_one_call_cannot_serve_two_gold_calls() -> None:
    assert marks(gold(TWO[0], TWO[0]), call("pair", a=1), call("pair", a=2)) == "wa--"


def test_one_malformed_call_among_several_is_not_wellformed() -> None:
    assert marks(gold(*TWO), call("pair", a=1), call("pair", a="2")) == "-acs"


def test_matching_gives_a_flexible_gold_call_what_others_do_not_need() -> None:
    # Taken greedily, the first gold would keep a=1, which alone serves the second.
    flexible = GoldCall("pair", {"a": 1}, {"a": [1, 2]})
    assert marks(gold(flexible, GoldCall("pair", {"a": 1})), call("pair", a=1), call("pair", a=2)) == "wacs"


ALLOWED = gold(GoldCall("pair", {"a": 1}, {"a": [1, 7], "b": ["x", ""]}))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"a": 7}, "wacs"),
        ({"a": 7, "b": "X "}, "wacs"),
        ({"a": 7, "b": ""}, "wacs"),
        ({"a": 7, "b": "y"}, "wa--"),
        ({"b": "x"}, "-a--"),
        ({"a": 8}, "wa--"),
        ({"a": 1, "c": 3}, "wac-"),
    ],
)
def test_allowed_values_are_accepted_and_the_empty_one_may_be_left_out(
    arguments: dict[str, Any], expected: str
) -> None:
    assert marks(ALLOWED, ToolCall("pair", arguments)) == expected


def test_empty_text_without_allowed_must_be_given() -> None:
    case = gold(GoldCall("pair", {"a": 1, "b": ""}))
    assert marks(case, call("pair", a=1, b="")) == "wacs"
    assert marks(case, call("pair", a=1)) == "wa--"


def test_accepted_object_may_list_the_values_of_its_members() -> None:
    case = gold(GoldCall("other", {}, {"where": [{"school": ["Bluebird", "BHS"], "year": [3, ""]}]}))
    assert marks(case, call("other", where={"school": "bhs"})) == "wacs"
    assert marks(case, call("other", where={"school": "BHS", "year": 3})) == "wacs"
    assert marks(case, call("other", where={"school": "BHS", "year": 4})) == "wa--"
    assert marks(case, call("other", where={"school": "BHS", "town": "x"})) == "wa--"
    assert marks(case, call("other", where={"school": ["Bluebird", "BHS"], "year": [3, ""]})) == "wacs"


def test_task_check_takes_the_place_of_the_argument_judge() -> None:
    assert marks(ONE, call("pair", a=2), solved=True) == "wac-"
    assert marks(ONE, call("pair", a=1, b="Oslo"), solved=True) == "wacs"
    assert marks(ONE, call("pair", a=1, b="Oslo"), solved=False) == "wa--"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Oslo", " oslo\n"),
        ("5", 5),
        (5, 5.0),
        ("5.0", 5),
        ("-0.50", -0.5),
        (10**20, 1e20),
        (True, "TRUE"),
        ([1, "A"], ["1.0", "a"]),
        ({"x": [1], "y": None}, {"y": None, "x": ["1"]}),
    ],
)
def test_spellings_of_one_value_are_equal(one: Any, other: Any) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5", "6"),
        (1, True),
        (0, ""),
        (None, ""),
        ("1,000", 1000),
        ("007", 7),
        ("1e3", 1000),
        ("+5", 5),
        ("٣", 3),
        (12345678901234567890, 12345678901234567891),
        ([1, 2], [2, 1]),
        ({"x": 1}, {"x": 1, "y": 2}),
        ([], {}),
    ],
)
def test_different_values_stay_different(one: Any, other: Any) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"type": ["object", 3]},
        {"properties": []},
        {"properties": {"a": {"pattern": "("}}},
        {"$schema": []},
        {"$schema": "http://example.com/unknown"},
        {"$ref": "http://example.com/elsewhere.json"},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"required": "a"},
    ],
)
def test_malformed_schema_forbids_nothing_and_breaks_nothing(schema: dict[str, Any]) -> None:
    tool = ToolSpec("pair", "", schema)
    assert score(ONE, [call("pair", a="x")], [tool]).wellformed


def test_schema_of_an_older_draft_is_read_as_that_draft() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"a": {"maximum": 5, "exclusiveMaximum": True}},
    }
    tool = ToolSpec("pair", "", schema)
    assert not score(ONE, [call("pair", a=5)], [tool]).wellformed
    assert score(ONE, [call("pair", a=4)], [tool]).wellformed


def test_value_nested_too_deep_is_wrong_rather_than_a_crash() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert marks(ONE, call("pair", a=deep, b="Oslo"))[2:] == "--"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
arguments_like = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
some_calls = st.lists(st.tuples(st.sampled_from(["pair", "other"]), arguments_like), max_size=3)


@given(calls=some_calls, shuffled=st.randoms(use_true_random=False))
def test_gold_is_strictly_right_in_any_order(calls: list[tuple[str, dict[str, Any]]], shuffled: Any) -> None:
    case = gold(*(GoldCall(*one) for one in calls))
    said = [ToolCall(*one) for one in calls]
    shuffled.shuffle(said)
    given = score(case, said, TOOLS)
    assert (given.api_match, given.correct, given.strict) == (True, True, True)


@given(calls=some_calls, said=some_calls)
def test_strict_implies_correct_and_correct_the_right_tools(
    calls: Sequence[tuple[str, dict[str, Any]]], said: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    given = score(gold(*(GoldCall(*one) for one in calls)), [ToolCall(*one) for one in said], TOOLS)
    assert given.strict <= given.correct <= given.api_match


@given(value=values)
def test_normalising_survives_json_and_letter_case(value: Any) -> None:
    assert normalised(json.loads(json.dumps(value))) == normalised(value)
    hash(normalised(value))


def test_public_golds_are_right_by_their_own_measure() -> None:
    if not SHARED.is_dir():
        pytest.skip("needs the suites beside the repository")
    for name, splits, malformed in (
        ("ste", ("train", "dev"), 3),
        ("bfcl", ("simple", "multiple", "parallel", "irrelevance"), 4),
    ):
        suite = read_suite(SHARED / name)
        scores = [
            score(case, [ToolCall(one.name, one.arguments) for one in case.calls], suite.tools)
            for split in splits
            for case in read_cases(suite, split)
        ]
        assert {Score(one.wellformed, True, True, True) for one in scores} == set(scores)
        assert sum(not one.wellformed for one in scores) == malformed
