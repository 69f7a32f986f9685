"""A simulated server on the SDK's stdio transport in place of ours: what ours gains.

python -m benchmarks.sdk_stdio NAME SEED
"""

import sys

import anyio
from mcp.server.stdio import stdio_server

from servers import registry
from servers.host import server


async def main(name: str, seed: int) -> None:
    hosted = server(registry.load(name).world(seed))
    async with stdio_server() as (read, write):
        await hosted.run(read, write, hosted.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], int(sys.argv[2]))
