"""What is taken out before a row is written: the obvious secrets.

A secret is known by the name it stands under (`password`, `api_key`, ...) or by its own shape (`ghp_...`, a JWT).
Names are looked for in keys, and in texts too (`password=...`, JSON inside a string), because that is where tool
results carry them. Pure functions of their argument.
"""

import re
import shlex
from collections.abc import Sequence
from typing import Any

REDACTED = "[redacted]"
_MAX_DEPTH = 100

# What `may_hold_secret` looks for, lower case. Plain substring searches: measured faster than one alternation.
_HINTS = (
    *("passw", "passphrase", "pwd", "secret", "token", "apikey", "api_key", "api-key", "api key", "credential"),
    *("authorization", "cookie", "private", "accesskey", "access_key", "access-key", "bearer", "://"),
    *("sk-", "sk_", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_"),
    *("xox", "akia", "asia", "aiza", "eyj", "-----begin"),
)
_NAMES = (
    *("passwords?", "passwd", "passphrase", "pwd", "private[_-]?key", "secrets?", "secret[_-]?key", "token"),
    *("api[ _-]?keys?", "access[_-]?key", "authorization", "credentials?", "cookies?"),
)
# Both cases of the first letter spelled out: only then does `re` skip what cannot begin a name.
_NAME = "|".join(f"{first}(?i:{name[1:]})" for name in _NAMES for first in (name[0], name[0].upper()))
_SECRET_NAME = re.compile(rf"(?:{_NAME})$")
# Tokens that open no door: an opaque place in a list, which a tool's next call needs.
_HARMLESS_NAME = re.compile(r"(?:page|next|continuation|sync|cursor)[_-]?token$", re.IGNORECASE)
# A name, an optional closing quote (escaped, where JSON is nested in JSON), `:` or `=`, and what it is given.
_ASSIGNMENT = re.compile(
    rf"(?P<name>{_NAME})"
    r"""(?P<sign>\\*["']?\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*+|\\+"[^"\\]*+(?:\\+[^"\\][^"\\]*+)*+|'[^']*+"""
    r"""|(?:(?i:bearer|basic|token)\s+)?+(?!\[redacted)[^\s"',;&<>{}\\]+)""",
    re.DOTALL,
)
_QUOTE = re.compile(r"""\\*["']""")
_COOKIE_HEADER = re.compile(r"""([cC](?i:ookie:\s*))[^\r\n"'\\]+""")
# Each looks behind itself for a longer word's end ("task-..."); not at the front, where it would cost the skipping.
_SHAPE = re.compile(
    r"sk-(?<![A-Za-z0-9]...)[\w-]{16,}|rk_(?:live|test)_\w{10,}|sk_(?:live|test)_\w{10,}|gh[opsur]_(?<![A-Za-z0-9]....)\w{16,}"
    r"|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_(?<![A-Za-z0-9]...)[A-Za-z0-9]{20,}|xox[a-z]-(?<![A-Za-z0-9].....)[\w-]{10,}"
    r"|A(?:KIA|SIA)(?<![A-Za-z0-9]....)[A-Z0-9]{16}|AIza(?<![A-Za-z0-9]....)[\w-]{30,}"
    r"|eyJ(?<![\w-]...)[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)*+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_BEARER = re.compile(r"([bB](?i:earer\s+))[\w.~+/=-]{8,}")
_URL_PASSWORD = re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+(?=@)")
_KEY_BEFORE = re.compile(r"[\w-]*\Z")


def may_hold_secret(text: str) -> bool:
    """Return whether `text` (JSON or not) holds anything that `redact` would look at; most texts do not."""
    lowered = text.lower()
    return any(map(lowered.__contains__, _HINTS))


def redact(value: Any, *, names: bool = True) -> Any:
    """Return the JSON value with each secret replaced by "[redacted]".

    Without `names` only shapes count: in a schema, what stands under `password` is a type, not a password.
    """
    return _redact(value, names, 0)


def redact_text(text: str) -> str:
    """Return `text` with each secret in it replaced by "[redacted]"."""
    text = _COOKIE_HEADER.sub(rf"\1{REDACTED}", _redact_shapes(text))
    return _ASSIGNMENT.sub(_replace_assignment, text)


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


def _redact(value: Any, names: bool, depth: int) -> Any:
    if isinstance(value, str):
        return redact_text(value) if names else _redact_shapes(value)
    if not isinstance(value, dict | list):
        return value
    if depth == _MAX_DEPTH:
        return REDACTED  # not looked into, so not written
    if isinstance(value, list):
        return [_redact(item, names, depth + 1) for item in value]
    return {
        _redact_shapes(key): REDACTED
        # A flag or a null under such a name is no secret, and tells the reader something.
        if names and is_secret_name(key) and item is not None and not isinstance(item, bool)
        else _redact(item, names, depth + 1)
        for key, item in value.items()
    }


def _redact_shapes(text: str) -> str:
    text = _SHAPE.sub(REDACTED, text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    return _URL_PASSWORD.sub(rf"\1{REDACTED}", text)


def _replace_assignment(found: re.Match[str]) -> str:
    name = _KEY_BEFORE.search(found.string, max(0, found.start() - 40), found.start())
    if _HARMLESS_NAME.search((name[0] if name else "") + found["name"]):
        return found[0]
    quote = _QUOTE.match(found["value"])
    return f"{found['name']}{found['sign']}{quote[0] if quote else ''}{REDACTED}"


def is_secret_name(name: str) -> bool:
    """Return whether what stands under `name` is a secret, going by the name."""
    return _SECRET_NAME.search(name) is not None and _HARMLESS_NAME.search(name) is None
