"""Real tools, and odd ones, with intents asked for: schemas stay valid, and calls reach the server as without it."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from middleware.intent import ARGUMENT
from middleware.memory.identity import INTENT_ARGUMENT
from tests.conftest import SHARED
from tests.middleware.listed import arguments_for, listing
from tests.middleware.peer import Peer, call, remembered

SUITE = SHARED / "suites" / "live-mcp-servers" / "servers.jsonl"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PLACE = {"properties": {"x": {"type": "number"}}, "required": ["x"]}
CLOSED = {**CITY, "additionalProperties": False}
# With whether there is room for the argument.
ODD: dict[str, tuple[dict[str, Any], bool]] = {
    "closed": (CLOSED, True),
    "closed in draft 7": ({"$schema": DRAFT_7, **CLOSED}, True),
    "unevaluated": ({**CITY, "unevaluatedProperties": False, "allOf": [{"required": ["city"]}]}, True),
    "without properties": ({"type": "object"}, True),
    "choice": ({"type": "object", "oneOf": [CITY, PLACE]}, True),
    "closed choice": ({"type": "object", "oneOf": [CLOSED, {**PLACE, "additionalProperties": False}]}, False),
    "reference": ({"type": "object", "$ref": "#/$defs/city", "$defs": {"city": CITY}}, True),
    "closed reference": ({"type": "object", "$ref": "#/$defs/city", "$defs": {"city": CLOSED}}, False),
    "hiding reference": (
        {"$schema": DRAFT_7, "type": "object", "$ref": "#/definitions/c", "definitions": {"c": CLOSED}},
        False,
    ),
    "few": ({**CITY, "maxProperties": 1}, False),
    "named": ({**CITY, "propertyNames": {"maxLength": 8}}, False),
    "patterns": ({**CITY, "patternProperties": {"_": {"type": "number"}}}, False),
    "tree": (
        {**CLOSED, "properties": {"city": {}, "below": {"type": "array", "items": {"$ref": "#"}}}},
        False,
    ),
    "marked": ({**CITY, "properties": {"city": {"type": "string", "x-mcp-header": "City"}}}, True),
}


def test_odd_tools(memory_file: Path) -> None:
    definitions = [{"name": name, "inputSchema": schema} for name, (schema, _) in ODD.items()]
    shown = check(memory_file, definitions)
    assert {name for name, tool in shown.items() if INTENT_ARGUMENT in tool["inputSchema"].get("properties", {})} == {
        name for name, (_, has_room) in ODD.items() if has_room
    }


def test_the_tools_of_real_servers(memory_file: Path) -> None:
    if not SUITE.exists():
        pytest.skip("the public suites are not beside this clone")
    definitions: list[dict[str, Any]] = []
    for line in SUITE.read_text().splitlines():
        server = json.loads(line)
        # Behind one server, tools of one name would be one tool.
        definitions += [
            {**tool, "name": f"{len(definitions) + n} {tool['name']}"} for n, tool in enumerate(server["tools"])
        ]
    assert len(definitions) == 296
    shown = check(memory_file, definitions)
    assert all(tool["inputSchema"]["properties"][INTENT_ARGUMENT] == ARGUMENT for tool in shown.values())


def check(memory: Path, definitions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """See that each definition is shown right, and that calls pass right; return what was shown, by name."""
    draw = random.Random(4)
    with Peer(memory, listing(memory.parent, definitions), options=["--intent"]) as peer:
        shown = _shown(peer)
        assert list(shown) == [tool["name"] for tool in definitions]
        expected = []
        for tool in definitions:
            schema, asked = tool["inputSchema"], shown[tool["name"]]["inputSchema"]
            has_it = INTENT_ARGUMENT in asked.get("properties", {})
            if not has_it:
                assert shown[tool["name"]] == tool
            for optional in (False, True):
                arguments = arguments_for(schema, draw, optional=optional)
                items = list(arguments.items())
                items.insert(draw.randint(0, len(items)), (INTENT_ARGUMENT, "to find out"))
                dialects: set[Any] = {validator_for(schema, Draft202012Validator), Draft202012Validator}
                for dialect in dialects:
                    dialect.check_schema(asked)
                    dialect(schema).validate(arguments)
                    dialect(asked).validate(arguments)
                    if has_it:
                        dialect(asked).validate(dict(items))
                without, with_it = (call(1, tool["name"], given) for given in (arguments, dict(items)))
                for sent in (without, with_it):
                    peer.send(sent)
                    assert _reached(peer) == json.dumps(without)
                expected += [(set(arguments), None), (set(arguments), "to find out")]
        peer.finish()
    rows = remembered(memory, "arguments_json, intent")
    assert [(set(json.loads(arguments)), intent) for arguments, intent in rows] == expected
    return shown


def _shown(peer: Peer) -> dict[str, dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        peer.send({"jsonrpc": "2.0", "id": 0, "method": "tools/list", "params": cursor})
        result = peer.message()["result"]
        tools += result["tools"]
        cursor = {"cursor": result["nextCursor"]} if "nextCursor" in result else None
    return {tool["name"]: tool for tool in tools}


def _reached(peer: Peer) -> str:
    return str(peer.message()["result"]["content"][0]["text"])
