"""Options that several commands share."""

from pathlib import Path

import click

from middleware.memory.database import default_path

memory_option = click.option(
    "--memory",
    type=click.Path(path_type=Path),
    help="The memory file. Default: PRACTICUM_MEMORY, else practicum/memory.db in the user's data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def named_memory(given: Path | None) -> Path | None:
    """Return the memory that the command line names: the command's own --memory, else the one before the command."""
    above = click.get_current_context().find_root().obj
    return given or (above if isinstance(above, Path) else None)


def memory_path(given: Path | None) -> Path:
    """Return the memory that a command works on: the one the command line names, else the default."""
    return named_memory(given) or default_path()
