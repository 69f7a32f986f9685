"""`learner calls`, `servers` and `trials`: look into the memory."""

import json
from pathlib import Path
from typing import Any

import click

from learner.cli.options import LIMIT, Words, json_option, memory_option, memory_path
from learner.cli.servers import servers_named
from learner.cli.show import harmless, print_json, print_table, when
from middleware.memory.records import CallRecord, Trial
from middleware.memory.store import Memory

NOT_KEPT = "(not kept)"
OUTCOMES = ("result", "tool_error", "protocol_error", "cancelled", "no_answer")


@click.command("calls")
@click.option("--server", type=Words(), help="Only calls to the server of this name.")
@click.option("--tool", type=Words(), help="Only calls to this tool.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only calls that ended like this.")
@click.option("--search", type=Words(), help="Only calls with all of these words in tool, arguments, result or error.")
@click.option("--corrections", is_flag=True, help="Only failed calls that a good one corrected, and these.")
@click.option("--limit", default=20, show_default=True, type=LIMIT, help="How many calls.")
@json_option
@memory_option
def calls_command(
    server: str | None,
    tool: str | None,
    outcome: str | None,
    search: str | None,
    corrections: bool,
    limit: int,
    as_json: bool,
    memory: Path | None,
) -> None:
    """Show remembered calls, newest first."""
    with Memory(memory_path(memory)) as opened:
        found = opened.calls(
            server=server, tool=tool, outcome=outcome, search=search, corrections=corrections, limit=limit
        )
        if not found and server is not None:
            servers_named(opened, server)
    if as_json:
        print_json([_call(call) for call in found])
        return
    print_table(
        ("id", "when (UTC)", "server", "tool", "arguments", "outcome", "ms", "result or error"),
        (
            (
                call.id,
                when(call.created_at),
                call.server,
                call.tool_name,
                _shown(call, call.arguments_json),
                _ending(call),
                None if call.duration_ms is None else round(call.duration_ms, 1),
                _shown(call, call.error or call.result_json),
            )
            for call in found
        ),
    )


@click.command("servers")
@json_option
@memory_option
def servers_command(as_json: bool, memory: Path | None) -> None:
    """Show the servers that were seen."""
    with Memory(memory_path(memory)) as opened:
        found = opened.servers()
    if as_json:
        print_json(
            [
                {
                    "server": server.name,
                    "uid": server.uid,
                    "command": server.command,
                    "created_at": server.created_at,
                    "tools": server.tools,
                    "calls": server.calls,
                    "failures": server.failures,
                }
                for server in found
            ]
        )
        return
    print_table(
        ("server", "tools", "calls", "failures", "since (UTC)", "command"),
        (
            (
                server.name,
                server.tools,
                server.calls,
                server.failures,
                when(server.created_at),
                harmless(server.command, 80),
            )
            for server in found
        ),
    )


@click.command("trials")
@click.option("--server", type=Words(), help="Only trials of the server of this name.")
@click.option("--label", type=click.Choice(("solved", "failed", "unclear")), help="Only trials judged so.")
@click.option("--like", type=Words(), help="The trials whose queries are nearest to this one, nearest first.")
@click.option("--limit", default=20, show_default=True, type=LIMIT, help="How many trials.")
@json_option
@memory_option
def trials_command(
    server: str | None, label: str | None, like: str | None, limit: int, as_json: bool, memory: Path | None
) -> None:
    """Show trials: queries, their calls and verdicts.

    What other clients call becomes a trial by time: calls of one session with at most five minutes between them, shown
    when no more can come. Its query is what the model said that they were for, where it was asked (proxy --intent).
    """
    with Memory(memory_path(memory)) as opened:
        found = opened.trials(server=server, label=label, like=like, limit=limit)
        waiting = opened.calls_without_trial(server) if label is None else 0
        if not found and server is not None:
            servers_named(opened, server)
    if waiting:
        click.echo(
            f"calls that are in no trial yet: {waiting:,}; they come into one five minutes after their session's last",
            err=True,
        )
    if as_json:
        print_json([_trial(trial) for trial in found])
        return
    print_table(
        ("id", "source", "by", "query", "calls", "corrected", "last call", "verdict", "judge"),
        (
            (
                trial.id,
                trial.source,
                harmless(trial.model or trial.client_name or "", 24),
                harmless(trial.query or "", 60),
                len(trial.calls),
                sum(call.corrects is not None for call in trial.calls),
                harmless(_last_call(trial), 70),
                trial.verdict.label if trial.verdict else "",
                trial.verdict.judge if trial.verdict else "",
            )
            for trial in found
        ),
    )


def _ending(call: CallRecord) -> str:
    """How a call ended, and what is remarkable about it."""
    notes = []
    if call.rounds > 1:
        notes.append(f"{call.rounds} rounds")
    if call.corrects is not None:
        notes.append("corrects a failed one")
    if call.corrected_by is not None:
        notes.append("corrected later")
    return ", ".join([call.outcome or "", *notes])


def _shown(call: CallRecord, text: str | None) -> str:
    """Return what a call said as a cell; that nothing of it was kept is not to look as if it had said nothing."""
    # The beginning is enough to fill the cell; the rest may be megabytes.
    return NOT_KEPT if call.capture == "off" else harmless((text or "")[:1000], 60)


def _last_call(trial: Trial) -> str:
    if not trial.calls:
        return ""
    last = trial.calls[-1]
    return f"{last.name} {json.dumps(dict(last.arguments), ensure_ascii=False) if last.kept else NOT_KEPT}"


def _call(call: CallRecord) -> dict[str, Any]:
    return {
        "id": call.id,
        "uid": call.uid,
        "server": call.server,
        "tool": call.tool_name,
        "arguments": None if call.arguments_json is None else json.loads(call.arguments_json),
        "result": None if call.result_json is None else json.loads(call.result_json),
        "outcome": call.outcome,
        "error": call.error,
        "created_at": call.created_at,
        "duration_ms": call.duration_ms,
        "client": call.client_name,
        "trial": call.trial_uid,
        "intent": call.intent,
        "rounds": call.rounds,
        "corrects": call.corrects,
        "capture": call.capture,
        "corrected_by": call.corrected_by,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.id,
        "uid": trial.uid,
        "query": trial.query,
        "source": trial.source,
        "model": trial.model,
        "client": trial.client_name,
        "origin": trial.origin,
        "created_at": trial.created_at,
        "calls": [
            {
                "name": call.name,
                "arguments": dict(call.arguments) if call.kept else None,
                "outcome": call.outcome,
                "uid": call.uid,
                "corrects": call.corrects,
            }
            for call in trial.calls
        ],
        "verdict": None
        if trial.verdict is None
        else {
            "judge": trial.verdict.judge,
            "label": trial.verdict.label,
            "confidence": trial.verdict.confidence,
            "reason": trial.verdict.reason,
        },
    }
