"""Shortens what is too long to be written, in its own shape."""

import json
from typing import Any

CUT_KEY = "practicum/cut"
# What is looked at for secrets beyond what is kept, in bytes or characters: so one on the border is seen whole.
MARGIN = 4 * 1024
_BORDERS = " \n\t\"'`<>(){}[],;\\"
_MAX_DEPTH = 100
_encode = json.JSONEncoder(ensure_ascii=False).encode


def shorten(value: Any, limit: int) -> tuple[Any, bool]:
    """Return the JSON value cut to about `limit` bytes of JSON, and whether anything had to go.

    Its shape is kept: long texts and lists lose their ends.
    """
    room = _Room(limit)
    return _shorten(value, room, 0), room.was_short


def cut_at_blank(text: str) -> str:
    """Return the beginning of a text, `text`, up to a blank near its end, or to where a value may end in JSON.

    So no half of a secret stays that would be known whole, as long as it is shorter than `MARGIN`.
    """
    blank = max(text.rfind(" ", -400), text.rfind("\n", -400))
    if blank < 0:
        blank = max(text.rfind(border, -MARGIN) for border in _BORDERS)
    return text[:blank] if blank >= 0 else text


class _Room:
    """How many bytes are left to fill, and whether anything found no place."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.was_short = False


def _shorten(value: Any, room: _Room, depth: int) -> Any:
    if isinstance(value, str):
        return _shorten_text(value, room)
    room.left -= 2 if isinstance(value, dict | list) else len(repr(value)) + 1
    if not isinstance(value, dict | list):
        return value
    if depth == _MAX_DEPTH:
        room.was_short = True
        return "[cut]"
    if isinstance(value, list):
        items = []
        for item in value:
            if room.left <= 0:
                room.was_short = True
                break
            items.append(_shorten(item, room, depth + 1))
        return items
    members = {}
    for key, item in value.items():
        room.left -= _size(key) + 2
        if room.left <= 0:
            room.was_short = True
            break
        members[key] = _shorten(item, room, depth + 1)
    return members


def _shorten_text(text: str, room: _Room) -> str:
    kept = text[: max(0, room.left)]
    while kept and (size := _size(kept)) > room.left:
        kept = kept[: len(kept) * max(0, room.left) // size]
    room.left -= _size(kept) + 1
    if len(kept) == len(text):
        return text
    room.left, room.was_short = 0, True
    return f"{cut_at_blank(kept)} [cut]"


def _size(text: str) -> int:
    return len(_encode(text).encode("utf-8", "surrogatepass"))
