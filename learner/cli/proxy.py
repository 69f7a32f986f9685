"""`learner proxy`: the recording relay in front of one MCP server."""

import os
from pathlib import Path

import click

from learner.cli.options import memory_option, memory_path
from middleware.settings import DEFAULTS, MAX_CUT_BYTES, MIN_CUT_BYTES, Capture, Settings
from middleware.stdio import run


def _not_empty(_: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("give the server a name", param=parameter)
    return value


# What stands behind the first word of COMMAND is its own: --name there must not be taken for ours.
@click.command("proxy", context_settings={"allow_interspersed_args": False})
@click.option("--name", required=True, callback=_not_empty, help="What the server is called in the memory.")
@click.option("--url", help="The URL of a remote server (streamable HTTP), in place of COMMAND.")
@click.option(
    "--url-from",
    "url_variable",
    metavar="VARIABLE",
    help="As --url, with the URL in an environment variable: URLs may hold keys, and command lines are no secret.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VARIABLE",
    help="Send the remote server this header, with the value of an environment variable. May be repeated.",
)
@click.option(
    "--http",
    "address",
    metavar="HOST:PORT",
    help="Serve clients over streamable HTTP at this address, path /mcp, instead of stdio. Port 0: any free one. "
    "Addresses that other machines can reach need a token in PRACTICUM_HTTP_TOKEN.",
)
@click.option("--allow-host", "hosts", multiple=True, help="With --http: a further name clients may use for us.")
@click.option("--allow-origin", "origins", multiple=True, help="With --http: a web page's origin that may call us.")
@memory_option
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Answer a request with an error when the server has left it alone for so long. Default: wait for ever.",
)
@click.option(
    "--capture",
    type=click.Choice(("full", "cut", "off")),
    default=DEFAULTS.capture,
    show_default=True,
    envvar="PRACTICUM_CAPTURE",
    show_envvar=True,
    help="What is kept of arguments, results and errors: all, the beginnings of long ones, or nothing.",
)
@click.option(
    "--cut-bytes",
    type=click.IntRange(MIN_CUT_BYTES, MAX_CUT_BYTES),
    default=DEFAULTS.cut_bytes,
    show_default=True,
    envvar="PRACTICUM_CUT_BYTES",
    show_envvar=True,
    help="With --capture cut: the bytes of arguments, and of a result, that are kept.",
)
@click.option(
    "--intent",
    is_flag=True,
    help="Ask models what each call is for, in an argument that is added to every tool and that the server never sees. "
    "It is remembered as the query.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def proxy_command(
    name: str,
    url: str | None,
    url_variable: str | None,
    headers: tuple[str, ...],
    address: str | None,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    memory: Path | None,
    timeout_s: float | None,
    capture: Capture,
    cut_bytes: int,
    intent: bool,
    command: tuple[str, ...],
) -> int:
    """Relay between an MCP client and the server that COMMAND starts, or that --url names, and remember every call.
    The client is on standard input and output, or comes to --http. Write -- before COMMAND.
    """
    if url_variable is not None:
        if url is not None:
            raise click.UsageError("give either --url or --url-from")
        url = os.environ.get(url_variable)
        if url is None:
            raise click.UsageError(f"--url-from: the environment variable {url_variable} is not set")
    if (url is None) == (not command):
        raise click.UsageError("give either a command behind -- or --url")
    if headers and url is None:
        raise click.UsageError("--header is for servers behind --url")
    if (hosts or origins) and address is None:
        raise click.UsageError("--allow-host and --allow-origin go with --http")
    settings = Settings(timeout_s=timeout_s, capture=capture, cut_bytes=cut_bytes, intent=intent)
    if address is None and url is None:
        return run(name, command, memory_path(memory), settings)
    # Only here: HTTP brings asyncio and aiohttp, which a relay on stdio does without.
    from middleware.errors import UsageError

    try:
        if address is None:
            from middleware.http.remote.reach import reach_url

            return reach_url(name, url or "", memory_path(memory), settings, headers=headers)
        from middleware.http import run as http

        if url is None:
            return http.serve_command(
                name, command, memory_path(memory), settings, address=address, hosts=hosts, origins=origins
            )
        return http.serve_url(
            name,
            url,
            memory_path(memory),
            settings,
            address=address,
            headers=headers,
            hosts=hosts,
            origins=origins,
        )
    except UsageError as error:
        raise click.UsageError(str(error)) from error
