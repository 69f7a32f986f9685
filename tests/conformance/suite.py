"""Run the conformance suite against a URL, and read what it found."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

MODULES = Path(__file__).parent / "node_modules"
REVISIONS = ("2025-11-25", "2026-07-28")
SUITE_S = 300.0


class SuiteError(Exception):
    """The suite is not installed, or did not run; the message has the next step, or its last words."""


class Check(NamedTuple):
    """One check of a scenario: SUCCESS, FAILURE, WARNING, SKIPPED or INFO."""

    id: str
    name: str
    status: str


def program(name: str) -> list[str]:
    """Return the command of a program that was installed from npm, with the Node that came with it.

    Raises:
        SuiteError: it is not installed.
    """
    paths = [MODULES / ".bin" / "node", MODULES / ".bin" / name]
    if not all(path.exists() for path in paths):
        raise SuiteError(f"{name} is not installed in {MODULES}. Install it with: make peers")
    return [str(path) for path in paths]


def environment() -> dict[str, str]:
    """Return the environment in which programs of npm find the Node that came with them."""
    return {**os.environ, "PATH": f"{MODULES / '.bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def verdict(url: str, revision: str, folder: Path) -> dict[str, list[Check]]:
    """Return the checks of each scenario of `revision`; `folder` gets the suite's own reports, and must be new.

    Raises:
        SuiteError: the suite is not installed, or no scenario ran.
    """
    command = [*program("conformance"), "server", "--url", url, "--requirements", revision, "-o", str(folder)]
    try:
        ran = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=SUITE_S, check=False)
    except subprocess.TimeoutExpired:
        raise SuiteError(f"The suite took longer than {SUITE_S:.0f} s at {url}.") from None
    # Its exit code says whether all passed, which is not what we ask.
    found: dict[str, list[Check]] = {}
    for file in sorted(folder.glob("*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        found[scenario] = [Check(c["id"], c["name"], c["status"]) for c in json.loads(file.read_text())]
    if not found:
        raise SuiteError(f"No scenario of {revision} ran at {url}. The suite said: {(ran.stdout + ran.stderr)[-2000:]}")
    return found
