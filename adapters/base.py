"""What every model backend is: one method."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from adapters.messages import Message, Options, Reply, ToolSpec


class ChatModel(ABC):
    """A model that answers messages and may call tools. `name` is what evaluations are filed under."""

    name: str = ""

    @abstractmethod
    def generate(self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options) -> Reply:
        """Return the next reply to `messages`, which may call any of `tools`.

        Raises:
            AdapterError: the backend could not answer.
        """

    def close(self) -> None:  # noqa: B027 - most backends hold nothing
        """Give back what the backend holds."""
