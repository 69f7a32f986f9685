"""Servers as people name them on the command line."""

from learner.cli.show import harmless
from learner.errors import UnknownServerError
from middleware.memory.records import ServerRecord
from middleware.memory.store import Memory


def servers_named(memory: Memory, server: str) -> list[ServerRecord]:
    """Return the servers that are called `server`, which several may be, or the one that has it as its uid.

    Raises:
        UnknownServerError: there is none; the message lists those there are.
    """
    known = memory.servers()
    found = [one for one in known if server in (one.name, one.uid)]
    if not found:
        there = ", ".join(sorted({harmless(one.name, 60) for one in known})) or "none yet"
        raise UnknownServerError(f"no server is called {server!r} in {memory.path}; there: {there}")
    return found
