"""A line of the client on its way to a remote server, and what matters of it for how it travels."""

import asyncio
from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from middleware.abridge import abridge
from middleware.http.mirrored import is_modern, revision_of
from middleware.messages import id_key
from middleware.parsing import parse

_PIECE = 1 << 17  # bytes that are handed to the connection at a time


class Outgoing:
    """One line: a request, a notification, a response, a batch of them, or what is no JSON."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        value = parse(abridge(line))
        self.is_json = value is not None
        messages = [message for message in (value if isinstance(value, list) else [value]) if isinstance(message, dict)]
        self._alone = value if isinstance(value, dict) else None
        # Requests that have no answer yet: what makes their ids the same → the id.
        self.asked: dict[object, Any] = {
            id_key(message["id"]): message["id"]
            for message in messages
            if "id" in message and isinstance(message.get("method"), str)
        }
        self.is_request = bool(self.asked)
        self.revision = revision_of(self.message)
        self.is_modern = is_modern(self.revision)
        self.sent = asyncio.Event()  # it is with the network, or will never be
        self.settled = asyncio.Event()  # every request in it has been answered

    @property
    def message(self) -> dict[str, Any]:
        """The message, where the line is one; else {}."""
        return self._alone or {}

    @property
    def method(self) -> object:
        """The message's method, None where it has none."""
        return self.message.get("method")

    @property
    def params(self) -> dict[str, Any]:
        """The message's params, {} where it has none."""
        params = self.message.get("params")
        return params if isinstance(params, dict) else {}

    def answered(self, message: Any) -> bool:
        """Take note of a message that came back; return whether it answers one of the requests."""
        if not isinstance(message, dict) or "method" in message or not ("result" in message or "error" in message):
            return False
        if self.asked.pop(id_key(message.get("id")), self) is self:
            return False
        if not self.asked:
            self.settled.set()
        return True

    def body(self) -> "Body":
        """Return what is to be sent."""
        return Body(self.line, self.sent)


class Body(Payload):
    """A request's body, which says when the last of it has been handed to the network.

    It goes in pieces: a transport copies what it cannot send at once.
    """

    _default_content_type = "application/json"

    def __init__(self, data: bytes, sent: asyncio.Event) -> None:
        super().__init__(data)
        self._size = len(data)
        self._data = data
        self._sent = sent

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write all of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write all of it; its length is never another than what was announced."""
        del content_length
        view = memoryview(self._data)
        for start in range(0, len(view), _PIECE):
            await writer.write(view[start : start + _PIECE])
        self._sent.set()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text."""
        return self._data.decode(encoding, errors)
