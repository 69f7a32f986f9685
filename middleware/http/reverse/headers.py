"""Which headers pass from one side to the other.

What belongs to one connection only (hop-by-hop headers, encodings), and what is meant for one party only (tokens,
cookies, challenges to send some), stays on its side.
"""

from collections.abc import Iterable

from middleware.memory.redaction import is_secret_name

_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
# Encodings and lengths are each connection's own; credentials are meant for whoever they were sent to.
_NOT_TO_SERVER = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "authorization", "cookie", "expect"}
_NOT_TO_CLIENT = _HOP_BY_HOP | {
    *("content-length", "content-encoding", "set-cookie", "date", "server"),
    "www-authenticate",  # the server's credentials are ours to give (--header); a client's would go no further
}


def to_server(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those headers of a client's request that go on to the server."""
    return [(name, value) for name, value in _kept(headers, _NOT_TO_SERVER) if not _is_credential(name)]


def to_client(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those headers of a server's response that go on to the client."""
    return _kept(headers, _NOT_TO_CLIENT)


def _is_credential(name: str) -> bool:
    # X-Api-Key and its like. What the protocol itself repeats in headers is in the message, too.
    return is_secret_name(name) and not name.lower().startswith("mcp-")


def _kept(headers: Iterable[tuple[str, str]], dropped: set[str]) -> list[tuple[str, str]]:
    pairs = list(headers)
    # A Connection header names further ones that are its connection's own.
    named = {name.strip().lower() for key, value in pairs if key.lower() == "connection" for name in value.split(",")}
    return [(key, value) for key, value in pairs if key.lower() not in dropped and key.lower() not in named]
