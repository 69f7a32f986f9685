"""Which input schemas have room for one more argument: checked against what validators say of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError

from middleware.room import has_room, mentions

NAME = "practicum_intent"
DIALECTS = {
    "http://json-schema.org/draft-04/schema#": Draft4Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
}
CLOSED = {"properties": {"a": {}}, "additionalProperties": False}
OPEN = {"properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        CLOSED,
        {**CLOSED, "unevaluatedProperties": False},
        {"$schema": "http://json-schema.org/draft-07/schema#", **CLOSED},
        {
            "$id": "https://example.org/s",
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {}},
        },
        {"oneOf": [OPEN, {"required": ["b"]}], "additionalProperties": False, "properties": {"a": {}, "b": {}}},
        {"anyOf": [OPEN, {"additionalProperties": True, "propertyNames": {}}], "not": {"required": ["b"]}},
        {"$ref": "#/$defs/args", "$defs": {"args": OPEN}},
        {"$ref": "#/definitions/a~1b%20c", "definitions": {"a/b c": OPEN}},
        {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}, OPEN]}}},
        {"dependencies": {"a": ["b"]}, "dependentSchemas": {"a": OPEN}, "if": OPEN, "then": True},
        # Closed, but another object than the arguments.
        {"properties": {"x": CLOSED, "y": {"maxProperties": 1, "patternProperties": {"p": {}}}}},
    ],
    ids=json.dumps,
)
def test_there_is_room_beside_what_does_not_mind(schema: dict[str, Any]) -> None:
    assert has_room(schema)


@pytest.mark.parametrize(
    "schema",
    [
        *(None, [], False, {"type": "array"}, {"type": ["object", "null"]}, {"properties": []}, {"properties": None}),
        {"$schema": "https://example.org/my-dialect"},
        {"$schema": 7},
        {"maxProperties": 3},
        {"minProperties": 1},
        {"patternProperties": {"^[a-z_]+$": {"type": "integer"}}},
        {"propertyNames": {"maxLength": 8}},
        {"enum": [{}]},
        {"const": {}},
        *({key: [CLOSED]} for key in ("allOf", "anyOf", "oneOf")),
        *({key: CLOSED} for key in ("not", "if", "then", "else")),
        *({key: {"a": CLOSED}} for key in ("dependentSchemas", "dependencies")),
        {"allOf": [{"unevaluatedProperties": False}]},
        {"allOf": [{"unevaluatedProperties": {"type": "integer"}}]},
        {"anyOf": [{"allOf": [{"maxProperties": 1}]}]},
        {"anyOf": [False]},
        {"anyOf": [None]},
        {"anyOf": None},
        {"dependentSchemas": [1]},
        {"$ref": "#/$defs/args", "$defs": {"args": CLOSED}},
        # What stands beside a reference is passed over in draft 7.
        {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "definitions": {"a": CLOSED}},
        {"$ref": "#/$defs/none"},
        {"$ref": "#/allOf/7", "allOf": []},
        {"$ref": 7},
        {"$ref": "https://example.org/args.json"},
        {"$ref": "#args", "$defs": {"args": {"$anchor": "args", **OPEN}}},
        {"allOf": [{"$dynamicRef": "#meta"}]},
        {"allOf": [{"$id": "https://example.org/other", "$ref": "#/$defs/a"}], "$defs": {"a": OPEN}},
        # Arguments inside arguments would have room too.
        {"properties": {"child": {"$ref": "#"}}, "additionalProperties": False},
        {"$id": "https://example.org/s", "properties": {"child": {"$ref": "s"}}},
    ],
    ids=json.dumps,
)
def test_there_is_none_beside_what_may_mind(schema: Any) -> None:
    assert not has_room(schema)


def test_an_argument_is_found_wherever_a_schema_names_it() -> None:
    assert mentions({"properties": {NAME: {}}}, NAME)
    assert mentions({"required": [NAME]}, NAME)
    assert mentions({"anyOf": [{"properties": {"x": {NAME: 1}}}]}, NAME)
    assert not mentions({"properties": {"intent": {}}}, NAME)


names = st.sampled_from(["a", "b"])
values = st.sampled_from([0, "x", {}, {"a": 0}])
leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("object"),
        "properties": st.dictionaries(names, st.sampled_from([{}, {"type": "integer"}]), max_size=2),
        "required": st.lists(names, min_size=1, max_size=2, unique=True),
        "additionalProperties": st.sampled_from([True, False, {}, {"type": "integer"}]),
        "unevaluatedProperties": st.sampled_from([True, False, {"type": "integer"}]),
        "patternProperties": st.sampled_from([{}, {"^p": {"type": "integer"}}, {"^q": {}}]),
        "propertyNames": st.sampled_from([{}, {"maxLength": 1}]),
        "maxProperties": st.integers(0, 2),
        "minProperties": st.integers(0, 2),
        "const": st.sampled_from([{}, {"a": 0}]),
        "enum": st.just([{}, {"b": "x"}]),
        "$ref": st.sampled_from(["#/$defs/x", "#/definitions/x", "#"]),
    },
)


def parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    by_name = st.dictionaries(names, inner, max_size=1)
    return st.builds(
        lambda leaf, more: {**leaf, **more},
        leaves,
        st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(("allOf", "anyOf", "oneOf"), several),
                **dict.fromkeys(("not", "if", "then", "else"), inner),
                **dict.fromkeys(("dependentSchemas", "dependencies", "$defs", "definitions"), by_name),
            },
        ),
    )


schemas = st.builds(
    lambda schema, x: {**schema, "$defs": {"x": x}, "definitions": {"x": x}},
    st.recursive(leaves, parts, max_leaves=4),
    leaves,
)
arguments = st.dictionaries(names, values, max_size=2)


@given(schemas, st.sampled_from(sorted(DIALECTS)), st.lists(arguments, min_size=1, max_size=6))
def test_where_there_is_room_validators_agree_with_and_without_the_argument(
    schema: dict[str, Any], dialect: str, drawn: list[dict[str, Any]]
) -> None:
    schema = {"$schema": dialect, **schema}
    if not has_room(schema):
        return
    validator = DIALECTS[dialect]
    extended = {**schema, "properties": {**schema.get("properties", {}), NAME: {"type": "string"}}}
    try:
        validator.check_schema(schema)
    except SchemaError:
        return
    validator.check_schema(extended)
    before, after = validator(schema), validator(extended)
    for given_ in drawn:
        try:
            is_valid = before.is_valid(given_)
        except RecursionError:  # a reference that leads back to itself
            return
        assert after.is_valid(given_) == is_valid
        assert after.is_valid({**given_, NAME: "to find out"}) == is_valid
