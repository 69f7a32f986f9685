"""Does practice help, on which simulated servers, and is it gone with another seed's memory?

    python -m benchmarks.demo --servers weather --seeds 0 1 2 3 4 5 6 7 8 9
    python -m benchmarks.demo --seeds 0 1

For each server and seed the whole demo, through real processes: test tasks before, practice through the relay, distil,
the same test tasks after. The control shows each seed's artefact to the same model on the next seed's test tasks, where
every convention was drawn anew, and compares with no artefact there. Over all servers of a seed the same figures, of
all their tasks together.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.registry import load_model
from learner.cli.demo import MODEL, run_demo
from learner.cli.simulated import cases_of, solved_in, specs_of
from learner.distill.demonstrations import DemonstrationArtefact, load
from learner.evaluation import Prediction, evaluate
from learner.figures import against
from servers import registry


def measured(server: str, seed: int, artefact: DemonstrationArtefact | None) -> list[Prediction]:
    domain = registry.load(server)
    tasks = domain.tasks(seed, "test")
    return evaluate(
        cases_of(tasks),
        specs_of(domain),
        load_model(MODEL),
        demonstrations=artefact.nearest if artefact else None,
        solved=solved_in(domain, seed, tasks),
    )


def row(label: str, before: float, after: float, change: Mapping[str, Any], rest: str) -> bool:
    interval = "[none]" if change["interval"] is None else "[{:+.2f}, {:+.2f}]".format(*change["interval"])
    verdict = "improved" if change["improved"] else "not improved"
    print(
        f"{label:<34} {before:6.2f} {after:6.2f} {change['difference']:+7.2f}  {interval:<16} "
        f"p {change['p_value']:.2e}  {verdict:<13} {rest}",
        flush=True,
    )
    return bool(change["improved"])


def rate(predictions: Sequence[Prediction]) -> float:
    return sum(one.score.correct for one in predictions) / len(predictions)


def compared(label: str, sides: Sequence[list[Prediction]], rest: str) -> bool:
    before, after = sides
    return row(label, rate(before), rate(after), against(after, before), rest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", nargs="+", default=registry.worlds())
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    arguments = parser.parse_args()
    servers: list[str] = arguments.servers
    seeds: list[int] = arguments.seeds
    if len(set(seeds)) < max(2, len(seeds)):
        parser.error("give two seeds or more, each once: one's memory is the other's control")
    print(f"{'':34} {'before':>6} {'after':>6} {'change':>7}")
    improved = {"practice": 0, "hints alone": 0, "control": 0}
    artefacts: dict[tuple[str, int], DemonstrationArtefact] = {}
    for server in servers:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                report = run_demo(server, seed, Path(folder) / "memory.db", track=lambda _text, _total: lambda: None)
                taken = time.perf_counter() - started
                artefacts[server, seed] = load(Path(report["path"]))
            practice, before = report["practice"], report["before"]["correct"]
            counts = (
                f"{report['before']['cases']} tasks; practice: {practice['accepted']}/{practice['trials']} accepted, "
                f"{practice['accepted_but_wrong']} of them wrong, {practice['calls']} calls, {taken:.0f} s"
            )
            label = f"{server}, seed {seed}"
            improved["practice"] += row(label, before, report["after"]["correct"], report["difference"], counts)
            hints, change = report["hints"]["correct"], report["difference_hints"]
            improved["hints alone"] += row("  by hints alone", before, hints, change, "")
    controls: dict[int, tuple[list[Prediction], list[Prediction]]] = {}
    wholes: dict[int, tuple[list[Prediction], list[Prediction]]] = {}
    for server in servers:
        for seed, other in zip(seeds, [*seeds[-1:], *seeds[:-1]], strict=True):
            without = measured(server, seed, None)
            foreign = measured(server, seed, artefacts[server, other])
            improved["control"] += compared(f"control: {server}, seed {seed}", (without, foreign), f"memory of {other}")
            for sides, after in ((controls, foreign), (wholes, measured(server, seed, artefacts[server, seed]))):
                all_before, all_after = sides.setdefault(seed, ([], []))
                all_before += without
                all_after += after
    for seed in seeds:
        compared(f"all servers, seed {seed}", wholes[seed], f"{len(wholes[seed][0])} tasks")
        compared(f"control: all servers, seed {seed}", controls[seed], "")
    for kind, count in improved.items():
        print(f"{kind}: improved in {count} of {len(servers) * len(seeds)}")


if __name__ == "__main__":
    main()
