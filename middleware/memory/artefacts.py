"""An artefact on disk: a folder with its files and `manifest.json`, which names each file's hash.

A folder appears whole or not at all: it is written beside its place and renamed into it.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from middleware.memory.errors import ArtefactError
from middleware.memory.identity import digest

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What an artefact is and where it came from. `tools` maps a server's name to its tools' content hashes."""

    name: str
    kind: str
    created_at: str
    practicum: str
    trials: int
    tools: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


def write_artefact(folder: Path, manifest: Manifest, files: Mapping[str, str]) -> Manifest:
    """Write `files` (name to text) and the manifest into the new `folder`; return the manifest with the hashes.

    Raises:
        ArtefactError: `folder` is there already, or cannot be written.
    """
    hashes = {name: digest(text.encode()) for name, text in files.items()}
    complete = Manifest(**{**asdict(manifest), "files": hashes})
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            for name, text in files.items():
                _write(draft / name, text)
            _write(draft / MANIFEST, json.dumps(asdict(complete), indent=1, ensure_ascii=False) + "\n")
            if folder.exists():
                raise ArtefactError(f"the artefact {folder} is there already; give another name with --name")
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise ArtefactError(f"cannot write the artefact {folder}: {error.strerror}") from error
    return complete


def read_artefact(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """Return the manifest of the artefact in `folder` and its files' texts, each checked against its hash.

    Raises:
        ArtefactError: it is missing, damaged or of another format.
    """
    try:
        row = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if row.get("format") != FORMAT:
            raise ArtefactError(f"the artefact {folder} has format {row.get('format')!r}; this version reads {FORMAT}")
        manifest = Manifest(**row)
        files = {}
        for name, expected in manifest.files.items():
            data = (folder / Path(name).name).read_bytes()
            if digest(data) != expected:
                raise ArtefactError(f"{folder / name} was changed after it was written; distil the artefact again")
            files[name] = data.decode("utf-8")
    except FileNotFoundError as error:
        raise ArtefactError(f"no artefact at {folder}: {Path(error.filename).name} is missing") from error
    except OSError as error:
        raise ArtefactError(f"cannot read the artefact {folder}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtefactError(f"the manifest of the artefact {folder} is malformed; distil the artefact again") from error
    return manifest, files


def texts_of(folder: Path) -> Iterator[str]:
    """Yield what is written in the files of an artefact's folder, whole or not; nothing where there is none."""
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):
            yield path.read_text(encoding="utf-8", errors="replace")


def remove_artefact(folder: Path, *, within: Path) -> bool:
    """Remove an artefact's folder if it is one of ours, inside `within`; return whether nothing of it is left there.

    Raises:
        ArtefactError: it cannot be removed.
    """
    if not folder.exists() and not folder.is_symlink():
        return True
    if folder.is_symlink() or folder.parent.resolve() != within.resolve():
        return False
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ArtefactError(f"cannot remove the artefact {folder}: {error.strerror}") from error
    return True


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
