"""What the relay changes in `tools/list` results, in one pass: each feature gives its edits of a tool, and every other
byte stays as it was."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from middleware.splice import Edit, Span, apply, beginning, decode, elements, encode, member

_TTL_MS = 1000

# (the message's text, where a tool's definition lies in it, the definition as the server sent it) → edits
EditTool = Callable[[str, Span, dict[str, Any]], Iterable[Edit]]


def rewrite(data: bytes, listings: Iterable[int], features: Sequence[EditTool]) -> bytes:
    """Return the message `data` with the edits of `features` in it.

    `listings` are the positions, in a batch, of the responses to `tools/list`; [0] when it is no batch. What cannot
    be read is returned as it came.
    """
    if not features:
        return data
    try:
        text = decode(data)
        start = beginning(text)
        messages = list(elements(text, start)) or [Span(start, len(text))]
        edits = [edit for index in listings for edit in _edits(text, messages[index], features)]
    except (ValueError, RecursionError, IndexError):
        return data
    return encode(apply(text, edits)) if edits else data


def _edits(text: str, message: Span, features: Sequence[EditTool]) -> list[Edit]:
    result = member(text, message.start, "result")
    tools = member(text, result.start, "tools") if result else None
    if result is None or tools is None:
        return []
    edits: list[Edit] = []
    for tool in elements(text, tools.start):
        definition = json.loads(text[tool.start : tool.end], strict=False)
        if isinstance(definition, dict):
            for edit_tool in features:
                edits += edit_tool(text, tool, definition)
    if edits:
        # From 2026-07-28 on a client may keep a list for as long as the result allows, and would not hear that what
        # we put in is there no longer; nor may others be handed a list that holds what was learned here.
        edits += _lower(text, member(text, result.start, "ttlMs"))
        scope = member(text, result.start, "cacheScope")
        if scope is not None:
            edits.append(Edit(*scope, '"private"'))
    return edits


def _lower(text: str, ttl: Span | None) -> Iterator[Edit]:
    if ttl is not None:
        value = json.loads(text[ttl.start : ttl.end])
        if isinstance(value, int | float) and value > _TTL_MS:
            yield Edit(*ttl, str(_TTL_MS))
