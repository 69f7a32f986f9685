"""What a remote server sends back: bodies and event streams, read within bounds, and refusals put into words."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from io import BytesIO
from typing import Any

import aiohttp

from middleware.errors import UpstreamError
from middleware.http.events import Event, EventReader
from middleware.http.upstream import Upstream, shown_url
from middleware.lane import LINE_LIMIT
from middleware.parsing import parse

_REFUSAL_LIMIT = 1 << 20  # bytes of a refusal that are read


async def body_of(upstream: Upstream, response: aiohttp.ClientResponse, limit: int = LINE_LIMIT) -> bytes:
    """Return the body of a response, with a newline behind it.

    Raises:
        UpstreamError: it broke off, or is longer than `limit` bytes.
    """
    body = BytesIO()  # which hands its bytes out without copying them
    try:
        async for chunk in response.content.iter_any():
            if body.tell() + len(chunk) > limit:
                response.close()
                raise UpstreamError(f"{_at(upstream)} sent a message above {limit >> 20} MiB, which is left out")
            body.write(chunk)
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamError(f"{_at(upstream)} broke off its answer; try again") from error
    body.write(b"\n")
    return body.getvalue()


class Stream:
    """An event stream, which may go on over several responses."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.last_id: str | None = None
        self.retry_s: float | None = None  # what the server asks us to wait before we come again
        self.came = False  # whether the last response brought anything

    async def events(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """Yield the data of each event that has some, until the response ends, however it does.

        Raises:
            UpstreamError: an event is too long.
        """
        reader = EventReader()
        self.came = False
        size = 0
        try:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                # Taken out of the reader before they go on: a long one would be held there too meanwhile.
                found = [self._noted(event) for event in reader.feed(chunk, whole=False) if event.ends]
                size = 0 if found else size
                for data in found:
                    if data:
                        yield data
                if size > LINE_LIMIT:
                    response.close()
                    raise UpstreamError(f"{_at(self._upstream)} sent an event above {LINE_LIMIT >> 20} MiB")
        except (aiohttp.ClientError, OSError):
            return  # the connection is gone; whether anything is missing, the caller knows

    def _noted(self, event: Event) -> bytes | None:
        self.came = True
        if event.id is not None:
            # An empty id takes the last one back, and what no header can hold is none.
            self.last_id = event.id if event.id.isprintable() and event.id.isascii() else None
            self.last_id = self.last_id or None
        if event.retry is not None:
            self.retry_s = event.retry / 1000
        return event.data


def succeeded(response: aiohttp.ClientResponse) -> bool:
    """Return whether a response is a success; a redirect that nobody followed is none."""
    return 200 <= response.status < 300


def line_of(data: bytes) -> bytes:
    """Return a message as a line: JSON may hold newlines between its tokens, a line may not."""
    if data.count(b"\n") == 1 and data.endswith(b"\n"):
        return data
    return data.rstrip(b"\n").replace(b"\n", b" ") + b"\n"


async def refusal(upstream: Upstream, response: aiohttp.ClientResponse) -> tuple[dict[str, Any] | None, str]:
    """Return why a response is no success: the JSON-RPC error in its body, if there is one, and words of our own."""
    try:
        value = parse(await body_of(upstream, response, _REFUSAL_LIMIT))
    except UpstreamError:
        value = None
    status = response.status
    is_error = isinstance(value, dict) and isinstance(value.get("error"), dict) and status != HTTPStatus.UNAUTHORIZED
    return value if is_error else None, f"{_at(upstream)} {_said(upstream, response)}"


def not_mcp(upstream: Upstream, response: aiohttp.ClientResponse) -> str:
    """Return the words for a success that is no answer."""
    if response.status == HTTPStatus.ACCEPTED:
        return f"{_at(upstream)} took the request but gave no answer; try again"
    kind = response.content_type.partition(";")[0][:80]
    return f"{_at(upstream)} answered with {kind}, which is no MCP; check its URL"


def malformed(upstream: Upstream) -> str:
    """Return the words for an answer that cannot be read."""
    return f"{_at(upstream)} sent an answer that is no JSON; check its URL, or look into the server's log"


def broken_off(upstream: Upstream) -> str:
    """Return the words for a stream that ended too early."""
    return f"{_at(upstream)} closed the stream before it answered; try again"


def _at(upstream: Upstream) -> str:
    return f"the server {upstream.name!r} at {upstream.shown}"


def _said(upstream: Upstream, response: aiohttp.ClientResponse) -> str:
    status = response.status
    try:
        said = f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        said = f"HTTP {status}"
    if status in (401, 403):
        if upstream.headers:
            names = ", ".join(f"--header {name}" for name in upstream.headers)
            return f"refused us ({said}); check the value behind {names}"
        return f"refused us ({said}); give it what it asks for, as with --header Authorization=VARIABLE"
    if 300 <= status < 400 and "Location" in response.headers:
        return (
            f"sends us on to {shown_url(response.headers['Location'])} ({said}); if that is right, give it with --url"
        )
    if status in (429, 503):
        return f"has no time now ({said}); try again later"
    if status >= 500:
        return f"failed ({said}); try again, or look into the server's log"
    return f"refused the message ({said}); check its URL"
