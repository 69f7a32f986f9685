"""The headers that repeat a message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from middleware.http.mirrored import decoded, encoded, headers_of, is_modern, marked_params, mismatch

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "where": {"properties": {"floor": {"type": "integer", "x-mcp-header": "Floor"}}},
        "many": {"items": {"properties": {"no": {"x-mcp-header": "No"}}}},
    },
}


def request(method: str = "tools/call", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": META, **params}}


@given(st.text())
def test_any_value_comes_back_from_a_header(value: str) -> None:
    header = encoded(value)
    assert all("\x20" <= character <= "\x7e" for character in header)
    assert header == header.strip()
    assert decoded(header) == value.encode("utf-8", "replace").decode()


def test_values_that_need_no_code_are_left_as_they_are() -> None:
    assert encoded("us-west1") == "us-west1"
    assert encoded("Hello, 世界") == "=?base64?SGVsbG8sIOS4lueVjA==?="
    assert encoded("=?base64?literal?=") == "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="
    assert decoded("=?base64?no base64?=") is None


def test_a_call_names_method_tool_and_marked_arguments() -> None:
    arguments = {"region": " padded ", "where": {"floor": 3}, "many": [{"no": 1}]}
    assert headers_of(request(name="t", arguments=arguments), marked_params(SCHEMA)) == {
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "t",
        "Mcp-Param-Region": "=?base64?IHBhZGRlZCA=?=",
        "Mcp-Param-Floor": "3",
    }
    assert headers_of(request("resources/read", uri="a:b"), {})["Mcp-Name"] == "a:b"
    assert "Mcp-Name" not in headers_of(request("tools/list", name="x"), {})


def test_absent_and_structured_arguments_are_not_mirrored() -> None:
    for arguments in ({}, {"region": None}, {"region": ["x"]}, {"where": 3}, None):
        assert not [name for name in headers_of(request(arguments=arguments), marked_params(SCHEMA)) if "Param" in name]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"x-mcp-header": "Same"}, "b": {"x-mcp-header": "same"}}},
        {"properties": {"a": {"x-mcp-header": "two words"}}},
        {"properties": {"a": {"x-mcp-header": ""}}},
        {"properties": {"a": {"x-mcp-header": 3}}},
        {"properties": [1]},
        None,
    ],
)
def test_marks_against_the_rules_are_none(schema: Any) -> None:
    assert marked_params(schema) == {}


def test_headers_that_contradict_the_message_are_named() -> None:
    message = request(name="größe", arguments={"where": {"floor": 3}})
    marked = marked_params(SCHEMA)
    right = CIMultiDict((name.lower(), value) for name, value in headers_of(message, marked).items())
    assert mismatch(message, right, marked) is None
    assert mismatch(message, CIMultiDict({**right, "mcp-param-floor": "3.0"}), marked) is None
    for name, value in (
        ("mcp-name", "other"),
        ("mcp-method", "ping"),
        ("mcp-param-floor", "4"),
        ("mcp-param-region", "x"),
    ):
        wrong = CIMultiDict(right)
        wrong[name] = value
        said = mismatch(message, wrong, marked)
        assert said is not None
        assert name in said.lower()
    missing = CIMultiDict(right)
    del missing["mcp-method"]
    assert "missing" in (mismatch(message, missing, marked) or "")


def test_what_a_message_names_is_modern_unless_it_is_a_revision_before_2026_07_28() -> None:
    # "v999.0.0" is asked for by the conformance suite: its server must say itself that it has no such revision.
    assert [is_modern(revision) for revision in ("2025-11-25", "2026-07-28", "2027-01-01", "v999.0.0", "", None)] == [
        *(False, True, True, True, True, False)
    ]


def test_a_schema_of_bottomless_depth_marks_nothing() -> None:
    schema: dict[str, object] = {}
    for _ in range(5_000):
        schema = {"properties": {"deeper": schema}}
    assert marked_params(schema) == {}
