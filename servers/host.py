"""Whatever is `Served` as an MCP server: the low-level one, because definitions come from the world, not from code."""

from typing import Any

import anyio
import mcp.types as types
from mcp.server import CacheHint, InitializationOptions, NotificationOptions, Server, ServerRequestContext
from mcp.server.context import HandlerResult
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ServerEvent, ToolsListChanged
from mcp.shared.exceptions import MCPError

from servers.world import Served

# Streams on which one world tells that its tools have changed; a client needs one.
_STREAMS = 1024


class HostedServer(Server):
    """An MCP server for one world, for any number of clients and both protocol eras.

    A call takes effect at once and in one piece, in the order in which calls come; only its answer can be delayed, and
    others overtake it. A refused call is a result with `is_error`; a tool that is not there is a protocol error.
    """

    def __init__(self, served: Served) -> None:
        self._bus = InMemorySubscriptionBus()
        self._streams = 0
        super().__init__(
            served.name,
            version="1",
            on_subscriptions_listen=ListenHandler(self._bus, max_subscriptions=_STREAMS),
            # Tools may change with any call: nobody is to go on with a list from before it.
            cache_hints={"tools/list": CacheHint(ttl_ms=0, scope="private")},
            # The SDK would list the tools anew for each call over HTTP, for headers that no tool here asks for.
            get_tool_input_schema=lambda _: None,
        )
        self._served = served
        self._tools = served.tools
        self.add_request_handler("tools/list", types.PaginatedRequestParams, self._list)
        self.add_request_handler("tools/call", types.CallToolRequestParams, self._call)
        self.add_notification_handler("notifications/initialized", types.NotificationParams, self._tell)

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Say in the handshake that tools change; the SDK's transports ask with no options of their own."""
        told = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(told, experimental_capabilities, extensions)

    async def _list(self, _: ServerRequestContext, __: types.PaginatedRequestParams) -> HandlerResult:
        return {"resultType": "complete", "tools": list(self._served.tools)}

    async def _call(self, _: ServerRequestContext, params: types.CallToolRequestParams) -> HandlerResult:
        names = [tool["name"] for tool in self._served.tools]
        if params.name not in names:
            known = ", ".join(sorted(names))
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:60]!r}; the tools are {known}")
        result = self._served.call(params.name, params.arguments or {})
        tools = self._served.tools
        if tools != self._tools:
            self._tools = tools
            await self._bus.publish(ToolsListChanged())
        if result.lost:
            await anyio.sleep_forever()  # until the client cancels the call, or goes
        if result.delay_s:
            await anyio.sleep(result.delay_s)
        if result.protocol_error is not None:
            raise MCPError(result.protocol_error, result.text)
        answer: dict[str, Any] = {
            "resultType": "complete",
            "content": [{"type": "text", "text": result.text}],
            "isError": result.is_error,
        }
        if result.structured is not None:
            answer["structuredContent"] = result.structured
        return answer

    async def _tell(self, ctx: ServerRequestContext, _: types.NotificationParams) -> None:
        """Tell a client of the handshake era of each change, for as long as its session lasts: then this is cancelled.

        Clients of the modern era ask for it themselves, by `subscriptions/listen`.
        """
        if self._streams >= _STREAMS:
            return
        changed, changes = anyio.create_memory_object_stream[None](1)

        def note(_: ServerEvent) -> None:
            if changed.statistics().current_buffer_used == 0:  # two changes at once are one to tell
                changed.send_nowait(None)

        unsubscribe = self._bus.subscribe(note)
        self._streams += 1
        try:
            async for _nothing in changes:
                await ctx.session.send_tool_list_changed()
        finally:
            self._streams -= 1
            unsubscribe()
            changed.close()
            changes.close()


def server(served: Served) -> HostedServer:
    """Return an MCP server for `served`; `mcp.Client(server(world))` works in memory."""
    return HostedServer(served)
