"""The headers that repeat what a message says, so that whoever is on the way need not parse it.

From 2026-07-28 on a POST carries `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`, and `Mcp-Param-*` for the parameters
that a tool's schema marks with `x-mcp-header`; a server refuses a message that they contradict. Sans-IO, after
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from middleware.messages import META_PROTOCOL_VERSION, at

PROTOCOL_VERSION = "MCP-Protocol-Version"
SESSION_ID = "Mcp-Session-Id"
METHOD = "Mcp-Method"
NAME = "Mcp-Name"
PARAM_PREFIX = "Mcp-Param-"
FIRST_MODERN = "2026-07-28"  # revisions are dates, so they compare as text

# Which of a request's params stands in Mcp-Name.
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_REVISION = re.compile(r"\d{4}-\d\d-\d\d")
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?|")
_ENCODED = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# Where in the arguments a value lies → the header that repeats it, without the prefix.
MarkedParams = Mapping[tuple[str, ...], str]


def is_modern(revision: object) -> bool:
    """Return whether `revision`, named by a message itself, is one without sessions and handshake.

    A name that is no date counts: the server knows best what to say to it, and only messages of that era name one.
    """
    if not isinstance(revision, str):
        return False
    return _REVISION.fullmatch(revision) is None or revision >= FIRST_MODERN


def revision_of(message: Mapping[str, Any]) -> str | None:
    """Return the revision that a message itself names, as every request does from 2026-07-28 on."""
    revision = at(message, ("params", "_meta", META_PROTOCOL_VERSION))
    return revision if isinstance(revision, str) else None


def headers_of(message: Mapping[str, Any], marked: MarkedParams) -> dict[str, str]:
    """Return the headers for a modern message; `marked` are the parameters of the tool that it calls."""
    headers = {}
    if revision := revision_of(message):
        headers[PROTOCOL_VERSION] = encoded(revision)
    method = message.get("method")
    if not isinstance(method, str):
        return headers
    headers[METHOD] = encoded(method)
    params = message.get("params")
    params = params if isinstance(params, dict) else {}
    name = params.get(_NAMED_BY.get(method, ""))
    if isinstance(name, str):
        headers[NAME] = encoded(name)
    for path, header in marked.items():
        if (text := _text(at(params, ("arguments", *path)))) is not None:
            headers[PARAM_PREFIX + header] = encoded(text)
    return headers


def marked_params(schema: Any) -> dict[tuple[str, ...], str]:
    """Return the parameters that an input schema marks; {} where its marks break the rules, as if there were none."""
    try:
        found = dict(_marked(schema, ()))
    except RecursionError:
        return {}
    names = [name.lower() for name in found.values()]
    return found if len(set(names)) == len(names) else {}


def mismatch(message: Mapping[str, Any], headers: Mapping[str, str], marked: MarkedParams) -> str | None:
    """Return what is wrong with the headers of a modern request, for whoever sent it; None when nothing is.

    `headers` must not mind the case of names.
    """
    expected = headers_of(message, marked)
    params = [PARAM_PREFIX + header for header in marked.values()]
    for name in [*(name for name in (PROTOCOL_VERSION, METHOD, NAME) if name in expected), *params]:
        given, wanted = headers.get(name), decoded(expected.get(name))
        if decoded(given) == wanted or (name in params and _same_number(decoded(given), wanted)):
            continue
        if given is None:
            return f"Header mismatch: {name} is missing; it must be {expected[name]!r}"
        said = "nothing" if wanted is None else repr(wanted)
        return f"Header mismatch: {name} is {given!r}, but the message says {said}"
    return None


def encoded(value: str) -> str:
    """Return `value` as a header can hold it."""
    if _PLAIN.fullmatch(value) and not _ENCODED.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="


def decoded(value: str | None) -> str | None:
    """Return what a header's value stands for, None when it stands for nothing."""
    found = _ENCODED.fullmatch(value) if value is not None else None
    if found is None:
        return value
    try:
        return base64.b64decode(found[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _marked(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    # Only through `properties`: what stands below a list, a choice or a reference has no fixed place.
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for key, property_ in properties.items() if isinstance(properties, dict) else ():
        header = property_.get("x-mcp-header") if isinstance(property_, dict) else None
        if isinstance(header, str) and _TOKEN.fullmatch(header):
            yield (*path, key), header
        yield from _marked(property_, (*path, key))


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _same_number(one: str | None, other: str | None) -> bool:
    try:
        return one is not None and other is not None and float(one) == float(other)
    except ValueError:
        return False
