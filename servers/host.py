"""Any world as an MCP server. The low-level server, because definitions come from the world and not from handlers."""

import anyio
import mcp.types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from servers.world import World


def server(world: World) -> Server:
    """Return an MCP server for `world`, for both protocol eras; `mcp.Client(server(world))` works in memory.

    A refused call is a result with `is_error`; a tool that does not exist is a protocol error, as the protocol has it.
    """
    names = {tool["name"] for tool in world.tools}

    async def list_tools(_: ServerRequestContext, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool.model_validate(tool) for tool in world.tools])

    async def call_tool(_: ServerRequestContext, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in names:
            known = ", ".join(sorted(names))
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:60]!r}; the tools are {known}")
        result = world.call(params.name, params.arguments or {})
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=result.text)],
            structured_content=result.structured,
            is_error=result.is_error,
        )

    return Server(world.name, version="1", on_list_tools=list_tools, on_call_tool=call_tool)


def serve_stdio(world: World) -> None:
    """Serve `world` on standard input and output until the client closes them."""

    async def run() -> None:
        mcp_server = server(world)
        async with stdio_server() as (read, write):
            await mcp_server.run(read, write, mcp_server.create_initialization_options())

    anyio.run(run)
