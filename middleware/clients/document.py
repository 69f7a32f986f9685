"""A client's file as text, and where the servers' entries stand in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from middleware.clients.jsonc import parse, plain
from middleware.errors import ClientFileError
from middleware.splice import Member, Span, beginning, members

# Under which keys clients keep servers, from the top; * stands for any.
_CONTAINERS = (
    ("mcpServers",),
    ("servers",),  # VS Code's mcp.json
    ("mcp", "servers"),  # its settings.json, in both of its spellings
    ("mcp.servers",),
    ("projects", "*", "mcpServers"),  # Claude Code's own
)
_NO_JSON = {".yaml": "YAML", ".yml": "YAML", ".toml": "TOML"}
_BY_HAND = "put `learner proxy --name NAME --` in front of the server's command by hand"


class Place(NamedTuple):
    """Where an entry stands: the keys that lead to it, the last of which is its name, and its span in the text."""

    keys: tuple[str, ...]
    span: Span


def decode(data: bytes, path: Path) -> str:
    """Return the text of the file at `path`, a JSON object with or without comments, or nothing but those.

    Raises:
        ClientFileError: it is none.
    """
    if path.suffix.lower() in _NO_JSON:
        kind = _NO_JSON[path.suffix.lower()]
        raise ClientFileError(f"{path} is {kind}, and only JSON can be edited; {_BY_HAND}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientFileError(f"{path} is not in UTF-8 (byte {error.start}); save it as UTF-8 and try again") from error
    if "\0" in text:
        raise ClientFileError(f"{path} is not in UTF-8 (it holds NUL); save it as UTF-8 and try again")
    if is_empty(text):
        return text
    try:
        value = parse(text)
    except ValueError as error:
        raise ClientFileError(f"{path} is no JSON: {error}; mend it and try again") from error
    if not isinstance(value, dict):
        raise ClientFileError(f"{path} is no JSON object, so no client's configuration; name another file")
    return text


def is_empty(text: str) -> bool:
    """Return whether the file holds nothing, which clients take for an object without members."""
    return not plain(text).strip()


def places(text: str) -> list[Place]:
    """Return where the entries are, in the order of the text. Of repeated keys the last counts, as for parsers."""
    if is_empty(text):
        return []
    parsed = plain(text)
    top = beginning(parsed)
    found = [place for keys in _CONTAINERS for place in _within(parsed, top, keys, ())]
    return sorted(found, key=lambda place: place.span)


def _within(parsed: str, start: int, keys: tuple[str, ...], path: tuple[str, ...]) -> Iterator[Place]:
    last: dict[str, Member] = {one.key: one for one in members(parsed, start)}
    if not keys:
        yield from (Place((*path, key), one.value) for key, one in last.items())
        return
    for key, one in last.items():
        if keys[0] in ("*", key):
            yield from _within(parsed, one.value.start, keys[1:], (*path, key))
