"""Trials → a prompt artefact: demonstrations to choose from for each query, and a hint for each tool."""

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from adapters.messages import ToolSpec, demonstration_line
from learner.distill.demonstrations import DEMONSTRATIONS, HINTS
from learner.distill.hints import hint_texts
from learner.errors import NothingToLearnError
from learner.selection import demonstration_of, select
from middleware.memory.artefacts import Manifest, write_artefact
from middleware.memory.identity import now
from middleware.memory.records import Hint, ToolRecord, Trial
from middleware.memory.store import Memory

LIMIT = 20_000  # demonstrations in one artefact


def tool_specs(tools: Iterable[ToolRecord]) -> list[ToolSpec]:
    """Return the tools as a model sees them."""
    return [
        ToolSpec(
            tool.name,
            str(tool.definition.get("description") or ""),
            dict(tool.definition.get("inputSchema") or {}),
        )
        for tool in tools
    ]


def choose(memory: Memory, *, server: str | None, limit: int = LIMIT) -> list[Trial]:
    """Return the trials that an artefact for `server` (all servers when None) would be made from.

    Raises:
        NothingToLearnError: no solved trial is there.
    """
    chosen = select(memory.trials(server=server, label="solved"), limit=limit)
    if not chosen:
        of_server = f" for server {server!r}" if server else ""
        raise NothingToLearnError(
            f"the memory {memory.path} has no solved trial{of_server}; import a suite or practise first"
        )
    return chosen


def distill_prompt(memory: Memory, *, name: str, server: str | None, limit: int = LIMIT) -> tuple[Path, Manifest]:
    """Write the prompt artefact `name` beside the memory, remember it, and return its folder and manifest.

    Raises:
        NothingToLearnError: no solved trial is there.
        ArtefactError: the name is taken, or the folder cannot be written.
    """
    trials = choose(memory, server=server, limit=limit)
    demonstrations = [demonstration for trial in trials if (demonstration := demonstration_of(trial))]
    hints, texts = _hints(trials, memory.tools(server))
    hashes: dict[str, dict[str, str]] = {}
    for tool in memory.tools(server):
        hashes.setdefault(tool.server, {})[tool.name] = tool.hash
    manifest = Manifest(
        name=name,
        kind="prompt",
        created_at=now(),
        practicum=version("practicum"),
        trials=len(trials),
        tools=hashes,
        settings={"server": server, "limit": limit},
    )
    files = {
        DEMONSTRATIONS: "".join(demonstration_line(demonstration) + "\n" for demonstration in demonstrations),
        HINTS: json.dumps(texts, indent=1, ensure_ascii=False) + "\n",
    }
    folder = memory.path.parent / "artefacts" / name
    manifest = write_artefact(folder, manifest, files)
    memory.add_artefact(
        name=name,
        kind="prompt",
        path=folder,
        manifest={"files": dict(manifest.files), "tools": hashes, "settings": dict(manifest.settings)},
        trial_uids=[trial.uid for trial in trials],
        hints=hints,
    )
    return folder, manifest


def _hints(trials: Sequence[Trial], tools: Sequence[ToolRecord]) -> tuple[list[Hint], Mapping[str, str]]:
    """Hints of each server from its own trials alone: two servers may have tools of one name."""
    hints = []
    texts: dict[str, str] = {}
    for uid in sorted({tool.server_uid for tool in tools}):
        own = {tool.name: tool for tool in tools if tool.server_uid == uid}
        calls = [
            call
            for trial in trials
            if trial.server_uid == uid and (demonstration := demonstration_of(trial))
            for call in demonstration.calls
        ]
        for tool, text in hint_texts(calls, tool_specs(own.values())).items():
            hints.append(Hint(uid, tool, own[tool].hash, text))
            texts[tool] = text
    return hints, texts
