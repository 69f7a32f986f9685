"""Event streams: cut anywhere, nothing lost, what they carry found."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.http import events
from middleware.http.events import Event, EventReader, event_of, with_data

newlines = st.sampled_from([b"\n", b"\r\n", b"\r"])
texts = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
fields = st.one_of(
    texts.map(lambda text: f"data: {text}".encode()),
    texts.map(lambda text: f"data:{text}".encode()),
    texts.map(lambda text: f"id: {text}".encode()),
    texts.map(lambda text: f": {text}".encode()),
    st.sampled_from([b"data", b"event: message", b"retry: 10", b"retry: x", b"nonsense", b"data: {}"]),
)
fields |= st.integers(5, 40).map(lambda length: b"data: " + b"x" * length)
streams = st.lists(st.tuples(st.lists(fields, min_size=1, max_size=4), newlines), max_size=6).map(
    lambda events: b"".join(b"".join(line + newline for line in lines) + newline for lines, newline in events)
)


@given(streams, st.binary(max_size=6), st.lists(st.integers(1, 9)))
def test_a_stream_cut_anywhere_loses_no_byte(stream: bytes, rest: bytes, cuts: list[int]) -> None:
    data = stream + rest
    reader = EventReader()
    passed = b""
    for size in [*cuts, len(data)]:
        chunk, data = data[:size], data[size:]
        passed += b"".join(event.raw for event in reader.feed(chunk))
    assert passed + reader.rest() == stream + rest


@given(streams, st.lists(st.integers(1, 9)))
def test_what_a_stream_carries_does_not_depend_on_where_it_was_cut(stream: bytes, cuts: list[int]) -> None:
    whole = [event[1:] for event in EventReader().feed(stream)]
    reader, data, found = EventReader(), stream, []
    for size in [*cuts, len(stream)]:
        chunk, data = data[:size], data[size:]
        found += [event[1:] for event in reader.feed(chunk)]
    # A carriage return may end an event before the newline that belongs to it has come: an event of nothing follows.
    assert [event for event in found if event != (None, None, None, True)] == [
        event for event in whole if event != (None, None, None, True)
    ]


def test_a_byte_order_mark_begins_a_stream() -> None:
    stream = b"\xef\xbb\xbfdata: {}\n\n"
    assert list(EventReader().feed(stream)) == [Event(stream, b"{}")]


def test_fields_are_read_as_the_standard_says() -> None:
    stream = b": hello\n\nid: 7\nretry: 250\ndata:  {\ndata:1}\n\ndata\n\nevent: message\n\nid: a\0b\ndata: x\r\n\r\n"
    assert [event[1:] for event in EventReader().feed(stream)] == [
        (None, None, None, True),
        (b" {\n1}", "7", 250, True),
        (b"", None, None, True),
        (None, None, None, True),
        (b"x", None, None, True),
    ]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_message_in_an_event_is_the_message(value: object) -> None:
    for message in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value, ensure_ascii=False)):
        (event,) = EventReader().feed(event_of(message.encode("utf-8", "surrogatepass") + b"\n"))
        assert event.data is not None
        assert json.loads(event.data) == value


def test_other_data_leaves_the_rest_of_the_event() -> None:
    raw = b": c\r\nid: 3\r\nevent: message\r\ndata: [\r\ndata: 1]\r\n\r\n"
    (event,) = EventReader().feed(raw)
    (changed,) = EventReader().feed(with_data(event, b"[2]"))
    assert changed == Event(b": c\nid: 3\nevent: message\ndata: [2]\n\n", b"[2]", "3")


@given(streams, st.lists(st.integers(1, 30)))
def test_long_events_come_in_pieces_and_are_the_same(stream: bytes, cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(events, "LONG", 10)
        reader, data, found = EventReader(), stream, []
        for size in [*cuts, len(stream)]:
            chunk, data = data[:size], data[size:]
            found += list(reader.feed(chunk, whole=False))
    assert b"".join(event.raw for event in found) + reader.rest() == stream
    # A carriage return may end an event before the newline that belongs to it has come: an event of nothing follows.
    expected = [event[1:] for event in EventReader().feed(stream) if event[1:] != (None, None, None, True)]
    assert [event[1:] for event in found if event.ends and event[1:] != (None, None, None, True)] == expected


def test_a_long_line_of_data_among_others_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONG", 10)
    stream = b"id: 1\r\ndata: " + b"x" * 50 + b"\r\ndata: y\r\n\r\nid: 2\ndata: a\ndata:" + b"z" * 50 + b"\n\n"
    for size in (1, 7, 30, 41):
        reader = EventReader()
        found = [
            event
            for start in range(0, len(stream), size)
            for event in reader.feed(stream[start : start + size], whole=False)
        ]
        assert b"".join(event.raw for event in found) == stream
        assert len(found) > 2
        complete = [event[1:] for event in found if event.ends and event.raw != b"\n"]
        assert complete == [(b"x" * 50 + b"\ny", "1", None, True), (b"a\n" + b"z" * 50, "2", None, True)]


def test_many_small_pieces_of_a_large_event_are_not_searched_again_and_again() -> None:
    reader = EventReader()
    piece = b"x" * 1000
    found = [event for part in [b"data: ", *[piece] * 20_000, b"\n\n"] for event in reader.feed(part)]
    assert len(found) == 1
    assert found[0].data == piece * 20_000
