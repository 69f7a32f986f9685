"""The learner's side of the memory: look, search, and add what was learned.

Every public method is one read or one transaction. What the relay writes is only read here, with one exception: the
traces of relays that died (spools, calls in flight) are taken in when the memory is opened.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import apsw

from middleware.memory.database import open_database
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.failures import FAILURES, Failures
from middleware.memory.forget import Forgetting
from middleware.memory.identity import new_uid, now, tool_hash
from middleware.memory.live import calls_without_trial, make_live_trials
from middleware.memory.nearest import IndexBusyError, NearestIndex, index_folder, remove_index
from middleware.memory.records import (
    CallMade,
    CallRecord,
    ServerRecord,
    ToolRecord,
    Trial,
    Verdict,
)
from middleware.memory.redaction import redact, redact_definition, redact_text
from middleware.memory.retention import Retention
from middleware.memory.rows import close_orphans, take_in_spools
from middleware.memory.scrub import empty_search
from middleware.memory.served import Served

_SEARCH_CHUNK = 2000  # calls indexed in one transaction: a waiting relay gets its turn within some 50 ms
_FAILED = str(FAILURES)

_CALL_COLUMNS = """
    calls.id, calls.uid, calls.server_uid, coalesce(servers.name, calls.server_uid), calls.tool_name,
    calls.tool_hash, calls.arguments_json, calls.result_json, calls.outcome, calls.error, calls.created_at,
    calls.duration_ms, sessions.client_name, calls.trial_uid, calls.rounds, calls.corrects, calls.capture, calls.intent,
    (SELECT uid FROM calls AS good WHERE good.corrects = calls.uid)
    FROM calls
    LEFT JOIN servers ON servers.uid = calls.server_uid
    LEFT JOIN sessions ON sessions.uid = calls.session_uid
"""

_CORRECTIONS = """(calls.corrects IS NOT NULL
    OR calls.uid IN (SELECT corrects FROM calls WHERE corrects IS NOT NULL))"""
# As `_made` reads them.
_MADE_COLUMNS = """calls.tool_name, calls.arguments_json, calls.outcome, coalesce(calls.error, calls.result_json, ''),
    calls.tool_hash, calls.uid, calls.corrects, coalesce(calls.capture, '') != 'off'"""


class Memory:
    """One memory file, opened for the learner. Use it as a context manager.

    Raises:
        MemoryFileError: on opening, as `open_database` says.
        MemoryBusyError: from any method, when another process holds the memory for longer than five seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = open_database(path)
        self.served = Served(self._db)
        self.failures = Failures(self._db)
        self.retention = Retention(self._db, path, self._remove_nearest)
        self.forgetting = Forgetting(self._db, path, self._remove_nearest)
        self._nearest: NearestIndex | None = None
        self._index_folder = index_folder(path)
        # While another process holds the memory, the traces of the dead wait for the next who opens it.
        with suppress(apsw.BusyError):
            take_in_spools(self._db, path)
            close_orphans(self._db)

    def __enter__(self) -> "Memory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()
        if isinstance(error, apsw.BusyError):
            raise MemoryBusyError(
                f"the memory {self.path} is held by another process; try again when it has finished"
            ) from error
        if isinstance(error, apsw.Error):
            raise MemoryFileError(f"the memory {self.path} could not be used: {error}") from error

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, tuple(values)).fetchall()

    # Looking

    def servers(self) -> list[ServerRecord]:
        """Return every server that was seen, with its numbers of tools, calls and failed calls."""
        rows = self._rows(
            f"""
            SELECT uid, name, command, created_at,
                (SELECT count(DISTINCT tools.name) FROM tools WHERE server_uid = servers.uid),
                (SELECT count(*) FROM calls WHERE server_uid = servers.uid AND outcome IS NOT NULL),
                (SELECT count(*) FROM calls WHERE server_uid = servers.uid AND outcome IN {_FAILED})
            FROM servers ORDER BY name, created_at
            """  # noqa: S608 - a constant
        )
        return [ServerRecord(*row) for row in rows]

    def tools(self, server: str | None = None) -> list[ToolRecord]:
        """Return each tool's newest definition, of `server` (a name) or of all, with its calls and failures."""
        rows = self._rows(
            f"""
            SELECT tools.server_uid, servers.name, tools.name, tools.hash, tools.definition_json,
                (SELECT count(*) FROM calls WHERE calls.server_uid = tools.server_uid
                    AND tool_name = tools.name AND outcome IS NOT NULL),
                (SELECT count(*) FROM calls WHERE calls.server_uid = tools.server_uid
                    AND tool_name = tools.name AND outcome IN {_FAILED}),
                max(tools.created_at)
            FROM tools JOIN servers ON servers.uid = tools.server_uid
            WHERE ?1 IS NULL OR servers.name = ?1
            GROUP BY tools.server_uid, tools.name ORDER BY servers.name, tools.name
            """,  # noqa: S608 - a constant
            (server,),
        )
        return [
            ToolRecord(uid, name, tool, key, json.loads(text), *counts)
            for uid, name, tool, key, text, *counts, _ in rows
        ]

    def calls(
        self,
        *,
        limit: int = 20,
        server: str | None = None,
        tool: str | None = None,
        outcome: str | None = None,
        search: str | None = None,
        corrections: bool = False,
    ) -> list[CallRecord]:
        """Return the newest calls, newest first.

        `search` is words that must all occur in the tool's name, the arguments, the result or the error. With
        `corrections`, only failed calls that a good one corrected, and these.
        """
        conditions, values = ["calls.outcome IS NOT NULL"], []
        if search is not None:
            self._index_calls()
            words = " ".join('"' + word.replace('"', '""') + '"' for word in search.split())
            conditions.append("calls.id IN (SELECT rowid FROM calls_fts WHERE calls_fts MATCH ?)")
            values.append(words or '""')
        if corrections:
            conditions.append(_CORRECTIONS)
        for column, value in (
            ("servers.name", server),
            ("calls.tool_name", tool),
            ("calls.outcome", outcome),
        ):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        rows = self._rows(
            f"SELECT {_CALL_COLUMNS} WHERE {' AND '.join(conditions)} ORDER BY calls.id DESC LIMIT ?",
            (*values, limit),
        )
        return [CallRecord(*row) for row in rows]

    def trials(
        self,
        *,
        limit: int | None = None,
        server: str | None = None,
        server_uid: str | None = None,
        label: str | None = None,
        like: str | None = None,
    ) -> list[Trial]:
        """Return trials with their calls and newest verdicts: newest first, or with `like` nearest query first.

        `server` is a name, which several servers may have had; `server_uid` is one server. Trials of clients other than
        the learner are among them once they are complete (see live.py).
        """
        if label is None:
            # They have no verdict until now. While the memory is held, the next who looks makes them.
            with suppress(apsw.BusyError):
                make_live_trials(self._db, now=time.time())
        conditions: list[str] = []
        values: list[Any] = []
        near: dict[int, int] = {}
        if like is not None:
            # Wider than asked for where other conditions will thin it out.
            wanted = (limit or 8) * (1 if (server, server_uid, label) == (None, None, None) else 50)
            near = {key: rank for rank, (key, _) in enumerate(self.nearest_queries(like, wanted))}
            # A query may have gone since the index was made.
            conditions.append("trials.query IS NOT NULL AND trials.id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(near)))
        if server is not None:
            conditions.append("trials.server_uid IN (SELECT uid FROM servers WHERE name = ?)")
            values.append(server)
        if server_uid is not None:
            conditions.append("trials.server_uid = ?")
            values.append(server_uid)
        if label is not None:
            conditions.append("verdicts.label = ?")
            values.append(label)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self._rows(
            f"""
            SELECT trials.id, trials.uid, trials.query, trials.source, trials.model, trials.server_uid,
                trials.created_at, trials.origin, trials.episode_uid,
                sessions.client_name, verdicts.judge, verdicts.label, verdicts.confidence, verdicts.reason
            FROM trials LEFT JOIN sessions ON sessions.uid = trials.session_uid LEFT JOIN verdicts ON verdicts.id =
                (SELECT max(id) FROM verdicts WHERE trial_uid = trials.uid)
            {where} ORDER BY trials.id DESC LIMIT ?
            """,  # noqa: S608 - constants
            (*values, -1 if limit is None or like is not None else limit),
        )
        made = self._calls_of(str(row[1]) for row in rows)
        found = [_trial(row, made.get(row[1], ())) for row in rows]
        return sorted(found, key=lambda trial: near[trial.id])[:limit] if like is not None else found

    def calls_without_trial(self, server: str | None = None) -> int:
        """Return how many calls, of `server` (a name) or of all, may still come into a trial (see live.py)."""
        return calls_without_trial(self._db, server)

    def _calls_of(self, trial_uids: Iterable[str]) -> dict[str, list[CallMade]]:
        made: dict[str, list[CallMade]] = {}
        rows = self._rows(
            f"""
            WITH wanted AS (SELECT value AS uid FROM json_each(?))
            SELECT trial_uid, calls.id, {_MADE_COLUMNS} FROM calls WHERE trial_uid IN (SELECT uid FROM wanted)
            UNION ALL
            SELECT trials.uid, calls.id, {_MADE_COLUMNS} FROM wanted CROSS JOIN trials USING (uid) CROSS JOIN calls ON
                calls.session_uid = trials.session_uid AND calls.trial_uid IS NULL
                AND calls.created_at BETWEEN trials.created_at AND trials.last_call_at
            ORDER BY 2
            """,  # noqa: S608 - constants
            (json.dumps(list(trial_uids)),),
        )
        for trial_uid, _, *columns in rows:
            made.setdefault(trial_uid, []).append(_made(columns))
        return made

    def sessions(self, server_uid: str, *, limit: int) -> list[list[CallMade]]:
        """Return the newest `limit` calls of clients other than the learner, a list a session, each oldest first."""
        rows = self._rows(
            f"""
            SELECT session_uid, {_MADE_COLUMNS}
            FROM calls WHERE server_uid = ? AND outcome IS NOT NULL AND trial_uid IS NULL ORDER BY id DESC LIMIT ?
            """,  # noqa: S608 - constants
            (server_uid, limit),
        )
        made: dict[str, list[CallMade]] = {}
        for session_uid, *columns in reversed(rows):
            made.setdefault(session_uid, []).append(_made(columns))
        return list(made.values())

    def nearest_queries(self, query: str, count: int = 8) -> list[tuple[int, float]]:
        """Return the ids of the `count` trials whose queries are nearest to `query`, with their BM25 scores.

        While another process brings the index up to date, the answer is from what it held before.
        """
        # By when this memory was made, an index that outlived another memory of the same name is told apart.
        [(born,)] = self._rows("SELECT applied_at FROM migrations ORDER BY rowid LIMIT 1")
        try:
            return self._nearest_in(born, query, count)
        except (OSError, ValueError):  # damaged
            self._remove_nearest()
            return self._nearest_in(born, query, count)

    def _nearest_in(self, born: str, query: str, count: int) -> list[tuple[int, float]]:
        if self._nearest is None:
            self._nearest = NearestIndex(self._index_folder, of=born)
        with suppress(IndexBusyError):
            self._nearest.catch_up(self._queries_after)
        return [(key, score) for key, score in self._nearest.nearest(query, count)]

    def _remove_nearest(self) -> None:
        """Remove the index of queries: some of them are to go. The next who needs it makes it anew."""
        self._nearest = None
        try:
            remove_index(self._index_folder)
        except OSError as error:  # not ours, or somebody writes it this moment
            raise MemoryFileError(
                f"the index {self._index_folder} cannot be removed: {error.strerror}; remove it and run this again"
            ) from error

    def _queries_after(self, trial_id: int) -> Iterator[tuple[int, str]]:
        for key, query in self._db.execute(
            "SELECT id, query FROM trials WHERE id > ? AND query IS NOT NULL ORDER BY id", (trial_id,)
        ):
            yield int(str(key)), str(query)

    def _index_calls(self) -> None:
        while True:
            with self._db:
                [(last,)] = self._rows("SELECT last_id FROM calls_fts_state")
                [(upto,)] = self._rows(
                    "SELECT max(id) FROM (SELECT id FROM calls WHERE id > ? ORDER BY id LIMIT ?)", (last, _SEARCH_CHUNK)
                )
                if upto is None:
                    return
                self._db.execute(
                    """
                    INSERT INTO calls_fts (rowid, tool_name, arguments_json, result_json, error)
                    SELECT id, tool_name, arguments_json, result_json, error FROM calls WHERE id > ? AND id <= ?
                    """,
                    (last, upto),
                )
                self._db.execute("UPDATE calls_fts_state SET last_id = ?", (upto,))

    def tidy(self, *, search: bool = False, queries: bool = False) -> None:
        """Empty the log into the memory, and drop the full-text index or that of queries: the next who needs one makes
        it anew."""
        if search:
            with self._db:
                empty_search(self._db)
        if queries:
            self._remove_nearest()
        with suppress(apsw.BusyError):  # somebody reads: the log is emptied when the last process has closed it
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    # Adding

    def add_server(self, uid: str, name: str, command: str, tools: Sequence[Mapping[str, Any]]) -> None:
        """Remember a server that no relay saw, and its tool definitions as in `tools/list`; twice changes nothing.

        Secrets are redacted as the relay redacts them.
        """
        with self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO servers VALUES (?, ?, ?, ?)", (uid, name, redact_text(command), now())
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO tools VALUES (?, ?, ?, ?, ?)",
                [(uid, tool_hash(tool), tool["name"], _encode(redact_definition(dict(tool))), now()) for tool in tools],
            )

    def add_episode(self, *, server_uid: str | None, model: str, settings: Mapping[str, Any]) -> str:
        """Begin an episode and return its uid."""
        uid = new_uid()
        with self._db:
            self._db.execute(
                "INSERT INTO episodes (uid, server_uid, model, settings_json, created_at) VALUES (?, ?, ?, ?, ?)",
                (uid, server_uid, model, json.dumps(redact(dict(settings))), now()),
            )
        return uid

    def add_trials(self, trials: Iterable[Trial]) -> int:
        """Add trials with their verdicts, all or none, and return how many were new.

        The calls of an imported trial are added with it; those of any other were written by the relay. A trial whose
        `origin` is there already is left as it is. Secrets are redacted; in imports by their shape only, since names
        would take the gold out of suites whose tools have an `api_key`.
        """
        added = 0
        with self._db:
            for trial in trials:
                self._db.execute(
                    """
                    INSERT INTO trials (uid, episode_uid, server_uid, query, source, model, origin, created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin) WHERE origin IS NOT NULL DO NOTHING
                    """,
                    (
                        trial.uid,
                        trial.episode_uid,
                        trial.server_uid,
                        redact(trial.query, names=trial.source != "import"),
                        trial.source,
                        trial.model,
                        trial.origin,
                        trial.created_at or now(),
                    ),
                )
                if not self._db.changes():
                    continue
                added += 1
                if trial.source == "import":
                    self._add_imported_calls(trial)
                if trial.verdict is not None:
                    self._add_verdict(trial.uid, trial.verdict)
        return added

    def _add_imported_calls(self, trial: Trial) -> None:
        for call in trial.calls:
            arguments = _json(dict(call.arguments))
            self._db.execute(
                """
                INSERT INTO calls (uid, server_uid, tool_name, arguments_json, created_at, request_bytes, trial_uid)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    new_uid(),
                    trial.server_uid,
                    call.name,
                    arguments,
                    now(),
                    len(arguments.encode()),
                    trial.uid,
                ),
            )

    def _add_verdict(self, trial_uid: str, verdict: Verdict) -> None:
        self._db.execute(
            """
            INSERT INTO verdicts (trial_uid, judge, label, confidence, reason, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (trial_uid, verdict.judge, verdict.label, verdict.confidence, redact(verdict.reason), now()),
        )


def _trial(row: tuple[Any, ...], calls: Iterable[CallMade]) -> Trial:
    key, uid, query, source, model, server_uid, created_at, origin, episode_uid, client_name, judge, *verdict = row
    return Trial(
        uid=uid,
        query=query,
        source=source,
        model=model,
        server_uid=server_uid,
        calls=tuple(calls),
        verdict=None if judge is None else Verdict(judge, *verdict),
        created_at=created_at,
        origin=origin,
        episode_uid=episode_uid,
        id=key,
        client_name=client_name,
    )


def _made(columns: Sequence[Any]) -> CallMade:
    name, arguments, *others, kept = columns
    return CallMade(name, _object(arguments), *[*others, bool(kept)])


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _json(value: Any) -> str:
    return _encode(redact(value, names=False))


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
