"""Run by the other environment's Python: list and call with fastmcp's client, and print what it saw as JSON.

python fastmcp_client.py CALLS (URL | COMMAND ARGUMENT...), CALLS being a JSON list of [tool, arguments].
"""

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client  # type: ignore[import-not-found]  # in an environment of its own
from fastmcp.client.transports import StdioTransport  # type: ignore[import-not-found]  # likewise


async def main(calls: list[tuple[str, dict[str, Any]]], target: list[str]) -> None:
    url = target[0].startswith("http://")
    transport: Any = target[0] if url else StdioTransport(command=target[0], args=target[1:], keep_alive=False)
    seen: list[Any] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append([done, total, message])

    async with Client(transport, progress_handler=progress) as client:
        seen += [tool.model_dump(mode="json", by_alias=True) for tool in await client.list_tools()]
        for name, arguments in calls:
            result = await client.call_tool(name, arguments, raise_on_error=False)
            seen.append([result.is_error, [content.model_dump(mode="json") for content in result.content]])
    sys.stdout.write(json.dumps(seen, sort_keys=True, indent=1))


asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2:]))
