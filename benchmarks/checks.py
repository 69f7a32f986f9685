"""Whether the simulated servers' checks tell right calls from wrong ones: gold calls, mutations of them, and callers
who do not read.

    python -m benchmarks.checks [NAME ...] [--seeds 100 101 102] [--each 3] [--json]

NAME is a simulated server, or a pair of them; all by default. For each task of both splits, its gold calls are checked,
and then `--each` (or fewer) of every kind of mutation of them: an argument dropped, an argument with another value that
some task gives it, another task's call instead of one, one more call that changes something, and, of a task whose calls
must be in order, two neighbours swapped. The columns give the percentage that the check refused; of the gold calls, the
percentage that it accepted. `nothing` is the percentage of test tasks solved by whoever never calls, `defaults` of
whoever calls every tool with its defaults, in whichever of four ways solves most.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from servers import registry
from servers.domain import Domain
from servers.tasks import Call, Split, Task, play, solved

SPLITS: tuple[Split, ...] = ("practice", "test")
KINDS = ("dropped argument", "wrong value", "wrong tool", "surplus call", "swapped order")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[*registry.worlds(), *registry.pairs()])
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102])
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width = max(map(len, KINDS)) + 2
    if not options.json:
        heads = ("gold", *KINDS, "nothing", "defaults")
        print(f"{'server':<20}{'tasks':>6}" + "".join(f"{head:>{width}}" for head in heads))
    right, tried = Counter[str](), Counter[str]()
    rows = []
    for name in options.names:
        own_right, own_tried = Counter[str](), Counter[str]()
        for seed in options.seeds:
            for kind, ok in checked(name, seed, options.each):
                own_tried[kind] += 1
                own_right[kind] += ok
        rows.append(_row(name, own_right, own_tried))
        right += own_right
        tried += own_tried
        if not options.json:
            _print(rows[-1], width)
    rows.append(_row("all", right, tried))
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows[-1], width)
        print(f"{sum(tried[kind] for kind in KINDS)} mutations; seeds {' '.join(map(str, options.seeds))}")


def checked(name: str, seed: int, each: int) -> Iterator[tuple[str, bool]]:
    """Yield what was checked, and whether the check said what it should; of callers who do not read, what it said."""
    domain = registry.load(name)
    tasks = {split: tasks_in(name, seed, split) for split in SPLITS}
    both = [*tasks["practice"], *tasks["test"]]
    surplus = changing(name, seed)
    rng = random.Random(f"mutations {name} {seed}")
    for task in both:
        yield "gold", solved(domain, seed, task, task.calls)
        for kind, calls in mutants(task, both, surplus, rng, each):
            refused = not solved(domain, seed, task, calls)
            if not refused:
                print(f"\naccepted {kind}: {task} {calls}", file=sys.stderr)
            yield kind, refused
    defaults = [calls_by_default(domain, which) for which in ("required", "properties")]
    ways = [order for calls in defaults for order in (calls, calls[::-1])]
    best = max(ways, key=lambda calls: sum(solved(domain, seed, task, calls) for task in tasks["test"]))
    for task in tasks["test"]:
        yield "nothing", solved(domain, seed, task, [])
        yield "defaults", solved(domain, seed, task, best)


def tasks_in(name: str, seed: int, split: Split) -> list[Task]:
    """Return the tasks of a server; of a pair only those that its parts do not have."""
    return registry.errands(name, seed, split) if name in registry.pairs() else registry.load(name).tasks(seed, split)


def changing(name: str, seed: int) -> list[Call]:
    """Return calls that change a fresh world of the server, or of the servers of a pair."""
    single = [part for part in name.split("+") if part in registry.worlds()]
    return [
        task.calls[0]
        for part in single
        for split in SPLITS
        for task in tasks_in(part, seed, split)
        if len(task.calls) == 1 and play(registry.load(part).world(seed), task.calls).changed[0]
    ]


def mutants(
    task: Task, others: Sequence[Task], surplus: Sequence[Call], rng: random.Random, each: int
) -> Iterator[tuple[str, list[Call]]]:
    """Yield kinds of mutation and mutated gold calls, `each` of a kind at most; `others` are where values come from."""
    calls = list(task.calls)
    more = [call for call in surplus if call not in calls]
    yield from (("surplus call", [*calls, call]) for call in rng.sample(more, min(each, len(more))))
    foreign = [call for other in others for call in other.calls]
    dropped, wrong, tool = [], [], []
    for number, gold in enumerate(calls):

        def instead(call: Call, number: int = number) -> list[Call]:
            return [*calls[:number], call, *calls[number + 1 :]]

        for name, value in gold.arguments.items():
            dropped.append(instead(Call(gold.name, {k: v for k, v in gold.arguments.items() if k != name})))
            values = [call.arguments[name] for call in foreign if call.arguments.get(name, value) != value]
            if values:
                wrong.append(instead(Call(gold.name, {**gold.arguments, name: rng.choice(values)})))
        named_otherwise = [call for call in foreign if call.name != gold.name]
        tool += [instead(call) for call in rng.sample(named_otherwise, min(each, len(named_otherwise)))]
    swapped = [
        [*calls[:first], calls[first + 1], calls[first], *calls[first + 2 :]]
        for first in range(len(calls) - 1 if task.ordered else 0)
    ]
    kinds = {"dropped argument": dropped, "wrong value": wrong, "wrong tool": tool, "swapped order": swapped}
    for kind, made in kinds.items():
        yield from ((kind, mutated) for mutated in rng.sample(made, min(each, len(made))))


def calls_by_default(domain: Domain, which: str) -> list[Call]:
    """Return a call of every tool, with its "required" arguments or all its "properties" as nobody chose them."""
    return [
        Call(tool["name"], {name: _default(schema["properties"][name]) for name in schema[which]})
        for tool in domain.tools()
        for schema in [tool["inputSchema"]]
    ]


def _default(schema: dict[str, Any]) -> Any:
    kinds = {"string": "", "integer": 1, "number": 1.0, "boolean": True, "array": []}
    return schema.get("default", schema.get("enum", [kinds[schema["type"]]])[0])


def _row(name: str, right: Counter[str], tried: Counter[str]) -> dict[str, Any]:
    shares = {
        kind: round(100 * right[kind] / tried[kind], 2) if tried[kind] else None
        for kind in ("gold", *KINDS, "nothing", "defaults")
    }
    return {"server": name, "tasks": tried["gold"], **shares}


def _print(row: dict[str, Any], width: int) -> None:
    name, tasks, *shares = row.values()
    said = ["" if share is None else f"{share:.2f}" for share in shares]
    print(f"{name:<20}{tasks:>6}" + "".join(f"{share:>{width}}" for share in said), flush=True)


if __name__ == "__main__":
    main()
