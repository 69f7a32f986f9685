"""`learner forget`: delete what should not be kept, and whatever was made from it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from learner.cli.asking import ask, check_json
from learner.cli.options import json_option, memory_option, memory_path
from learner.cli.servers import servers_named
from learner.cli.show import harmless, print_json, when
from learner.errors import NotForgottenError
from middleware.memory.doomed import Selection
from middleware.memory.forget import Forgotten, Found
from middleware.memory.forget import Progress as Tell
from middleware.memory.store import Memory

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Moment(click.ParamType[str]):
    """A date, a time or an age, as the memory writes times."""

    name = "when"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        age = re.fullmatch(r"(\d{1,6})([mhdw])", value)
        try:
            if age:
                moment = datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
            else:
                moment = datetime.fromisoformat(value)
                moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no date (2026-11-23), time (2026-11-23T08:00) or age (30d, 12h, 90m, 2w)", param, ctx
            )
        return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _not_empty(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("give at least one character", param=parameter)
    # Bytes of the command line that are no text in any encoding stand in no record either.
    return None if value is None else value.encode("utf-8", "replace").decode()


@click.command("forget")
@click.option("--server", callback=_not_empty, help="What was recorded of the server of this name or uid.")
@click.option(
    "--before", type=_Moment(), help="What is older: than a date or time (UTC), or an age such as 30d or 12h."
)
@click.option("--call", "calls", multiple=True, metavar="ID", help="The call of this id or uid. May be repeated.")
@click.option(
    "--containing",
    metavar="TEXT",
    callback=_not_empty,
    help="What holds this text, anywhere in it and however JSON spells it. Upper and lower case are told apart.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@json_option
@memory_option
def forget_command(
    server: str | None,
    before: str | None,
    calls: tuple[str, ...],
    containing: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    memory: Path | None,
) -> None:
    """Delete calls, and what was made from them, so that no file of the memory holds them.

    What meets all options that are given goes: calls, trials and verdicts that rest on them, artefacts made from them,
    which relays stop showing at once. With --server alone, the server goes too. Shows what would go, and asks.
    """
    selection = Selection(server, before, tuple(calls), containing)
    if selection == Selection():
        raise click.UsageError("say what to forget: --server, --before, --call or --containing")
    check_json(as_json, yes or dry_run)
    path = memory_path(memory)
    with _progress() as tell, Memory(path) as opened:
        forgetting = opened.forgetting
        found = forgetting.find(selection, tell)
        unfinished = forgetting.unfinished()
        if server is not None and not found and not unfinished:
            servers_named(opened, server)
        left = forgetting.left(selection) if not found else []
        to_do = bool(found or left or unfinished)
        done: Forgotten | None = None
        if to_do and not dry_run:
            tell("", 0, 0)
            if not yes:
                _show(found, left, err=True)
                ask(f"Forget this for good, in {path}?", nothing="nothing was forgotten")
            done = forgetting.carry_out(selection, tell)
        elif not as_json:
            _show(found, left)
            _tell_outside(forgetting.outside(selection))
    if as_json:
        print_json(_report(found, done))
    elif done is not None:
        _tell(found, done, asked=not yes)
    if done is not None and not done.complete:
        raise NotForgottenError(_incomplete(done))


def _show(found: Found, left: list[Path], *, err: bool = False) -> None:
    for line in _lines(found):
        click.echo(line, err=err)
    for file in left:
        click.echo(f"traces in {file}", err=err)
    if not found and not left:
        click.echo("nothing in the memory meets this", err=err)


def _lines(found: Found) -> Iterator[str]:
    if found.calls:
        between = f", {when(found.oldest)} to {when(found.newest)} UTC" if found.oldest and found.newest else ""
        yield f"{_count(sum(found.calls.values()), 'call')}{between}"
        for server, count in found.calls.items():
            yield f"  {count:>8,} {harmless(server, 60)}"
    if found.in_flight:
        yield f"{_count(found.in_flight, 'call')} in flight: what they will answer is not recorded either"
    for count, word in (
        (found.trials, "trial"),
        (found.verdicts, "verdict"),
        (found.tools, "tool definition"),
        (found.evaluations, "evaluation"),
        (found.sessions, "session"),
        (len(found.servers), "server"),
    ):
        if count:
            yield _count(count, word)
    if found.names:
        yield f"{_count(found.names, 'server, session or episode')} whose name, command or settings are replaced"
    for artefact in found.artefacts:
        shown = f", shown now by the relays of {', '.join(map(harmless, artefact.serving))}" if artefact.serving else ""
        yield f"artefact {harmless(artefact.name)}{shown}"
        if artefact.outside:
            yield f"  its folder is not one of the memory's and stays: {artefact.path}"


def _tell(found: Found, done: Forgotten, *, asked: bool) -> None:
    if not asked:
        _show(found, [])
    _tell_outside(done.outside)
    if done.complete:
        click.echo(
            "forgotten; backups that you made, and what clients and servers keep themselves, are not ours to change"
        )


def _tell_outside(paths: Iterable[Path]) -> None:
    for path in paths:
        click.echo(f"not touched, because it lies outside the data directory: {path}")


def _incomplete(done: Forgotten) -> str:
    words = []
    for path, server in done.spools.items():
        relay = f"the relay of {harmless(server)}" if server else "a relay"
        words.append(f"{relay} still holds records in {path}: end the client that started it")
    if done.left:
        words.append(f"the text is still in {', '.join(map(str, done.left))}: see what that is, and delete it")
    return "; ".join(words) + "; then run this again"


def _report(found: Found, done: Forgotten | None) -> dict[str, Any]:
    report = asdict(found) | {"forgotten": done is not None and done.complete}
    report["artefacts"] = [
        {"artefact": each.name, "path": str(each.path), "serving": list(each.serving), "outside": each.outside}
        for each in found.artefacts
    ]
    if done is not None:
        report |= {key: [str(path) for path in getattr(done, key)] for key in ("left", "spools", "outside")}
    return report


@contextmanager
def _progress() -> Iterator[Tell]:
    """Show on stderr what takes long, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            if not doing:
                progress.stop()  # somebody is asked
            else:
                progress.start()
                progress.update(task, description=doing, completed=done, total=total or None)

        yield tell


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
