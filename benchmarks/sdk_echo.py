"""The same server as `benchmarks.echo`, made with the MCP SDK, as most servers are: with its own milliseconds.

python -m benchmarks.sdk_echo stdio
python -m benchmarks.sdk_echo http PORT
"""

import asyncio
import sys

from mcp.server import MCPServer

server = MCPServer("echo", version="1", log_level="ERROR")


@server.tool(structured_output=False)
async def echo(text: str, times: int = 1, delay_ms: float = 0) -> str:
    """Say it again."""
    await asyncio.sleep(delay_ms / 1000)
    return str(len(text)) if len(text) > 1_000_000 else text * times


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
