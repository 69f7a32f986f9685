"""Does practice help, on which seeds, and is it gone with another seed's memory?

    python -m benchmarks.demo --seeds 0 1 2 3 4 5 6 7 8 9

For each seed the whole demo, through real processes: test tasks before, practice through the relay, distil, the same
test tasks after. The control shows each seed's artefact to the same model on the next seed's test tasks, where every
convention was drawn anew, and compares with no artefact there.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from adapters.registry import load_model
from learner.cli.demo import MODEL, SERVER, run_demo
from learner.cli.simulated import cases_of, solved_in, specs_of
from learner.distill.demonstrations import DemonstrationArtefact, load
from learner.evaluation import Prediction, against, evaluate
from servers import registry


def measured(seed: int, artefact: DemonstrationArtefact | None) -> list[Prediction]:
    domain = registry.load(SERVER)
    tasks = domain.tasks(seed, "test")
    return evaluate(
        cases_of(tasks),
        specs_of(domain),
        load_model(MODEL),
        demonstrations=artefact.nearest if artefact else None,
        solved=solved_in(domain, seed, tasks),
    )


def row(label: str, before: float, after: float, change: dict[str, Any], rest: str) -> None:
    low, high = change["interval"]
    verdict = "improved" if change["improved"] else "not improved"
    print(
        f"{label:<22} {before:6.2f} {after:6.2f} {change['difference']:+7.2f}  [{low:+.2f}, {high:+.2f}]  "
        f"p {change['p_value']:.2e}  {verdict:<13} {rest}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    seeds: list[int] = parser.parse_args().seeds
    print(f"{'':22} {'before':>6} {'after':>6} {'change':>7}")
    improved = {"practice": 0, "hints alone": 0, "control": 0}
    artefacts = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            report = run_demo(SERVER, seed, Path(folder) / "memory.db", track=lambda _text, _total: lambda: None)
            taken = time.perf_counter() - started
            artefacts.append(load(Path(report["path"])))
        practice, before = report["practice"], report["before"]["correct"]
        row(
            f"seed {seed}",
            before,
            report["after"]["correct"],
            report["difference"],
            f"{practice['accepted']}/{practice['trials']} accepted, {practice['accepted_but_wrong']} of them wrong, "
            f"{practice['calls']} calls, {taken:.0f} s",
        )
        row("  by hints alone", before, report["hints"]["correct"], report["difference_hints"], "")
        improved["practice"] += report["difference"]["improved"]
        improved["hints alone"] += report["difference_hints"]["improved"]
    for seed, artefact in zip([*seeds[1:], seeds[0]], artefacts, strict=True):
        without, with_other = measured(seed, None), measured(seed, artefact)
        change = against(with_other, without)
        rates = [sum(one.score.correct for one in side) / len(side) for side in (without, with_other)]
        row(f"control: on seed {seed}", rates[0], rates[1], change, "memory of the seed before")
        improved["control"] += change["improved"]
    for kind, count in improved.items():
        print(f"{kind}: improved on {count} of {len(seeds)} seeds")


if __name__ == "__main__":
    main()
