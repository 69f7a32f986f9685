"""A text as it is meant, without what terminals and encoders put between its letters.

\\x1b[32mtoken\\x1b[0m=x    {"pass\\\\u0077ord": "x"}    token\\\\u003dx    {&quot;token&quot;: &quot;x&quot;}
"""

from middleware.memory.lazy_patterns import LazyPattern

# Not from within a run of backslashes: that would take the square of their number.
_COLOURS = LazyPattern(r"(?:\x1b|(?<!\\)\\++(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]{0,40}[@-~]")
_ESCAPED = LazyPattern(r"(?<!\\)\\++u00([2-7][0-9a-fA-F])")
_ENTITY = LazyPattern(r"&(?:amp;)*+(?:(quot|\#0{0,4}34|\#[xX]0{0,4}22)|apos|\#0{0,4}39|\#[xX]0{0,4}27);")
_BACKSLASH = "5c"


def plain_spelling(text: str) -> str:
    """Return `text` without colours, and with characters for their escapes; itself where there are none."""
    if "\x1b[" in text or "\\" in text:
        text = _COLOURS.sub("", text)
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda found: found[0] if found[1].lower() == _BACKSLASH else chr(int(found[1], 16)), text)
    if "&" in text:
        text = _ENTITY.sub(lambda found: '"' if found[1] else "'", text)
    return text
