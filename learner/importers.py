"""Experience from elsewhere → trials in memory."""

import json
from pathlib import Path
from typing import Any

from learner.suites import read_cases, read_suite
from middleware.memory.identity import new_uid, now, server_uid
from middleware.memory.records import CallMade, Trial, Verdict
from middleware.memory.store import Memory

GOLD = Verdict("gold", "solved", 1.0, "the suite's gold calls")


def import_suite(memory: Memory, folder: Path, split: str) -> dict[str, Any]:
    """Put the cases of one split into memory, under a server of the suite's name; of the cases all or none.

    Returns `{"server", "split", "cases", "added"}`; a case that is there already is not added again.

    Raises:
        SuiteError: the suite or the split is missing or malformed; nothing was added.
    """
    suite = read_suite(folder)
    cases = read_cases(suite, split)
    uid = server_uid(suite.name, ["suite"])
    definitions = [
        {"name": tool.name, "description": tool.description, "inputSchema": dict(tool.input_schema)}
        for tool in suite.tools
    ]
    memory.add_server(uid, suite.name, f"suite {suite.name}", definitions)
    trials = [
        Trial(
            uid=new_uid(),
            query=case.query,
            source="import",
            model=None,
            server_uid=uid,
            calls=tuple(CallMade(call.name, call.arguments) for call in case.calls),
            verdict=GOLD,
            created_at=now(),
            origin=json.dumps([suite.name, split, case.id]),
        )
        for case in cases
    ]
    return {"server": suite.name, "split": split, "cases": len(cases), "added": memory.add_trials(trials)}
