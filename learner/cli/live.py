"""A live MCP server behind the relay, as practice sees it."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.types import CONNECTION_CLOSED, RequestParamsMeta

from adapters.messages import ToolSpec
from learner.errors import PracticeError
from learner.practice import Response


class LiveTools:
    """Calls tools through an MCP client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def behind_relay(
        cls, name: str, command: Sequence[str], memory: Path, environment: Mapping[str, str]
    ) -> AsyncIterator["LiveTools"]:
        """Start `command` behind a relay of our own that records into `memory`, and connect.

        Raises:
            PracticeError: relay or server did not start, or broke off.
        """
        arguments = ["-I", "-m", "learner", "proxy", "--name", name, "--memory", str(memory), "--", *command]
        parameters = StdioServerParameters(command=sys.executable, args=arguments, env=dict(environment))
        try:
            async with Client(parameters) as client:
                yield cls(client)
        except BaseExceptionGroup as group:
            # The client's tasks wrap whatever ends them, ours included.
            error = _first(group)
            if isinstance(error, MCPError | OSError | anyio.ClosedResourceError | anyio.BrokenResourceError):
                raise PracticeError(f"the server {name!r} behind the relay broke off: {error}") from group
            raise error from group
        except (MCPError, OSError) as error:
            raise PracticeError(f"the server {name!r} behind the relay broke off: {error}") from error

    async def specs(self) -> list[ToolSpec]:
        """Return all tools, over all pages."""
        specs: list[ToolSpec] = []
        cursor: str | None = None
        while True:
            page = await self._client.list_tools(cursor=cursor)
            specs += [ToolSpec(tool.name, tool.description or "", tool.input_schema) for tool in page.tools]
            cursor = page.next_cursor
            if not cursor:
                return specs

    async def call(self, name: str, arguments: Mapping[str, Any], meta: Mapping[str, Any]) -> Response:
        """Call a tool; a JSON-RPC error is a response like any other: the model gets its words.

        Raises:
            MCPError: there is nobody left to call.
        """
        try:
            result = await self._client.call_tool(name, dict(arguments), meta=cast(RequestParamsMeta, dict(meta)))
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise
            return Response(str(error), is_error=True)
        text = "\n".join(part.text for part in result.content if part.type == "text")
        return Response(text, is_error=bool(result.is_error))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in `group` that is no group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
