"""Practice: try a request, see the response, try the next reading, remember.

The learner sees what any client sees: the tools, and each call's response. A trial counts as solved when its last call
was accepted; whether it was also right nobody tells it. Within an episode the trials share what was remembered before
it; after it the new trials are remembered too (long-term memory), so that later episodes build on them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.base import ChatModel
from adapters.messages import Message, Options, ToolCall, ToolSpec
from learner.distill.demonstrations import Demonstrations
from learner.evaluation import prompt
from learner.selection import demonstration_of, select
from middleware.memory.identity import TRIAL_META_KEY, new_uid, now
from middleware.memory.records import CallMade, Outcome, Trial, Verdict
from middleware.memory.store import Memory

ACCEPTED = Verdict("responses", "solved", 0.6, "the server accepted the last call")
REFUSED = Verdict("responses", "failed", 0.9, "the server refused the last call")
SILENT = Verdict("responses", "failed", 0.9, "the model made no call")


@dataclass(frozen=True)
class Response:
    """What a tool answered: its text, and MCP's `is_error`."""

    text: str
    is_error: bool


class Tools(Protocol):
    """Where practice calls tools: an MCP session, seen through the little that practice needs."""

    async def call(self, name: str, arguments: Mapping[str, Any], meta: Mapping[str, Any]) -> Response:
        """Call a tool, with `meta` as the request's `_meta`."""


@dataclass(frozen=True)
class Settings:
    """`turns`: replies of the model in one trial; `episode`: trials that share one state of the memory."""

    turns: int = 8
    episode: int = 20


async def practise(
    queries: Sequence[str],
    *,
    tools: Tools,
    specs: Sequence[ToolSpec],
    model: ChatModel,
    memory: Memory,
    server_uid: str,
    token: str,
    settings: Settings,
    progress: Callable[[], None] = lambda: None,
) -> list[Trial]:
    """Try each of `queries` once and return the trials, which are then in memory too.

    `token` proves to the relay that its trial ids are the learner's own (`TRIAL_TOKEN_VARIABLE`).
    """
    made: list[Trial] = []
    for start in range(0, len(queries), settings.episode):
        remembered = Demonstrations(
            [
                demonstration
                for trial in select(memory.trials(server_uid=server_uid, label="solved"), limit=20_000)
                if (demonstration := demonstration_of(trial))
            ]
        )
        episode = memory.add_episode(
            server_uid=server_uid,
            model=model.name,
            settings={"turns": settings.turns, "trials": settings.episode},
        )
        trials = []
        for query in queries[start : start + settings.episode]:
            uid = new_uid()
            messages = prompt(query, remembered.nearest(query))
            meta = {TRIAL_META_KEY: {"token": token, "uid": uid}}
            calls = await _attempt(messages, tools, specs, model, meta, settings.turns)
            trials.append(
                Trial(
                    uid=uid,
                    query=query,
                    source="explore",
                    model=model.name,
                    server_uid=server_uid,
                    calls=tuple(calls),
                    verdict=_verdict(calls),
                    created_at=now(),
                    episode_uid=episode,
                )
            )
            progress()
        memory.add_trials(trials)
        made.extend(trials)
    return made


async def _attempt(
    messages: list[Message],
    tools: Tools,
    specs: Sequence[ToolSpec],
    model: ChatModel,
    meta: Mapping[str, Any],
    turns: int,
) -> list[CallMade]:
    calls: list[CallMade] = []
    for turn in range(turns):
        reply = model.generate(messages, specs, Options())
        if not reply.tool_calls:
            break
        # Ids are ours: a model may give none, or the same one twice.
        asked = tuple(
            ToolCall(call.name, call.arguments, f"{turn}-{number}") for number, call in enumerate(reply.tool_calls)
        )
        messages.append(Message("assistant", reply.text, asked))
        for call in asked:
            response = await tools.call(call.name, call.arguments, meta)
            messages.append(Message("tool", response.text, tool_call_id=call.id, is_error=response.is_error))
            outcome: Outcome = "tool_error" if response.is_error else "result"
            calls.append(CallMade(call.name, json.loads(json.dumps(dict(call.arguments))), outcome, response.text))
    return calls


def _verdict(calls: Sequence[CallMade]) -> Verdict:
    if not calls:
        return SILENT
    return ACCEPTED if calls[-1].outcome == "result" else REFUSED
