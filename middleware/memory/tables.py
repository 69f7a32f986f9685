"""Finds secrets in tables: what stands in a column whose heading is a secret's name.

    user,password     | user | password |     INSERT INTO users (name, password)     {"columns": ["user", "password"],
    bob,x             |------|----------|     VALUES ('bob', 'x')                     "rows": [["bob", "x"]]}
                      | bob  | x        |

Every line is looked at once as a row, and once as a heading if it says such a name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from middleware.memory.assignments import Span, is_secret_value
from middleware.memory.lazy_patterns import LazyPattern
from middleware.memory.secret_names import Secrecy, secrecy

Columns = dict[int, Secrecy]

_MAX_HEADING = 2000  # characters
# Of a text, or of one in JSON. Not from within a run of backslashes: that would take the square of their number.
_LINE_END = LazyPattern(r"\r?\n|(?<!\\)\\++(?:r\\++)?n")
_NAME = LazyPattern(r"[\w .#/-]{1,60}")
_SEPARATORS = "|│┃\t;,"
_CELLS = {
    separator: LazyPattern(
        rf"\s*\\*\"[^\"]*\"(?:\"[^\"]*\")*+\s*(?={re.escape(separator)}|\Z)|[^{re.escape(separator)}]*+"
    )
    for separator in _SEPARATORS
}
_AROUND = " \t\r\\\"'`*"
_INSERT = LazyPattern(r"\(([^()]{1,1000})\)\s*(?i:values)\s*(?=\()")
_TUPLE = LazyPattern(r"\s*,?\s*\((?:'(?:[^'\\]|''|\\.)*+'|[^'()]|\([^()]*\))*+\)", flags=re.DOTALL)
_SQL_CELL = LazyPattern(r"(?:'(?:[^'\\]|''|\\.)*+'|\([^()]*\)|[^',])*+", flags=re.DOTALL)
_HEADINGS = ("columns", "fields", "headers", "header", "cols", "columnNames", "column_names")
_ROWS = ("rows", "values", "data", "records", "results")


def secrets_in_tables(text: str) -> Iterator[Span]:
    """Yield where in `text` the values lie that stand in a column of secrets."""
    columns: Columns = {}
    separator, width, start = "", 0, 0
    only_odd = False
    while start < len(text):
        ends = _LINE_END.search(text, start)
        end, following = ends.span() if ends else (len(text), len(text))
        says_something = any(map(str.isalnum, text[start:end]))  # unlike a line between heading and rows
        cells = _cells(text, start, end, separator) if columns and says_something else []
        if cells and len(cells) == width:
            yield from _secrets_in_row(text, cells, columns, only_odd=only_odd)
        elif says_something:
            separator = _separator(text, start, end) if ends and end - start <= _MAX_HEADING else ""
            cells = _cells(text, start, end, separator) if separator else []
            columns, width = _columns([_heading(text[slice(*cell)]) for cell in cells]), len(cells)
            # What is also a sentence with commas gives away less.
            only_odd = separator in ",;" and " " in text[start:end]
        start = following
    if "(" in text:
        yield from _inserted(text)


def redact_rows(headings: Any, rows: Any, redacted: str) -> None:
    """Replace what stands in columns of secrets in `rows`, lists of values; anything else is left alone."""
    if not isinstance(headings, list) or not isinstance(rows, list):
        return
    names = [heading.get("name") if isinstance(heading, dict) else heading for heading in headings]
    for place, kind in _columns(names).items():
        for row in rows:
            if isinstance(row, list) and len(row) == len(names) and _is_secret_cell(kind, row[place]):
                row[place] = redacted


def _is_secret_cell(kind: Secrecy, value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return isinstance(value, str) and is_secret_value(kind, value)


def redact_members(members: Mapping[str, Any], redacted: str) -> None:
    """The same for an object that holds headings and rows."""
    for name in _HEADINGS:
        if name in members:
            for rows in _ROWS:
                redact_rows(members[name], members.get(rows), redacted)


def _columns(headings: Sequence[Any]) -> Columns:
    """Return which columns hold secrets, none if these are no headings."""
    names = [name for name in headings if isinstance(name, str)]
    if len(names) < len(headings):
        return {}
    said = [name for name in names if name]
    if len(said) < 2 or not all(map(_NAME.fullmatch, said)):
        return {}
    kinds = {place: secrecy(name) for place, name in enumerate(names)}
    return {place: kind for place, kind in kinds.items() if kind != Secrecy.NONE and not _counts(names[place], kind)}


def _counts(name: str, kind: Secrecy) -> bool:
    """Return whether a column says how many tokens something took: of several secrets a table has no column."""
    return kind == Secrecy.LIKELY and name.lower().endswith("tokens")


def _separator(text: str, start: int, end: int) -> str:
    return next((separator for separator in _SEPARATORS if text.find(separator, start, end) >= 0), "")


def _heading(cell: str) -> str:
    """Return a heading without what stands around it, such as the beginning of the JSON that the text is in."""
    name = cell.strip(_AROUND)
    return name if '"' not in name else cell.rpartition('"')[2].strip(_AROUND)


def _cells(text: str, start: int, end: int, separator: str) -> list[Span]:
    cells = []
    while start <= end:
        found = _CELLS[separator].match(text, start, end)
        stop = found.end() if found else end
        cells.append((start, stop))
        start = stop + 1
    return cells


def _secrets_in_row(text: str, cells: Sequence[Span], columns: Columns, *, only_odd: bool) -> Iterator[Span]:
    for place, kind in columns.items():
        start, end = cells[place]
        cell = text[start:end]
        value = cell.strip(_AROUND)
        start += len(cell) - len(cell.lstrip(_AROUND))
        if not cell.lstrip(" \t\\").startswith('"'):
            value = value.partition('"')[0].rstrip(_AROUND)  # the text's own end, in JSON
        if value.startswith("[redacted") or not is_secret_value(kind, value):
            continue
        if not only_odd or (" " not in value and any(map(str.isdigit, value))):
            yield start, start + len(value)


def _inserted(text: str) -> Iterator[Span]:
    for insert in _INSERT.finditer(text):
        columns = _columns([name.strip(_AROUND + "\n[]") for name in insert[1].split(",")])
        row = _TUPLE.match(text, insert.end()) if columns else None
        while row:
            start = text.index("(", row.start()) + 1
            cells = []
            while start < row.end():
                found = _SQL_CELL.match(text, start, row.end() - 1)
                stop = found.end() if found else row.end()
                cells.append((start, stop))
                start = stop + 1
            if len(cells) > max(columns):
                yield from _secrets_in_row(text, cells, columns, only_odd=False)
            row = _TUPLE.match(text, row.end())
