"""`learner serve`: a simulated server, on stdio or over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from servers.domain import Domain
from servers.registry import load, worlds
from servers.world import Served

# What only some of this needs is imported there: the list needs no SDK, stdio no web server, nothing else the suites.


@click.command("serve")
@click.argument("name", required=False)
@click.option(
    "--seed", default=0, show_default=True, help="Which world: the same seed has the same content and conventions."
)
@click.option(
    "--http",
    "address",
    metavar="HOST:PORT",
    help="Serve clients over streamable HTTP at this address, path /mcp, until told to end. Port 0: any free one. "
    "Addresses that other machines can reach need a token in PRACTICUM_HTTP_TOKEN.",
)
@click.option("--shared", is_flag=True, help="With --http: all clients in one world, not each in one of its own.")
@click.option("--allow-host", "hosts", multiple=True, help="With --http: a further name clients may use for us.")
@click.option("--allow-origin", "origins", multiple=True, help="With --http: a web page's origin that may call us.")
@click.option(
    "--faults",
    metavar="FILE_OR_PRESET",
    help="Make it slow, failing or changing on purpose, by the seed: one of the presets, or a plan of faults as JSON.",
)
@click.option("--list", "list_worlds", is_flag=True, help="List the simulated servers, and serve none.")
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    help="Write its tools and tasks into this new folder as a suite, and serve nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="With --list: an array of objects, for machines.")
def serve_command(
    name: str | None,
    seed: int,
    address: str | None,
    shared: bool,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    faults: str | None,
    list_worlds: bool,
    suite: Path | None,
    as_json: bool,
) -> None:
    """Run the simulated server NAME: on stdio until the client closes it, or at --http."""
    if list_worlds:
        _print_worlds(as_json)
        return
    if name is None:
        raise click.UsageError("name a server to run; --list shows them")
    if as_json:
        raise click.UsageError("--json goes with --list")
    if suite is not None and (address or faults is not None):
        raise click.UsageError("--suite writes and serves nothing: --http and --faults do not go with it")
    if address is None and (shared or hosts or origins):
        raise click.UsageError("--shared, --allow-host and --allow-origin go with --http")
    domain = load(name)
    if suite is not None:
        from learner.cli.simulated import write_domain

        cases = write_domain(domain, seed, suite)
        click.echo(f"{suite}: " + ", ".join(f"{count} cases for {split}" for split, count in cases.items()))
        return
    make = _maker(domain, seed, faults)
    if address is None:
        from servers.stdio import serve_stdio

        serve_stdio(make())
        return
    from middleware.errors import UsageError
    from middleware.http.access import Access
    from middleware.http.address import parse_address
    from servers.http import serve_http

    try:
        host, port = parse_address(address)
        access = Access(host, hosts=hosts, origins=origins)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    serve_http(
        make,
        host,
        port,
        shared=shared,
        refusal=access.refusal,
        say=lambda url: click.echo(f"learner: {name} is served at {url}", err=True),
    )


def _maker(domain: Domain, seed: int, faults: str | None) -> Callable[[], Served]:
    """Return what makes a world; with faults that the domain cannot have, not even this does."""
    if faults is None:
        return lambda: domain.world(seed)
    from servers.faults import Faulty
    from servers.faults import load as load_plan

    plan = load_plan(faults)

    def make() -> Served:
        return Faulty(domain.world(seed), plan, seed)

    make()
    return make


def _print_worlds(as_json: bool) -> None:
    found = [
        {"name": world, "tools": len(load(world).tools()), "description": load(world).description} for world in worlds()
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(len(str(world["name"])) for world in found)
    for world in found:
        click.echo(f"{world['name']:<{width}}  {world['tools']:>3} tools  {world['description']}")
