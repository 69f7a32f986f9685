"""The smallest MCP client: connect to a server's command, list its tools, call one.

python examples/ask.py --tool NAME --arguments JSON -- COMMAND...
"""

import argparse
import asyncio
import json
import os

from mcp import Client, StdioServerParameters


async def ask(command: list[str], tool: str, arguments: dict[str, object]) -> None:
    """Print the server's tools, then what `tool` answers."""
    # A client passes on only what it must of its environment; the relay needs to know which memory to use.
    environment = {name: os.environ[name] for name in ("PATH", "PRACTICUM_MEMORY") if name in os.environ}
    server = StdioServerParameters(command=command[0], args=command[1:], env=environment)
    async with Client(server) as client:
        for found in (await client.list_tools()).tools:
            print(f"{found.name}: {found.description}")
        result = await client.call_tool(tool, arguments)
        print()
        print("refused:" if result.is_error else "answered:")
        for part in result.content:
            print(getattr(part, "text", part.type))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--arguments", type=json.loads, default={})
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    asyncio.run(ask(options.command, options.tool, options.arguments))
