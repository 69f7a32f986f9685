"""Edits inside JSON text that leave every other byte as it was.

A parsed document cannot be written back byte for byte (spaces, escapes, the spelling of numbers), so whoever rewrites
one value finds out where it lies and replaces just that. Text comes from `decode`, which loses no byte even where the
line is no valid UTF-8.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from middleware.skip import Skip

# Possessive quantifiers: nothing in a string or a number is worth backtracking for, and long ones would cost memory.
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING = re.compile(STRING, re.DOTALL)
_SCALAR = re.compile(r'[^\s,:"\[\]{}]++')
_BLANK = re.compile(r"[ \t\r\n]*+")
_decode_string = json.JSONDecoder(strict=False).decode
# Python's parser finds the end of a value several times as fast as we do, but makes the value; of long texts that costs
# too much memory.
_decode_value = json.JSONDecoder(strict=False).raw_decode
_PARSED = 1 << 18  # characters
_PIECE = 1 << 16  # characters passed over in one go


class Span(NamedTuple):
    """Where a value lies: `text[start:end]`."""

    start: int
    end: int


class Member(NamedTuple):
    """One member of an object: its decoded key, where the key begins, and where its value lies."""

    key: str
    start: int
    value: Span


class Edit(NamedTuple):
    """`text[start:end]` becomes `replacement`."""

    start: int
    end: int
    replacement: str


def decode(data: bytes) -> str:
    """Return `data` as text, such that `encode` gives back the same bytes, valid UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` made `text` from."""
    return text.encode("utf-8", "surrogateescape")


def members(text: str, start: int) -> Iterator[Member]:
    """Yield the members of the object that begins at `start`, in order, with repeated keys; none if it is no object.

    Raises:
        ValueError: the text breaks off or is no JSON.
    """
    for item, value in _items(text, start, "{}"):
        yield Member(_decode_string(_match(_STRING, text, item)[0]), item, value)


def member(text: str, start: int, key: str) -> Span | None:
    """Return where the value of `key` lies in the object at `start`: the last one's, as parsers have it."""
    found = None
    for one in members(text, start):
        if one.key == key:
            found = one.value
    return found


def elements(text: str, start: int) -> Iterator[Span]:
    """Yield where the elements of the array that begins at `start` lie; none if it is no array.

    Raises:
        ValueError: the text breaks off or is no JSON.
    """
    for _, value in _items(text, start, "[]"):
        yield value


def beginning(text: str) -> int:
    """Return where the document's value begins."""
    return _skip_blank(text, 0)


def end_of(text: str, start: int) -> int:
    """Return the end of the value that begins at `start`. Of any depth: that is the sender's choice.

    Raises:
        ValueError: the text breaks off or is no JSON.
    """
    first = text[start : start + 1]
    if first not in ('"', "{", "["):
        return _match(_SCALAR, text, start).end()
    if first == '"' or len(text) - start <= _PARSED:
        with suppress(ValueError, RecursionError):
            return _decode_value(text, start)[1]
    if first == '"':
        return _match(_STRING, text, start).end()
    skip = Skip(first.encode())
    position = start + 1
    while not skip.ended:
        # One byte for each character, so that positions are the same; which character it was does not matter.
        piece = text[position : position + _PIECE].encode("latin-1", "replace")
        used = skip.advance(piece, 0)
        if not used:
            raise ValueError(f"the value at {start} does not end")
        position += used
    return position


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with `edits` made; they must not overlap."""
    parts = []
    position = 0
    for edit in sorted(edits):
        parts += [text[position : edit.start], edit.replacement]
        position = edit.end
    return "".join([*parts, text[position:]])


def without(text: str, start: int, key: str) -> Iterator[Edit]:
    """Yield the edits that take every member named `key` out of the object at `start`, with one comma each; what then
    holds nothing becomes `{}`."""
    all_members = list(members(text, start))
    if all_members and all(one.key == key for one in all_members):
        yield Edit(start, end_of(text, start), "{}")
        return
    kept_before = False
    for index, one in enumerate(all_members):
        if one.key != key:
            kept_before = True
        elif kept_before:
            yield Edit(all_members[index - 1].value.end, one.value.end, "")
        else:
            yield Edit(one.start, all_members[index + 1].start, "")


def _items(text: str, start: int, brackets: str) -> Iterator[tuple[int, Span]]:
    """Yield where each item of the container at `start` begins (with its key, if any), and where its value lies."""
    if text[start : start + 1] != brackets[0]:
        return
    item = _skip_blank(text, start + 1)
    if text[item : item + 1] == brackets[1]:
        return
    while True:
        value = item
        if brackets == "{}":
            colon = _skip_blank(text, _match(_STRING, text, item).end())
            if text[colon : colon + 1] != ":":
                raise ValueError(f"no colon at {colon}")
            value = _skip_blank(text, colon + 1)
        end = end_of(text, value)
        yield item, Span(value, end)
        separator = _skip_blank(text, end)
        if text[separator : separator + 1] == brackets[1]:
            return
        if text[separator : separator + 1] != ",":
            raise ValueError(f"neither a comma nor an end at {separator}")
        item = _skip_blank(text, separator + 1)


def _skip_blank(text: str, position: int) -> int:
    return _match(_BLANK, text, position).end()


def _match(pattern: re.Pattern[str], text: str, position: int) -> re.Match[str]:
    found = pattern.match(text, position)
    if found is None:
        raise ValueError(f"no JSON at {position}")
    return found
