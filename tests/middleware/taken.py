"""A relay without any transport, whose records are kept in a list instead of a memory."""

import json
from typing import Any

from middleware.memory.spool import Record
from middleware.memory.writer import FIRST_LOOK
from middleware.recording import Recording
from middleware.relay import Relay
from middleware.settings import DEFAULTS, Settings


class Taken:
    """A relay whose records are kept in a list instead of a memory."""

    def __init__(self, *, trial_token: str | None = None, settings: Settings = DEFAULTS) -> None:
        self.records: list[Record] = []
        self.awaited: list[Record] = []
        self.hints: dict[tuple[str, str], str] = {}
        self.recording = Recording(
            self._submit, server_uid="s", name="n", command=["run"], transport="stdio", settings=settings
        )
        self.settings = settings
        self.trial_token = trial_token
        self.settings = settings
        self.relay = self.another_relay()

    def another_relay(self) -> Relay:
        return Relay(self.recording, lambda: self.hints, trial_token=self.trial_token, settings=self.settings)

    def _submit(self, records: list[Record], *, awaited: bool) -> int:
        self.records += [dict(record) for record in records]
        if awaited:
            self.awaited += self.records[-len(records) :]
        return FIRST_LOOK + len(self.records)

    def asks(self, *messages: object) -> None:
        for message in messages:
            self.relay.client_message(json.dumps(message).encode() + b"\n")

    def answers(self, message: object) -> Any:
        passage = self.relay.server_message(json.dumps(message).encode() + b"\n")
        return json.loads(passage.finish() if passage.finish else passage.data)

    def rows(self, kind: str, *columns: str) -> list[tuple[Any, ...]]:
        return [tuple(record[name] for name in columns) for record in self.records if record["kind"] == kind]


def result(identifier: object, value: object = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "result": {} if value is None else value}
