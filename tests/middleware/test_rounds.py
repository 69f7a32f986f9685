"""Rounds of one call: a server that asks for input, and a client that sends the call again."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from middleware.rounds import WAITING_LIMIT
from tests.middleware.peer import Peer, call, python, remembered
from tests.middleware.taken import Taken, result

INPUT = {"inputResponses": {"who": {"action": "accept", "content": {"name": "Ada"}}}}

# Asks who is calling, until it is told; with a "word" in the arguments its state is that, backwards.
ASKING = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    params = m["params"]
    if "inputResponses" in params: answer = {"resultType": "complete", "content": []}
    else:
        request = {"method": "elicitation/create", "params": {"message": "Who?"}}
        answer = {"resultType": "input_required", "inputRequests": {"who": request}}
        if "word" in params["arguments"]: answer["requestState"] = params["arguments"]["word"][::-1]
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answer}), flush=True)
"""


def asking(identifier: object, state: object = None) -> dict[str, Any]:
    """A result that asks for input."""
    requests = {"who": {"method": "elicitation/create", "params": {"message": "Who?"}}}
    value: dict[str, Any] = {"resultType": "input_required", "inputRequests": requests}
    return result(identifier, value if state is None else {**value, "requestState": state})


def test_rounds_of_one_call_leave_one_row() -> None:
    taken = Taken()
    taken.asks(call(1, "pay", {"sum": 5}))
    taken.answers(asking(1, "s1"))
    taken.asks(call(2, "pay", {"sum": 5}, requestState="s1", **INPUT))
    taken.answers(asking(2, "s2"))
    taken.asks(call(3, "pay", {"sum": 5}, requestState="s2", **INPUT))
    taken.answers(result(3, {"content": []}))
    columns = ("outcome", "rounds", "arguments_json", "result_json", "jsonrpc_id")
    assert taken.rows("call", *columns) == [("result", 3, '{"sum":5}', '{"content":[]}', "1")]
    (opened, *_) = [made for (made,) in taken.rows("open", "call")]
    assert taken.rows("call", "uid", "created_at") == [(opened["uid"], opened["created_at"])]


def test_a_result_that_asks_for_input_waits_until_it_is_noted() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    passage = taken.relay.server_message(json.dumps(asking(1, "s")).encode())
    assert passage.ticket > 0
    (noted,) = taken.awaited
    assert noted["kind"] == "open"
    assert "input_required" in noted["call"]["result_json"]


def test_answers_and_states_are_never_recorded() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    taken.answers(asking(1, "opens-doors"))
    taken.asks(call(2, "pay", requestState="opens-doors", **INPUT))
    taken.answers(asking(2, {"even": "opens-doors"}))
    taken.recording.end()
    taken.asks(call(3, "pay", requestState="opens-doors", **INPUT))  # known to nobody
    taken.answers(result(3))
    assert taken.rows("call", "rounds") == [(2,), (1,)]
    for secret in ("Ada", "opens-doors"):
        assert secret not in json.dumps(taken.records)


def test_calls_of_one_tool_that_wait_at_once_are_told_apart_by_arguments_or_state() -> None:
    taken = Taken()
    taken.asks(call(1, "pay", {"sum": 1}), call(2, "pay", {"sum": 2}), call(3, "pay", {}), call(4, "pay", {}))
    for message in (asking(1, "same"), asking(2, "same"), asking(3, "one"), asking(4, "two")):
        taken.answers(message)
    taken.asks(call(5, "pay", {}, requestState="two"), call(6, "pay", {"sum": 2}, requestState="same"))
    taken.asks(call(7, "pay", {}, requestState="one"), call(8, "pay", {"sum": 1}, requestState="same"))
    for identifier in (8, 7, 6, 5):
        taken.answers(result(identifier, {"is": identifier}))
    assert taken.rows("call", "jsonrpc_id", "result_json", "rounds") == [
        (first, f'{{"is":{last}}}', 2) for first, last in (("1", 8), ("3", 7), ("2", 6), ("4", 5))
    ]


def test_the_same_call_without_input_is_another_call() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    taken.answers(asking(1))
    taken.asks(call(2, "pay"))
    taken.answers(result(2))
    taken.asks(call(3, "other", **INPUT))
    taken.answers(result(3))
    taken.asks(call(4, "pay", **INPUT))
    taken.answers(result(4))
    assert taken.rows("call", "jsonrpc_id", "rounds") == [("2", 1), ("3", 1), ("1", 2)]


def test_a_call_that_is_never_continued_has_no_answer_and_keeps_what_was_asked() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    taken.answers(asking(1, "s"))
    taken.relay.end()
    ((outcome, text, duration),) = taken.rows("call", "outcome", "result_json", "duration_ms")
    assert (outcome, duration) == ("no_answer", None)
    assert json.loads(text) == asking(1, "[redacted]")["result"]


def test_the_next_round_may_come_by_another_relay_of_the_same_client() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    taken.answers(asking(1, "s"))
    taken.relay.share()
    taken.relay.end()
    taken.relay = taken.another_relay()
    taken.asks(call(1, "pay", requestState="s"))
    taken.answers(result(1))
    assert taken.rows("call", "outcome", "rounds") == [("result", 2)]


def test_rounds_of_a_call_with_a_megabyte_of_arguments_are_joined() -> None:
    taken = Taken()
    arguments = {"text": "x" * 1_000_000, "n": 1}
    taken.asks(call(1, "pay", arguments))
    taken.answers(asking(1, "s"))
    taken.asks(call(2, "pay", arguments, requestState="s", **INPUT))
    taken.answers(result(2))
    assert taken.rows("call", "outcome", "rounds") == [("result", 2)]


def test_a_last_round_that_fails_keeps_no_result() -> None:
    taken = Taken()
    taken.asks(call(1, "pay"))
    taken.answers(asking(1))
    taken.asks(call(2, "pay", **INPUT))
    taken.answers({"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "who?"}})
    assert taken.rows("call", "outcome", "result_json", "error") == [("protocol_error", None, "who?")]


def test_a_cancelled_call_that_asks_for_input_is_over() -> None:
    taken = Taken()
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    taken.asks(call(1, "pay"), cancel)
    taken.answers(asking(1))
    taken.asks(call(2, "pay", **INPUT))
    taken.answers(result(2))
    assert taken.rows("call", "outcome", "rounds") == [("cancelled", 1), ("result", 1)]


def test_calls_abandoned_by_the_thousand_are_closed_oldest_first() -> None:
    taken = Taken()
    for number in range(WAITING_LIMIT + 3):
        taken.asks(call(number, "pay", {"n": number}))
        taken.answers(asking(number))
    assert taken.rows("call", "outcome", "jsonrpc_id") == [("no_answer", str(number)) for number in range(3)]
    taken.recording.end()
    assert len(taken.rows("call", "uid")) == WAITING_LIMIT + 3


@given(st.data())
def test_any_interleaving_of_calls_and_rounds_leaves_one_right_row_a_call(data: st.DataObject) -> None:
    taken = Taken()
    rounds = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    stateless = data.draw(st.lists(st.booleans(), min_size=len(rounds), max_size=len(rounds)))
    done = [0] * len(rounds)
    in_flight: dict[int, int] = {}  # id → call
    next_id = 0
    while in_flight or any(made < wanted for made, wanted in zip(done, rounds, strict=True)):
        idle = [n for n in range(len(rounds)) if done[n] < rounds[n] and n not in in_flight.values()]
        if idle and (not in_flight or data.draw(st.booleans())):
            number = data.draw(st.sampled_from(idle))
            # Stateless calls are told apart by their arguments, the others by their states alone.
            arguments = {"n": number} if stateless[number] else {}
            extra: dict[str, Any] = {} if done[number] == 0 else dict(INPUT)
            if done[number] and not stateless[number]:
                extra["requestState"] = f"{number} of {done[number]}"
            taken.asks(call(next_id, "t", arguments, **extra))
            in_flight[next_id] = number
            next_id += 1
        else:
            identifier = data.draw(st.sampled_from(sorted(in_flight)))
            number = in_flight.pop(identifier)
            done[number] += 1
            if done[number] == rounds[number]:
                taken.answers(result(identifier, {"n": number}))
            else:
                taken.answers(asking(identifier, None if stateless[number] else f"{number} of {done[number]}"))
    found = {json.loads(text)["n"]: made for text, made in taken.rows("call", "result_json", "rounds")}
    assert found == dict(enumerate(rounds))
    assert len(taken.rows("call", "uid")) == len(rounds)


def test_a_relay_killed_between_two_rounds_leaves_what_its_client_saw(memory_file: Path) -> None:
    with Peer(memory_file, python(ASKING)) as peer:
        assert peer.call(1, "pay", {"word": "a sesame"})["result"]["requestState"] == "emases a"
        peer.process.kill()
        peer.process.wait(30)
    ((outcome, rounds, text),) = remembered(memory_file, "outcome, rounds, result_json")
    assert (outcome, rounds, json.loads(text)["resultType"]) == ("no_answer", 1, "input_required")
    assert all(b"emases a" not in path.read_bytes() for path in memory_file.parent.glob("memory.db*"))


def test_a_session_that_ends_between_two_rounds_leaves_a_row_for_each_call(memory_file: Path) -> None:
    with Peer(memory_file, python(ASKING)) as peer:
        peer.call(1, "pay", {"n": 1})
        peer.call(2, "pay", {"n": 2})
        assert peer.call(3, "pay", {"n": 1}, **INPUT)["result"]["resultType"] == "complete"
        assert peer.finish() == 0
    assert sorted(remembered(memory_file, "arguments_json, outcome, rounds")) == [
        ('{"n":1}', "result", 2),
        ('{"n":2}', "no_answer", 1),
    ]
