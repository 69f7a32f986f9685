"""What is too old or too much is thinned; counts, judged trials and gold stay."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from middleware.memory.errors import MemoryFileError
from middleware.memory.identity import new_uid
from middleware.memory.records import CallMade, Trial, Verdict
from middleware.memory.rows import write
from middleware.memory.store import Memory
from tests.conftest import a_call

OLD, NEW = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
SAID = '{"said": "MARKER"}'
FOREVER, ANY_SIZE = 1e9, 10**12


def add(memory: Memory, *uids: str, **columns: object) -> None:
    rows = [a_call(uid, **{"arguments_json": SAID, "created_at": OLD, **columns}) for uid in uids]
    assert write(memory._db, rows) == 0


def said(memory: Memory) -> Mapping[str, bool]:
    rows = memory._db.execute("SELECT uid, arguments_json FROM calls").fetchall()
    return {str(uid): text is not None for uid, text in rows}


def test_old_calls_lose_what_they_said_and_keep_their_row(memory: Memory) -> None:
    add(memory, "old", result_json=SAID, jsonrpc_id='"MARKER"')
    add(memory, "failed", outcome="tool_error", error="MARKER")
    add(memory, "new", created_at=NEW)
    assert memory.calls(search="marker")
    assert memory.retention.due(keep_days=90).old_calls == 2
    told: list[int] = []
    pruned = memory.retention.prune(keep_days=90, progress=told.append)
    assert (pruned.calls, sum(told), pruned.bytes_over) == (2, 2, 0)
    rows = memory._db.execute(
        "SELECT uid, outcome, coalesce(arguments_json, result_json, error, jsonrpc_id) IS NULL, capture FROM calls"
    ).fetchall()
    assert rows == [("old", "result", 1, "off"), ("failed", "tool_error", 1, "off"), ("new", "result", 0, None)]
    assert [call.uid for call in memory.calls(search="marker")] == ["new"]
    assert not memory.retention.due(keep_days=90)


def test_what_was_thinned_is_in_no_file(memory_file: Path, memory: Memory) -> None:
    add(memory, *(f"{number}" for number in range(50)), result_json=f'"{"MARKER" * 300}"')
    memory.calls(search="marker")
    memory.retention.prune(keep_days=90)
    assert not [path for path in memory_file.parent.rglob("*") if path.is_file() and b"MARKER" in path.read_bytes()]


def test_calls_of_judged_trials_and_gold_stay_whole(memory: Memory) -> None:
    verdict = Verdict("responses", "solved", 0.6, "accepted")
    trial = Trial(new_uid(), "how high", "explore", "recall", "s", (), verdict, created_at=OLD)
    gold = Trial(new_uid(), "how low", "import", None, "s", (CallMade("t", {"a": 1}),), verdict, origin="x")
    unjudged = Trial(new_uid(), "how wide", "explore", "recall", "s", (), None, created_at=OLD)
    assert memory.add_trials([trial, gold, unjudged]) == 3
    add(memory, "judged", trial_uid=trial.uid)
    add(memory, "unjudged", trial_uid=unjudged.uid)
    # A live one names its session and times instead of being named.
    add(memory, "live", session_uid="u")
    memory._db.execute(
        "INSERT INTO trials (uid, source, created_at, session_uid, last_call_at) VALUES ('l', 'live', ?1, 'u', ?1)",
        (OLD,),
    )
    memory._db.execute("INSERT INTO verdicts VALUES (NULL, 'l', 'person', 'solved', 1, 'good', ?)", (OLD,))
    memory.retention.prune(keep_days=0, keep_bytes=0)
    assert {uid for uid, whole in said(memory).items() if not whole} == {"unjudged"}


def test_the_query_of_an_old_live_trial_goes_with_its_calls_unless_it_was_judged(memory: Memory) -> None:
    add(memory, "a", session_uid="u")
    for uid, created_at in (("judged", OLD), ("unjudged", OLD), ("new", NEW)):
        memory._db.execute(
            "INSERT INTO trials (uid, source, query, created_at, session_uid, last_call_at) "
            "VALUES (?1, 'live', 'how ' || ?1, ?2, 'v', ?2)",
            (uid, created_at),
        )
    memory._db.execute("INSERT INTO verdicts VALUES (NULL, 'judged', 'person', 'solved', 1, 'good', ?)", (OLD,))
    assert len(memory.trials(like="how")) == 3
    memory.retention.prune(keep_days=90)
    assert {trial.query for trial in memory.trials(like="how judged unjudged new")} == {"how judged", "how new"}
    assert len(memory.trials()) == 3


def test_a_memory_that_is_too_large_loses_the_oldest_first_and_no_more_than_it_must(memory: Memory) -> None:
    add(memory, *(f"{number:04}" for number in range(1000)), result_json=f'"{"x" * 3000}"', created_at=NEW)
    limit = 2_000_000
    assert memory.retention.due(keep_days=FOREVER, keep_bytes=limit).bytes_over > 0
    pruned = memory.retention.prune(keep_days=FOREVER, keep_bytes=limit)
    assert pruned.bytes_after < limit
    assert pruned.bytes_after > limit * 0.8
    whole = [kept for _, kept in sorted(said(memory).items())]
    assert whole == sorted(whole)
    assert whole.count(False) == pruned.calls


def test_thinning_by_age_counts_towards_the_size(memory: Memory) -> None:
    add(memory, *(f"{number}" for number in range(100)), result_json=f'"{"x" * 3000}"')
    add(memory, *(f"{number}" for number in range(100, 200)), result_json=f'"{"x" * 3000}"', created_at=NEW)
    assert memory.retention.prune(keep_days=90, keep_bytes=600_000).calls == 100


def test_a_memory_that_cannot_be_made_small_enough_says_by_how_much(memory: Memory) -> None:
    add(memory, "a")
    pruned = memory.retention.prune(keep_days=FOREVER, keep_bytes=1)
    assert pruned.bytes_over == pruned.bytes_after - 1


def test_nothing_happens_where_nothing_is_due(memory_file: Path, memory: Memory) -> None:
    add(memory, "a")
    before = memory_file.read_bytes()
    assert memory.retention.prune(keep_days=FOREVER, keep_bytes=ANY_SIZE).calls == 0
    assert memory_file.read_bytes() == before
    assert not memory.retention.due(keep_days=FOREVER, keep_bytes=ANY_SIZE)


def test_a_disk_without_room_is_said_before_anything_changes(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    add(memory, "a")
    full = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    with pytest.raises(MemoryFileError, match="0 MB free"):
        memory.retention.prune(keep_days=90)
    assert said(memory) == {"a": True}
