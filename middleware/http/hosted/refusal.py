"""What a client gets for a request that goes no further."""

from aiohttp import web

from middleware.messages import error_answer


def refusal(status: int, code: int, words: str, identifier: object = None) -> web.Response:
    """Return a response with this HTTP status and a JSON-RPC error."""
    return web.Response(
        status=status, body=error_answer(identifier, code, words).rstrip(), content_type="application/json"
    )
