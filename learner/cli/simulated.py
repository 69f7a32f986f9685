"""A simulated server's tasks as cases to measure on: the one place where worlds and measuring meet."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from adapters.messages import ToolCall, ToolSpec
from learner.evaluation import Answer
from learner.suites import Case, GoldCall, write_suite
from servers.domain import Domain
from servers.tasks import Task, solved


def specs_of(domain: Domain) -> list[ToolSpec]:
    """Return the domain's tools as a model sees them."""
    return [ToolSpec(tool["name"], tool.get("description", ""), tool["inputSchema"]) for tool in domain.tools()]


def cases_of(tasks: Sequence[Task]) -> list[Case]:
    """Return the tasks as cases with their gold calls and templates."""
    return [
        Case(
            id=task.id,
            query=task.query,
            calls=tuple(GoldCall(name, arguments) for name, arguments in task.calls),
            ordered=task.ordered,
            template=task.template,
        )
        for task in tasks
    ]


def solved_in(domain: Domain, seed: int, tasks: Sequence[Task]) -> Callable[[Case, Sequence[ToolCall]], bool]:
    """Return the check of a case: its calls, run in a fresh world, leave the gold state and return the gold value."""
    by_id: Mapping[str, Task] = {task.id: task for task in tasks}

    def check(case: Case, calls: Sequence[ToolCall]) -> bool:
        return solved(domain, seed, by_id[case.id], [(call.name, call.arguments) for call in calls])

    return check


def opened_in(domain: Domain, seed: int) -> Callable[[Case], Answer]:
    """Return what gives each case a fresh world that answers its calls."""

    def opened(_: Case) -> Answer:
        world = domain.world(seed)

        def answer(call: ToolCall) -> tuple[str, bool]:
            result = world.call(call.name, call.arguments)
            return result.text, result.is_error

        return answer

    return opened


def write_domain(domain: Domain, seed: int, folder: Path) -> dict[str, int]:
    """Write the domain's tools and its tasks of `seed` as a suite, and return the number of cases by split.

    Raises:
        SuiteError: something is there already, or it cannot be written.
    """
    cases = {"practice": cases_of(domain.tasks(seed, "practice")), "test": cases_of(domain.tasks(seed, "test"))}
    about = {
        "name": f"{domain.name}-{seed}",
        "source": f"practicum {version('practicum')}: the simulated server {domain.name!r}, seed {seed}",
        "license": "Apache-2.0",
        "note": "conventions come from the seed; no calls = none is needed, or what is asked for is not allowed",
    }
    write_suite(folder, about, domain.tools(), cases)
    return {split: len(some) for split, some in cases.items()}
