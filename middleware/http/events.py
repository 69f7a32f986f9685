"""Server-sent events, taken apart without losing a byte: each event as it came, and the message that it carries.

Sans-IO, after the WHATWG's description of an event stream
(https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from middleware.abridge import LONG
from middleware.lane import LINE_LIMIT

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # may begin a stream
_DATA = re.compile(rb"(data: ?)[^ ]")  # with a byte behind it: a blank may be cut off
_END = re.compile(rb"(?>\r\n|\r|\n){2}")  # atomic: the two halves of one newline are not two


class Event(NamedTuple):
    """One event of a stream.

    `raw` is all its bytes, with the blank line that ends it; `data` its data, None when it has none, as in a comment;
    `id` and `retry` (milliseconds) as the event gave them, None when it did not. A long event comes in pieces: only
    the last one `ends` it, and has its data, if that is not too long to hold; `raw` is then what the pieces before did
    not hold.
    """

    raw: bytes
    data: bytes | None = None
    id: str | None = None
    retry: int | None = None
    ends: bool = True


class EventReader:
    """Cuts a stream into its events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._long: _LongEvent | None = None  # of the event in the buffer, what was yielded already
        self._searched = 0  # where the next end of an event may begin

    def feed(self, chunk: bytes, *, whole: bool = True) -> Iterator[Event]:
        """Yield the events that `chunk` completes; unless they must be `whole`, pieces of a long one too."""
        self._buffer += chunk
        start = 0
        while end := self._next_end():
            raw = bytes(memoryview(self._buffer)[start:end])
            start = self._searched = end
            yield self._event(raw)
        del self._buffer[:start]
        if len(self._buffer) > (LINE_LIMIT if whole else LONG):
            piece = bytes(memoryview(self._buffer)[:-4])  # what may be the event's end stays
            del self._buffer[:-4]
            self._long = self._long or _LongEvent()
            self._long.add(piece)
            yield Event(piece, ends=False)
        self._searched = max(0, len(self._buffer) - 3)

    def rest(self) -> bytes:
        """Return what came behind the last event: at the end of a stream, an event that was cut short."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest

    def _event(self, raw: bytes) -> Event:
        long, self._long = self._long, None
        return _event(raw, raw) if long is None else long.end(raw)

    def _next_end(self) -> int | None:
        """Return where the next event ends, None when it is not here yet."""
        # Plain searches from newline to newline: several times as fast through a long event as one expression.
        position = self._searched
        while True:
            line_feed = self._buffer.find(b"\n", position)
            newline = self._buffer.find(b"\r", position, line_feed if line_feed >= 0 else len(self._buffer))
            newline = line_feed if newline < 0 else newline
            if newline < 0:
                return None
            if end := _END.match(self._buffer, newline):
                return end.end()
            position = newline + 1


class _LongEvent:
    """The pieces of one event, whose data is not copied again where the line that makes it long is all of it."""

    def __init__(self) -> None:
        self._before = b""  # lines before that line
        self._name = b""  # what that line begins with, when it is data
        self._line = BytesIO()  # which hands its bytes out without copying them
        self._is_first = True

    def add(self, piece: bytes) -> None:
        if self._is_first:
            self._is_first = False
            start = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
            name = _DATA.match(piece, start)
            self._before, self._name = piece[:start], name[1] if name else b""
            piece = piece[start + len(self._name) :]
        if self._line.tell() <= LINE_LIMIT:
            self._line.write(piece)

    def end(self, raw: bytes) -> Event:
        """Return the event that ends with `raw`."""
        if self._line.tell() > LINE_LIMIT:
            return Event(raw)
        self._line.write(raw.rstrip(b"\r\n"))
        text = self._line.getvalue()
        if not self._name or b"\n" in text or b"\r" in text:
            return _event(raw, self._before + self._name + text)
        event = _event(raw, self._before)
        return event._replace(data=text if event.data is None else event.data + b"\n" + text)


def _event(raw: bytes, text: bytes) -> Event:
    data: list[bytes] = []
    identifier: str | None = None
    retry: int | None = None
    for line in _lines(text.removeprefix(_BYTE_ORDER_MARK)):
        field = bytes(line[:6]).partition(b":")[0]
        value = line[len(field) + 1 :]
        value = value[1:] if bytes(value[:1]) == b" " else value
        if field == b"data":
            data.append(bytes(value))
        elif field == b"id" and b"\0" not in bytes(value):
            identifier = bytes(value).decode("utf-8", "replace")
        elif field == b"retry" and bytes(value).isdigit():
            retry = int(bytes(value))
    joined = None if not data else data[0] if len(data) == 1 else b"\n".join(data)
    return Event(raw, joined, identifier, retry)


def _lines(text: bytes) -> Iterator[memoryview]:
    # Views, because a long event's one line is nearly all of it.
    start = 0
    view = memoryview(text)
    while start < len(text):
        line_feed = text.find(b"\n", start)
        end = text.find(b"\r", start, line_feed if line_feed >= 0 else len(text))
        end = line_feed if end < 0 else end
        end = len(text) if end < 0 else end
        yield view[start:end]
        start = end + (2 if text[end : end + 2] == b"\r\n" else 1)


def event_of(message: bytes) -> bytes:
    """Return the event that carries `message`, which is JSON and may hold newlines between its tokens."""
    lines = b"".join(b"data: " + line + b"\n" for line in message.strip(b" \t\r\n").splitlines())
    return b"event: message\n" + lines + b"\n"


def with_data(event: Event, data: bytes) -> bytes:
    """Return the bytes of `event` with `data` in place of its own; everything else in it stays."""
    kept = [line for line in event.raw.splitlines() if line and not line.startswith(b"data:") and line != b"data"]
    return b"".join(line + b"\n" for line in kept) + event_of(data).partition(b"\n")[2]
