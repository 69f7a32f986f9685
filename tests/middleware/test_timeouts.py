"""Requests that wait too long, without any transport and with one."""

import json
from pathlib import Path
from typing import Any

import pytest

from middleware.memory.writer import FIRST_LOOK
from middleware.relay import Relay
from middleware.settings import Settings
from tests.middleware.peer import TIMEOUT_S, Peer, call, python, remembered
from tests.middleware.taken import Taken, result


class Timed(Taken):
    """A relay whose clock stands still until it is told to go on."""

    def __init__(self, timeout_s: float | None = 10) -> None:
        super().__init__()
        self.now = 100.0
        settings = Settings(timeout_s=timeout_s)
        self.relay = Relay(self.recording, lambda: self.hints, settings=settings, clock=lambda: self.now)

    def after(self, seconds: float) -> tuple[list[Any], list[Any]]:
        """Let time pass; return the ids of the errors for the client, and what the server is told."""
        self.now += seconds
        found = self.relay.overdue()
        errors = [json.loads(passage.data) for passage in found.to_client]
        assert all(error["error"]["code"] == -32001 for error in errors)
        return [error["id"] for error in errors], [json.loads(line)["params"]["requestId"] for line in found.to_server]

    def says(self, message: object) -> bytes:
        return self.relay.server_message(json.dumps(message).encode() + b"\n").data


def asked(identifier: object, token: object = None) -> dict[str, Any]:
    return call(identifier, "a", _meta={"progressToken": token})


def test_a_request_without_an_answer_is_overdue_once() -> None:
    timed = Timed()
    timed.asks(call("x", "a"))
    assert timed.after(4) == ([], [])
    timed.asks({"jsonrpc": "2.0", "id": 2, "method": "ping"})
    assert timed.relay.overdue_in() == 6
    assert timed.after(6) == (["x"], ["x"])
    assert timed.relay.overdue_in() == 4
    assert timed.after(4) == ([2], [2])
    assert timed.relay.overdue_in() == 56  # then the first of them is forgotten
    assert timed.relay.end("it died") == []
    ((outcome, error),) = timed.rows("call", "outcome", "error")
    assert outcome == "no_answer"
    assert "no answer in 10 s" in error


def test_an_error_for_an_overdue_call_waits_for_its_row() -> None:
    timed = Timed()
    timed.asks(call("x", "a"))
    timed.now += 11
    (passage,) = timed.relay.overdue().to_client
    assert passage.ticket == FIRST_LOOK + len(timed.records)


def test_a_late_answer_is_dropped_and_what_comes_with_it_is_not() -> None:
    timed = Timed()
    timed.asks(call(1, "a"), call(2, "b"), call(3, "c"))
    timed.after(11)
    timed.asks(call(4, "d"))
    assert timed.says(result(1)) == b""
    assert timed.says([result(2), result(3)]) == b""
    assert json.loads(timed.says([result(2), result(4), {"x": 1}])) == [result(2), result(4), {"x": 1}]
    timed.asks(call(5, "e"))
    timed.after(11)
    timed.asks(call(6, "f"))
    assert json.loads(timed.says([result(5), result(6), {"x": 1}])) == [result(6), {"x": 1}]
    assert timed.rows("call", "tool_name", "outcome")[-3:] == [("d", "result"), ("e", "no_answer"), ("f", "result")]


def test_what_a_server_never_answers_is_forgotten_after_a_while() -> None:
    timed = Timed()
    timed.asks(*(call(number, "a") for number in range(3)))
    held = [timed.relay.edits_answers]
    timed.after(11)
    held.append(timed.relay.edits_answers)
    assert timed.says(result(1)) == b""
    timed.after(61)
    assert [*held, timed.relay.edits_answers] == [False, True, False]
    assert json.loads(timed.says(result(2))) == result(2)  # nobody waits for it, and nobody minds


def test_an_id_used_again_gets_its_own_answer() -> None:
    timed = Timed()
    timed.asks(call(1, "a"))
    timed.after(11)
    timed.asks(call(1, "b"))
    assert json.loads(timed.says(result(1))) == result(1)
    assert timed.says(result(1)) == b""


def test_progress_starts_the_time_anew_for_its_own_request() -> None:
    timed = Timed()
    timed.asks(asked(1, "p"), asked(2, 1), call(3, "a"))
    timed.now += 8
    timed.says({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p"}})
    assert timed.after(3)[0] == [2, 3]
    assert timed.after(6)[0] == []
    assert timed.after(1)[0] == [1]


@pytest.mark.parametrize("how", ["answered", "cancelled"])
def test_no_time_runs_while_the_server_waits_for_the_client(how: str) -> None:
    timed = Timed()
    timed.asks(call(1, "a"))
    timed.says({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {}})
    assert timed.after(1000) == ([], [])
    assert timed.relay.overdue_in() is None
    if how == "answered":
        timed.asks({"jsonrpc": "2.0", "id": 1, "result": {"action": "decline"}})
    else:
        timed.says({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    assert timed.after(9) == ([], [])
    assert timed.after(1) == ([1], [1])


def test_a_handshake_is_not_cancelled_and_a_subscription_never_overdue() -> None:
    timed = Timed()
    timed.asks(*({"jsonrpc": "2.0", "id": name, "method": name} for name in ("initialize", "subscriptions/listen")))
    assert timed.after(11) == (["initialize"], [])
    assert timed.after(1000) == ([], [])


def test_cancelled_and_answered_requests_are_not_overdue_and_without_a_limit_none_is() -> None:
    timed = Timed()
    timed.asks(call(1, "a"), call(2, "b"))
    timed.asks({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    timed.says(result(2))
    assert timed.after(11) == ([], [])
    timed = Timed(None)
    timed.asks(call(1, "a"))
    assert timed.after(1e9) == ([], [])
    assert timed.relay.overdue_in() is None


# Answers a request when it reads that it was cancelled, as it should not.
LATE = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "notifications/cancelled":
        answer = {"jsonrpc": "2.0", "id": message["params"]["requestId"], "result": {"late": True}}
        print(json.dumps(answer), flush=True)
        print(json.dumps({"jsonrpc": "2.0", "method": "told", "params": message["params"]}), flush=True)
"""


def test_a_server_that_hangs_is_answered_for_when_the_person_says_so(memory_file: Path) -> None:
    with Peer(memory_file, python(LATE), options=["--timeout", "0.2"]) as peer:
        error = peer.call("x", "hang")
        assert error["id"] == "x"
        assert "no answer in 0.2 s" in error["error"]["message"]
        told = peer.message()
        assert told["method"] == "told"
        assert told["params"] == {"requestId": "x", "reason": error["error"]["message"]}
        peer.stdin.close()
        assert peer.line() == b""
        assert peer.process.wait(TIMEOUT_S) == 0
    assert remembered(memory_file, "outcome, error") == [("no_answer", error["error"]["message"])]


def test_while_an_answer_may_have_to_be_kept_back_long_ones_are_held_whole() -> None:
    timed = Timed()
    timed.asks(call(1, "a"))
    held = [timed.relay.edits_answers]
    timed.after(11)
    held.append(timed.relay.edits_answers)
    timed.says(result(1))
    held.append(timed.relay.edits_answers)
    assert held == [False, True, False]
