"""`learner serve` as a process over HTTP, with faults, and what it says when it cannot."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

from learner.cli.serve import serve_command
from servers import registry

TIMEOUT_S = 90
SERVE = [sys.executable, "-m", "learner", "serve"]
WEATHER = registry.load("weather")
SEED = 7


@contextmanager
def served(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a process that serves the weather over HTTP, and its URL."""
    with subprocess.Popen(
        [*SERVE, "weather", "--seed", str(SEED), "--http", "127.0.0.1:0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            found = re.fullmatch(r"learner: weather is served at (http://\S+/mcp)\n", said)
            assert found is not None, said
            yield process, found[1]
        finally:
            process.kill()


def failed(*arguments: str) -> tuple[int, list[str]]:
    """Return the exit code of `learner serve`, and the lines it says."""
    done = subprocess.run([*SERVE, *arguments], input=b"", capture_output=True, timeout=TIMEOUT_S, check=False)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode().splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_end_it_ends_well_while_clients_are_there(number: signal.Signals) -> None:
    name, arguments = WEATHER.tasks(SEED, "test")[0].calls[0]
    expected = WEATHER.world(SEED).call(name, arguments).structured

    async def act() -> None:
        with served() as (process, url), anyio.fail_after(TIMEOUT_S):
            try:
                async with (
                    Client(url, mode="legacy") as old,
                    Client(f"{url}/alice") as new,
                    new.listen(tools_list_changed=True),
                ):
                    for client in (old, new):
                        assert (await client.call_tool(name, dict(arguments))).structured_content == expected
                    process.send_signal(number)
                    assert await anyio.to_thread.run_sync(process.wait, TIMEOUT_S) == 0
            except* ConnectionError:
                pass  # a client may say that its server is gone
            assert process.stderr is not None
            assert process.stderr.read() == ""

    anyio.run(act)


def test_where_a_token_is_set_it_is_asked_for() -> None:
    with served(environment={"PRACTICUM_HTTP_TOKEN": "sesame"}) as (_, url):
        for headers, status in (({}, 401), ({"Authorization": "Bearer sesame"}, 406), ({"Host": "evil.example"}, 403)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
            with caught.value:
                assert caught.value.code == status


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = failed("weather", "--http", address)
    assert code == 1
    assert said == [f"learner: cannot listen on {address}: Address already in use; choose another --http"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["weather", "--seed", "seven"], "'seven' is not a valid integer"),
        (["weather", "--seed", "7.5"], "'7.5' is not a valid integer"),
        (["weather", "--http", "8000"], "write HOST:PORT, as in 127.0.0.1:8000"),
        (["weather", "--http", "0.0.0.0:0"], "PRACTICUM_HTTP_TOKEN"),
        (["weather", "--shared"], "go with --http"),
        (["weather", "--suite", "new", "--faults", "nonsense"], "--suite writes and serves nothing"),
        (["weather", "--suite", "new", "--http", "127.0.0.1:0"], "--suite writes and serves nothing"),
        (["weather", "--json"], "--json goes with --list"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: list[str], words: str) -> None:
    code, said = failed(*arguments)
    assert code == 2
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize("text", ["nonsense", "[{}]", '[{"fault": "earthquake"}]', '[{"fault": "latency", "rate": 7}]'])
def test_faults_that_cannot_be_had_are_said_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)
    code, said = failed("weather", "--faults", str(file))
    assert code == 1
    assert len(said) == 1
    assert said[0].startswith("learner: ")


def test_faults_on_tools_that_are_not_there_are_said_before_anybody_comes(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"fault": "latency", "tools": ["none_such"]}]))
    code, said = failed("weather", "--http", "127.0.0.1:0", "--faults", str(file))
    assert code == 1
    assert len(said) == 1
    assert "none_such" in said[0]


def test_tools_that_a_fault_changes_are_told_to_the_client(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"fault": "schema_drift", "after": 1, "changes": ["tool_renamed"]}]))
    arguments = [*SERVE[1:], "weather", "--seed", str(SEED), "--faults", str(file)]

    async def act() -> None:
        with anyio.fail_after(TIMEOUT_S):
            async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
                before = {tool.name for tool in (await client.list_tools()).tools}
                async with client.listen(tools_list_changed=True) as changes:
                    await client.call_tool("current_conditions", {})
                    async for _ in changes:
                        break
                after = {tool.name for tool in (await client.list_tools()).tools}
                assert len(before - after) == len(after - before) == 1

    anyio.run(act)


def test_the_list_for_machines_counts_the_tools() -> None:
    listed = json.loads(CliRunner().invoke(serve_command, ["--list", "--json"]).output)
    assert [world["name"] for world in listed] == registry.worlds()
    for world in listed:
        assert world["tools"] == len(registry.load(world["name"]).tools())
        assert world["description"] == registry.load(world["name"]).description
