"""Appends what was learned to the descriptions in `tools/list`.

A hint is shown under the very definition it was learned for (by content hash); when the server changes a tool, its
hint is gone by itself.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from middleware.listing import EditTool
from middleware.memory.identity import tool_hash
from middleware.memory.rows import HintTexts
from middleware.splice import Edit, Span, member

CurrentHints = Callable[[], HintTexts]


def appending(hints: HintTexts) -> EditTool:
    """Return the feature that appends `hints` to the descriptions of the tools that they are for."""

    def describe(text: str, tool: Span, definition: dict[str, Any]) -> Iterator[Edit]:
        name = definition.get("name")
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

    return describe
