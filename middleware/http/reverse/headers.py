"""Which headers pass from one side to the other.

What belongs to one connection only (hop-by-hop headers, encodings), and what is meant for one party only (tokens,
cookies), stays on its side.
"""

from collections.abc import Iterable

_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
# Encodings and lengths are each connection's own; credentials are meant for whoever they were sent to.
_NOT_TO_SERVER = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "authorization", "cookie", "expect"}
_NOT_TO_CLIENT = _HOP_BY_HOP | {"content-length", "content-encoding", "set-cookie", "date", "server"}


def to_server(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those headers of a client's request that go on to the server."""
    return _kept(headers, _NOT_TO_SERVER)


def to_client(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those headers of a server's response that go on to the client."""
    return _kept(headers, _NOT_TO_CLIENT)


def _kept(headers: Iterable[tuple[str, str]], dropped: set[str]) -> list[tuple[str, str]]:
    pairs = list(headers)
    # A Connection header names further ones that are its connection's own.
    named = {name.strip().lower() for key, value in pairs if key.lower() == "connection" for name in value.split(",")}
    return [(key, value) for key, value in pairs if key.lower() not in dropped and key.lower() not in named]
