"""The pages on the simulated servers, made from their code: what each is, how well described, and its tasks."""

import importlib
import io
from collections import Counter
from inspect import getdoc
from types import ModuleType

from servers import registry
from servers.domain import Domain
from servers.schema import definition, description_of
from servers.tasks import Split, Task

SEED = 0
SPLITS: tuple[Split, ...] = ("practice", "test")
MADE = "Made by `python docs/generate.py` from the servers' code.\n\n"


def index_page() -> str:
    """Return the page that lists the simulated servers."""
    out = io.StringIO()
    out.write("# The simulated servers\n\n" + MADE)
    out.write("Run one with `learner serve NAME --seed N`, several as one with `learner serve NAME+NAME` ")
    out.write("([more](simulated-servers.md)). Tools, content and tasks are the same for the same seed; ")
    out.write("how ids, codes, dates and amounts must be written is drawn from the seed and stands nowhere.\n\n")
    out.write("| server | tools | parameters, of these undescribed | tasks for practice, test | what it is |\n")
    out.write("|---|---|---|---|---|\n")
    for name in registry.worlds():
        domain = registry.load(name)
        count, undescribed = _parameters(domain)
        tasks = ", ".join(str(len(domain.tasks(SEED, split))) for split in SPLITS)
        page = f"[{name}](worlds/{name}.md)"
        out.write(f"| {page} | {len(domain.functions)} | {count}, {undescribed} | {tasks} | {domain.description} |\n")
    out.write("\nTasks that need the tools of two servers, beside those of each:\n\n")
    out.write("| servers | tasks for practice, test | for example |\n")
    out.write("|---|---|---|\n")
    for pair in registry.pairs():
        made = {split: registry.errands(pair, SEED, split) for split in SPLITS}
        counts = ", ".join(str(len(made[split])) for split in SPLITS)
        out.write(f"| `{pair}` | {counts} | {_cell(made['test'][0].query)} |\n")
    return out.getvalue()


def world_page(name: str) -> str:
    """Return the page of one simulated server."""
    domain = registry.load(name)
    out = io.StringIO()
    out.write(f"# {name}\n\n{MADE}{getdoc(_world(name))}\n\n## Tools\n\n")
    count, undescribed = _parameters(domain)
    out.write(f"{undescribed} of {count} parameters have no description. `*`: may be left out.\n\n")
    out.write("| tool | arguments, those without a description in italics | its own words are | |\n|---|---|---|---|\n")
    for function in domain.functions:
        schema, told = definition(function)["inputSchema"], description_of(function)
        arguments = ", ".join(
            (f"`{argument}`" if "description" in about else f"_{argument}_")
            + ("" if argument in schema["required"] else "*")
            for argument, about in schema["properties"].items()
        )
        annotated = ", ".join(f"{hint}: {str(value).lower()}" for hint, value in told.annotations.items())
        note = "; ".join(each for each in (told.note, annotated and f"annotated {annotated}") if each)
        out.write(f"| `{function.__name__}` | {arguments or 'none'} | {told.words} | {_cell(note)} |\n")
    out.write(f"\n## Tasks\n\nOf seed {SEED}, with their gold calls:\n\n")
    out.write("| kind | practice | test | for example |\n|---|---|---|---|\n")
    tasks = {split: domain.tasks(SEED, split) for split in SPLITS}
    kinds = {split: Counter(map(_kind, made)) for split, made in tasks.items()}
    for kind in dict.fromkeys(_kind(task) for task in sorted(tasks["test"], key=_order)):
        example = next(task for task in tasks["test"] if _kind(task) == kind)
        out.write(f"| {kind} | {kinds['practice'][kind]} | {kinds['test'][kind]} | {_cell(example.query)} |\n")
    return out.getvalue()


def _world(name: str) -> ModuleType:
    return importlib.import_module(f"servers.{name}.world")


def _parameters(domain: Domain) -> tuple[int, int]:
    schemas = [about for tool in domain.tools() for about in tool["inputSchema"]["properties"].values()]
    return len(schemas), sum("description" not in about for about in schemas)


def _kind(task: Task) -> str:
    if task.kind != "calls":
        return {"no_tool": "needs no tool", "forbidden": "must not be done"}[task.kind]
    if len(task.calls) == 1:
        return "one call"
    tools = "several tools" if len({call.name for call in task.calls}) > 1 else "one tool, several calls"
    return f"{tools}, in order" if task.ordered else tools


def _order(task: Task) -> tuple[bool, int, bool]:
    return (not task.calls, len({call.name for call in task.calls}), task.ordered)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
