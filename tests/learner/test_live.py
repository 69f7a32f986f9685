import sys
from pathlib import Path

import anyio
import pytest

from learner.cli.live import LiveTools
from learner.errors import PracticeError
from middleware.memory.store import Memory

SERVER = """
import os, sys
import anyio
import mcp.types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

async def list_tools(context, params):
    return types.ListToolsResult(tools=[types.Tool(name=name, input_schema={"type": "object"}) for name in "ab"])

async def call_tool(context, params):
    if params.name == "b":
        os._exit(3)
    text = types.TextContent(type="text", text="wrong")
    return types.CallToolResult(content=[text], is_error=True)

async def main():
    server = Server("toy", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())

anyio.run(main)
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def use(memory: Path) -> None:
    async with LiveTools.behind_relay("toy", [sys.executable, "-c", SERVER], memory, {}) as tools:
        assert [spec.name for spec in await tools.specs()] == ["a", "b"]
        refused = await tools.call("a", {}, {})
        assert (refused.text, refused.is_error) == ("wrong", True)
        await tools.call("b", {}, {})


@pytest.mark.anyio
async def test_a_refusal_is_a_response_and_a_server_that_dies_ends_practice(memory_file: Path) -> None:
    with anyio.fail_after(90), pytest.raises(PracticeError, match="'toy' behind the relay broke off"):
        await use(memory_file)
    with Memory(memory_file) as memory:
        assert [(call.tool_name, call.outcome) for call in memory.calls()] == [("b", "no_answer"), ("a", "tool_error")]


@pytest.mark.anyio
async def test_a_server_that_does_not_start_is_named(memory_file: Path) -> None:
    with anyio.fail_after(90), pytest.raises(PracticeError, match="'none' behind the relay broke off"):
        async with LiveTools.behind_relay("none", ["/no/such/command"], memory_file, {}):
            pass
