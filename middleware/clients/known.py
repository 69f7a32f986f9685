"""Which clients there are, and where their configuration files lie; the one table to edit when a client is added."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from middleware.errors import ClientFileError


@dataclass(frozen=True)
class Client:
    """One client.

    `project` is its file inside a project, looked for in the working directory and above it; None if it has none.
    `user` gives the files that hold for all projects of this user, whether they are there or not.
    """

    name: str
    project: Path | None
    user: Callable[[], list[Path]]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder on the way that is not ours to look into
        return False


def _applications() -> Path:
    """Return the folder in which desktop applications keep their settings."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _claude_code() -> list[Path]:
    return [Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home()) / ".claude.json"]


def _vscode() -> list[Path]:
    user = _applications() / "Code" / "User"
    return [user / "mcp.json", *sorted(user.glob("profiles/*/mcp.json"))]


CLIENTS = {
    client.name: client
    for client in (
        Client("claude-desktop", None, lambda: [_applications() / "Claude" / "claude_desktop_config.json"]),
        Client("claude-code", Path(".mcp.json"), _claude_code),
        Client("cursor", Path(".cursor", "mcp.json"), lambda: [Path.home() / ".cursor" / "mcp.json"]),
        Client("vscode", Path(".vscode", "mcp.json"), _vscode),
        Client("gemini", Path(".gemini", "settings.json"), lambda: [Path.home() / ".gemini" / "settings.json"]),
    )
}


def files_of(client: Client, directory: Path) -> list[Path]:
    """Return where the files of `client` lie for somebody who works in `directory`: the project's first, the nearest
    above or, where there is none, the one that would be; then the user's."""
    found = []
    if client.project is not None:
        above = (folder / client.project for folder in (directory, *directory.parents))
        found.append(next((path for path in above if _is_file(path)), directory / client.project))
    found += client.user()
    unique = {os.path.realpath(path): path for path in reversed(found)}
    return [path for path in found if unique[os.path.realpath(path)] is path]


def files_named(target: str, directory: Path) -> list[Path]:
    """Return the files that `target`, a client's name or a path, stands for; those that are there.

    Raises:
        ClientFileError: there is none.
    """
    if target in CLIENTS:
        looked_for = files_of(CLIENTS[target], directory)
        found = [path for path in looked_for if _is_file(path)]
        if not found:
            raise ClientFileError(
                f"no file of {target} found: neither {' nor '.join(map(str, looked_for))}; name a file"
            )
        return found
    path = Path(target).expanduser()
    if not _is_file(path):
        what = "is no file" if path.exists() else "is neither a file nor a client"
        raise ClientFileError(f"{target} {what}; give a configuration file, or one of: {', '.join(CLIENTS)}")
    return [directory / path]


def client_of(path: Path) -> str | None:
    """Return which client reads the file at `path`, going by its name and place; None if that does not tell."""
    for client in CLIENTS.values():
        if client.project is not None and path.parts[-len(client.project.parts) :] == client.project.parts:
            return client.name
        if any(os.path.realpath(path) == os.path.realpath(known) for known in client.user()):
            return client.name
    return None


def is_users_own(path: Path) -> bool:
    """Return whether the file at `path` is this user's for all projects, and so did not come with one."""
    return any(os.path.realpath(path) == os.path.realpath(own) for client in CLIENTS.values() for own in client.user())


def known_files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that are there, with their client's name."""
    for client in CLIENTS.values():
        for path in files_of(client, directory):
            if _is_file(path):
                yield client.name, path
