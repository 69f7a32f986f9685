"""What a client gets for a request that goes no further."""

import json

from aiohttp import web

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020


def refusal(status: int, code: int, words: str, identifier: object = None) -> web.Response:
    """Return a response with this HTTP status and a JSON-RPC error."""
    error = {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": words}}
    return web.Response(status=status, body=json.dumps(error).encode(), content_type="application/json")
