"""Replies from a list or a function: what tests, documentation and benchmarks run on."""

from collections.abc import Callable, Iterable, Sequence

from adapters.base import ChatModel
from adapters.errors import AdapterError
from adapters.messages import Message, Options, Reply, ToolSpec

Script = Callable[[Sequence[Message], Sequence[ToolSpec]], Reply]


class ScriptedModel(ChatModel):
    """Answers with the next of `replies`, or with what `replies(messages, tools)` returns."""

    name = "scripted"

    def __init__(self, replies: Iterable[Reply] | Script) -> None:
        self._function = replies if callable(replies) else None
        self._replies = iter(()) if callable(replies) else iter(replies)

    def generate(self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options) -> Reply:  # noqa: ARG002
        """Return the script's next reply.

        Raises:
            AdapterError: the script has ended.
        """
        if self._function is not None:
            return self._function(messages, tools)
        for reply in self._replies:
            return reply
        raise AdapterError("the script has no further reply; give it one more")
