"""Whether the four packages are this distribution's, whole, and found by whoever starts the relay.

Others install an `adapters` too, and a project in `PYTHONPATH` may hold a `middleware/`. So this file imports nothing
of ours but what a finding is, and is asked before anything else is imported.
"""

import csv
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackagePath
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from learner.cli.health.finding import Finding, Place, command

PACKAGES = ("servers", "middleware", "learner", "adapters")
_DISTRIBUTION = "practicum"
_PYTHON = (3, 11)
_ASK_S = 60
# Asked of a Python as clients start it: with -I, so without PYTHONPATH, the working directory and the user's packages.
_QUESTION = """
import importlib.metadata, importlib.util, json, sys
found = {}
for name in sys.argv[1:]:
    spec = importlib.util.find_spec(name)
    found[name] = next(iter(spec.submodule_search_locations or ()), spec.origin) if spec else None
try:
    version = importlib.metadata.version("practicum")
except importlib.metadata.PackageNotFoundError:
    version = ""
print(json.dumps([found, version]))
"""


class Interpreter(NamedTuple):
    """What a Python said: the folder of each of the four packages (None: it has none) and the version of practicum ("":
    it is not installed); or else the `problem`."""

    folders: Mapping[str, str | None]
    version: str
    problem: str


def packages_findings(place: Place) -> Iterator[Finding]:
    """Look at where the packages come from, here and as clients start them, and at their files."""
    try:
        ours = importlib.metadata.distribution(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        text = f"practicum is not installed for {sys.executable}, so clients cannot start it"
        yield Finding("packages", "failure", text, _install())
        return
    expected = _folders(ours)
    again = command(sys.executable, "-I", "-m", "learner", "doctor")
    problems = [*_elsewhere(_here(), expected, "in this process", again), *_isolated(expected), *_claimed()]
    yield from problems
    yield from _shadowing(place.environment, expected)
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _PYTHON:
        yield Finding("packages", "failure", f"Python {python} is older than 3.11", "python3.11 -m venv FOLDER")
    if not problems:
        yield Finding("packages", "ok", f"practicum {ours.version}, Python {python}, {sys.executable}")
    yield from _files(ours, expected)


def are_foreign(findings: list[Finding]) -> bool:
    """Return whether packages that are not ours would be imported in this process."""
    return any(finding.topic == "packages" and finding.level == "failure" for finding in findings)


def ask(interpreter: str) -> Interpreter:
    """Return where this Python, started as clients start it, finds the four packages."""
    try:
        done = subprocess.run(  # noqa: S603 - what a client's file names, which the client starts itself
            [interpreter, "-I", "-c", _QUESTION, *PACKAGES],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ASK_S,
        )
        if done.returncode == 0:
            folders, version = json.loads(done.stdout)
            return Interpreter(folders, version, "")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Interpreter({}, "", str(error))
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return Interpreter({}, "", said[-1] if said else f"it ends with exit code {done.returncode}")


def _here() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        found[name] = next(iter(spec.submodule_search_locations or ()), spec.origin) if spec else None
    return found


def _isolated(expected: Mapping[str, Path]) -> Iterator[Finding]:
    answer = ask(sys.executable)
    if answer.problem:
        yield Finding("packages", "failure", f"{sys.executable} -I does not run: {answer.problem}", _install())
    else:
        yield from _elsewhere(answer.folders, expected, f"for {sys.executable} -I, as clients start it,", _install())


def _elsewhere(found: Mapping[str, str | None], expected: Mapping[str, Path], who: str, mend: str) -> Iterator[Finding]:
    for name in PACKAGES:
        folder = found.get(name)
        if folder is None:
            yield Finding("packages", "failure", f"{who} there is no package {name}", _install())
        elif name not in expected:
            yield Finding("packages", "failure", f"practicum's list of files lacks the package {name}", _install())
        elif not _same(Path(folder), expected[name]):
            by_path = _in_path(folder)
            text = f"{who} {name} comes from {folder}, not from {expected[name]}" + (" (PYTHONPATH)" if by_path else "")
            yield Finding("packages", "failure", text, "unset PYTHONPATH" if by_path else mend)


def _claimed() -> Iterator[Finding]:
    """Find other distributions that install one of the four: whoever is installed last has overwritten the other."""
    for other in importlib.metadata.distributions():
        try:
            # A missing name is an error in newer Pythons, and `get` is not declared in older ones.
            name = other.metadata["Name"] if "Name" in other.metadata else "without a name"  # noqa: SIM401 - see above
            claimed = sorted({file.parts[0] for file in other.files or () if len(file.parts) > 1} & set(PACKAGES))
        except (OSError, ValueError, TypeError, csv.Error):
            continue  # damaged, and not ours
        if claimed and name.lower() != _DISTRIBUTION:
            text = f"the distribution {name} installs {', '.join(claimed)} too, in {other.locate_file('')}"
            mend = f"{command(sys.executable, '-m', 'pip', 'uninstall', name)} && {_install()}"
            yield Finding("packages", "failure", text, mend)


def _shadowing(environment: Mapping[str, str], expected: Mapping[str, Path]) -> Iterator[Finding]:
    for entry in filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)):
        for name in PACKAGES:
            module = Path(entry, name)
            there = module if module.is_dir() else module.with_suffix(".py")
            if there.exists() and not _same(there, expected.get(name, Path())):
                text = f"{there} in PYTHONPATH hides ours from a Python without -I; wrapped clients use -I"
                yield Finding("packages", "warning", text, "unset PYTHONPATH")


def _files(ours: Distribution, expected: Mapping[str, Path]) -> Iterator[Finding]:
    root = _editable(ours)
    if root is not None:
        yield Finding(
            "package files", "ok", f"installed as editable from {root}: files may change, and are not compared"
        )
        return
    listed = [file for file in ours.files or () if len(file.parts) > 1 and file.parts[0] in expected and file.hash]
    wrong = [f"{file} {problem}" for file in listed if (problem := _difference(file))]
    if not wrong:
        yield Finding("package files", "ok", f"{len(listed)} files are as they were installed")
        return
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    yield Finding("package files", "failure", f"{wrong[0]}{more}, in {ours.locate_file('')}", _install())


def _difference(file: PackagePath) -> str:
    try:
        data = Path(str(file.locate())).read_bytes()
    except OSError:
        return "is missing"
    if file.hash is None or file.hash.mode not in hashlib.algorithms_guaranteed:
        return ""
    digest = hashlib.new(file.hash.mode, data).digest()
    return "" if urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value else "is not as it was installed"


def _folders(ours: Distribution) -> dict[str, Path]:
    root = _editable(ours)
    if root is not None:
        return {name: root / name for name in PACKAGES}
    names = {file.parts[0] for file in ours.files or () if len(file.parts) > 1}
    return {name: Path(str(ours.locate_file(name))) for name in PACKAGES if name in names}


def _editable(ours: Distribution) -> Path | None:
    """Return the folder that an editable install leads to; None where files were copied."""
    try:
        value = json.loads(ours.read_text("direct_url.json") or "{}")
        if value.get("dir_info", {}).get("editable") is True:
            return Path(unquote(urlsplit(value["url"]).path))
    except (ValueError, KeyError, AttributeError):
        pass
    return None


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _in_path(folder: str) -> bool:
    entries = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return any(_same(Path(entry), Path(folder).parent) for entry in entries)


def _install() -> str:
    """Return what installs ours anew, from where it came."""
    try:
        ours = importlib.metadata.distribution(_DISTRIBUTION)
        source = json.loads(ours.read_text("direct_url.json") or "{}").get("url") or f"{_DISTRIBUTION}=={ours.version}"
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        source = "."
    return command(sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps", source)
