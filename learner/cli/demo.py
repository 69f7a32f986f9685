"""`learner demo`: the whole loop on a simulated server, through real processes."""

import asyncio
import json
import secrets
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.base import ChatModel
from adapters.registry import load_model
from learner.cli.live import LiveTools
from learner.cli.options import json_option, named_memory
from learner.cli.show import harmless, print_json, print_table
from learner.cli.simulated import cases_of, solved_in, specs_of
from learner.distill.demonstrations import DemonstrationArtefact, load
from learner.distill.prompt import distill_prompt
from learner.evaluation import Prediction, evaluate
from learner.figures import against, summary
from learner.practice import Settings, practise
from middleware.memory.identity import TRIAL_TOKEN_VARIABLE, server_uid
from middleware.memory.records import Trial
from middleware.memory.store import Memory
from servers import registry
from servers.domain import Domain
from servers.tasks import Task, solved

SERVER = "weather"
MODEL = "recall"


@click.command("demo")
@click.option("--server", default=SERVER, show_default=True, help="Which simulated server; `learner serve --list`.")
@click.option("--seed", default=0, show_default=True, help="Which world: its conventions, content and tasks.")
@click.option(
    "--memory",
    type=click.Path(path_type=Path),
    help="The memory to practise into. Default: a new one in the temporary directory.",
)
@json_option
def demo_command(server: str, seed: int, memory: Path | None, as_json: bool) -> None:
    """The whole loop on a simulated server: before, practice through the relay, distil, after.

    Practice sees the tools' responses only.
    """
    path = named_memory(memory) or Path(tempfile.mkdtemp(prefix="practicum-demo-")) / "memory.db"
    path = path.resolve()
    with Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as progress:
        report = run_demo(server, seed, path, track=lambda text, total: _tracker(progress, text, total))
    if as_json:
        print_json(report)
    else:
        _print(report)


def _tracker(progress: Progress, text: str, total: int) -> Callable[[], None]:
    bar = progress.add_task(text, total=total)
    return lambda: progress.advance(bar)


def run_demo(server: str, seed: int, path: Path, *, track: Callable[[str, int], Callable[[], None]]) -> dict[str, Any]:
    """Run the demo on a simulated server with the memory at `path`; `track(text, total)` gives what each step calls."""
    domain = registry.load(server)
    practice_tasks = domain.tasks(seed, "practice")
    test_tasks = domain.tasks(seed, "test")
    model = load_model(MODEL)

    def measure(text: str, artefact: DemonstrationArtefact | None, by: str) -> list[Prediction]:
        step = track(text, len(test_tasks))
        return evaluate(
            cases_of(test_tasks),
            specs_of(domain),
            model,
            demonstrations=artefact.nearest if artefact and by == "demonstrations" else None,
            hints=artefact.hints if artefact and by == "hints" else None,
            solved=solved_in(domain, seed, test_tasks),
            progress=lambda _: step(),
        )

    before = measure("test tasks before practice", None, "none")
    command = [sys.executable, "-I", "-m", "learner", "serve", server, "--seed", str(seed)]
    with Memory(path) as opened:
        trials = asyncio.run(
            _practise(
                server, practice_tasks, command, model, opened, track("practice through the relay", len(practice_tasks))
            )
        )
        name = f"demo-{server.replace('+', '-')}-{seed}-{secrets.token_hex(3)}"
        folder, _ = distill_prompt(opened, name=name, server_uid=server_uid(server, command))
        artefact = load(folder)
        after = measure("test tasks after, by demonstrations", artefact, "demonstrations")
        hinted = measure("test tasks after, by hints alone", artefact, "hints")
    summed = partial(summary, suite=server, split="test", model=MODEL)
    learned = partial(summed, artefact=name, remembered=artefact.queries)
    return {
        "server": server,
        "seed": seed,
        "before": summed(before),
        "after": learned(after),
        "difference": against(after, before),
        "hints": learned(hinted),
        "difference_hints": against(hinted, before),
        "practice": _counted(domain, trials, practice_tasks, seed),
        "example": _example(before, after),
        "artefact": name,
        "path": str(folder),
        "memory": str(path),
        "command": command,
    }


async def _practise(
    server: str,
    tasks: Sequence[Task],
    command: Sequence[str],
    model: ChatModel,
    memory: Memory,
    step: Callable[[], None],
) -> list[Trial]:
    token = secrets.token_hex(16)
    async with LiveTools.behind_relay(server, command, memory.path, {TRIAL_TOKEN_VARIABLE: token}) as tools:
        return await practise(
            [task.query for task in tasks],
            tools=tools,
            specs=await tools.specs(),
            model=model,
            memory=memory,
            server_uid=server_uid(server, command),
            token=token,
            settings=Settings(),
            progress=step,
        )


def _counted(domain: Domain, trials: Sequence[Trial], tasks: Sequence[Task], seed: int) -> Mapping[str, int]:
    """Count, afterwards, what practice could not know: which accepted trials were right."""
    accepted = [
        (trial, task)
        for trial, task in zip(trials, tasks, strict=True)
        if trial.verdict is not None and trial.verdict.label == "solved"
    ]
    right = sum(
        solved(domain, seed, task, [(call.name, call.arguments) for call in trial.calls]) for trial, task in accepted
    )
    return {
        "trials": len(trials),
        "calls": sum(len(trial.calls) for trial in trials),
        "accepted": len(accepted),
        "accepted_but_wrong": len(accepted) - right,
        "given_up": len(trials) - len(accepted),
    }


def _example(before: Sequence[Prediction], after: Sequence[Prediction]) -> dict[str, Any] | None:
    """Return the first task that only the second side did, and what each called; None if there is no such task."""
    for first, second in zip(before, after, strict=True):
        if second.score.correct and not first.score.correct:
            sides = {"before": first, "after": second}
            calls = {
                side: [{"name": call.name, "arguments": dict(call.arguments)} for call in prediction.calls]
                for side, prediction in sides.items()
            }
            return {"query": second.case.query, **calls}
    return None


def _print(report: Mapping[str, Any]) -> None:
    labels = {"before": "before", "after": "after: demonstrations", "hints": "after: hints alone"}
    print_table(
        ("", "well-formed", "right tool", "correct", "95 % interval", "strict"),
        (
            (
                text,
                *(f"{report[key][measure]:.2f}" for measure in ("wellformed", "api_match", "correct")),
                _interval(report[key]["intervals"]["correct"]),
                f"{report[key]['strict']:.2f}",
            )
            for key, text in labels.items()
        ),
        title=f"{report['before']['cases']} test tasks of the simulated {report['server']} server, "
        f"seed {report['seed']}, played by '{MODEL}'",
    )
    practice = report["practice"]
    click.echo()
    for text, key in (("by demonstrations", "difference"), ("by hints alone", "difference_hints")):
        row = report[key]
        click.echo(
            f"correct {text}: {row['difference']:+.2f}, 95 % interval {_signed(row['interval'])}, "
            f"p = {row['p_value']:.2g}: {'improved' if row['improved'] else 'not improved'}"
        )
    click.echo(
        f"practice: {practice['trials']} trials, {practice['calls']} calls, {practice['accepted']} accepted "
        f"(of these {practice['accepted_but_wrong']} wrong, which practice could not see), "
        f"{practice['given_up']} given up"
    )
    if (example := report["example"]) is not None:
        click.echo(f"For example: {example['query']}")
        for side in ("before", "after"):
            calls = [f"{call['name']} {json.dumps(call['arguments'], ensure_ascii=False)}" for call in example[side]]
            click.echo(f"  {side:<7} {harmless('; '.join(calls)) or 'no call'}")
    click.echo("'recall' has no weights: it is the baseline that a real model has to beat, not a model's improvement.")
    click.echo()
    click.echo(f"memory    {report['memory']}")
    click.echo(f"artefact  {report['path']}")
    command = f"{_own_command()} --memory {shlex.quote(report['memory'])}"
    click.echo("Next:")
    click.echo(f"  {command} trials")
    click.echo(f"  {command} calls --outcome tool_error")
    click.echo(f"  {command} apply {report['artefact']}")
    click.echo("and a client of this sees the hints (a server is known by its name and its command):")
    click.echo(f"  {command} proxy --name {report['server']} -- {shlex.join(report['command'])}")
    click.echo(f"In front of a server of your own: {_own_command()} proxy --name NAME -- COMMAND...")


def _own_command() -> str:
    """Return how this command line can be called again: it may not be on the path, as after `make demo`."""
    if shutil.which("learner"):
        return "learner"
    started = Path(sys.argv[0])
    return shlex.quote(sys.argv[0]) if started.name == "learner" else f"{shlex.quote(sys.executable)} -m learner"


def _interval(pair: Sequence[float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:.2f} to {pair[1]:.2f}"


def _signed(pair: Sequence[float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:+.2f} to {pair[1]:+.2f}"
