"""Ends the server when the relay was killed with KILL, and so could not do it itself.

The guard is a shell that waits for the end of a pipe whose other end only the relay holds: however the relay ends, the
system closes it. The guard leads the process group that the server and what it starts are in, so it is there before
them, and while it lives no other group can get the same number: it signals `0`, its own group, itself with it.
"""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress

# What the relay passes on to the group, and the guard has to survive.
FORWARDED: Sequence[signal.Signals] = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGUSR1, signal.SIGUSR2),
)
# Two seconds from the end of the server's input to TERM, as for a client that vanished, and two more to KILL.
_SCRIPT = """# learner proxy: ends the server if the relay is killed
trap '' HUP INT QUIT TERM USR1 USR2
read -r _
sleep 2; kill -s TERM 0; sleep 2; kill -s KILL 0"""


class Guard:
    """A guard process, at the head of a process group for the server to be started in."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            OSError: there is no /bin/sh, or no process can be started.
        """
        watched, self._held = os.pipe()
        try:
            # Nothing of the client's stays open in it: with the relay gone, the client is to read the end at once.
            quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
            self.pid = os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", _SCRIPT],
                {"PATH": f"{os.environ.get('PATH', '')}:/usr/bin:/bin"},  # for `sleep`, and nothing else of ours
                file_actions=[(os.POSIX_SPAWN_DUP2, watched, 0), *quiet],
                setpgroup=0,
                setsigmask=FORWARDED,  # until the shell has set its traps
            )
        except BaseException:
            os.close(self._held)
            raise
        finally:
            os.close(watched)

    def dismiss(self) -> None:
        """End the guard and nothing else. Its number, and with it the group's, may be used again from now on."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._held)
