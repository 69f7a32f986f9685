"""Room on the disk, and what takes it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from learner.cli.health.finding import Finding, Place, megabytes
from middleware.memory.nearest import index_folder
from middleware.memory.spool import waiting_spools

_ENOUGH = 1_000_000_000  # bytes free; and as many as the memory has, which is made anew where it is thinned
_TOO_LITTLE = 100_000_000


def disk_findings(place: Place) -> Iterator[Finding]:
    """Look at the free space where the memory lies, and at what the data directory holds."""
    path = place.memory.absolute()
    folder = next(parent for parent in path.parents if parent.exists())
    parts = {
        "memory": sum(_size(path.with_name(path.name + end)) for end in ("", "-wal", "-shm")),
        "query index": _size(index_folder(path)),
        "artefacts": _size(path.parent / "artefacts"),
        "spool": sum(_size(spool.path) for spool in waiting_spools(path)),
    }
    free = shutil.disk_usage(folder).free
    used = ", ".join(f"{name} {megabytes(size)}" for name, size in parts.items())
    text = f"{megabytes(free)} free in {folder}; used: {used}"
    if free < max(_ENOUGH, parts["memory"]):
        text += "; make room there: of what is ours, only what is beyond the limits can go"
        yield Finding("disk", "failure" if free < _TOO_LITTLE else "warning", text, place.learner("doctor", "--prune"))
    else:
        yield Finding("disk", "ok", text)


def _size(path: Path) -> int:
    """Return how many bytes a file takes, or all those in a folder; what cannot be read counts nothing."""
    total = 0
    try:
        if not path.is_dir():
            return path.stat().st_size
    except OSError:
        return 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except OSError:
                continue
    return total
