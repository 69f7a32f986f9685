"""Many clients' ids in one process: no two are the same there, and each client sees its own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.http.hosted.identifiers import PROGRESS_PATH, replaced
from middleware.http.hosted.in_flight import Entry, InFlight

IDS = st.sampled_from([1, 1.0, "1", "practicum-1", "practicum-2", 2])


def request(identifier: object, token: object) -> tuple[dict[str, Any], bytes]:
    message = {"id": identifier, "params": {"_meta": {} if token is None else {"progressToken": token}}}
    return message, json.dumps(message).encode()


@given(st.lists(st.tuples(IDS, st.none() | IDS, st.sampled_from(["answer", "forget", "stay"])), max_size=12))
def test_answers_and_progress_find_their_owner_under_the_owners_own_names(steps: list[tuple[Any, Any, str]]) -> None:
    flight: InFlight[int] = InFlight()
    open_ones: dict[int, tuple[Entry[int], Any, Any]] = {}
    for owner, (identifier, token, then) in enumerate(steps):
        message, line = request(identifier, token)
        entry = flight.enter(owner, message, line)
        sent = json.loads(replaced(line, entry.to_server))
        open_ones[owner] = entry, sent["id"], sent["params"]["_meta"].get("progressToken")
        for known, (one, its_id, its_token) in open_ones.items():
            assert flight.of_id(its_id) == one.owner
            assert one.owner in (known, None)
            if its_token is not None:
                assert flight.of_token(its_token) == one.owner
        answer = replaced(json.dumps({"id": sent["id"], "result": {}}).encode(), entry.to_client)
        assert json.loads(answer)["id"] == identifier
        if token is not None:
            progress = {"params": {"progressToken": sent["params"]["_meta"]["progressToken"]}}
            assert json.loads(replaced(json.dumps(progress).encode(), entry.to_client)) == {
                PROGRESS_PATH[0]: {PROGRESS_PATH[1]: token}
            }
        if then == "answer":
            assert flight.answered(sent["id"]) == owner
            assert flight.of_id(sent["id"]) is None
            del open_ones[owner]
        elif then == "forget":
            flight.forget(entry)
    waiting = [owner for owner, (one, _, _) in open_ones.items() if one.owner is not None]
    assert list(flight.newest_first()) == waiting[::-1]


def test_a_name_that_is_free_passes_as_it_is_and_a_forgotten_one_is_not_free() -> None:
    flight: InFlight[str] = InFlight()
    first = flight.enter("first", *request(7, "t"))
    assert first.to_server == {}
    flight.forget(first)
    second = flight.enter("second", *request(7, "t"))
    assert len(second.to_server) == 2
    assert flight.answered(7) is None  # late, and for nobody
    assert flight.enter("third", *request(7, "t")).to_server == {}


def test_a_broken_message_is_not_taken_for_another_ones() -> None:
    flight: InFlight[str] = InFlight()
    flight.enter("first", *request(7, None))
    with pytest.raises(ValueError, match="no colon"):
        flight.enter("second", {"id": 7}, b'{"params" ?, "id": 7}')
    assert flight.of_id(7) == "first"
