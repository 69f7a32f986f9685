"""Which artefacts there are, and which of them the relays show: an append-only log of applies and rollbacks."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import apsw

from middleware.memory.identity import now
from middleware.memory.records import ArtefactRecord, Hint, Kind


class Served:
    """The artefacts of one open memory, which reaches it as `Memory.served`; errors are translated there."""

    def __init__(self, database: apsw.Connection) -> None:
        self._db = database

    def add_artefact(
        self,
        *,
        name: str,
        kind: Kind,
        path: Path,
        manifest: Mapping[str, Any],
        trial_uids: Iterable[str],
        hints: Iterable[Hint],
        call_uids: Iterable[str] = (),
    ) -> None:
        """Remember an artefact, the hints that it would serve, and what it came from: whoever forgets any of these
        trials, or of these calls that the hints show, forgets the artefact too."""
        with self._db:
            self._db.execute(
                "INSERT INTO artefacts VALUES (?, ?, ?, ?, ?)",
                (name, kind, str(path), json.dumps(manifest), now()),
            )
            self._db.executemany("INSERT INTO artefact_trials VALUES (?, ?)", [(name, uid) for uid in trial_uids])
            self._db.executemany(
                "INSERT OR IGNORE INTO artefact_calls VALUES (?, ?)", [(name, uid) for uid in call_uids]
            )
            self._db.executemany(
                "INSERT INTO hints VALUES (?, ?, ?, ?, ?)",
                [(name, hint.server_uid, hint.tool_hash, hint.tool_name, hint.text) for hint in hints],
            )

    def artefacts(self) -> list[ArtefactRecord]:
        """Return every artefact, newest first, with the names of the servers whose relays show it."""
        rows = self._db.execute(
            """
            SELECT name, kind, path, created_at, (SELECT count(*) FROM artefact_trials WHERE artefact = artefacts.name)
            FROM artefacts ORDER BY created_at DESC, name
            """
        )
        serving: dict[str, list[str]] = {}
        for uid, artefact in self.serving().items():
            serving.setdefault(artefact, []).append(self._server_name(uid))
        return [
            ArtefactRecord(name, kind, path, created_at, trials, tuple(sorted(serving.get(name, ()))))
            for name, kind, path, created_at, trials in rows
        ]

    def serving(self) -> dict[str, str]:
        """Return the artefact being served, by server uid."""
        rows = self._db.execute(
            """
            SELECT server_uid, artefact FROM servings
            WHERE id IN (SELECT max(id) FROM servings GROUP BY server_uid) AND artefact IS NOT NULL
            """
        )
        return {str(uid): str(artefact) for uid, artefact in rows}

    def seen_by_relay(self, server_uid: str) -> bool:
        """Return whether a relay ever stood before this server: only then can one show it anything."""
        return (
            self._db.execute("SELECT 1 FROM sessions WHERE server_uid = ? LIMIT 1", (server_uid,)).fetchone()
            is not None
        )

    def hinted_servers(self, artefact: str) -> list[str]:
        """Return the uids of the servers that the artefact has hints for."""
        rows = self._db.execute(
            "SELECT DISTINCT server_uid FROM hints WHERE artefact = ? ORDER BY server_uid", (artefact,)
        )
        return [str(uid) for (uid,) in rows]

    def apply(self, artefact: str, server_uids: Collection[str]) -> list[str]:
        """Let the relays of these servers show the artefact's hints; return the servers' names."""
        with self._db:
            serving = self.serving()
            self._db.executemany(
                "INSERT INTO servings (server_uid, action, artefact, created_at) VALUES (?, 'apply', ?, ?)",
                [(uid, artefact, now()) for uid in server_uids if serving.get(uid) != artefact],
            )
        return sorted({self._server_name(uid) for uid in server_uids})

    def rollback(self, server: str | None = None) -> list[tuple[str, str, str | None]]:
        """Take back the newest apply of `server` (a name) or of every server that is served one.

        Returns (server, the artefact taken back, the one that is shown again or None), one for each server.
        """
        undone = []
        with self._db:
            for uid, artefact in self.serving().items():
                name = self._server_name(uid)
                if server is not None and name != server:
                    continue
                before = self._shown_before(uid)
                self._db.execute(
                    "INSERT INTO servings (server_uid, action, artefact, created_at) VALUES (?, 'rollback', ?, ?)",
                    (uid, before, now()),
                )
                undone.append((name, artefact, before))
        return undone

    def _shown_before(self, server_uid: str) -> str | None:
        shown: list[str | None] = []
        for action, artefact in self._db.execute(
            "SELECT action, artefact FROM servings WHERE server_uid = ? ORDER BY id", (server_uid,)
        ):
            if action == "apply":
                shown.append(artefact)
            elif shown:
                shown.pop()
        return shown[-2] if len(shown) > 1 else None

    def _server_name(self, uid: str) -> str:
        row = self._db.execute("SELECT name FROM servers WHERE uid = ?", (uid,)).fetchone()
        return uid if row is None else str(row[0])
