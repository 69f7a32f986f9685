"""Options that several commands share."""

from pathlib import Path

import click

from middleware.memory.database import default_path

memory_option = click.option(
    "--memory",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The memory file. Default: PRACTICUM_MEMORY, else practicum/memory.db in the user's data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def memory_path(given: Path | None) -> Path:
    """Return the memory that a command works on: its own --memory, else the group's, else the default."""
    if given is not None:
        return given
    above = click.get_current_context().find_root().obj
    return above if isinstance(above, Path) else default_path()
