"""Long lists in pages, as real services give them: so many at a time, and a cursor to the next."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from servers.errors import ToolError

T = TypeVar("T")


def page(items: Sequence[T], *, cursor: str | None, size: int, about: str) -> tuple[list[T], str | None]:
    """Return the page of `items` that `cursor` leads to (None: the first) and the cursor of the next (None: the last).

    `about` names the list and all that it was filtered by: a cursor leads nowhere in another list.

    Raises:
        ToolError: no page of this list has that cursor.
    """
    starts = {_cursor(about, start): start for start in range(size, len(items), size)}
    if cursor is not None and cursor not in starts:
        raise ToolError(f"cursor {cursor[:60]!r} is not valid for this list; leave it out to begin at the first page.")
    start = 0 if cursor is None else starts[cursor]
    end = start + size
    return list(items[start:end]), _cursor(about, end) if end < len(items) else None


def _cursor(about: str, start: int) -> str:
    return hashlib.sha256(f"{about}/{start}".encode()).hexdigest()[:12]
