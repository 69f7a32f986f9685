"""`learner proxy`: the recording relay in front of one MCP server."""

from pathlib import Path

import click

from learner.cli.options import memory_option, memory_path
from middleware.stdio import run


@click.command("proxy")
@click.option("--name", required=True, help="What the server is called in the memory.")
@memory_option
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Answer a request with an error when the server has left it alone for so long. Default: wait for ever.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def proxy_command(name: str, memory: Path | None, timeout_s: float | None, command: tuple[str, ...]) -> int:
    """Relay between an MCP client on standard input and output and the server that COMMAND starts, and remember every
    call. Write -- before COMMAND.
    """
    return run(name, command, memory_path(memory), timeout_s=timeout_s)
