"""The relay put into one client's file, and taken out again: first as a plan that can be shown, then done.

What is restored byte for byte is not always the oldest file there was: only while the file still holds exactly what
`wrap` wrote. After somebody else's edit the bytes to go back to are those that `unwrap` would leave now, edit included.
"""

import os
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, SubprocessError, run

from middleware.clients import backup
from middleware.clients.backup import Backup, Wrapped
from middleware.clients.document import Place, decode, places
from middleware.clients.editing import HEADER_VARIABLE, unwrap_entry, wrap_entry
from middleware.clients.entry import BY_HAND, Entry, Options, kept_options, read_entry
from middleware.clients.jsonc import parse, same, spell
from middleware.clients.known import client_of
from middleware.errors import ClientFileError
from middleware.http.upstream import shown_url
from middleware.memory.redaction import redact_command
from middleware.splice import Edit, apply

_CHECK_S = 60.0
# In an entry's own environment these move the memory away from where the person looks for it.
_MOVES_MEMORY = ("HOME", "XDG_DATA_HOME")


@dataclass(frozen=True)
class Launcher:
    """How entries start the relay: the Python that runs it, and the options of `learner proxy` that a person chose.

    `memory` is the present one, for entries whose own environment would lead the relay to another.
    """

    program: str
    options: Options
    memory: Path


@dataclass(frozen=True)
class Change:
    """What happens to one entry: "wrapped", "renewed", "unwrapped", "unchanged" or "left", and why where that helps.

    `before` and `after` are command lines or URLs for people, without secrets; the same where nothing changes.
    """

    keys: tuple[str, ...]
    action: str
    reason: str
    before: str
    after: str

    @property
    def name(self) -> str:
        """What the client calls the server."""
        return self.keys[-1]


@dataclass(frozen=True)
class Plan:
    """What would be done to the file at `path`: its bytes as they are, as they shall be, and as they are without any
    relay. `names` are all its servers, `changes` what happens to those that were meant, and `wrapped` the entries that
    have a relay afterwards."""

    path: Path
    client: str | None
    names: frozenset[str]
    now: bytes
    then: bytes
    original: bytes
    wrapped: tuple[Wrapped, ...]
    changes: tuple[Change, ...]

    @property
    def is_change(self) -> bool:
        """Whether there is anything to do."""
        return self.then != self.now


def check_program(program: str = sys.executable) -> str:
    """Return the Python for entries to name: this one, by its absolute path, and not what a link there leads to, as an
    environment's Python is often a link to one that has nothing installed.

    Raises:
        ClientFileError: it does not start the relay as a client would.
    """
    absolute = os.path.abspath(program) if program else ""  # noqa: PTH100 - Path.resolve() would follow links
    problem = version_problem(absolute, "-I", "-m", "learner")
    if problem:
        raise ClientFileError(
            f"`{absolute} -I -m learner --version` fails ({problem}), and so would every entry; install practicum into "
            "an environment of its own (python -m venv, pipx), and run that one's learner wrap"
        )
    return absolute


def version_problem(*words: str) -> str:
    """Return why `words --version` fails; "" where it does not."""
    try:
        done = run(  # noqa: S603 - this Python, or what a client's file names, which the client starts itself
            [*words, "--version"], stdin=DEVNULL, capture_output=True, timeout=_CHECK_S
        )
    except (OSError, ValueError, SubprocessError) as error:
        return str(error)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return "" if done.returncode == 0 else said[-1] if said else f"it ends with exit code {done.returncode}"


def plan_wrap(paths: Sequence[Path], launcher: Launcher, only: Collection[str] = ()) -> list[Plan]:
    """Return what puts the relay in front of the servers in these files, or of those in `only`.

    Raises:
        ClientFileError: a file cannot be read, or there are no servers, or not all of `only`.
    """
    return _plans(paths, launcher, only)


def plan_unwrap(paths: Sequence[Path], only: Collection[str] = ()) -> list[Plan]:
    """Return what takes the relay out of these files, or out of the servers in `only`.

    Raises:
        ClientFileError: a file cannot be read, or there are no servers, or not all of `only`.
    """
    return _plans(paths, None, only)


def carry_out(plan: Plan) -> Backup | None:
    """Do what was planned, and return the backup; None if the file has no relay any more.

    Raises:
        ClientFileError: the file has changed since it was planned, or cannot be written; it was not touched.
    """
    real = Path(os.path.realpath(plan.path))
    try:
        with backup.locked():
            if real.read_bytes() != plan.now:
                raise ClientFileError(f"{plan.path} has changed in the meantime and was not touched; try again")
            if not os.access(real, os.W_OK):
                raise ClientFileError(f"{plan.path} is read-only and was not touched; make it writable and try again")
            kept = backup.save(real, plan.original, plan.then, plan.wrapped) if plan.wrapped else None
            if plan.is_change:
                backup.write_whole(real, plan.then)
            if kept is None:
                backup.remove(real)
            return kept
    except OSError as error:
        raise backup.failure(plan.path, error) from error


def read_file(path: Path) -> tuple[bytes, str]:
    """Return the file at `path` as bytes and as text.

    Raises:
        ClientFileError: it cannot be read, or is no JSON object.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise backup.failure(path, error) from error
    return data, decode(data, path)


class _Originals:
    """What entries were before, by what was written in their place, however that is spelled now."""

    def __init__(self, kept: Backup | None) -> None:
        self._by_value: dict[str, dict[tuple[str, ...], str]] = {}
        for one in kept.entries if kept else ():
            self._by_value.setdefault(spell(parse(one.written)), {})[one.keys] = one.original

    def of(self, place: Place, text: str) -> str:
        """Return the entry `text` at `place` without its relay: as it was, where it says what was written, there or
        (as it may have been moved) elsewhere; else unpicked."""
        known = self._by_value.get(spell(parse(text)))
        return known.get(place.keys, next(iter(known.values()))) if known else unwrap_entry(text)


def shown(entry: Entry) -> str:
    """Return what starts the server, or its URL, for people: without secrets."""
    return shown_url(entry.url) if entry.url is not None else redact_command(entry.command)


def _plans(paths: Sequence[Path], launcher: Launcher | None, only: Collection[str]) -> list[Plan]:
    plans = [_plan(path, launcher, only) for path in paths]
    names = {name for plan in plans for name in plan.names}
    where = " and ".join(map(str, paths))
    if not names:
        raise ClientFileError(f"no servers in {where} (in mcpServers or servers); add one there, or name another file")
    if unknown := sorted(set(only) - names):
        raise ClientFileError(f"no server is called {unknown[0]!r} in {where}; there: {', '.join(sorted(names))}")
    return plans


def _plan(path: Path, launcher: Launcher | None, only: Collection[str]) -> Plan:
    data, text = read_file(path)
    client = client_of(path)
    found = places(text)
    kept = backup.load(Path(os.path.realpath(path)))
    is_as_written = kept is not None and kept.written == data
    originals = _Originals(kept)
    edits, back, wrapped, changes = [], [], [], []
    for place in found:
        old = text[slice(*place.span)]
        entry = read_entry(old, is_gemini=client == "gemini")
        original = originals.of(place, old) if _is_ours(entry) else old
        if original != old:
            back.append(Edit(*place.span, original))
        is_meant = not only or place.keys[-1] in only
        new = _rewritten(place, entry, old, original, launcher, is_named=bool(only)) if is_meant else old
        if new != old:
            edits.append(Edit(*place.span, new))
        if new != original:
            wrapped.append(Wrapped(place.keys, new, original))
        if is_meant:
            changes.append(_change(place, entry, old, new, launcher))
    base = kept.original if kept is not None and is_as_written else apply(text, back).encode()
    # With no relay left, the file is what it was before, whatever the edits of single entries would make of it.
    then = apply(text, edits).encode() if wrapped else base
    names = frozenset(place.keys[-1] for place in found)
    return Plan(path, client, names, data, then, base, tuple(wrapped), tuple(changes))


def _rewritten(
    place: Place, entry: Entry, old: str, original: str, launcher: Launcher | None, *, is_named: bool
) -> str:
    """Return what shall stand at `place`."""
    if launcher is None:
        return original
    if (entry.left and not (is_named and entry.may_sign_in)) or (entry.relay is not None and not entry.relay.is_ours):
        return old
    options = {**_memory_option(entry, launcher), **kept_options(entry.relay), **launcher.options}
    new = wrap_entry(original, place.keys[-1], launcher.program, options)
    # Somebody else's spelling of what we would write is as good as ours.
    return old if same(new, old) else new


def _is_ours(entry: Entry) -> bool:
    return entry.relay is not None and entry.relay.is_ours and not entry.left


def _memory_option(entry: Entry, launcher: Launcher) -> Mapping[str, str]:
    moved = any(name in entry.environment for name in _MOVES_MEMORY)
    return {"--memory": str(launcher.memory)} if moved else {}


def _change(place: Place, entry: Entry, old: str, new: str, launcher: Launcher | None) -> Change:
    before = _line(old, entry)
    if new == old:
        if entry.relay is not None and not entry.relay.is_ours:
            action, reason = "left", BY_HAND
        elif entry.relay is None and launcher is None and entry.left != BY_HAND:
            action, reason = "unchanged", "there is no relay"
        else:
            action, reason = ("left", entry.left) if entry.left else ("unchanged", "the relay is there")
        return Change(place.keys, action, reason, before, before)
    action = "unwrapped" if launcher is None else "wrapped" if entry.relay is None else "renewed"
    return Change(place.keys, action, "", before, _line(new, read_entry(new)))


def _line(text: str, entry: Entry) -> str:
    """Return how the client starts the server, or its URL; "" if it says neither."""
    if entry.relay is None:
        return shown(entry) if entry.command or entry.url is not None else ""
    value = parse(text)
    words = [value["command"], *value["args"]]
    parts, start = [], 0
    for at, word in enumerate(words[1 : entry.relay.behind + 1], 1):
        # Of a header that we moved only the name of a variable stands here, whatever the header is called.
        if words[at - 1] == "--header" and HEADER_VARIABLE.fullmatch(word.partition("=")[2]):
            parts += [redact_command(words[start:at]), shlex.quote(word)]
            start = at + 1
    return " ".join([*parts, redact_command(words[start:])]).strip()
