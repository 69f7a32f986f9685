"""Sends the corpus through real relay processes, and collects every byte that they write."""

import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import apsw

from middleware.memory.database import open_database
from middleware.messages import META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_PROTOCOL_VERSION
from tests.middleware.peer import ROOT, TIMEOUT_S, Peer, python
from tests.middleware.secrets.carriers import Exchange, result_text
from tests.middleware.secrets.harmless import Harmless

# Lists the tools and gives the answers that stand in the two files it is given; further words are as nothing to it.
SERVER = """
import json, sys
tools, answers = (open(path).read().splitlines() for path in sys.argv[1:3])
for line in sys.stdin.buffer:
    m = json.loads(line)
    if "id" not in m: continue
    if m["method"] == "tools/list": answer = '"result":{"tools":[%s]}' % ",".join(tools)
    elif m["method"] != "tools/call": answer = '"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}'
    else: answer = answers[int(str(m["id"]).rpartition(":")[2])]
    sys.stdout.write('{"jsonrpc":"2.0","id":%s,%s}\\n' % (json.dumps(m["id"]), answer))
    sys.stdout.flush()
"""


def server(folder: Path, exchanges: Sequence[Exchange]) -> list[str]:
    """Write down what the server is to say; return its command."""
    tools = [json.dumps(one.definition) for one in exchanges if one.definition is not None]
    answers = [json.dumps(one.answer)[1:-1] for one in exchanges]
    paths = []
    for name, lines in (("tools", tools), ("answers", answers)):
        path = folder / name
        path.write_text("\n".join(lines))
        paths.append(str(path))
    return [*python(SERVER), *paths, *(word for one in exchanges for word in one.words)]


def requests(exchanges: Sequence[Exchange]) -> list[bytes]:
    """Return the lines that a client sends: the listing of the tools, and every call, its number behind its id."""
    lines: list[dict[str, Any]] = [{"id": "list", "method": "tools/list", "params": {}}]
    for number, one in enumerate(exchanges):
        params: dict[str, Any] = {"name": one.tool, "arguments": one.arguments}
        if one.client is not None:
            params["_meta"] = {
                META_PROTOCOL_VERSION: "2026-07-28",
                META_CLIENT_CAPABILITIES: {},
                META_CLIENT_INFO: {"name": one.client, "version": "1"},
            }
        lines.append({"id": f"{one.identifier}:{number}", "method": "tools/call", "params": params})
    # Not ASCII only: what a client escapes is its own affair.
    return [
        json.dumps({"jsonrpc": "2.0", **line}, ensure_ascii=number % 2 == 0).encode() + b"\n"
        for number, line in enumerate(lines)
    ]


def through_stdio(home: Path, exchanges: Sequence[Exchange], *, is_locked: bool = False) -> list[tuple[Path, bytes]]:
    """Have the exchanges relayed on stdio; return every file with its bytes, before and after the relay has ended.

    `is_locked`: another process holds the memory all the time, so that everything goes to the spool.
    """
    data = home / "data"
    data.mkdir(parents=True)
    memory = data / "memory.db"
    with locked(memory) if is_locked else nullcontext():
        with Peer(memory, server(home, exchanges), environment={"XDG_STATE_HOME": str(data)}) as peer:
            lines = requests(exchanges)
            sender = threading.Thread(target=peer.send, args=lines, daemon=True)
            sender.start()
            for _ in lines:
                assert peer.line()
            sender.join(TIMEOUT_S)
            found = written(data)
            assert peer.finish() == 0
        return [*found, *written(data)]


def through_http(home: Path, exchanges: Sequence[Exchange]) -> list[tuple[Path, bytes]]:
    """Have the exchanges relayed over HTTP, in front of a command; return what files there are afterwards."""
    data = home / "data"
    data.mkdir(parents=True)
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "corpus", "--memory", str(data / "memory.db")]
    command = [*relay, "--http", "127.0.0.1:0", "--", *server(home, exchanges)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            url = re.search(r"served at (http://\S+)", said)
            assert url is not None, said
            hello = {
                "protocolVersion": "2025-11-25",
                "clientInfo": {"name": "corpus", "version": "1"},
                "capabilities": {},
            }
            begin = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).encode()
            session = _post(url[1], begin, {})["Mcp-Session-Id"]
            for line in requests(exchanges):
                _post(url[1], line, {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"})
            process.terminate()
            process.wait(TIMEOUT_S)
        finally:
            process.kill()
    return written(data)


def _post(url: str, body: bytes, headers: dict[str, str]) -> Any:
    both = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(url, body, {**both, **headers}), timeout=TIMEOUT_S) as response:
        response.read()
        return response.headers


@contextmanager
def locked(memory: Path) -> Iterator[None]:
    """Hold the memory, as a process does that writes and does not end."""
    holder = open_database(memory)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def written(folder: Path) -> list[tuple[Path, bytes]]:
    """Return every file under `folder` with its bytes."""
    return [(path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


def recorded(memory: Path) -> list[tuple[Any, Any, Any]]:
    """Return arguments, result and error of the calls in the memory, in the order of the exchanges."""
    connection = apsw.Connection(str(memory), flags=apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute("SELECT jsonrpc_id, arguments_json, result_json, error FROM calls").fetchall()
    connection.close()
    found: dict[int, tuple[Any, Any, Any]] = {}
    for identifier, arguments, result, error in rows:
        number = int(str(json.loads(str(identifier))).rpartition(":")[2])
        found[number] = (
            None if arguments is None else json.loads(str(arguments)),
            None if result is None else json.loads(str(result)),
            error,
        )
    return [found[number] for number in sorted(found)]


_PACK = 15  # harmless values in one call: below the length that is cut


def changed(home: Path, values: Sequence[Harmless]) -> list[Harmless]:
    """Have the values relayed, in turn as arguments, in structured content and in texts; return those that are
    remembered otherwise than they were sent."""
    packs = [list(values[start : start + _PACK]) for start in range(0, len(values), _PACK)]
    exchanges = [_packed(pack, number) for number, pack in enumerate(packs)]
    through_stdio(home, exchanges)
    found = []
    for number, (pack, exchange, row) in enumerate(
        zip(packs, exchanges, recorded(home / "data" / "memory.db"), strict=True)
    ):
        sent, kept = _parts(exchange.arguments, exchange.answer["result"], number), _parts(row[0], row[1], number)
        found += [value for value, one, other in zip(pack, sent, kept, strict=True) if one != other]
    return found


def _packed(pack: list[Harmless], number: int) -> Exchange:
    rows = [{value.key: value.value} for value in pack]
    if number % 4 == 0:
        return Exchange({"rows": rows})
    if number % 4 == 1:
        return Exchange(answer=result_text("rows", structuredContent={"rows": rows}))
    texts = [value.value if isinstance(value.value, str) else json.dumps(value.value) for value in pack]
    if number % 4 == 2:
        texts = [f"{value.key}: {text}" for value, text in zip(pack, texts, strict=True)]
    return Exchange(answer=result_text(*texts))


def _parts(arguments: Any, result: Any, number: int) -> list[Any]:
    if number % 4 == 0:
        return list(arguments["rows"])
    return list(result["structuredContent"]["rows"] if number % 4 == 1 else result["content"])
