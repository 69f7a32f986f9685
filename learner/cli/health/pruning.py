"""What `learner doctor --prune` does: only what the findings say that it mends."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from learner.cli.health.finding import Place, megabytes
from learner.cli.health.memory import LONG_LOG, LOOK_S, limits, log_bytes
from middleware.clients import backup
from middleware.clients.installed import installed, look
from middleware.clients.known import client_of
from middleware.memory.errors import MemoryFileError
from middleware.memory.inspection import Inspection
from middleware.memory.nearest import index_folder, remove_index
from middleware.memory.retention import Due
from middleware.memory.spool import waiting_spools
from middleware.memory.store import Memory


@dataclass(frozen=True)
class Prunable:
    """What is beyond the limits, or of no use any more.

    `is_search` and `is_queries`: that index is; `log` is how many bytes could be brought into the memory, `dead` how
    many records are of relays that ended, `backups` are of files without a relay.
    """

    due: Due | None
    is_search: bool
    is_queries: bool
    log: int
    dead: int
    backups: tuple[Path, ...]

    def lines(self) -> Iterator[str]:
        """Yield what it is, for people."""
        if self.due and self.due.old_calls:
            yield f"{self.due.old_calls} calls that are too old: what they said goes, their rows stay"
        if self.due and self.due.bytes_over:
            yield f"{megabytes(self.due.bytes_over)} that the memory is too large: what its oldest calls said"
        if self.is_search:
            yield "the search index, which is damaged; the next search makes it anew"
        if self.is_queries:
            yield "the query index, which is of no use; the next search makes it anew"
        if self.dead:
            yield f"{self.dead} records of relays that ended, which are taken into the memory"
        if self.log:
            yield f"the memory's log of {megabytes(self.log)}, which is brought into the memory"
        for path in self.backups:
            yield f"the old text of {path}, which has no relay any more"


def to_prune(place: Place) -> Prunable:
    """Return what there is to prune; changes nothing.

    Raises:
        MemoryFileError: the memory cannot be read, or is damaged.
    """
    path = place.memory
    index = index_folder(path)
    due, is_search, is_queries, log = None, False, index.exists(), 0
    if path.exists():
        days, most = limits(place)
        with Inspection(path) as inspection:
            missing, unknown = inspection.schema()
            if missing or unknown:
                raise MemoryFileError(f"{path} is of another version; see learner doctor")
            problems, _ = inspection.damage(seconds=LOOK_S)
            is_search = any("calls_fts" in problem for problem in problems)
            if any("calls_fts" not in problem for problem in problems):
                raise MemoryFileError(f"{path} is damaged ({problems[0]}), so nothing was pruned; see learner doctor")
            due = inspection.due(keep_days=days, keep_bytes=most)
            is_queries = bool(inspection.query_index_problem())
            log = log_bytes(path)
    dead = sum(spool.records or 0 for spool in waiting_spools(path) if not spool.is_living)
    kept = (file for file in installed() if file.backup is not None and not file.problem and not file.is_wrapped)
    return Prunable(
        due or None, is_search, is_queries, log if log > LONG_LOG else 0, dead, tuple(file.path for file in kept)
    )


def prune(place: Place, what: Prunable) -> Iterator[str]:
    """Do it, and yield what was done.

    Raises:
        MemoryFileError: another process keeps the memory for too long, or the disk has no room to rewrite it; what was
            done until then is done.
    """
    for path in what.backups:
        with backup.locked():
            is_wrapped = look(path, client_of(path)).is_wrapped  # again, since somebody was asked
            if not is_wrapped:
                backup.remove(Path(os.path.realpath(path)))
        yield f"the old text of {path} " + ("is kept: it has a relay again" if is_wrapped else "was removed")
    if not place.memory.exists():
        if what.is_queries:
            remove_index(index_folder(place.memory))
            yield "a query index whose memory is gone was removed"
        if not what.dead:
            return
    days, most = limits(place)
    with Memory(place.memory) as memory:  # this takes in what ended relays left
        if what.dead:
            yield f"{what.dead} records of relays that ended were taken into the memory"
        memory.tidy(search=what.is_search, queries=what.is_queries)
        if what.is_search:
            yield "the search index was emptied"
        if what.is_queries:
            yield "the query index was removed"
        if what.due:
            done = memory.retention.prune(keep_days=days, keep_bytes=most)
            yield f"{done.calls} calls were thinned: {megabytes(done.bytes_before)}, now {megabytes(done.bytes_after)}"
            if done.bytes_over:
                yield f"the memory is still {megabytes(done.bytes_over)} too large, as judged trials are kept"
