"""Passes over a JSON value without reading it, to find where it ends.

Quotes that are escaped are painted over, what stands outside strings is taken by splitting at the quotes, and brackets
are counted there; each of these steps is one call into C for all bytes at hand, and takes memory in proportion to them.
"""

import re
from array import array
from itertools import accumulate

_SCALAR = re.compile(rb'[^\s,:"\[\]{}]++')
_PLAIN_TOKEN = re.compile(rb'"[^"]*+"|[\[\]{}]')  # where no string holds a quote
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # +1 and -1 as signed bytes
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Skip:
    """Passes over the rest of a value whose first byte is `first`; `ended` says that it has come to its end."""

    def __init__(self, first: bytes) -> None:
        self.ended = False
        self._depth = 1 if first in (b"[", b"{") else 0
        self._in_string = first == b'"'

    def advance(self, data: bytes, position: int) -> int:
        """Return the value's end, or how far `data` could be used."""
        if not self._depth and not self._in_string:
            return self._end_at(_SCALAR.match(data, position), data, position)
        # A backslash at the end belongs to what follows it.
        usable = len(data) - (len(data) - len(data.rstrip(b"\\"))) % 2
        plain = data[position:usable]
        if b"\\" in plain and b'"' in plain:
            # In this order, and from left to right: then the quotes that stay are the ends of strings.
            plain = plain.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        if not self._depth:
            quote = plain.find(b'"')
            self.ended = quote >= 0
            return position + quote + 1 if self.ended else usable
        parts = plain.split(b'"')
        steps = b"".join(parts[self._in_string :: 2]).translate(_STEPS, _NO_BRACKETS)
        closing = steps.count(b"\xff")
        if closing >= self._depth and -self._depth in accumulate(array("b", steps)):
            self.ended = True
            return position + self._end_in(plain)
        self._depth += len(steps) - 2 * closing
        self._in_string ^= len(parts) % 2 == 0
        return usable

    def _end_at(self, scalar: re.Match[bytes] | None, data: bytes, position: int) -> int:
        end = scalar.end() if scalar else position
        self.ended = end < len(data)
        return end

    def _end_in(self, plain: bytes) -> int:
        """Return where the container ends, which it does in `plain`."""
        depth = self._depth
        for token in _PLAIN_TOKEN.finditer(plain, plain.index(b'"') + 1 if self._in_string else 0):
            if token[0] in (b"[", b"{"):
                depth += 1
            elif token[0] in (b"]", b"}"):
                depth -= 1
                if not depth:
                    return token.end()
        raise AssertionError("it was counted that it ends here")
