"""What redaction leaves of secrets, and what it takes of harmless values; and what a call waits for it.

    python -m benchmarks.redaction [--seed 1] [--harmless 10000] [--holdout] [--all] [--json]

A real relay on stdio stands in front of a server that says what the corpus of `tests/middleware/secrets` tells it.
Afterwards every byte that the relay wrote is searched for what was random in each secret; the harmless values are
compared with what is remembered. `--all` names every secret that remained. `--holdout` measures by kinds, carriers and
harmless values that redaction was not made to.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.middleware.secrets.carriers import CARRIERS, Placed
from tests.middleware.secrets.corpus import Remains, placed_secrets
from tests.middleware.secrets.driving import changed, through_stdio
from tests.middleware.secrets.harmless import harmless_values
from tests.middleware.secrets.held_back import HELD_BACK_CARRIERS, HELD_BACK_CATEGORIES, HELD_BACK_KINDS
from tests.middleware.secrets.kinds import KINDS


def remaining(placed: Sequence[Placed]) -> list[Placed]:
    """Return the secrets of which something is written."""
    remains = Remains(placed)
    with tempfile.TemporaryDirectory() as home:
        files = through_stdio(Path(home), [one.exchange for one in placed])
    found = {id(one): one for data in {data for _, data in files} for one in remains.find(data)}
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--harmless", type=int, default=10_000, help="how many harmless values")
    parser.add_argument("--holdout", action="store_true", help="by what was held back, instead")
    parser.add_argument("--all", action="store_true", help="name each secret that remained, and each changed value")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.holdout:
        placed = placed_secrets(options.seed, HELD_BACK_KINDS, {**CARRIERS, **HELD_BACK_CARRIERS})
        placed += placed_secrets(options.seed + 1, KINDS, HELD_BACK_CARRIERS)
        values = harmless_values(options.seed, options.harmless, HELD_BACK_CATEGORIES)
    else:
        placed = placed_secrets(options.seed)
        values = harmless_values(options.seed, options.harmless)
    found = remaining(placed)
    with tempfile.TemporaryDirectory() as home:
        taken = changed(Path(home), values)
    report: dict[str, Any] = {
        "secrets": len(placed),
        "kinds": len({one.secret.kind for one in placed}),
        "remained": len(found),
        "by_kind": dict(Counter(one.secret.kind for one in found).most_common()),
        "by_carrier": dict(Counter(one.carrier for one in found).most_common()),
        "harmless": len(values),
        "changed": len(taken),
        "by_category": dict(Counter(one.category for one in taken).most_common()),
    }
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
        return
    print(f"{report['secrets']} secrets of {report['kinds']} kinds: {report['remained']} remained")
    for title in ("by_kind", "by_carrier"):
        print(f"  {title}: " + ", ".join(f"{name} {count}" for name, count in report[title].items()))
    print(f"{report['harmless']} harmless values: {report['changed']} changed")
    print("  by_category: " + ", ".join(f"{name} {count}" for name, count in report["by_category"].items()))
    if options.all:
        for one in found:
            print(f"{one}: {one.secret.key} {one.secret.text!r}")
        for value in random.Random(options.seed).sample(taken, min(200, len(taken))):
            print(f"changed, {value.category}: {value.key} {str(value.value)[:160]!r}")


if __name__ == "__main__":
    main()
