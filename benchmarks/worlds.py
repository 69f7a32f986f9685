"""What a simulated server takes to start and how many calls a second it answers, beside a bare SDK server.

    python -m benchmarks.worlds [NAME ...] [--rounds 7] [--calls 500] [--json]

NAME is a simulated server, `weather` by default. `bare` is `benchmarks.sdk_echo`, one tool that says it again, made
with the SDK as most servers are; `NAME/sdk` is the first NAME on the SDK's own stdio transport. All are started in
turn, round by round, and called in turn, so that whatever else the machine does hits all. A start is the time from the
process's start to its first `tools/list` answer, handshake included. Calls are made one after the other, and `--calls`
at once. `the world` is what the world itself takes of a call's time (when made at once), measured here without any
server; the rest is the SDK's, the transport's and the benchmark's own.
"""

import argparse
import functools
import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any

from benchmarks.relay import HELLO, StdioClient
from servers import registry

SEED = 7
OFTEN = 1000  # more than any quota
BARE = "bare"
ON_SDK = "/sdk"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["weather"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names = [BARE, f"{options.names[0]}{ON_SDK}", *options.names]
    starts = started(names, options.rounds)
    calls = called(names, options.rounds, options.calls)
    rows = [
        {
            "server": name,
            "start_s": round(statistics.median(starts[name]), 3),
            "over_bare_s": round(statistics.median(map(float.__sub__, starts[name], starts[BARE])), 3),
            "one_by_one_per_s": round(statistics.median(calls[name, False])),
            "at_once_per_s": round(statistics.median(calls[name, True])),
            "world_share": None
            if name not in options.names
            else round(_own_s(name) * statistics.median(calls[name, True]), 2),
        }
        for name in names
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'server':<16}{'start s':>10}{'over bare s':>13}{'calls/s in turn':>17}{'at once':>10}{'the world':>15}")
    for row in rows:
        server, start, over, alone, at_once, share = row.values()
        own = "" if share is None else f"{share:.0%}"
        print(f"{server:<16}{start:>10.3f}{over:>13.3f}{alone:>17}{at_once:>10}{own:>15}")


def started(names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Return, by server, the seconds from its start to its first list of tools, a round each."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in _turned(names, turn):
            begun = time.perf_counter()
            with closing(_client(name)):
                taken[name].append(time.perf_counter() - begun)
    return taken


def called(names: Sequence[str], rounds: int, calls: int) -> dict[tuple[str, bool], list[float]]:
    """Return calls a second, by server and whether they were made at once, a round each."""
    rates: dict[tuple[str, bool], list[float]] = {key: [] for key in itertools.product(names, (False, True))}
    with ExitStack() as stack:
        clients = {name: stack.enter_context(closing(_client(name))) for name in names}
        for turn in range(-1, rounds):
            for name in _turned(names, turn):
                client, params = clients[name], _call(name)
                begun = time.perf_counter()
                for _ in range(calls):
                    assert not client.request("tools/call", params)["result"].get("isError")
                one_by_one = time.perf_counter() - begun
                begun = time.perf_counter()
                client.parallel(calls, params)
                at_once = time.perf_counter() - begun
                if turn >= 0:  # the first round warms up
                    rates[name, False].append(calls / one_by_one)
                    rates[name, True].append(calls / at_once)
    return rates


def _client(name: str) -> StdioClient:
    if name == BARE:
        command = ["benchmarks.sdk_echo", "stdio"]
    elif name.endswith(ON_SDK):
        command = ["benchmarks.sdk_stdio", name.removesuffix(ON_SDK), str(SEED)]
    else:
        command = ["learner", "serve", name, "--seed", str(SEED)]
    client = StdioClient([sys.executable, "-m", *command])
    client.request("initialize", HELLO)
    client.notify("notifications/initialized")
    assert client.request("tools/list", {})["result"]["tools"]
    return client


@functools.cache
def _call(name: str) -> dict[str, Any]:
    """Return a call that only reads and has no quota, so that it can be made again and again."""
    if name == BARE:
        return {"name": "echo", "arguments": {"text": "hello"}}
    domain = registry.load(name.removesuffix(ON_SDK))
    for task in domain.tasks(SEED, "test"):
        world = domain.world(SEED)
        before = world.digest()
        for tool, arguments in task.calls[:1]:
            often = (world.call(tool, arguments).is_error for _ in range(OFTEN))
            if not any(often) and world.digest() == before:
                return {"name": tool, "arguments": dict(arguments)}
    raise LookupError(f"no task of {name} begins with a call that only reads and has no quota")


def _own_s(name: str) -> float:
    """Return the seconds that one call takes in a world without any server around it."""
    world, call = registry.load(name).world(SEED), _call(name)
    taken = []
    for _ in range(500):
        begun = time.perf_counter()
        world.call(call["name"], call["arguments"])
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _turned(names: Sequence[str], turn: int) -> list[str]:
    shift = turn % len(names)
    return [*names[shift:], *names[:shift]]


if __name__ == "__main__":
    main()
