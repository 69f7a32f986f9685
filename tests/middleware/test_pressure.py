"""Peers that misbehave: who floods, stops, closes half of itself or is gone; and that nobody's memory pays for it."""

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.middleware.peer import ECHO, TIMEOUT_S, Peer, call, python, remembered

# Far more than the relay and the pipes around it hold (1 MiB, and 64 KiB each).
FLOOD = 8 << 20
MOST_HELD = 3 << 20


def rss(peer: Peer) -> int:
    return int(psutil.Process(peer.process.pid).memory_info().rss)


def push(descriptor: int, data: bytes) -> int:
    """Write until nothing has been taken for a second; return how many bytes were."""
    os.set_blocking(descriptor, False)
    written = 0
    while written < len(data) and select.select([], [descriptor], [], 1)[1]:
        with contextlib.suppress(BlockingIOError):
            written += os.write(descriptor, data[written : written + (1 << 16)])
    os.set_blocking(descriptor, True)
    return written


def test_a_server_that_does_not_read_holds_the_client_back(memory_file: Path) -> None:
    with Peer(memory_file, python("import time; print('up', flush=True); time.sleep(600)")) as peer:
        assert peer.line() == b"up\n"
        before = rss(peer)
        lines = b"".join(
            json.dumps({"jsonrpc": "2.0", "method": "x", "params": "y" * 1000}).encode() + b"\n"
            for _ in range(FLOOD // 1000)
        )
        assert push(peer.stdin.fileno(), lines) < MOST_HELD
        assert rss(peer) - before < 3 * MOST_HELD


def test_a_client_that_does_not_read_holds_the_server_back(memory_file: Path) -> None:
    server = """
import os, sys
line = b"y" * 999 + b"\\n"
os.set_blocking(1, False)
import select
written = 0
while select.select([], [1], [], 1)[1]:
    try: written += os.write(1, line * 60)
    except BlockingIOError: pass
print(written, file=sys.stderr, flush=True)
sys.stdin.read()
"""
    with Peer(memory_file, python(server)) as peer:
        assert select.select([peer.stderr], [], [], TIMEOUT_S)[0]
        assert int(peer.stderr.readline()) < MOST_HELD
        assert rss(peer) < 50_000_000
        peer.stdin.close()
        received = 0
        while data := peer.line():
            received += len(data)
        assert received > 1 << 20
        assert peer.process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize(
    "noise", [b"{half", b"\x00\xff garbage", b"[" * 5000, b"x" * 3_000_000, b"\n\n\n", b'{"id":1}']
)
def test_garbage_passes_and_the_next_answer_counts(memory_file: Path, noise: bytes) -> None:
    server = f"""
import os, sys
for line in sys.stdin.buffer:
    data = {noise[:1]!r} * {len(noise)} if {len(set(noise)) == 1} else {noise[:100]!r}
    sys.stdout.buffer.write(data + b"\\n" + b'{{"jsonrpc":"2.0","id":1,"result":{{}}}}\\n')
    sys.stdout.buffer.flush()
"""
    with Peer(memory_file, python(server)) as peer:
        peer.send(call(1, "x"))
        received = b""
        while not received.endswith(b'"result":{}}\n'):
            line = peer.line()
            assert line
            received += line
        assert received == noise + b'\n{"jsonrpc":"2.0","id":1,"result":{}}\n'
        assert peer.finish() == 0
        assert peer.said() == ""
    assert remembered(memory_file) == [("x", "result")]


def test_a_server_that_closes_its_input_may_still_answer(memory_file: Path) -> None:
    server = """
import json, os, sys
line = json.loads(sys.stdin.readline())
os.close(0)
for number in (1, 2):
    print(json.dumps({"jsonrpc": "2.0", "id": number, "result": {}}), flush=True)
    sys.stderr.write("answered\\n")
    sys.stderr.flush()
import time
time.sleep(600)
"""
    with Peer(memory_file, python(server)) as peer:
        peer.send(call(1, "x"))
        assert peer.message()["id"] == 1
        assert peer.message()["id"] == 2
        with contextlib.suppress(BrokenPipeError):  # as soon as the relay has noticed
            for _ in range(1000):
                peer.send(call(3, "y"))
        assert peer.process.poll() is None
        peer.process.terminate()
        assert peer.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM


def test_a_server_that_is_stopped_goes_on_where_it_was(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(0, "say")
        # The other child is the guard, a shell.
        (server,) = (one for one in psutil.Process(peer.process.pid).children() if ECHO in one.cmdline())
        server.suspend()
        for number in range(1, 4):
            peer.send(call(number, "say"))
        server.resume()
        assert [peer.message()["id"] for _ in range(3)] == [1, 2, 3]
        assert peer.finish() == 0


# What the server is at when its client vanishes; each must end, and with it the relay.
MOMENTS = {
    "half a line": "os.write(1, b'{half'); os.write(2, b'.'); time.sleep(600)",
    "a flood": "os.write(2, b'.')\nwhile True: os.write(1, b'y' * 65536)",
    "a flood of lines": "os.write(2, b'.')\nwhile True: os.write(1, b'yyy\\n' * 16384)",
    "its output closed": "os.close(1); os.write(2, b'.'); time.sleep(600)",
    "its input closed": "os.close(0); os.write(2, b'.'); time.sleep(600)",
    "stopped": "os.write(2, b'.'); os.kill(os.getpid(), 19); time.sleep(600)",
    "a call": "sys.stdin.readline(); os.write(2, b'.'); time.sleep(600)",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_client_that_vanishes_at_any_moment_leaves_nothing_running(memory_file: Path, moment: str) -> None:
    with Peer(memory_file, python(f"import os, sys, time\n{MOMENTS[moment]}")) as peer:
        peer.send(call(1, "x"))
        assert peer.stderr.read(1) == b"."
        below = psutil.Process(peer.process.pid).children(recursive=True)
        peer.stdin.close()
        peer.stdout.close()
        peer.process.wait(TIMEOUT_S)
        deadline = time.monotonic() + TIMEOUT_S
        while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in below):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert remembered(memory_file, "tool_name, outcome") == [("x", "no_answer")]
