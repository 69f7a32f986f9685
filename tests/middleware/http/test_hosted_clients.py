"""A server on stdio behind HTTP as a whole process, asked by the SDK's client in both eras."""

import json
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import mcp_types as t
import pytest
from mcp import Client, StdioServerParameters

from tests.middleware.peer import ROOT, TIMEOUT_S, python, remembered
from tests.middleware.test_real_servers import directly, repository, run

Mode = Literal["auto", "legacy"]
__all__ = ["repository"]  # a fixture

# Asks the client back, in the way of the earlier revisions, and starts a process of its own.
ASKING = """
import subprocess, sys
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import BaseModel
server = MCPServer("asking")
class Name(BaseModel):
    name: str
@server.tool()
async def greet(ctx: Context) -> str:
    await ctx.report_progress(1, 2, "asking")
    answer = await ctx.elicit("Who?", Name)
    return f"Hello {answer.data.name}"
@server.tool()
def start() -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL).pid
server.run()
"""

LEGACY_ONLY = """
import json, sys
answers = {
    "initialize": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}},
    "tools/list": {"tools": [{"name": "say", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": []},
}
for line in sys.stdin:
    message = json.loads(line)
    answer = answers.get(message["method"])
    body = {"result": answer} if answer else {"error": {"code": -32602, "message": "before initialization"}}
    if "id" in message: print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}), flush=True)
"""


@contextmanager
def served(memory: Path, command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve `command` over HTTP from a process of its own; give that and the URL."""
    learner = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "served", "--memory", str(memory)]
    with subprocess.Popen(
        [*learner, "--http", "127.0.0.1:0", "--", *command], stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stderr is not None
        try:
            assert select.select([process.stderr], [], [], TIMEOUT_S)[0]
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found is not None
            yield process, found[0]
            process.terminate()
            process.wait(TIMEOUT_S)
        finally:
            process.kill()


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be reaped does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, timeout=TIMEOUT_S)
    return bool(found.stdout.strip()) and not found.stdout.startswith("Z")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_git_server_says_the_same_over_http(memory_file: Path, repository: Path, mode: Mode) -> None:
    command = [sys.executable, "-m", "mcp_server_git", "--repository", str(repository)]

    async def ask(server: StdioServerParameters | str) -> tuple[str | None, Any, list[Any]]:
        async with Client(server, mode=mode) as client:
            tools = await client.list_tools()
            answers = [
                await client.call_tool("git_log", {"repo_path": str(repository)}),
                await client.call_tool("git_show", {"repo_path": str(repository), "revision": "no such revision"}),
            ]
            return client.protocol_version, tools, answers

    async def both() -> None:
        assert await ask(url) == await ask(directly(command))

    with served(memory_file, command) as (process, url):
        run(both)
    assert process.returncode == 0
    assert [row[0] for row in remembered(memory_file)] == ["git_log", "git_show"]


def test_many_clients_are_served_at_once(memory_file: Path) -> None:
    command = [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"]
    zones = ["Europe/Paris", "Asia/Tokyo", "America/Lima", "Africa/Cairo"]

    async def ask(mode: Mode, zone: str) -> None:
        async with Client(url, mode=mode) as client:
            for _ in range(3):
                answer = await client.call_tool("get_current_time", {"timezone": zone})
                assert isinstance(answer.content[0], t.TextContent)
                assert json.loads(answer.content[0].text)["timezone"] == zone

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for zone in zones:
                group.start_soon(ask, "auto", zone)
            group.start_soon(ask, "legacy", zones[0])

    with served(memory_file, command) as (_, url):
        run(all_at_once)
    assert remembered(memory_file) == [("get_current_time", "result")] * 15


def test_a_client_of_both_eras_falls_back_for_a_server_of_the_earlier_one(memory_file: Path) -> None:
    async def ask() -> None:
        async with Client(url) as client:
            assert client.protocol_version == "2025-06-18"
            assert not (await client.call_tool("say")).is_error

    with served(memory_file, python(LEGACY_ONLY)) as (_, url):
        run(ask)


def test_a_server_may_ask_its_client_back(memory_file: Path) -> None:
    told = []

    async def elicited(context: Any, params: t.ElicitRequestParams) -> t.ElicitResult:
        return t.ElicitResult(action="accept", content={"name": "Ann"})

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def ask() -> None:
        async with Client(url, mode="legacy", elicitation_callback=elicited) as client:
            answer = await client.call_tool("greet", progress_callback=note)
            assert isinstance(answer.content[0], t.TextContent)
            assert answer.content[0].text == "Hello Ann"

    with served(memory_file, python(ASKING)) as (_, url):
        run(ask)
    assert told == [(1, 2, "asking")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_that_a_server_has_started_outlives_us(memory_file: Path, number: signal.Signals) -> None:
    pids: list[int] = []

    async def ask() -> None:
        for mode in ("auto", "legacy"):
            client = Client(url, mode=mode)
            async with client:
                answer = await client.call_tool("start")
                assert isinstance(answer.content[0], t.TextContent)
                pids.append(int(answer.content[0].text))
                if mode == "legacy":
                    process.send_signal(number)
                    await anyio.to_thread.run_sync(process.wait, TIMEOUT_S)

    with served(memory_file, python(ASKING)) as (process, url):
        run(ask)
        assert process.returncode == 0
        assert len(pids) == 2
        deadline = time.monotonic() + TIMEOUT_S
        while any(map(is_running, pids)):  # a killed process is gone a moment later
            assert time.monotonic() < deadline


def test_a_command_that_is_none_is_said_at_once(memory_file: Path) -> None:
    learner = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file)]
    ended = subprocess.run(
        [*learner, "--http", "127.0.0.1:0", "--", "/no/such"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=TIMEOUT_S,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "/no/such is no program" in ended.stderr
    assert ended.stderr.count("\n") == 1
