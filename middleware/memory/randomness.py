"""Whether a word looks as if it had been drawn at random, as keys are, and unlike what people and programs name things.

Shannon's entropy says little about forty characters. What tells better: in words, names and numbers most neighbours
belong together, being digits both, or letters that often follow each other in some language. At random few do.
"""

import binascii
import re

from middleware.memory.lazy_patterns import LazyPattern

_LEAST = 24  # characters; shorter ones are ids more often than secrets
_LEAST_ONE_CASE = 30  # of small letters and digits only, or capitals and digits only
_MOST = 512  # longer ones are data
_ODD = 0.6  # of the pairs of neighbours; random base62 has 0.8, names with digits in them 0.3

# What often follows each letter: 95 % of the pairs in English prose, tool definitions, and texts in nine languages.
_FOLLOWS = (
    "abcdgiklmnprstuvy baeijloru cacehiklortu daeiosu eacdefgilmnpqrstvwxy faefioru gaehiru haeiot "
    "iabcdefglmnoprstv je kaei lacdeilostuy mabeiopsu nacdefgiopstuvy obcdilmnoprstuvw paeiloprtu qu "
    "racdegimnorstuy sacehikopstu tacehilorstuy uaceilmnprst vaei waehio xcp yeopst ze "
)
_COMMON = frozenset(follows[0] + letter for follows in _FOLLOWS.split() for letter in follows[1:])
# Ids and dates inside a longer name: UUIDs, hexadecimal, digits.
_PARTS = LazyPattern(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|(?<![g-zG-Z])(?:[0-9a-f]{8,}|[0-9A-F]{8,})(?![g-zG-Z])|\d{6,}"
)
# What begins like this is public, or data: content ids, checksums, public keys, and files in base64.
_PUBLIC = LazyPattern(
    r"MI(?:Gf|IBI|IBo|ICI)[jM]A|MCowBQYDK2V|MFkwEwYHKoZI|MHYwEAYHKoZI"  # public keys, as X.509 has them
    r"|0x[0-9a-fA-F]+$|bc1[a-z0-9]{25,60}$|[13][1-9A-HJ-NP-Za-km-z]{25,34}$|PL[\w-]{32}$|Qm[1-9A-HJ-NP-Za-km-z]{44}$|baf[a-z2-7]{50,}$|sha(?:1|256|384|512)[-_]|AAAA[BCE][1-9a-zA-Z]"
    r"|iVBORw0KGgo|/9j/|R0lGOD|JVBERi|UEsDB|H4sI|UklGR|AGFzbQ|PHN2Zy|T2dnUw|SUkq|Qk0|SUQz|d09G|AAAA[IH]G|AAAAFGZ0|PD94bWw|f0VMR"
)
_LETTERS_AND_DIGITS = LazyPattern(r"(?=.*\d)(?:[a-z\d]+|[A-Z\d]+)$")


def looks_random(word: str) -> bool:
    """Return whether `word`, of letters, digits and `_+/=-`, looks like a key that was drawn at random."""
    word = word.strip("=")
    if not _LEAST <= len(word) <= _MOST or _PUBLIC.match(word):
        return False
    for separators in ("/", "-_"):
        if sum(map(word.count, separators)) > len(word) // 16 + 1:
            return any(map(looks_random, re.split(f"[{separators}]", word)))
    return _is_random(word) and text_in_base64(word) is None


def text_in_base64(word: str) -> str | None:
    """Return the text that `word` is base64 of, None if it is of something else."""
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    word = word[:-1] if len(word) % 4 == 1 else word  # cut off
    try:
        text = binascii.a2b_base64(word + "=" * (-len(word) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None


def _is_random(word: str) -> bool:
    rest = _PARTS.sub("", word)
    if len(rest) < _LEAST or (_LETTERS_AND_DIGITS.match(rest) and len(rest) < _LEAST_ONE_CASE):
        return False
    digits = sum(map(str.isdigit, rest))
    if not digits and (len(rest) < _LEAST_ONE_CASE or rest.islower() or rest.isupper()):
        return False
    odd = sum(map(_is_odd, rest, rest[1:]))
    return odd >= _ODD * (len(rest) - 1)


def _is_odd(one: str, other: str) -> bool:
    if one.isalpha() and other.isalpha():
        return (one + other).lower() not in _COMMON or (one.islower() and other.isupper())
    return one.isdigit() != other.isdigit()
