"""`learner wrap` and `unwrap`: the relay in a client's configuration file, and out of it again."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import click

from learner.cli.asking import ask, check_json, check_terminal
from learner.cli.options import json_option, memory_option, named_memory
from learner.cli.proxy import proxy_command
from learner.cli.show import harmless, print_json
from middleware.clients.backup import Backup
from middleware.clients.known import CLIENTS, files_named
from middleware.clients.wrap import Launcher, Plan, carry_out, check_program, plan_unwrap, plan_wrap
from middleware.memory.database import default_path

# Options of `learner proxy` that go into every entry. Each keeps its environment variable, which a client may not have.
_PASSED_ON = ("timeout_s", "capture", "cut_bytes", "intent")
_TARGET = f"a client ({', '.join(CLIENTS)}), with all its files that are found, or a configuration file"


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both commands take."""
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
        click.option("--yes", is_flag=True, help="Change it without asking."),
        click.option("--only", multiple=True, metavar="NAME", help="Only the server of this name. May be repeated."),
        click.argument("target", metavar="CLIENT_OR_FILE"),
    ):
        command = option(command)
    return command


def _passing_on(command: click.Command) -> click.Command:
    """Add the options that go into entries. What is not given stays as it is there, or is left to the relay."""
    for option in proxy_command.params:
        if option.name in _PASSED_ON and isinstance(option, click.Option):
            added = copy(option)
            added.default, added.show_default = None, False
            command.params.append(added)
    return command


@_passing_on
@click.command("wrap", help=f"Put the relay in front of the servers of CLIENT_OR_FILE: {_TARGET}.")
@_shared
@memory_option
def wrap_command(
    target: str,
    only: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    as_json: bool,
    memory: Path | None,
    **passed_on: Any,
) -> None:
    """Put the relay in front of a client's servers."""
    files = files_named(target, Path.cwd())  # a wrong name is said before anything else
    _check_asking(yes or dry_run, as_json)
    present = _memory_to_name(memory)
    options = {**({"--memory": str(present)} if present else {}), **_spelled(passed_on)}
    launcher = Launcher(check_program(), options, present or default_path().absolute())
    plans = plan_wrap(files, launcher, only)
    _go(target, plans, yes=yes, dry_run=dry_run, as_json=as_json)


@click.command("unwrap", help=f"Take the relay out of CLIENT_OR_FILE again: {_TARGET}.")
@_shared
def unwrap_command(target: str, only: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool) -> None:
    """Take the relay out of a client's file."""
    files = files_named(target, Path.cwd())
    _check_asking(yes or dry_run, as_json)
    plans = plan_unwrap(files, only)
    _go(target, plans, yes=yes, dry_run=dry_run, as_json=as_json)


def _spelled(values: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the options that were given as an entry has them: their names, and values or None for flags."""
    names = {option.name: option.opts[0] for option in proxy_command.params}
    return {
        names[name]: None if value is True else f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in values.items()
        if value is not None and value is not False
    }


def _check_asking(is_decided: bool, as_json: bool) -> None:
    check_json(as_json, is_decided)
    if not is_decided:
        check_terminal()  # before anything is shown


def _memory_to_name(given: Path | None) -> Path | None:
    """Return the memory that entries have to name: clients start servers in an environment of their own, where the
    present memory would not be the default one."""
    named = named_memory(given)
    if named is not None:
        return named.expanduser().absolute()
    is_moved = bool(os.environ.get("PRACTICUM_MEMORY")) or (
        sys.platform != "darwin"
        and os.environ.get("XDG_DATA_HOME", "") not in ("", str(Path.home() / ".local" / "share"))
    )
    return default_path().absolute() if is_moved else None


def _go(target: str, plans: Sequence[Plan], *, yes: bool, dry_run: bool, as_json: bool) -> None:
    has_changes = any(plan.is_change for plan in plans)
    if not as_json:
        for plan in plans:
            _show(plan)
        if not has_changes:
            click.echo("nothing to change")
            return
    is_meant = has_changes and not dry_run
    if is_meant and not yes:
        ask("Change this?")
    done = [(plan, carry_out(plan) if is_meant and plan.is_change else None) for plan in plans]
    if as_json:
        print_json([_as_json(plan, backup, is_changed=is_meant and plan.is_change) for plan, backup in done])
    elif is_meant:
        for plan, backup in done:
            if plan.is_change:
                _report(target, plan, backup)
    else:
        click.echo("nothing was changed")


def _show(plan: Plan) -> None:
    """Print what would change, as a diff does; values of environment and headers are never part of it."""
    click.echo(f"{harmless(str(plan.path))}{f' ({plan.client})' if plan.client else ''}")
    for change in plan.changes:
        where = "".join(f" in {harmless(key)}" for key in change.keys[1:-2])
        if change.before == change.after:
            click.echo(f"  {harmless(change.name)}{where}: {change.action}: {harmless(change.reason)}")
            continue
        click.echo(f"  {harmless(change.name)}{where}: {change.action}")
        click.echo(f"  - {harmless(change.before)}")
        click.echo(f"  + {harmless(change.after)}")


def _report(target: str, plan: Plan, backup: Backup | None) -> None:
    click.echo(f"changed {harmless(str(plan.path))}; restart {plan.client or 'the client'} to see it")
    if backup is None:
        return
    back = harmless(shlex.join(["learner", "unwrap", target]))
    script = harmless(shlex.join(["sh", str(backup.restore_script)]))
    click.echo(f"take it out again: {back}; without Practicum: {script}")
    if any((folder / ".git").exists() for folder in plan.path.parents):
        click.echo("the file lies in a git repository: what was written names this machine's Python; do not commit it")


def _as_json(plan: Plan, backup: Backup | None, *, is_changed: bool) -> dict[str, Any]:
    return {
        "path": str(plan.path),
        "client": plan.client,
        "changed": is_changed,
        "restore_script": str(backup.restore_script) if backup else None,
        "servers": [
            {
                "name": change.name,
                "keys": change.keys,
                "action": change.action,
                "reason": change.reason or None,
                "before": change.before,
                "after": change.after,
            }
            for change in plan.changes
        ],
    }
