"""The server as a process: started, told of endings, and ended with all that it has started."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from middleware.errors import CommandError
from middleware.guard import Guard
from middleware.memory.identity import OUR_VARIABLES
from middleware.memory.redaction import redact_command
from middleware.memory.writer import report_to_stderr

_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def server_environment() -> dict[str, str]:
    """Return the environment that the server gets: the client's, without what is between the learner and us."""
    environment = {name: value for name, value in os.environ.items() if name not in OUR_VARIABLES}
    if environment.get("LC_CTYPE") in _COERCED:
        # In the C locale Python sets this for itself (PEP 538). Where the system does not tell what there was at our
        # start (no /proc), it stays.
        with suppress(OSError):
            if b"\0LC_CTYPE=" not in b"\0" + Path("/proc/self/environ").read_bytes():
                del environment["LC_CTYPE"]
    return environment


class ServerProcess:
    """The server's process, in the process group of its guard, so that what it starts can be ended with it."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        self._name = name
        self._shown = redact_command(command)
        self._guard: Guard | None = None
        with suppress(OSError):  # no shell: then a killed relay leaves the server to the end of its input
            self._guard = Guard()
        pipes: list[int] = []
        try:
            for _ in range(2):
                pipes += os.pipe()
            child_input, self.input, self.output, child_output = pipes
            self.pid = os.posix_spawnp(
                command[0],
                list(command),
                environment,
                file_actions=[(os.POSIX_SPAWN_DUP2, child_input, 0), (os.POSIX_SPAWN_DUP2, child_output, 1)],
                # Not ours: Ctrl-C in a terminal would reach it twice, from the terminal and from us.
                setpgroup=self._guard.pid if self._guard else 0,
                # Python ignores these two, and what is ignored stays so in a child.
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        except (OSError, ValueError) as error:
            if self._guard:
                self._guard.dismiss()
            for descriptor in pipes:
                os.close(descriptor)
            reason = error.strerror if isinstance(error, OSError) else error
            raise CommandError(
                f"cannot run the server {name!r}: {self._shown}: {reason}; check the command behind --"
            ) from error
        self._group = self._guard.pid if self._guard else self.pid
        os.close(child_input)
        os.close(child_output)
        for descriptor in (self.input, self.output):
            os.set_blocking(descriptor, False)
        self.started = time.monotonic()
        self.status: int | None = None  # as os.wait gives it; None while it runs
        self.spoke = False
        self.input_closed = False
        self._told_to_end = False

    def is_own(self, line: bytes) -> bool:  # noqa: ARG002 - a process speaks for itself
        """Whether this line was written in the server's place."""
        return False

    def close_input(self) -> None:
        """Let the server read the end of its input."""
        if not self.input_closed:
            self.input_closed = True
            os.close(self.input)

    def signal(self, number: int) -> None:
        """Pass a signal on to the server and what it has started."""
        self._told_to_end = True
        if self.status is None:
            self._signal_group(number)
            with suppress(ProcessLookupError, PermissionError):  # as it may have become another user
                if os.getpgid(self.pid) != self._group:  # it has made a group of its own
                    os.kill(self.pid, number)

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, number)

    def reap(self) -> None:
        """Note whether the server has ended."""
        if self.status is not None:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return
        self.status = status
        if self._told_to_end:
            self._signal_group(signal.SIGKILL)  # what it had started, and would outlive it

    def kill(self) -> None:
        """End a server that still runs, since there is nobody left to talk to it, and dismiss its guard."""
        if self.status is None:
            self.signal(signal.SIGKILL)
            self.status = os.waitpid(self.pid, 0)[1]
        if self._guard:
            self._guard.dismiss()
            self._guard = None

    def ending(self) -> str:
        """Return what a client is told whose requests can no longer be answered; nothing of the command's line."""
        what = "closed its output" if self.status is None else f"ended ({_how(self.status)})"
        next_step = "start it again, or run its command by itself to see why"
        return f"the server {self._name!r} {what} before it answered; {next_step}"

    def exit_code(self) -> int:
        """Return the code to end with.

        Raises:
            CommandError: it ended of itself without a word.
        """
        code = os.waitstatus_to_exitcode(self.status or 0)
        if not self.spoke and not self._told_to_end:
            message = (
                f"the server {self._name!r} ended before it said anything ({_how(self.status or 0)}): {self._shown}; "
                "run that command by itself to see why"
            )
            if not self.input_closed:
                raise CommandError(message)
            if code:
                report_to_stderr(message)
        return code if code >= 0 else 128 - code


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"signal {-code}"
