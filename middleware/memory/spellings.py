"""One text, however it is written down: as it stands, or behind the escapes of JSON, of JSON inside JSON, and so on;
or with the quotes of a shell's command line.

A server may spell any character as an escape, so what is stored is unescaped layer by layer and looked at in each.
Case counts, and so does every other difference between characters.
"""

import json
import re

_LAYERS = 16  # JSON inside JSON, so deep; the size of honest escapes doubles with each
_ESCAPE = re.compile(r"""\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))""")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_QUOTE = "'\"'\"'"  # a single quote, as `shlex` writes it
_SURROGATE = re.compile("[\ud800-\udfff]")


def holds(stored: str, text: str) -> bool:
    """Return whether `stored` holds `text`, in any spelling; linear in the length of `stored`."""
    for _ in range(_LAYERS):
        if text in stored or (_QUOTE in stored and text in stored.replace(_QUOTE, "'")):
            return True
        if "\\" not in stored:
            return False
        unescaped = _ESCAPE.sub(_character, stored)
        if unescaped == stored:
            return False
        # Two halves, each an escape of its own, are one character.
        if _SURROGATE.search(unescaped):
            unescaped = unescaped.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        stored = unescaped
    return text in stored


def spellings(text: str) -> list[bytes]:
    """Return the bytes that we ourselves write `text` as, for looking into files that are no text."""
    layers = [text]
    for _ in range(3):
        layers += [json.dumps(layer, ensure_ascii=ascii_only)[1:-1] for layer in layers for ascii_only in (True, False)]
    return sorted({layer.encode("utf-8", "surrogatepass") for layer in layers}, key=len)


def _character(match: re.Match[str]) -> str:
    code, short = match.groups()
    return chr(int(code, 16)) if code else _SHORT.get(short, short)
