"""What a server says to its client comes through the relay as without it: in every arrangement, in both eras."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conformance.features import Mode, observe
from tests.conformance.places import HTTP_PLACES, STDIO_PLACES, standing
from tests.middleware.peer import remembered

pytestmark = [
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
    # Up to six processes start in each, which takes its time on a busy machine.
    pytest.mark.timeout(300),
]


def seen_at(place: str, memory: Path, mode: Mode) -> dict[str, Any]:
    """Return what a client sees there."""
    with standing(place, memory) as target:
        return anyio.run(partial(observe, target, mode))


@cache
def seen_directly(mode: Mode) -> dict[str, Any]:
    """Return what a client sees without the relay, having checked that everything works."""
    seen = seen_at("stdio", Path("no memory"), mode)
    assert [name for name, found in seen.items() if isinstance(found, str) and found.startswith("failed")] == []
    return seen


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("place", [*STDIO_PLACES, *HTTP_PLACES])
def test_every_feature_works_as_without_the_relay(memory_file: Path, place: str, mode: Mode) -> None:
    through = seen_at(place, memory_file, mode)
    for name, found in seen_directly(mode).items():
        assert through[name] == found, name
    rows = remembered(memory_file)
    assert ("test_waiting", "cancelled") in rows
    assert ("test_error_handling", "tool_error") in rows
    assert ("no such tool", "protocol_error") in rows


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_feature_is_the_same_over_http_and_stdio(memory_file: Path, mode: Mode) -> None:
    assert seen_at("http", memory_file, mode) == seen_directly(mode)
