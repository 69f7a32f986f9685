"""Ask whether the suite's verdict through the relay is the one without it, on every check of every scenario.

    python -m tests.conformance [--place http-url ...] [--revision 2025-11-25 ...] [--json]

Prints one row a scenario: what passed and failed directly and at each place. Exits 1 where a place differs from the
direct verdict (and from what `baseline.json` says it must differ in, with the reason), where a scenario that is scored
fails directly, or where something did not start.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conformance.places import HTTP_PLACES, StartError, standing
from tests.conformance.suite import REVISIONS, Check, SuiteError, verdict
from tests.middleware.peer import remembered

BASELINE = Path(__file__).parent / "baseline.json"
# Scenarios of an extension that the SDK has not implemented; the suite itself does not score them.
UNSCORED = "tasks-"

Verdict = Mapping[str, Sequence[Check]]


def known_differences(place: str) -> dict[str, Any]:
    """Return what has to differ at `place`: revision and scenario ("2025-11-25 ping") to reason and checks."""
    known: dict[str, dict[str, Any]] = json.loads(BASELINE.read_text())
    return known.get(place, {})


def differences(direct: Verdict, through: Verdict, known: Mapping[str, Any], revision: str) -> list[str]:
    """Return a line for each check that is not as directly, and not as `known` says either."""
    found = []
    for scenario in sorted({*direct, *through}):
        expected = [list(check) for check in direct.get(scenario, [])]
        if (entry := known.get(f"{revision} {scenario}")) is not None:
            expected = entry["checks"]
        seen = [list(check) for check in through.get(scenario, [])]
        if seen != expected:
            missing = [" ".join(check) for check in expected if check not in seen]
            added = [" ".join(check) for check in seen if check not in expected]
            found.append(f"{scenario}: expected {missing or 'another order'}, seen {added or 'nothing instead'}")
    return found


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


def run(places: Sequence[str], revisions: Sequence[str], folder: Path) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts by revision and place, the direct one first.

    Raises:
        StartError: something did not start.
        SuiteError: the suite did not run.
    """
    verdicts: dict[str, dict[str, Verdict]] = {revision: {} for revision in revisions}
    for place in ("direct", *places):
        memory = folder / f"{place}.db"
        with standing("http" if place == "direct" else place, memory) as url:
            assert isinstance(url, str)
            for revision in revisions:
                print(f"{place} {revision} ...", file=sys.stderr, flush=True)
                verdicts[revision][place] = verdict(url, revision, folder / f"{place}-{revision}")
        if place != "direct" and not remembered(memory):
            raise SuiteError(f"Nothing was remembered at {place}: the relay was not in between.")
    return verdicts


def main() -> int:
    """Run what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--place", action="append", choices=HTTP_PLACES, help="where to ask; default: all")
    parser.add_argument("--revision", action="append", choices=REVISIONS, help="what to ask for; default: both")
    parser.add_argument("--json", action="store_true", help="print every check as JSON")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            verdicts = run(options.place or HTTP_PLACES, options.revision or REVISIONS, Path(folder))
    except (StartError, SuiteError) as error:
        print(error, file=sys.stderr)
        return 1
    wrong: list[str] = []
    for revision, found in verdicts.items():
        wrong += [f"{revision} direct {line}" for line in failures(found["direct"])]
        for place in found.keys() - {"direct"}:
            lines = differences(found["direct"], found[place], known_differences(place), revision)
            wrong += [f"{revision} {place} {line}" for line in lines]
    if options.json:
        print(json.dumps({"verdicts": verdicts, "differences": wrong}, indent=1))
    else:
        for revision, found in verdicts.items():
            print(f"{revision}, passed/failed\n{table(found)}\n")
        print("\n".join(wrong) or "The same verdict everywhere, or as baseline.json has it.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
