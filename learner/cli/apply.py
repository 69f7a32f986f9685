"""`learner apply`, `rollback` and `artefacts`: what the relays show."""

from pathlib import Path

import click

from learner.cli.options import json_option, memory_option, memory_path, next_command
from learner.cli.servers import servers_named
from learner.cli.show import print_json, print_table, when
from learner.distill.demonstrations import load
from learner.errors import UnknownArtefactError
from middleware.memory.records import ArtefactRecord
from middleware.memory.store import Memory


def find_artefact(memory: Memory, name: str) -> ArtefactRecord:
    """Return the remembered artefact `name`.

    Raises:
        UnknownArtefactError: there is none; the message lists those there are.
    """
    known = {artefact.name: artefact for artefact in memory.served.artefacts()}
    if name not in known:
        there = ", ".join(list(known)[:5]) or "none yet: make one with learner distill"
        raise UnknownArtefactError(f"no artefact is called {name!r} in {memory.path}; there: {there}")
    return known[name]


@click.command("apply")
@click.argument("artefact")
@json_option
@memory_option
def apply_command(artefact: str, as_json: bool, memory: Path | None) -> None:
    """Let the relays show what ARTEFACT learned; running ones notice within a second or two."""
    with Memory(memory_path(memory)) as opened:
        record = find_artefact(opened, artefact)
        load(Path(record.path))  # a damaged artefact is not served
        hinted = opened.served.hinted_servers(artefact)
        if not hinted:
            raise UnknownArtefactError(
                f"artefact {artefact} has no hints to show: no good call of a listed tool was short enough to quote"
            )
        reachable = [uid for uid in hinted if opened.served.seen_by_relay(uid)]
        if not reachable:
            raise UnknownArtefactError(
                f"artefact {artefact} has hints only for servers that no relay has stood before, such as an imported "
                "suite; put learner proxy in front of the server first"
            )
        servers = opened.served.apply(artefact, reachable)
    if as_json:
        print_json({"artefact": artefact, "servers": servers})
    else:
        click.echo(f"{artefact} is shown by the relays of: {', '.join(servers)}")
        click.echo(f"Take it back: {next_command('rollback')}")


@click.command("rollback")
@click.option("--server", help="Only for the server of this name. Default: every server that is served hints.")
@json_option
@memory_option
def rollback_command(server: str | None, as_json: bool, memory: Path | None) -> None:
    """Take back the newest apply; what was shown before it comes back."""
    with Memory(memory_path(memory)) as opened:
        undone = opened.served.rollback(server)
        if not undone and server is not None:
            servers_named(opened, server)
    if as_json:
        print_json([{"server": name, "artefact": was, "now": then} for name, was, then in undone])
        return
    for name, was, then in undone:
        click.echo(f"{name}: {was} taken back; shown now: {then or 'nothing'}")
    if not undone:
        click.echo(f"nothing is being served{f' for {server}' if server else ''}")


@click.command("artefacts")
@json_option
@memory_option
def artefacts_command(as_json: bool, memory: Path | None) -> None:
    """Show artefacts, newest first, and which are being served."""
    with Memory(memory_path(memory)) as opened:
        found = opened.served.artefacts()
    if as_json:
        print_json(
            [
                {
                    "artefact": artefact.name,
                    "kind": artefact.kind,
                    "path": artefact.path,
                    "created_at": artefact.created_at,
                    "trials": artefact.trials,
                    "serving": list(artefact.serving),
                }
                for artefact in found
            ]
        )
        return
    print_table(
        ("artefact", "kind", "trials", "made (UTC)", "shown by", "path"),
        (
            (
                artefact.name,
                artefact.kind,
                artefact.trials,
                when(artefact.created_at),
                ", ".join(artefact.serving),
                artefact.path,
            )
            for artefact in found
        ),
    )
