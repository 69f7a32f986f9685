"""A world that does to its answers what faults do, on demand.

python -m tests.servers.toy serves it on stdio, and with `http` over HTTP, at a URL that it prints.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from servers.http import serve_http
from servers.stdio import serve_stdio
from servers.world import CallResult


class Toy:
    """`count` adds `by` to a number, and is answered as its other arguments say; `rename` gives a tool a new name."""

    name = "toy"

    def __init__(self) -> None:
        self.number = 0
        self.renamed = "old"

    @property
    def tools(self) -> Sequence[dict[str, Any]]:
        """Return the definitions, made anew."""
        return [{"name": name, "inputSchema": {"type": "object"}} for name in ("count", "rename", self.renamed)]

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Call a tool."""
        if name == "rename":
            self.renamed = arguments["to"]
            return CallResult(False, "renamed")
        how = dict(arguments)
        self.number += how.pop("by", 1)
        return CallResult(False, str(self.number), {"number": self.number}, **how)


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        serve_http(Toy, "127.0.0.1", 0, refusal=lambda _: None, say=click.echo)
    else:
        serve_stdio(Toy())
