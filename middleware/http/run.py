"""Starts the relay on HTTP: `learner proxy --http`."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from middleware.errors import CommandError
from middleware.http.access import Access
from middleware.http.address import parse_address
from middleware.http.front import Backend, serve
from middleware.http.hosted.backend import Hosted
from middleware.http.recorder import Recorder
from middleware.http.reverse.backend import Reverse
from middleware.http.upstream import Upstream, check_url, headers_from_environment
from middleware.memory.identity import TRIAL_TOKEN_VARIABLE
from middleware.memory.redaction import redact_command
from middleware.settings import DEFAULTS, Settings


def serve_command(
    name: str,
    command: Sequence[str],
    memory: Path,
    settings: Settings = DEFAULTS,
    *,
    address: str,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
) -> int:
    """Serve the server that `command` starts on `address`, recording, until we are told to end; return the exit code.

    `hosts` and `origins` are allowed beside our own.

    Raises:
        UsageError: an option cannot mean anything.
        AddressError: the address cannot be had.
        CommandError: there is no such command.
    """
    if shutil.which(command[0]) is None:  # now, and not when the first client comes
        program = redact_command(command[:1])
        raise CommandError(f"cannot run the server {name!r}: {program} is no program; check the command behind --")

    def backend(recorder: Recorder) -> Backend:
        return Hosted(name, command, recorder)

    return _serve(name, command, memory, settings, address, hosts, origins, backend)


def serve_url(
    name: str,
    url: str,
    memory: Path,
    settings: Settings = DEFAULTS,
    *,
    address: str,
    headers: Sequence[str] = (),
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
) -> int:
    """Serve the server at `url` on `address`, recording, until we are told to end; return the exit code.

    `headers` are NAME=VARIABLE pairs for the server; `hosts` and `origins` are allowed beside our own.

    Raises:
        UsageError: an option cannot mean anything.
        AddressError: the address cannot be had.
    """
    upstream = Upstream(name, check_url(url), headers_from_environment(headers))

    def backend(recorder: Recorder) -> Backend:
        return Reverse(upstream, recorder, timeout_s=settings.timeout_s)

    # An exchange keeps its time itself: it knows when the server has said something.
    of_relays = replace(settings, timeout_s=None)
    return _serve(name, [upstream.shown], memory, of_relays, address, hosts, origins, backend)


def _serve(
    name: str,
    known_as: Sequence[str],
    memory: Path,
    settings: Settings,
    address: str,
    hosts: Sequence[str],
    origins: Sequence[str],
    backend: Callable[[Recorder], Backend],
) -> int:
    host, port = parse_address(address)
    access = Access(host, hosts=hosts, origins=origins)
    trial_token = os.environ.pop(TRIAL_TOKEN_VARIABLE, None)
    # Python's 5 ms between two threads is what a message would wait for while the writer computes.
    sys.setswitchinterval(0.0001)

    async def run() -> None:
        recorder = Recorder(memory, name=name, command=known_as, trial_token=trial_token, settings=settings)
        try:
            await serve(name, host, port, access, backend(recorder))
        finally:
            await recorder.close()

    asyncio.run(run())
    return 0
