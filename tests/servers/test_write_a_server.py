"""The page on writing a server says what works: its blocks are written to files, its line is registered, all run."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import servers
from servers import registry
from servers.domain import Domain
from servers.tasks import Call, solved
from tests.servers import test_domains

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-server.md"


def write_files(folder: Path) -> str:
    """Write the page's three files, and return its line for the registry."""
    *files, (table, line) = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert table == "servers/registry.py"
    assert len(files) == 3
    for path, text in files:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return str(line)


@pytest.fixture
def greenhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Domain]:
    line = write_files(tmp_path)
    monkeypatch.setattr(servers, "__path__", [*servers.__path__, str(tmp_path / "servers")])
    monkeypatch.setattr(registry, "_DOMAINS", registry._DOMAINS | ast.literal_eval("{" + line + "}"))
    yield registry.load("greenhouse")
    for cached in (registry.load, registry._domain, test_domains.tasks_in):
        cached.cache_clear()
    for name in [name for name in sys.modules if name.startswith("servers.greenhouse")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "check",
    [
        lambda: test_domains.test_gold_calls_solve_every_task("greenhouse", 1),
        lambda: test_domains.test_all_tasks_of_a_split_can_be_served_by_one_server_in_turn("greenhouse"),
        lambda: test_domains.test_refused_calls_before_the_good_ones_do_no_harm("greenhouse"),
        lambda: test_domains.test_whoever_does_nothing_solves_less_than_15_percent("greenhouse"),
        lambda: test_domains.test_no_practice_wording_is_near_a_test_wording("greenhouse"),
        lambda: test_domains.test_gold_calls_are_refused_where_other_conventions_hold("greenhouse"),
        lambda: test_domains.test_reset_undoes_everything_and_the_diff_says_what_was_done("greenhouse"),
    ],
    ids=["gold", "in turn", "refused first", "nothing", "wordings", "conventions", "reset"],
)
def test_the_pages_example_holds_what_a_server_must(greenhouse: Domain, check: "test_domains.Check") -> None:
    assert greenhouse.name == "greenhouse"
    check()


def test_the_pages_example_is_a_server_whose_tasks_are_solved_by_gold_alone(greenhouse: Domain) -> None:
    for seed in range(3):
        for task in (*greenhouse.tasks(seed, "practice"), *greenhouse.tasks(seed, "test")):
            if task.calls:
                assert not solved(greenhouse, seed, task, [])
                assert not solved(greenhouse, seed, task, task.calls[1:])


def test_the_pages_example_refuses_and_reads(greenhouse: Domain) -> None:
    world = greenhouse.world(1)
    assert "for example, the rose arch is" in world.call("water", {"bed": "fern", "litres": 1}).text
    task = next(task for task in greenhouse.tasks(1, "test") if task.template == "moisture-test-1")
    before = world.call(*task.calls[0]).structured
    assert before is not None
    bed = {"bed": task.calls[0].arguments["bed"]}
    assert world.call("water", {**bed, "litres": 99}).is_error
    assert not world.call(*Call("water", {**bed, "litres": 5})).is_error
    assert world.call("moisture", bed).structured == {**before, "percent": before["percent"] + 5}


def test_the_pages_example_joins_others(greenhouse: Domain) -> None:
    names = {tool["name"] for tool in registry.load("greenhouse+weather").tools()}
    assert {"moisture", "tide_times"} <= names


@pytest.mark.parametrize("check", [("check", "--ignore", "I001"), ("format", "--check")], ids=" ".join)
def test_the_pages_example_is_as_clean_as_the_rest(tmp_path: Path, check: tuple[str, ...]) -> None:
    write_files(tmp_path)  # beside no other modules of ours, by which imports are sorted: I001
    settings = ("--config", str(ROOT / "pyproject.toml"))
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", *check, *settings, "--no-cache", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_new_folder_is_installed_without_a_line_for_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert any(fnmatch("servers.greenhouse", pattern) for pattern in settings["packages"]["find"]["include"])
