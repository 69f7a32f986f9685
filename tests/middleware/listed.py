"""A server on stdio with the tools that a file holds, which tells back what reaches it; and arguments for any tool."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.middleware.peer import python

# Lists 50 tools a page, and answers each call with the very line that it came in, in either era.
SERVER = """
import json, sys
tools = json.load(open(sys.argv[1]))
for line in sys.stdin.buffer:
    message = json.loads(line)
    if "id" not in message: continue
    method, params = message["method"], message.get("params") or {}
    more = {"resultType": "complete"} if "_meta" in params else {}
    if method == "initialize":
        result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "listed", "version": "1"}}
    elif method == "tools/list":
        start = int(params.get("cursor", 0))
        result = {"tools": tools[start : start + 50], "ttlMs": 60000, "cacheScope": "public", **more}
        if start + 50 < len(tools): result["nextCursor"] = str(start + 50)
    else:
        result = {"content": [{"type": "text", "text": line.decode().rstrip("\\n")}], **more}
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\\n")
    sys.stdout.buffer.flush()
"""

_TEXTS = ("2026-11-23", "https://example.org/x", "ü \"quoted\" 'text'\n{}", "\\u0061 \U0001f600")


def listing(folder: Path, definitions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the command of a server that lists these tools."""
    file = folder / "tools.json"
    file.write_text(json.dumps(definitions))
    return [*python(SERVER), str(file)]


def arguments_for(schema: Mapping[str, Any], draw: random.Random, *, optional: bool) -> Any:
    """Return a value that fits `schema` as far as real tools go, with or without what is optional."""
    return _value(schema, schema, draw, optional, 0)


def _value(schema: Any, root: Mapping[str, Any], draw: random.Random, optional: bool, depth: int) -> Any:
    if not isinstance(schema, dict):
        return "x"
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].split("/")[1:]:
            found = found[step]
        return _value(found, root, draw, optional and depth < 3, depth + 1)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            chosen = draw.choice([one for one in schema[key] if one != {"not": {}}])
            properties = {**schema.get("properties", {}), **chosen.get("properties", {})}
            merged = {**schema, **chosen, "properties": properties} if properties else {**schema, **chosen}
            return _value({k: v for k, v in merged.items() if k != key}, root, draw, optional, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw.choice(schema["enum"])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = draw.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        required = schema.get("required", [])
        return {
            name: _value(inner, root, draw, optional and depth < 3, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or (optional and draw.random() < 0.7)
        }
    if kind == "array":
        items = schema.get("items", {})
        least = schema.get("minItems", 1 if optional else 0)
        return [_value(items, root, draw, optional and depth < 3, depth + 1) for _ in range(least)]
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return min(least + draw.randrange(3), schema.get("maximum", least + 3))
    if kind == "boolean":
        return draw.random() < 0.5
    return None if kind == "null" else draw.choice(_TEXTS)
