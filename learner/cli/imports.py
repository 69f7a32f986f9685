"""`learner import`: take in experience from elsewhere."""

from pathlib import Path

import click

from learner.cli.options import json_option, memory_option, memory_path
from learner.cli.show import print_json
from learner.importers import import_suite
from middleware.memory.store import Memory


@click.group("import")
def import_command() -> None:
    """Take in experience from elsewhere."""


@import_command.command("suite")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--split", required=True, help="Which cases: the SPLIT of cases-SPLIT.jsonl.")
@json_option
@memory_option
def suite_command(folder: Path, split: str, as_json: bool, memory: Path | None) -> None:
    """Put a suite's cases into memory as trials with gold verdicts; cases that are there already are left alone."""
    with Memory(memory_path(memory)) as opened:
        report = import_suite(opened, folder, split)
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report['added']} trials added to {memory_path(memory)} from {report['cases']} cases "
            f"of {report['server']}, split {split}"
        )
