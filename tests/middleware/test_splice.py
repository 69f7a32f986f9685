import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware import splice
from middleware.parsing import parse, spell
from middleware.splice import (
    Edit,
    apply,
    beginning,
    decode,
    elements,
    encode,
    end_of,
    member,
    members,
    without,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
# The same value spelled in different ways.
spellings = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    json_values,
    st.booleans(),
    st.sampled_from([None, 0, 2]),
)


@given(st.binary())
def test_no_byte_is_lost_between_bytes_and_text(data: bytes) -> None:
    assert encode(decode(data)) == data


@given(spellings, st.integers(2, 5))
def test_the_end_of_a_long_value_is_found_piece_by_piece(text: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splice, "_PARSED", -1)
        patch.setattr(splice, "_PIECE", piece)
        assert end_of(text + "]}", beginning(text)) == len(text)
        if text[0] in "[{":
            with pytest.raises(ValueError):
                end_of(text[:-1], 0)


@given(spellings)
def test_values_are_found_where_a_parser_finds_them(text: str) -> None:
    value = json.loads(text)
    assert end_of(text, beginning(text)) == len(text)
    if isinstance(value, dict):
        found = [(one.key, json.loads(text[one.value.start : one.value.end])) for one in members(text, 0)]
        assert found == list(value.items())
    if isinstance(value, list):
        assert [json.loads(text[span.start : span.end]) for span in elements(text, 0)] == value


@given(spellings, spellings)
def test_what_replaces_a_value_is_all_that_changes(text: str, replacement: str) -> None:
    document = f'{{"a": 1, "x" : {text} , "b":[{text}]}}'
    span = member(document, 0, "x")
    assert span is not None
    edited = apply(document, [Edit(*span, replacement)])
    assert edited == f'{{"a": 1, "x" : {replacement} , "b":[{text}]}}'


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), json_values), max_size=6), st.sampled_from([None, 1]))
def test_a_member_is_taken_out_however_often_it_stands_there(pairs: list[tuple[str, Any]], indent: int | None) -> None:
    blank = "" if indent is None else " \n"
    written = [f"{blank}{json.dumps(key)}{blank}:{blank}{json.dumps(value)}{blank}" for key, value in pairs]
    text = "{" + ",".join(written) + "}"
    left = json.loads(apply(text, without(text, 0, "x")), object_pairs_hook=list)
    kept = [(key, value) for key, value in pairs if key != "x"]
    assert left == json.loads(json.dumps([list(pair) for pair in kept]), object_pairs_hook=list) or left == [
        (key, json.loads(json.dumps(value), object_pairs_hook=list)) for key, value in kept
    ]


def test_the_last_of_repeated_keys_counts_however_it_is_escaped() -> None:
    text = r'{"name":1,"n\u0061me":2}'
    span = member(text, 0, "name")
    assert span is not None
    assert text[span.start : span.end] == "2"


@pytest.mark.parametrize(
    "text", ["{", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a" 1}', "{a:1}", '{"a":"', "[1", "[1 2]"]
)
def test_text_that_breaks_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT012 - either walker may be the one that finds out
        list(members(text, 0))
        list(elements(text, 0))


@given(st.binary(max_size=60))
def test_parsing_never_raises(data: bytes) -> None:
    parse(data)


@given(json_values)
def test_parsing_reads_what_json_reads(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value


def test_what_the_parser_refuses_does_not_hide_the_rest_of_the_message() -> None:
    deep = b'{"id":1,"params":{"a":' + b'[{"b":' * 3000 + b"1" + b"}]" * 3000 + b',"c":"]]"},"method":"tools/call"}'
    message = parse(deep)
    assert (message["id"], message["method"], message["params"]["c"]) == (1, "tools/call", "]]")
    assert parse(b'{"id":1,"n":-' + b"7" * 5000 + b"}") == {"id": 1, "n": "-" + "7" * 5000}
    assert parse(b'{"id":"caf\xe9"}')["id"] == "caf\udce9"


@given(st.binary(max_size=40) | spellings.map(str.encode))
def test_what_was_parsed_is_spelled_as_valid_json(data: bytes) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(spell(parse(data)).encode(), parse_constant=refuse)


@pytest.mark.parametrize("text", ["[NaN]", "1e999", "-1e999", '"\\ud800"', '{"a":"caf\udce9"}', "[" * 950 + "]" * 950])
def test_what_json_does_not_have_is_spelled_another_way(text: str) -> None:
    json.loads(spell(parse(encode(text))).encode(), parse_constant=lambda constant: pytest.fail(constant))
