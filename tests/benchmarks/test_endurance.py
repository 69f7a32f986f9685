"""The benchmarks of kills and of long life, made small."""

import gc
import json
import os

import pytest

from benchmarks import faults, kill, soak
from benchmarks.ways import WAYS
from middleware.recording import Recording
from middleware.relay import Relay
from middleware.settings import Settings
from tests.middleware.peer import call
from tests.middleware.taken import result


@pytest.mark.parametrize("way", WAYS)
def test_relays_that_are_killed_lose_nothing_that_their_clients_saw(way: str) -> None:
    report = kill.measure(kills=8, relays=3, seed=1, way=way)
    assert report.kills == 8
    assert report.answers > 0
    assert report.is_sound, report


@pytest.mark.parametrize(
    ("way", "load", "calls"),
    [
        ("stdio", "calls", 3000),
        ("stdio-url", "calls", 500),
        ("http-url", "calls", 500),
        ("http-url", "sessions", 100),
        ("http-url", "clients", 100),
        ("http-stdio", "calls", 500),
        ("http-stdio", "sessions", 50),
        ("http-stdio", "clients", 100),
    ],
)
def test_a_relay_that_lives_long_does_not_grow(way: str, load: str, calls: int) -> None:
    samples, rows = soak.measure(calls, way, load)
    assert rows == calls
    # One descriptor more is the spool's, where a busy machine once made a call wait too long; by HTTP a connection may
    # be new while another is let go, and a process that is just being ended has three.
    assert samples[-1].descriptors <= samples[0].descriptors + (1 if way == "stdio" else 4)
    # What looks up the host's name is a pool of threads.
    assert samples[-1].threads <= samples[0].threads + (0 if way == "stdio" else 1)
    assert samples[-1].rss_mb < (40 if way == "stdio" else 90)


@pytest.mark.parametrize("fault", faults.FAULTS)
def test_over_http_no_call_fails_or_is_lost_while_the_memory_cannot_be_used(fault: str) -> None:
    if fault in ("full", "read-only") and os.geteuid():
        pytest.skip("mounting a small file system needs to be root")
    report = faults.measure(fault, "http-url", seconds=0.5, calls_before=50)
    assert report.calls > 0
    assert report.is_sound, report
    assert report.warnings <= 1


def test_answered_cancelled_and_overdue_requests_leave_no_object_behind() -> None:
    now = 0.0
    recording = Recording(lambda records, *, awaited: 1, server_uid="s", name="n", command=["c"], transport="stdio")
    relay = Relay(recording, dict, settings=Settings(timeout_s=60), clock=lambda: now)

    def session(start: int) -> int:
        nonlocal now
        for number in range(start, start + 300, 3):
            for identifier in range(number, number + 3):
                relay.client_message(json.dumps(call(identifier, "t", {"text": "x"})).encode())
            relay.server_message(json.dumps(result(number)).encode())
            cancelled = {"method": "notifications/cancelled", "params": {"requestId": number + 1}}
            relay.client_message(json.dumps(cancelled).encode())
            now += 61
            relay.settle()
            relay.overdue()
            relay.server_message(json.dumps(result(number + 2)).encode())
        gc.collect()
        return len(gc.get_objects())

    session(0)
    assert session(1000) == pytest.approx(session(2000), abs=20)
    assert relay.end("it died") == []
