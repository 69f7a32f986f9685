"""`learner doctor`: is all well, and what mends what is not."""

import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console

from learner.cli.asking import ask, check_json
from learner.cli.health.finding import Finding, Place, command
from learner.cli.health.packages import are_foreign, packages_findings
from learner.cli.options import json_option, memory_option, memory_path, named_memory
from learner.cli.show import harmless, print_findings, print_json

Check = Callable[[Place], Iterable[Finding]]
# Those that import the other packages are named, and imported once it is known that these are ours.
_CHECKS = (
    ("sqlite", "sqlite_findings"),
    ("memory", "memory_findings"),
    ("memory", "spool_findings"),
    ("disk", "disk_findings"),
    ("clients", "client_findings"),
)


@click.command("doctor")
@click.option(
    "--start", is_flag=True, help="Also start the wrapped servers of all clients, and see whether they answer."
)
@click.option("--thorough", is_flag=True, help="Read the whole memory for damage. Default: for 20 seconds.")
@click.option(
    "--prune",
    is_flag=True,
    help="Thin what is beyond the limits, and remove what is of no use any more. Asks first.",
)
@click.option("--yes", is_flag=True, help="With --prune: do not ask.")
@click.option(
    "--keep-days",
    type=click.FloatRange(min=0),
    help="For how many days what calls said is kept. Default: PRACTICUM_KEEP_DAYS, else 90.",
)
@click.option(
    "--keep-bytes",
    type=click.IntRange(min=0),
    help="How large the memory may be, in bytes, before the oldest calls are thinned. "
    "Default: PRACTICUM_KEEP_BYTES, else 1,000,000,000.",
)
@json_option
@memory_option
def doctor_command(
    start: bool,
    thorough: bool,
    prune: bool,
    yes: bool,
    keep_days: float | None,
    keep_bytes: int | None,
    as_json: bool,
    memory: Path | None,
) -> int:
    """Look whether all is well: memory, disk, clients, packages. Each finding comes with the command that mends it.

    Nothing is changed without --prune. Exit status 1 when something does not work.
    """
    environment = dict(os.environ)
    found = guarded("packages", packages_findings, Place(Path(), environment))
    if are_foreign(found):
        text = "the rest was not looked at, as what is not ours would have been run for it"
        found.append(Finding("check", "warning", text, command(sys.executable, "-I", "-m", "learner", "doctor")))
        return _told(found, as_json=as_json)
    # Only here, as the checks below: this imports the other packages.
    from learner.cli.health.environment import KEEP, environment_findings, limit

    found += guarded("environment", environment_findings, Place(Path(), environment))
    try:
        path = memory_path(memory).expanduser()
    except RuntimeError:  # an unknown user's folder; the environment's findings say so
        return _told(found, as_json=as_json)
    place = Place(
        path,
        environment,
        keep_days=limit(environment, KEEP[0]) if keep_days is None else keep_days,
        keep_bytes=limit(environment, KEEP[1]) if keep_bytes is None else keep_bytes,
        start=start,
        thorough=thorough,
        is_named=named_memory(memory) is not None,
    )
    if prune:
        found = [*_pruned(place, yes=yes, as_json=as_json), *found]
    with Console(stderr=True).status("") as status:  # seen on terminals only
        for module, name in _CHECKS:
            status.update(f"looking at {module}")
            found += guarded(module, _check(module, name), place)
    return _told(found, as_json=as_json)


def _check(module: str, name: str) -> Check:
    def check(place: Place) -> Iterable[Finding]:
        found: Iterable[Finding] = getattr(importlib.import_module(f"learner.cli.health.{module}"), name)(place)
        return found

    return check


def guarded(name: str, check: Check, place: Place) -> list[Finding]:
    """Return what `check` finds; that it broke off is a finding, and keeps nobody from the others."""
    found: list[Finding] = []
    try:
        found.extend(check(place))
    except Exception as error:  # noqa: BLE001 - it looks at what may be broken in any way
        text = f"looking at {name} broke off: {type(error).__name__}: {error}"
        found.append(Finding("check", "failure", text))
    return found


def _pruned(place: Place, *, yes: bool, as_json: bool) -> list[Finding]:
    from learner.cli.health.pruning import prune, to_prune

    check_json(as_json, yes, how="give --yes")
    what = to_prune(place)
    lines = list(what.lines())
    if not lines:
        return [Finding("pruned", "ok", "there was nothing to prune")]
    if not yes:
        click.echo("\n".join(f"to prune: {harmless(line)}" for line in lines), err=True)
        ask("Do this?", how="give --yes")
    return [Finding("pruned", "ok", line) for line in prune(place, what)]


def _told(found: Sequence[Finding], *, as_json: bool) -> int:
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in found])
    else:
        print_findings([(finding.level, finding.topic, finding.text, finding.mend) for finding in found])
    return int(any(finding.level == "failure" for finding in found))
