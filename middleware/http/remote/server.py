"""A remote server in the place of a server's process: two pipes, and behind them a thread that speaks HTTP.

So one loop (`middleware/stdio.py`) relays both, with all its endings. The thread only carries messages; it records
nothing.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from middleware.http.remote.conversation import Conversation
from middleware.http.upstream import Upstream
from middleware.memory.writer import report_to_stderr

_FAILED = 1 << 8  # exit code 1, as os.wait gives it
_IGNORED = (signal.SIGUSR1, signal.SIGUSR2)


class RemoteServer:
    """What `middleware.process.ServerProcess` is to its user, for a server that is reached by URL."""

    def __init__(self, upstream: Upstream) -> None:
        self._name = upstream.name
        their_input, self.input = os.pipe()
        self.output, their_output = os.pipe()
        for descriptor in (their_input, self.input, self.output, their_output):
            os.set_blocking(descriptor, False)
        self.started = time.monotonic()
        self.status: int | None = None  # as os.wait gives it: 0, or the signal that we were ended by
        self.spoke = True  # it needs no time to come up: what there is to say, each request is told
        self.input_closed = False
        self._told: int = 0  # the signal
        self._own: set[bytes] = set()  # errors in place of answers, until they are read
        self._has_ended = False
        self._has_failed = False
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_Unawaited())
        self._task = self._loop.create_task(self._serve(upstream, their_input, their_output))
        # A daemon: whatever it still waits for, our end does not.
        self._thread = threading.Thread(target=self._run, args=(their_input, their_output), daemon=True)
        self._thread.start()

    def is_own(self, line: bytes) -> bool:
        """Whether this line, which is asked about once, is an error of ours: the server gave no answer."""
        if line not in self._own:
            return False
        self._own.discard(line)
        return True

    def close_input(self) -> None:
        """Let the conversation end once everything has been answered."""
        if not self.input_closed:
            self.input_closed = True
            os.close(self.input)

    def signal(self, number: int) -> None:
        """End the conversation, as a process ends by a signal: soon, or with SIGKILL at once."""
        if self.status is not None or number in _IGNORED:
            return
        self._told = number
        if number == signal.SIGKILL:
            self.status = number
        with suppress(RuntimeError):  # it has ended in this moment
            self._loop.call_soon_threadsafe(self._task.cancel)

    def reap(self) -> None:
        """Note whether the conversation has ended."""
        if self._has_ended and self.status is None:
            self.status = self._told or (_FAILED if self._has_failed else 0)

    def kill(self) -> None:
        """End a conversation that still runs; there is nobody left to have it with."""
        if self.status is None:
            self.signal(signal.SIGKILL)

    def ending(self) -> str:
        """Return what a client is told whose requests can no longer be answered."""
        what = "failed" if self._has_failed else "was told to end"
        return f"the relay to the server {self._name!r} {what} before the server answered; start it again"

    def exit_code(self) -> int:
        """Return the code to end with."""
        return 128 + self._told if self._told else os.waitstatus_to_exitcode(self.status or 0)

    async def _serve(self, upstream: Upstream, source: int, sink: int) -> None:
        await Conversation(upstream, source, sink, self._own).run()

    def _run(self, source: int, sink: int) -> None:
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not look like an orderly end
            self._has_failed = True
            report_to_stderr(f"the relay failed, please report this: {type(error).__name__}: {error}")
        finally:
            self._has_ended = True
            self._loop.close()
            os.close(sink)
            os.close(source)
            # As the end of a child process would be made known.
            os.kill(os.getpid(), signal.SIGCHLD)


class _Unawaited(ThreadPoolExecutor):
    """Runs each thing on a thread that nobody waits for: a silent name server must not hold up our end."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - handed to whoever awaits it
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future
