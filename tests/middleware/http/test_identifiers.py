"""Ids and progress tokens replaced inside a message, and messages made lines: nothing else changes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from middleware.http.hosted.identifiers import ID_PATHS, PROGRESS_PATH, as_line, replaced, text_at
from middleware.messages import META_SUBSCRIPTION_ID

IDS = st.one_of(st.integers(), st.text(max_size=5))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.just("id"), inner, max_size=3),
    max_leaves=8,
)


@given(IDS, VALUES, st.sampled_from([None, 1]), st.booleans())
def test_an_id_goes_and_comes_back_and_every_other_byte_stays(
    identifier: int | str, value: Any, indent: int | None, ascii_only: bool
) -> None:
    message = {"jsonrpc": "2.0", "id": identifier, "params": {"arguments": value, "id": value}, "extra": value}
    data = json.dumps(message, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    own = text_at(data, ("id",))
    assert own is not None
    gone = replaced(data, {("id",): (own, '"x-1"')})
    assert json.loads(gone.decode("utf-8", "surrogatepass")) == {**message, "id": "x-1"}
    assert replaced(gone, dict.fromkeys(ID_PATHS, ('"x-1"', own))) == data


def test_what_a_server_says_of_a_request_is_restored_where_it_names_it_and_only_there() -> None:
    names = dict.fromkeys(ID_PATHS, ('"x-1"', "7"))
    result = b'{ "id" :"x-1","result":{"_meta":{"%s": "x-1"},"id":"x-1"}}' % META_SUBSCRIPTION_ID.encode()
    assert (
        replaced(result, names) == b'{ "id" :7,"result":{"_meta":{"%s": 7},"id":"x-1"}}' % META_SUBSCRIPTION_ID.encode()
    )
    change = b'{"params":{"_meta":{"%s":"x-1"},"requestId":"another"}}' % META_SUBSCRIPTION_ID.encode()
    assert replaced(change, names) == change.replace(b'"x-1"', b"7")
    progress = b'{"params":{"progressToken":"x-2","message":"x-2"}}'
    assert replaced(progress, {PROGRESS_PATH: ('"x-2"', "null")}) == progress.replace(b'"x-2"', b"null", 1)


@given(VALUES, st.integers(1, 3))
def test_a_message_of_many_lines_becomes_one_that_says_the_same(value: Any, indent: int) -> None:
    body = json.dumps({"id": 1, "params": value}, indent=indent).replace("\n", "\r\n").encode()
    line = as_line(body)
    assert line is not None
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.loads(line) == json.loads(body)
    assert as_line(line) == line


def test_a_message_with_a_newline_inside_a_string_is_none() -> None:
    assert as_line(b'{"id": "a\nb"}') is None
    assert as_line(b'{"id": "a\\\nb"}') is None
    assert as_line(b'\n{"id": "a\\nb"\n}\n') == b'{"id": "a\\nb" }'
