"""Raw lines to and from a server's process, with no SDK between that would tidy them."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.conformance.places import ROOT
from tests.middleware.peer import TIMEOUT_S

LONGEST = 1 << 24
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
WHO = {"name": "wire", "version": "1"}


def script(revision: str, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the messages of a session: the opening of this revision, the tools, then each call."""
    if revision == LEGACY:
        opening = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": WHO}
        first, meta = ("initialize", opening), {}
    else:
        key = "io.modelcontextprotocol"
        meta = {f"{key}/protocolVersion": MODERN, f"{key}/clientInfo": WHO, f"{key}/clientCapabilities": {}}
        first = ("server/discover", {})
    asked = [first, ("tools/list", {}), *(("tools/call", {"name": name, "arguments": a}) for name, a in calls)]
    messages: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, **({"_meta": meta} if meta else {})}}
        for number, (method, params) in enumerate(asked)
    ]
    if revision == LEGACY:
        messages.insert(1, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    return messages


def exchange(
    command: Sequence[str], messages: Sequence[Mapping[str, Any]], environment: Mapping[str, str]
) -> list[bytes]:
    """Send the messages, each after the answer to the one before, and return the lines of the answers."""

    async def work() -> list[bytes]:
        answers = []
        with anyio.fail_after(TIMEOUT_S):
            async with await anyio.open_process(
                command, cwd=ROOT, env={**os.environ, **environment}, stderr=None
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                lines = BufferedByteReceiveStream(process.stdout)
                for message in messages:
                    await process.stdin.send(json.dumps(message).encode() + b"\n")
                    while "id" in message:
                        line = await lines.receive_until(b"\n", LONGEST)
                        answer = json.loads(line)
                        if "method" not in answer and answer["id"] == message["id"]:
                            answers.append(line)
                            break
                await process.stdin.aclose()
        return answers

    return anyio.run(work)
