"""The documentation keeps its word: generated pages are current, blocks run, links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from learner.cli import COMMANDS, learner
from learner.distill.hints import HEADING
from servers import registry

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])


def test_pages_made_from_the_code_are_current(tmp_path: Path) -> None:
    # In a process of its own: click keeps what an earlier test asked of a command.
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True, timeout=200)
    pages = sorted(tmp_path.rglob("*.md"))
    assert len(pages) == 3 + len(registry.worlds())
    for page in pages:
        committed = ROOT / "docs" / page.relative_to(tmp_path)
        assert committed.read_text() == page.read_text(), "run: python docs/generate.py"


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_and_option_has_help(command: str) -> None:
    answer = CliRunner().invoke(learner, [command, "--help"])
    assert answer.exit_code == 0, answer.output
    assert COMMANDS[command][1]
    for line in answer.output.splitlines():
        assert not re.fullmatch(r"  --[a-z-]+( [A-Z]+)?", line), f"{command}: {line} has no help"


def test_the_quickstart_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "quickstart.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 5
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PRACTICUM": str(ROOT),
        "COLUMNS": "200",
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert ran.returncode == 0, ran.stderr
    assert "refused:" in ran.stdout
    assert "weather: weather-1 taken back; shown now: nothing" in ran.stdout
    assert ran.stdout.count(HEADING) >= 5, "the second client saw the hints"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in readme, page.name
