"""Whether a tool's input schema has room for one more optional argument.

A schema with an argument added must accept what it accepted, with and without the argument. Declaring it in the
top-level `properties` does that, also beside `additionalProperties: false`, unless something else that judges the same
object may mind a further member: a limit on their number or names, or a closed schema in an `allOf`, a choice or a
reference. Such schemas are told apart, not repaired; few tools have one.

What is asked of schemas of every dialect since draft 4 at once: `$ref` is followed, and what stands beside it counts
too, although older dialects pass over it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_DIALECT = re.compile(r"https?://json-schema\.org/(?:draft-0[467]|draft/20(?:19-09|20-12))/schema#?")
# A reference that is no path from the schema's root: if it leads back there, arguments inside arguments would be told
# of the new one too; if it leads elsewhere, we cannot know what it says.
_FAR_REFERENCE = re.compile(r'"\$(?:ref|dynamicRef|recursiveRef)": "(?!#/)')
# Their verdict on an object may depend on how many members it has, what they are called, or what they are all together;
# `$id` and `id` move what a path in a reference starts from.
_MINDS = ("maxProperties", "minProperties", "const", "enum", "$id", "id")
# The same, unless they let everything pass.
_MAY_MIND = ("patternProperties", "propertyNames")
# The same, but not for a member that is declared beside them.
_CLOSES = ("additionalProperties", "unevaluatedProperties")
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")
_BY_NAME = ("dependentSchemas", "dependencies")


def mentions(schema: Any, argument: str) -> bool:
    """Return whether `argument`, a plain word, occurs anywhere in the schema.

    Raises:
        RecursionError: it is nested too deeply.
    """
    return argument in json.dumps(schema)


def has_room(schema: Any) -> bool:
    """Return whether an argument that `schema` does not mention can be declared in its top-level `properties`.

    Raises:
        RecursionError: it is nested too deeply.
    """
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        return False
    dialect = schema.get("$schema")
    if dialect is not None and not (isinstance(dialect, str) and _DIALECT.fullmatch(dialect)):
        return False
    if not isinstance(schema.get("properties", {}), dict) or _FAR_REFERENCE.search(json.dumps(schema)):
        return False
    root = {key: value for key, value in schema.items() if key not in _CLOSES and key not in ("$id", "id")}
    seen: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        judge = waiting.pop()
        if judge is True or id(judge) in seen:
            continue
        if not isinstance(judge, dict) or _minds(judge):
            return False
        seen.add(id(judge))
        try:
            waiting += _in_place(judge, schema)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # no schema, or no such reference
            return False
    return True


def _minds(judge: dict[str, Any]) -> bool:
    """Whether the verdict of `judge`, without its parts, may change with a further member."""
    return any(key in judge for key in _MINDS) or any(
        judge.get(key, True) is not True and judge[key] != {} for key in (*_MAY_MIND, *_CLOSES)
    )


def _in_place(judge: dict[str, Any], root: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas that judge the same object as `judge`, of which they are part."""
    for key in _LISTS:
        yield from judge.get(key, [])
    for key in _SINGLE:
        if key in judge:
            yield judge[key]
    for key in _BY_NAME:
        for dependent in judge.get(key, {}).values():
            if not isinstance(dependent, list):  # of names
                yield dependent
    if "$ref" in judge:
        yield _found(root, judge["$ref"])


def _found(root: dict[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found
