"""JSON-RPC and MCP as far as the relay has to speak them: the few messages that it says itself, the names and codes in
them, and which ids are the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from middleware.parsing import spell

# JSON-RPC's codes, MCP's own, and ours.
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020
SERVER_ENDED = -32000
TIMED_OUT = -32001

# What stands in `_meta` from 2026-07-28 on.
META_PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
META_CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"


def id_key(identifier: object) -> object:
    """Return what makes two JSON-RPC ids the same: 1 and 1.0 are, 1 and "1", or 1 and true, are not."""
    if isinstance(identifier, int | float) and not isinstance(identifier, bool):
        return identifier
    return spell(identifier)


def at(message: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return the value at `path`, None where there is none."""
    value: Any = message
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def error_answer(identifier: object, code: int, words: str) -> bytes:
    """Return an answer of our own to a request, as a line."""
    return _line({"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": words}})


def cancellation(identifier: object, reason: str) -> bytes:
    """Return the notification that nobody waits for the answer to a request any more, as a line."""
    params = {"requestId": identifier, "reason": reason}
    return _line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def list_changed(params: Mapping[str, Any] | None = None) -> bytes:
    """Return the notification that `tools/list` has changed, as a line."""
    message = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    return _line(message if params is None else {**message, "params": params})


def list_changed_for(subscription: object) -> bytes:
    """Return the same for one subscription, by its id: from 2026-07-28 on."""
    return list_changed({"_meta": {META_SUBSCRIPTION_ID: subscription}})


def _line(message: Mapping[str, Any]) -> bytes:
    return spell(message).encode() + b"\n"
