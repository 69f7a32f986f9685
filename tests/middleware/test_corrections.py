"""A failed call, and the good one to the same tool after it."""

import json
from pathlib import Path
from typing import Any

from middleware.corrections import Corrections
from middleware.memory.database import open_database
from middleware.memory.identity import TRIAL_META_KEY
from middleware.memory.live import CLOSE_S
from tests.middleware.peer import TIMEOUT_S, Peer, call, python, remembered, wait_for
from tests.middleware.taken import Taken, result

# Refuses what is no number, and says so as a tool does, or as the protocol does where it is a list.
STRICT = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    n = m["params"]["arguments"].get("n")
    if isinstance(n, list): answer = {"error": {"code": -32602, "message": "no list"}}
    else: answer = {"result": {"content": [], "isError": not isinstance(n, int)}}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer}), flush=True)
"""


def failure(identifier: object) -> dict[str, Any]:
    return result(identifier, {"content": [], "isError": True})


def one_by_one(taken: Taken, *calls: tuple[str, object, bool]) -> list[int | None]:
    """Make each call (tool, argument, whether it goes well), and return which of them each corrects."""
    for number, (tool, value, good) in enumerate(calls):
        taken.asks(call(number, tool, {"n": value}))
        taken.answers(result(number) if good else failure(number))
    return corrected(taken)


def corrected(taken: Taken) -> list[int | None]:
    """Return for each call, in the order of the requests, the id of the one that it corrects."""
    rows = taken.rows("call", "uid", "corrects", "jsonrpc_id")
    identifiers = {uid: int(text) for uid, _, text in rows}
    return [None if uid is None else identifiers[uid] for _, uid, _ in sorted(rows, key=lambda row: int(row[2]))]


def test_a_good_call_corrects_the_last_failure_of_its_tool_once() -> None:
    calls = (("a", 1, False), ("a", 2, False), ("b", 1, True), ("a", 3, True), ("a", 4, True))
    assert one_by_one(Taken(), *calls) == [None, None, None, 1, None]


def test_a_protocol_error_is_a_failure_too() -> None:
    taken = Taken()
    taken.asks(call(0, "a", {"n": []}))
    taken.answers({"jsonrpc": "2.0", "id": 0, "error": {"code": -32602, "message": "no"}})
    taken.asks(call(1, "a", {"n": 1}))
    taken.answers(result(1))
    assert corrected(taken) == [None, 0]


def test_the_arguments_that_failed_correct_nothing_when_they_work_after_all() -> None:
    assert one_by_one(Taken(), ("a", 1, False), ("a", 1, True), ("a", 2, True)) == [None, None, None]
    taken = Taken()
    for number, arguments in enumerate(({"a": 1, "b": 2}, {"b": 2, "a": 1})):
        taken.asks(call(number, "t", arguments))
        taken.answers(result(number) if number else failure(number))
    assert corrected(taken) == [None, None]


def test_a_type_that_was_wrong_is_a_correction() -> None:
    assert one_by_one(Taken(), ("a", 1, False), ("a", True, True)) == [None, 0]


def test_a_call_without_an_answer_is_no_failure_of_its_caller() -> None:
    taken = Taken()
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 0}}
    taken.asks(call(0, "a", {"n": 1}), cancel)
    taken.answers({"jsonrpc": "2.0", "id": 0, "error": {"code": 0, "message": "cancelled"}})
    taken.asks(call(1, "a", {"n": 2}))
    taken.answers(result(1))
    assert corrected(taken) == [None, None]


def test_a_call_sent_before_the_failure_was_seen_corrects_nothing() -> None:
    taken = Taken()
    taken.asks(call(0, "a", {"n": 1}), call(1, "a", {"n": 2}))
    taken.answers(failure(0))
    taken.answers(result(1))
    taken.asks(call(2, "a", {"n": 3}))
    taken.answers(result(2))
    assert corrected(taken) == [None, None, 0]


def test_of_two_good_calls_sent_at_once_the_first_to_be_answered_is_the_correction() -> None:
    taken = Taken()
    taken.asks(call(0, "a", {"n": 0}))
    taken.answers(failure(0))
    taken.asks(call(1, "a", {"n": 1}), call(2, "a", {"n": 2}))
    taken.answers(result(2))
    taken.answers(result(1))
    assert corrected(taken) == [None, None, 0]


def test_a_correction_belongs_to_the_same_trial() -> None:
    taken = Taken(trial_token="t")
    for number, trial in enumerate(("one", "two", "one")):
        meta = {TRIAL_META_KEY: {"token": "t", "uid": trial}}
        taken.asks(call(number, "a", {"n": number}, _meta=meta))
        taken.answers(result(number) if number else failure(number))
    assert corrected(taken) == [None, None, 0]


def test_a_failure_long_ago_is_not_corrected_any_more() -> None:
    corrections = Corrections()
    record = {"uid": "u", "tool_name": "t", "trial_uid": None}
    corrections.failed(record, "hash", 10.0)
    assert corrections.open_to("t", None, 10.0 + CLOSE_S) is not None
    assert corrections.open_to("t", None, 10.1 + CLOSE_S) is None


def test_failures_of_tools_by_the_thousand_do_not_pile_up() -> None:
    corrections = Corrections()
    for number in range(1000):
        corrections.failed({"uid": "u", "tool_name": str(number), "trial_uid": None}, "", 0.0)
    kept = [number for number in range(1000) if corrections.open_to(str(number), None, 0.0)]
    assert kept == list(range(1000 - len(kept), 1000))
    assert 100 < len(kept) < 500


def test_a_correction_holds_although_the_memory_was_locked_and_the_relay_killed(memory_file: Path) -> None:
    with Peer(memory_file, python(STRICT)) as peer:
        peer.call(0, "other", {"n": 0})
        wait_for(memory_file, "SELECT count(*) FROM calls", [(1,)])
        holder = open_database(memory_file)
        holder.execute("BEGIN EXCLUSIVE")
        assert peer.call(1, "t", {"n": "one"})["result"]["isError"] is True
        assert peer.call(2, "t", {"n": [1]})["error"]["code"] == -32602
        assert peer.call(3, "t", {"n": 1})["result"]["isError"] is False
        peer.process.kill()
        peer.process.wait(TIMEOUT_S)
        holder.execute("ROLLBACK")
        holder.close()
    rows = {
        json.loads(identifier): (uid, of)
        for uid, of, identifier in remembered(memory_file, "uid, corrects, jsonrpc_id")
    }
    assert [rows[number][1] for number in range(4)] == [None, None, None, rows[2][0]]
