"""The client that the suite runs against its own servers: it uses whatever a server offers, once, and ends.

    python -m tests.conformance.client PLACE MEMORY URL

PLACE is where it stands: "http" goes to the URL itself; "stdio-url" and "http-url" go through a relay. The suite
appends the URL, and names the revision and, for some scenarios, the calls it wants in the environment.
"""

import json
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import mcp_types as t
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from tests.conformance.features import parameters
from tests.conformance.places import Target, before


async def accept(context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
    """Accept every form as it is filled in already."""
    properties = params.requested_schema.get("properties", {}) if isinstance(params, t.ElicitRequestFormParams) else {}
    content = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    return t.ElicitResult(action="accept", content=content)


def arguments_for(tool: t.Tool, tools: list[t.Tool]) -> list[dict[str, Any]]:
    """Return the arguments of each call of `tool` that the scenarios want; mostly one call without any."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    if wanted := [call["arguments"] for call in context.get("toolCalls", []) if call["name"] == tool.name]:
        return wanted
    if tool.name == "json_schema_echo":
        return [{"schema": other.input_schema} for other in tools if other.name != tool.name]
    numbers = {
        name: 5 for name, schema in tool.input_schema.get("properties", {}).items() if schema.get("type") == "number"
    }
    return [numbers]


async def use(target: Target, mode: str) -> None:
    """Use everything that the server at `target` offers."""
    async with Client(parameters(target), mode=mode, elicitation_callback=accept) as client:
        can = client.server_capabilities
        if can.tools is not None:
            tools = (await client.list_tools()).tools
            for tool in tools:
                for arguments in arguments_for(tool, tools):
                    # Some scenarios answer with what is no valid result; that is theirs to judge.
                    with suppress(MCPError, ValidationError):
                        await client.call_tool(tool.name, arguments)
        if can.resources is not None:
            for resource in (await client.list_resources()).resources:
                await client.read_resource(str(resource.uri))
        if can.prompts is not None:
            for prompt in (await client.list_prompts()).prompts:
                await client.get_prompt(prompt.name, {argument.name: "x" for argument in prompt.arguments or []})


def main() -> None:
    """Read the command line and use the server."""
    place, memory, url = sys.argv[1:]
    legacy = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION") != "2026-07-28"
    with before(url, place, Path(memory)) as target:
        anyio.run(partial(use, target, "legacy" if legacy else "auto"))


if __name__ == "__main__":
    main()
