"""The page on writing a server says what works: its blocks are written to files, its line is registered, all run."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import servers
from servers import registry
from servers.domain import Domain
from servers.tasks import Call, solved
from tests.servers import test_domains

PAGE = Path(__file__).parents[2] / "docs" / "write-a-server.md"


@pytest.fixture
def greenhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Domain]:
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    *files, (table, line) = blocks
    assert table == "servers/registry.py"
    assert len(files) == 3
    for path, text in files:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
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
