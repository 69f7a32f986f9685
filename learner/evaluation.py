"""Held-out measurement: ask a model each case's query and judge its calls; `figures` sums up."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources

from adapters.base import ChatModel
from adapters.messages import Demonstration, Message, Options, Reply, ToolCall, ToolSpec, Usage, demonstration_line
from learner.distill.demonstrations import COUNT, Demonstrations
from learner.metrics import Score, score
from learner.similarity import NearDuplicates, folds
from learner.suites import Case

Demonstrate = Callable[[str], Sequence[Demonstration]]  # a query → what to show with it, nearest first
HintTexts = Callable[[Iterable[ToolCall], Sequence[ToolSpec]], Mapping[str, str]]
Solved = Callable[[Case, Sequence[ToolCall]], bool]  # a task's own check
Answer = Callable[[ToolCall], tuple[str, bool]]  # a call → its result's text, and whether it is an error


@dataclass(frozen=True)
class Prediction:
    """What a model called for one case, and what that is worth.

    `near`: one of the queries behind what it was shown is a near-duplicate of the case's. `cross_validate` knows that
    for each case; elsewhere `summary` is told what was remembered.
    """

    case: Case
    calls: tuple[ToolCall, ...]
    score: Score
    near: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


def prompt(query: str, demonstrations: Sequence[Demonstration] = ()) -> list[Message]:
    """Return the messages that ask `query`: what never changes comes first, so that backends can cache it."""
    lines = [demonstration_line(demonstration) for demonstration in demonstrations]
    return [Message("system", "\n".join([_instruction(), *lines])), Message("user", query)]


@cache
def _instruction() -> str:
    return resources.files("learner").joinpath("prompts/use_tools.txt").read_text(encoding="utf-8").rstrip()


def demonstrations_of(cases: Iterable[Case]) -> list[Demonstration]:
    """Return the cases' queries with their gold calls, of those that have any."""
    return [
        Demonstration(case.query, tuple(ToolCall(call.name, call.arguments) for call in case.calls))
        for case in cases
        if case.calls
    ]


def with_hints(tools: Sequence[ToolSpec], hints: Mapping[str, str]) -> list[ToolSpec]:
    """Return `tools` with each one's hint appended to its description, as the relay does."""
    return [
        ToolSpec(tool.name, f"{tool.description}\n\n{hints[tool.name]}", tool.input_schema)
        if tool.name in hints
        else tool
        for tool in tools
    ]


def evaluate(
    cases: Sequence[Case],
    tools: Sequence[ToolSpec],
    model: ChatModel,
    *,
    demonstrations: Demonstrate | None = None,
    hints: Mapping[str, str] | None = None,
    solved: Solved | None = None,
    turns: int = 1,
    opened: Callable[[Case], Answer] | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Prediction]:
    """Ask `model` each case's query once and judge what it calls.

    `hints` are texts by tool name. Where the cases are tasks, `solved` says whether the calls did one, and `opened`
    gives what answers the calls of a case: the model then gets up to `turns` replies, each after the results of the
    last one's calls, and all calls count together. `progress` is told after each case how many are done.

    Raises:
        AdapterError: the model could not answer.
    """
    shown = with_hints(tools, hints or {})
    predictions = []
    for done, case in enumerate(cases, start=1):
        messages = prompt(case.query, demonstrations(case.query) if demonstrations else ())
        visible = [tool for tool in shown if case.tools is None or tool.name in case.tools]
        started = time.perf_counter()
        reply = _conversation(model, messages, visible, turns, opened(case) if opened else None)
        seconds = time.perf_counter() - started
        predictions.append(_judged(case, reply, tools, solved, seconds))
        if progress is not None:
            progress(done)
    return predictions


def _conversation(
    model: ChatModel, messages: list[Message], tools: Sequence[ToolSpec], turns: int, answer: Answer | None
) -> Reply:
    """Return the last reply's text with the calls and the usage of all."""
    calls: list[ToolCall] = []
    used = Usage()
    for turn in range(turns):
        reply = model.generate(messages, tools, Options())
        used = Usage(used.input_tokens + reply.usage.input_tokens, used.output_tokens + reply.usage.output_tokens)
        # Ids are ours: a model may give none, or the same one twice.
        asked = [replace(call, id=f"{turn}-{number}") for number, call in enumerate(reply.tool_calls)]
        calls += asked
        if not asked or answer is None:
            break
        messages.append(Message("assistant", reply.text, tuple(asked)))
        for call in asked:
            text, is_error = answer(call)
            messages.append(Message("tool", text, tool_call_id=call.id, is_error=is_error))
    return Reply(reply.text, tuple(calls), used)


def judge(
    cases: Sequence[Case],
    calls: Mapping[str, Sequence[ToolCall]],
    tools: Sequence[ToolSpec],
    *,
    solved: Solved | None = None,
) -> list[Prediction]:
    """Judge what another system called, by case id; a case that it does not name counts as one without a call."""
    replies = [Reply(tool_calls=tuple(calls.get(case.id, ()))) for case in cases]
    return [_judged(case, reply, tools, solved, 0.0) for case, reply in zip(cases, replies, strict=True)]


def _judged(case: Case, reply: Reply, tools: Sequence[ToolSpec], solved: Solved | None, seconds: float) -> Prediction:
    verdict = solved(case, reply.tool_calls) if solved else None
    return Prediction(
        case=case,
        calls=reply.tool_calls,
        score=score(case, reply.tool_calls, tools, solved=verdict),
        input_tokens=reply.usage.input_tokens,
        output_tokens=reply.usage.output_tokens,
        seconds=seconds,
    )


def cross_validate(
    cases: Sequence[Case],
    tools: Sequence[ToolSpec],
    model: ChatModel,
    *,
    count: int,
    group: bool = True,
    seed: int = 0,
    shown: int = COUNT,
    hint_texts: HintTexts | None = None,
    solved: Solved | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Prediction]:
    """Evaluate each of `count` folds with the gold calls of the others as experience; predictions in `cases`' order.

    With `group`, near-duplicates stay in one fold. The `shown` nearest demonstrations go into the prompt (0: none);
    `hint_texts` makes hints from the other folds' calls (None: no hints).

    Raises:
        EvaluationError: the cases do not make that many folds.
        AdapterError: the model could not answer.
    """
    found: dict[str, Prediction] = {}
    for asked in folds(cases, count, group=group, seed=seed):
        held_out = {case.id for case in asked}
        learned = demonstrations_of([case for case in cases if case.id not in held_out])
        predictions = evaluate(
            asked,
            tools,
            model,
            demonstrations=partial(Demonstrations(learned).nearest, count=shown) if shown else None,
            hints=hint_texts((call for one in learned for call in one.calls), tools) if hint_texts else None,
            solved=solved,
            progress=_continued(progress, len(found)),
        )
        near = NearDuplicates([one.query for one in learned] if shown or hint_texts else [])
        for prediction in predictions:
            found[prediction.case.id] = replace(prediction, near=near.has(prediction.case.query))
    return [found[case.id] for case in cases]


def _continued(progress: Callable[[int], None] | None, before: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(before + done)
