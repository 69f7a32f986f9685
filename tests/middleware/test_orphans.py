"""No process outlives the relay, however the relay ends; and endings that are not the relay's business stay so."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from middleware.guard import Guard
from tests.middleware.peer import ECHO, ROOT, TIMEOUT_S, Peer, python

# Cares neither for the end of its input nor for TERM, and has a child that does not either.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
script = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", script])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def descendants(process: psutil.Process, count: int) -> list[psutil.Process]:
    """Return the processes below `process` as soon as there are `count`."""
    for _ in range(1_000_000):
        found = process.children(recursive=True)
        if len(found) >= count:
            return found
    raise TimeoutError(f"{process} has started no {count} processes")


def assert_gone(processes: list[psutil.Process]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while alive := [process for process in processes if not has_ended(process)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.02)


def has_ended(process: psutil.Process) -> bool:
    """Return whether it has, collected by its parent or not: some systems' first process takes its time."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("stopped", [False, True])
def test_a_relay_that_is_killed_leaves_no_server_and_nothing_that_it_started(memory_file: Path, stopped: bool) -> None:
    with Peer(memory_file, python(STUBBORN)) as peer:
        server, child = (psutil.Process(int(pid)) for pid in peer.line().split())
        relay = psutil.Process(peer.process.pid)
        below = relay.children(recursive=True)
        assert {server, child} < set(below)
        if stopped:
            server.suspend()
        peer.process.kill()
        assert peer.line() == b""  # nothing holds the client's pipe
        assert_gone(below)


@pytest.mark.parametrize("started", [1, 2])
def test_a_relay_that_is_killed_before_its_server_runs_leaves_nothing(memory_file: Path, started: int) -> None:
    with Peer(memory_file, python(STUBBORN)) as peer:
        below = descendants(psutil.Process(peer.process.pid), started)
        peer.process.kill()
        # What was started after we looked tells us so itself, where it came that far.
        below += [psutil.Process(int(pid)) for pid in peer.line().split() if psutil.pid_exists(int(pid))]
        assert_gone(below)


def test_a_relay_that_ends_in_order_leaves_no_guard(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(1, "say")
        below = psutil.Process(peer.process.pid).children(recursive=True)
        assert len(below) == 2
        assert peer.finish() == 0
        assert not any(process.is_running() for process in below)


def test_what_a_server_leaves_behind_when_it_ends_of_itself_is_its_own_affair(memory_file: Path) -> None:
    server = """
import os, subprocess, sys
script = "import time; time.sleep(600)"
print(subprocess.Popen([sys.executable, "-I", "-S", "-c", script], stdin=subprocess.DEVNULL).pid, flush=True)
sys.stdin.read()
"""
    with Peer(memory_file, python(server)) as peer:
        child = psutil.Process(int(peer.line()))
        try:
            assert peer.finish() == 0
            assert child.is_running()
        finally:
            child.kill()


def test_a_server_in_a_session_of_its_own_is_told_to_end_as_well(memory_file: Path) -> None:
    server = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    with Peer(memory_file, python(server)) as peer:
        process = psutil.Process(int(peer.line()))
        peer.process.terminate()
        assert peer.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM
        assert_gone([process])


def test_signals_to_the_group_do_not_end_the_guard_before_it_is_dismissed() -> None:
    guard = Guard()
    process = psutil.Process(guard.pid)
    try:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            os.killpg(guard.pid, number)
        member = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=guard.pid)
        assert process.status() != psutil.STATUS_ZOMBIE
    finally:
        guard.dismiss()
    assert not process.is_running()
    assert member.poll() is None
    member.communicate(b"\n", timeout=TIMEOUT_S)
    assert member.returncode == 0


def test_ctrl_c_in_a_terminal_reaches_the_server_once(memory_file: Path) -> None:
    server = """
import os, signal, sys
signal.signal(signal.SIGINT, lambda number, frame: os.write(1, b"interrupted\\n"))
os.write(1, b"ready\\n")
sys.stdin.readline()
os.write(1, b"read\\n")
"""
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file), "--"]
    in_terminal = (
        "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    )
    ours, theirs = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", in_terminal, *relay, *python(server)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
            cwd=ROOT,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            watchdog = threading.Timer(TIMEOUT_S, process.kill)
            watchdog.start()
            assert process.stdout.readline() == b"ready\n"
            os.write(ours, b"\x03")
            assert process.stdout.readline() == b"interrupted\n"
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.stdout.read() == b"read\n"
            assert process.wait(TIMEOUT_S) == 0
            watchdog.cancel()
    finally:
        os.close(ours)
        os.close(theirs)
