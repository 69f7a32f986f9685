"""Trials → a prompt artefact: demonstrations to choose from for each query, and a hint for each tool."""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from adapters.messages import ToolCall, ToolSpec, demonstration_line
from learner.distill.demonstrations import DEMONSTRATIONS, HINTS
from learner.distill.hints import Correction, hint_texts, shows
from learner.errors import NothingToLearnError
from learner.selection import demonstration_of, select
from middleware.memory.artefacts import Manifest, write_artefact
from middleware.memory.identity import now
from middleware.memory.records import CallMade, Hint, ToolRecord, Trial
from middleware.memory.store import Memory

LIMIT = 20_000  # demonstrations in one artefact
CALLS = 2_000  # newest calls of other clients that hints are chosen from, a server


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


def choose(memory: Memory, *, server_uid: str | None, limit: int = LIMIT) -> list[Trial]:
    """Return the trials that an artefact for one server (None: for all) would be made from."""
    return select(memory.trials(server_uid=server_uid, label="solved"), limit=limit)


def distill_prompt(memory: Memory, *, name: str, server_uid: str | None, limit: int = LIMIT) -> tuple[Path, Manifest]:
    """Write the prompt artefact `name` beside the memory, remember it, and return its folder and manifest.

    Raises:
        NothingToLearnError: neither a solved trial nor a good call of a listed tool is there.
        ArtefactError: the name is taken, or the folder cannot be written.
    """
    trials = choose(memory, server_uid=server_uid, limit=limit)
    tools = [tool for tool in memory.tools() if server_uid in (None, tool.server_uid)]
    demonstrations = [demonstration for trial in trials if (demonstration := demonstration_of(trial))]
    hints, shown = _hints(memory, trials, tools)
    if not demonstrations and not hints:
        raise NothingToLearnError(
            f"the memory {memory.path} has no solved trial and no good call to learn from; "
            "use a server behind learner proxy, import a suite, or practise first"
        )
    hashes: dict[str, dict[str, str]] = {}
    for tool in tools:
        hashes.setdefault(tool.server, {})[tool.name] = tool.hash
    manifest = Manifest(
        name=name,
        kind="prompt",
        created_at=now(),
        practicum=version("practicum"),
        trials=len(trials),
        tools=hashes,
        settings={"server_uid": server_uid, "limit": limit},
    )
    files = {
        DEMONSTRATIONS: "".join(demonstration_line(demonstration) + "\n" for demonstration in demonstrations),
        HINTS: json.dumps({hint.tool_name: hint.text for hint in hints}, indent=1, ensure_ascii=False) + "\n",
    }
    folder = memory.path.parent / "artefacts" / name
    manifest = write_artefact(folder, manifest, files)
    try:
        memory.served.add_artefact(
            name=name,
            kind="prompt",
            path=folder,
            manifest={"files": dict(manifest.files), "tools": hashes, "settings": dict(manifest.settings)},
            trial_uids=[trial.uid for trial in trials],
            hints=hints,
            call_uids=shown,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # an artefact that the memory does not know is none
        raise
    return folder, manifest


def _hints(memory: Memory, trials: Sequence[Trial], tools: Sequence[ToolRecord]) -> tuple[list[Hint], list[str]]:
    """Hints of each server from its own calls alone (two servers may have tools of one name), and the uids of all calls
    whose arguments they show."""
    hints: list[Hint] = []
    shown: list[str] = []
    for uid in sorted({tool.server_uid for tool in tools}):
        own = {tool.name: tool for tool in tools if tool.server_uid == uid}
        heard = [(trial.calls, trial.query or "") for trial in trials if trial.server_uid == uid]
        # What the user asked is unknown here, so it vouches for nothing.
        heard += [(tuple(calls), "") for calls in memory.sessions(uid, limit=CALLS)]
        # A call that worked under another definition says nothing about this one. Imported gold never saw one.
        good = [
            call
            for calls, query in heard
            for call in _own_words(calls, query)
            if call.name in own and (call.tool_hash == own[call.name].hash or call.outcome is None)
        ]
        failed = {call.uid: call for calls, _ in heard for call in calls if call.outcome not in (None, "result")}
        corrections = [
            Correction(_tool_call(failed[call.corrects]), _tool_call(call)) for call in good if call.corrects in failed
        ]
        texts = hint_texts(map(_tool_call, good), tool_specs(own.values()), corrections)
        hints += [Hint(uid, tool, own[tool].hash, text) for tool, text in texts.items()]
        shown += [call.uid for call in good if call.uid and shows(texts.get(call.name, ""), call.arguments)]
    return hints, shown


def _tool_call(call: CallMade) -> ToolCall:
    return ToolCall(call.name, call.arguments)


def _own_words(calls: Iterable[CallMade], query: str) -> Iterator[CallMade]:
    """Yield the good calls but those that repeat words of an earlier answer which the query does not hold.

    What a tool returned must not come into a description by way of a model that repeats it. Behind an answer that was
    not kept, any words may be its own.
    """
    answers = ""
    all_known = True
    for call in calls:
        repeated = any(
            isinstance(value, str)
            and " " in value
            # As it stands, and as it stands inside the JSON of a result.
            and (not all_known or value in answers or json.dumps(value, ensure_ascii=False)[1:-1] in answers)
            and value not in query
            for value in call.arguments.values()
        )
        if call.kept and call.outcome in (None, "result") and not repeated:
            yield call
        all_known &= call.kept
        answers += call.text
