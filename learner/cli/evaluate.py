"""`learner evaluate`: measure a model on held-out cases, with and without what was learned."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.messages import ToolSpec
from adapters.registry import load_model
from learner.cli.apply import find_artefact
from learner.cli.options import json_option, memory_option, memory_path
from learner.cli.show import harmless, print_json, print_table
from learner.cli.simulated import cases_of, opened_in, solved_in, specs_of
from learner.distill.demonstrations import COUNT, load
from learner.distill.hints import hint_texts
from learner.errors import SuiteError
from learner.evaluation import Answer, Demonstrate, Prediction, Solved, cross_validate, evaluate, judge
from learner.figures import against, summary
from learner.metrics import MEASURES
from learner.suites import Case, read_cases, read_predictions, read_suite
from middleware.memory.store import Memory
from servers import registry
from servers.tasks import Split

NONE = "none"


@dataclass(frozen=True)
class Target:
    """What is measured on: a suite's split, or a simulated server's tasks with their check."""

    suite: str
    split: str
    cases: Sequence[Case]
    tools: Sequence[ToolSpec]
    solved: Solved | None = None
    opened: Callable[[Case], Answer] | None = None


@dataclass(frozen=True)
class Shown:
    """What an artefact shows a model, and the queries behind it."""

    demonstrations: Demonstrate | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    queries: Sequence[str] = ()


@click.command("evaluate")
@click.option("--suite", required=True, help="A suite's folder, or the name of a simulated server.")
@click.option("--split", help="Which cases; several with commas. Default for a simulated server: test.")
@click.option("--model", help="The model to ask, such as recall.")
@click.option("--artefact", help="Show the model what this artefact learned: its name in memory, or its folder.")
@click.option("--against", "other", help="Also measure with this other artefact, or with 'none', and compare.")
@click.option(
    "--by",
    type=click.Choice(("demonstrations", "hints", NONE)),
    default="demonstrations",
    show_default=True,
    help="What is shown: the nearest demonstrations in the prompt, or hints in the tools' descriptions.",
)
@click.option("--folds", type=click.IntRange(2), help="Cross-validate: each fold learns from the others' gold calls.")
@click.option("--random-folds", is_flag=True, help="Let near-duplicates fall into different folds, which flatters.")
@click.option(
    "--seed", default=0, show_default=True, help="Of folds, of --limit's sample, and of a simulated server's world."
)
@click.option(
    "--turns",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Replies to a task of a simulated server, each after the results of the last one's calls.",
)
@click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    help='Judge what another system called instead: one {"id", "calls": [{"name", "arguments"}]} a line.',
)
@click.option("--limit", type=click.IntRange(1), help="Only so many cases, a random sample. Default: all.")
@json_option
@memory_option
def evaluate_command(
    suite: str,
    split: str | None,
    model: str | None,
    artefact: str | None,
    other: str | None,
    by: str,
    folds: int | None,
    random_folds: bool,
    seed: int,
    turns: int,
    predictions: Path | None,
    limit: int | None,
    as_json: bool,
    memory: Path | None,
) -> None:
    """Measure a model on held-out cases, with and without what was learned.

    Each case's query is asked once; a simulated server's tasks can be played over several --turns.
    docs/measuring.md says what the figures are.
    """
    if (model is None) == (predictions is None):
        raise click.UsageError("give either --model, or --predictions for what another system called")
    if predictions is not None and (artefact or other or folds):
        raise click.UsageError("--predictions asks no model, so --artefact, --against and --folds do not go with it")
    if folds and (artefact or other not in (None, NONE)):
        raise click.UsageError("--folds learns from the other folds: it takes no --artefact, and only --against none")
    if random_folds and not folds:
        raise click.UsageError("--random-folds needs --folds")
    target = _target(suite, split, seed, limit)
    if turns > 1 and (target.opened is None or folds or predictions is not None):
        raise click.UsageError("--turns needs a simulated server that answers, and no --folds or --predictions")
    if predictions is not None:
        report = _judged(target, predictions)
    else:
        with _progress(len(target.cases) * (2 if other else 1)) as step:
            report = _measured(
                target,
                str(model),
                artefact,
                other,
                by=by,
                folds=folds,
                group=not random_folds,
                seed=seed,
                turns=turns,
                memory=memory_path(memory),
                step=step,
            )
    if as_json:
        print_json(report)
    else:
        _print(report)


def _target(suite: str, split: str | None, seed: int, limit: int | None) -> Target:
    folder = Path(suite)
    if not folder.is_dir() and set(suite.split("+")) <= set(registry.worlds()):
        domain = registry.load(suite)
        split = split or "test"
        tasks = [task for part in split.split(",") for task in domain.tasks(seed, _task_split(part))]
        check, world = solved_in(domain, seed, tasks), opened_in(domain, seed)
        target = Target(suite, split, cases_of(tasks), specs_of(domain), check, world)
    elif not folder.is_dir():
        servers = ", ".join(registry.worlds())
        raise SuiteError(f"no suite at {suite}: give a folder that holds suite.json, or a simulated server: {servers}")
    else:
        read = read_suite(folder)
        if not split:
            raise click.UsageError("a suite needs --split: the SPLIT of its cases-SPLIT.jsonl")
        cases = [case for part in split.split(",") for case in read_cases(read, part)]
        if len({case.id for case in cases}) < len(cases):
            raise SuiteError(f"two of the splits {split} of {suite} share a case id; measure them one at a time")
        target = Target(read.name, split, cases, read.tools)
    if limit is None or limit >= len(target.cases):
        return target
    chosen = sorted(Random(seed).sample(range(len(target.cases)), limit))  # noqa: S311 - a sample, no secret
    return replace(target, cases=[target.cases[n] for n in chosen])


def _task_split(name: str) -> Split:
    match name:
        case "practice" | "test":
            return name
    raise SuiteError(f"a simulated server has no split {name!r}: it has practice and test")


def _judged(target: Target, path: Path) -> dict[str, Any]:
    calls = read_predictions(path)
    known = {case.id for case in target.cases}
    judged = judge(target.cases, calls, target.tools, solved=target.solved)
    return summary(judged, suite=target.suite, split=target.split, model=path.name) | {
        "missing": len(known - calls.keys()),
        "unknown": len(calls.keys() - known),
    }


def _measured(
    target: Target,
    name: str,
    artefact: str | None,
    other: str | None,
    *,
    by: str,
    folds: int | None,
    group: bool,
    seed: int,
    turns: int,
    memory: Path,
    step: Callable[[], None],
) -> dict[str, Any]:
    model = load_model(name)

    def side(learned: str | None, by: str) -> tuple[list[Prediction], dict[str, Any]]:
        if folds:
            shown = Shown()
            predictions = cross_validate(
                target.cases,
                target.tools,
                model,
                count=folds,
                group=group,
                seed=seed,
                shown=COUNT if by == "demonstrations" else 0,
                hint_texts=hint_texts if by == "hints" else None,
                solved=target.solved,
                progress=lambda _: step(),
            )
        else:
            shown = _shown(learned, by, memory)
            predictions = evaluate(
                target.cases,
                target.tools,
                model,
                demonstrations=shown.demonstrations,
                hints=shown.hints,
                solved=target.solved,
                turns=turns,
                opened=target.opened if turns > 1 else None,
                progress=lambda _: step(),
            )
        return predictions, summary(
            predictions,
            suite=target.suite,
            split=target.split,
            model=name,
            artefact=learned,
            remembered=shown.queries,
        )

    try:
        predictions, report = side(artefact, by)
        report["by"] = by if artefact or folds else NONE
        report["turns"] = turns
        if folds:
            report |= {"folds": folds, "near_duplicates_together": group, "seed": seed}
        if other is not None:
            others, against_report = side(None if other == NONE else other, NONE if other == NONE else by)
            report |= {"against": against_report, "difference": against(predictions, others)}
    finally:
        model.close()
    return report


def _shown(artefact: str | None, by: str, memory: Path) -> Shown:
    """What the artefact of that name, or in that folder, shows a model: the one place where it is loaded."""
    if artefact is None or by == NONE:
        return Shown()
    folder = Path(artefact)
    if not folder.is_dir():
        with Memory(memory) as opened:
            folder = Path(find_artefact(opened, artefact).path)
    learned = load(folder)
    if by == "hints":
        return Shown(hints=learned.hints, queries=learned.queries)
    return Shown(demonstrations=learned.nearest, queries=learned.queries)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    columns = TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("cases", total=total)
        yield lambda: progress.advance(bar)


def _print(report: Mapping[str, Any]) -> None:
    rows = [("all", report)]
    rows += [(f"arguments: {name}", report["by_arguments"][name]) for name in ("none", "some")]
    if report["by_novelty"]["near"]["cases"]:
        rows += [(f"queries: {name}", report["by_novelty"][name]) for name in ("near", "new")]
    if "against" in report:
        rows.append((f"all: with {report['against']['artefact'] or 'nothing'}", report["against"]))
    table = [[name, row["cases"], *(_fraction(row[measure]) for measure in MEASURES)] for name, row in rows]
    table.insert(1, ["95 % interval", "", *(_interval(report["intervals"][measure]) for measure in MEASURES)])
    title = f"{report['suite']}, {report['split']}: {report['model']}"
    if report["artefact"]:
        title += f" with {report['artefact']}"
    columns = ("", "cases", "well-formed", "right tool", "correct", "strict")
    print_table(columns, table, title=harmless(title))
    click.echo()
    if report["clusters"] < 10:
        click.echo(f"no intervals: the cases form {report['clusters']} clusters, and 10 are needed")
    published = report["published"]
    click.echo(
        "as published: "
        f"well-formed {_fraction(published['wellformed'])}, right tool of the well-formed "
        f"{_fraction(published['api_match'])}, correct {_fraction(published['correct'])}"
    )
    click.echo(f"{report['input_tokens']} input and {report['output_tokens']} output tokens, {report['seconds']:.1f} s")
    for key, text in (("missing", "cases without a prediction (no call)"), ("unknown", "predictions without a case")):
        if report.get(key):
            click.echo(f"{report[key]} {text}")
    if "difference" in report:
        change = report["difference"]
        click.echo(
            f"difference in correct {change['difference']:+.3f}, 95 % interval {_signed(change['interval'])}, "
            f"p = {change['p_value']:.2g}: {'improved' if change['improved'] else 'not improved'}"
        )


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.3f}–{bounds[1]:.3f}"


def _signed(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:+.3f} to {bounds[1]:+.3f}"
