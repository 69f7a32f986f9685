"""JSON as people keep it in configuration files: with comments, commas before a closing bracket, a byte order mark.

`plain` makes JSON of it that is exactly as long, so that what `middleware.splice` finds there lies at the same place in
the file's own text, and an edit of that text leaves all the rest as it was.
"""

import json
import re
from typing import Any

from middleware.splice import STRING

_COMMENT = r"//[^\r\n]*+|/\*.*?\*/"
_COMMENTS = re.compile(rf"{STRING}|(?P<found>{_COMMENT})", re.DOTALL)
_COMMAS = re.compile(rf"{STRING}|(?P<found>,(?=[ \t\r\n]*+[}}\]]))", re.DOTALL)
_VISIBLE = re.compile(r"[^\r\n]")
_COMMA_AFTER = re.compile(rf"(?:[ \t\r\n]|{_COMMENT})*+,", re.DOTALL)
_decode = json.JSONDecoder(strict=False).decode  # editors write tabs into strings, and some clients read them
_MARK = "\ufeff"


def plain(text: str) -> str:
    """Return `text` with blanks in place of comments, of commas before a closing bracket, and of the mark."""
    if text.startswith(_MARK):
        text = " " + text[1:]
    return _COMMAS.sub(_blank, _COMMENTS.sub(_blank, text))


def parse(text: str) -> Any:
    """Return the value of JSON with or without comments.

    Raises:
        ValueError: it is neither; the message says where.
    """
    try:
        return _decode(plain(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def same(text: str, other: str) -> bool:
    """Return whether two texts say the same, with their members in the same order."""
    return spell(parse(text)) == spell(parse(other))


def spell(value: Any) -> str:
    """Return `value` as JSON that can be written as UTF-8."""
    spelled = json.dumps(value, ensure_ascii=False)
    return spelled if spelled.isascii() or not re.search("[\ud800-\udfff]", spelled) else json.dumps(value)


def after_comma(text: str, position: int) -> int:
    """Return the end of the comma that follows `position`, with blanks and comments before it; `position` if none."""
    found = _COMMA_AFTER.match(text, position)
    return found.end() if found else position


def _blank(found: re.Match[str]) -> str:
    return _VISIBLE.sub(" ", found[0]) if found["found"] is not None else found[0]
