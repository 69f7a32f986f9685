"""Reads a long message while it passes, and keeps of it what the relay looks at: a short message in its place.

A result of 10 MB parsed whole costs several times its size in memory, for 16 KiB that are recorded. So the members of a
message, and those of its `params`, `result` or `error`, are kept as they are; of a value among them that is above the
limit only the beginning is, closed so that it parses, with the member `CUT_KEY` beside it. The rest is passed over
without being parsed, by counting brackets outside strings, in memory that does not grow with the message. What lies
there is not checked: a long message may be broken and look whole.

Sans-IO, and the bytes may come in any pieces. Batches are kept message by message.
"""

import json
import re

from middleware.memory.shortening import CUT_KEY, MARGIN, cut_at_blank
from middleware.skip import Skip
from middleware.splice import STRING, decode, encode

LONG = 256 * 1024  # bytes; shorter messages are read whole
VALUE_LIMIT = 16 * 1024  # bytes of one value that are kept; by default no more is recorded
WHOLE_LIMIT = 64 << 20  # bytes of a message that is read whole because all of it is to be recorded
_MESSAGE_LIMIT = LONG  # bytes kept of one message; behind that, only the members that the relay knows
_KEY_LIMIT = 64 * 1024  # bytes of a member's name, with the blanks around it
_PIECE = 64 * 1024  # bytes looked at in one go: what is passed over is taken apart a piece at a time
_NAMES = frozenset(
    {
        *("id", "method", "params", "result", "error", "name", "arguments", "_meta", "requestId"),
        *("isError", "resultType", "requestState", "inputResponses", "content", "structuredContent", "code", "message"),
        *("protocolVersion", "clientInfo", "capabilities", "notifications"),
    }
)
_MARK = f'"{CUT_KEY}":true'.encode()
_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(STRING.encode(), re.DOTALL)
_KEY = re.compile(rb"(" + STRING.encode() + rb")[ \t\r\n]*+:[ \t\r\n]*+(?=.)", re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:"\[\]{}]++')
_BRACKET_OR_STRING = re.compile(STRING.encode() + rb'|[\[\]{}"]', re.DOTALL)

_TEXT_TOKEN = re.compile(rf'{STRING}|".*|[^\s,:"\[\]{{}}]++|[,:\[\]{{}}]', re.DOTALL)
_WHOLE_CHARACTERS = re.compile(r'"[^"\\]*+(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*+)*+', re.DOTALL)
_STRING_TEXT = re.compile(STRING, re.DOTALL)
_HALVES = re.compile("[\\ud800-\\udfff]+$")
_decode_string = json.JSONDecoder(strict=False).decode


def abridge(data: bytes, abridger: "Abridger | None" = None) -> bytes:
    """Return the message `data`; when it is long, with its long values cut, and b"" when it is no object or array.

    A new `abridger` may be given, which says how long a message must be for that.
    """
    if len(data) <= LONG:
        return data
    abridger = abridger or Abridger()
    if len(data) <= abridger.long:
        return data
    abridger.feed(data)
    return abridger.finish()


class Abridger:
    """Takes one message in pieces. `size` is how many bytes have come; up to `long`, all of them are kept."""

    def __init__(
        self, *, long: int = LONG, value_limit: int = VALUE_LIMIT + MARGIN, message_limit: int = _MESSAGE_LIMIT
    ) -> None:
        self.size = 0
        self.long = long
        self._short = bytearray()  # all that has come, while that is not long
        self._value_limit = value_limit
        self._message_limit = message_limit
        self._kept = bytearray()
        self._message = 0  # where in `_kept` the present message begins
        self._rest = b""  # has come, and has to wait for what follows
        self._open = bytearray()  # the brackets we are in: of a batch, of a message, of its params or result
        self._skip: Skip | None = None
        self._unreadable = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the message."""
        before, self.size = self.size, self.size + len(data)
        if self.size <= self.long:
            self._short += data
            return
        if before <= self.long:
            data = bytes(self._short) + data
            self._short.clear()
        for start in range(0, len(data), _PIECE):
            if self._unreadable:
                return
            piece = self._rest + data[start : start + _PIECE]
            self._rest = piece[self._walk(piece) :]

    def finish(self) -> bytes:
        """Return what is kept of the message; of a long one b"" when it broke off, or is no JSON object or array."""
        if self.size <= self.long:
            return bytes(self._short)
        whole = self._kept and not (self._unreadable or self._open or self._rest)
        return bytes(self._kept) if whole else b""

    def _walk(self, data: bytes) -> int:
        """Return how far `data` could be used; what lies behind that comes again with more."""
        position = 0
        while not self._unreadable:
            if self._skip is not None:
                position = self._skip.advance(data, position)
                if not self._skip.ended:
                    return position
                self._skip = None
            position = _blank_end(data, position)
            step = self._step(data, position) if position < len(data) else None
            if step is None:
                return position
            position = step
        return len(data)

    def _step(self, data: bytes, position: int) -> int | None:
        """Take one bracket, comma, member or element; return its end, None when more bytes are needed."""
        first = data[position : position + 1]
        inside = self._open[-1:]
        if not inside:
            self._unreadable = bool(self._kept) or first not in (b"{", b"[")
            return self._enter(b"", first, position)
        if first == b",":
            return position + 1
        if first in (b"}", b"]"):
            self._kept += first
            del self._open[-1]
            return position + 1
        if inside == b"[":
            return self._enter(b"", first, position) if first == b"{" else self._value(data, b"", position)
        key = _KEY.match(data, position)
        if key is None:
            self._unreadable = len(data) - position > _KEY_LIMIT
            return None
        value = key.end()
        if data[value] == ord("{") and len(self._open.lstrip(b"[")) < 2:
            return self._enter(key[1] + b":", b"{", value)
        return self._value(data, key[1], value)

    def _enter(self, key: bytes, bracket: bytes, position: int) -> int:
        self._keep(key + bracket)
        self._open += bracket
        if bytes(self._open) in (b"{", b"[{"):
            self._message = len(self._kept)
        return position + 1

    def _value(self, data: bytes, key: bytes, value: int) -> int | None:
        end = _end_of(data, value, self._value_limit)
        if end is None and len(data) - value <= self._value_limit:
            return None
        wanted = len(self._kept) - self._message <= self._message_limit or _name(key) in _NAMES
        if end is not None and wanted:
            self._keep(key + b":" + data[value:end] if key else data[value:end])
            return end
        if wanted:
            beginning = encode(repaired(decode(data[value : value + self._value_limit])))
            self._keep(key + b":" + beginning if key else beginning)
        if key and not self._kept.endswith(_MARK):
            self._keep(_MARK)
        if end is None:
            self._skip = Skip(data[value : value + 1])
            end = value + (data[value] in b'"[{')
        return end

    def _keep(self, data: bytes) -> None:
        if self._kept and not self._kept.endswith((b"{", b"[")):
            self._kept += b","
        self._kept += data


def _blank_end(data: bytes, position: int) -> int:
    blank = _BLANK.match(data, position)
    return blank.end() if blank else position


def _end_of(data: bytes, start: int, limit: int) -> int | None:
    """Return the end of the value at `start`, None when it is not within `limit` bytes, or has not come yet."""
    first = data[start : start + 1]
    stop = start + limit
    if first == b'"':
        text = _STRING.match(data, start, stop)
        return text.end() if text else None
    if first not in (b"[", b"{"):
        scalar = _SCALAR.match(data, start, stop + 1)
        end = scalar.end() if scalar else start + 1  # no JSON: kept, so that whoever parses it sees that
        return end if end < len(data) and end <= stop else None
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(data, start, stop):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if not depth:
                return token.end()
        elif token[0] == b'"':
            break  # a string that does not end here
    return None


def _name(key: bytes) -> str:
    try:
        return str(_decode_string(decode(key)))
    except ValueError:
        return ""


def repaired(text: str) -> str:
    """Return the beginning of a JSON value as a whole value: what is open is closed, and what is half is left out."""
    closers: list[str] = []
    good = 0  # up to here it is whole, but for the closers
    last = ""
    is_value = True  # the next string is a value, not a name
    for token in _TEXT_TOKEN.finditer(text):
        found = token[0]
        if found == ",":
            is_value = closers[-1:] != ["}"]
        elif found == ":":
            is_value = True
        elif found in ("[", "{"):
            closers.append("]" if found == "[" else "}")
            is_value = found == "["
            good = token.end()
        elif found in ("]", "}"):
            del closers[-1:]
            good = token.end()
        elif not is_value:
            continue
        elif found[0] != '"':
            good = token.end() if token.end() < len(text) else good  # more digits may follow
        elif _STRING_TEXT.fullmatch(found):
            good = token.end()
        else:
            last = _beginning(found)
            good = token.start()
    if not good and not last:
        return '"[cut]"'  # a number of thousands of digits
    return "".join([text[:good], last, *reversed(closers)])


def _beginning(text: str) -> str:
    """Return the string that `text` is the beginning of, cut so that no half of a character stays."""
    whole = _WHOLE_CHARACTERS.match(text)
    try:
        value = _decode_string(f'{whole[0] if whole else text}"')
    except ValueError:
        value = ""
    # Half a surrogate pair, or bytes of half a UTF-8 sequence, which `decode` made surrogates of.
    return json.dumps(f"{cut_at_blank(_HALVES.sub('', value))} [cut]")
