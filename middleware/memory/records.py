"""What the memory holds, as the learner sees it. Rows are written once; a verdict never edits its trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["result", "tool_error", "protocol_error", "cancelled", "no_answer"]
Source = Literal["live", "explore", "import", "evaluate"]
Label = Literal["solved", "failed", "unclear"]
Kind = Literal["prompt", "dataset", "preferences", "lora"]


@dataclass(frozen=True)
class ServerRecord:
    """A server that a relay stood before, or that was imported."""

    uid: str
    name: str
    command: str
    created_at: str
    tools: int
    calls: int
    failures: int


@dataclass(frozen=True)
class ToolRecord:
    """A tool's newest definition, and how its calls ended, over all of its definitions."""

    server_uid: str
    server: str
    name: str
    hash: str
    definition: Mapping[str, Any]
    calls: int
    failures: int


@dataclass(frozen=True)
class CallRecord:
    """One `tools/call` and its outcome. What is None was not there; the schema page says why each can be."""

    id: int
    uid: str
    server_uid: str
    server: str
    tool_name: str
    tool_hash: str | None
    arguments_json: str | None
    result_json: str | None
    outcome: Outcome | None
    error: str | None
    created_at: str
    duration_ms: float | None
    client_name: str | None
    trial_uid: str | None
    rounds: int
    corrects: str | None
    capture: str | None
    intent: str | None
    corrected_by: str | None


@dataclass(frozen=True)
class ToolCounts:
    """How many calls of one tool there were (cancelled ones too), how many failed, how many were cancelled."""

    server_uid: str
    server: str
    tool: str
    calls: int
    failures: int
    cancelled: int


@dataclass(frozen=True)
class CallEnded:
    """How one call of a known tool ended, and what it was called with; None as in the schema."""

    uid: str
    created_at: str
    outcome: Outcome
    error: str | None
    error_code: int | None
    arguments_json: str | None
    capture: str | None


@dataclass(frozen=True)
class CallMade:
    """A call as the learner compares and shows it: tool, arguments, how it ended, and what was answered.

    `tool_hash` is of the definition that the caller saw (None: it never listed the tools, or the call is imported).
    `corrects` is the uid of the failed call that this good one corrects. When not `kept`, nothing is known of its
    arguments and its answer.
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: Outcome | None = None
    text: str = ""
    tool_hash: str | None = None
    uid: str = ""
    corrects: str | None = None
    kept: bool = True


@dataclass(frozen=True)
class Verdict:
    """Somebody's judgement of a trial; `confidence` is between 0 and 1."""

    judge: str
    label: Label
    confidence: float
    reason: str


@dataclass(frozen=True)
class Trial:
    """One attempt at one query, with its calls in order and its newest verdict (None: not judged).

    One of a client other than the learner has no model, but its client's name, if that was told, and as its query what
    the model said that the calls were for, if it was asked (`--intent`).
    """

    uid: str
    query: str | None
    source: Source
    model: str | None
    server_uid: str | None
    calls: tuple[CallMade, ...]
    verdict: Verdict | None
    created_at: str = ""
    origin: str | None = None
    episode_uid: str | None = None
    id: int = 0
    client_name: str | None = None


@dataclass(frozen=True)
class Hint:
    """A text for one tool's description, under one definition of it."""

    server_uid: str
    tool_name: str
    tool_hash: str
    text: str


@dataclass(frozen=True)
class ArtefactRecord:
    """What `learner distill` wrote: `serving` names the servers whose relays show its hints now."""

    name: str
    kind: Kind
    path: str
    created_at: str
    trials: int
    serving: tuple[str, ...]
