"""Intents without any transport: declared in listings, taken out of calls, kept in rows; nothing else changes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from middleware.intent import ARGUMENT, Intents
from middleware.listing import rewrite
from middleware.memory.identity import INTENT_ARGUMENT, TRIAL_META_KEY, tool_hash
from middleware.recording import INTENT_LIMIT
from middleware.settings import Settings
from tests.middleware.peer import call
from tests.middleware.taken import Taken, result

NAME = INTENT_ARGUMENT
DECLARED = f'"{NAME}":{json.dumps(ARGUMENT)}'
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def asking(**more: Any) -> Taken:
    return Taken(settings=Settings(intent=True), **more)


def shown(intents: Intents, *tools: str) -> list[str]:
    """Return each tool's text as a client is shown it, and see that nothing around them has changed."""
    around = '{"id": 1, "result" :{"tools":[ ', " , ", ' ],"x":1e2}}\n'
    data = around[0] + around[1].join(tools) + around[2]
    rewritten = rewrite(data.encode(), [0], [intents.declare]).decode()
    assert rewritten.startswith(around[0])
    assert rewritten.endswith(around[2])
    found = rewritten[len(around[0]) : -len(around[2])].split(around[1])
    assert len(found) == len(tools)
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ "type" : "object" }', f'{{"properties":{{{DECLARED}}}, "type" : "object" }}'),
        ("{}", f'{{"properties":{{{DECLARED}}}}}'),
        ("{ }", f'{{"properties":{{{DECLARED}}} }}'),
        ('{"properties": { }}', f'{{"properties": {{{DECLARED}}}}}'),
        (
            '{"properties":{ "a" : {"type":"\\u0073tring"} },"additionalProperties":false, "required":[ "a" ]}',
            '{"properties":{ "a" : {"type":"\\u0073tring"}, '
            + DECLARED
            + ' },"additionalProperties":false, "required":[ "a" ]}',
        ),
        # Of repeated members the last one counts, as for parsers.
        ('{"properties":{},"properties":{"a":{}}}', f'{{"properties":{{}},"properties":{{"a":{{}}, {DECLARED}}}}}'),
        ("true", f'{{"type":"object","properties":{{{DECLARED}}}}}'),
    ],
)
def test_the_argument_is_declared_and_no_other_byte_changes(before: str, after: str) -> None:
    tool = '{"name":"t","inputSchema":%s,"description" : "\\u00e9"}'
    assert shown(Intents(), tool % before) == [tool % after]


def test_a_tool_without_a_schema_gets_one() -> None:
    whole = f'"inputSchema":{{"type":"object","properties":{{{DECLARED}}}}}'
    assert shown(Intents(), '{"name":"t"}', '{ "name":"u"}') == [f'{{{whole},"name":"t"}}', f'{{{whole}, "name":"u"}}']


@pytest.mark.parametrize(
    "schema", ["null", "false", "7", '{"properties":null}', '{"maxProperties":1}', '{"$ref":"https://example.org/s"}']
)
def test_a_tool_without_room_is_left_as_it_is_and_its_calls_still_lose_the_argument(schema: str) -> None:
    intents = Intents()
    tool = f'{{"name":"t","inputSchema":{schema}}}'
    assert shown(intents, tool) == [tool]
    assert intents.strip(line("t", {"a": 1, NAME: "x"})) == line("t", {"a": 1})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {NAME: {"type": "integer"}}},
        {"required": [NAME]},
        {"anyOf": [{"properties": {NAME: {}}}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {NAME: {"description": "ours"}}}}},
    ],
)
def test_a_tools_own_argument_of_that_name_is_left_to_it(schema: dict[str, Any]) -> None:
    taken = asking()
    tool = {"name": "t", "inputSchema": schema}
    taken.asks(LIST)
    assert taken.answers(result(1, {"tools": [tool], "ttlMs": 5000}))["result"] == {"tools": [tool], "ttlMs": 5000}
    own = line("t", {NAME: "x"}, 2)
    assert taken.relay.to_server(own) == own
    taken.relay.client_message(own)
    assert taken.relay.to_server(line("u", {NAME: "x"})) == line("u", {})
    # On another page, or changed, a tool is known by what was said of it last.
    taken.asks({**LIST, "params": {"cursor": "2"}})
    taken.answers(result(1, {"tools": [{"name": "v", "inputSchema": schema}, {"name": "t", "inputSchema": {}}]}))
    assert taken.relay.to_server(own) == line("t", {}, 2)
    assert taken.relay.to_server(line("v", {NAME: "x"})) == line("v", {NAME: "x"})
    taken.answers(result(2))
    assert taken.rows("call", "arguments_json", "intent") == [(f'{{"{NAME}":"x"}}', None)]


def test_what_a_relay_behind_us_asks_for_goes_on_to_it_and_is_kept_here_too() -> None:
    outer, inner = asking(), asking()
    tool = {"name": "t", "inputSchema": {"type": "object", "additionalProperties": False}}
    inner.asks(LIST)
    outer.asks(LIST)
    listed = inner.answers(result(1, {"tools": [tool]}))
    assert outer.answers(listed) == listed
    asked = line("t", {"a": 1, NAME: "to know"}, 2)
    assert outer.relay.to_server(asked) == asked
    assert inner.relay.to_server(asked) == line("t", {"a": 1}, 2)
    for taken in (outer, inner):
        taken.relay.client_message(asked)
        taken.answers(result(2))
        assert taken.rows("call", "arguments_json", "intent") == [('{"a":1}', "to know")]


def line(name: object, arguments: object, identifier: object = 1) -> bytes:
    return json.dumps(call(identifier, name, arguments)).encode() + b"\n"  # type: ignore[arg-type] # odd ones too


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
spellings = st.sampled_from(
    [{}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}, {"indent": 2}]
)


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != NAME), json_values, max_size=4),
    st.integers(0, 4),
    json_values,
    spellings,
    st.booleans(),
    st.booleans(),
)
def test_what_goes_on_is_what_would_have_come_without_the_argument(
    arguments: dict[str, Any], at: int, said: Any, spelling: dict[str, Any], is_batch: bool, knows_tools: bool
) -> None:
    items = list(arguments.items())
    with_it = dict([*items[:at], (NAME, said), *items[at:]])
    intents = Intents()
    if knows_tools:
        shown(intents, '{"name":"t"}', f'{{"name":"own","inputSchema":{{"required":["{NAME}"]}}}}')

    def spelled(given_: dict[str, Any]) -> bytes:
        message = {"params": {"_meta": {"x": {NAME: 1}}, "arguments": given_, "name": "t"}, "method": "tools/call"}
        value = [{"method": "ping"}, message, message] if is_batch else message
        return json.dumps(value, **spelling).encode("utf-8", "surrogatepass") + b" \n"

    without = spelled(arguments)
    assert intents.strip(without) == without
    assert intents.strip(spelled(with_it)) == without


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (f'{{"{NAME}":1,"a":1,"{NAME}":{{"b":2}}}}', '{"a":1}'),
        (f'{{ "{NAME}" : "only" , "{NAME}":"only"  }}', "{}"),
        (r'{"a":1,"practicum\u005fintent":"escaped"}', '{"a":1}'),
        (r'{"\u0070racticum_\u0069ntent":"escaped"}', "{}"),
        (f'{{"a":{{"{NAME}":"deeper"}}}}', f'{{"a":{{"{NAME}":"deeper"}}}}'),
        (f'["{NAME}"]', f'["{NAME}"]'),
        (f'"{NAME}"', f'"{NAME}"'),
    ],
)
def test_exactly_the_argument_goes(arguments: str, left: str) -> None:
    text = '{"method":"tools\\/call" ,"params":{"arguments":%s,"name":["?"],"arguments": %s},"id":1}'
    assert Intents().strip((text % (arguments, arguments)).encode()) == (text % (left, left)).encode()


@pytest.mark.parametrize(
    "data",
    [
        f'{{"method":"tools/list","params":{{"arguments":{{"{NAME}":1}}}}}}',
        f'{{"params":{{"arguments":{{"{NAME}":1}}}}}}',
        f'{{"method":"tools/call","params":["{NAME}"]}}',
        f'{{"method":"tools/call","params":{{"arguments":{{"{NAME}":1}}',
        f"no JSON, but {NAME}",
        f'[1,"{NAME}",[]]',
    ],
)
def test_other_messages_and_what_is_no_json_pass_as_they_are(data: str) -> None:
    assert Intents().strip(data.encode()) == data.encode()


@given(st.binary(max_size=60), st.binary(max_size=10))
def test_no_bytes_make_it_fail(before: bytes, after: bytes) -> None:
    Intents().strip(before + NAME.encode() + after)


def test_the_row_has_what_was_said_and_neither_arguments_nor_open_calls_have_it() -> None:
    taken = asking()
    sent = line("t", {"a": 1, NAME: "  find the tide; my password=hunter2 \n"}, 7)
    taken.relay.client_message(sent)
    (opened,) = taken.rows("open", "call")
    assert opened[0]["intent"] == "find the tide; my password=[redacted]"
    taken.answers(result(7))
    assert taken.rows("call", "arguments_json", "intent", "request_bytes") == [
        ('{"a":1}', "find the tide; my password=[redacted]", len(sent))
    ]


@pytest.mark.parametrize("said", [None, 7, ["x"], {"x": 1}, "", " \n"])
def test_what_is_no_text_says_nothing_and_goes_all_the_same(said: Any) -> None:
    taken = asking()
    asked = line("t", {NAME: said})
    assert taken.relay.to_server(asked) == line("t", {})
    taken.relay.client_message(asked)
    taken.answers(result(1))
    assert taken.rows("call", "arguments_json", "intent") == [("{}", None)]


def test_a_long_intent_is_cut() -> None:
    taken = asking()
    taken.asks(call(1, "t", {NAME: "words " * INTENT_LIMIT}))
    taken.answers(result(1))
    assert taken.rows("call", "intent") == [(("words " * INTENT_LIMIT)[:INTENT_LIMIT],)]


def test_where_nothing_is_kept_nothing_is_asked() -> None:
    taken = Taken(settings=Settings(intent=True, capture="off"))
    taken.asks(LIST)
    assert taken.answers(result(1, {"tools": [{"name": "t"}]}))["result"]["tools"] == [{"name": "t"}]


def test_where_nothing_is_kept_the_argument_of_an_older_list_still_goes_no_further() -> None:
    taken = Taken(settings=Settings(intent=True, capture="off"))
    asked = line("t", {"a": 1, NAME: "to know"}, 2)
    assert taken.relay.to_server(asked) == line("t", {"a": 1}, 2)
    assert taken.relay.edits_requests
    # A tool's own argument is known from its listing, as where models are asked.
    taken.asks(LIST)
    own = {"name": "own", "inputSchema": {"required": [NAME]}}
    listed = {"tools": [own, {"name": "t", "inputSchema": {}}], "ttlMs": 5000}
    assert taken.answers(result(1, listed))["result"] == listed
    assert taken.relay.to_server(line("own", {NAME: "x"})) == line("own", {NAME: "x"})
    assert taken.relay.to_server(asked) == line("t", {"a": 1}, 2)
    taken.relay.client_message(asked)
    taken.answers(result(2))
    assert taken.rows("call", "arguments_json", "intent", "capture") == [(None, None, "off")]


def test_of_a_long_call_the_arguments_are_cut_and_the_intent_is_whole() -> None:
    taken = asking()
    sent = line("t", {NAME: "to see", "text": "x" * 300_000})
    assert taken.relay.edits_requests
    assert taken.relay.to_server(sent) == line("t", {"text": "x" * 300_000})
    taken.relay.client_message(sent)
    taken.answers(result(1))
    ((arguments, intent, size),) = taken.rows("call", "arguments_json", "intent", "request_bytes")
    assert (intent, size) == ("to see", len(sent))
    assert json.loads(arguments)["practicum/cut"] == {"bytes": len(sent)}
    assert NAME not in arguments


def test_rounds_and_corrections_do_not_mind_what_the_model_says_it_is_for() -> None:
    taken = asking()
    taken.asks(call(1, "t", {"day": "7", NAME: "one"}))
    taken.answers(result(1, {"resultType": "input_required", "requestState": "s"}))
    taken.asks(call(2, "t", {"day": "7", NAME: "another"}, requestState="s"))
    taken.answers(result(2, {"isError": True, "content": []}))
    taken.asks(call(3, "t", {"day": "7", NAME: "again"}))
    taken.answers(result(3))
    taken.asks(call(4, "t", {"day": "x"}))
    taken.answers(result(4, {"isError": True, "content": []}))
    taken.asks(call(5, "t", {"day": "8"}))
    taken.answers(result(5))
    rows = taken.rows("call", "outcome", "rounds", "intent", "uid", "corrects")
    assert [row[:3] for row in rows] == [
        ("tool_error", 2, "one"),
        ("result", 1, "again"),
        ("tool_error", 1, None),
        ("result", 1, None),
    ]
    # The same arguments with other words correct nothing.
    assert [row[4] for row in rows] == [None, None, None, rows[2][3]]


def test_hints_and_the_argument_are_both_in_a_listing_and_the_hash_is_the_servers() -> None:
    taken = asking()
    tools: list[dict[str, Any]] = [{"name": "t", "inputSchema": {"type": "object"}}, {"name": "u"}, {"name": "v"}]
    taken.hints = {(tool_hash(tool), tool["name"]): f"hint for {tool['name']}" for tool in tools[:2]}
    taken.asks(LIST)
    listed = taken.answers(result(1, {"tools": tools, "ttlMs": 60_000, "cacheScope": "public"}))["result"]
    assert (listed["ttlMs"], listed["cacheScope"]) == (1000, "private")
    assert [tool.get("description") for tool in listed["tools"]] == ["hint for t", "hint for u", None]
    assert all(tool["inputSchema"]["properties"] == {NAME: ARGUMENT} for tool in listed["tools"])
    assert taken.rows("tool", "hash") == [(tool_hash(tool),) for tool in tools]
    assert NAME not in json.dumps(taken.rows("tool", "definition_json"))


def test_without_being_asked_for_nothing_is_declared_taken_or_held() -> None:
    taken = Taken()
    tool = {"name": "t", "inputSchema": {}}
    taken.asks(LIST)
    assert taken.answers(result(1, {"tools": [tool]}))["result"]["tools"] == [tool]
    asked = line("t", {NAME: "x"})
    assert taken.relay.to_server(asked) is asked
    assert not taken.relay.edits_requests
    taken.relay.client_message(asked)
    taken.answers(result(1))
    assert taken.rows("call", "arguments_json", "intent") == [(f'{{"{NAME}":"x"}}', None)]


def test_the_learners_trial_and_the_intent_both_go() -> None:
    taken = asking(trial_token="t")
    asked = call(1, "t", {NAME: "x"}, _meta={TRIAL_META_KEY: {"token": "t", "uid": "u"}})
    assert json.loads(taken.relay.to_server(json.dumps(asked).encode())) == call(1, "t", {}, _meta={})
    taken.asks(asked)
    taken.answers(result(1))
    assert taken.rows("call", "trial_uid", "intent") == [("u", "x")]


def test_the_declaration_is_a_schema_and_short() -> None:
    Draft202012Validator.check_schema(ARGUMENT)
    assert len(DECLARED) < 220
