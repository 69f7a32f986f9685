import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.messages import Message, Reply, ToolCall, ToolSpec, demonstrations_in, system_text
from adapters.scripted import ScriptedModel
from learner.practice import Response, Settings, practise
from middleware.memory.identity import TRIAL_META_KEY
from middleware.memory.records import Trial
from middleware.memory.store import Memory
from tests.conftest import recorded_call, recorded_server

SPECS = [ToolSpec("open", "Open a door.", {"type": "object", "properties": {"code": {"type": "string"}}})]


class Door:
    """A tool that accepts one code, recording as the relay would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = recorded_server(path, "door", [])
        self.metas: list[Mapping[str, Any]] = []

    async def call(self, name: str, arguments: Mapping[str, Any], meta: Mapping[str, Any]) -> Response:
        self.metas.append(meta)
        good = arguments.get("code") == "42"
        text = "open" if good else "wrong code: two digits"
        uid = meta[TRIAL_META_KEY]["uid"]
        outcome = "result" if good else "tool_error"
        recorded_call(self.path, self.server, name, arguments, outcome=outcome, text=text, trial_uid=uid)
        return Response(text, is_error=not good)


def practised(path: Path, memory: Memory, model: ScriptedModel, queries: list[str], **settings: int) -> list[Trial]:
    door = Door(path)
    return asyncio.run(
        practise(
            queries,
            tools=door,
            specs=SPECS,
            model=model,
            memory=memory,
            server_uid=door.server,
            token="secret",
            settings=Settings(**settings),
        )
    )


def tries(*codes: str) -> ScriptedModel:
    """A model that tries the next code after each refusal, and then says something."""

    def reply(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        answers = [message for message in messages if message.role == "tool"]
        if (answers and not answers[-1].is_error) or len(answers) == len(codes):
            return Reply("done")
        return Reply(tool_calls=(ToolCall("open", {"code": codes[len(answers)]}),))

    return ScriptedModel(reply)


def test_a_refused_call_is_followed_by_the_next_reading_until_one_is_accepted(
    memory_file: Path, memory: Memory
) -> None:
    (trial,) = practised(memory_file, memory, tries("1", "42", "7"), ["open the door"])
    assert [(call.arguments["code"], call.outcome) for call in trial.calls] == [("1", "tool_error"), ("42", "result")]
    (remembered,) = memory.trials()
    assert remembered.calls[1].arguments == {"code": "42"}
    assert remembered.verdict is not None
    assert (remembered.verdict.judge, remembered.verdict.label) == ("responses", "solved")


def test_a_trial_that_was_only_refused_or_made_no_call_failed(memory_file: Path, memory: Memory) -> None:
    practised(memory_file, memory, tries("1", "2"), ["open"])
    practised(memory_file, memory, tries(), ["say hello"])
    assert [trial.verdict.label for trial in memory.trials() if trial.verdict] == ["failed", "failed"]


def test_turns_bound_a_trial(memory_file: Path, memory: Memory) -> None:
    (trial,) = practised(memory_file, memory, tries(*"123456789"), ["open"], turns=3)
    assert len(trial.calls) == 3


def test_a_later_episode_sees_what_an_earlier_one_learned_and_only_that(memory_file: Path, memory: Memory) -> None:
    seen: list[list[str]] = []

    def reply(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        if messages[-1].role == "tool":
            return Reply("done")
        seen.append([shown.query for shown in demonstrations_in(system_text(messages))])
        return Reply(tool_calls=(ToolCall("open", {"code": "42" if "front" in messages[-1].content else "0"}),))

    queries = ["open the front door", "open the back door", "open the side door"]
    practised(memory_file, memory, ScriptedModel(reply), queries, episode=2)
    assert seen == [[], [], ["open the front door"]], "refused trials teach nothing, and an episode does not see itself"


def test_each_call_carries_its_trial_and_the_token(memory_file: Path, memory: Memory) -> None:
    door = Door(memory_file)
    trials = asyncio.run(
        practise(
            ["open"],
            tools=door,
            specs=SPECS,
            model=tries("1", "42"),
            memory=memory,
            server_uid=door.server,
            token="secret",
            settings=Settings(),
        )
    )
    assert door.metas == [{TRIAL_META_KEY: {"token": "secret", "uid": trials[0].uid}}] * 2
