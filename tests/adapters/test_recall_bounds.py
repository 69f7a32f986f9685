"""What keeps recall honest: its size, what it may reach, what it may know."""

import ast
import builtins
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.messages import Demonstration, Message, Options, ToolCall, ToolSpec, demonstration_line
from adapters.recall import Recall

ROOT = Path(__file__).parents[2]
SUITES = ROOT.parent / "shared" / "suites"
SOURCE = (ROOT / "adapters" / "recall.py").read_text(encoding="utf-8")
TREE = ast.parse(SOURCE)

PURE = {
    *("json", "math", "re", "collections", "collections.abc", "contextlib"),
    *("datetime", "functools", "itertools", "typing"),
    *("adapters", "adapters.base", "adapters.messages"),
}
# Words that a suite or a domain happens to use, and that belong to everybody.
SCHEMA_KEYWORDS = {
    *("array", "boolean", "date", "default", "description", "enum", "examples", "format"),
    *("integer", "items", "number", "properties", "required", "string", "time", "type"),
}
ROLES = {"assistant", "system", "tool", "user"}
FUNCTION_WORDS = {"and", "are", "can", "could", "does", "for", "from", "how", "its", "one", "please", "the"} | {
    *("what", "when", "which", "who", "with"),
}
MONTHS = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

SPEC = ToolSpec("tide", "Tide.", {"properties": {"harbour": {"type": "string"}}, "required": ["harbour"]})
SHOWN = demonstration_line(Demonstration("Tide at Oban?", (ToolCall("tide", {"harbour": "h-oban"}),)))
MESSAGES = [Message("system", SHOWN), Message("user", "Tide at Port Ellen?")]


def literals() -> Iterator[str]:
    """Yield the source's strings, and the words in them; docstrings tell and do not decide."""
    told = {id(node.value) for node in ast.walk(TREE) if isinstance(node, ast.Expr)}
    for node in ast.walk(TREE):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value.lower()
            yield from re.findall(r"[^\W\d_]+", node.value.lower())


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.lower()
    for part in (
        [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from strings(part)


def vocabulary() -> set[str]:
    """Return what the suites and the simulated domains call their tools, arguments and values, in lower case."""
    found: set[str] = set()
    for path in SUITES.glob("*/tools*.json"):
        for tool in json.loads(path.read_text(encoding="utf-8"))["tools"]:
            found.add(tool["name"].lower())
            for name, schema in (tool.get("inputSchema") or {}).get("properties", {}).items():
                found |= {name.lower(), *strings([schema.get(key) for key in ("enum", "default", "examples")])}
    for path in SUITES.glob("*/cases-*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            for call in json.loads(line)["calls"]:
                found |= {*strings(call["arguments"]), *strings(call.get("allowed", {}))}
    for path in (ROOT / "servers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value.lower())
            elif isinstance(node, ast.arg | ast.FunctionDef):
                found.add((node.arg if isinstance(node, ast.arg) else node.name).lower())
    return found


def test_recall_is_one_file_of_at_most_400_lines() -> None:
    assert len(SOURCE.splitlines()) <= 400


def test_recall_imports_nothing_that_could_reach_outside() -> None:
    for node in ast.walk(TREE):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= PURE
        elif isinstance(node, ast.ImportFrom):
            assert node.module in PURE
        elif isinstance(node, ast.Name):
            assert node.id not in {"open", "exec", "eval", "compile", "__import__", "input", "globals", "breakpoint"}


def test_recall_answers_without_file_system_and_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("recall reached outside")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    assert Recall().generate(MESSAGES, [SPEC], Options()).tool_calls[0].arguments == {"harbour": "h-port-ellen"}


@pytest.mark.skipif(not SUITES.exists(), reason="the public suites are not beside the project")
def test_recall_holds_no_word_of_a_suite_or_a_domain() -> None:
    common = SCHEMA_KEYWORDS | ROLES | FUNCTION_WORDS | MONTHS
    known = {literal for literal in literals() if len(re.findall(r"[^\W\d_]", literal)) >= 3} & vocabulary()
    assert known <= common, f"recall knows {sorted(known - common)}"


def test_recall_answers_the_same_in_every_process() -> None:
    program = """
import json, sys
from adapters.messages import *
from adapters.recall import Recall
spec = ToolSpec("tide", "Tide.", {"properties": {"harbour": {"type": "string"}, "day": {"type": "string"}}})
spec = ToolSpec(spec.name, spec.description, {**spec.input_schema, "required": ["harbour", "day"]})
messages = [Message("user", "Tide at Port Ellen on 3 May 2031 and Loch Boisdale on 9 June 2032?")]
for n in range(40):
    reply = Recall().generate(messages, [spec], Options())
    print(json.dumps([dict(call.arguments) for call in reply.tool_calls]))
    call = ToolCall("tide", reply.tool_calls[0].arguments, str(n))
    messages += [Message("assistant", "", (call,)), Message("tool", "no, like A1 or B2", (), str(n), True)]
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=200,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0].count("\n") == 40


def test_what_was_asked_before_does_not_change_an_answer() -> None:
    first = Recall().generate(MESSAGES, [SPEC], Options())
    other = [Message("system", SHOWN.replace("h-oban", "OBAN")), MESSAGES[1]]
    Recall().generate(other, [SPEC], Options())
    assert Recall().generate(MESSAGES, [SPEC], Options()) == first
