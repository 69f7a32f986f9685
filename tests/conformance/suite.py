"""Run the conformance suite against a server or a client, and read what it found."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.conformance.places import ROOT

MODULES = Path(__file__).parent / "node_modules"
REVISIONS = ("2025-11-25", "2026-07-28")
SUITE_S = 300.0
# What a revision requires of clients, without `auth/`: a relay holds its own credentials and passes on nobody's.
CLIENT_SCENARIOS = {
    "2025-11-25": (
        "initialize",
        "tools_call",
        "elicitation-sep1034-client-defaults",
        "sse-retry",
        "json-schema-2020-12-preservation",
    ),
    "2026-07-28": (
        "tools_call",
        "request-metadata",
        "sep-2322-client-request-state",
        "http-standard-headers",
        "http-custom-headers",
        "http-invalid-tool-headers",
        "json-schema-ref-no-deref",
        "json-schema-2020-12-preservation",
    ),
}


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


def server_verdict(url: str, revision: str, folder: Path) -> dict[str, list[Check]]:
    """Return the checks of each scenario that `revision` requires of servers; `folder` gets the suite's own reports.

    Raises:
        SuiteError: the suite is not installed, or no scenario ran.
    """
    return _verdict(["server", "--url", url, "--requirements", revision], folder, url)


def client_verdict(scenario: str, *, place: str, memory: Path, revision: str, folder: Path) -> list[Check]:
    """Return the checks of one scenario for our client at `place`; `folder` gets the suite's own reports.

    Raises:
        SuiteError: the suite is not installed, or the scenario did not run.
    """
    client = f"{sys.executable} -m tests.conformance.client {place} {memory}"
    arguments = ["client", "--command", client, "--scenario", scenario, "--spec-version", revision]
    return _verdict(arguments, folder / scenario, place)[scenario]


def _verdict(arguments: list[str], folder: Path, where: str) -> dict[str, list[Check]]:
    command = [*program("conformance"), *arguments, "-o", str(folder)]
    env = environment()
    try:
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SUITE_S, check=False)
    except subprocess.TimeoutExpired:
        raise SuiteError(f"The suite took longer than {SUITE_S:.0f} s at {where}.") from None
    # Its exit code says whether all passed, which is not what we ask.
    found: dict[str, list[Check]] = {}
    for file in sorted(folder.glob("*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        found[scenario] = [Check(c["id"], c["name"], c["status"]) for c in json.loads(file.read_text())]
    if not any(found.values()):
        raise SuiteError(f"No scenario ran at {where}. The suite said: {(ran.stdout + ran.stderr)[-2000:]}")
    return found
