"""`learner distill`: remembered trials → an artefact."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from learner.cli.options import json_option, memory_option, memory_path, next_command
from learner.cli.servers import servers_named
from learner.cli.show import harmless, print_json, print_table
from learner.distill.prompt import LIMIT, choose, distill_prompt
from learner.errors import NothingToLearnError
from middleware.memory.records import Trial
from middleware.memory.store import Memory


@click.command("distill")
@click.option("--to", "kind", type=click.Choice(("prompt",)), required=True, help="What to make.")
@click.option("--server", help="Only from this server: its name, or its uid where two share one. Default: all.")
@click.option("--name", help="The artefact's name. Default: prompt- and the time.")
@click.option(
    "--limit",
    default=LIMIT,
    show_default=True,
    type=click.IntRange(1),
    help="At most this many demonstrations.",
)
@click.option("--dry-run", is_flag=True, help="Show which trials would be used, and write nothing.")
@json_option
@memory_option
def distill_command(
    kind: str,
    server: str | None,
    name: str | None,
    limit: int,
    dry_run: bool,
    as_json: bool,
    memory: Path | None,
) -> None:
    """Turn solved trials, and recorded calls that went well, into an artefact.

    Nothing reaches a client before `learner apply`.
    """
    if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise click.BadParameter(f"{name!r} is no artefact name: use letters, digits, '.', '_' and '-'")
    with Memory(memory_path(memory)) as opened:
        uid = None if server is None else _uid_of(opened, server)
        if dry_run:
            _show(choose(opened, server_uid=uid, limit=limit), as_json)
            return
        chosen = name or f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        folder, manifest = distill_prompt(opened, name=chosen, server_uid=uid, limit=limit)
    if as_json:
        print_json(
            {
                "artefact": chosen,
                "path": str(folder),
                "trials": manifest.trials,
                "tools": {name: len(tools) for name, tools in manifest.tools.items()},
            }
        )
    else:
        click.echo(f"artefact {chosen} from {manifest.trials} trials, in {folder}")
        click.echo(f"Let clients see its hints: {next_command('apply', chosen)}")


def _uid_of(memory: Memory, server: str) -> str:
    """Return the uid of the one server that is called `server`, or has that uid.

    Raises:
        UnknownServerError: there is none.
        NothingToLearnError: several share the name.
    """
    found = servers_named(memory, server)
    if len(found) == 1:
        return found[0].uid
    several = "; ".join(f"{one.uid} is {one.command[:80]}" for one in found)
    raise NothingToLearnError(f"{len(found)} servers are called {server!r}; give one's uid instead: {several}")


def _show(trials: list[Trial], as_json: bool) -> None:
    if as_json:
        print_json([{"uid": trial.uid, "query": trial.query} for trial in trials])
        return
    print_table(
        ("id", "query", "tools", "judge"),
        (
            (
                trial.id,
                harmless(trial.query or "", 80),
                ", ".join(call.name for call in trial.calls),
                trial.verdict.judge if trial.verdict else "",
            )
            for trial in trials
        ),
    )
