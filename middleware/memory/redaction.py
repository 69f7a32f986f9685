"""What is taken out before a row is written: secrets.

A secret is known by the name it stands under (`password`, `api_key`, ...), by its own shape (`ghp_...`, a JWT), or by
looking drawn at random where nothing else explains that. Each in keys, in values, and within texts, because that is
where tool results carry them. Pure functions of their argument, which may be any JSON value.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from middleware.memory.assignments import (
    Span,
    is_plain_word,
    is_secret_value,
    lower,
    may_name_secret,
    named_secrets,
    passwords_in_urls,
)
from middleware.memory.lazy_patterns import LazyPattern
from middleware.memory.plain_spelling import plain_spelling
from middleware.memory.randomness import looks_random, text_in_base64
from middleware.memory.secret_names import Secrecy, is_harmless_name, is_secret_name, secrecy
from middleware.memory.secret_shapes import LONG_WORD, in_ascii, long_words, may_hold_token, shape_in
from middleware.memory.tables import redact_members, redact_rows, secrets_in_tables

__all__ = [
    "REDACTED",
    "is_secret_name",
    "may_hold_secret",
    "redact",
    "redact_command",
    "redact_definition",
    "redact_text",
]

REDACTED = "[redacted]"
_MAX_DEPTH = 100
_SHORT_KEY = 64  # characters; longer ones are hardly seen again
_LEAST = 4  # characters; no secret in a text is shorter
_PEM = LazyPattern(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|PuTTY-User-Key-File-\d:.*?(?:Private-MAC:\s*\w+|\Z)",
    flags=re.DOTALL,
)
_PUBLIC_PEM = LazyPattern(
    r"-----BEGIN (?:[A-Z0-9 ]*(?:PUBLIC KEY(?: BLOCK)?|CERTIFICATE(?: REQUEST)?)|PGP (?:MESSAGE|SIGNATURE))-----"
    r".*?(?:-----END|\Z)",
    flags=re.DOTALL,
)
_WEBHOOK = LazyPattern(
    r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:discord|discordapp)\.com/api/webhooks|hooks\.zapier\.com/hooks/catch"
    r"|(?<=\.)webhook\.office\.com/webhookb2|api\.telegram\.org/bot|chat\.googleapis\.com/v1/spaces)/?([^\s\"'<>]{10,})"
)
# The pattern is looked for at every character; this is found sooner, and in every webhook.
_WEBHOOK_HOSTS = ("slack.com", "discord", "zapier.com", ".webhook.office", "telegram.org", "chat.googleapis")
_WORD_BEFORE = LazyPattern(r"([A-Za-z][\w-]*)(?:\\*[\"'`\]])?\s{0,2}[\s:=#(\[{\"'`\\>-]{0,6}\Z")
_ESCAPED_BLANK = LazyPattern(r"\\+[nrt]\Z")
_QUOTES = 3  # characters before a value that stands in quotes in a string, as etags do: `W/"`
_OBJECT_ID = LazyPattern(r"[a-z]{2,8}_[A-Za-z0-9]{14,24}")  # what many services call their objects: `pi_...`, `cus_...`
_MOST_HIDDEN = 64 * 1024  # characters in base64 that are looked into
# Base64 in a URL: ids are made to need no escapes there, keys are not.
_ESCAPED_KEY = LazyPattern(r"(?<![\w%+-])[A-Za-z0-9+-]++(?:%(?:2[BbFf]|3[Dd])[A-Za-z0-9+-]*+)++(?![\w%.])")
_BASE64 = LazyPattern(r"[A-Za-z0-9+/-]{32,}=*")
_PERCENT = LazyPattern(r"%(..)")
_LINE = 60  # characters; files in base64 have lines of 64 or 76
_SAID_IN_SCHEMAS = ("default", "const", "example", "examples", "_meta")
_NAME_MEMBERS = (
    "name",
    "key",
    "header",
    "field",
    "variable",
    "env",
    "Name",
    "Key",
    "id",
    "param",
    "property",
    "label",
    "title",
    "k",
    "varname",
)
# A person's or a program's words for an input field: "Password textbox", "#login_password", "input[name=pwd]".
_FIELD_MEMBERS = ("element", "selector", "target", "locator", "placeholder")
_NAMES = frozenset((*_NAME_MEMBERS, *_FIELD_MEMBERS))
_FIELD_WORD = LazyPattern(r"[\w-]+")
_VALUE_MEMBERS = ("value", "val", "Value", "content", "default", "v", "data", "text", "secret")


class Signs(NamedTuple):
    """What a text holds that has to be looked at."""

    names: bool  # something that a secret's name holds
    words: bool  # a word that could be a token


ALL_SIGNS = Signs(names=True, words=True)


def signs_of_secrets(text: str) -> Signs:
    """Return what `text`, a value's JSON or any other, holds that `redact` has to look at; most texts hold nothing."""
    ascii_bytes = in_ascii(text)
    names = may_name_secret(text, lower(ascii_bytes))  # a URL counts as one
    words = may_hold_token(ascii_bytes) or "-----BEGIN" in text or (names and _may_hold_webhook(text))
    return Signs(names=names, words=words)


def may_hold_secret(text: str) -> bool:
    """Return whether `text` (JSON or not) holds anything that `redact` would look at; most texts do not."""
    return any(signs_of_secrets(text))


def redact(value: Any, *, names: bool = True, signs: Signs = ALL_SIGNS) -> Any:
    """Return the JSON value with each secret replaced by "[redacted]".

    Without `names` only shapes count, and passwords in URLs. `signs` are those of the value's JSON, if they are known.
    """
    return _Redactor(names=names, signs=signs).value(value, 0, is_opaque=False)


def redact_definition(definition: Any, *, signs: Signs = ALL_SIGNS) -> Any:
    """Return a tool's definition with each secret in its texts, examples and defaults replaced by "[redacted]".

    In a schema, what stands under `password` is a type, not a password, and what is said of one is mostly words.
    """
    return _SchemaRedactor(names=True, signs=signs).value(definition, 0, is_opaque=False)


def redact_text(text: str) -> str:
    """Return `text` with each secret in it replaced by "[redacted]"."""
    return _Redactor(names=True, signs=ALL_SIGNS).text(text, is_opaque=False)


def redact_command(command: Sequence[str]) -> str:
    """Return a command line for people, shell-quoted, without the secrets in its arguments."""
    shown = []
    after_secret_flag = False
    for argument in command:
        name, equals, _ = argument.partition("=")
        if after_secret_flag:
            shown.append(REDACTED)
        elif equals and is_secret_name(name):
            shown.append(f"{name}={REDACTED}")
        else:
            shown.append(redact_text(argument))
        after_secret_flag = not equals and argument.startswith("-") and is_secret_name(argument)
    return shlex.join(shown)


@lru_cache(maxsize=4096)
def _is_suspect(key: str) -> bool:
    return may_hold_secret(key) or "/" in key or "PuTTY" in key


class _Redactor:
    """Goes through one value."""

    def __init__(self, *, names: bool, signs: Signs) -> None:
        self._names = names and signs.names
        self._urls = not names and signs.names
        self._words = signs.words
        self._least = _LEAST if signs.names else LONG_WORD

    def value(self, value: Any, depth: int, *, is_opaque: bool) -> Any:
        """Return `value`; `is_opaque` says that it stands under a name like `id` or `hash`."""
        if isinstance(value, str):
            return self.text(value, is_opaque=is_opaque)
        if not isinstance(value, dict | list):
            return value
        if depth == _MAX_DEPTH:
            return REDACTED  # not looked into, so not written
        if isinstance(value, list):
            items = [self.value(item, depth + 1, is_opaque=is_opaque) for item in value]
            if self._names and items:
                redact_rows(items[0], items[1:], REDACTED)
            return _redact_pairs(value, items) if self._names else items
        members = {self._key(key): self._member(key, item, depth) for key, item in value.items()}
        if self._names:
            redact_members(members, REDACTED)
        return _redact_named_value(members) if self._names and not _NAMES.isdisjoint(members) else members

    def text(self, text: str, *, is_opaque: bool) -> str:
        """Return `text`, which may be a member's name."""
        if len(text) < self._least:
            return text
        redacted = self._in_place(text, is_opaque)
        plain = plain_spelling(text)
        if plain == text:
            return redacted
        clean = self._in_place(plain, is_opaque)
        # Where that shows no more, the text stays as it was spelled.
        return redacted if clean in (plain, plain_spelling(redacted)) else clean

    def _in_place(self, text: str, is_opaque: bool) -> str:
        spans = self._spans(text, is_opaque)
        if not spans:
            return text
        parts = []
        position = 0
        for start, end in sorted(spans):
            if start >= position:
                parts += [text[position:start], REDACTED]
            position = max(position, end)
        return "".join([*parts, text[position:]])

    def _key(self, key: str) -> str:
        # Rows have the same keys, and so have calls.
        if len(key) < self._least or (len(key) <= _SHORT_KEY and not _is_suspect(key)):
            return key
        return self.text(key, is_opaque=False)

    def _member(self, key: str, item: Any, depth: int) -> Any:
        kind = secrecy(key) if self._names else Secrecy.NONE
        if kind != Secrecy.NONE and _is_secret(kind, item):
            return REDACTED
        return self.value(item, depth + 1, is_opaque=self._words and kind == Secrecy.NONE and is_harmless_name(key))

    def _spans(self, text: str, is_opaque: bool) -> list[Span]:
        ascii_bytes = in_ascii(text)
        spans: list[Span] = []
        if self._names:
            lowered = lower(ascii_bytes)
            if may_name_secret(text, lowered):
                spans += named_secrets(text, lowered)
                spans += secrets_in_tables(text)
        elif self._urls:
            spans += passwords_in_urls(text)
        if self._words and len(text) >= LONG_WORD:
            spans += _tokens_in(text, ascii_bytes, is_opaque)
        return spans


class _SchemaRedactor(_Redactor):
    """Goes through a tool's definition."""

    def _member(self, key: str, item: Any, depth: int) -> Any:
        if isinstance(item, str) or key in _SAID_IN_SCHEMAS:
            return _Redactor(names=self._names, signs=ALL_SIGNS)._member(key, item, depth)
        redacted = self.value(item, depth + 1, is_opaque=False)
        kind = secrecy(key) if isinstance(redacted, dict) else Secrecy.NONE
        for name in _SAID_IN_SCHEMAS:
            if kind != Secrecy.NONE and _is_secret(kind, item.get(name)):
                redacted[name] = REDACTED
        return redacted

    def _spans(self, text: str, is_opaque: bool) -> list[Span]:
        return [span for span in super()._spans(text, is_opaque) if not is_plain_word(text[span[0] : span[1]])]


def _is_secret(kind: Secrecy, item: Any) -> bool:
    """A flag, a null or a count under a secret's name is no secret, and tells the reader something."""
    if isinstance(item, str):
        return is_secret_value(kind, item)
    if item is None or isinstance(item, bool):
        return False
    if isinstance(item, int | float):
        return kind == Secrecy.NUMBER or (kind == Secrecy.CERTAIN and abs(item) >= 10**5)
    return kind >= Secrecy.CERTAIN and bool(item)


def _redact_pairs(values: list[Any], items: list[Any]) -> list[Any]:
    """Redact what follows a secret's flag in a command line, or a secret's name in a list of headers."""
    for place, (name, value) in enumerate(pairwise(values)):
        if not (isinstance(name, str) and isinstance(value, str)):
            continue
        is_flag = name.startswith("-") and not value.startswith("-")
        if (is_flag or len(values) == 2 or "-" in name or name.lower() in ("authorization", "cookie")) and _is_secret(
            secrecy(name), value
        ):
            items[place + 1] = REDACTED
    return items


def _redact_named_value(members: dict[str, Any]) -> dict[str, Any]:
    """Redact the value in `{"name": "API_KEY", "value": ...}`, and what is typed into a page's password field."""
    for member in _FIELD_MEMBERS:
        field = members.get(member)
        words = _FIELD_WORD.findall(field[:200]) if isinstance(field, str) else []
        kind = max(map(secrecy, words), default=Secrecy.NONE)
        for typed in _VALUE_MEMBERS if kind != Secrecy.NONE else ():
            if typed != member and _is_secret(kind, members.get(typed)):
                members[typed] = REDACTED
    for member in _NAME_MEMBERS:
        name = members.get(member)
        kind = secrecy(name) if isinstance(name, str) else Secrecy.NONE
        if kind != Secrecy.NONE:
            for other in _VALUE_MEMBERS:
                if other != member and _is_secret(kind, members.get(other)):
                    members[other] = REDACTED
    return members


def _may_hold_webhook(text: str) -> bool:
    return any(host in text for host in _WEBHOOK_HOSTS)


def _tokens_in(text: str, ascii_bytes: bytes, is_opaque: bool) -> Iterator[Span]:
    public: tuple[tuple[int, int], ...] = ()
    if "-----BEGIN" in text or "PuTTY-User-Key" in text:
        yield from (found.span() for found in _PEM.finditer(text))
        public = tuple(found.span() for found in _PUBLIC_PEM.finditer(text))
    if ("://" in text or "\\/" in text) and _may_hold_webhook(text):
        yield from (found.span(1) for found in _WEBHOOK.finditer(text))
    if "%" in text:
        yield from _escaped_keys(text)
    position = 0
    for start, end in long_words(text, ascii_bytes):
        while max(start, position) < end:
            shape = shape_in(text, max(start, position), end)
            if shape is None:
                break
            yield shape
            position = shape[1]
        if start < position or any(begin <= start < stop for begin, stop in public):
            continue
        yield from _random_in(text, start, end, is_opaque)


def _escaped_keys(text: str) -> Iterator[Span]:
    for found in _ESCAPED_KEY.finditer(text):
        key = _PERCENT.sub(lambda escape: chr(int(escape[1], 16)), found[0])
        if _BASE64.fullmatch(key) and looks_random(key):
            yield found.span()


def _random_in(text: str, start: int, end: int, is_opaque: bool) -> Iterator[tuple[int, int]]:
    word = text[start:end]
    equals = word.rstrip("=").rfind("=") + 1
    start, word = start + equals, word[equals:]
    if _OBJECT_ID.fullmatch(word) or _is_line_of_data(text, start, end):
        return
    hidden = text_in_base64(word) if 16 <= len(word) <= _MOST_HIDDEN else None
    if hidden is not None:
        if redact_text(hidden) != hidden:
            yield start, end
        return
    if (is_opaque and start <= _QUOTES) or not looks_random(word):
        return
    before = _ESCAPED_BLANK.sub(" ", text[max(0, start - 80) : start])
    named = _WORD_BEFORE.search(before)
    if (named and is_harmless_name(named[1])) or before.endswith(("/", "@", ".")) or text[end : end + 1] == "@":
        return
    yield start, end


def _is_line_of_data(text: str, start: int, end: int) -> bool:
    """Return whether a long word has another one in the line before or behind it, as files in base64 do."""
    if end - start < _LINE:
        return False
    behind = text[end : end + 2 + _LINE].lstrip("\r\n")
    before = text[max(0, start - 2 - _LINE) : start].rstrip("\r\n")
    return any(
        len(near) >= _LINE and not any(map(str.isspace, near)) for near in (behind[:_LINE], before[-_LINE:])
    ) and not (text[start - 1 : start].strip() or text[end : end + 1].strip())
