"""The relay without any transport: pairing, hints, notifications."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from middleware.abridge import Abridger
from middleware.hints import appending
from middleware.listing import rewrite
from middleware.memory.identity import TRIAL_META_KEY, tool_hash
from middleware.memory.writer import FIRST_LOOK
from middleware.messages import list_changed
from tests.middleware.peer import call
from tests.middleware.taken import Taken, result


def test_ids_of_different_types_are_different_ids() -> None:
    taken = Taken()
    ids = [1, "1", True, None, "None", "null", 0, False]
    taken.asks(*(call(identifier, f"{identifier!r}") for identifier in ids))
    for identifier in reversed(ids):
        taken.answers(result(identifier, {"is": repr(identifier)}))
    assert len(taken.rows("call", "uid")) == len(ids)
    assert all(json.loads(value) == {"is": name} for name, value in taken.rows("call", "tool_name", "result_json"))


def test_ids_in_flight_twice_are_answered_in_the_order_of_the_requests() -> None:
    taken = Taken()
    taken.asks(call(1, "a"), {"jsonrpc": "2.0", "id": 1, "method": "ping"}, call(1, "b"))
    for value in ("first", "second", "third"):
        taken.answers(result(1, {"is": value}))
    assert taken.rows("call", "tool_name", "result_json") == [("a", '{"is":"first"}'), ("b", '{"is":"third"}')]


def test_a_parse_error_answers_no_call() -> None:
    taken = Taken()
    taken.asks(call(None, "a"))
    taken.answers({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}})
    taken.answers(result(None))
    assert taken.rows("call", "outcome") == [("result",)]


def test_an_answer_that_crosses_the_cancellation_is_still_the_answer() -> None:
    taken = Taken()
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    taken.asks(call(1, "a"), {**cancel, "params": {"requestId": 1}})
    taken.answers(result(1))
    taken.asks(call(2, "b"), {**cancel, "params": {"requestId": 2}})
    taken.answers({"jsonrpc": "2.0", "id": 2, "error": {"code": 0, "message": "Request cancelled"}})
    assert taken.rows("call", "tool_name", "outcome") == [("a", "result"), ("b", "cancelled")]
    assert taken.relay.settle() is None


def test_errors_for_what_the_server_leaves_unanswered_wait_for_their_rows() -> None:
    taken = Taken()
    taken.asks({"jsonrpc": "2.0", "id": "p", "method": "ping"}, call(1, "a"), call(2, "b"))
    taken.answers(result(2))
    pinged, called = taken.relay.end("it died")
    assert json.loads(pinged.data) == {"jsonrpc": "2.0", "id": "p", "error": {"code": -32000, "message": "it died"}}
    assert json.loads(called.data)["id"] == 1
    assert called.ticket == FIRST_LOOK + len(taken.records)
    assert taken.rows("call", "tool_name", "outcome", "error")[1:] == [("a", "no_answer", "it died")]
    assert taken.relay.end("it died") == []


def test_the_handshake_tells_client_and_revision() -> None:
    taken = Taken()
    info = {"name": "a client", "version": "1.2"}
    params = {"protocolVersion": "2025-11-25", "clientInfo": info, "capabilities": {}}
    taken.asks({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    taken.answers(result(0, {"protocolVersion": "2025-06-18", "capabilities": {}}))
    last = taken.rows("session", "client_name", "client_version", "protocol_version")[-1]
    assert last == ("a client", "1.2", "2025-06-18")


def test_a_modern_request_tells_client_and_revision() -> None:
    taken = Taken()
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "a client", "version": "1.2"},
    }
    taken.asks(call(1, "a", _meta=meta), call(2, "a", _meta=meta))
    sessions = taken.rows("session", "client_name", "client_version", "protocol_version")
    assert sessions == [("a client", "1.2", "2026-07-28")]


def test_a_call_carries_the_hash_of_the_definition_last_listed_on_any_page() -> None:
    taken = Taken()
    one = {"name": "one", "inputSchema": {"properties": {"password": {"type": "string"}}}}
    old, new = {"name": "two", "title": "old"}, {"name": "two", "title": "new"}
    for identifier, tools in ((1, [one]), (2, [old]), (3, [new, one])):
        taken.asks({"jsonrpc": "2.0", "id": identifier, "method": "tools/list", "params": {"cursor": "x"}})
        taken.answers(result(identifier, {"tools": tools}))
    taken.asks(call(4, "one"), call(5, "two"), call(6, "three"))
    for identifier in (4, 5, 6):
        taken.answers(result(identifier))
    assert taken.rows("tool", "hash", "definition_json") == [
        (tool_hash(tool), json.dumps(tool, separators=(",", ":"))) for tool in (one, old, new)
    ]
    assert taken.rows("call", "tool_hash") == [(tool_hash(one),), (tool_hash(new),), (None,)]


def test_secrets_are_taken_out_of_everything_that_is_written() -> None:
    taken = Taken()
    taken.asks(call(1, "a", {"password": "hunter2"}), call(2, "a", {"x": "token=hunter2"}))
    taken.answers(result(1, {"content": [{"type": "text", "text": '{"api_key": "hunter2"}'}], "isError": True}))
    taken.answers({"jsonrpc": "2.0", "id": 2, "error": {"code": 1, "message": "m", "data": {"secret": "hunter2"}}})
    assert len(taken.rows("call", "uid")) == 2
    assert "hunter2" not in json.dumps(taken.records)


def test_the_trial_is_taken_from_any_method_and_every_repetition() -> None:
    taken = Taken(trial_token="t")
    key = json.dumps(TRIAL_META_KEY).replace("/", r"\/")
    line = f'[{{"params":{{"_meta":{{{key}:1,"a":1}},"_meta":{{"b":2,{key}:{{"x":[]}}}}}}}},{{"method":1}}, 7 ]\n'
    kept = '[{"params":{"_meta":{"a":1},"_meta":{"b":2}}},{"method":1}, 7 ]\n'
    assert taken.relay.to_server(line.encode()) == kept.encode()
    for odd in (b"no json\n", b'{"params":{"_meta":[1]}}\n', b'{"params":3}\n', b"[]\n", b'{"params":{"_meta":{\n'):
        assert taken.relay.to_server(odd) == odd


texts = st.text(max_size=20)
tools = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", "ü"])},
        optional={"description": texts | st.none(), "inputSchema": st.just({"description": "not me"}), "x": texts},
    ),
    max_size=4,
)


@given(tools, texts, st.booleans(), st.sampled_from([None, 1]), st.integers(0, 5000))
def test_exactly_the_descriptions_grow(
    listed: list[dict[str, Any]], hint: str, ascii_only: bool, indent: int | None, ttl: int
) -> None:
    hints = {(tool_hash(tool), tool["name"]): hint for tool in listed[:1]}
    message = result(1, {"tools": listed, "ttlMs": ttl, "cacheScope": "public", "nextCursor": "x"})
    data = json.dumps(message, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass") + b" \n"
    expected = json.loads(json.dumps(message))
    for tool in expected["result"]["tools"]:
        if (tool_hash(tool), tool["name"]) in hints:
            old = tool.get("description")
            tool["description"] = hint if old is None else f"{old}\n\n{hint}"
            expected["result"] |= {"ttlMs": min(ttl, 1000), "cacheScope": "private"}
    rewritten = rewrite(data, [0], [appending(hints)])
    assert json.loads(rewritten) == json.loads(json.dumps(expected))
    if not listed:
        assert rewritten == data


def test_a_hint_changes_no_byte_but_its_own() -> None:
    tool = r'{ "title":"\u00e9" ,"name":"t", "description" : "old \"text\"" , "n": 1.50 }'
    hints = {(tool_hash(json.loads(tool)), "t"): 'a "new"\nline é'}
    line = f'{{"id":1, "result" :{{"tools":[ {tool}, {{"name":"t"}} ],"x":1e2}}}}\n'
    grown = tool.replace(r"\"text\"", r"\"text\"\n\na \"new\"\nline \u00e9")
    assert rewrite(line.encode(), [0], [appending(hints)]) == line.replace(tool, grown).encode()
    assert rewrite(b"[" + line.strip().encode() + b",1]", [0], [appending(hints)]).count(b"new") == 1


def test_a_changed_definition_or_another_response_gets_no_hint() -> None:
    taken = Taken()
    tool = {"name": "t", "description": "d"}
    taken.hints = {(tool_hash(tool), "t"): "hint"}
    taken.asks(*({"jsonrpc": "2.0", "id": number, "method": "tools/list"} for number in (1, 2)))
    taken.asks({"jsonrpc": "2.0", "id": 3, "method": "vendor/list"})
    assert taken.answers(result(1, {"tools": [tool]}))["result"]["tools"][0]["description"] == "d\n\nhint"
    changed = {**tool, "description": "d!"}
    assert taken.answers(result(2, {"tools": [changed]}))["result"]["tools"] == [changed]
    assert taken.answers(result(3, {"tools": [tool]}))["result"]["tools"] == [tool]
    # What is remembered is the server's own.
    assert "hint" not in json.dumps(taken.rows("tool", "definition_json"))


def test_the_client_is_told_of_new_hints_where_it_can_hear() -> None:
    taken = Taken()
    taken.asks({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}})
    taken.answers(result(0, {"capabilities": {"tools": {"listChanged": True}}}))
    assert list(taken.relay.hints_changed()) == []
    taken.asks({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert list(taken.relay.hints_changed()) == [list_changed()]


def test_a_subscription_hears_of_new_hints_from_its_acknowledgement_to_its_end() -> None:
    taken = Taken()
    wanted = {"notifications": {"toolsListChanged": True}}
    taken.asks({"jsonrpc": "2.0", "id": "s", "method": "subscriptions/listen", "params": wanted})
    assert list(taken.relay.hints_changed()) == []
    meta = {"io.modelcontextprotocol/subscriptionId": "s"}
    acknowledged = "notifications/subscriptions/acknowledged"
    taken.answers({"jsonrpc": "2.0", "method": acknowledged, "params": {**wanted, "_meta": meta}})
    (line,) = taken.relay.hints_changed()
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "method": "notifications/tools/list_changed",
        "params": {"_meta": meta},
    }
    taken.asks({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "s"}})
    assert list(taken.relay.hints_changed()) == []


def test_a_long_listing_is_read_whole_and_gets_its_hints() -> None:
    taken = Taken()
    tools = [{"name": f"t{number}", "description": "d" * 50_000} for number in range(8)]
    taken.hints = {(tool_hash(tools[-1]), "t7"): "hint"}
    taken.asks({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert taken.relay.edits_answers
    shown = taken.answers(result(1, {"tools": tools}))["result"]["tools"]
    assert [tool["description"].endswith("\n\nhint") for tool in shown] == [False] * 7 + [True]
    assert taken.rows("tool", "hash") == [(tool_hash(tool),) for tool in tools]
    assert not taken.relay.edits_answers


def test_a_listing_of_which_only_a_part_was_kept_is_not_recorded() -> None:
    taken = Taken()
    taken.asks({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    abridger = Abridger()
    abridger.feed(json.dumps(result(1, {"tools": [{"name": "t", "description": "d" * 500_000}]})).encode())
    assert taken.relay.server_message(abridger.finish(), abridger.size).finish is None
    assert taken.rows("tool", "name") == []


def test_long_arguments_and_results_are_cut_and_say_so_though_no_long_text_is_left() -> None:
    taken = Taken()
    # Six bytes a character: what is left of it after the cut is far below the limit of a row.
    long = "\u00e9" * 60_000
    taken.asks(call(1, "t", {"text": long}), call(2, "t", {"text": "short"}, _meta={"x": long}))
    taken.answers(result(1, {"content": [{"type": "text", "text": long}], "isError": True}))
    ((arguments, returned, error),) = taken.rows("call", "arguments_json", "result_json", "error")
    assert json.loads(arguments)["text"].endswith("\u00e9 [cut]")
    assert json.loads(arguments)["practicum/cut"]["bytes"] > len(json.dumps(long))
    assert json.loads(returned)["content"][0]["text"].endswith("\u00e9 [cut]")
    assert json.loads(returned)["practicum/cut"]["bytes"] > len(json.dumps(long))
    assert json.loads(returned)["isError"] is True
    assert error.startswith("\u00e9")


def test_a_refusal_and_a_retry_are_read_behind_long_members() -> None:
    taken = Taken()
    taken.asks(call(1, "t"), call(2, "t"))
    taken.answers({"error": {"data": "x" * 400_000, "message": "no", "code": -32602}, "id": 1})
    taken.answers({"result": {"content": ["x" * 400_000], "isError": True}, "id": 2})
    assert taken.rows("call", "outcome", "error_code") == [("protocol_error", -32602), ("tool_error", None)]
