"""What forgetting takes with it: the calls that were asked for, and all that stands or falls with them.

The keys are gathered in temporary tables, `doomed_KIND (key)`, outside any transaction: reading a million calls takes
its time, and relays go on writing. Looking again reads only the rows that came since, so it is quick, and can be done
once more in the transaction that deletes.
"""

# ruff: noqa: S608 - the SQL is put together from names in this file; what was given is bound as values

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import apsw

from middleware.memory.artefacts import texts_of
from middleware.memory.identity import now
from middleware.memory.spellings import holds

# (how many rows of how many were read)
Progress = Callable[[int, int], None]

# Columns of values that the memory makes itself or chooses from a list; no text of anybody's stands in them.
OUR_COLUMNS = frozenset(
    {
        *("uid", "server_uid", "session_uid", "trial_uid", "episode_uid", "call_uid", "corrects", "hash", "tool_hash"),
        *("created_at", "last_call_at", "applied_at", "outcome", "capture", "source", "label", "kind", "action"),
        *("transport", "process", "path"),
    }
)
FORGOTTEN = "[forgotten]"
_CHUNK = 5_000  # rows read at a time
# What a row of each table is known by, in the order in which they can be deleted: what refers to others first.
KEYS = {
    "artefacts": "name",
    "verdicts": "id",
    "trials": "uid",
    "episodes": "uid",
    "evaluations": "id",
    "calls": "uid",
    "open_calls": "uid",
    "tools": "server_uid || ' ' || hash",
    "sessions": "uid",
}


@dataclass(frozen=True)
class Selection:
    """What is to be forgotten: what meets all that is given.

    `server`: a name or uid. `before`: a time as the memory writes it. `calls`: ids or uids. `containing`: a text, in
    any spelling. With `server` alone, the server is forgotten too, with its tools and sessions.
    """

    server: str | None = None
    before: str | None = None
    calls: tuple[str, ...] = ()
    containing: str | None = None

    @property
    def whole_server(self) -> bool:
        """Whether nothing of the server stays."""
        return self.server is not None and not (self.before or self.calls or self.containing)


class Doomed:
    """The keys of what is to go, of one open memory.

    Without a text, what began after the first look is not asked for: on a busy server there would be no end to it.
    """

    def __init__(self, database: apsw.Connection, selection: Selection) -> None:
        self._db = database
        self.selection = selection
        self._read = {"calls": 0, "trials": 0}  # the largest row id that was looked at
        text = selection.containing or ""

        def any_holds(*values: object) -> bool:
            return any(isinstance(value, str) and holds(value, text) for value in values)

        database.create_scalar_function("holds", any_holds, deterministic=True)
        for kind in KEYS:
            database.execute(f"DROP TABLE IF EXISTS temp.doomed_{kind}")
            database.execute(f"CREATE TEMP TABLE doomed_{kind} (key PRIMARY KEY) WITHOUT ROWID")
        self._values: Mapping[str, object] = {
            "server": selection.server,
            "before": selection.before,
            "calls": "\n" + "\n".join(selection.calls) + "\n",
            "looked_at": now(),
        }

    def look(self, progress: Progress = lambda *_: None) -> None:
        """Gather the keys of what is to go, of all rows that came since the last look."""
        chosen = self.selection
        self._read_new("calls", "uid", self._meets("calls"), progress)
        record = "record_json ->> "
        self._add(
            "open_calls",
            f"SELECT uid FROM open_calls WHERE {self._meets('open_calls', of=record, columns='record_json')}",
        )
        if not chosen.calls:
            self._read_new("trials", "uid", self._meets("trials"), progress)
            if chosen.server is None:
                held = self._holding("evaluations")
                if chosen.containing is not None:
                    predictions = f"SELECT evaluation_id FROM predictions WHERE {self._holding('predictions')}"
                    held = f"({held} OR id IN ({predictions}))"
                self._add("evaluations", f"SELECT id FROM evaluations WHERE {self._before()} AND {held}")
            if chosen.whole_server or chosen.containing is not None:
                self._add("tools", f"SELECT {KEYS['tools']} FROM tools WHERE {self._meets('tools')}")
            if chosen.containing is not None and chosen.server is None:
                self._add("verdicts", f"SELECT id FROM verdicts WHERE {self._before()} AND {self._holding('verdicts')}")
        self._trials_that_lose_their_ground()
        self._left_empty()
        self._artefacts()

    def count(self, kind: str) -> int:
        """Return how many rows of the table `kind` are to go."""
        [(count,)] = self._db.execute(f"SELECT count(*) FROM doomed_{kind}").fetchall()
        return int(str(count))

    def artefacts(self) -> list[str]:
        """Return the names of the artefacts that are to go."""
        return [str(name) for (name,) in self._db.execute("SELECT key FROM doomed_artefacts ORDER BY key").fetchall()]

    def servers(self) -> list[str]:
        """Return the uids of the servers that are to go, with all that is theirs."""
        if not self.selection.whole_server:
            return []
        rows = self._db.execute("SELECT uid FROM servers WHERE ?1 IN (name, uid)", (self.selection.server,))
        return [str(uid) for (uid,) in rows.fetchall()]

    def names(self) -> list[tuple[str, str]]:
        """Return (table, condition) of the rows that stay and lose the names, commands or settings that hold the text.

        A running relay, or the server's next one, would write them anew if they were gone.
        """
        if self.selection.containing is None or self.selection.calls:
            return []
        found = [("servers", self._server("uid") + " AND " + self._before())]
        found.append(("sessions", self._server("server_uid") + " AND " + self._before()))
        if self.selection.server is None:
            found.append(("episodes", self._before()))
        return [(table, f"{condition} AND {self._holding(table)}") for table, condition in found]

    def values(self) -> Mapping[str, object]:
        """Return the values of the conditions of `names`."""
        return self._values

    def forget(self) -> None:
        """Begin anew, in the transaction that deleted them: row ids may be given again."""
        for kind in KEYS:
            self._db.execute(f"DELETE FROM doomed_{kind}")
        self._read = {table: self._last(table) for table in self._read}

    # Conditions

    def _meets(self, table: str, *, of: str = "", columns: str = "") -> str:
        """Return the condition that a row meets all that was given; a column c is found in `of` 'c'."""
        conditions = [self._server(f"{of}'server_uid'" if of else "server_uid")]
        conditions.append(self._before(f"{of}'created_at'" if of else "created_at"))
        if self.selection.containing is None:
            conditions.append(f"{of}'created_at' <= :looked_at" if of else "created_at <= :looked_at")
        if self.selection.calls:
            conditions.append("instr(:calls, char(10) || uid || char(10))")
            if table == "calls":
                conditions[-1] = f"({conditions[-1]} OR instr(:calls, char(10) || id || char(10)))"
        conditions.append(f"holds({columns})" if columns and self.selection.containing else self._holding(table))
        return " AND ".join(conditions)

    def _server(self, column: str) -> str:
        if self.selection.server is None:
            return "1"
        return f"({column} = :server OR {column} IN (SELECT uid FROM servers WHERE name = :server))"

    def _before(self, column: str = "created_at") -> str:
        return "1" if self.selection.before is None else f"{column} < :before"

    def _holding(self, table: str) -> str:
        if self.selection.containing is None:
            return "1"
        return f"holds({', '.join(text_columns(self._db, table))})"

    # Gathering

    def _add(self, kind: str, select: str) -> None:
        self._db.execute(f"INSERT OR IGNORE INTO doomed_{kind} {select}", self._values).fetchall()

    def _read_new(self, table: str, key: str, condition: str, progress: Progress) -> None:
        begin, last = self._read[table], self._last(table)
        for start in range(begin, last, _CHUNK):
            end = min(start + _CHUNK, last)
            self._add(table, f"SELECT {key} FROM {table} WHERE id > {start} AND id <= {end} AND {condition}")
            progress(end - begin, last - begin)
        self._read[table] = max(begin, last)

    def _last(self, table: str) -> int:
        [(last,)] = self._db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchall()
        return int(str(last))

    def _trials_that_lose_their_ground(self) -> None:
        self._add(
            "trials",
            """
            SELECT trials.uid FROM doomed_calls JOIN calls ON calls.uid = key JOIN trials ON trials.uid = trial_uid
            UNION
            SELECT trials.uid FROM doomed_calls JOIN calls ON calls.uid = key JOIN trials
                ON trials.session_uid = calls.session_uid AND calls.trial_uid IS NULL
                AND calls.created_at BETWEEN trials.created_at AND trials.last_call_at
            """,
        )
        # Not one that has no trials yet: it may be under way.
        self._add(
            "episodes",
            """
            SELECT DISTINCT episode_uid FROM doomed_trials JOIN trials ON trials.uid = key
            WHERE episode_uid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM trials AS other
                WHERE other.episode_uid = trials.episode_uid AND other.uid NOT IN (SELECT key FROM doomed_trials))
            """,
        )

    def _left_empty(self) -> None:
        """Sessions whose last call goes; what a running relay needs of them it writes again."""
        chosen = self.selection
        if chosen.whole_server:
            self._add("sessions", f"SELECT uid FROM sessions WHERE {self._server('server_uid')}")
        if chosen.whole_server or not (chosen.before or self.count("calls")):
            return
        self._db.execute("DELETE FROM doomed_sessions")
        own = "0"
        if chosen.before is not None and not chosen.calls and chosen.containing is None:
            own = f"{self._server('server_uid')} AND {self._before()}"
        # One that holds the text is kept without it: a relay that still runs would write it again as it was.
        keep = "0" if chosen.containing is None else self._holding("sessions")
        self._add(
            "sessions",
            f"""
            SELECT uid FROM sessions
            WHERE NOT ({keep})
                AND ({own} OR uid IN (SELECT session_uid FROM doomed_calls JOIN calls ON calls.uid = key))
                AND uid NOT IN (SELECT session_uid FROM calls
                    WHERE session_uid IS NOT NULL AND uid NOT IN (SELECT key FROM doomed_calls))
                AND uid NOT IN (SELECT coalesce(record_json ->> 'session_uid', '') FROM open_calls
                    WHERE uid NOT IN (SELECT key FROM doomed_open_calls))
            """,
        )

    def _artefacts(self) -> None:
        """Those that were made from what goes, or hold the text themselves."""
        self._add(
            "artefacts",
            """
            SELECT artefact FROM artefact_trials WHERE trial_uid IN (SELECT key FROM doomed_trials)
            UNION SELECT artefact FROM artefact_calls WHERE call_uid IN (SELECT key FROM doomed_calls)
            -- Those that are older than artefact_calls do not tell which calls they were made from: any earlier one.
            UNION SELECT artefact FROM hints JOIN artefacts ON artefacts.name = artefact
            WHERE artefacts.created_at <= (SELECT applied_at FROM migrations WHERE name = 'm004_privacy')
                AND EXISTS (SELECT 1 FROM doomed_calls JOIN calls ON calls.uid = key
                    WHERE calls.server_uid = hints.server_uid AND calls.created_at <= artefacts.created_at)
            """,
        )
        if self.selection.whole_server:
            self._add("artefacts", f"SELECT artefact FROM hints WHERE {self._server('server_uid')}")
        text = self.selection.containing
        if text is not None and not self.selection.calls and self.selection.server is None:
            self._add(
                "artefacts",
                f"""
                SELECT name FROM artefacts WHERE {self._before()} AND ({self._holding("artefacts")}
                    OR name IN (SELECT artefact FROM hints WHERE {self._holding("hints")}))
                """,
            )
            for name, folder in self._db.execute(
                f"SELECT name, path FROM artefacts WHERE {self._before()}", self._values
            ).fetchall():
                if any(holds(found, text) for found in texts_of(Path(str(folder)))):
                    self._db.execute("INSERT OR IGNORE INTO doomed_artefacts VALUES (?)", (name,))


def text_columns(database: apsw.Connection, table: str) -> list[str]:
    """Return the columns of `table` in which somebody's text can stand."""
    rows = database.execute("SELECT name FROM pragma_table_info(?) WHERE type IN ('TEXT', '')", (table,)).fetchall()
    return [str(name) for (name,) in rows if name not in OUR_COLUMNS]
