"""After forgetting: does any file of ours still hold the text? Looked at in the files, not in what we think we did."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw

from middleware.memory.database import default_path
from middleware.memory.doomed import OUR_COLUMNS
from middleware.memory.spellings import holds, spellings
from middleware.memory.spool import spool_files, state_directory

# A shorter text stands in a database by chance: where one value ends and the next begins.
_SHORT = 6  # bytes
_PIECE = 1 << 22
_LONG = 1 << 26  # bytes; in a longer file, such as a copy of the memory, only what we write ourselves is looked for


def files_that_hold(database: apsw.Connection, path: Path, text: str) -> list[Path]:
    """Return the files of the memory at `path` that hold `text` in any spelling.

    What the memory itself is made of (its schema, uids, times) does not count: that is nobody's text.
    """
    # SQLite has these open; the third holds numbers of pages only.
    parts = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    found = [file for file in _files(path) if not _is_any(file, parts) and _file_holds(file, text)]
    if _cells_hold(database, text, ours=False):
        found.append(path)
    elif len(text.encode()) >= _SHORT:
        held = [file for which, file in enumerate(parts[:2]) if _pieces_hold(_pieces_of(database, which), text)]
        if held and not _cells_hold(database, text, ours=True):
            found += held
    return found


def outside(text: str) -> list[Path]:
    """Return the files of ours outside the data directory that hold `text`: the backups of wrapped clients' files."""
    with suppress(RuntimeError):
        folder = state_directory() / "wrapped"
        return [file for file in sorted(folder.rglob("*")) if file.is_file() and _file_holds(file, text)]
    return []


def _files(path: Path) -> list[Path]:
    """Every file that belongs to the memory; in the data directory that is ours alone, every file."""
    folder = path.parent
    tops = [folder] if path == default_path() and folder.name == "practicum" else [folder / "artefacts"]
    with suppress(OSError):
        tops += [entry for entry in folder.iterdir() if entry.name.startswith(path.name)]
    inside = [file for top in [*tops, *spool_files(path)] for file in ([top] if top.is_file() else top.rglob("*"))]
    return sorted({file for file in inside if file.is_file()})


def _is_any(file: Path, others: list[Path]) -> bool:
    """Whether the file is one of `others`, by whatever link: opening it would drop the locks that SQLite has on it."""
    return any(other.exists() and file.samefile(other) for other in others)


def _file_holds(file: Path, text: str) -> bool:
    try:
        if file.stat().st_size > _LONG:
            with file.open("rb") as opened:
                return _pieces_hold(iter(lambda: opened.read(_PIECE), b""), text)
        return holds(file.read_text(encoding="utf-8", errors="replace"), text)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # not looked into, so not vouched for


def _pieces_of(database: apsw.Connection, which: int) -> Iterator[bytes]:
    """Yield the database's file (`which` is 0) or its log (1), a piece at a time."""
    start, complete = 0, True
    while complete:
        # Through SQLite's own descriptor: closing another would drop this process's locks.
        complete, piece = database.read("main", which, start, _PIECE)
        yield piece
        start += _PIECE


def _pieces_hold(pieces: Iterable[bytes], text: str) -> bool:
    wanted = spellings(text)
    overlap = max(map(len, wanted))
    before = b""
    for piece in pieces:
        window = before + piece
        if any(map(window.__contains__, wanted)):
            return True
        before = window[-overlap:]
    return False


def _cells_hold(database: apsw.Connection, text: str, *, ours: bool) -> bool:
    """Whether a value in any table holds `text`, in the columns that are ours alone or in all others."""

    def any_holds(*values: object) -> bool:
        texts = (value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values)
        return any(isinstance(value, str) and holds(value, text) for value in texts)

    database.create_scalar_function("found_in", any_holds)
    tables = database.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')"
    ).fetchall()
    for (table,) in tables:
        own = str(table) in ("sqlite_schema", "migrations", "calls_fts_config")
        names = [
            str(name) for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
        ]
        columns = [f'"{name}"' for name in names if (own or name in OUR_COLUMNS) == ours]
        if columns:
            condition = f"found_in({', '.join(columns)})"
            if database.execute(f'SELECT 1 FROM "{table}" WHERE {condition} LIMIT 1').fetchall():  # noqa: S608 - the memory's own names
                return True
    return False
