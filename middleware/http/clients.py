"""What a client that has no session is known by, as well as one can."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from middleware.messages import META_CLIENT_INFO, at


def client_of(request: web.BaseRequest, messages: Iterable[Mapping[str, Any]]) -> tuple[str | None, ...]:
    """Return what tells the client that sent `messages` in `request` from others."""
    info: Any = None
    for message in messages:
        info = at(message, ("params", "_meta", META_CLIENT_INFO)) or info
    return request.remote, request.headers.get("User-Agent"), json.dumps(info, sort_keys=True)
