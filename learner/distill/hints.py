"""What an artefact appends to a tool's description: a few arguments that worked, chosen to show the most.

The log is hostile input, and a description is read by every model that lists the tools. So an example is made of
argument values only; each is JSON on one line; and one with a string of more than three words or forty characters, with
more than ten words in all, or with control or invisible characters or a link in it, is left out.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.messages import ToolCall, ToolSpec
from learner.distill.tokens import estimated_tokens
from middleware.memory.identity import INTENT_ARGUMENT
from middleware.memory.redaction import REDACTED
from middleware.memory.shortening import CUT_KEY

HEADING = "Arguments that worked in earlier calls (added by Practicum):"
EXAMPLES = 3
BUDGET_TOKENS = 150  # a tool
_MAX_CHARACTERS = 40  # of one string
_MAX_WORDS = 3  # of one string: the names of things, not sentences
_MAX_ALL_WORDS = 10  # of one example
_MAX_CANDIDATES = 500  # distinct examples of one tool that are compared; more add time and no new form


class Correction(NamedTuple):
    """A failed call, and the good one to the same tool after it."""

    failed: ToolCall
    good: ToolCall


def hint_texts(
    calls: Iterable[ToolCall], tools: Sequence[ToolSpec], corrections: Iterable[Correction] = ()
) -> dict[str, str]:
    """Return for each tool the text to append to its description; a tool without a fit example has none.

    `calls` are calls that went well. What `corrections` changed is shown before what was never got wrong. The same
    calls in the same order give the same texts.
    """
    known = {tool.name: tool for tool in tools}
    candidates: dict[str, dict[str, Mapping[str, Any]]] = {}
    for call in calls:
        tool = known.get(call.name)
        if tool is None or not call.arguments or not _fit(call.arguments, tool):
            continue
        of_tool = candidates.setdefault(call.name, {})
        if len(of_tool) < _MAX_CANDIDATES:
            of_tool.setdefault(_line(call.arguments), call.arguments)
    changed: dict[str, Counter[str]] = {}
    for failed, good in corrections:
        changed.setdefault(good.name, Counter()).update(_features(good.arguments) - _features(failed.arguments))
    texts = {}
    for name in sorted(candidates):
        lines = _cover(candidates[name], changed.get(name, Counter()))
        if lines:
            texts[name] = "\n".join([HEADING, *lines])
    return texts


def shows(text: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a text made by `hint_texts` shows these arguments as an example."""
    return _line(arguments) in text.split("\n")


def _cover(examples: Mapping[str, Mapping[str, Any]], changed: Counter[str]) -> list[str]:
    """Choose greedily: each next example is the one that shows most of what failed calls lacked (`changed`: how often
    each feature was what a correction brought) and is not yet shown; among equals, most features not yet shown."""
    chosen: list[str] = []
    shown: set[str] = set()
    left = BUDGET_TOKENS - estimated_tokens(HEADING)
    while len(chosen) < EXAMPLES:
        fitting = [
            (line, features - shown)
            for line, features in ((line, _features(arguments)) for line, arguments in examples.items())
            if line not in chosen and estimated_tokens("\n" + line) <= left
        ]
        line, fresh = max(
            fitting,
            key=lambda pair: (sum(changed[feature] for feature in pair[1]), len(pair[1]), -len(pair[0])),
            default=("", set()),
        )
        if not fresh:
            break
        chosen.append(line)
        shown |= fresh
        left -= estimated_tokens("\n" + line)
    return chosen


def _features(arguments: Mapping[str, Any]) -> set[str]:
    """What an example shows: which arguments are there, each value, and each value's form (Ab-12 is Aa-00)."""
    features = set()
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        form = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", text))
        features |= {f"name {name}", f"value {name} {text}", f"form {name} {form}"}
    return features


def _fit(arguments: Mapping[str, Any], tool: ToolSpec) -> bool:
    known = tool.input_schema.get("properties")
    if CUT_KEY in arguments or INTENT_ARGUMENT in arguments:  # the latter where a relay stands behind a relay
        return False
    if not isinstance(known, Mapping) or any(name not in known for name in arguments):
        return False
    texts = list(_strings(list(arguments.values())))
    return all(map(_harmless, texts)) and sum(len(text.split()) for text in texts) <= _MAX_ALL_WORDS


def _harmless(text: str) -> bool:
    return (
        len(text) <= _MAX_CHARACTERS
        and len(text.split()) <= _MAX_WORDS
        and text.isprintable()  # false for line breaks, control, invisible and direction-changing characters
        and "://" not in text
        and "www." not in text.lower()
        and REDACTED not in text
    )


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _line(arguments: Mapping[str, Any]) -> str:
    return json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True)
