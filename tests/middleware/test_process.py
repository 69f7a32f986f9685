"""The server as a process, without a relay around it."""

import os

import pytest

from middleware.errors import CommandError
from middleware.process import ServerProcess


def test_a_command_that_cannot_be_run_leaves_no_descriptor_open() -> None:
    before = os.listdir("/dev/fd")
    for command in (["/no/such/program"], ["no\0program"]):
        with pytest.raises(CommandError, match="cannot run the server 'x'"):
            ServerProcess("x", command, {})
    assert os.listdir("/dev/fd") == before
