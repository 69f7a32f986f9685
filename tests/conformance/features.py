"""Use every feature in which a server speaks to its client, and write down what is seen.

One function a feature; what it returns is compared with what a client sees that stands before the server itself.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import mcp_types as t
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_to_notification
from pydantic import FileUrl

from tests.conformance.fixture.content import WATCHED
from tests.conformance.places import ROOT, Target

Mode = Literal["auto", "legacy"]
FEATURE_S = 30.0
# How long a change is waited for before it is made again: over HTTP the older era's stream for such news opens in the
# background, and what happens before that is told to nobody.
AGAIN_S = 0.5


class Seen:
    """A client of the fixture with all that its callbacks were told."""

    def __init__(self, client: Client, mode: Mode, news: MemoryObjectReceiveStream[tuple[str, Any]]) -> None:
        self.client = client
        self.mode = mode
        self.news = news
        self.asked: list[Any] = []

    async def said(self, name: str, **arguments: Any) -> str:
        """Call a tool and return its text."""
        result = await self.client.call_tool(name, arguments)
        assert not result.is_error, result
        (content,) = result.content
        assert isinstance(content, t.TextContent), content
        return content.text

    async def next_news(self, kind: str) -> Any:
        """Return the next thing of this kind that the client was told, passing over the rest."""
        while True:
            got, what = await self.news.receive()
            if got == kind:
                return what


async def handshake(seen: Seen) -> Any:
    client = seen.client
    return [
        client.protocol_version,
        client.server_info,
        client.instructions,
        client.server_capabilities.model_dump(exclude_none=True),
    ]


async def lists(seen: Seen) -> Any:
    client = seen.client
    found = [await client.list_tools(), await client.list_prompts(), await client.list_resources()]
    return [result.model_dump(by_alias=True) for result in (*found, await client.list_resource_templates())]


async def reading(seen: Seen) -> Any:
    uris = ["test://static-text", "test://static-binary", "test://template/näh/data"]
    found = [(await seen.client.read_resource(uri)).model_dump() for uri in uris]
    prompt = await seen.client.get_prompt("test_prompt_with_arguments", {"arg1": "größer", "arg2": "\u2028"})
    return [*found, prompt.model_dump()]


async def refusals(seen: Seen) -> Any:
    found: list[Any] = []
    for attempt in (
        lambda: seen.client.call_tool("no such tool"),
        lambda: seen.client.read_resource("test://nothing"),
        lambda: seen.client.get_prompt("no such prompt"),
    ):
        try:
            await attempt()
        except MCPError as error:
            found.append((error.code, error.message, error.data))
    failed = await seen.client.call_tool("test_error_handling")
    return [*found, failed.model_dump()]


async def progress(seen: Seen) -> Any:
    found: list[Any] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        found.append((progress, total, message))

    await seen.client.call_tool("test_tool_with_progress", progress_callback=note)
    return found


async def logging(seen: Seen) -> Any:
    if seen.mode == "legacy":
        await seen.client.set_logging_level("info")
    said = await seen.said("test_tool_with_logging")
    return [said, *[await seen.next_news("log") for _ in range(3)]]


async def completion(seen: Seen) -> Any:
    reference = t.PromptReference(name="test_prompt_with_arguments")
    result = await seen.client.complete(reference, {"name": "arg1", "value": "park"})
    return result.completion.model_dump()


async def questions(seen: Seen) -> Any:
    """Sampling, elicitation and roots, one by one, all at once, and one after the other."""
    said = [
        await seen.said("test_sampling", prompt="Wer weiß?"),
        await seen.said("test_elicitation", message="Who?"),
        await seen.said("test_input_required_result_list_roots"),
        await seen.said("test_input_required_result_multiple_inputs"),
        await seen.said("test_input_required_result_multi_round"),
    ]
    return [*said, *sorted(seen.asked)]


async def list_changed(seen: Seen) -> Any:
    client = seen.client
    found = []
    for kind, tool in (("tools", "test_trigger_tool_change"), ("prompts", "test_trigger_prompt_change")):
        if seen.mode == "legacy":
            found.append(await _changed(seen, tool, f"notifications/{kind}/list_changed"))
        else:
            async with client.listen(
                tools_list_changed=kind == "tools", prompts_list_changed=kind == "prompts"
            ) as events:
                await seen.said(tool)
                found.append(event_to_notification(await anext(events), {}).method)
    return found


async def subscription(seen: Seen) -> Any:
    method = "notifications/resources/updated"
    if seen.mode == "legacy":
        await seen.client.subscribe_resource(WATCHED)
        heard = await _changed(seen, "test_trigger_resource_change", method)
        await seen.client.unsubscribe_resource(WATCHED)
        return heard
    async with seen.client.listen(resource_subscriptions=[WATCHED]) as events:
        await seen.said("test_trigger_resource_change")
        return event_to_notification(await anext(events), {}).method


async def cancellation(seen: Seen) -> Any:
    """A call that has begun is cancelled; the server says when it has noticed."""
    with anyio.CancelScope() as scope:

        async def begun(progress: float, total: float | None, message: str | None) -> None:
            scope.cancel()

        await seen.client.call_tool("test_waiting", progress_callback=begun)
    return [scope.cancelled_caught, await seen.said("test_cancellation")]


async def ping(seen: Seen) -> Any:
    return (await seen.client.send_ping()).model_dump() if seen.mode == "legacy" else None


FEATURES: dict[str, Callable[[Seen], Awaitable[Any]]] = {
    function.__name__: function
    for function in (
        handshake,
        lists,
        reading,
        refusals,
        progress,
        logging,
        completion,
        questions,
        list_changed,
        subscription,
        cancellation,
        ping,
    )
}


async def observe(target: Target, mode: Mode) -> dict[str, Any]:
    """Return what a client of this kind sees of each feature, or how that failed."""
    found: dict[str, Any] = {}
    async with connected(target, mode) as seen:
        for name, feature in FEATURES.items():
            try:
                with anyio.fail_after(FEATURE_S):
                    found[name] = await feature(seen)
            except (MCPError, TimeoutError, AssertionError) as error:
                found[name] = f"failed: {error!r}"
    return found


def parameters(target: Target, environment: Mapping[str, str] | None = None) -> str | StdioServerParameters:
    """Return what the SDK's client takes for `target`."""
    if isinstance(target, str):
        return target
    return StdioServerParameters(command=target[0], args=target[1:], cwd=ROOT, env=dict(environment or {}))


@asynccontextmanager
async def connected(target: Target, mode: Mode) -> AsyncIterator[Seen]:
    """Connect a client that answers whatever it is asked."""
    send, receive = anyio.create_memory_object_stream[tuple[str, Any]](1000)
    asked: list[Any] = []

    async def elicit(context: ClientRequestContext, params: t.ElicitRequestParams) -> t.ElicitResult:
        asked.append(f"elicitation: {params.message}")
        return t.ElicitResult(action="accept", content={"name": "Jürgen", "color": "blau"})

    async def sample(context: ClientRequestContext, params: t.CreateMessageRequestParams) -> t.CreateMessageResult:
        asked.append(f"sampling: {[message.model_dump_json() for message in params.messages]} {params.max_tokens}")
        return t.CreateMessageResult(role="assistant", content=t.TextContent(text="Ich"), model="test")

    async def roots(context: ClientRequestContext) -> t.ListRootsResult:
        asked.append("roots")
        return t.ListRootsResult(roots=[t.Root(uri=FileUrl("file:///tmp/w%C3%BCrzel"), name="Würzel")])

    client = Client(
        parameters(target),
        mode=mode,
        log_level="info" if mode == "auto" else None,
        elicitation_callback=elicit,
        sampling_callback=sample,
        list_roots_callback=roots,
        logging_callback=_noting_logs(send),
        message_handler=_noting_messages(send),
    )
    async with send, receive, client:
        seen = Seen(client, mode, receive)
        seen.asked = asked
        yield seen


async def _changed(seen: Seen, tool: str, method: str) -> str:
    while True:
        await seen.said(tool)
        with anyio.move_on_after(AGAIN_S):
            return str(await seen.next_news(method) or method)


def _noting_logs(send: MemoryObjectSendStream[tuple[str, Any]]) -> Any:
    async def note(params: t.LoggingMessageNotificationParams) -> None:
        send.send_nowait(("log", (params.level, params.data)))

    return note


def _noting_messages(send: MemoryObjectSendStream[tuple[str, Any]]) -> Any:
    async def note(message: Any) -> None:
        if method := getattr(message, "method", None):
            send.send_nowait((method, None))

    return note
