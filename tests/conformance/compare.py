"""Compare verdicts check by check, and print them side by side."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conformance.suite import Check

BASELINE = Path(__file__).parent / "baseline.json"
# Scenarios of an extension that the SDK has not implemented; the suite itself does not score them.
UNSCORED = "tasks-"

Verdict = Mapping[str, Sequence[Check]]


def known_differences(place: str) -> dict[str, Any]:
    """Return what has to differ at `place`: by "2025-11-25 server ping", say, the reason, and the checks that are
    missing and added, each as "id name STATUS".
    """
    known: dict[str, dict[str, Any]] = json.loads(BASELINE.read_text())
    return known.get(place, {})


def differences(direct: Verdict, through: Verdict, known: Mapping[str, Any], title: str) -> list[str]:
    """Return a line for each check that is not as directly, and not as `known` says either."""
    found = []
    for scenario in sorted({*direct, *through}):
        expected, seen = _judged(direct.get(scenario, [])), _judged(through.get(scenario, []))
        if (entry := known.get(f"{title} {scenario}")) is not None:
            expected = expected - Counter(entry["missing"]) + Counter(entry["added"])
        if seen != expected or (scenario in direct) != (scenario in through):
            missing, added = sorted((expected - seen).elements()), sorted((seen - expected).elements())
            found.append(f"{scenario}: expected {missing or 'nothing'}, seen {added or 'nothing'}")
    return found


def _judged(checks: Sequence[Check]) -> Counter[str]:
    """Return how often each check came out how.

    What the suite notes as INFO is its log of what went over the wire, and comes as the processes happen to run.
    """
    return Counter(" ".join(check) for check in checks if check.status != "INFO")


def failures(direct: Verdict) -> list[str]:
    """Return a line for each check of a scored scenario that failed without us."""
    return [
        f"{scenario}: {check.id} failed without the relay"
        for scenario, checks in direct.items()
        if not scenario.startswith(UNSCORED)
        for check in checks
        if check.status in {"FAILURE", "WARNING"}
    ]


def counted(checks: Sequence[Check] | None) -> str:
    """Return how many checks passed and failed, as "3/0"."""
    if checks is None:
        return "-"
    count = Counter(check.status for check in checks)
    return f"{count['SUCCESS']}/{count['FAILURE'] + count['WARNING']}"


def table(verdicts: Mapping[str, Verdict]) -> str:
    """Return the counts of every scenario, a column a place, and their sums."""
    places = list(verdicts)
    scenarios = sorted({scenario for found in verdicts.values() for scenario in found})
    rows = [["scenario", *places]]
    rows += [[scenario, *(counted(verdicts[place].get(scenario)) for place in places)] for scenario in scenarios]
    sums = [counted([check for checks in verdicts[place].values() for check in checks]) for place in places]
    rows.append([f"all {len(scenarios)}", *sums])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
