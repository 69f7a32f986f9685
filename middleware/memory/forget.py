"""Forgetting: the one way in which rows are deleted, and the one that also looks whether they are gone.

The order makes it safe to be killed at any moment, and to be run again: what was learned from the calls stops being
served first, its files go next, then all rows in one transaction, then what is derived from them; last the file is
rewritten. Until all is done a file marks it as unfinished, which is also the lock against a second one.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import apsw

from middleware.memory.artefacts import remove_artefact
from middleware.memory.doomed import FORGOTTEN, KEYS, Doomed, Selection, text_columns
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.leftovers import files_that_hold, outside
from middleware.memory.rows import close_orphans, take_in_spools
from middleware.memory.scrub import empty_search, require_room, scrub, zero_what_is_deleted
from middleware.memory.spool import spool_files

# (what is being done, how much of it, of how much); the last two are 0 where it cannot be told
Progress = Callable[[str, int, int], None]

_SPOOL_PATIENCE_S = 5.0  # relays take theirs in within a tenth of a second once the memory is free
_ROUNDS = 3  # how often what arrives meanwhile is forgotten too


@dataclass(frozen=True)
class DoomedArtefact:
    """An artefact that is to go; `outside`: its folder is not one of the memory's, and is left."""

    name: str
    path: Path
    serving: tuple[str, ...]
    outside: bool


@dataclass(frozen=True)
class Found:
    """What a selection takes with it. `calls`: how many by server; `oldest` and `newest` are times of calls."""

    calls: Mapping[str, int]
    in_flight: int
    trials: int
    verdicts: int
    tools: int
    sessions: int
    evaluations: int
    names: int
    servers: tuple[str, ...]
    artefacts: tuple[DoomedArtefact, ...]
    oldest: str | None
    newest: str | None

    def __bool__(self) -> bool:
        counts = (self.in_flight, self.trials, self.verdicts, self.tools, self.sessions, self.evaluations, self.names)
        return bool(self.calls or any(counts) or self.servers or self.artefacts)


@dataclass(frozen=True)
class Forgotten:
    """What was done. `left` still holds the text; `spools` of relays that live do, or may, each with its server's name;
    `outside` is not touched."""

    left: tuple[Path, ...]
    spools: Mapping[Path, str]
    outside: tuple[Path, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is left in the data directory."""
        return not (self.left or self.spools)


class Forgetting:
    """Forgetting in one open memory, which reaches it as `Memory.forgetting`; errors are translated there."""

    def __init__(self, database: apsw.Connection, path: Path, remove_nearest: Callable[[], None]) -> None:
        self._db = database
        self._path = path
        self._remove_nearest = remove_nearest
        self._gathered: Doomed | None = None
        self._mark = _mark(path)

    def unfinished(self) -> bool:
        """Return whether an earlier forgetting was cut short: what it deleted may still be in the files."""
        return self._mark.exists()

    def find(self, selection: Selection, progress: Progress = lambda *_: None) -> Found:
        """Return what `carry_out` would delete; changes nothing."""
        doomed = self._doomed(selection)
        doomed.look(lambda done, total: progress("reading", done, total))
        return self._found(doomed)

    def left(self, selection: Selection) -> list[Path]:
        """Return the files of the memory that hold the selection's text, none where it has none.

        Nor where it was to go from a part of the memory only, and rows that stay hold it: there it may stand.
        """
        if selection.containing is None:
            return []
        everywhere = Selection(containing=selection.containing)
        if selection != everywhere and self.find(everywhere):
            return []
        return files_that_hold(self._db, self._path, selection.containing)

    def outside(self, selection: Selection) -> list[Path]:
        """Return the files of ours that hold the selection's text and are not the memory's: they stay."""
        return [] if selection.containing is None else outside(selection.containing)

    def carry_out(self, selection: Selection, progress: Progress = lambda *_: None) -> Forgotten:
        """Delete what meets `selection`, and what was made from it, and look whether it is gone.

        Relays may run meanwhile: they spool, and lose nothing that is not to be forgotten.

        Raises:
            MemoryBusyError: another process keeps the memory, or is forgetting too.
            MemoryFileError: the disk has no room to rewrite the memory, or its folder cannot be written; nothing was
                changed. Or its index cannot be removed; doing it again is safe.
            ArtefactError: an artefact's folder cannot be removed.
        """
        require_room(self._path)
        with self._alone():
            zero_what_is_deleted(self._db)
            elsewhere: set[Path] = set()
            progress("waiting for relays", 0, 0)
            self._take_in()
            doomed = self._doomed(selection)
            for _ in range(_ROUNDS):
                elsewhere |= self._delete(doomed, progress)
                self._remove_nearest()
                progress("rewriting the memory", 0, 0)
                scrub(self._db, self._path)
                spools = self._take_in()
                doomed.look()
                # A server that is in use comes back by itself, and so does its session.
                if not replace(self._found(doomed), servers=(), sessions=0):
                    break
            progress("looking whether it is gone", 0, 0)
            left = self.left(selection)
            if selection.containing is not None:
                held = files_that_hold(self._db, self._path, selection.containing) if spools and not left else left
                spools = [path for path in spools if path in held]
                elsewhere |= set(self.outside(selection))
            if left or spools:
                whose = {path: self._whose(path) for path in spools}
                return Forgotten(tuple(path for path in left if path not in whose), whose, tuple(sorted(elsewhere)))
            self._mark.unlink(missing_ok=True)
        return Forgotten((), {}, tuple(sorted(elsewhere)))

    def _doomed(self, selection: Selection) -> Doomed:
        """Return what was gathered for `selection` before, if it was: reading a long memory takes its time."""
        if self._gathered is None or self._gathered.selection != selection:
            self._gathered = Doomed(self._db, selection)
        return self._gathered

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the mark. Whoever has done everything removes it; else it says that there is something to finish."""
        while True:
            try:
                descriptor = os.open(self._mark, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise MemoryFileError(
                    f"{self._mark} cannot be written: {error.strerror}; nothing was changed; see who may write there"
                ) from error
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    raise MemoryBusyError(
                        f"another learner forget is at work on {self._path}; try again when it has finished"
                    ) from error
                # One that ended between the two steps has removed what we locked, and a third would not see us.
                if self._mark.exists() and os.path.samestat(os.fstat(descriptor), self._mark.stat()):
                    yield
                    return
            finally:
                os.close(descriptor)

    def _take_in(self) -> list[Path]:
        """Take in the spools of the dead; return those of the living that hold records for longer than they should."""
        take_in_spools(self._db, self._path)
        close_orphans(self._db)
        deadline = time.monotonic() + _SPOOL_PATIENCE_S
        while waiting := [path for path in spool_files(self._path) if _size(path)]:
            if time.monotonic() >= deadline:
                return waiting
            time.sleep(0.05)
        return []

    def _whose(self, spool: Path) -> str:
        """Return the name of the server whose relay's spool this is, "" where its first record does not tell."""
        try:
            with spool.open("rb") as file:
                record = json.loads(file.readline())
            if record.get("kind") == "server":
                return str(record.get("name"))
            uid = record.get("call", record).get("server_uid")
            rows = self._db.execute("SELECT name FROM servers WHERE uid = ?", (str(uid),)).fetchall()
        except (OSError, ValueError, AttributeError):
            return ""
        return str(rows[0][0]) if rows else ""

    def _delete(self, doomed: Doomed, progress: Progress) -> set[Path]:
        """Delete what is doomed, and return the folders of artefacts that are not ours to remove."""
        removed: set[str] = set()
        elsewhere: set[Path] = set()
        while True:
            doomed.look(lambda done, total: progress("reading", done, total))
            for artefact in self._artefacts(doomed):
                progress("removing artefacts", 0, 0)
                with self._db:
                    self._db.execute("DELETE FROM hints WHERE artefact = ?", (artefact.name,))
                if not remove_artefact(artefact.path, within=self._artefact_folder):
                    elsewhere.add(artefact.path)
                removed.add(artefact.name)
            progress("deleting", 0, 0)
            with self._db:
                doomed.look()
                if set(doomed.artefacts()) <= removed:
                    self._delete_rows(doomed)
                    doomed.forget()
                    return elsewhere

    def _delete_rows(self, doomed: Doomed) -> None:
        self._db.execute("INSERT OR IGNORE INTO forgotten_calls SELECT key FROM doomed_open_calls")
        self._db.execute("UPDATE calls SET corrects = NULL WHERE corrects IN (SELECT key FROM doomed_calls)")
        for table, key in KEYS.items():
            self._db.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT key FROM doomed_{table})")
        for table, condition in doomed.names():
            for column in text_columns(self._db, table):
                text = "{}" if column.endswith("_json") else FORGOTTEN
                update = f"UPDATE {table} SET {column} = '{text}' WHERE {condition} AND holds({column})"
                self._db.execute(update, doomed.values())
        for uid in doomed.servers():
            for table, key in (("servings", "server_uid"), ("hints", "server_uid"), ("servers", "uid")):
                self._db.execute(f"DELETE FROM {table} WHERE {key} = ?", (uid,))
        empty_search(self._db)

    # Telling

    @property
    def _artefact_folder(self) -> Path:
        return self._path.parent / "artefacts"

    def _artefacts(self, doomed: Doomed) -> list[DoomedArtefact]:
        found = []
        for name in doomed.artefacts():
            [(path,)] = self._db.execute("SELECT path FROM artefacts WHERE name = ?", (name,)).fetchall()
            serving = self._db.execute(
                """
                SELECT coalesce(name, server_uid) FROM servings LEFT JOIN servers ON servers.uid = server_uid
                WHERE id IN (SELECT max(id) FROM servings GROUP BY server_uid) AND artefact = ? ORDER BY 1
                """,
                (name,),
            ).fetchall()
            folder = Path(str(path))
            inside = folder.parent.resolve() == self._artefact_folder.resolve() and not folder.is_symlink()
            found.append(DoomedArtefact(name, folder, tuple(str(server) for (server,) in serving), not inside))
        return found

    def _found(self, doomed: Doomed) -> Found:
        by_server = self._db.execute(
            """
            SELECT coalesce(servers.name, calls.server_uid), count(*), min(calls.created_at), max(calls.created_at)
            FROM doomed_calls JOIN calls ON calls.uid = key LEFT JOIN servers ON servers.uid = calls.server_uid
            GROUP BY 1 ORDER BY 2 DESC, 1
            """
        ).fetchall()
        verdicts = self._db.execute(
            """
            SELECT count(*) FROM verdicts
            WHERE id IN (SELECT key FROM doomed_verdicts) OR trial_uid IN (SELECT key FROM doomed_trials)
            """
        ).fetchall()
        names = 0
        for table, condition in doomed.names():
            rows = self._db.execute(f"SELECT count(*) FROM {table} WHERE {condition}", doomed.values()).fetchall()
            names += int(str(rows[0][0]))
        return Found(
            calls={str(name): int(str(count)) for name, count, _, _ in by_server},
            in_flight=doomed.count("open_calls"),
            trials=doomed.count("trials"),
            verdicts=int(str(verdicts[0][0])),
            tools=doomed.count("tools"),
            sessions=doomed.count("sessions"),
            evaluations=doomed.count("evaluations"),
            names=names,
            servers=tuple(doomed.servers()),
            artefacts=tuple(self._artefacts(doomed)),
            oldest=min((str(row[2]) for row in by_server), default=None),
            newest=max((str(row[3]) for row in by_server), default=None),
        )


def was_cut_short(path: Path) -> bool:
    """Return whether a forgetting in the memory at `path` ended before it was done; not while one is at work."""
    try:
        descriptor = os.open(_mark(path), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".forgetting")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
