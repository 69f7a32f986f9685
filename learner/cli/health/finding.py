"""What a check finds. Every check is a function from a `Place` to its findings; none changes anything."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "warning", "failure"]
# What a finding is about; docs/doctor.md says of each what mends it.
Topic = Literal[
    "packages",
    "package files",
    "environment",
    "sqlite",
    "memory",
    "memory damage",
    "memory access",
    "memory size",
    "memory log",
    "forgetting",
    "search index",
    "query index",
    "calls in flight",
    "spool",
    "disk",
    "client file",
    "client relay",
    "client memory",
    "client server",
    "client backup",
    "check",
    "pruned",
]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is in one line, and the command that mends it, "" where none is needed."""

    topic: Topic
    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Place:
    """What is looked at: a memory, in an environment.

    `keep_days` and `keep_bytes` are None where the memory's own limits hold; `start` also starts the clients' servers,
    `thorough` reads the whole memory however long that takes. `is_named`: the command line names the memory.
    """

    memory: Path
    environment: Mapping[str, str]
    keep_days: float | None = None
    keep_bytes: float | None = None
    start: bool = False
    thorough: bool = False
    is_named: bool = False

    def learner(self, *words: object) -> str:
        """Return a command line of ours for this memory."""
        return command("learner", *(("--memory", self.memory) if self.is_named else ()), *words)


def command(*words: object) -> str:
    """Return a command line that a shell reads as these words."""
    return shlex.join(map(str, words))


def megabytes(count: float) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
