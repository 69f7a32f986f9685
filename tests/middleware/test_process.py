"""The server as a process, without a relay around it."""

from pathlib import Path

import pytest

from middleware.errors import CommandError
from middleware.process import ServerProcess


def test_a_command_that_cannot_be_run_leaves_no_descriptor_open() -> None:
    before = sorted(Path("/dev/fd").iterdir())
    for command in (["/no/such/program"], ["no\0program"]):
        with pytest.raises(CommandError, match="cannot run the server 'x'"):
            ServerProcess("x", command, {})
    assert sorted(Path("/dev/fd").iterdir()) == before
