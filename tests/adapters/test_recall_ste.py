"""recall on the STE suite: good enough to be worth beating, and by no other means than its demonstrations."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapters.messages import Demonstration, Message, Options, ToolCall, ToolSpec, demonstration_line
from adapters.recall import Recall
from learner.metrics import score
from learner.similarity import folds
from learner.suites import Case, read_cases, read_suite
from middleware.memory.nearest import NearestIndex

STE = Path(__file__).parents[2].parent / "shared" / "suites" / "ste"
pytestmark = pytest.mark.skipif(not STE.exists(), reason="the public suites are not beside the project")


@cache
def _cases() -> tuple[Case, ...]:
    suite = read_suite(STE)
    return (*read_cases(suite, "train"), *read_cases(suite, "dev"))


@cache
def _neighbours(*, group: bool) -> dict[str, tuple[Case, ...]]:
    """Return for each case the 8 cases of the other folds whose queries are nearest, nearest first."""
    dealt = folds(_cases(), 6, group=group)
    near: dict[str, tuple[Case, ...]] = {}
    for fold in dealt:
        others = [case for other in dealt if other is not fold for case in other]
        index = NearestIndex()
        index.add((number, case.query) for number, case in enumerate(others))
        near |= {case.id: tuple(others[found.key] for found in index.nearest(case.query)) for case in fold}
    return near


def measured(
    *,
    group: bool = True,
    shown: bool = True,
    calls_of: Callable[[Case], Sequence[ToolCall]] | None = None,
    rename: Callable[[str], str] = str,
    every: int = 1,
) -> dict[str, float]:
    """Ask recall, `calls_of` giving a demonstration's calls and `rename` new names to tools and arguments."""
    gold = calls_of or (lambda case: [ToolCall(call.name, call.arguments) for call in case.calls])

    def renamed(name: str, arguments: Mapping[str, Any], new: Callable[[str], str] = rename) -> ToolCall:
        return ToolCall(new(name), {new(argument): value for argument, value in arguments.items()})

    old = {rename(name): name for name in _names()}
    tools = [ToolSpec(rename(tool.name), tool.description, _renamed_schema(tool, rename)) for tool in _tools()]
    scores = []
    for case in _cases()[::every]:
        near = _neighbours(group=group)[case.id] if shown else ()
        lines = [
            demonstration_line(Demonstration(one.query, tuple(renamed(c.name, c.arguments) for c in gold(one))))
            for one in near
        ]
        reply = Recall().generate([Message("system", "\n".join(lines)), Message("user", case.query)], tools, Options())
        calls = [renamed(call.name, call.arguments, lambda name: old.get(name, name)) for call in reply.tool_calls]
        scores.append((score(case, calls, _tools()), any(call.arguments for call in case.calls)))
    some = [worth.correct for worth, has_arguments in scores if has_arguments]
    figures = {name: sum(getattr(worth, name) for worth, _ in scores) for name in ("api_match", "correct", "strict")}
    return {name: total / len(scores) for name, total in figures.items()} | {"some": sum(some) / len(some)}


def _tools() -> Sequence[ToolSpec]:
    return read_suite(STE).tools


def _names() -> set[str]:
    return {name for tool in _tools() for name in (tool.name, *tool.input_schema.get("properties", {}))}


def _renamed_schema(tool: ToolSpec, rename: Callable[[str], str]) -> dict[str, Any]:
    properties = {rename(name): schema for name, schema in tool.input_schema.get("properties", {}).items()}
    required = [rename(name) for name in tool.input_schema.get("required", [])]
    return {**tool.input_schema, "properties": properties, "required": required}


@pytest.mark.parametrize(
    ("group", "least"),
    [
        (True, {"api_match": 0.90, "correct": 0.58, "strict": 0.55, "some": 0.36}),
        (False, {"api_match": 0.93, "correct": 0.66, "strict": 0.62, "some": 0.43}),
    ],
)
def test_recall_learns_from_demonstrations(group: bool, least: dict[str, float]) -> None:
    figures = measured(group=group)
    assert all(figures[name] >= bound for name, bound in least.items()), figures


def test_names_that_mean_nothing_leave_recall_nine_tenths_of_its_score() -> None:
    rng = random.Random(7)
    letters = "bcdfghjklmnpqrstvwxz"
    new = {name: f"{''.join(rng.choices(letters, k=7))}{number}" for number, name in enumerate(sorted(_names()))}
    plain, renamed = measured(every=3), measured(rename=new.__getitem__, every=3)
    assert all(renamed[name] >= 0.9 * plain[name] for name in plain), (plain, renamed)


def test_demonstrations_with_each_others_calls_are_worth_no_more_than_none() -> None:
    given = [case.calls for case in _cases()]
    random.Random(7).shuffle(given)
    shuffled = {
        case.id: [ToolCall(call.name, call.arguments) for call in calls]
        for case, calls in zip(_cases(), given, strict=True)
    }
    none, mixed = measured(shown=False, every=3), measured(calls_of=lambda case: shuffled[case.id], every=3)
    assert all(mixed[name] <= none[name] for name in none), (none, mixed)
