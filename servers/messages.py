"""A client's bytes as a message, or the error that answers them: for whatever transport brings them."""

from typing import Any

import mcp.types as types
from pydantic import ValidationError
from pydantic_core import from_json

MESSAGE_LIMIT = 4 << 20  # bytes, what the SDK takes over HTTP


class MessageError(Exception):
    """Bytes are no message; `answer` is what to tell who sent them."""

    def __init__(self, code: int, text: str, identifier: str | int | None = None) -> None:
        super().__init__(text)
        error = types.ErrorData(code=code, message=text)
        self.answer = types.JSONRPCError(jsonrpc="2.0", id=identifier, error=error)


def read_message(data: bytes) -> types.JSONRPCMessage:
    """Return the message in `data`.

    Raises:
        MessageError: it is longer than `MESSAGE_LIMIT`, not JSON, or not one message of JSON-RPC 2.0. Batches are not:
            the protocol had them in one revision only.
    """
    if len(data) > MESSAGE_LIMIT:
        raise MessageError(types.INVALID_REQUEST, f"Invalid request: a message may have {MESSAGE_LIMIT} bytes")
    try:
        # What only looks like JSON (NaN, half a character, lone surrogates) could be read, but not be written again.
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise MessageError(types.PARSE_ERROR, f"Parse error: this is not JSON: {error}"[:200]) from None
    if not isinstance(value, dict):
        raise MessageError(types.INVALID_REQUEST, "Invalid request: a message is one JSON object, and not a batch")
    identifier = value.get("id")
    # The models ignore what they do not know, so a request whose id is malformed would pass for a notification.
    if "method" in value and "id" in value and not _identifies(identifier):
        raise MessageError(types.INVALID_REQUEST, "Invalid request: 'id' must be a string or an integer")
    try:
        return types.jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError:
        raise MessageError(
            types.INVALID_REQUEST,
            "Invalid request: a request has 'jsonrpc': '2.0', an 'id', a 'method' and, where it has any, 'params' that "
            "are an object",
            identifier if _identifies(identifier) else None,
        ) from None


def _identifies(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
