"""Options that several commands share."""

import shlex
from pathlib import Path

import click

LIMIT = click.IntRange(1, 100_000)


class Words(click.ParamType[str]):
    """Text from a command line, which may hold bytes that are no text in any encoding: those become "?"."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return `value` as text that can be looked for."""
        return value.encode("utf-8", "replace").decode()


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


def next_command(*words: str) -> str:
    """Return the command line `learner words` for a shell, on the memory that this command line names, if any."""
    named = named_memory(click.get_current_context().params.get("memory"))
    return shlex.join(["learner", *(["--memory", str(named)] if named else []), *words])


def memory_path(given: Path | None) -> Path:
    """Return the memory that a command works on: the one the command line names, else the default."""
    # Only here: `learner doctor` asks whose the packages are before it imports them.
    from middleware.memory.database import default_path

    return named_memory(given) or default_path()
