"""What recall does, shown on tools made up here."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.messages import Demonstration, Message, Options, Reply, ToolCall, ToolSpec, demonstration_line
from adapters.recall import Recall

FERRY = ToolSpec(
    "book_ferry",
    "Book a ferry from a harbour.",
    {
        "type": "object",
        "properties": {
            "harbour": {"type": "string"},
            "day": {"type": "string"},
            "seats": {"type": "integer"},
            "class": {"type": "string"},
        },
        "required": ["harbour", "day", "seats"],
    },
)
MUSEUM = ToolSpec(
    "museum_hours",
    "Opening hours of a museum.",
    {"type": "object", "properties": {"museum": {"type": "string"}}, "required": ["museum"]},
)


def demonstrate(*rows: tuple[str, str, Mapping[str, Any]]) -> list[Message]:
    lines = [demonstration_line(Demonstration(query, (ToolCall(name, some),))) for query, name, some in rows]
    return [Message("system", "\n".join(["Use the tools.", *lines]))]


def ask(query: str, tools: Sequence[ToolSpec], before: Sequence[Message] = ()) -> Reply:
    return Recall().generate([*before, Message("user", query)], tools, Options())


def refused(messages: Sequence[Message], call: ToolCall, error: str) -> list[Message]:
    asked = ToolCall(call.name, call.arguments, f"call-{len(messages)}")
    return [*messages, Message("assistant", "", (asked,)), Message("tool", error, (), asked.id, is_error=True)]


def retried(query: str, tool: ToolSpec, errors: Sequence[str], before: Sequence[Message] = ()) -> list[ToolCall]:
    """Refuse call after call with `errors` and return all calls, the last of them not refused."""
    messages: list[Message] = [*before, Message("user", query)]
    calls = []
    for error in [*errors, ""]:
        reply = Recall().generate(messages, [tool], Options())
        if not reply.tool_calls:
            break
        calls.append(reply.tool_calls[0])
        messages = refused(messages, calls[-1], error)
    return calls


def tool(**arguments: Mapping[str, Any]) -> ToolSpec:
    schema = {"type": "object", "properties": arguments, "required": list(arguments)}
    return ToolSpec("look_up_harbour", "Look up a harbour.", schema)


SHOWN = demonstrate(
    (
        "Book 3 seats from Port Ellen on 5 March 2031, please.",
        "book_ferry",
        {"harbour": "hb-port-ellen", "day": "05/03/31", "seats": 3},
    ),
    (
        "I need 12 seats leaving Tarbert on 2031-11-28.",
        "book_ferry",
        {"harbour": "hb-tarbert", "day": "28/11/31", "seats": 12},
    ),
    (
        "Book 2 sleeper seats from Lochmaddy on April 9th, 2031.",
        "book_ferry",
        {"harbour": "hb-lochmaddy", "day": "09/04/31", "seats": 2, "class": "SLP"},
    ),
    (
        "Book 4 sleeper seats from Kennacraig on 1 May 2031.",
        "book_ferry",
        {"harbour": "hb-kennacraig", "day": "01/05/31", "seats": 4, "class": "SLP"},
    ),
    ("When does the Glass Museum open?", "museum_hours", {"museum": "Glass Museum"}),
)


def test_names_dates_and_numbers_never_seen_are_written_as_demonstrations_write_theirs() -> None:
    (call,) = ask("Book 7 seats from Isle Ornsay on 30 July 2032, please.", [FERRY, MUSEUM], SHOWN).tool_calls
    assert call == ToolCall("book_ferry", {"harbour": "hb-isle-ornsay", "day": "30/07/32", "seats": 7})


def test_optional_argument_comes_with_the_word_that_called_for_it() -> None:
    (call,) = ask("Book 7 sleeper seats from Isle Ornsay on 30 July 2032.", [FERRY, MUSEUM], SHOWN).tool_calls
    assert call.arguments["class"] == "SLP"


def test_most_similar_demonstration_chooses_the_tool() -> None:
    (call,) = ask("When does the Toy Museum open?", [FERRY, MUSEUM], SHOWN).tool_calls
    assert call == ToolCall("museum_hours", {"museum": "Toy Museum"})


@pytest.mark.parametrize(
    ("pairs", "name", "value"),
    [
        ((("Port Ellen", "PORELL"), ("Loch Boisdale", "LOCBOI")), "Isle Ornsay", "ISLORN"),
        ((("Port Ellen", "port"), ("Tarbert", "tarb")), "Lochmaddy", "loch"),
        ((("Port Ellen", "PE"), ("Loch Boisdale", "LB"), ("Firth Of Clyde", "FOC")), "Isle Ornsay", "IO"),
        ((("Port Ellen", "port_ellen.x"), ("Tarbert", "tarbert.x")), "Isle Ornsay", "isle_ornsay.x"),
    ],
)
def test_id_is_made_from_a_name_as_pairs_show_it(pairs: tuple[tuple[str, str], ...], name: str, value: str) -> None:
    shown = demonstrate(*((f"How deep is {a} now?", "look_up_harbour", {"id": b}) for a, b in pairs))
    (call,) = ask(f"How deep is {name} now?", [tool(id={"type": "string"})], shown).tool_calls
    assert call.arguments == {"id": value}


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%Y%m%d", "%m/%d/%y", "%d-%b-%Y", "%B %-d, %Y", "%Y-%j", "%-d/%-m/%Y"])
def test_date_is_written_in_the_demonstrated_form(form: str) -> None:
    said = [(date(2031, 3, 28), "28 March 2031"), (date(2030, 12, 1), "December 1st, 2030")]
    shown = demonstrate(*((f"Tide on {text}?", "look_up_harbour", {"day": f"{day:{form}}"}) for day, text in said))
    (call,) = ask("Tide on the 7th of October 2032?", [tool(day={"type": "string"})], shown).tool_calls
    assert call.arguments == {"day": f"{date(2032, 10, 7):{form}}"}


def test_word_that_tells_two_codes_apart_calls_for_its_code() -> None:
    rows = [
        ("Show the depth in fathoms at Tarbert", "q7"),
        ("Give me fathoms for Lochmaddy", "q7"),
        ("Show the depth in metres at Oban", "x1"),
        ("I want metres at Kennacraig", "x1"),
    ]
    shown = demonstrate(*((query, "look_up_harbour", {"unit": unit}) for query, unit in rows))
    for word, unit in (("metres", "x1"), ("fathoms", "q7")):
        (call,) = ask(f"What is the depth in {word} at Mallaig?", [tool(unit={"type": "string"})], shown).tool_calls
        assert call.arguments == {"unit": unit}


def test_value_copied_from_another_query_is_not_repeated() -> None:
    shown = demonstrate(("How deep is Tarbert now?", "look_up_harbour", {"id": "hb-tarbert"}))
    calls = retried("How deep is it?", tool(id={"type": "string"}), ["no"] * 40, shown)
    assert "hb-tarbert" not in [call.arguments["id"] for call in calls]


def test_nothing_similar_is_answered_without_a_call() -> None:
    assert ask("Sing a lullaby", [FERRY, MUSEUM]) == Reply("I have no further idea.")


def test_demonstration_without_a_call_can_win() -> None:
    none = [Message("system", demonstration_line(Demonstration("Which harbour is the prettiest?", ())))]
    assert not ask("Which harbour is the prettiest of all?", [FERRY], none).tool_calls


def test_result_of_a_tool_is_the_reply() -> None:
    call = ToolCall("museum_hours", {"museum": "Toy Museum"}, "1")
    messages = [Message("user", "?"), Message("assistant", "", (call,)), Message("tool", "9 to 5", (), "1")]
    assert Recall().generate(messages, [MUSEUM], Options()) == Reply("9 to 5")


def test_without_demonstrations_enum_number_and_pattern_come_from_the_schema() -> None:
    spec = tool(
        mode={"type": "string", "enum": ["rough", "calm"]},
        depth={"type": "number"},
        day={"type": "string", "description": "Day as DD/MM/YYYY"},
    )
    (call,) = ask("Look up the harbour for a calm sea, 12.5 deep, on June 3, 2031", [spec]).tool_calls
    assert call.arguments == {"mode": "calm", "depth": 12.5, "day": "03/06/2031"}


def test_types_follow_the_schema() -> None:
    spec = tool(count={"type": "integer"}, names={"type": "array", "items": {"type": "string"}})
    (call,) = ask('Look up harbour "Oban", 1,200 times', [spec]).tool_calls
    assert call.arguments == {"count": 1200, "names": ["Oban"]}


def test_error_that_writes_an_example_teaches_the_form() -> None:
    error = "id 'Isle Ornsay' is not valid; for example, Loch Boisdale is 'LOCH.BOIS-7'."
    calls = retried("Look up the harbour of Isle Ornsay", tool(id={"type": "string"}), [error])
    assert calls[-1].arguments == {"id": "ISLE.ORNS-7"}


def test_error_that_lists_values_lets_the_query_choose() -> None:
    error = "unit 'Oban' is not valid; use one of 'u-fath', 'u-metr', 'u-feet'."
    calls = retried("Look up harbour Oban in metres", tool(unit={"type": "string"}), [error])
    assert calls[-1].arguments == {"unit": "u-metr"}


def test_error_with_a_pattern_is_followed() -> None:
    calls = retried("Look up harbour on 4 May 2031", tool(day={"type": "string"}), ["day must be like DD.MM.YYYY"])
    assert calls[-1].arguments == {"day": "04.05.2031"}


def test_argument_called_missing_is_added() -> None:
    spec = ToolSpec(FERRY.name, FERRY.description, {**FERRY.input_schema, "required": ["harbour"]})
    calls = retried("Book a ferry from Oban on 4 May 2031", spec, ["missing argument 'day'"])
    assert "day" not in calls[0].arguments
    assert calls[1].arguments["day"]


def test_form_learned_for_one_argument_serves_another() -> None:
    spec = tool(start={"type": "string"}, goal={"type": "string"})
    taught = "start 'Oban' is not valid; for example, Loch Boisdale is 'LOC#BOI'."
    untaught = "goal is not valid."
    query = "Look up harbour Oban to harbour Port Ellen"
    assert any(
        call.arguments == {"start": "OBA", "goal": "POR#ELL"}
        for call in retried(query, spec, [taught, *[untaught] * 30])
    )
    # A mark that the form joins words with is not among those that are tried anyway.
    assert not any("#" in call.arguments["goal"] for call in retried(query, spec, [untaught] * 31))


def test_unhelpful_errors_lead_through_other_readings_and_never_to_the_same_call_twice() -> None:
    spec = tool(id={"type": "string"}, day={"type": "string"})
    calls = retried("Look up harbour Isle Ornsay on 4 May 2031", spec, ["no"] * 60)
    seen = [json.dumps(dict(call.arguments), sort_keys=True) for call in calls]
    assert len(seen) == len(set(seen)) == 61


def test_no_reading_left_ends_in_text() -> None:
    spec = ToolSpec("harbour_list", "All harbours.", {"type": "object", "properties": {}})
    messages = refused([Message("user", "List harbours")], ToolCall("harbour_list", {}), "broken")
    assert not Recall().generate(messages, [spec], Options()).tool_calls


def test_hints_in_a_description_show_form_and_constant() -> None:
    lines = ['{"day": "28.02.2030", "key": "k9"}', '{"day": "01.12.2029", "key": "k9"}', '{"day": broken']
    spec = tool(day={"type": "string"}, key={"type": "string"})
    hinted = ToolSpec(spec.name, "\n".join(["Look up a harbour.", *lines]), spec.input_schema)
    (call,) = ask("Look up harbour on 4 May 2031", [hinted]).tool_calls
    assert call.arguments == {"day": "04.05.2031", "key": "k9"}


TEXT = st.text(alphabet=st.sampled_from("aZ9 -_.,:;/'\"@{}[]()%$#?\n“é٣"), max_size=60) | st.sampled_from(
    ["Book 3 seats from Oban on 5 March 2031", "31/02/2031 at 99:99 and 12:30 pm", "one of a, b or c", "DD/MM/YYYY"]
)
VALUE = TEXT | st.none() | st.booleans() | st.integers() | st.floats() | st.lists(TEXT, max_size=2)


@settings(max_examples=60)
@given(query=TEXT, shown=st.lists(st.tuples(TEXT, VALUE), max_size=4), errors=st.lists(TEXT, max_size=3), hint=TEXT)
def test_any_text_is_read_without_failing_or_repeating(
    query: str, shown: list[tuple[str, Any]], errors: list[str], hint: str
) -> None:
    rows = [(asked, "book_ferry", {"harbour": value, "day": value, "seats": 1}) for asked, value in shown]
    spec = ToolSpec("book_ferry", f"Book a ferry.\n{hint}", FERRY.input_schema)
    calls = retried(query, spec, errors, demonstrate(*rows))
    seen = [json.dumps(dict(call.arguments), sort_keys=True) for call in calls]
    assert len(seen) == len(set(seen))


def test_schemas_that_say_little_are_read() -> None:
    spec = ToolSpec("harbour", "Look up.", {"properties": {"a": True, "b": {"type": ["string", "null"]}}})
    assert ask("Look up harbour Oban", [spec]).tool_calls[0].name == "harbour"
