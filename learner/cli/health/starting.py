"""Starts what a client's file names, as the client would, and asks it one thing."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from middleware.clients.entry import LAUNCH, Entry
from middleware.memory.redaction import redact_text

_ANSWER_S = 60.0  # a server may be downloaded first (npx, uvx)
_END_S = 10.0
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "learner doctor", "version": "1"},
    },
}


def problem_of_starting(entry: Entry, environment: Mapping[str, str], *, seconds: float = _ANSWER_S) -> str:
    """Start the entry's server behind its relay and say `initialize`; return why it did not answer, "" where it did.

    What the relay records meanwhile goes to a memory of its own, which is thrown away.
    """
    if entry.relay is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="practicum-doctor-") as folder, tempfile.TemporaryFile() as errors:
        words = _words(entry, Path(folder) / "memory.db")
        try:
            process = subprocess.Popen(  # noqa: S603 - what a client's file names, which the client starts itself
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                cwd=entry.cwd,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"it cannot be started: {error}"
        try:
            problem = _asked(process, seconds)
        finally:
            _end(process)
        if problem:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            problem += f"; it said: {said[-1]}" if said else ""
            problem = redact_text(problem)  # servers say what they could not sign in with
        return problem


def _words(entry: Entry, memory: Path) -> list[str]:
    """Return the command line that the client would start, with a memory of our own."""
    relay = entry.relay
    if relay is None:
        return list(entry.command)
    launch = ["proxy"] if Path(relay.program).name == "learner" else list(LAUNCH)
    options = [(name, value) for name, value in relay.options if name != "--memory"]
    spelled = [name if value is None else f"{name}={value}" for name, value in [*options, ("--memory", str(memory))]]
    return [relay.program, *launch, *spelled, *(["--", *entry.command] if entry.command else [])]


def _asked(process: subprocess.Popen[bytes], seconds: float) -> str:
    if process.stdin is None or process.stdout is None:
        return ""
    try:
        process.stdin.write(json.dumps(_INITIALIZE).encode() + b"\n")
        process.stdin.flush()
    except OSError:
        return "it ended before it was asked anything"
    return _answer(process.stdout, time.monotonic() + seconds)


def _answer(stdout: IO[bytes], until: float) -> str:
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                break
            piece = os.read(stdout.fileno(), 65536)
            if not piece:
                return "it ended without an answer"
            data += piece
            *lines, data = data.split(b"\n")
            for line in lines:
                with suppress(ValueError, RecursionError):
                    message = json.loads(line)
                    if isinstance(message, dict) and message.get("id") == 1:
                        return _error_in(message)
    return "it did not answer in time"


def _error_in(message: Mapping[str, object]) -> str:
    error = message.get("error")
    return f"it refused to begin: {json.dumps(error)[:300]}" if error is not None else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, as clients do; what has not ended in time is killed with all it started."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
