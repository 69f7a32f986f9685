"""What a server says to its client comes through the relay as without it: in every arrangement, in both eras."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import StdioServerParameters

from tests.conformance.features import Mode, observe
from tests.conformance.places import FIXTURE, HTTP_PLACES, ROOT, http, relay, started
from tests.middleware.peer import remembered

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
STDIO_PLACES = ("stdio-stdio",)


def command(place: str, memory: Path, stack: ExitStack) -> list[str]:
    """Return the command that a client starts to stand at this place."""
    if place == "direct":
        return [*FIXTURE, "--stdio"]
    if place == "stdio-stdio":
        return relay(memory, "--", *FIXTURE, "--stdio")
    return relay(memory, "--url", stack.enter_context(started([*FIXTURE, "--port", "0"])))


def seen_at(place: str, memory: Path, mode: Mode) -> dict[str, Any]:
    """Return what a client sees there."""
    with ExitStack() as stack:
        server: str | StdioServerParameters
        if place in HTTP_PLACES:
            server = stack.enter_context(http(place, memory))
        else:
            parts = command(place, memory, stack)
            server = StdioServerParameters(command=parts[0], args=parts[1:], cwd=ROOT)
        return anyio.run(partial(observe, server, mode))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("place", STDIO_PLACES)
def test_every_feature_works_as_without_the_relay(memory_file: Path, place: str, mode: Mode) -> None:
    direct = seen_at("direct", memory_file, mode)
    assert [name for name, found in direct.items() if isinstance(found, str) and found.startswith("failed")] == []
    through = seen_at(place, memory_file, mode)
    for name, found in direct.items():
        assert through[name] == found, name
    rows = remembered(memory_file)
    assert ("test_waiting", "cancelled") in rows
    assert ("test_error_handling", "tool_error") in rows
    assert ("no such tool", "protocol_error") in rows
