"""How well does a model use the 50 tools of the STE suite, with and without remembered calls?

Six folds over the train and dev cases: each fold is asked with the gold calls of the five others as experience. With
groups, near-duplicate queries stay in one fold; random folds flatter. Then dev after train, which nothing was tuned to.

    python -m benchmarks.ste [--suite FOLDER] [--model NAME] [--folds K] [--seed N]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.registry import load_model
from learner.cli.show import print_table
from learner.distill.demonstrations import COUNT, Demonstrations
from learner.distill.hints import hint_texts
from learner.evaluation import Prediction, cross_validate, demonstrations_of, evaluate
from learner.figures import against, summary
from learner.suites import read_cases, read_suite

SUITE = Path(__file__).parents[1].parent / "shared" / "suites" / "ste"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--suite", type=Path, default=SUITE, help="the suite's folder")
    parser.add_argument("--model", default="recall", help="the model to ask")
    parser.add_argument("--folds", type=int, default=6, help="how many folds")
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    given = parser.parse_args()
    if given.suite == SUITE and not SUITE.is_dir():
        print(f"skipped: no suite at {SUITE}; give one with --suite")
        return
    suite, model = read_suite(given.suite), load_model(given.model)
    train, dev = read_cases(suite, "train"), read_cases(suite, "dev")
    both = [*train, *dev]
    common: dict[str, Any] = {"count": given.folds, "seed": given.seed}
    nothing = evaluate(both, suite.tools, model)
    learned = demonstrations_of(train)
    queries = [one.query for one in learned]
    calls = [call for one in learned for call in one.calls]
    runs: list[tuple[str, Sequence[Prediction], Sequence[str]]] = [
        ("nothing shown", nothing, ()),
        ("groups: demonstrations", cross_validate(both, suite.tools, model, **common), ()),
        ("random: demonstrations", cross_validate(both, suite.tools, model, group=False, **common), ()),
        (
            "groups: hints alone",
            cross_validate(both, suite.tools, model, shown=0, hint_texts=hint_texts, **common),
            (),
        ),
        ("dev: nothing shown", evaluate(dev, suite.tools, model), ()),
        (
            "dev after train: demonstrations",
            evaluate(dev, suite.tools, model, demonstrations=Demonstrations(learned).nearest),
            queries,
        ),
        (
            "dev after train: hints alone",
            evaluate(dev, suite.tools, model, hints=hint_texts(calls, suite.tools)),
            queries,
        ),
    ]
    rows = []
    for name, predictions, remembered in runs:
        report = summary(predictions, suite=suite.name, split="", model=model.name, remembered=remembered)
        bounds = report["intervals"]["correct"]
        rows.append(
            (
                name,
                report["cases"],
                *(f"{report[measure]:.3f}" for measure in ("wellformed", "api_match", "correct", "strict")),
                "-" if bounds is None else f"{bounds[0]:.3f}–{bounds[1]:.3f}",
                _correct(report["by_arguments"]["some"]),
                _correct(report["by_novelty"]["near"]),
                _correct(report["by_novelty"]["new"]),
                f"{report['seconds']:.1f}",
            )
        )
    print_table(
        ("", "cases", "well", "tool", "correct", "strict", "interval", "with arg.", "near", "new", "s"),
        rows,
        title=f"{suite.name}, {given.folds} folds, seed {given.seed}, {model.name}, {COUNT} demonstrations",
    )
    for name, predictions, _ in runs[1:4]:
        change = against(predictions, nothing)
        bounds = change["interval"]
        interval = "-" if bounds is None else f"{bounds[0]:+.3f} to {bounds[1]:+.3f}"
        print(f"{name} against nothing: correct {change['difference']:+.3f} ({interval}), p = {change['p_value']:.2g}")


def _correct(stratum: dict[str, Any]) -> str:
    return "-" if stratum["correct"] is None else f"{stratum['correct']:.3f}"


if __name__ == "__main__":
    main()
