"""What a message says, for whoever only looks on: as lenient as any peer, since what cannot be read goes unrecorded."""

import json
import re
from typing import Any

from middleware.splice import STRING, decode

MAX_DEPTH = 100
_FLATTEN_LIMIT = 1 << 20  # characters; flattening is slow, and nothing honest is both that long and that deep
_decode_json = json.JSONDecoder(strict=False).decode
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_TOKEN = re.compile(rf"{STRING}|[\[\]{{}}]|-?\d{{1000,}}+(?![.eE])", re.DOTALL)


def parse(data: bytes) -> Any:
    """Return the value that `data` spells, or None when it is no JSON.

    What Python's parser refuses but others read (numbers of thousands of digits, hundreds of levels) is replaced by
    a string that says so; the rest of the message stays readable.
    """
    text = decode(data)
    try:
        return _decode_json(text)
    except json.JSONDecodeError:
        return None
    except (ValueError, RecursionError):
        if len(text) > _FLATTEN_LIMIT:
            return None
    try:
        return _decode_json(_flatten(text))
    except (ValueError, RecursionError):
        return None


def spell(value: Any) -> str:
    """Return `value`, which came from `parse`, as valid JSON in valid UTF-8."""
    try:
        text = _encode_json(value)
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: valid JSON only as an escape
        return json.dumps(value, separators=(",", ":"))
    except ValueError:  # NaN, or a number beyond the largest: Python reads them, JSON does not have them
        return spell(json.loads(json.dumps(value), parse_constant=str))
    except RecursionError:  # the encoder gives up a few levels before the parser does
        return '"[nested too deeply]"'
    return text


def _flatten(text: str) -> str:
    parts = []
    position = depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth == MAX_DEPTH:
                parts += [text[position : token.start()], '"[nested too deeply]"']
        elif first in "]}":
            if depth >= MAX_DEPTH:
                position = token.end()
            depth -= 1
        elif first != '"' and depth < MAX_DEPTH:
            parts += [text[position : token.start()], f'"{token[0]}"']
            position = token.end()
    return "".join([*parts, text[position:]])
