"""Practicum installed as pip would, into an environment of its own, so that tests can break it."""

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sysconfig
import venv
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("servers", "middleware", "learner", "adapters")


@dataclass(frozen=True)
class Installation:
    """An environment's Python and the folder of its packages, and a home directory for whoever uses it."""

    python: Path
    packages: Path
    home: Path

    def run(self, *arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run this Python as a person would in a shell of their own; what `environment` holds is set besides."""
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=200,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "COLUMNS": "200", **(environment or {})},
        )

    def doctor(self, *arguments: object, isolated: bool = True, **environment: str) -> tuple[int, list[dict[str, str]]]:
        """Run `learner doctor --json` and return its exit status and findings."""
        how = ("-I", "-m", "learner") if isolated else ("-P", "-m", "learner")
        done = self.run(*how, "doctor", "--json", *arguments, environment=environment)
        assert "Traceback" not in done.stderr, done.stderr
        findings: list[dict[str, str]] = json.loads(done.stdout)
        return done.returncode, findings


def install(folder: Path) -> Installation:
    """Install the four packages of this tree into a new environment in `folder`; others come from the tests' own."""
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, packages / name)
    described = packages / "practicum-0.1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.4\nName: practicum\nVersion: 0.1.0\n")
    record = io.StringIO()
    files = [path for name in PACKAGES for path in sorted((packages / name).rglob("*.py"))]
    csv.writer(record).writerows(record_line(path, packages) for path in [*files, described / "METADATA"])
    (described / "RECORD").write_text(record.getvalue())
    # Behind ours, and without what .pth files there would add: the tree itself.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home = folder / "home"
    home.mkdir()
    return Installation(folder / "venv" / "bin" / "python", packages, home)


def record_line(path: Path, packages: Path) -> tuple[str, str, int]:
    """Return what a RECORD says of one file."""
    data = path.read_bytes()
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return path.relative_to(packages).as_posix(), f"sha256={digest}", len(data)


def of(findings: list[dict[str, Any]], topic: str, level: str = "") -> list[str]:
    """Return the texts of the findings on a topic, of one level if it is given."""
    return [each["text"] for each in findings if each["topic"] == topic and level in ("", each["level"])]
