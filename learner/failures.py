"""Which tools fail, how, and on which argument.

Of each tool: its commonest error, and its last failure beside the call most like it that worked.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from learner.arguments import Difference, differences, nearest
from learner.error_forms import error_form
from learner.significance import Interval, wilson
from middleware.memory.failures import FAILURES
from middleware.memory.records import CallEnded, ToolCounts
from middleware.memory.shortening import CUT_KEY
from middleware.memory.store import Memory

NEWEST_FAILURES = 200  # of each tool that are read, to see which error is commonest
_NEWEST_GOOD = 200  # of each tool that a failure is compared with


@dataclass(frozen=True)
class CommonError:
    """The commonest error among a tool's `of` newest failures: how many `calls` had it, their newest, its form."""

    calls: int
    of: int
    example: "Example"
    form: str


@dataclass(frozen=True)
class Example:
    """One call: `arguments` is None when they were not kept; `cut` when only their beginning was. `kept` says whether
    what it said was to be kept at all."""

    uid: str
    created_at: str
    outcome: str
    error: str | None
    kept: bool
    arguments: dict[str, Any] | None
    cut: bool


@dataclass(frozen=True)
class ToolFailures:
    """One tool whose calls fail.

    `rate` and its 95 % `interval` are of the calls that were not cancelled. `worked` is the nearest call that did, the
    last failure's own correction if `corrected`; None when none is known. `differs` is what is not the same in both;
    None when there is nothing to compare.
    """

    counts: ToolCounts
    rate: float
    interval: Interval
    common_error: CommonError
    last_failure: Example
    worked: Example | None
    corrected: bool
    differs: tuple[Difference, ...] | None


def failing(counts: Sequence[ToolCounts]) -> list[ToolCounts]:
    """Return the tools with failures, what is most worth mending first.

    That is the number of calls that surely fail: the lower end of the rate's interval, times the calls. By the rate
    alone a tool that was called once and failed would stand first, by failures alone one that is called all day.
    """
    failed = [tool for tool in counts if tool.failures]
    return sorted(failed, key=lambda tool: (-_surely(tool), -tool.failures, tool.server, tool.tool))


def _surely(tool: ToolCounts) -> float:
    calls = tool.calls - tool.cancelled
    return wilson(tool.failures, calls)[0] * calls


def tool_failures(memory: Memory, tool: ToolCounts) -> ToolFailures | None:
    """Return what is to be said of one tool; None when its failures were deleted since they were counted."""
    failed = memory.failures.newest(tool.server_uid, tool.tool, FAILURES, NEWEST_FAILURES)
    if not failed:
        return None
    last = _example(failed[0])
    correction = memory.failures.correction(failed[0].uid)
    if correction is not None:
        worked: Example | None = _example(correction)
    else:
        good = [
            _example(call) for call in memory.failures.newest(tool.server_uid, tool.tool, ("result",), _NEWEST_GOOD)
        ]
        worked = nearest_of(last, good)
    calls = tool.calls - tool.cancelled
    return ToolFailures(
        counts=tool,
        rate=tool.failures / calls,
        interval=wilson(tool.failures, calls),
        common_error=common_error(failed, memory.failures.argument_names(tool.server_uid, tool.tool)),
        last_failure=last,
        worked=worked,
        corrected=correction is not None,
        differs=_differs(last, worked),
    )


def common_error(failed: Sequence[CallEnded], names: Collection[str] = ()) -> CommonError:
    """Return the commonest error of calls that failed, newest first; of equally common ones the newest.

    `names` are the tool's arguments, as far as they are known. There must be a call. Those of which nothing was
    kept count only where there are no others.
    """
    failed = [call for call in failed if call.error or call.capture != "off"] or failed
    arguments = [_arguments(call) or {} for call in failed]
    known = set(names).union(*arguments)
    forms = [
        (call.outcome, call.error_code, error_form(call.error or "", given, known))
        for call, given in zip(failed, arguments, strict=True)
    ]
    [(commonest, calls)] = Counter(forms).most_common(1)
    example = failed[forms.index(commonest)]
    return CommonError(calls, len(failed), _example(example), commonest[2])


def nearest_of(failed: Example, good: Sequence[Example]) -> Example | None:
    """Return the good call whose arguments are most like the failed one's; the newest when those were not kept."""
    kept = [call for call in good if call.arguments is not None]
    if failed.arguments is None or not kept:
        return next(iter(good), None)
    position = nearest(failed.arguments, [call.arguments or {} for call in kept])
    return None if position is None else kept[position]


def _differs(failed: Example, worked: Example | None) -> tuple[Difference, ...] | None:
    if worked is None or failed.arguments is None or worked.arguments is None:
        return None
    return tuple(differences(failed.arguments, worked.arguments))


def _example(call: CallEnded) -> Example:
    """Return the call with its arguments read: {} when it had none, None when they were not kept."""
    arguments = _arguments(call)
    cut = arguments is not None and arguments.pop(CUT_KEY, None) is not None
    return Example(call.uid, call.created_at, call.outcome, call.error, call.capture != "off", arguments, cut)


def _arguments(call: CallEnded) -> dict[str, Any] | None:
    if call.arguments_json is None:
        return None if call.capture == "off" else {}
    try:
        value = json.loads(call.arguments_json)
    except (ValueError, RecursionError):  # nested deeper than Python reads
        return None
    return value if isinstance(value, dict) else {}
