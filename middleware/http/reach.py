"""Starts the relay between a client on stdio and a remote server: `learner proxy --url`.

Apart from what serves clients over HTTP, which it does not load: most people reach remote servers this way.
"""

from collections.abc import Sequence
from pathlib import Path

from middleware.http.remote import RemoteServer
from middleware.http.upstream import Upstream, check_url, headers_from_environment
from middleware.stdio import relay_to


def reach_url(name: str, url: str, memory: Path, *, headers: Sequence[str] = (), timeout_s: float | None = None) -> int:
    """Relay between this process's standard input and output and the server at `url`; return the exit code.

    `headers` are NAME=VARIABLE pairs for the server.

    Raises:
        UsageError: an option cannot mean anything.
    """
    upstream = Upstream(name, check_url(url), headers_from_environment(headers))

    def start(_: dict[str, str]) -> RemoteServer:
        return RemoteServer(upstream)

    return relay_to(name, [upstream.shown], memory, start, transport="http", timeout_s=timeout_s)
