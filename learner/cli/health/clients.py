"""The clients' configuration files: where the relay stands in them, and whether everything they name still starts."""

import importlib.metadata
import os
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from learner.cli.health.finding import Finding, Place, command
from learner.cli.health.packages import PACKAGES, Interpreter, ask
from learner.cli.health.starting import problem_of_starting
from middleware.clients.backup import all_backups, wrapped_directory
from middleware.clients.entry import Entry, Relay
from middleware.clients.installed import ClientFile, Server, installed
from middleware.clients.wrap import version_problem
from middleware.memory.database import default_path

_FILLED_IN = "${"  # the client puts something else there, nobody but it knows what
# What a client gives to the servers it starts may be as little as this; whatever else is set here need not be there.
_INHERITED = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TMPDIR")


def client_findings(place: Place) -> Iterator[Finding]:
    """Look at all clients' files that are known or were wrapped, and at what `learner wrap` keeps of them."""
    files = installed()
    if not files:
        yield Finding("client file", "ok", "no client's configuration file was found here or in the home directory")
    for file in files:
        yield from _file(file)
        for server in file.servers:
            if server.entry.relay is not None:
                yield from _server(file, server, place)
    yield from _backups(files)


def _file(file: ClientFile) -> Iterator[Finding]:
    who = f"{file.path}" + (f" ({file.client})" if file.client else "")
    if file.problem:
        gone = file.backup is not None
        mend = _restore(file) if gone else ""
        yield Finding("client file", "failure" if gone else "warning", f"{who}: {file.problem}", mend)
        return
    total = len(file.servers)
    wrapped = sum(server.entry.relay is not None for server in file.servers)
    left = [f"{server.name} ({server.entry.left})" for server in file.servers if server.entry.left]
    text = f"{who}: {wrapped} of {total} servers have the relay before them"
    if left:
        text += f"; left out: {'; '.join(left)}"
    if file.backup is not None and wrapped:
        edited = "" if file.is_as_written else "; edited since it was wrapped, which learner unwrap heeds"
        text += f"{edited}; without Practicum it is put back by {file.backup.restore_script}"
    could_be = total - wrapped - sum(bool(server.entry.left) for server in file.servers if not server.entry.relay)
    yield Finding("client file", "ok", text, command("learner", "wrap", file.path) if could_be else "")


def _server(file: ClientFile, server: Server, place: Place) -> Iterator[Finding]:
    entry = server.entry
    if entry.relay is None:
        return
    who = f"{server.name} in {file.path}"
    environment = _environment(entry, place.environment)
    if not file.may_run(entry.relay.program):
        text = (
            f"{who}: {entry.relay.program} was not run, as the file is a project's, and learner wrap did not write it"
        )
        yield Finding("client relay", "warning", text, _renew(file) if entry.relay.is_ours else "")
        return
    relay_problem = _relay_problem(entry, environment)
    if relay_problem:
        text = f"{who}: the relay does not start: {relay_problem}"
        yield Finding("client relay", "failure", text, _renew(file))
    else:
        yield _running(file, who, entry.relay)
    yield from _memory(who, entry, environment, place)
    problem = "" if entry.is_disabled else _command_problem(entry, environment)
    if problem:
        yield Finding("client server", "failure", f"{who}: {problem}", f"${{EDITOR:-vi}} {command(file.path)}")
    elif place.start and not relay_problem and not entry.is_disabled:
        yield from _started(file, who, entry, environment)


def _relay_problem(entry: Entry, environment: Mapping[str, str]) -> str:
    """Return why the relay of this entry cannot run; "" where it can, or nobody can tell."""
    relay = entry.relay
    if relay is None or _FILLED_IN in relay.program:
        return ""
    program = shutil.which(relay.program, path=environment.get("PATH", os.defpath))
    if program is None:
        return f"{relay.program} is not there, or cannot be run"
    if Path(program).name == "learner":
        return _version_problem(program)
    return _interpreter_problem(program)


def _running(file: ClientFile, who: str, relay: Relay) -> Finding:
    """Return what is to be said of a relay that runs: of which version it is, where that can be told."""
    text = f"{who}: the relay runs with {relay.program}"
    if not relay.is_ours or _FILLED_IN in relay.program:
        return Finding("client relay", "ok", text)
    theirs, ours = _asked(relay.program).version, importlib.metadata.version("practicum")
    if theirs != ours:
        text += f", which has practicum {theirs or 'in no known version'}; this is {ours}"
        return Finding("client relay", "warning", text, _renew(file))
    return Finding("client relay", "ok", text)


_version_problem = cache(version_problem)  # many entries name the same program


@cache
def _asked(program: str) -> Interpreter:
    return ask(program)


def _interpreter_problem(program: str) -> str:
    answer = _asked(program)
    missing = [name for name in PACKAGES if not answer.problem and answer.folders.get(name) is None]
    if answer.problem or missing:
        return answer.problem or f"{program} has no package {missing[0]}: practicum is not installed there"
    folders = {Path(folder).parent for folder in answer.folders.values() if folder is not None}
    if len(folders) > 1:
        return f"{program} finds the four packages in different places: {', '.join(sorted(map(str, folders)))}"
    return _version_problem(program, "-I", "-m", "learner")


def _memory(who: str, entry: Entry, environment: Mapping[str, str], place: Place) -> Iterator[Finding]:
    named = entry.relay.option("--memory") if entry.relay is not None else None
    try:
        memory = Path(named).expanduser() if named else default_path(environment)
    except RuntimeError:
        return
    if _FILLED_IN in str(memory):
        return
    if os.path.realpath(memory) != os.path.realpath(place.memory):
        text = f"{who}: its calls go to {memory}, which is not the memory looked at here"
        yield Finding("client memory", "warning", text, command("learner", "--memory", memory, "doctor"))


def _command_problem(entry: Entry, environment: Mapping[str, str]) -> str:
    """Return why the server's command cannot start; "" where it is there, or nobody can tell."""
    if entry.left and not entry.command and entry.url is None:
        return entry.left
    if not entry.command or _FILLED_IN in entry.command[0]:
        return ""
    program = entry.command[0]
    if "/" in program:
        path = Path(entry.cwd or ".", program)
        if not path.is_file():
            return f"its command {program} is not there"
        return "" if os.access(path, os.X_OK) else f"its command {program} may not be run"
    if shutil.which(program, path=environment.get("PATH", os.defpath)) is None:
        return f"its command {program} is not in PATH ({environment.get('PATH', os.defpath)})"
    return ""


def _started(file: ClientFile, who: str, entry: Entry, environment: Mapping[str, str]) -> Iterator[Finding]:
    relay = entry.relay
    words = [*entry.command, entry.url or "", entry.cwd or "", *(entry.environment or {}).values()]
    if relay is None or any(_FILLED_IN in word for word in [relay.program, *words]):
        yield Finding(
            "client server", "ok", f"{who}: not started, as only the client knows what it fills in for ${{...}}"
        )
        return
    if not file.may_start():
        yield Finding(
            "client server", "ok", f"{who}: not started, as the file is a project's, and was not wrapped here"
        )
        return
    problem = problem_of_starting(entry, environment)
    if problem:
        yield Finding("client server", "failure", f"{who}: {problem}", f"${{EDITOR:-vi}} {command(file.path)}")
    else:
        yield Finding("client server", "ok", f"{who}: started, and answered")


def _environment(entry: Entry, environment: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in environment.items() if name in _INHERITED}
    return {**inherited, **(entry.environment or {})}


def _backups(files: list[ClientFile]) -> Iterator[Finding]:
    readable = {kept.directory for kept in all_backups()}
    try:
        folders = [folder for folder in sorted(wrapped_directory().iterdir()) if folder.is_dir()]
    except OSError:
        folders = []
    for folder in folders:
        if folder not in readable:
            text = f"what was kept of a client's file in {folder} is damaged; if its file is unwrapped, remove it"
            yield Finding("client backup", "warning", text, command("rm", "-r", folder))
    for file in files:
        if file.backup is not None and not file.problem and not file.is_wrapped:
            text = f"{file.path} has no relay any more, but its old text is kept in {file.backup.directory}"
            yield Finding("client backup", "warning", text, command("learner", "doctor", "--prune"))


def _restore(file: ClientFile) -> str:
    return command("sh", file.backup.restore_script) if file.backup is not None else ""


def _renew(file: ClientFile) -> str:
    return command("learner", "wrap", file.path)
