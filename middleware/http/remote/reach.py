"""Starts the relay between a client on stdio and a remote server: `learner proxy --url`.

Apart from what serves clients over HTTP, which it does not load: most people reach remote servers this way.
"""

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from middleware.http.remote.server import RemoteServer
from middleware.http.upstream import Upstream, check_url, headers_from_environment
from middleware.settings import DEFAULTS, Settings
from middleware.stdio import relay_to

_M_MMAP_THRESHOLD = -3  # as malloc.h numbers it


def reach_url(name: str, url: str, memory: Path, settings: Settings = DEFAULTS, *, headers: Sequence[str] = ()) -> int:
    """Relay between this process's standard input and output and the server at `url`; return the exit code.

    `headers` are NAME=VARIABLE pairs for the server.

    Raises:
        UsageError: an option cannot mean anything.
    """
    _give_long_blocks_back()
    upstream = Upstream(name, check_url(url), headers_from_environment(headers))

    def start(_: dict[str, str]) -> RemoteServer:
        return RemoteServer(upstream)

    return relay_to(name, [upstream.shown], memory, start, transport="http", settings=settings)


def _give_long_blocks_back() -> None:
    """Have the C library give long blocks back as soon as they are free: glibc keeps them once it has seen a few, and
    what messages of 10 MB leave behind would add up."""
    with suppress(AttributeError, OSError):  # other C libraries do not need it, or cannot be told
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)
