"""Which SQLite reads and writes the memory, and which one Python brings."""

import subprocess
import sys
from collections.abc import Iterator

from learner.cli.health.finding import Finding, Place, command
from middleware.memory.inspection import has_reset_bug, own_sqlite

_BUG = "can lose commits when two processes write at once (WAL-reset bug)"


def sqlite_findings(place: Place) -> Iterator[Finding]:  # noqa: ARG001 - a check's signature
    """Look at both versions. Python's is asked in a process of its own: two in one would break each other's locks."""
    version = own_sqlite()
    if has_reset_bug(version):
        mend = command(sys.executable, "-m", "pip", "install", "--upgrade", "apsw")
        yield Finding("sqlite", "failure", f"SQLite {version} of apsw, which writes the memory, {_BUG}", mend)
    else:
        yield Finding("sqlite", "ok", f"SQLite {version} of apsw writes the memory")
    code = "import sqlite3; print(sqlite3.sqlite_version)"
    try:
        done = subprocess.run(  # noqa: S603 - the Python that runs this
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        yield Finding("sqlite", "ok", "this Python has no sqlite3 module; nothing of ours needs it")
        return
    version = done.stdout.strip()
    note = f"{_BUG}: do not write to the memory with it" if has_reset_bug(version) else "has not the WAL-reset bug"
    yield Finding("sqlite", "ok", f"SQLite {version} of Python's sqlite3, which nothing of ours uses, {note}")
