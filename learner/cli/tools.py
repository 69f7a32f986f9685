"""`learner tools`: the tools that were seen; with `--failures`, which of them fail, how, and on which argument."""

import json
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from learner.arguments import Difference, Missing
from learner.cli.options import LIMIT, Words, json_option, memory_option, memory_path, next_command
from learner.cli.servers import servers_named
from learner.cli.show import harmless, print_blocks, print_json, print_table, when
from learner.failures import Example, ToolFailures, failing, tool_failures
from middleware.memory.store import Memory

_FAILING = 10  # tools that --failures shows when nobody says how many
_VALUE = 60  # characters of one argument's value that are shown
_BEFORE = 20  # of these, as many before what differs
_DIFFERENCES = 8  # arguments whose values are shown
_TEXT = 300  # characters of an error, or of all arguments


@click.command("tools")
@click.option("--failures", is_flag=True, help="Only tools whose calls fail: how often, how, and on which argument.")
@click.option("--server", type=Words(), help="Only tools of the server of this name.")
@click.option("--tool", type=Words(), help="Only the tools of this name.")
@click.option("--limit", type=LIMIT, help=f"How many tools. Default: all; with --failures, {_FAILING}.")
@json_option
@memory_option
def tools_command(
    failures: bool, server: str | None, tool: str | None, limit: int | None, as_json: bool, memory: Path | None
) -> None:
    """Show the tools that were seen, and how often their calls fail.

    With --failures, what is most worth mending comes first: each tool's commonest error, its last failed call, and
    beside it the good call that corrected it, or else the one whose arguments are most alike.
    """
    with Memory(memory_path(memory)) as opened:
        if server is not None:
            servers_named(opened, server)
        if failures:
            _show_failures(opened, server, tool, limit or _FAILING, as_json=as_json)
        else:
            _show_tools(opened, server, tool, limit, as_json=as_json)


def _show_tools(memory: Memory, server: str | None, tool: str | None, limit: int | None, *, as_json: bool) -> None:
    found = [each for each in memory.tools(server) if tool in (None, each.name)][:limit]
    if as_json:
        print_json(
            [
                {
                    "server": tool.server,
                    "tool": tool.name,
                    "hash": tool.hash,
                    "calls": tool.calls,
                    "failures": tool.failures,
                    "definition": tool.definition,
                }
                for tool in found
            ]
        )
        return
    print_table(
        ("server", "tool", "calls", "failures", "description"),
        (
            (
                tool.server,
                tool.name,
                tool.calls,
                tool.failures,
                harmless(str(tool.definition.get("description") or ""), 70),
            )
            for tool in found
        ),
    )
    if any(each.failures for each in found):
        click.echo(f"\nHow they fail, and on which argument: {next_command('tools', '--failures')}")


def _show_failures(memory: Memory, server: str | None, tool: str | None, limit: int, *, as_json: bool) -> None:
    counted = memory.failures.counts(server, tool)
    ranked = failing(counted)
    found = [each for each in (tool_failures(memory, tool) for tool in ranked[:limit]) if each is not None]
    if as_json:
        print_json([_json(each) for each in found])
        return
    if not counted and (server or tool):
        click.echo(f"no such call is remembered; {next_command('tools')} shows which servers and tools were seen")
    elif not counted:
        click.echo("no call is remembered yet; put learner proxy in front of a server, and use it")
    elif not ranked:
        click.echo(f"none of {sum(each.calls for each in counted)} calls failed")
    print_blocks([(f"{each.counts.server} / {each.counts.tool}", list(_lines(each))) for each in found])
    if len(ranked) > limit:
        click.echo(f"\n{len(ranked) - limit} more tools have failures: --limit {len(ranked)}")


def _lines(tool: ToolFailures) -> Iterator[tuple[str, str]]:
    """Yield what is said of a tool, as pairs of a label and a text."""
    counts, common, last, worked = tool.counts, tool.common_error, tool.last_failure, tool.worked
    low, high = tool.interval
    cancelled = f"; {counts.cancelled} more cancelled" if counts.cancelled else ""
    asked = counts.calls - counts.cancelled
    yield (
        "failed",
        f"{counts.failures} of {asked} calls, {tool.rate:.0%} (95 % interval {low:.0%} to {high:.0%}){cancelled}",
    )
    of = f"{common.of}" if counts.failures == common.of else f"{common.of} that were looked at"
    yield "commonest error", f"{common.calls} of {of}: {_error(common.example)}"
    yield "last failure", f"{when(last.created_at)}  {_arguments(last)}"
    if last.error != common.example.error:
        yield "", _error(last)
    if worked is None:
        yield "nearest good call", "none is remembered"
        return
    yield (
        ("corrected by" if tool.corrected else "nearest good call"),
        f"{when(worked.created_at)}  {_arguments(worked)}",
    )
    if tool.differs is None:
        yield "difference", "not known: the arguments were not kept"
    elif not tool.differs:
        yield "difference", "none in the arguments, as far as they were kept"
    differs = tool.differs or ()
    # One line an argument: which of them it is, is what one wants to see.
    for number, difference in enumerate(differs[:_DIFFERENCES]):
        yield ("" if number else "difference"), f"{difference.path}: {_values(difference)}"
    if len(differs) > _DIFFERENCES:
        yield "", f"and {len(differs) - _DIFFERENCES} more"


def _error(call: Example) -> str:
    return (
        harmless(call.error or "", _TEXT) or f"({call.outcome}, {'without a text' if call.kept else 'text not kept'})"
    )


def _arguments(call: Example) -> str:
    if call.arguments is None:
        return "(arguments not kept)"
    return harmless(json.dumps(call.arguments, ensure_ascii=False), _TEXT) + (" (cut)" if call.cut else "")


def _values(difference: Difference) -> str:
    one, other = (
        "(absent)" if isinstance(value, Missing) else harmless(json.dumps(value, ensure_ascii=False))
        for value in (difference.failed, difference.worked)
    )
    # Of long texts what differs is shown, not how they begin.
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    start = 0 if max(len(one), len(other)) <= _VALUE else max(0, same - _BEFORE)
    return " → ".join(("…" if start else "") + harmless(value[start:], _VALUE) for value in (one, other))


def _json(tool: ToolFailures) -> dict[str, Any]:
    counts, common = tool.counts, tool.common_error
    return {
        "server": counts.server,
        "server_uid": counts.server_uid,
        "tool": counts.tool,
        "calls": counts.calls,
        "failures": counts.failures,
        "cancelled": counts.cancelled,
        "rate": tool.rate,
        "interval": list(tool.interval),
        "error": {
            "form": common.form,
            "example": common.example.error,
            "outcome": common.example.outcome,
            "calls": common.calls,
            "of": common.of,
        },
        "last_failure": _example(tool.last_failure),
        "worked": None if tool.worked is None else {**_example(tool.worked), "corrects": tool.corrected},
        "differs": None if tool.differs is None else [_difference(each) for each in tool.differs],
    }


def _example(call: Example) -> dict[str, Any]:
    return {
        "uid": call.uid,
        "created_at": call.created_at,
        "outcome": call.outcome,
        "error": call.error,
        "arguments": call.arguments,
        "cut": call.cut,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    """A value that is absent is a member that is absent."""
    values = {"failed": difference.failed, "worked": difference.worked}
    return {"argument": difference.path} | {
        name: value for name, value in values.items() if not isinstance(value, Missing)
    }
