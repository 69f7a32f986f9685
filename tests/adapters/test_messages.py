from hypothesis import given
from hypothesis import strategies as st

from adapters.messages import (
    Demonstration,
    Message,
    ToolCall,
    ToolSpec,
    argument_schemas,
    demonstration_line,
    demonstrations_in,
    failures_in,
    hints_in,
    required_arguments,
    system_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.text(), st.text(), st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.text())
def test_demonstration_comes_back_from_its_line_whatever_it_quotes(
    query: str, name: str, arguments: dict[str, object], around: str
) -> None:
    demonstration = Demonstration(query, (ToolCall(name, arguments),))
    line = demonstration_line(demonstration)
    assert demonstration in demonstrations_in(f"{around}\n{line}\nDone.")
    # Quoted text cannot pass for a demonstration of its own.
    assert demonstrations_in(demonstration_line(Demonstration(line, ()))) == [Demonstration(line, ())]


@given(st.text() | JSON.map(lambda value: '{"request": ' + str(value) + ', "calls": [{"name": 1}]}'))
def test_line_that_is_no_demonstration_is_passed_over(line: str) -> None:
    assert demonstrations_in(line) == []


def test_calls_that_are_no_objects_make_no_demonstration() -> None:
    assert demonstrations_in('{"request": "?", "calls": [{"name": "a", "arguments": [1]}]}') == []
    assert demonstrations_in('{"request": "?", "calls": 5}') == []
    assert demonstrations_in("{" + '"request": ' + "[" * 100_000) == []


def test_system_text_joins_what_the_system_said() -> None:
    assert system_text([Message("system", "a"), Message("user", "b"), Message("system", "c")]) == "a\nc"


def test_hints_are_the_lines_of_a_description_that_are_objects() -> None:
    text, hints = hints_in('Finds a ferry.\n{"day": "1 May"}\n{broken}\n[1]\nEnds.')
    assert text == "Finds a ferry.\n{broken}\n[1]\nEnds."
    assert hints == [{"day": "1 May"}]


def test_failures_are_calls_whose_result_was_an_error() -> None:
    bad, good = ToolCall("a", {}, "1"), ToolCall("a", {"b": 1}, "2")
    messages = [
        Message("assistant", "", (bad, good)),
        Message("tool", "no", (), "1", is_error=True),
        Message("tool", "yes", (), "2"),
        Message("tool", "stray", (), "3", is_error=True),
    ]
    assert failures_in(messages) == [(bad, "no")]


def test_argument_schemas_are_objects_even_where_a_shorthand_stands() -> None:
    spec = ToolSpec("a", "", {"properties": {"x": True, "y": {"type": "string"}}})
    assert argument_schemas(spec) == {"x": {}, "y": {"type": "string"}}
    assert argument_schemas(ToolSpec("a", "", {"properties": None})) == {}


def test_required_arguments_that_are_no_list_of_names_say_nothing() -> None:
    for required, names in ((["a", 1], {"a"}), (5, set()), ("ab", set()), (None, set())):
        assert required_arguments(ToolSpec("t", "", {"required": required})) == names
