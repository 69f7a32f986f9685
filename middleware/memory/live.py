"""Trials of clients that tell nothing of queries: the calls of one session that are close in time.

A trial is written once, when no call of it can come any more, so the same calls give the same trial whoever looks when.
It is known by the uid of its first call. The calls' own rows stay as they are: a trial names its session and the times
between which its calls began.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apsw

# Between two calls of one attempt lies a model's turn, or a person who approves the call: seconds to a few minutes.
CLOSE_S = 300.0  # from the end of a call to the next request, at most
TRIAL_CALLS = 200  # at most: an agent that never pauses makes several trials
_OPEN_S = 86_400.0  # a call in flight for longer holds nothing up, and will be in no trial


class _Call(NamedTuple):
    uid: str
    server_uid: str
    created_at: str
    began: float  # seconds since 1970, as `ended`
    ended: float


def make_live_trials(connection: apsw.Connection) -> int:
    """Write the trials that have become complete since this was last done; return how many.

    Each session's are written in a transaction of their own: relays wait for that long at most.

    Raises:
        apsw.Error: the memory cannot be written (apsw.BusyError: now); what was written is complete.
    """
    return sum(_of_session(connection, uid) for uid in _sessions_with_more(connection))


def _sessions_with_more(connection: apsw.Connection) -> list[str]:
    rows = connection.execute(
        """
        SELECT uid FROM sessions WHERE
            (SELECT max(created_at) FROM calls WHERE session_uid = sessions.uid AND trial_uid IS NULL)
            > coalesce((SELECT max(last_call_at) FROM trials WHERE session_uid = sessions.uid), '')
        """
    )
    return [str(uid) for (uid,) in rows.fetchall()]


def _of_session(connection: apsw.Connection, session_uid: str) -> int:
    with connection:
        [(last_call_at, horizon)] = connection.execute(
            """
            SELECT (SELECT max(last_call_at) FROM trials WHERE session_uid = :session),
                min(unixepoch('now', 'subsec'), coalesce((
                    SELECT min(unixepoch(record_json ->> 'created_at', 'subsec')) FROM open_calls
                    WHERE record_json ->> 'session_uid' = :session
                        AND unixepoch(record_json ->> 'created_at', 'subsec') > unixepoch('now') - :open_s
                ), 9e9))
            """,
            {"session": session_uid, "open_s": _OPEN_S},
        ).fetchall()
        rows = connection.execute(
            """
            SELECT uid, server_uid, created_at, unixepoch(created_at, 'subsec'),
                unixepoch(created_at, 'subsec') + coalesce(duration_ms, 0) / 1000
            FROM calls WHERE session_uid = ? AND trial_uid IS NULL AND outcome IS NOT NULL AND created_at > ?
            ORDER BY created_at, uid
            """,
            (session_uid, last_call_at or ""),
        )
        trials = []
        for calls in _close_in_time(_Call(*row) for row in rows):
            # What is still to come began after `horizon`: in the future, or it is in flight now.
            if max(call.ended for call in calls) + CLOSE_S >= float(str(horizon)):
                break
            trials.append((calls[0].uid, calls[0].server_uid, calls[0].created_at, session_uid, calls[-1].created_at))
        connection.executemany(
            """
            INSERT INTO trials (uid, server_uid, source, created_at, session_uid, last_call_at)
            VALUES (?, ?, 'live', ?, ?, ?) ON CONFLICT (uid) DO NOTHING
            """,
            trials,
        )
    return len(trials)


def _close_in_time(calls: Iterable[_Call]) -> Iterator[Sequence[_Call]]:
    """Yield the calls, which come in order of time, in groups of those that belong together."""
    group: list[_Call] = []
    ended = 0.0
    for call in calls:
        apart = call.began - ended > CLOSE_S
        # Calls of the same millisecond stay together: by the time alone they could not be told apart later.
        full = len(group) >= TRIAL_CALLS and call.created_at != group[-1].created_at
        if group and (apart or full):
            yield group
            group, ended = [], 0.0
        group.append(call)
        ended = max(ended, call.ended)
    if group:
        yield group
