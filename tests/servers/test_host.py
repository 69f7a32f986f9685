"""A world behind MCP, in memory and as a process, for both protocol eras."""

import json
import subprocess
import sys
from typing import Literal

import anyio
import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from learner.cli.serve import serve_command
from servers import registry
from servers.host import server

WEATHER = registry.load("weather")
SEED = 7
CALL = next(task.calls[0] for task in WEATHER.tasks(SEED, "test") if task.calls)
Mode = Literal["auto", "legacy"]
eras = pytest.mark.parametrize(("mode", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])


@eras
def test_a_world_is_listed_and_called_in_both_eras(mode: Mode, revision: str) -> None:
    async def act() -> None:
        with anyio.fail_after(90):
            async with Client(server(WEATHER.world(SEED)), mode=mode) as client:
                assert client.protocol_version == revision
                tools = (await client.list_tools()).tools
                shown = [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]
                assert shown == WEATHER.tools()
                name, arguments = CALL
                good = await client.call_tool(name, dict(arguments))
                expected = WEATHER.world(SEED).call(name, arguments)
                assert not good.is_error
                assert good.structured_content == expected.structured
                assert [part.text for part in good.content if part.type == "text"] == [expected.text]
                assert json.loads(expected.text) == expected.structured

    anyio.run(act)


@eras
def test_a_refused_call_is_a_result_with_the_words_to_try_again(mode: Mode, revision: str) -> None:
    async def act() -> None:
        with anyio.fail_after(90):
            async with Client(server(WEATHER.world(SEED)), mode=mode) as client:
                for arguments in ({"station": "Nowhere"}, {"place": "Nowhere"}, {}):
                    refused = await client.call_tool("current_conditions", arguments)
                    assert refused.is_error
                    assert refused.structured_content is None
                    assert [part.text for part in refused.content if part.type == "text"] == [
                        WEATHER.world(SEED).call("current_conditions", arguments).text
                    ]

    anyio.run(act)


def test_an_unknown_tool_is_a_protocol_error_that_names_it() -> None:
    async def act() -> None:
        with anyio.fail_after(90):
            async with Client(server(WEATHER.world(SEED))) as client:
                with pytest.raises(MCPError, match="Unknown tool: 'get_weather'; the tools are cancel_subscription"):
                    await client.call_tool("get_weather", {})

    anyio.run(act)


@eras
def test_learner_serve_speaks_stdio_with_the_seed_given(mode: Mode, revision: str) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "learner", "serve", "weather", "--seed", str(SEED)]
    )

    async def act() -> None:
        with anyio.fail_after(90):
            async with Client(command, mode=mode) as client:
                assert client.protocol_version == revision
                name, arguments = CALL
                result = await client.call_tool(name, dict(arguments))
                assert result.structured_content == WEATHER.world(SEED).call(name, arguments).structured

    anyio.run(act)


def test_learner_serve_ends_well_when_its_client_goes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "learner", "serve", "weather"], input=b"", capture_output=True, timeout=200, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_learner_serve_names_an_unknown_world_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "learner", "serve", "wether"], input=b"", capture_output=True, timeout=200, check=False
    )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        f"learner: no simulated server is called 'wether'; there are: {', '.join(registry.worlds())}"
    ]


def test_learner_serve_lists_the_worlds() -> None:
    result = CliRunner().invoke(serve_command, ["--list"])
    assert [line.split()[0] for line in result.output.splitlines()] == registry.worlds()


def test_learner_serve_without_a_name_is_wrong_usage() -> None:
    result = CliRunner().invoke(serve_command, [])
    assert result.exit_code == 2
    assert "--list" in result.output


def test_help_imports_no_sdk() -> None:
    script = (
        "import sys, learner.cli\n"
        "learner.cli.learner(['--help'], standalone_mode=False)\n"
        "assert 'mcp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=200)
