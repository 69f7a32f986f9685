"""Which clients there are on this machine, and where the relay stands in them: for whoever asks whether all is well."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from middleware.clients import backup
from middleware.clients.backup import Backup
from middleware.clients.document import places
from middleware.clients.entry import Entry, read_entry
from middleware.clients.known import client_of, is_users_own, known_files
from middleware.clients.wrap import read_file
from middleware.errors import ClientFileError


@dataclass(frozen=True)
class Server:
    """One server in a client's file, under the keys that lead to its entry; `entry.relay` is None where there is none.

    `entry.command` or `entry.url` is the server itself, behind the relay or not; `entry.environment` is what the client
    adds to its own when it starts it, `entry.left` why `learner wrap` leaves it.
    """

    keys: tuple[str, ...]
    entry: Entry

    @property
    def name(self) -> str:
        """What the client calls it."""
        return self.keys[-1]


@dataclass(frozen=True)
class ClientFile:
    """A client's file that is there, or that was wrapped once.

    `client` is None where the file is no client's that we know; `problem` says why it cannot be read, "" if it can.
    `backup` is what `learner wrap` keeps of it, with `restore_script`; None if it was not wrapped or is unwrapped.
    """

    path: Path
    client: str | None
    servers: tuple[Server, ...]
    problem: str
    backup: Backup | None
    is_as_written: bool

    def may_run(self, program: str) -> bool:
        """Whether `program`, which starts a relay in this file, is the user's own choice: nobody who looks at a
        stranger's project should run what its files name."""
        if is_users_own(self.path):
            return True
        written = (read_entry(one.written).relay for one in (self.backup.entries if self.backup else ()))
        return program == sys.executable or any(relay is not None and relay.program == program for relay in written)

    def may_start(self) -> bool:
        """Whether the servers in this file are the user's own choice, as `may_run`."""
        return is_users_own(self.path) or self.backup is not None

    @property
    def is_wrapped(self) -> bool:
        """Whether any server in it has a relay."""
        return any(server.entry.relay is not None for server in self.servers)


def installed(directory: Path | None = None) -> list[ClientFile]:
    """Return the files of all known clients, for somebody who works in `directory` (by default the present one), and
    every other file that was wrapped. Never raises on what they hold."""
    found: dict[Path, tuple[str | None, Path]] = {
        Path(os.path.realpath(path)): (client, path) for client, path in known_files(directory or Path.cwd())
    }
    for kept in backup.all_backups():
        found.setdefault(kept.path, (client_of(kept.path), kept.path))
    return [look(path, client) for client, path in found.values()]


def look(path: Path, client: str | None) -> ClientFile:
    """Return what the file at `path` says. Never raises on what it holds."""
    kept = backup.load(Path(os.path.realpath(path)))
    try:
        data, text = read_file(path)
        servers = tuple(
            Server(place.keys, read_entry(text[slice(*place.span)], is_gemini=client == "gemini"))
            for place in places(text)
        )
    except ClientFileError as error:
        return ClientFile(path, client, (), str(error), kept, False)
    return ClientFile(path, client, servers, "", kept, kept is not None and kept.written == data)
