"""All processes that run one server's command: started for whoever needs one, reaped, and ended together."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from middleware.http.hosted.child import KILL_AFTER_S, Child


class Children:
    """The processes of one command. One of these at a time in a process: it takes SIGCHLD."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._name = name
        self._command = command
        self._all: set[Child] = set()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def start(self, *, take: Callable[[bytes], None], ended: Callable[[str], None]) -> Child:
        """Start a process.

        Raises:
            CommandError: the command cannot be run.
        """
        child = Child(self._name, self._command, take=take, ended=ended)
        self._all.add(child)
        return child

    async def close(self) -> None:
        """End all, those that will not by themselves within the time that we are given."""
        for child in self._all:
            child.terminate()
        deadline = time.monotonic() + KILL_AFTER_S
        for child in list(self._all):
            with suppress(TimeoutError):
                await asyncio.wait_for(child.exited.wait(), max(0.0, deadline - time.monotonic()))
        for child in list(self._all):
            child.kill()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def _reap(self) -> None:
        for child in list(self._all):
            child.reap()
            if child.exited.is_set():
                self._all.discard(child)
