"""How results are shown: tables for people, JSON for machines, and logged text made harmless for a terminal."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(value: Any) -> None:
    """Print `value` as JSON. Escapes make it safe on a terminal whatever the log holds."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=True))


def harmless(text: str, width: int = 0) -> str:
    """Return `text` on one line, without characters that a terminal obeys, cut to `width` characters if that is given.

    Control characters move the cursor or rewrite the title; direction marks reorder what is read.
    """
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def when(created_at: str) -> str:
    """Return a time of the memory's as people read it: to the second, in UTC."""
    return created_at[:19].replace("T", " ")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print a table. Cells are shown as they are: markup in them is not obeyed. Numbers stand right."""
    table = Table(
        box=None, pad_edge=False, header_style="bold", title=Text(title) if title else None, title_justify="left"
    )
    listed = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(listed) and all(isinstance(row[index], int | float | None) for row in listed)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text("" if cell is None else harmless(str(cell))) for cell in row))
    Console(highlight=False).print(table)


def print_blocks(blocks: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Print blocks of a title and of labelled texts, which keep to their column when they are wrapped."""
    console = Console(highlight=False)
    width = max((len(label) for _, lines in blocks for label, _ in lines), default=0)
    for number, (title, lines) in enumerate(blocks):
        if number:
            console.print()
        console.print(Text(harmless(title), style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(width=width + 2, no_wrap=True, justify="right")
        table.add_column(overflow="fold")
        for label, text in lines:
            table.add_row(Text(label, style="dim"), Text(harmless(text)))
        console.print(table)


_STYLES = {"failure": "bold red", "warning": "yellow", "ok": "green"}


def print_findings(findings: Sequence[tuple[str, str, str, str]]) -> None:
    """Print findings as (level, topic, text, command that mends it), the worst first; then how many."""
    table = Table.grid(padding=(0, 2))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for wanted, style in _STYLES.items():
        for level, topic, text, mend in findings:
            if level != wanted:
                continue
            table.add_row(Text(level, style=style), Text(topic), Text(harmless(text)))
            if mend:
                table.add_row("", "", Text(f"mend: {harmless(mend)}", style="bold"))
    console = Console(highlight=False)
    console.print(table)
    failures, warnings, well = (sum(level == wanted for level, *_ in findings) for wanted in _STYLES)
    console.print(Text(f"failures: {failures}, warnings: {warnings}, ok: {well}"))
