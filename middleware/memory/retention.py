"""How long the memory keeps what calls said, and how large it may grow; what is beyond that is thinned.

A thinned call keeps its row: server, tool, outcome, times, sizes. So counts and failure rates stay true. What goes is
what it said: arguments, result, error and intent, and the query of a live trial that it belonged to. Calls of judged
trials are left alone, because lessons are made from them; so is imported gold. Only `learner forget` deletes rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw

from middleware.memory.scrub import empty_search, live_bytes, require_room, scrub, zero_what_is_deleted

KEEP_DAYS = 90
KEEP_BYTES = 1_000_000_000
_CHUNK = 2_000  # calls thinned in one transaction: a waiting relay gets its turn
_MARGIN = 0.05  # below the limit that thinning by size goes, so that it is not due again at once

_THINNABLE = """
    outcome IS NOT NULL AND coalesce(arguments_json, result_json, error, intent) IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM verdicts WHERE trial_uid = calls.trial_uid)
    AND (trial_uid IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM trials JOIN verdicts ON verdicts.trial_uid = trials.uid
        WHERE trials.session_uid = calls.session_uid
            AND calls.created_at BETWEEN trials.created_at AND trials.last_call_at))
"""

_SAID = """coalesce(octet_length(arguments_json), 0) + coalesce(octet_length(result_json), 0)
    + coalesce(octet_length(error), 0) + coalesce(octet_length(intent), 0)"""


@dataclass(frozen=True)
class Due:
    """What is beyond the limits: how many calls are too old, and by how many bytes the memory is too large."""

    old_calls: int
    bytes_now: int
    bytes_over: int

    def __bool__(self) -> bool:
        return self.old_calls > 0 or self.bytes_over > 0


@dataclass(frozen=True)
class Pruned:
    """What pruning did. `bytes_over`: by how much the memory is still too large, as nothing more may be thinned."""

    calls: int
    bytes_before: int
    bytes_after: int
    bytes_over: int


class Retention:
    """The limits of one open memory, which reaches it as `Memory.retention`; errors are translated there."""

    def __init__(self, database: apsw.Connection, path: Path, remove_nearest: Callable[[], None]) -> None:
        self._db = database
        self._path = path
        self._remove_nearest = remove_nearest

    def due(self, *, keep_days: float = KEEP_DAYS, keep_bytes: int = KEEP_BYTES) -> Due:
        """Return what `prune` with the same limits would find beyond them; changes nothing."""
        [(old,)] = self._db.execute(
            f"SELECT count(*) FROM calls WHERE created_at < ? AND {_THINNABLE}",  # noqa: S608 - a constant
            (_days_ago(keep_days),),
        ).fetchall()
        size = live_bytes(self._db)
        return Due(int(str(old)), size, max(0, size - keep_bytes))

    def prune(
        self,
        *,
        keep_days: float = KEEP_DAYS,
        keep_bytes: int = KEEP_BYTES,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Pruned:
        """Thin the calls that are older than `keep_days`, then the oldest until the memory is within `keep_bytes`.

        `progress` is told how many calls were thinned since it was told last. Nothing happens where nothing is due. A
        run that was cut short may be done again.

        Raises:
            MemoryBusyError, MemoryFileError: another process keeps the memory, or the disk has no room to rewrite it.
        """
        due = self.due(keep_days=keep_days, keep_bytes=keep_bytes)
        if not due:
            return Pruned(0, due.bytes_now, due.bytes_now, 0)
        require_room(self._path)
        zero_what_is_deleted(self._db)
        with self._db:
            empty_search(self._db)
        before = _days_ago(keep_days)
        thinned = self._thin("created_at < :before", before, progress)
        self._forget_queries(before)
        scrub(self._db, self._path)
        # How much a call frees is an estimate, so the size is looked at again when the file has been rewritten.
        while (size := live_bytes(self._db)) > keep_bytes:
            more = self._thin("1", before, progress, excess=size - keep_bytes * (1 - _MARGIN))
            if not more:
                break
            thinned += more
            scrub(self._db, self._path)
        return Pruned(thinned, due.bytes_now, size, max(0, size - keep_bytes))

    def _thin(
        self, condition: str, before: str, progress: Callable[[int], None], *, excess: float = float("inf")
    ) -> int:
        """Thin the calls that meet `condition`, oldest first, until about `excess` bytes are free; return how many."""
        last = count = 0
        while excess > 0:
            with self._db:
                rows = self._db.execute(
                    f"SELECT id, {_SAID} FROM calls WHERE id > :last AND {condition} AND {_THINNABLE} "  # noqa: S608 - constants
                    "ORDER BY id LIMIT :limit",
                    {"last": last, "before": before, "limit": _CHUNK},
                ).fetchall()
                ids = []
                for key, said in rows:
                    if excess > 0:
                        ids.append((int(str(key)),))
                        excess -= _room(int(str(said)))
                self._db.executemany(
                    "UPDATE calls SET arguments_json = NULL, result_json = NULL, error = NULL, intent = NULL, "
                    "jsonrpc_id = NULL, capture = 'off' WHERE id = ?",
                    ids,
                )
            if not ids:
                break
            last = ids[-1][0]
            count += len(ids)
            progress(len(ids))
        return count

    def _forget_queries(self, before: str) -> None:
        with self._db:
            self._db.execute(
                """
                UPDATE trials SET query = NULL WHERE source = 'live' AND created_at < ? AND query IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM verdicts WHERE trial_uid = trials.uid)
                """,
                (before,),
            )
            if self._db.changes():  # before the commit: a run that is cut short here begins anew
                self._remove_nearest()


def _room(said: int) -> int:
    """Return how many bytes of the file a call that said so many takes: its share of a page of calls like it."""
    page, others = 4096, 200
    size = said + others
    return page // (page // size) if size < page else size


def _days_ago(days: float) -> str:
    try:
        instant = datetime.now(UTC) - timedelta(days=days)
    except OverflowError:
        instant = datetime.min.replace(tzinfo=UTC)
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
