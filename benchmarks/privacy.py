"""What redaction and intents add to a call, end to end and in each function.

    python -m benchmarks.privacy [--calls 150] [--rounds 5] [--server-ms 0] [--bytes 2000] [--megabytes 10]
        [--only PART] [--json]

`redaction`: a call with `--bytes` of arguments and a result as long, of the same kind, passes `learner proxy` on
stdio: with neither (redaction is taken out of the relay's process here; the product has no such switch), with
redaction, and with redaction and intents. `intents`: without them, with `--intent` but without the argument in the
call, and with both. The relays are called in turn, one call each, in rounds; `adds_ms` is the median over the rounds
of the difference between the medians of a round, and `cpu_ms` the processor's time in the relay, a call. `--server-ms`
is what the server takes for a call: what the relay does with a request while the server works delays nothing.
`functions_us` are timed alone, in microseconds of the processor's time, the best of many runs. `long_calls` are sent
to relays of their own, whose peak memory is theirs.
"""

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.payloads import BYTES, payloads
from benchmarks.relay import HELLO, StdioClient
from middleware.hints import appending
from middleware.intent import Intents
from middleware.listing import rewrite
from middleware.memory.identity import INTENT_ARGUMENT, tool_hash
from middleware.memory.redaction import redact, signs_of_secrets
from middleware.parsing import parse, spell

INTENT = {INTENT_ARGUMENT: "Find out when the next high tide in Sines allows a small boat to leave the harbour."}
# Answers each request at once with the result that it is given, without the start of a JSON library.
SERVER = r"""
import os, re, sys, time
result, takes_s = sys.argv[1].encode(), float(sys.argv[2]) / 1000
for line in sys.stdin.buffer:
    found = re.match(rb'\{"jsonrpc": "2.0", "id": (\d+)', line)
    if found is None: continue
    if takes_s: time.sleep(takes_s)
    os.write(1, b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (found[1], result))
"""
RESULT = {"content": [{"type": "text", "text": "lines of a weather report, station by station; " * 42}]}
# A relay that writes everything as it is.
UNREDACTED = """
from middleware import recording
from middleware.memory.redaction import Signs
recording.signs_of_secrets = lambda text, nothing=Signs(names=False, words=False): nothing
from learner.cli import main
main()
"""


class Arm(NamedTuple):
    """One way to make the same call: what the relay is started with, and what is added to the arguments."""

    options: tuple[str, ...]
    added: dict[str, Any]
    redacts: bool = True


# The first of each is what the others are compared with.
REDACTION = {
    "neither": Arm((), {}, redacts=False),
    "redaction": Arm((), {}),
    "redaction and intent": Arm(("--intent",), INTENT),
}
INTENTS = {
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


def redactions() -> dict[str, Callable[[], object]]:
    """Return what of redaction is timed alone; `redact` where something was found."""
    found: dict[str, Callable[[], object]] = {}
    for kind, value in payloads().items():
        text = spell(value)
        found[f"signs: {kind}"] = functools.partial(signs_of_secrets, text)
        signs = signs_of_secrets(text)
        if any(signs):
            found[f"redact: {kind}"] = functools.partial(redact, value, signs=signs)
    return found


def first_redaction() -> float:
    """Return the microseconds that a process takes for its first secret, with all patterns to be compiled."""
    code = (
        "import time; from middleware.memory.redaction import redact_text; started = time.process_time();"
        f"redact_text({payloads()['three secrets']['text']!r}); print(time.process_time() - started)"
    )
    command = [sys.executable, "-I", "-c", code]
    return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(5)) * 1e6


def measure_functions() -> dict[str, float]:
    """Return the microseconds of the processor's time that each takes: the best of many runs."""
    found = {}
    for name, function in {**redactions(), **functions()}.items():
        count = timeit.Timer(function).autorange()[0] // 10 + 1
        found[name] = min(timeit.repeat(function, timer=time.process_time, number=count, repeat=15)) / count * 1e6
    return {**found, "first three secrets": first_redaction()}


def opened(stack: ExitStack, memory: Path, arm: Arm, result: dict[str, Any], server_ms: float = 0) -> StdioClient:
    """Start a relay and return its client, which has begun."""
    learner = ["-m", "learner"] if arm.redacts else ["-c", UNREDACTED]
    relay = [sys.executable, "-I", *learner, "proxy", "--name", "privacy", "--memory", str(memory), *arm.options]
    client = StdioClient([*relay, "--", sys.executable, "-I", "-S", "-c", SERVER, spell(result), str(server_ms)])
    stack.callback(client.close)
    client.request("initialize", HELLO)
    return client


def measure_calls(
    arms: dict[str, Arm],
    given: dict[str, Any],
    result: dict[str, Any],
    calls: int,
    rounds: int,
    server_ms: float,
) -> dict[str, dict[str, float]]:
    """Return for each arm the median time of a call, and what that is more than in the first."""
    medians: dict[str, list[float]] = {name: [] for name in arms}
    used = dict.fromkeys(arms, 0.0)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients = {
            name: opened(stack, Path(folder) / "memory.db", arm, result, server_ms) for name, arm in arms.items()
        }
        params = {name: _call({**arm.added, **given}) for name, arm in arms.items()}
        names = list(arms)
        for turn in range(-1, rounds):  # the first only warms up
            times: dict[str, list[float]] = {name: [] for name in names}
            if turn == 0:
                used = {name: _processor_s(client) for name, client in clients.items()}
            for number in range(calls if turn >= 0 else 50):
                shift = number % len(names)
                for name in names[shift:] + names[:shift]:
                    times[name].append(_timed(clients[name], params[name]))
            if turn >= 0:
                for name in names:
                    medians[name].append(statistics.median(times[name]))
        used = {name: _processor_s(client) - used[name] for name, client in clients.items()}
    base = medians[names[0]]
    return {
        name: {
            "median_ms": statistics.median(of_arm),
            "adds_ms": statistics.median(one - other for one, other in zip(of_arm, base, strict=True)),
            "cpu_ms": used[name] / (calls * rounds) * 1000,
        }
        for name, of_arm in medians.items()
    }


def measure_long(megabytes: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return for each arm the median time of a long call, and the most memory that its relay has held."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arm in INTENTS.items():
            for spelling, character in (("ASCII", "x"), ("escapes", "\n")):
                with ExitStack() as stack:
                    client = opened(stack, Path(folder) / "memory.db", arm, RESULT)
                    params = _call({**arm.added, "text": f"ten bytes{character}" * (megabytes * 100_000)})
                    times = [_timed(client, params) for _ in range(rounds)]
                    status = Path(f"/proc/{client.process.pid}/status")
                    lines = status.read_text().splitlines() if status.exists() else []
                    peak = next((int(one.split()[1]) / 1000 for one in lines if one.startswith("VmHWM")), 0.0)
                found[f"{name}, {spelling}"] = {"median_ms": statistics.median(times), "peak_mb": peak}
    return found


def _call(given: dict[str, Any]) -> dict[str, Any]:
    return {"name": "tide", "arguments": given}


def _processor_s(client: StdioClient) -> float:
    used = psutil.Process(client.process.pid).cpu_times()
    return used.user + used.system


def _timed(client: StdioClient, params: dict[str, Any]) -> float:
    started = time.perf_counter()
    answer = client.request("tools/call", params)
    elapsed = (time.perf_counter() - started) * 1000
    if "result" not in answer:
        raise ValueError(f"no result: {str(answer)[:200]}")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description="What redaction and intents add to a call.")
    parser.add_argument("--calls", type=int, default=150, help="In each round.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--server-ms", type=float, default=0, help="What the server takes for a call.")
    parser.add_argument("--bytes", type=int, default=BYTES, help="Of arguments and of a result, for `redaction`.")
    parser.add_argument("--megabytes", type=int, default=10, help="Of a long call; 0: none is made.")
    parser.add_argument("--only", choices=("redaction", "intents", "long_calls", "functions_us"))
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    how = (options.calls, options.rounds, options.server_ms)
    parts: dict[str, Callable[[], Any]] = {
        "redaction": lambda: {
            f"{kind}, {name}": row
            for kind, value in payloads(size=options.bytes).items()
            for name, row in measure_calls(REDACTION, value, {"structuredContent": value}, *how).items()
        },
        "intents": lambda: measure_calls(INTENTS, arguments(), RESULT, *how),
        "long_calls": lambda: measure_long(options.megabytes, options.rounds) if options.megabytes else {},
        "functions_us": measure_functions,
    }
    found = {name: measure() for name, measure in parts.items() if options.only in (None, name)}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for title, rows in found.items():
        print(title)
        for name, row in rows.items():
            shown = {"us": row} if isinstance(row, float) else row
            print(f"{name:>36}" + "".join(f"{key:>12} {value:9.3f}" for key, value in shown.items()))


if __name__ == "__main__":
    main()
