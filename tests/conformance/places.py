"""Where a client can stand: before the fixture itself, or before the relay in one of its arrangements.

A place is named by what is in front of the relay and what behind it: "http-url" is a relay that serves HTTP and reaches
the fixture by its URL. "direct" is the fixture without us.
"""

import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
START_S = 60.0
STOP_S = 10.0
FIXTURE = [sys.executable, "-m", "tests.conformance.fixture"]
# What the relay is put in front of; "http-stdio-url" has two relays, one behind the other.
HTTP_PLACES = ("http-url", "http-stdio", "http-stdio-url")


class StartError(Exception):
    """A process did not say where it serves; the message has its command and its last words."""


def relay(memory: Path, *options: str) -> list[str]:
    """Return the command of a relay that remembers in `memory`."""
    return [sys.executable, "-I", "-m", "learner", "proxy", "--name", "fixture", "--memory", str(memory), *options]


@contextmanager
def started(command: Sequence[str]) -> Iterator[str]:
    """Run `command` for as long as the block takes, and yield the first URL that it prints.

    Raises:
        StartError: it ended, or said no URL in `START_S` seconds.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, text=True)
    assert process.stdout is not None
    # A thread reads on to the end: a full pipe would stop the process.
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        yield _first_url(lines, command)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
        reader.join(STOP_S)
        process.stdout.close()


@contextmanager
def http(place: str, memory: Path) -> Iterator[str]:
    """Start what stands at an HTTP place, and yield the URL to ask.

    Raises:
        StartError: a part of it did not start.
    """
    with ExitStack() as stack:
        if place == "http-stdio":
            behind = ["--", *FIXTURE, "--stdio"]
        else:
            url = stack.enter_context(started([*FIXTURE, "--port", "0"]))
            if place == "direct":
                yield url
                return
            behind = ["--url", url]
            if place == "http-stdio-url":
                behind = ["--", *relay(memory, *behind)]
        yield stack.enter_context(started(relay(memory, "--http", "127.0.0.1:0", *behind)))


def _read(stream: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _first_url(lines: "queue.SimpleQueue[str | None]", command: Sequence[str]) -> str:
    said: list[str] = []
    while True:
        try:
            line = lines.get(timeout=START_S)
        except queue.Empty:
            line = None
        if line is None:
            raise StartError(
                f"{' '.join(command)} printed no URL. It said: {''.join(said)[-2000:].strip() or 'nothing'}"
            )
        if match := re.search(r"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+\S*", line):
            return match[0].rstrip(".,;")
        said.append(line)
