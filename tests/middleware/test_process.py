"""The server as a process, without a relay around it."""

from pathlib import Path

import pytest

from middleware.errors import CommandError
from middleware.memory.processes import process_identity, process_is_gone
from middleware.process import ServerProcess


def test_a_command_that_cannot_be_run_leaves_no_descriptor_open() -> None:
    before = sorted(Path("/dev/fd").iterdir())
    for command in (["/no/such/program"], ["no\0program"]):
        with pytest.raises(CommandError, match="cannot run the server 'x'"):
            ServerProcess("x", command, {})
    assert sorted(Path("/dev/fd").iterdir()) == before


def test_who_cannot_see_where_a_process_runs_does_not_declare_it_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    known = process_identity()
    if not known:
        pytest.skip("this system does not say where a process runs (no /proc)")
    assert not process_is_gone(1, "")
    assert process_is_gone(1, f"another boot/{known.partition('/')[2]}")
    monkeypatch.setattr("middleware.memory.processes.process_identity", lambda _=None: "")
    assert not process_is_gone(1, known)
