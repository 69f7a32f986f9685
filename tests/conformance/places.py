"""Where a client can stand: before the fixture itself, or before the relay in one of its arrangements.

A place is named by what is in front of the relay and what behind it: "http-url" is a relay that serves HTTP and reaches
the fixture by its URL; "http-stdio-url" is two, one behind the other. "stdio" and "http" are the fixture without us.
"""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
START_S = 60.0
STOP_S = 10.0
FIXTURE = [sys.executable, "-m", "tests.conformance.fixture"]
STDIO_PLACES = ("stdio-stdio", "stdio-url")
HTTP_PLACES = ("http-url", "http-stdio", "http-stdio-url")
URL = r"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+/\w+"

# A URL, or the command that a client starts.
Target = str | list[str]


class StartError(Exception):
    """A process did not say where it serves; the message has its command and its last words."""


def relay(memory: Path, *options: str) -> list[str]:
    """Return the command of a relay that remembers in `memory`."""
    return [sys.executable, "-I", "-m", "learner", "proxy", "--name", "fixture", "--memory", str(memory), *options]


@contextmanager
def started(command: Sequence[str], pattern: str = URL, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `command` for as long as the block takes, and yield the first thing it prints that matches `pattern`.

    Raises:
        StartError: it ended, or said no such thing in `START_S` seconds.
    """
    env = {**os.environ, **(environment or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=env, text=True)
    assert process.stdout is not None
    # A thread reads on to the end: a full pipe would stop the process.
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        yield _first(pattern, lines, command)
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
def standing(place: str, memory: Path) -> Iterator[Target]:
    """Start what has to run for a client to stand at `place`, and yield what the client is given.

    Raises:
        StartError: a part of it did not start.
    """
    with ExitStack() as stack:

        def url() -> str:
            return stack.enter_context(started([*FIXTURE, "--port", "0"]))

        def served(*behind: str) -> str:
            return stack.enter_context(started(relay(memory, "--http", "127.0.0.1:0", *behind)))

        stdio = [*FIXTURE, "--stdio"]
        match place:
            case "stdio":
                yield stdio
            case "http":
                yield url()
            case "stdio-stdio":
                yield relay(memory, "--", *stdio)
            case "stdio-url":
                yield relay(memory, "--url", url())
            case "http-url":
                yield served("--url", url())
            case "http-stdio":
                yield served("--", *stdio)
            case "http-stdio-url":
                yield served("--", *relay(memory, "--url", url()))
            case _:
                raise ValueError(f"no place {place!r}")


@contextmanager
def before(url: str, place: str, memory: Path) -> Iterator[Target]:
    """Stand at a place whose server is not the fixture but has this URL: "http", "stdio-url" or "http-url"."""
    match place:
        case "http":
            yield url
        case "stdio-url":
            yield relay(memory, "--url", url)
        case "http-url":
            with started(relay(memory, "--http", "127.0.0.1:0", "--url", url)) as served:
                yield served
        case _:
            raise ValueError(f"no place {place!r} before a URL")


def _read(stream: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _first(pattern: str, lines: "queue.SimpleQueue[str | None]", command: Sequence[str]) -> str:
    said: list[str] = []
    while True:
        try:
            line = lines.get(timeout=START_S)
        except queue.Empty:
            line = None
        if line is None:
            words = "".join(said)[-2000:].strip() or "nothing"
            raise StartError(f"{' '.join(command)} did not say where it serves. It said: {words}")
        if match := re.search(pattern, line):
            return match[0]
        said.append(line)
