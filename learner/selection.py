"""Which trials a lesson is made from: solved ones with a query, one a request, spread over the tools."""

import json
import re
from collections.abc import Iterable, Sequence

from adapters.messages import Demonstration, ToolCall
from middleware.memory.records import Trial
from middleware.memory.redaction import REDACTED
from middleware.memory.shortening import CUT_KEY


def demonstration_of(trial: Trial) -> Demonstration | None:
    """Return what `trial` demonstrates: its query and the calls that went well; None if it demonstrates nothing.

    A trial without any call demonstrates something only where gold says that no call was the right answer; one whose
    arguments were redacted, cut or not kept demonstrates nothing.
    """
    if trial.query is None or trial.verdict is None or trial.verdict.label != "solved":
        return None
    good = tuple(ToolCall(call.name, call.arguments) for call in trial.calls if call.outcome in (None, "result"))
    if not good and (trial.calls or trial.verdict.judge != "gold"):
        return None
    if not all(call.kept for call in trial.calls):
        return None
    if any(REDACTED in json.dumps(dict(call.arguments)) or CUT_KEY in call.arguments for call in good):
        return None
    return Demonstration(trial.query, good)


def select(trials: Iterable[Trial], *, limit: int) -> list[Trial]:
    """Return at most `limit` of `trials` to learn from, best verdict first within a tool, tools taking turns.

    Of several trials of one request (the same words in the same order) the one with the most confident verdict stays,
    the newest among equals: two answers to one request would teach that neither is right.
    """
    best: dict[tuple[str, ...], Trial] = {}
    for trial in trials:
        if demonstration_of(trial) is None:
            continue
        key = tuple(re.findall(r"\w+", (trial.query or "").lower()))
        if key not in best or _rank(trial) > _rank(best[key]):
            best[key] = trial
    by_tool: dict[tuple[str, ...], list[Trial]] = {}
    for trial in sorted(best.values(), key=_rank, reverse=True):
        by_tool.setdefault(tuple(sorted({call.name for call in trial.calls})), []).append(trial)
    return _take_turns(list(by_tool.values()), limit)


def _rank(trial: Trial) -> tuple[float, int]:
    return (trial.verdict.confidence if trial.verdict else 0.0, trial.id)


def _take_turns(queues: Sequence[Sequence[Trial]], limit: int) -> list[Trial]:
    turns = max(map(len, queues), default=0)
    taken = [queue[turn] for turn in range(turns) for queue in queues if turn < len(queue)]
    return taken[:limit]
