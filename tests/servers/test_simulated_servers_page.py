"""The page on running simulated servers says what works: its blocks are run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "simulated-servers.md").read_text(encoding="utf-8")
TIMEOUT_S = 90
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
LISTS, ON_STDIO, TASKS, OVER_HTTP = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def _ran(block: str, folder: Path | None = None) -> str:
    command = ["bash", "-euo", "pipefail", "-c", block]
    return subprocess.run(
        command, env=ENVIRONMENT, cwd=folder, capture_output=True, check=True, text=True, timeout=TIMEOUT_S
    ).stdout


def test_the_servers_are_listed_and_a_shell_can_call_one() -> None:
    assert "weather" in _ran(LISTS)
    hello, answer = map(json.loads, _ran(ON_STDIO).splitlines())
    assert hello["result"]["serverInfo"]["name"] == "weather"
    assert answer["result"]["isError"]


def test_tasks_are_written_and_played(tmp_path: Path) -> None:
    wrote, *table = _ran(TASKS, tmp_path).splitlines()
    assert wrote.startswith("bank-3: ")
    assert {file.name for file in (tmp_path / "bank-3").glob("cases-*")} == {"cases-practice.jsonl", "cases-test.jsonl"}
    assert table[0].strip() == "bank, test: recall"


def test_clients_of_both_eras_come_over_http() -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    command = OVER_HTTP.split()
    assert command[-1] == "127.0.0.1:8000"
    with subprocess.Popen(
        [sys.executable, "-m", *command[:-1], "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            url = process.stderr.readline().split()[-1]
            done = subprocess.run(
                [sys.executable, "-c", script.replace("http://127.0.0.1:8000/mcp", url)],
                capture_output=True,
                check=True,
                text=True,
                timeout=TIMEOUT_S,
            )
        finally:
            process.kill()
    own, named = done.stdout.splitlines()
    assert own.startswith("2025-11-25 ")
    assert named.startswith("2026-07-28 ")
    assert own.split(maxsplit=1)[1] == named.split(maxsplit=1)[1], "the same seed, the same words"
