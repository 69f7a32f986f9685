"""What intents add to a call, end to end and in each function.

    python -m benchmarks.privacy [--calls 500] [--rounds 5] [--megabytes 10] [--json]

A call with 2 KB of arguments and a result of 2 KB passes `learner proxy` on stdio: without intents, with `--intent` but
without the argument in the call, and with both. The relays are called in turn, one call each, in rounds; `adds_ms` is
the median over the rounds of the difference between the medians of a round. The functions are timed alone, in
microseconds, on the same call and on a listing of 20 tools. Long calls are sent to relays of their own, whose peak
memory is theirs.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.relay import HELLO, StdioClient
from middleware.hints import appending
from middleware.intent import Intents
from middleware.listing import rewrite
from middleware.memory.identity import INTENT_ARGUMENT, tool_hash
from middleware.parsing import parse

INTENT = {INTENT_ARGUMENT: "Find out when the next high tide in Sines allows a small boat to leave the harbour."}
# Answers each request at once with 2 KB, without the start of a JSON library.
SERVER = r"""
import os, re, sys
text = b"lines of a weather report, station by station; " * 42
for line in sys.stdin.buffer:
    found = re.match(rb'\{"jsonrpc": "2.0", "id": (\d+)', line)
    if found is None: continue
    result = b'{"content":[{"type":"text","text":"%s"}]}' % text
    os.write(1, b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (found[1], result))
"""


class Arm(NamedTuple):
    """One way to make the same call: what the relay is started with, and what is added to the arguments."""

    options: tuple[str, ...]
    added: dict[str, Any]


# The first is what the others are compared with.
ARMS = {
    "without": Arm((), {}),
    "intent, none said": Arm(("--intent",), {}),
    "intent, said": Arm(("--intent",), INTENT),
}


def arguments() -> dict[str, Any]:
    """Return 2 KB of arguments as tools have them: texts, numbers, a list of objects."""
    rows = [
        {"station": f"PT-{number:04}", "kind": "tide", "from": "2026-11-23T06:00:00Z", "level": number / 8}
        for number in range(20)
    ]
    return {"query": "high water at Sines, and the swell off the breakwater", "limit": 20, "rows": rows, "unit": "m"}


def functions() -> dict[str, Callable[[], object]]:
    """Return what is timed alone."""
    intents = Intents()
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "tide", "arguments": arguments()}}
    without = json.dumps(call).encode()
    call["params"] = {"name": "tide", "arguments": {**arguments(), **INTENT}}
    with_it = json.dumps(call).encode()
    tools = [
        {
            "name": f"tool_{number}",
            "description": "Find what a station has measured, and what is forecast for it. " * 4,
            "inputSchema": {
                "type": "object",
                "properties": {
                    name: {"type": "string", "description": "As the harbour office writes it."}
                    for name in ("station", "kind", "from", "to", "unit")
                },
                "required": ["station"],
                "additionalProperties": False,
            },
        }
        for number in range(20)
    ]
    listing = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}).encode()
    hints = appending({(tool_hash(tool), str(tool["name"])): "a hint" for tool in tools})
    return {
        "parse a call (as ever)": lambda: parse(without),
        "strip, none said": lambda: intents.strip(without),
        "strip, said": lambda: intents.strip(with_it),
        "take, said": lambda: intents.take({"name": "tide", "arguments": {**INTENT}}),
        "listing: intents": lambda: rewrite(listing, [0], [intents.declare]),
        "listing: hints": lambda: rewrite(listing, [0], [hints]),
        "listing: both": lambda: rewrite(listing, [0], [hints, intents.declare]),
    }


def measure_functions() -> dict[str, float]:
    """Return the microseconds that each takes: the best of five runs."""
    found = {}
    for name, function in functions().items():
        count, seconds = timeit.Timer(function).autorange()
        found[name] = min([seconds, *timeit.repeat(function, number=count, repeat=4)]) / count * 1e6
    return found


def opened(stack: ExitStack, memory: Path, options: tuple[str, ...]) -> StdioClient:
    """Start a relay and return its client, which has begun."""
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "privacy", "--memory", str(memory), *options]
    client = StdioClient([*relay, "--", sys.executable, "-I", "-S", "-c", SERVER])
    stack.callback(client.close)
    client.request("initialize", HELLO)
    return client


def measure_calls(calls: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return for each arm the median time of a call, and what that is more than without."""
    medians: dict[str, list[float]] = {name: [] for name in ARMS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients = {name: opened(stack, Path(folder) / "memory.db", arm.options) for name, arm in ARMS.items()}
        params = {name: _call({**arm.added, **arguments()}) for name, arm in ARMS.items()}
        names = list(ARMS)
        for turn in range(-1, rounds):  # the first only warms up
            times: dict[str, list[float]] = {name: [] for name in names}
            for number in range(calls if turn >= 0 else 50):
                shift = number % len(names)
                for name in names[shift:] + names[:shift]:
                    times[name].append(_timed(clients[name], params[name]))
            if turn >= 0:
                for name in names:
                    medians[name].append(statistics.median(times[name]))
    base = medians[names[0]]
    return {
        name: {
            "median_ms": statistics.median(of_arm),
            "adds_ms": statistics.median(one - other for one, other in zip(of_arm, base, strict=True)),
        }
        for name, of_arm in medians.items()
    }


def measure_long(megabytes: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return for each arm the median time of a long call, and the most memory that its relay has held."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arm in ARMS.items():
            for spelling, character in (("ASCII", "x"), ("escapes", "\n")):
                with ExitStack() as stack:
                    client = opened(stack, Path(folder) / "memory.db", arm.options)
                    params = _call({**arm.added, "text": f"ten bytes{character}" * (megabytes * 100_000)})
                    times = [_timed(client, params) for _ in range(rounds)]
                    status = Path(f"/proc/{client.process.pid}/status")
                    lines = status.read_text().splitlines() if status.exists() else []
                    peak = next((int(one.split()[1]) / 1000 for one in lines if one.startswith("VmHWM")), 0.0)
                found[f"{name}, {spelling}"] = {"median_ms": statistics.median(times), "peak_mb": peak}
    return found


def _call(given: dict[str, Any]) -> dict[str, Any]:
    return {"name": "tide", "arguments": given}


def _timed(client: StdioClient, params: dict[str, Any]) -> float:
    started = time.perf_counter()
    answer = client.request("tools/call", params)
    elapsed = (time.perf_counter() - started) * 1000
    if "result" not in answer:
        raise ValueError(f"no result: {str(answer)[:200]}")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description="What intents add to a call.")
    parser.add_argument("--calls", type=int, default=500, help="In each round.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=10, help="Of a long call; 0: none is made.")
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    found: dict[str, Any] = {
        "calls": measure_calls(options.calls, options.rounds),
        "long_calls": measure_long(options.megabytes, options.rounds) if options.megabytes else {},
        "functions_us": measure_functions(),
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for title in ("calls", "long_calls"):
        for name, row in found[title].items():
            print(f"{name:>28}" + "".join(f"{key:>12} {value:9.3f}" for key, value in row.items()))
        print()
    for name, microseconds in found["functions_us"].items():
        print(f"{name:>28}{microseconds:12.1f} us")


if __name__ == "__main__":
    main()
