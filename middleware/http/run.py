"""Starts the relay on HTTP: `learner proxy --http`."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from middleware.http.access import Access
from middleware.http.front import parse_address, serve
from middleware.http.recorder import Recorder
from middleware.http.reverse import Reverse
from middleware.http.upstream import Upstream, check_url, headers_from_environment
from middleware.memory.identity import TRIAL_TOKEN_VARIABLE


def serve_url(
    name: str,
    url: str,
    memory: Path,
    *,
    address: str,
    headers: Sequence[str] = (),
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
    timeout_s: float | None = None,
) -> int:
    """Serve the server at `url` on `address`, recording, until we are told to end; return the exit code.

    `headers` are NAME=VARIABLE pairs for the server; `hosts` and `origins` are allowed beside our own; `timeout_s`
    is the longest that a request may be left without an answer.

    Raises:
        UsageError: an option cannot mean anything.
        AddressError: the address cannot be had.
    """
    host, port = parse_address(address)
    access = Access(host, hosts=hosts, origins=origins)
    upstream = Upstream(name, check_url(url), headers_from_environment(headers))
    trial_token = os.environ.pop(TRIAL_TOKEN_VARIABLE, None)
    # Python's 5 ms between two threads is what a message would wait for while the writer computes.
    sys.setswitchinterval(0.0001)

    async def run() -> None:
        recorder = Recorder(memory, name=name, command=[upstream.shown], trial_token=trial_token)
        try:
            await serve(name, host, port, access, Reverse(upstream, recorder, timeout_s=timeout_s))
        finally:
            await recorder.close()

    asyncio.run(run())
    return 0
