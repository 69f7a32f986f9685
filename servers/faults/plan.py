"""Fault plans: which faults there are, and how a plan is read from a file or found among the presets."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers.errors import FaultPlanError
from servers.faults.answers import Malformed, Truncated
from servers.faults.drift import ConventionDrift, SchemaDrift
from servers.faults.fault import Fault
from servers.faults.presets import PRESETS
from servers.faults.service import Failure, Latency, RateLimit, Timeout

# In the order in which a call meets them, so that a call refused by a rate limit fails at no service behind it.
KINDS: dict[str, type[Fault]] = {
    kind.kind: kind
    for kind in (Latency, Timeout, RateLimit, Failure, Truncated, Malformed, SchemaDrift, ConventionDrift)
}


@dataclass(frozen=True)
class Plan:
    """Faults that act together."""

    faults: tuple[Fault, ...]


def load(text: str) -> Plan:
    """Return the plan that `text` names: a preset, or else a JSON file.

    Raises:
        FaultPlanError: there is neither, or the file holds no plan.
    """
    if text in PRESETS:
        return Plan(PRESETS[text])
    named = repr(text[:200])
    try:
        if not text:
            raise FileNotFoundError  # a Path of nothing is the folder we are in
        content = Path(text).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise FaultPlanError(
            f"no preset of faults and no file is called {named}; the presets are {', '.join(PRESETS)}"
        ) from None
    except OSError as error:
        raise FaultPlanError(f"cannot read the faults in {named}: {error.strerror or type(error).__name__}") from None
    except ValueError:  # bytes that are not UTF-8, or a name that is none for a file
        raise FaultPlanError(f"cannot read the faults in {named}: not a text file") from None
    try:
        return parse(content)
    except FaultPlanError as error:
        raise FaultPlanError(f"{named}: {error}") from None


def parse(content: str) -> Plan:
    """Return the plan that the JSON text `content` holds.

    Raises:
        FaultPlanError: it holds none.
    """
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise FaultPlanError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise FaultPlanError("not JSON that can be read: a number too long, or lists too deep in each other") from None
    if not isinstance(entries, list):
        raise FaultPlanError(f'a plan is a list of faults such as [{{"fault": "latency"}}], not {_shown(entries)}')
    return Plan(tuple(_fault(entry, f"fault {number}") for number, entry in enumerate(entries, 1)))


def _fault(entry: object, where: str) -> Fault:
    if not isinstance(entry, dict):
        raise FaultPlanError(f'{where} must be an object such as {{"fault": "latency"}}, not {_shown(entry)}')
    if "fault" not in entry:
        raise FaultPlanError(f"{where} does not say which 'fault' it is; there are: {', '.join(KINDS)}")
    kind = KINDS.get(entry["fault"]) if isinstance(entry["fault"], str) else None
    if kind is None:
        raise FaultPlanError(f"{where}: no fault is called {_shown(entry['fault'])}; there are: {', '.join(KINDS)}")
    where = f"{where} ({kind.kind})"
    options = {field.name: field.metadata["option"] for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, given in entry.items():
        if name == "fault":
            continue
        if name not in options:
            raise FaultPlanError(f"{where} has no option {_shown(name)}; it has {', '.join(options)}")
        try:
            values[name] = options[name].read(given)
        except TypeError:
            raise FaultPlanError(f"{where}: {name} must be {options[name].takes}, not {_shown(given)}") from None
    try:
        return kind(**values)
    except ValueError as error:
        raise FaultPlanError(f"{where}: {error}") from None


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
