"""What a client meets of faults: `learner serve --faults` as a process, spoken to by the SDK's client."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from servers import registry

WEATHER = registry.load("weather")
SEED = 11
PLAN = [
    {"fault": "latency", "median_s": 0.01, "p99_s": 0.02},
    {"fault": "timeout", "rate": 1, "takes_effect": 1, "tools": ["subscribe_alert"]},
    {"fault": "server_error", "rate": 1, "protocol": 1, "tools": ["tide_times"]},
    {"fault": "truncated", "rate": 1, "tools": ["current_conditions"]},
    {"fault": "malformed", "rate": 1, "shapes": ["html"], "tools": ["daily_forecast"]},
    {"fault": "rate_limit", "calls": 1, "window": 2, "told": ["limit"], "tools": ["compare_stations"]},
    {"fault": "schema_drift", "changes": ["tool_removed"], "tools": ["climate_history"], "after": 3},
]


def gold(tool: str) -> tuple[str, dict[str, Any]]:
    calls = (task.calls[0] for task in WEATHER.tasks(SEED, "test") if len(task.calls) == 1)
    name, arguments = next(call for call in calls if call.name == tool)
    return name, dict(arguments)


def text(result: CallToolResult) -> str:
    [part] = result.content
    assert part.type == "text"
    return part.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_meets_each_fault_as_what_it_is(mode: Literal["auto", "legacy"], tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "learner", "serve", "weather", "--seed", str(SEED), "--faults", str(plan)]
    )

    async def act() -> None:
        with anyio.fail_after(90):
            async with Client(command, mode=mode) as client:
                cut = await client.call_tool(*gold("current_conditions"))
                assert not cut.is_error
                assert cut.structured_content is None
                whole = WEATHER.world(SEED).call(*gold("current_conditions")).text
                assert text(cut)[:1] == whole[:1]
                assert text(cut) != whole

                page = await client.call_tool(*gold("daily_forecast"))
                assert "<html" in text(page)
                assert page.structured_content is None

                assert "climate_history" in [tool.name for tool in (await client.list_tools()).tools]
                with pytest.raises(MCPError, match="Internal error") as failed:
                    await client.call_tool(*gold("tide_times"))
                assert failed.value.code == -32603
                assert "climate_history" not in [tool.name for tool in (await client.list_tools()).tools]

                assert not (await client.call_tool(*gold("compare_stations"))).is_error
                limited = await client.call_tool(*gold("compare_stations"))
                assert limited.is_error
                assert "1 requests" in text(limited)

                # Lost, and carried out: what it subscribed to can be cancelled, once.
                _, arguments = gold("subscribe_alert")
                cancel = ("cancel_subscription", {key: arguments[key] for key in ("station", "hazard")})
                await client.call_tool(*cancel)
                assert (await client.call_tool(*cancel)).is_error
                with pytest.raises(MCPError):
                    await client.call_tool("subscribe_alert", arguments, read_timeout_seconds=0.3)
                assert not (await client.call_tool(*cancel)).is_error

    anyio.run(act)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (None, "learner: no preset of faults and no file is called 'flacky'; the presets are slow, flaky, busy, "),
        (
            '[{"fault": "gremlins"}]',
            'fault 1: no fault is called "gremlins"; there are: latency, timeout, rate_limit, ',
        ),
        ('[{"fault": "latency", "tools": ["fly"]}]', "latency is for the tool 'fly', which is not there; there are: "),
    ],
)
def test_a_plan_that_cannot_be_used_is_one_line(plan: str | None, said: str, tmp_path: Path) -> None:
    named = "flacky"
    if plan is not None:
        file = tmp_path / "plan.json"
        file.write_text(plan)
        named = str(file)
    done = subprocess.run(
        [sys.executable, "-m", "learner", "serve", "weather", "--faults", named],
        input=b"",
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("learner: ")
    assert said in line
