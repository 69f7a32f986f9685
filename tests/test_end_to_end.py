"""The tour of a trial through real processes: client → relay → simulated server → memory → distil → evaluate → apply →
a second client sees the hint → rollback → it is gone."""

import json
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from learner.cli.demo import run_demo
from learner.distill.hints import HEADING
from middleware.memory.store import Memory

SEED = "5"


def learner(memory: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "learner", "--memory", str(memory), *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def connect(memory: Path, mode: str) -> AbstractAsyncContextManager[Client]:
    relay = ["-I", "-m", "learner", "proxy", "--name", "weather", "--memory", str(memory), "--"]
    server = [sys.executable, "-I", "-m", "learner", "serve", "weather", "--seed", SEED]
    return Client(StdioServerParameters(command=sys.executable, args=[*relay, *server]), mode=mode)


async def descriptions(client: Client) -> dict[str, str]:
    return {tool.name: tool.description or "" for tool in (await client.list_tools()).tools}


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A memory after the demo's whole loop, and the demo's report."""
    memory = tmp_path_factory.mktemp("demo") / "memory.db"
    report = run_demo("weather", int(SEED), memory, track=lambda text, total: lambda: None)
    return memory, report


def test_the_demo_improves_and_says_what_happened(practised: tuple[Path, dict[str, Any]]) -> None:
    memory, report = practised
    assert report["before"]["cases"] == report["after"]["cases"] == 100
    assert report["difference"]["improved"]
    assert report["after"]["correct"] > report["before"]["correct"]
    assert report["example"]["before"] != report["example"]["after"]
    practice = report["practice"]
    assert practice["accepted"] + practice["given_up"] == practice["trials"] >= 200
    with Memory(memory) as opened:
        trials = opened.trials()
        assert len(trials) == practice["trials"]
        assert sum(len(trial.calls) for trial in trials) == practice["calls"]
        assert {trial.verdict.judge for trial in trials if trial.verdict} == {"responses"}, "no gold in practice"


def test_what_practice_remembers_came_through_the_relay(practised: tuple[Path, dict[str, Any]]) -> None:
    memory, report = practised
    (server,) = learner(memory, "servers")
    assert server["server"] == "weather"
    assert server["calls"] == report["practice"]["calls"]
    newest = learner(memory, "calls", "--limit", "1")[0]
    assert newest["trial"] is not None
    assert newest["duration_ms"] > 0


def test_evaluate_gives_the_demos_figures_again(practised: tuple[Path, dict[str, Any]]) -> None:
    memory, report = practised
    measured = learner(
        memory, "evaluate", "--suite", "weather", "--seed", SEED, "--model", "recall", "--artefact", report["artefact"]
    )
    for measure in ("wellformed", "api_match", "correct", "strict"):
        assert measured[measure] == report["after"][measure]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_second_client_sees_the_hint_and_no_longer_after_rollback(
    practised: tuple[Path, dict[str, Any]], mode: str
) -> None:
    memory, report = practised
    with anyio.fail_after(200):
        async with connect(memory, mode) as client:
            before = await descriptions(client)
            assert not any(HEADING in text for text in before.values())
        learner(memory, "apply", report["artefact"])
        async with connect(memory, mode) as client:
            hinted = await descriptions(client)
            assert sum(HEADING in text for text in hinted.values()) >= 5
            assert all(hinted[name].startswith(before[name]) for name in before)
            example = json.loads(hinted["tide_times"].splitlines()[-1])
            answer = await client.call_tool("tide_times", example)
            assert not answer.is_error, "an example from the hint works as it stands"
            learner(memory, "rollback")
            # The running relay notices by itself; the client is asked again until it has.
            while await descriptions(client) != before:
                await anyio.sleep(0.05)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
