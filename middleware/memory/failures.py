"""How each tool's calls ended, and the newest of them: what `learner tools --failures` is made from.

Counting reads the index `calls_of_tool` alone; rows are read of few tools, and of each only the newest.
"""

import json
from collections.abc import Sequence
from typing import Any

import apsw

from middleware.memory.records import CallEnded, Outcome, ToolCounts

# A cancelled call is none: its client gave up on it, whatever the tool would have said.
FAILURES: tuple[Outcome, ...] = ("tool_error", "protocol_error", "no_answer")
_COLUMNS = "uid, created_at, outcome, error, error_code, arguments_json, capture"  # as CallEnded has them


class Failures:
    """The failed calls of one open memory, which reaches it as `Memory.failures`; errors are translated there."""

    def __init__(self, database: apsw.Connection) -> None:
        self._db = database

    def counts(self, server: str | None = None, tool: str | None = None) -> list[ToolCounts]:
        """Return for each tool that was called how many calls ended how; of `server` and `tool` (names), or of all."""
        rows = self._db.execute(
            """
            SELECT server_uid, coalesce(servers.name, server_uid), tool_name, sum(calls),
                total(calls) FILTER (WHERE outcome IN (SELECT value FROM json_each(:failures))),
                total(calls) FILTER (WHERE outcome = 'cancelled')
            FROM (
                SELECT server_uid, tool_name, outcome, count(*) AS calls FROM calls
                WHERE outcome IS NOT NULL GROUP BY server_uid, tool_name, outcome
            ) LEFT JOIN servers ON servers.uid = server_uid
            WHERE (:server IS NULL OR servers.name = :server) AND (:tool IS NULL OR tool_name = :tool)
            GROUP BY server_uid, tool_name
            """,
            {"server": server, "tool": tool, "failures": json.dumps(FAILURES)},
        )
        return [ToolCounts(uid, name, tool, *map(int, numbers)) for uid, name, tool, *numbers in _all(rows)]

    def newest(self, server_uid: str, tool: str, outcomes: Sequence[Outcome], limit: int) -> list[CallEnded]:
        """Return the tool's newest `limit` calls that ended in one of `outcomes`, newest first."""
        # Each outcome's newest by the index, then the newest of these: rows that are not returned are never read.
        newest = """SELECT id FROM (SELECT id FROM calls WHERE server_uid = ? AND tool_name = ? AND outcome = ?
            ORDER BY id DESC LIMIT ?)"""
        rows = self._db.execute(
            f"""
            SELECT {_COLUMNS} FROM calls WHERE id IN
                (SELECT id FROM ({" UNION ALL ".join([newest] * len(outcomes))}) ORDER BY id DESC LIMIT ?)
            ORDER BY id DESC
            """,  # noqa: S608 - constants
            (*(value for outcome in outcomes for value in (server_uid, tool, outcome, limit)), limit),
        )
        return [CallEnded(*row) for row in _all(rows)]

    def correction(self, failed_uid: str) -> CallEnded | None:
        """Return the good call that corrected this failed one, None when none did."""
        rows = _all(
            self._db.execute(
                f"SELECT {_COLUMNS} FROM calls WHERE corrects = ?",  # noqa: S608 - constants
                (failed_uid,),
            )
        )
        return CallEnded(*rows[0]) if rows else None

    def argument_names(self, server_uid: str, tool: str) -> set[str]:
        """Return the arguments that the tool's newest definition names; none when it was never listed."""
        rows = _all(
            self._db.execute(
                "SELECT definition_json FROM tools WHERE server_uid = ? AND name = ? ORDER BY created_at DESC LIMIT 1",
                (server_uid, tool),
            )
        )
        schema = json.loads(rows[0][0]).get("inputSchema") if rows else None
        properties = schema.get("properties") if isinstance(schema, dict) else None
        return set(properties) if isinstance(properties, dict) else set()


def _all(cursor: apsw.Cursor) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
