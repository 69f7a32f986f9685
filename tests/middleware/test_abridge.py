"""What is kept of a long message, compared with the whole of it."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.abridge import LONG, Abridger, abridge, repaired
from middleware.memory.shortening import CUT_KEY
from middleware.parsing import parse

texts = st.text(max_size=12) | st.sampled_from(
    ["\\" * 5, '"', "\U0001f600" * 3, "a b " * 20, "\ud83d", "{[", "]}", "\\u00"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
objects = st.dictionaries(texts | st.sampled_from(["id", "name", "arguments", "isError"]), values, max_size=5)
messages = st.fixed_dictionaries(
    {}, optional={"jsonrpc": st.just("2.0"), "params": objects, "result": objects | values, "id": values, "x": values}
).flatmap(lambda message: st.permutations(list(message.items())).map(dict))
spellings = st.fixed_dictionaries({"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 1])})


def spelled(value: object, **spelling: Any) -> bytes:
    return json.dumps(value, **spelling).encode("utf-8", "surrogatepass")


def kept(data: bytes, cuts: Sequence[int] = (), **limits: int) -> bytes:
    """Return what is kept of `data`, taken for long, when it comes in pieces that end at `cuts`."""
    abridger = Abridger(long=-1, **limits)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    for start, end in zip([0, *ends], ends, strict=False):
        abridger.feed(data[start:end])
    assert abridger.size == len(data)
    return abridger.finish()


def is_beginning(short: Any, whole: Any) -> bool:
    if isinstance(short, str) and short.endswith("[cut]") and short != whole:
        return not isinstance(whole, str) or whole.startswith(short[: -len(" [cut]")])
    if isinstance(whole, dict):
        names = list(whole)[: len(short)]
        return list(short) == names and is_beginning([*short.values()], [whole[name] for name in names])
    if isinstance(whole, list):
        same = all(one == other for one, other in zip(short[:-1], whole, strict=False))
        return len(short) <= len(whole) and same and (not short or is_beginning(short[-1], whole[len(short) - 1]))
    return bool(short == whole)


def check_members(
    short: dict[str, Any], whole: dict[str, Any], limit: int, depth: int, spelling: dict[str, Any]
) -> None:
    was_cut = short.pop(CUT_KEY, False)
    assert list(short) == list(whole)
    differs = False
    for name, value in whole.items():
        if isinstance(value, dict) and depth:
            check_members(short[name], value, limit, depth - 1, spelling)
        elif short[name] != value:
            differs = True
            assert len(spelled(value, **spelling)) >= limit or spelling["indent"]
            assert is_beginning(short[name], value)
    assert not differs or was_cut


@given(messages, spellings, st.integers(1, 60), st.lists(st.integers(0, 400), max_size=8))
def test_what_is_short_is_kept_and_of_what_is_long_the_beginning(
    message: dict[str, Any], spelling: dict[str, Any], limit: int, cuts: list[int]
) -> None:
    data = spelled(message, **spelling)
    short, whole = parse(kept(data, cuts, value_limit=limit)), parse(data)
    check_members(short, whole, limit, 1, spelling)


@given(messages, spellings, st.lists(st.integers(0, 400), max_size=8))
def test_where_nothing_is_long_nothing_changes(
    message: dict[str, Any], spelling: dict[str, Any], cuts: list[int]
) -> None:
    data = spelled(message, **spelling)
    assert parse(kept(data, cuts, value_limit=len(data))) == parse(data)
    assert parse(kept(b" [ 1, " + data + b" , [2] ]\r\n", cuts, value_limit=len(data) + 3)) == [1, parse(data), [2]]
    assert abridge(data) is data


@given(st.binary(max_size=80) | st.text('[]{}",:\\u1 ', max_size=80).map(str.encode), st.integers(1, 20))
def test_any_bytes_may_come_in_any_pieces(data: bytes, limit: int) -> None:
    for wrapped in (data, b'{"id":1,"result":{"x":' + data + b"}}"):
        whole = kept(wrapped, value_limit=limit, message_limit=30)
        assert parse(kept(wrapped, range(len(wrapped)), value_limit=limit, message_limit=30)) == parse(whole)
        if parse(wrapped) is not None:
            assert whole or wrapped.strip()[:1] not in (b"{", b"[")


@given(values, spellings, st.data())
def test_the_beginning_of_any_value_is_closed(value: Any, spelling: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value, **spelling)
    beginning = text[: data.draw(st.integers(1, len(text)))]
    assert is_beginning(json.loads(repaired(beginning)), json.loads(text))


def test_members_behind_a_long_one_are_read_and_the_last_of_a_name_counts() -> None:
    long = json.dumps([{"text": 'x"]}' * 1000}] * 100)
    line = (
        f'{{"id":0,"\\u0069d":7, "result":{{"content":{long},"isErr\\u006fr":false,"content":[{long}],"isError":true,'
        f'"requestState":"s"}} ,"jsonrpc":"2.0"}}\n'
    ).encode()
    assert len(line) > LONG
    message = parse(abridge(line))
    assert (message["id"], message["jsonrpc"], message["result"]["isError"]) == (7, "2.0", True)
    assert message["result"]["requestState"] == "s"
    assert message["result"][CUT_KEY] is True
    assert message["result"]["content"][0][0]["text"].startswith('x"]}')


def test_a_message_of_very_many_members_keeps_those_that_matter() -> None:
    result = {f"k{number}": "x" * number for number in range(2000)}
    line = spelled({"result": {**result, "isError": True, "y": {"z": 1}, "content": []}, "jsonrpc": "2.0", "id": 3})
    assert len(line) > LONG
    short = abridge(line)
    message = parse(short)
    assert len(short) < LONG + 1000
    assert (message["id"], message["result"]["isError"], message["result"]["content"]) == (3, True, [])
    assert message["result"]["k9"] == "x" * 9
    assert message["result"][CUT_KEY] is True
    assert "k1999" not in message["result"]


def test_a_message_that_is_not_long_is_kept_whole_in_any_pieces() -> None:
    for size in (0, 50_000, LONG - 9, LONG - 8):
        line = spelled(["x" * size, None])
        abridger = Abridger()
        for start in range(0, len(line), 30_000):
            abridger.feed(line[start : start + 30_000])
        assert (abridger.finish() == line) == (len(line) <= LONG)
        assert parse(abridger.finish())[1] is None


def test_each_message_of_a_batch_is_kept() -> None:
    batch = [{"id": number, "result": {"content": ["x" * 300_000], "isError": False}} for number in range(3)]
    messages = parse(abridge(spelled([*batch, 4, None])))
    assert [message["id"] for message in messages[:3]] == [0, 1, 2]
    assert all(message["result"]["isError"] is False and message["result"][CUT_KEY] for message in messages[:3])
    assert messages[3:] == [4, None]


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":1,"result":{"x":"' + b"x" * LONG,
        b'{"id":1,"result":{"x":"' + b"x" * LONG + b'"}',
        b'{"id":1,"result":{"x":"' + b"x" * LONG + b'"}} and more',
        b'{"id":1,"result":{"x":' + b"[" * LONG + b"}}",
        b"x" * (LONG + 1),
        b'{"id":1,' + b" " * LONG + b'x":1}',
    ],
)
def test_a_long_line_that_breaks_off_or_is_no_message_says_nothing(line: bytes) -> None:
    assert parse(line) is None
    assert parse(abridge(line)) is None


def test_a_text_is_not_cut_within_a_word_or_a_character() -> None:
    for limit in range(40, 80):
        text = "begin ghp_abcdefghijklmnopqrstuvwxyz0123456789 " + "\U0001f600é\\" * 50
        for ascii_only in (True, False):
            data = spelled({"result": {"text": text}}, ensure_ascii=ascii_only)
            short = json.loads(kept(data, value_limit=limit))["result"]["text"]
            assert short.endswith(" [cut]")
            assert short in {"begin [cut]", "begin ghp_abcdefghijklmnopqrstuvwxyz0123456789 [cut]"}


def test_deep_and_dense_structure_is_passed_over_like_any_other() -> None:
    generator = random.Random(5)

    def grown(depth: int) -> Any:
        if not depth:
            return generator.choice([generator.randrange(10**9), '\\"', "a\\", "]", None])
        return [grown(depth - 1), {"{": grown(depth - 1)}, "x" * generator.randrange(9), {}, []]

    value = grown(14)
    data = spelled({"params": {"arguments": value, "name": "t"}, "id": 1})
    assert len(data) > LONG
    message = parse(abridge(data))
    assert (message["params"]["name"], message["id"]) == ("t", 1)
    assert is_beginning(message["params"]["arguments"], value)
