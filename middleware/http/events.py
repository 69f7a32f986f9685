"""Server-sent events, taken apart without losing a byte: each event as it came, and the message that it carries.

Sans-IO, after the WHATWG's description of an event stream
(https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NEWLINE = rb"(?>\r\n|\r|\n)"  # atomic: the two halves of one are not two
_END = re.compile(_NEWLINE + _NEWLINE)
_LINE = re.compile(_NEWLINE)


class Event(NamedTuple):
    """One event of a stream.

    `raw` is all its bytes, with the blank line that ends it; `data` its data, None when it has none, as in a comment;
    `id` and `retry` (milliseconds) as the event gave them, None when it did not.
    """

    raw: bytes
    data: bytes | None = None
    id: str | None = None
    retry: int | None = None


class EventReader:
    """Cuts a stream into its events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # where the next end of an event may begin

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that `chunk` completes."""
        self._buffer += chunk
        start = 0
        while end := _END.search(self._buffer, self._searched):
            raw = bytes(memoryview(self._buffer)[start : end.end()])
            start = self._searched = end.end()
            yield _event(raw)
        # A view of a bytearray would keep it from shrinking, so it is cut once, here.
        del self._buffer[:start]
        self._searched = max(0, len(self._buffer) - 3)

    def rest(self) -> bytes:
        """Return what came behind the last event: at the end of a stream, an event that was cut short."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest


def _event(raw: bytes) -> Event:
    data: list[bytes] = []
    identifier: str | None = None
    retry: int | None = None
    for line in _LINE.split(raw):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"id" and b"\0" not in value:
            identifier = value.decode("utf-8", "replace")
        elif field == b"retry" and value.isdigit():
            retry = int(value)
    return Event(raw, b"\n".join(data) if data else None, identifier, retry)


def event_of(message: bytes) -> bytes:
    """Return the event that carries `message`, which is JSON and may hold newlines between its tokens."""
    lines = b"".join(b"data: " + line + b"\n" for line in _LINE.split(message.strip(b" \t\r\n")))
    return b"event: message\n" + lines + b"\n"


def with_data(event: Event, data: bytes) -> bytes:
    """Return the bytes of `event` with `data` in place of its own; everything else in it stays."""
    kept = [line for line in event.raw.splitlines() if line and not line.startswith(b"data:") and line != b"data"]
    return b"".join(line + b"\n" for line in kept) + event_of(data).partition(b"\n")[2]
