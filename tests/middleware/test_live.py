"""Trials of clients that name none: calls of one session that are close in time, and for one intent."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.database import open_database
from middleware.memory.live import CLOSE_S, TRIAL_CALLS, make_live_trials
from middleware.memory.migrations import migrate
from middleware.memory.rows import write
from middleware.memory.spool import Record
from middleware.memory.store import Memory
from tests.conftest import a_call
from tests.middleware.peer import Peer, call, python, wait_for

EARLIER = 1_700_000_000.0  # seconds since 1970
LATER = EARLIER + 1e7


class At(NamedTuple):
    """A call of a session, in seconds; without a duration it is never answered, and given up at `gone`."""

    session: str
    began: float
    seconds: float | None = 1.0
    gone: float = 0.0
    intent: str | None = None

    @property
    def written(self) -> float:
        return self.gone if self.seconds is None else self.began + self.seconds


def record(at: At, number: int, **columns: object) -> Record:
    instant = datetime.fromtimestamp(EARLIER + at.began, UTC)
    return a_call(
        f"{number:04}",
        session_uid=at.session,
        created_at=f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z",
        duration_ms=None if at.seconds is None else at.seconds * 1000,
        outcome="no_answer" if at.seconds is None else "result",
        intent=at.intent,
        **columns,
    )


def session(uid: str, client: str | None = None) -> Record:
    empty = dict.fromkeys(("client_version", "protocol_version"))
    return {
        "kind": "session",
        "uid": uid,
        "server_uid": "s",
        "client_name": client,
        **empty,
        "transport": "stdio",
        "created_at": "2023-11-14T22:13:20.000Z",
    }


def empty_memory() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.transaction_mode = "IMMEDIATE"
    migrate(connection)
    write(connection, [session(uid) for uid in "ab"])
    return connection


def trials(connection: apsw.Connection) -> list[tuple[Any, ...]]:
    """Each trial's uid, query, and the uids of its calls."""
    return connection.execute(
        """
        SELECT trials.uid, query, json_group_array(calls.uid ORDER BY calls.created_at, calls.uid)
        FROM trials LEFT JOIN calls ON calls.session_uid = trials.session_uid AND calls.trial_uid IS NULL
            AND calls.created_at BETWEEN trials.created_at AND last_call_at
        GROUP BY trials.uid ORDER BY trials.uid
        """
    ).fetchall()


def grouped(*calls: At, now: float = LATER) -> list[list[int]]:
    connection = empty_memory()
    write(connection, [record(at, number) for number, at in enumerate(calls)])
    make_live_trials(connection, now=now)
    return [[int(uid) for uid in json.loads(str(uids))] for _, _, uids in trials(connection)]


def test_calls_close_in_time_are_one_trial() -> None:
    assert grouped(At("a", 0), At("a", 200), At("a", 201 + CLOSE_S), At("a", 203 + 2 * CLOSE_S)) == [[0, 1, 2], [3]]


def test_sessions_are_grouped_each_for_itself() -> None:
    assert grouped(At("a", 0), At("b", 1), At("a", 2)) == [[0, 2], [1]]


def test_time_is_counted_from_the_end_of_the_longest_call() -> None:
    assert grouped(At("a", 0, 1000), At("a", 10), At("a", 1000 + CLOSE_S)) == [[0, 1, 2]]


def test_a_trial_is_made_when_no_call_of_it_can_come_any_more() -> None:
    calls = (At("a", 0), At("a", 10))
    assert grouped(*calls, now=EARLIER + 11 + CLOSE_S) == []
    assert grouped(*calls, now=EARLIER + 11.1 + CLOSE_S) == [[0, 1]]


def test_a_call_in_flight_holds_its_session_up_but_not_for_days() -> None:
    connection = empty_memory()
    write(connection, [record(At("a", 0), 0), record(At("b", 0), 1)])
    in_flight = record(At("a", 5), 2)
    write(connection, [{"kind": "open", "uid": "0002", "pid": 1, "process": "p", "call": in_flight}])
    assert make_live_trials(connection, now=EARLIER + 3600) == 1
    assert make_live_trials(connection, now=EARLIER + 5 * 86_400) == 1


def test_an_agent_that_never_pauses_makes_several_trials() -> None:
    found = grouped(*(At("a", number) for number in range(25 * TRIAL_CALLS + 5)))
    assert [len(group) for group in found] == [TRIAL_CALLS] * 25 + [5]


def test_calls_of_one_millisecond_are_never_in_two_trials() -> None:
    found = grouped(*(At("a", number // 150) for number in range(450)))
    assert [len(group) for group in found] == [300, 150]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 6).map(lambda step: step * 200.0) | st.floats(0, 2000).map(lambda at: round(at, 3)),
            st.sampled_from([0.0, 1.0, 150.0, 700.0, None]),
            st.floats(0, 1000),
            st.sampled_from([None, None, "x", "y", "X!"]),
        ),
        max_size=12,
    ),
    st.lists(st.floats(0, 4000), max_size=4),
)
def test_whoever_looks_and_when_the_trials_are_the_same(
    drawn: list[tuple[str, float, float | None, float, str | None]], looks: list[float]
) -> None:
    calls = [At(uid, began, seconds, began + more, intent) for uid, began, seconds, more, intent in drawn]
    connection = empty_memory()
    written: set[int] = set()
    for look in sorted(looks):
        connection.execute("DELETE FROM open_calls")
        for number, at in enumerate(calls):
            made = record(at, number)
            if at.written <= look and number not in written:
                written.add(number)
                write(connection, [made])
            elif at.began <= look < at.written:
                opened = {"pid": 1, "process": "p", "call": made}
                write(connection, [{"kind": "open", "uid": made["uid"], **opened}])
        make_live_trials(connection, now=EARLIER + look)
    connection.execute("DELETE FROM open_calls")
    write(connection, [record(at, number) for number, at in enumerate(calls) if number not in written])
    make_live_trials(connection, now=LATER)
    at_once = empty_memory()
    write(at_once, [record(at, number) for number, at in enumerate(calls)])
    make_live_trials(at_once, now=LATER)
    assert trials(connection) == trials(at_once)
    members = [uid for _, _, uids in trials(at_once) for uid in json.loads(str(uids))]
    assert sorted(members) == [f"{number:04}" for number in range(len(calls))]


def queries(*calls: At) -> list[tuple[str | None, list[int]]]:
    connection = empty_memory()
    write(connection, [record(at, number) for number, at in enumerate(calls)])
    make_live_trials(connection, now=LATER)
    return [(query, [int(uid) for uid in json.loads(str(uids))]) for _, query, uids in trials(connection)]


def at(began: float, intent: str | None = None) -> At:
    return At("a", began, intent=intent)


def test_a_call_that_is_for_something_else_begins_a_trial() -> None:
    assert queries(at(0, "tides"), at(1, "tides"), at(2, "trains"), at(3, "tides")) == [
        *[("tides", [0, 1]), ("trains", [2]), ("tides", [3])]
    ]


def test_a_call_that_says_nothing_belongs_to_the_one_before_it() -> None:
    assert queries(at(0), at(1, "tides"), at(2), at(3, "tides"), at(4, "trains"), at(5), at(400), at(401, "tides")) == [
        *[(None, [0]), ("tides", [1, 2, 3]), ("trains", [4, 5]), (None, [6]), ("tides", [7])]
    ]


def test_the_same_words_are_the_same_intent_and_the_first_spelling_is_the_query() -> None:
    assert queries(at(0, "Find the tides."), at(1, "find the  tides"), at(2, "find tides")) == [
        *[("Find the tides.", [0, 1]), ("find tides", [2])]
    ]


def test_calls_of_one_millisecond_are_one_trial_whatever_they_are_for() -> None:
    assert queries(at(0, "tides"), at(0, "trains"), at(1, "tides"), at(2, "trains")) == [
        *[("tides", [0, 1, 2]), ("trains", [3])]
    ]


def test_a_trial_by_intent_is_listed_with_its_query_and_found_by_it(memory_file: Path) -> None:
    with Memory(memory_file) as memory:
        connection = open_database(memory_file)
        write(connection, [session(uid) for uid in "ab"])
        write(connection, [record(at(0, "when is high tide at Sines"), 0), record(at(1), 1)])
        write(connection, [record(at(2, "the next train to Porto"), 2), record(At("b", 0), 3)])
        connection.close()
        assert [trial.uid for trial in memory.trials(like="tide in Sines")] == ["0000"]
        assert sorted((trial.uid, trial.query) for trial in memory.trials()) == [
            ("0000", "when is high tide at Sines"),
            ("0002", "the next train to Porto"),
            ("0003", None),
        ]
        (found,) = memory.trials(like="trains to Porto")
        assert (found.query, [made.uid for made in found.calls]) == ("the next train to Porto", ["0002"])
        assert {call.uid: call.intent for call in memory.calls()}["0002"] == "the next train to Porto"


def test_trials_are_listed_with_their_client_and_calls_and_can_be_judged(memory_file: Path) -> None:
    with Memory(memory_file) as memory:
        connection = open_database(memory_file)
        named = {"tool_name": "tide", "trial_uid": "of the learner"}
        write(connection, [session("a", "an editor"), record(At("a", 0), 0), record(At("a", 1), 1, corrects="0000")])
        write(connection, [record(At("a", 0.5), 2, **named)])
        (trial,) = memory.trials()
        assert (trial.uid, trial.source, trial.client_name, trial.query, trial.model) == (
            *("0000", "live", "an editor", None, None),
        )
        assert [(made.uid, made.corrects) for made in trial.calls] == [("0000", None), ("0001", "0000")]
        connection.execute(
            """INSERT INTO verdicts (trial_uid, judge, label, confidence, reason, created_at)
            VALUES (?, 'm', 'solved', 0.5, '', 't')""",
            (trial.uid,),
        )
        connection.close()
        assert [judged.uid for judged in memory.trials(label="solved")] == [trial.uid]


def test_a_memory_that_is_held_is_listed_as_it_is(memory_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(memory_file) as memory:
        connection = open_database(memory_file)
        write(connection, [session("a"), record(At("a", 0), 0)])
        connection.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(time, "time", lambda: LATER)
        memory._db.set_busy_timeout(1)
        assert memory.trials() == []
        connection.execute("ROLLBACK")
        connection.close()
        assert [trial.uid for trial in memory.trials()] == ["0000"]


def test_a_relays_calls_become_a_trial_only_later(memory_file: Path) -> None:
    answer = (
        "import json, sys\nfor line in sys.stdin: print(json.dumps({**json.loads(line), 'result': {}}), flush=True)"
    )
    with Peer(memory_file, python(answer)) as peer:
        peer.call(1, "say")
        peer.send(call(2, "say"))
        peer.finish()
    wait_for(memory_file, "SELECT count(*) FROM calls", [(2,)])
    connection = open_database(memory_file)
    assert make_live_trials(connection, now=time.time()) == 0
    assert make_live_trials(connection, now=time.time() + CLOSE_S + 60) == 1
    connection.close()
