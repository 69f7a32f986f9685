"""Values inside a message replaced where they lie, so that clients who know nothing of each other can share a server.

Two of them may use one JSON-RPC id, or one progress token, at once. Sans-IO.
"""

import re
from collections.abc import Iterator, Mapping

from middleware.messages import META_SUBSCRIPTION_ID
from middleware.splice import STRING, Edit, Span, apply, beginning, decode, encode, members

Path = tuple[str, ...]
TOKEN_PATH: Path = ("params", "_meta", "progressToken")
# Where a message of the server names a client's request, or the token that the request gave.
ID_PATHS: tuple[Path, ...] = (
    ("id",),
    ("params", "requestId"),
    ("params", "_meta", META_SUBSCRIPTION_ID),
    ("result", "_meta", META_SUBSCRIPTION_ID),
)
PROGRESS_PATH: Path = ("params", "progressToken")

_NEWLINE_OR_STRING = re.compile(rf"{STRING}|[\r\n]".encode(), re.DOTALL)
_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


def text_at(data: bytes, path: Path) -> str | None:
    """Return the text of the value at `path`, as it stands there; None where there is none."""
    text = decode(data)
    found = None
    for span in _spans(text, beginning(text), path):
        found = text[span.start : span.end]
    return found


def replaced(data: bytes, values: Mapping[Path, tuple[str, str]]) -> bytes:
    """Return `data` with the first text of each pair in `values` replaced by the second, where it is the value at that
    path; every other byte stays."""
    if not values:
        return data
    text = decode(data)
    start = beginning(text)
    edits = [
        Edit(span.start, span.end, new)
        for path, (old, new) in values.items()
        for span in _spans(text, start, path)
        if text[span.start : span.end] == old
    ]
    return encode(apply(text, edits))


def as_line(body: bytes) -> bytes | None:
    """Return a message as one line, without its end: newlines become spaces.

    None when one stands inside a string, where none may.
    """
    body = body.strip(b" \t\r\n")
    if b"\n" in body or b"\r" in body:
        for token in _NEWLINE_OR_STRING.finditer(body):
            if token[0][:1] == b'"' and (b"\n" in token[0] or b"\r" in token[0]):
                return None
        body = body.translate(_TO_SPACES)
    return body


def _spans(text: str, start: int, path: Path) -> Iterator[Span]:
    for one in members(text, start):
        if one.key == path[0]:
            if len(path) == 1:
                yield one.value
            else:
                yield from _spans(text, one.value.start, path[1:])
