"""`learner serve`: a simulated server on stdio."""

from pathlib import Path

import click

from learner.cli.simulated import write_domain
from servers.registry import load, worlds
from servers.stdio import serve_stdio


@click.command("serve")
@click.argument("name", required=False)
@click.option(
    "--seed", default=0, show_default=True, help="Which world: the same seed has the same content and conventions."
)
@click.option("--list", "list_worlds", is_flag=True, help="List the simulated servers, and serve none.")
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    help="Write its tools and tasks into this new folder as a suite, and serve nothing.",
)
def serve_command(name: str | None, seed: int, list_worlds: bool, suite: Path | None) -> None:
    """Run the simulated server NAME on stdio, until the client closes it."""
    if list_worlds:
        for world in worlds():
            click.echo(f"{world}  {load(world).description}")
        return
    if name is None:
        raise click.UsageError("name a server to run; --list shows them")
    if suite is not None:
        cases = write_domain(load(name), seed, suite)
        click.echo(f"{suite}: " + ", ".join(f"{count} cases for {split}" for split, count in cases.items()))
        return
    serve_stdio(load(name).world(seed))
