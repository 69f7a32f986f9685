"""Appends what was learned to the descriptions in `tools/list`, and nothing else: every other byte stays as it was.

A hint is shown under the very definition it was learned for (by content hash); when the server changes a tool, its
hint is gone by itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator

from middleware.memory.identity import tool_hash
from middleware.memory.rows import HintTexts
from middleware.splice import Edit, Span, apply, beginning, decode, elements, encode, member

_TTL_MS = 1000


def insert(data: bytes, hints: HintTexts, listings: Iterable[int]) -> bytes:
    """Return the message `data` with `hints` in it.

    `listings` are the positions, in a batch, of the responses to `tools/list`; [0] when it is no batch. What cannot
    be read is returned as it came.
    """
    if not hints:
        return data
    try:
        text = decode(data)
        start = beginning(text)
        messages = list(elements(text, start)) or [Span(start, len(text))]
        edits = [edit for index in listings for edit in _edits(text, messages[index], hints)]
    except (ValueError, RecursionError, IndexError):
        return data
    return encode(apply(text, edits)) if edits else data


def _edits(text: str, message: Span, hints: HintTexts) -> list[Edit]:
    result = member(text, message.start, "result")
    tools = member(text, result.start, "tools") if result else None
    if result is None or tools is None:
        return []
    edits = [edit for tool in elements(text, tools.start) for edit in _describe(text, tool, hints)]
    if edits:
        # From 2026-07-28 on a client may keep a list for as long as the result allows, and would not hear of a
        # rollback; nor may others be handed a list that holds what was learned here.
        edits += _lower(text, member(text, result.start, "ttlMs"))
        scope = member(text, result.start, "cacheScope")
        if scope is not None:
            edits.append(Edit(*scope, '"private"'))
    return edits


def _describe(text: str, tool: Span, hints: HintTexts) -> Iterator[Edit]:
    definition = json.loads(text[tool.start : tool.end], strict=False)
    name = definition.get("name") if isinstance(definition, dict) else None
    hint = hints.get((tool_hash(definition), name)) if isinstance(name, str) else None
    if hint is None:
        return
    description = member(text, tool.start, "description")
    if description is None:
        yield Edit(tool.start + 1, tool.start + 1, f'"description":{json.dumps(hint)},')
    elif text[description.start] == '"':
        before_quote = description.end - 1
        yield Edit(before_quote, before_quote, json.dumps("\n\n" + hint)[1:-1])
    elif text[description.start : description.end] == "null":
        yield Edit(*description, json.dumps(hint))


def _lower(text: str, ttl: Span | None) -> Iterator[Edit]:
    if ttl is not None:
        value = json.loads(text[ttl.start : ttl.end])
        if isinstance(value, int | float) and value > _TTL_MS:
            yield Edit(*ttl, str(_TTL_MS))


CurrentHints = Callable[[], HintTexts]
