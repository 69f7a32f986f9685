"""The variables that move or limit the memory, where they say something impossible."""

import difflib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from learner.cli.health.finding import Finding, Place, command
from learner.cli.proxy import proxy_command

KEEP = ("PRACTICUM_KEEP_DAYS", "PRACTICUM_KEEP_BYTES")
# What the relay's options are read from, where its command line does not say it.
_OF_RELAYS = {option.envvar: option for option in proxy_command.params if isinstance(option.envvar, str)}
_KNOWN = {"PRACTICUM_MEMORY", "PRACTICUM_HTTP_TOKEN", "PRACTICUM_TRIAL_TOKEN", *KEEP, *_OF_RELAYS}
_ALIKE = 0.85  # from which on another name is taken for a slip of the pen
_FOLDERS = ("XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR")


def environment_findings(place: Place) -> Iterator[Finding]:
    """Look at the variables that Practicum reads."""
    problems = list(_problems(place.environment))
    yield from problems
    if not problems:
        given = sorted(name for name in place.environment if name in _KNOWN)
        yield Finding("environment", "ok", f"set: {', '.join(given)}" if given else "nothing of Practicum's is set")


def limit(environment: Mapping[str, str], name: str) -> float | None:
    """Return the number, not below 0, that the variable `name` holds; None where it is not set, or holds none."""
    try:
        value = float(environment.get(name) or "nothing")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _problems(environment: Mapping[str, str]) -> Iterator[Finding]:
    named = environment.get("PRACTICUM_MEMORY")
    if named:
        try:
            path = Path(named).expanduser()
            if not path.is_absolute():
                text = f"PRACTICUM_MEMORY={named} is another file in every folder; give it from the root on"
                mend = command("export", f"PRACTICUM_MEMORY={path.absolute()}")
                yield Finding("environment", "warning", text, mend)
        except (RuntimeError, OSError) as error:
            text = f"PRACTICUM_MEMORY={named} leads nowhere: {error}"
            yield Finding("environment", "failure", text, "unset PRACTICUM_MEMORY")
    for name in KEEP:
        if environment.get(name) and limit(environment, name) is None:
            text = (
                f"{name}={environment[name]} is no number of {'days' if 'DAYS' in name else 'bytes'}, and is not heeded"
            )
            yield Finding("environment", "failure", text, f"unset {name}")
    for name, option in _OF_RELAYS.items():
        if value := environment.get(name):
            try:
                option.type_cast_value(click.Context(proxy_command), value)
            except click.UsageError as error:
                text = f"{name}={value}, and no relay starts with that: {error.message}"
                yield Finding("environment", "failure", text, f"unset {name}")
    for name in _FOLDERS:
        value = environment.get(name)
        if value and not Path(value).is_absolute():
            yield Finding("environment", "warning", f"{name}={value} is another folder everywhere", f"unset {name}")
        elif value and name == "TMPDIR" and not os.access(value, os.W_OK | os.X_OK):
            yield Finding("environment", "warning", f"nothing can be written in {name}={value}", f"unset {name}")
    if not environment.get("HOME"):
        text = "HOME is not set; the user's folder is looked up, which relays in containers may not be able to"
        yield Finding("environment", "warning", text, "export HOME=~")
    for name in sorted(environment):
        if (
            name.startswith("PRACTICUM")
            and name not in _KNOWN
            and (near := difflib.get_close_matches(name, _KNOWN, 1, _ALIKE))
        ):
            text = f"{name} means nothing; was {near[0]} meant?"
            yield Finding("environment", "warning", text, f"unset {name}")
