"""Writes the pages that are made from the code: `python docs/generate.py [FOLDER]`, into this folder by default.

A test fails when one is out of date.
"""

import io
import sys
from pathlib import Path

import apsw
import click
from worlds_pages import index_page, world_page

from learner.cli import COMMANDS, learner
from middleware.memory.migrations import STEPS, migrate
from servers import registry

HERE = Path(__file__).parent


def schema_page() -> str:
    """Return the schema page: every statement that an empty memory was made by, with its comments."""
    database = apsw.Connection(":memory:")
    migrate(database)
    out = io.StringIO()
    out.write("# The memory's schema\n\n")
    out.write(
        "Made by `python docs/generate.py` from an empty memory; `middleware/memory/migrations.py` is the source. "
    )
    out.write("Times are UTC, ISO 8601 with milliseconds; `*_json` columns hold JSON text. ")
    out.write("The file is plain SQLite: any tool that reads SQLite can look into it. ")
    out.write("Do not write to it with SQLite 3.7.0 to 3.51.2 while relays run ")
    out.write("([why](decisions/0001-one-sqlite-library.md)).\n")
    steps = ", ".join(f"`{name}`" for name, _ in STEPS)
    out.write(f"\nSchema steps: {steps}.\n")
    for name, sql in database.execute(
        """
        SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL
            AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'calls_fts_%' OR name = 'calls_fts_state' ORDER BY name
        """
    ):
        out.write(f"\n## {name}\n\n```sql\n{sql}\n```\n")
    return out.getvalue()


def commands_page() -> str:
    """Return the commands page: the help of every command."""
    out = io.StringIO()
    out.write("# Commands\n\nMade by `python docs/generate.py` from the commands' own help.\n\n")
    out.write("Results go to stdout, progress to stderr. Exit status: 0 done, 1 failed with one line that says why, ")
    out.write("2 wrong usage.\n")
    context = click.Context(learner, info_name="learner", terminal_width=100, **learner.context_settings)
    for name in COMMANDS:
        _command(out, learner.get_command(context, name), context, ["learner", name])
    return out.getvalue()


def _command(out: io.StringIO, command: click.Command | None, parent: click.Context, path: list[str]) -> None:
    if command is None:
        raise LookupError(" ".join(path))
    context = click.Context(command, info_name=path[-1], parent=parent, terminal_width=100)
    out.write(f"\n## {' '.join(path)}\n\n```\n{command.get_help(context)}\n```\n")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            _command(out, command.get_command(context, name), context, [*path, name])


def pages() -> dict[str, str]:
    """Return every page by its path."""
    worlds = {f"worlds/{name}.md": world_page(name) for name in registry.worlds()}
    return {"schema.md": schema_page(), "commands.md": commands_page(), "worlds.md": index_page()} | worlds


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for page, text in pages().items():
        (folder / page).parent.mkdir(exist_ok=True)
        (folder / page).write_text(text, encoding="utf-8")
