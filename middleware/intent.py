"""Asks models what a call is for: an optional argument is declared in each tool's input schema, and taken out of calls
before they go on, so that the server sees what it would have seen without it.

What a model says there is the query that clients do not tell (docs/decisions/0015-intent.md).
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from middleware.abridge import LONG
from middleware.edits import messages_in
from middleware.memory.identity import INTENT_ARGUMENT
from middleware.messages import at
from middleware.parsing import parse
from middleware.room import has_room, mentions
from middleware.splice import STRING, Edit, Span, apply, decode, encode, member, members, without

_ADDED_BY = "(Added by Practicum.)"
ARGUMENT = {
    "type": "string",
    "description": "The user's request in one sentence, the same in every call for it; no secrets or personal data. "
    + _ADDED_BY,
}
_NAME = INTENT_ARGUMENT.encode()
_ESCAPES = (rb"\u005", rb"\u006", rb"\u007")  # the name could be spelled with these; no encoder does that to letters
_TOLD = re.compile(rb'"%s"[ \t\r\n]*+:[ \t\r\n]*+%s' % (_NAME, STRING.encode()), re.DOTALL)
_BLANKS = b" \t\r\n"
_declared = json.dumps(ARGUMENT)


class Intents:
    """The argument in the tools and calls of one server. Relays of one server share it: what they list, all know."""

    def __init__(self) -> None:
        # Tools with an argument of this name that is not ours: the server's, or added by a relay behind us.
        self._of_server: set[str] = set()
        self._of_relay: set[str] = set()

    def declare(self, text: str, tool: Span, definition: dict[str, Any]) -> Iterator[Edit]:
        """Yield the edits that declare the argument, none for a tool whose schema has no room or names it already."""
        schema = definition.get("inputSchema", True)
        if self._is_named(definition):
            return
        if schema is True:
            whole = f'{{"type":"object","properties":{{"{INTENT_ARGUMENT}":{_declared}}}}}'
            span = member(text, tool.start, "inputSchema")
            yield _first(text, tool, f'"inputSchema":{whole}') if span is None else Edit(*span, whole)
        elif has_room(schema):
            yield from _in_properties(text, tool)

    def note(self, _text: str, _tool: Span, definition: dict[str, Any]) -> Iterable[Edit]:
        """Learn from a definition whose argument it is, as `declare` does, and declare nothing."""
        self._is_named(definition)
        return ()

    def _is_named(self, definition: dict[str, Any]) -> bool:
        """Note whose the argument is in this tool; whether its schema names one already, or it has no name itself."""
        name, schema = definition.get("name"), definition.get("inputSchema", True)
        if not isinstance(name, str):
            return True
        self._of_server.discard(name)
        self._of_relay.discard(name)
        if not mentions(schema, INTENT_ARGUMENT):
            return False
        (self._of_relay if _is_added(schema) else self._of_server).add(name)
        return True

    def strip(self, data: bytes) -> bytes:
        """Return the message `data` from a client without the argument in its calls."""
        has_escapes = any(escape in data for escape in _ESCAPES)
        if _NAME not in data and not has_escapes:
            return data
        kept = self._of_server | self._of_relay
        if len(data) <= LONG and not has_escapes and data.count(_NAME) == 1:
            short = _without_one(data, kept)
            if short is not None:
                return short
        try:
            text = decode(data)
            edits = [edit for message in messages_in(text) for edit in _taken_out(text, message, kept)]
        except (ValueError, RecursionError):
            return data  # no JSON
        return encode(apply(text, edits)) if edits else data

    def take(self, params: dict[str, Any]) -> str | None:
        """Take the argument out of the `params` of a call as it came; return what it says, None when that is nothing.

        It stays in calls of a tool whose own argument it is.
        """
        arguments = params.get("arguments")
        if not isinstance(arguments, dict) or _is_in(params.get("name"), self._of_server):
            return None
        said = arguments.pop(INTENT_ARGUMENT, None)
        return said.strip() or None if isinstance(said, str) else None


def _is_added(schema: Any) -> bool:
    """Whether it was a relay that put the argument into this schema."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    argument = properties.get(INTENT_ARGUMENT) if isinstance(properties, dict) else None
    return isinstance(argument, dict) and str(argument.get("description")).endswith(_ADDED_BY)


def _in_properties(text: str, tool: Span) -> Iterator[Edit]:
    schema = member(text, tool.start, "inputSchema")
    if schema is None:
        return
    properties = member(text, schema.start, "properties")
    declaration = f'"{INTENT_ARGUMENT}":{_declared}'
    if properties is None:
        yield _first(text, schema, f'"properties":{{{declaration}}}')
        return
    # The last one, so that models read the tool's own arguments first.
    ends = [one.value.end for one in members(text, properties.start)]
    yield Edit(ends[-1], ends[-1], f", {declaration}") if ends else Edit(*properties, f"{{{declaration}}}")


def _first(text: str, container: Span, addition: str) -> Edit:
    """Return the edit that makes `addition` the first member of an object."""
    comma = "," if any(members(text, container.start)) else ""
    return Edit(container.start + 1, container.start + 1, addition + comma)


def _without_one(data: bytes, kept: Collection[str]) -> bytes | None:
    """Return what `Intents.strip` does for the usual call, in which the name stands once; None for other messages.

    If it is read among the arguments, it stands nowhere else, so what is around it need not be walked through: that
    takes a fraction of the time.
    """
    message = parse(data)
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return None
    arguments = at(message, ("params", "arguments"))
    told = _TOLD.search(data)
    if not isinstance(arguments, dict) or INTENT_ARGUMENT not in arguments or told is None:
        return None
    if _is_in(at(message, ("params", "name")), kept):
        return data
    before, after = data[: told.start()].rstrip(_BLANKS), data[told.end() :]
    if before.endswith(b","):
        return before[:-1].rstrip(_BLANKS) + after
    after = after.lstrip(_BLANKS)
    if after.startswith(b","):
        return data[: told.start()] + after[1:].lstrip(_BLANKS)
    return before + after


def _taken_out(text: str, message: int, kept: Collection[str]) -> Iterator[Edit]:
    method, all_params = _find(text, message, "method", "params")
    if _last(text, method) != "tools/call":
        return
    for params in all_params:
        name, all_arguments = _find(text, params.start, "name", "arguments")
        if not _is_in(_last(text, name), kept):
            for arguments in all_arguments:
                yield from without(text, arguments.start, INTENT_ARGUMENT)


def _find(text: str, start: int, *keys: str) -> list[list[Span]]:
    """Return where the values of each key lie in the object at `start`, in one walk."""
    found: dict[str, list[Span]] = {key: [] for key in keys}
    for one in members(text, start):
        if one.key in found:
            found[one.key].append(one.value)
    return list(found.values())


def _last(text: str, spans: Sequence[Span]) -> Any:
    """Return the value that counts where a member is repeated, None where there is none."""
    return json.loads(text[spans[-1].start : spans[-1].end], strict=False) if spans else None


def _is_in(name: Any, tools: Collection[str]) -> bool:
    return isinstance(name, str) and name in tools
