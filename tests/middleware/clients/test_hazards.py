"""What the surroundings do to a wrapped server: each with real processes, started as a client starts them."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from middleware.clients.wrap import Launcher, carry_out, check_program, plan_wrap
from middleware.errors import ClientFileError
from tests.middleware.clients.client import TIMEOUT_S, ask
from tests.middleware.peer import ROOT, remembered

OURS = ("adapters", "learner", "middleware", "servers")
HOSTILE = "raise SystemExit('the wrong package was imported: ' + __file__)\n"


def wrapped(file: Path, entry: Mapping[str, Any], program: str = sys.executable, **options: str) -> Any:
    """Put one server into a file, wrap it, and return the entry as it then is."""
    file.write_text(json.dumps({"mcpServers": {"a": entry}}))
    given = {"--memory": str(file.parent / "memory.db")}
    (plan,) = plan_wrap([file], Launcher(check_program(program), given, file.parent / "memory.db"))
    carry_out(plan)
    return json.loads(file.read_text())["mcpServers"]["a"]


def start(entry: Any, file: Path, environment: Mapping[str, str]) -> Any:
    return ask([entry["command"], *entry["args"]], {**environment, **entry.get("env", {})}, file.parent)


def hostile(folder: Path) -> Path:
    """Make a folder of packages that are called as ours are."""
    for name in (*OURS, "click", "apsw"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(HOSTILE)
    return folder


@pytest.mark.parametrize("where", ["shell", "entry"])
def test_a_python_path_with_packages_of_our_names_reaches_the_server_and_not_the_relay(
    where: str, file: Path, script: Path, tmp_path: Path
) -> None:
    path = {"PYTHONPATH": str(hostile(tmp_path / "hostile")), "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "/nowhere"}
    entry = wrapped(file, {"command": str(script), "args": ["x"], "env": path if where == "entry" else {}})
    answer = start(entry, file, path if where == "shell" else {})
    assert answer["argv"] == [str(script), "x"]
    if sys.platform == "linux":
        assert answer["environment"] == path
    assert len(remembered(tmp_path / "memory.db")) == 1


def test_packages_of_our_names_in_the_working_directory_are_not_taken(file: Path, script: Path) -> None:
    hostile(file.parent)
    start(wrapped(file, {"command": str(script)}), file, {"PATH": "/usr/bin"})


@pytest.mark.parametrize("path", [{}, {"PATH": ""}], ids=["unset", "empty"])
def test_no_path_and_no_home_are_needed(path: dict[str, str], file: Path, script: Path) -> None:
    answer = start(wrapped(file, {"command": str(script), "env": path}), file, {})
    if sys.platform == "linux":
        assert answer["environment"] == path
    assert len(remembered(file.parent / "memory.db")) == 1


def test_a_command_is_found_in_the_entrys_own_path(file: Path, script: Path) -> None:
    entry = {"command": script.name, "env": {"PATH": str(script.parent)}}
    assert start(wrapped(file, entry), file, {"PATH": "/nowhere"})["argv"] == [str(script)]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment of its own with Practicum installed as files, and what it needs from the one that runs this."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    site = site_packages(folder)
    install(site)
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))


def install(site: Path) -> None:
    for name in OURS:
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))


def test_an_environments_python_is_named_by_its_own_path(environment: Path, file: Path, script: Path) -> None:
    program = environment / "bin" / "python"
    assert program.is_symlink()
    entry = wrapped(file, {"command": str(script)}, str(program))
    assert entry["command"] == str(program)
    start(entry, file, {})


def test_another_distributions_adapters_over_ours_does_not_stop_the_relay(
    environment: Path, file: Path, script: Path
) -> None:
    entry = wrapped(file, {"command": str(script)}, str(environment / "bin" / "python"))
    adapters = site_packages(environment) / "adapters"
    shutil.rmtree(adapters)
    adapters.mkdir()
    (adapters / "__init__.py").write_text(HOSTILE)
    start(entry, file, {})


def test_an_upgrade_in_place_needs_no_new_wrapping(environment: Path, file: Path, script: Path) -> None:
    entry = wrapped(file, {"command": str(script)}, str(environment / "bin" / "python"))
    site = site_packages(environment)
    start(entry, file, {})
    for name in OURS:
        shutil.rmtree(site / name)
    install(site)
    (site / "learner" / "__init__.py").write_text('"""The next version."""\n')
    start(entry, file, {})
    assert len(remembered(file.parent / "memory.db")) == 2


def test_when_practicum_is_gone_the_script_brings_the_old_file_back(
    environment: Path, file: Path, script: Path, tmp_path: Path
) -> None:
    entry = wrapped(file, {"command": str(script), "args": []}, str(environment / "bin" / "python"))
    shutil.rmtree(environment)
    with pytest.raises(FileNotFoundError):
        start(entry, file, {})
    (restore,) = (tmp_path / "state").glob("practicum/wrapped/*/restore.sh")
    done = subprocess.run(["/bin/sh", restore], env={}, cwd="/", capture_output=True, timeout=TIMEOUT_S, check=True)
    assert done.stdout.decode() == f"restored {file}\n"
    before = json.loads(file.read_text())["mcpServers"]["a"]
    assert before == {"command": str(script), "args": []}
    assert start(before, file, {})["argv"] == [str(script)]


def test_nothing_is_written_that_would_not_start(environment: Path, file: Path, script: Path) -> None:
    program = str(environment / "bin" / "python")
    shutil.rmtree(site_packages(environment) / "learner")
    with pytest.raises(ClientFileError, match=r"-I -m learner --version` fails .*environment of its own") as raised:
        check_program(program)
    assert "\n" not in str(raised.value)
    with pytest.raises(ClientFileError, match="fails"):
        check_program(os.path.join(file.parent, "no", "python"))  # noqa: PTH118 - as sys.executable is spelled
    with pytest.raises(ClientFileError, match="fails"):
        check_program("")
