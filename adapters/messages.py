"""One shape of message, tool and reply for all backends, and of a demonstration inside a prompt.

A demonstration travels as one line of JSON in the system message. JSON because the line may quote text that
somebody else wrote: it cannot break out of its string, and a line that is not such an object is not read as one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class ToolCall:
    """What a model asks for: a tool's name and its arguments."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True)
class Message:
    """One turn. A `tool` message answers the call with `tool_call_id`; `is_error` is the MCP result's flag."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    is_error: bool = False


@dataclass(frozen=True)
class ToolSpec:
    """A tool as a model sees it; `input_schema` is JSON Schema."""

    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    """Tokens of one reply, as the backend counts them."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Reply:
    """What a backend answered: text, calls, or both."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Options:
    """How to generate: `max_tokens` of output, sampling `temperature` and the backend's `seed`."""

    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class Demonstration:
    """A remembered request and the calls that served it."""

    query: str
    calls: tuple[ToolCall, ...]


def demonstration_line(demonstration: Demonstration) -> str:
    """Return `demonstration` as one line of JSON, `{"request": ..., "calls": [{"name", "arguments"}]}`."""
    calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in demonstration.calls]
    return json.dumps({"request": demonstration.query, "calls": calls}, ensure_ascii=False)


def demonstrations_in(text: str) -> list[Demonstration]:
    """Return the demonstrations whose lines stand in `text`, in order; other lines are passed over."""
    found = []
    # Not splitlines: JSON leaves U+0085 and U+2028 as they are, and what follows one inside a string is no line.
    for line in text.split("\n"):
        if not line.startswith('{"request"'):
            continue
        try:
            row = json.loads(line)
            calls = tuple(ToolCall(str(call["name"]), dict(call["arguments"])) for call in row["calls"])
            found.append(Demonstration(str(row["request"]), calls))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def hints_in(description: str) -> tuple[str, list[dict[str, Any]]]:
    """Return a tool's description without its hints, and the hints: lines of JSON, each a good call's arguments."""
    text, hints = [], []
    for line in description.split("\n"):
        try:
            row = json.loads(line) if line.startswith("{") else None
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            hints.append(row)
        else:
            text.append(line)
    return "\n".join(text), hints


def failures_in(messages: Sequence[Message]) -> list[tuple[ToolCall, str]]:
    """Return the calls whose result was an error, each with the error's text, in order."""
    made = {call.id: call for message in messages for call in message.tool_calls}
    return [(made[m.tool_call_id], m.content) for m in messages if m.is_error and m.tool_call_id in made]


def system_text(messages: Sequence[Message]) -> str:
    """Return the system messages' text, joined by line breaks."""
    return "\n".join(message.content for message in messages if message.role == "system")


def required_arguments(tool: ToolSpec) -> frozenset[str]:
    """Return the names of the arguments that `tool` says it needs; what is no list of names says nothing."""
    required = tool.input_schema.get("required")
    names = required if isinstance(required, list | tuple) else ()
    return frozenset(name for name in names if isinstance(name, str))


def argument_schemas(tool: ToolSpec) -> dict[str, Mapping[str, Any]]:
    """Return the schema of each argument of `tool` by name; `true` and other shorthands count as an empty one."""
    properties = tool.input_schema.get("properties")
    given = properties.items() if isinstance(properties, Mapping) else ()
    return {name: schema if isinstance(schema, Mapping) else {} for name, schema in given}
