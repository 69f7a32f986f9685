"""The page on writing a server says what works: its blocks are written to files and run."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import servers
from servers.tasks import Call, Domain, solved

PAGE = Path(__file__).parents[2] / "docs" / "write-a-server.md"


@pytest.fixture
def greenhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Domain]:
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    *files, (registry, entry) = blocks
    assert registry == "servers/registry.py"
    for path, text in files:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(servers, "__path__", [*servers.__path__, str(tmp_path / "servers")])
    names = {"Domain": Domain}
    for module, there, here in (
        ("world", "first_state", "first_greenhouse"),
        ("tools", "TOOLS", "GREENHOUSE_TOOLS"),
        ("tasks", "tasks", "greenhouse_tasks"),
    ):
        names[here] = getattr(importlib.import_module(f"servers.greenhouse.{module}"), there)
    domain = eval(entry, names)
    assert isinstance(domain, Domain)
    yield domain
    for name in [name for name in sys.modules if name.startswith("servers.greenhouse")]:
        del sys.modules[name]


def test_the_pages_example_is_a_server_whose_tasks_can_be_solved(greenhouse: Domain) -> None:
    for seed in range(3):
        for task in (*greenhouse.tasks(seed, "practice"), *greenhouse.tasks(seed, "test")):
            assert solved(greenhouse, seed, task, task.calls)
            assert not solved(greenhouse, seed, task, [*task.calls, *task.calls])
            assert not solved(greenhouse, seed, task, [])


def test_the_pages_example_refuses_and_reads(greenhouse: Domain) -> None:
    world = greenhouse.world(1)
    assert "for example, the rose arch is" in world.call("moisture", {"bed": "fern"}).text
    task = greenhouse.tasks(1, "test")[0]
    bed = {"bed": task.calls[0].arguments["bed"]}
    assert world.call("water", {**bed, "litres": 99}).is_error
    assert world.call("moisture", bed).structured == {"bed": "Tomato", "percent": 20}
    assert not world.call(*Call("water", {**bed, "litres": 5})).is_error
    assert world.call("moisture", bed).structured == {"bed": "Tomato", "percent": 25}
