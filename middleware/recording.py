"""Writes what passes: each call with its arguments and its outcome, and beside them the server, the session, the tools.

Everything is redacted here, before it leaves for the writer, so neither the memory nor the spool ever holds a secret
that redaction knows.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from middleware.abridge import LONG
from middleware.corrections import Corrections
from middleware.memory.identity import new_uid, now, tool_hash
from middleware.memory.processes import process_identity
from middleware.memory.redaction import (
    REDACTED,
    redact,
    redact_command,
    redact_definition,
    redact_text,
    signs_of_secrets,
)
from middleware.memory.shortening import CUT_KEY, MARGIN, cut_at_blank, shorten
from middleware.memory.spool import Record
from middleware.messages import META_CLIENT_INFO, META_PROTOCOL_VERSION
from middleware.parsing import spell
from middleware.rounds import OpenCall, Rounds, asks_for_input
from middleware.settings import DEFAULTS, Settings

_ERROR_LIMIT = 2_000  # characters
_SHORT = 128  # characters, as the names of tools are
INTENT_LIMIT = 2_000  # characters
# What a call says, in its row, and the id that its client chose for it.
_SAID = ("arguments_json", "result_json", "error", "intent", "jsonrpc_id")

# (records, awaited=whether something waits for them) → ticket; `Writer.submit` in life
Submit = Callable[..., int]


class Recording:
    """One session's records. The writer's tickets are handed on for whatever has to wait until it is durable.

    Several relays may share one, each an exchange of the same client: what joins the rounds of a call, and a failure
    with its correction, is kept here. `end` is for the last of them.
    """

    def __init__(
        self,
        submit: Submit,
        *,
        server_uid: str,
        name: str,
        command: Sequence[str],
        transport: str,
        settings: Settings = DEFAULTS,
    ) -> None:
        self._submit_records = submit
        self._capture = settings.capture
        self._limit = settings.value_limit
        self._server_uid = server_uid
        self._hashes: dict[str, str] = {}  # tool name → hash of its definition, as last listed
        self._known: set[str] = set()  # hashes that have a row
        self._rounds = Rounds()
        self._corrections = Corrections()
        self._process = {"pid": os.getpid(), "process": process_identity()}
        self._session: Record = {
            "kind": "session",
            "uid": new_uid(),
            "server_uid": server_uid,
            "client_name": None,
            "client_version": None,
            "protocol_version": None,
            "transport": transport,
            "created_at": now(),
        }
        self._server: Record | None = {
            "kind": "server",
            "uid": server_uid,
            "name": _text(name),
            "command": _clean(redact_command(command)),
            "created_at": now(),
        }

    def client(self, *, info: Any = None, protocol_version: Any = None) -> None:
        """Record who the client is and which revision is spoken, as far as each is told now."""
        told = {"protocol_version": protocol_version}
        if isinstance(info, dict):
            told |= {"client_name": info.get("name"), "client_version": info.get("version")}
        new = {key: _text(value) for key, value in told.items() if isinstance(value, str)}
        if any(self._session[key] != value for key, value in new.items()):
            self._session = {**self._session, **new}
            self._submit([self._session] if self._server is None else [], awaited=False)

    def client_from_meta(self, meta: Any) -> None:
        """The same, from a request's `_meta`: from 2026-07-28 on, each request tells it."""
        if isinstance(meta, dict) and META_PROTOCOL_VERSION in meta:
            self.client(info=meta.get(META_CLIENT_INFO), protocol_version=meta[META_PROTOCOL_VERSION])

    def tools(self, definitions: Any) -> int:
        """Record the definitions of one page of `tools/list`; return a ticket, 0 when all were known."""
        records = []
        for definition in definitions if isinstance(definitions, list) else []:
            name = definition.get("name") if isinstance(definition, dict) else None
            if not isinstance(name, str):
                continue
            digest = _hash(definition)
            if digest is None:
                continue
            self._hashes[name] = digest
            if digest not in self._known:
                self._known.add(digest)
                records.append(
                    {
                        "kind": "tool",
                        "server_uid": self._server_uid,
                        "hash": digest,
                        "name": _text(name),
                        "definition_json": _definition_json(definition),
                        "created_at": now(),
                    }
                )
        return self._submit(records, awaited=True) if records else 0

    def request(self, message: dict[str, Any], size: int, trial_uid: str | None, intent: str | None = None) -> OpenCall:
        """Record that a `tools/call` of `size` bytes passes: a new call, or the next round of one that waits.

        `intent` is what the model said that it is for. Its `inputResponses` are what a person was asked for, and are
        never recorded.
        """
        started = time.perf_counter()
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        name = params.get("name", "")
        name = name if isinstance(name, str) else spell(name)
        tool_name = _short_text(name) if len(name) <= _SHORT else _text(name)
        call = self._rounds.take(tool_name, params)
        if call is not None:
            call.record["rounds"] += 1
            self._submit_open(call)
            return call
        arguments = params.get("arguments")
        record: Record = {
            "kind": "call",
            "uid": new_uid(),
            "server_uid": self._server_uid,
            "session_uid": self._session["uid"],
            "tool_name": tool_name,
            "tool_hash": self._hashes.get(name),
            "arguments_json": self._json(arguments, size, CUT_KEY in params) if isinstance(arguments, dict) else None,
            "result_json": None,
            "outcome": "no_answer",
            "error": None,
            "error_code": None,
            "created_at": now(),
            "duration_ms": None,
            "request_bytes": size,
            "result_bytes": None,
            "jsonrpc_id": _id_json(message.get("id")),
            "rounds": 1,
            "corrects": None,
            "trial_uid": trial_uid,
            "capture": self._capture,
            "intent": None if intent is None else _limited(intent, INTENT_LIMIT),
        }
        failure = self._corrections.open_to(tool_name, trial_uid, started)
        call = OpenCall(record, arguments, started, failure)
        self._submit_open(call)
        return call

    def cancel(self, call: OpenCall) -> None:
        """Record that the client waits no longer; an answer may still come."""
        call.record["outcome"] = "cancelled"
        self._submit_open(call)

    def answer(self, call: OpenCall, message: dict[str, Any], size: int) -> int:
        """Record the response of `size` bytes, and return the ticket that its passing waits for.

        One that asks for input is only noted: the call goes on with the client's next round.
        """
        record = call.record
        answered = time.perf_counter()
        error, result = message.get("error"), message.get("result")
        record["result_bytes"] = size
        record["result_json"] = None if error is not None else self._result_json(result, size)
        if error is None and asks_for_input(result) and record["outcome"] != "cancelled":
            no_room = self._rounds.wait(call, result.get("requestState"))
            if no_room is not None:
                self.unanswered(no_room)
            return self._submit_open(call, awaited=True)
        record["duration_ms"] = round((answered - call.started) * 1000, 3)
        if error is not None:
            record["outcome"] = "protocol_error"
            record["error"], record["error_code"] = _error(error, _ERROR_LIMIT if self._capture == "cut" else None)
        elif isinstance(result, dict) and result.get("isError") is True:
            record["outcome"] = "tool_error"
            record["error"] = _limited(_content_text(result), _ERROR_LIMIT)
        elif not asks_for_input(result):
            record["outcome"] = "result"
        if record["outcome"] in ("tool_error", "protocol_error"):
            self._corrections.failed(record, call.arguments_hash, answered)
        elif record["outcome"] == "result" and call.failure is not None:
            record["corrects"] = self._corrections.settle(call.failure, call.arguments_hash)
        return self._submit_call(call, awaited=True)

    def unanswered(self, call: OpenCall, reason: str | None = None) -> int:
        """Record that no answer will come: `no_answer`, or `cancelled` if it was.

        With a `reason`, which the client is told too, return the ticket that telling it waits for.
        """
        if reason is not None:
            call.record["error"] = _text(reason)
        return self._submit_call(call, awaited=reason is not None)

    def end(self) -> None:
        """Close the calls whose next round has not come: it will not."""
        for call in self._rounds.end():
            self.unanswered(call)

    def _submit(self, records: list[Record], *, awaited: bool) -> int:
        """Have `records` written; the first bring the server and the session with them, so that a command which
        cannot even start leaves nothing behind."""
        if self._server is not None:
            records = [self._server, self._session, *records]
            self._server = None
        return self._submit_records(records, awaited=awaited)

    def _submit_open(self, call: OpenCall, *, awaited: bool = False) -> int:
        # A copy: the call goes on while this is written.
        opened = {"kind": "open", "uid": call.record["uid"], "call": self._kept(call), **self._process}
        return self._submit([opened], awaited=awaited)

    def _submit_call(self, call: OpenCall, *, awaited: bool) -> int:
        return self._submit([self._kept(call)], awaited=awaited)

    def _kept(self, call: OpenCall) -> Record:
        """Return the call's row as it may leave us: every way to the disk begins here."""
        return {**call.record, **dict.fromkeys(_SAID)} if self._capture == "off" else dict(call.record)

    def _result_json(self, result: Any, size: int) -> str:
        if isinstance(result, dict) and "requestState" in result:
            result = {**result, "requestState": REDACTED}  # meant for the server alone, and may open its doors
        return self._json(result, size, isinstance(result, dict) and CUT_KEY in result)

    def _json(self, value: Any, size: int, was_cut: bool) -> str:
        """Return `value`, from a message of `size` bytes, as JSON: redacted; above the limit cut, and saying so."""
        cut = was_cut and size > LONG  # else it is no mark of ours
        if self._limit is not None and size > self._limit:
            # Redacted between two cuts: the first keeps that cheap, and the second leaves no half of a secret.
            value, is_short = shorten(value, self._limit + MARGIN)
            cut |= is_short
            # A little less than the limit: what says so takes room too.
            value, is_short = shorten(_redacted(value), self._limit - 64)
            cut |= is_short
            text_of = spell
        else:
            text_of = _json
        if cut and isinstance(value, dict):
            value = {**value, CUT_KEY: {"bytes": size}}
        return text_of(value)


def _json(value: Any, *, names: bool = True) -> str:
    """Return `value` as JSON, redacted."""
    text = spell(value)
    signs = signs_of_secrets(text)
    return spell(redact(value, names=names, signs=signs)) if any(signs) else text


def _id_json(identifier: Any) -> str:
    return spell(identifier) if isinstance(identifier, int) else _json(identifier, names=False)


def _definition_json(definition: Any) -> str:
    signs = signs_of_secrets(spell(definition))
    return spell(redact_definition(definition, signs=signs) if any(signs) else definition)


def _redacted(value: Any) -> Any:
    signs = signs_of_secrets(spell(value))
    return redact(value, signs=signs) if any(signs) else value


def _hash(definition: dict[str, Any]) -> str | None:
    try:
        return tool_hash(definition)
    except RecursionError:
        return None


def _error(error: Any, limit: int | None) -> tuple[str, int | None]:
    if not isinstance(error, dict):
        return _limited(spell(error), limit), None
    message = error.get("message")
    text = message if isinstance(message, str) else spell(message)
    if error.get("data") is not None:
        text = f"{text} {spell(error['data'])}"
    code = error.get("code")
    fits = isinstance(code, int) and not isinstance(code, bool) and -(2**63) <= code < 2**63
    return _limited(text, limit), code if fits else None


def _content_text(result: dict[str, Any]) -> str:
    content = result.get("content")
    items = content if isinstance(content, list) else []
    texts = [item["text"] for item in items if isinstance(item, dict) and isinstance(item.get("text"), str)]
    return "\n".join(texts)


def _limited(text: str, limit: int | None) -> str:
    if limit is not None and len(text) > limit:
        return _text(cut_at_blank(text[: limit + MARGIN]))[:limit]
    return _text(text)


def _text(text: str) -> str:
    return _clean(redact_text(text) if any(signs_of_secrets(text)) else text)


@lru_cache(maxsize=256)  # tools are called again
def _short_text(text: str) -> str:
    return _text(text)


def _clean(text: str) -> str:
    """Return `text` as SQLite takes it: halves of surrogate pairs are no characters."""
    return text.encode("utf-8", "replace").decode()
