"""A marker that was driven into everything the memory writes is forgotten, with a relay running all the while."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import pytest

from learner.distill.hints import HEADING
from middleware.memory.database import open_database
from middleware.memory.identity import now
from middleware.memory.records import Trial, Verdict
from middleware.memory.spool import Spool
from middleware.memory.store import Memory
from tests.conftest import a_call
from tests.middleware.peer import ROOT, TIMEOUT_S, Peer, call, python, wait_for
from tests.middleware.test_forget import MARK, traces

# Says what it is asked, and tells of the marker, which it was started with, in a tool's description.
SERVER = """
import json, sys
note = {"name": "note", "description": "Notes. " + sys.argv[1],
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}
for line in sys.stdin.buffer:
    m = json.loads(line)
    if "id" not in m: continue
    params = m.get("params") or {}
    text = json.dumps(params.get("arguments"))
    if params.get("name") == "hang": continue
    if m["method"] == "initialize":
        answer = {"result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {"listChanged": True}},
                             "serverInfo": {"name": "n", "version": "1"}}}
    elif m["method"] == "tools/list": answer = {"result": {"tools": [note]}}
    elif params.get("name") == "refuse": answer = {"error": {"code": -32602, "message": text}}
    else: answer = {"result": {"content": [{"type": "text", "text": text}], "isError": params.get("name") == "fail"}}
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer}) + "\\n")
    sys.stdout.flush()
"""


class Command:
    """The command `learner` on one memory, in processes of its own."""

    def __init__(self, memory: Path) -> None:
        self.memory = memory

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "learner", "--memory", str(self.memory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(self.memory.parent / "state")},
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, errors
        return output


def suite(folder: Path) -> Path:
    """Make a suite whose one case asks for the marker."""
    folder.mkdir()
    tool = {"name": "note", "description": "Notes.", "inputSchema": {"type": "object", "properties": {}}}
    case = {"id": "1", "query": f"note {MARK}", "calls": [{"name": "note", "arguments": {"text": MARK}}]}
    (folder / "suite.json").write_text('{"name": "notes"}')
    (folder / "tools.json").write_text(json.dumps({"tools": [tool]}))
    (folder / "cases-train.jsonl").write_text(json.dumps(case) + "\n")
    return folder


def listed(peer: Peer) -> str:
    """Ask for the tools, and return the one tool's description."""
    peer.send({"jsonrpc": "2.0", "id": "list", "method": "tools/list"})
    while (message := peer.message()).get("id") != "list":
        pass
    return str(message["result"]["tools"][0]["description"])


def answer(peer: Peer, identifier: int, name: str, arguments: Mapping[str, Any]) -> Any:
    """Call a tool and return its response; notifications may come before it."""
    peer.send(call(identifier, name, arguments))
    while (message := peer.message()).get("id") != identifier:
        pass
    return message


def until_listed(peer: Peer, *, hinted: bool) -> None:
    for _ in range(100_000):
        if (HEADING in listed(peer)) == hinted:
            return
    raise TimeoutError("the relay has not noticed")


@pytest.mark.parametrize("selector", [("--containing", MARK), ("--server", "peer"), ("--before", "2999-01-01")])
def test_a_marker_that_was_in_everything_is_in_no_file(tmp_path: Path, selector: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    memory, command = data / "memory.db", Command(data / "memory.db")
    everywhere = selector == ("--containing", MARK)
    # A date does not ask for servers and their tools.
    with Peer(memory, [*python(SERVER), "" if selector[0] == "--before" else MARK], name="peer") as peer:
        info = {"name": MARK if everywhere else "client", "version": "1"}
        peer.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"clientInfo": info}})
        assert peer.message()["id"] == 0
        listed(peer)
        for number, name in enumerate(("note", "fail", "refuse", "note"), 1):
            answer(peer, number, name, {"text": MARK if number < 4 else "harmless"})
        if everywhere:
            command.run("import", "suite", str(suite(tmp_path / "suite")), "--split", "train")
            practise(memory)
        made = json.loads(command.run("distill", "--to", "prompt", "--name", "made", "--json"))
        assert traces(Path(made["path"]))
        command.run("apply", "made")
        until_listed(peer, hinted=True)
        command.run("calls", "--search", "red")
        command.run("trials", "--like", "red")
        dead = Spool(memory)
        dead.append([a_call("dead", arguments_json=json.dumps({"text": MARK}), server_uid=peer_uid(memory))])
        dead.close()
        peer.send(call("open", "hang", {"text": MARK}))
        wait_for(memory, "SELECT count(*) FROM open_calls", [(1,)])
        # The relay has to spool, and keeps it until the memory is free again: forgetting has begun by then.
        holder = apsw.Connection(str(memory))
        holder.execute("BEGIN IMMEDIATE")
        answer(peer, 5, "note", {"text": MARK})
        assert len(traces(data)) > 3
        forgetting = command.start("forget", *selector, "--yes")
        holder.execute("ROLLBACK")
        holder.close()
        output, errors = forgetting.communicate(timeout=TIMEOUT_S)
        assert forgetting.returncode == 0, (output, errors)
        assert "artefact made, shown now by the relays of peer" in output
        assert traces(data) == []
        until_listed(peer, hinted=False)
        answer(peer, 6, "note", {"text": "after"})
        # Clients that forget the server find it again with its next call.
        wait_for(
            memory, "SELECT name, client_name IS NOT NULL FROM servers, sessions WHERE name = 'peer'", [("peer", 1)]
        )
        peer.stdin.close()
        assert peer.process.wait(TIMEOUT_S) == 0
    rows = [*(['{"text":"harmless"}'] if everywhere else []), '{"text":"after"}']
    database = open_database(memory)
    assert database.execute("SELECT arguments_json FROM calls ORDER BY id").fetchall() == [(row,) for row in rows]
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    if everywhere:
        assert [trial["query"] for trial in json.loads(command.run("trials", "--json"))] == ["do something"]
        assert traces(data) == []  # what the relay wrote at its end brought nothing back


def practise(memory: Path) -> None:
    """Remember two trials as practice does; the marker is in one, in its verdict's reason, and in the settings."""
    verdict = Verdict("person", "solved", 1.0, f"said {MARK}")
    with Memory(memory) as opened:
        [server] = [one.uid for one in opened.servers() if one.name == "peer"]
        episode = opened.add_episode(server_uid=server, model="recall", settings={"query": MARK})
        opened.add_trials(
            Trial(uid, query, "explore", "recall", server, (), verdict, created_at=now(), episode_uid=episode)
            for uid, query in (("marked", f"do {MARK}"), ("other", "do something"))
        )


def peer_uid(memory: Path) -> str:
    database = open_database(memory)
    [(uid,)] = database.execute("SELECT uid FROM servers WHERE name = 'peer'").fetchall()
    database.close()
    return str(uid)


def test_a_relay_that_is_used_all_the_while_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    memory, command = data / "memory.db", Command(data / "memory.db")
    with Peer(memory, [*python(SERVER), ""], name="peer") as peer:
        for number in range(20):
            answer(peer, number, "note", {"text": MARK if number % 2 else number})
        forgetting = command.start("forget", "--containing", MARK, "--yes", "--json")
        while forgetting.poll() is None:
            number += 1
            answer(peer, number, "note", {"text": number})
        assert forgetting.communicate(timeout=TIMEOUT_S)[1] == ""
        assert forgetting.returncode == 0
        assert number >= 20
        peer.stdin.close()
        assert peer.process.wait(TIMEOUT_S) == 0
    assert traces(data) == []
    with Memory(memory) as opened:
        texts = [json.loads(call.arguments_json or "")["text"] for call in opened.calls(limit=100_000)]
    assert sorted(texts) == [*range(0, 20, 2), *range(20, number + 1)]
