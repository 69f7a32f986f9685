"""Trials of clients that name none: the calls of one session that are close in time, and for one intent.

Where models are asked what their calls are for (`--intent`), that is the trial's query: a call that says something else
than the trial's began another. A call that says nothing belongs to the one that it follows.

A trial is written once, when no call of it can come any more, so the same calls give the same trial whoever looks when.
It is known by the uid of its first call. The calls' own rows stay as they are: a trial names its session and the times
between which its calls began.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import apsw

# Between two calls of one attempt lies a model's turn, or a person who approves the call: seconds to a few minutes.
CLOSE_S = 300.0  # from the end of a call to the next request, at most
TRIAL_CALLS = 200  # at most: an agent that never pauses makes several trials
_CHUNK = 10 * TRIAL_CALLS  # calls looked at in one transaction: a waiting relay soon gets its turn
_WORD = re.compile(r"\w+")
_OPEN_S = 86_400.0  # a call in flight for longer holds nothing up, and will be in no trial


class _Call(NamedTuple):
    uid: str
    server_uid: str
    intent: str | None
    created_at: str
    began: float  # seconds since 1970, as `ended`
    ended: float


def make_live_trials(connection: apsw.Connection, *, now: float) -> int:
    """Write the trials that have become complete by `now` (seconds since 1970) and are not there; return how many.

    Raises:
        apsw.Error: the memory cannot be written (apsw.BusyError: now); trials that were written are complete.
    """
    made = 0
    for session_uid in _sessions_with_more(connection):
        more = True
        while more:
            with connection:
                trials, more = _complete(connection, session_uid, now)
                connection.executemany(
                    """
                    INSERT INTO trials (uid, server_uid, query, created_at, source, session_uid, last_call_at)
                    VALUES (?, ?, ?, ?, 'live', ?, ?)
                    """,
                    [(*_begun(calls), session_uid, calls[-1].created_at) for calls in trials],
                )
            made += len(trials)
    return made


def calls_without_trial(connection: apsw.Connection, server: str | None) -> int:
    """Return how many ended calls that name no trial are in none yet; of `server` (a name), or of all."""
    rows = connection.execute(
        """
        SELECT coalesce(sum((
            SELECT count(*) FROM calls WHERE session_uid = each.value AND trial_uid IS NULL AND outcome IS NOT NULL
                AND created_at > coalesce((SELECT max(last_call_at) FROM trials WHERE session_uid = each.value), '')
                AND (?2 IS NULL OR server_uid IN (SELECT uid FROM servers WHERE name = ?2))
        )), 0) FROM json_each(?1) AS each
        """,
        (json.dumps(_sessions_with_more(connection)), server),
    )
    [(count,)] = rows.fetchall()
    return int(str(count))


def _sessions_with_more(connection: apsw.Connection) -> list[str]:
    rows = connection.execute(
        """
        SELECT uid FROM sessions WHERE
            (SELECT max(created_at) FROM calls WHERE session_uid = sessions.uid AND trial_uid IS NULL)
            > coalesce((SELECT max(last_call_at) FROM trials WHERE session_uid = sessions.uid), '')
        """
    )
    return [str(uid) for (uid,) in rows.fetchall()]


def _complete(connection: apsw.Connection, session_uid: str, now: float) -> tuple[list[Sequence[_Call]], bool]:
    """Return the calls of the session's next complete trials, and whether there may be more of these."""
    rows: list[tuple[Any, ...]] = connection.execute(
        """
        SELECT uid, server_uid, intent, created_at, unixepoch(created_at, 'subsec'),
            unixepoch(created_at, 'subsec') + coalesce(duration_ms, 0) / 1000
        FROM calls WHERE session_uid = :session AND trial_uid IS NULL AND outcome IS NOT NULL
            AND created_at > coalesce((SELECT max(last_call_at) FROM trials WHERE session_uid = :session), '')
        ORDER BY created_at, uid LIMIT :limit
        """,
        {"session": session_uid, "limit": _CHUNK},
    ).fetchall()
    groups = list(_together(_Call(*row) for row in rows))
    cut = len(rows) == _CHUNK
    if cut:
        groups.pop()  # it may go on
    # What is still to come began after this: in the future, or it is in flight now.
    horizon = min(now, _earliest_in_flight(connection, session_uid, now))
    complete = list(takewhile(lambda calls: max(call.ended for call in calls) + CLOSE_S < horizon, groups))
    return complete, cut and len(complete) == len(groups) > 0


def _earliest_in_flight(connection: apsw.Connection, session_uid: str, now: float) -> float:
    rows = connection.execute(
        """
        SELECT unixepoch(record_json ->> 'created_at', 'subsec') AS began FROM open_calls
        WHERE record_json ->> 'session_uid' = ? AND began > ?
        """,
        (session_uid, now - _OPEN_S),
    )
    return min((float(str(began)) for (began,) in rows), default=math.inf)


def _together(calls: Iterable[_Call]) -> Iterator[Sequence[_Call]]:
    """Yield the calls, which come in order of time, in groups of those that belong together."""
    group: list[_Call] = []
    ended = 0.0
    for call in calls:
        apart = call.began - ended > CLOSE_S
        other = call.intent is not None and not _is_same(call.intent, _intent(group))
        # Calls of the same millisecond stay together: by the time alone they could not be told apart later.
        if group and (apart or ((other or len(group) >= TRIAL_CALLS) and call.created_at != group[-1].created_at)):
            yield group
            group, ended = [], 0.0
        group.append(call)
        ended = max(ended, call.ended)
    if group:
        yield group


def _begun(calls: Sequence[_Call]) -> tuple[str, str, str | None, str]:
    """Return what a trial is known by: its uid, server, query and beginning."""
    return calls[0].uid, calls[0].server_uid, _intent(calls), calls[0].created_at


def _intent(calls: Iterable[_Call]) -> str | None:
    return next((call.intent for call in calls if call.intent is not None), None)


def _is_same(intent: str, other: str | None) -> bool:
    """Whether two intents have the same words: models write a full stop one time, and none the next."""
    return other is not None and _WORD.findall(intent.casefold()) == _WORD.findall(other.casefold())
