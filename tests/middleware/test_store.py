from pathlib import Path

import pytest

from middleware.memory.database import open_database
from middleware.memory.errors import MemoryBusyError, MemoryFileError
from middleware.memory.identity import new_uid
from middleware.memory.records import CallMade, Trial, Verdict
from middleware.memory.spool import Spool
from middleware.memory.store import Memory
from tests.conftest import recorded_call, recorded_server, tool_definition

GOLD = Verdict("gold", "solved", 1.0, "given")


def imported(query: str, *, origin: str | None = None, label: Verdict | None = GOLD, server: str = "sea") -> Trial:
    calls = (CallMade("tide", {"day": query}),)
    return Trial(new_uid(), query, "import", None, server, calls, label, origin=origin)


def test_calls_are_shown_newest_first_with_their_server(memory_file: Path, memory: Memory) -> None:
    server = recorded_server(memory_file, "sea", [tool_definition("tide")])
    recorded_call(memory_file, server, "tide", {"day": 1})
    recorded_call(memory_file, server, "tide", {"day": 2}, outcome="tool_error", text="no such day")
    newest, oldest = memory.calls()
    assert (newest.server, newest.outcome, newest.error) == ("sea", "tool_error", "no such day")
    assert oldest.arguments_json == '{"day": 1}'
    assert [call.id for call in memory.calls(limit=1)] == [newest.id]
    assert [call.id for call in memory.calls(outcome="result")] == [oldest.id]
    assert memory.calls(server="lake") == memory.calls(tool="wave") == []


def test_full_text_finds_words_in_arguments_results_and_errors_and_catches_up(
    memory_file: Path, memory: Memory
) -> None:
    server = recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, server, "tide", {"harbour": "Lindholm"})
    assert len(memory.calls(search="lindholm")) == 1
    recorded_call(memory_file, server, "tide", {}, outcome="tool_error", text="Lindholm is closed")
    recorded_call(memory_file, server, "tide", {}, text="high water")
    assert len(memory.calls(search="lindholm")) == 2
    assert len(memory.calls(search="closed LINDHOLM")) == 1
    assert len(memory.calls(search="waters")) == 1


@pytest.mark.parametrize("search", ['"', "a AND", "* NEAR(", "", "col:x", "'; DROP TABLE calls"])
def test_any_text_can_be_searched_for(memory: Memory, search: str) -> None:
    assert memory.calls(search=search) == []


def test_tools_show_their_newest_definition_and_their_failures(memory_file: Path, memory: Memory) -> None:
    old, new = tool_definition("tide", "old"), tool_definition("tide", "new")
    server = recorded_server(memory_file, "sea", [old])
    database = open_database(memory_file)
    database.execute("UPDATE tools SET created_at = '2000-01-01T00:00:00.000Z'")
    database.close()
    recorded_server(memory_file, "sea", [new])
    recorded_call(memory_file, server, "tide", {})
    recorded_call(memory_file, server, "tide", {}, outcome="tool_error")
    recorded_call(memory_file, server, "tide", {}, outcome="cancelled")
    (tool,) = memory.tools()
    assert (tool.server, tool.definition["description"], tool.calls, tool.failures) == ("sea", "new", 3, 1)
    (seen,) = memory.servers()
    assert (seen.name, seen.tools, seen.calls, seen.failures) == ("sea", 1, 3, 1)
    assert memory.tools("lake") == []


def test_trials_come_back_with_their_calls_and_newest_verdict(memory_file: Path, memory: Memory) -> None:
    server = recorded_server(memory_file, "sea", [])
    episode = memory.add_episode(server_uid=server, model="recall", settings={"turns": 3})
    uid = new_uid()
    recorded_call(memory_file, server, "tide", {"day": "x"}, outcome="tool_error", trial_uid=uid)
    recorded_call(memory_file, server, "tide", {"day": "y"}, trial_uid=uid)
    memory.add_trials(
        [
            Trial(
                uid,
                "tides?",
                "explore",
                "recall",
                server,
                (),
                Verdict("responses", "solved", 0.6, ""),
                episode_uid=episode,
            )
        ]
    )
    (trial,) = memory.trials(server="sea")
    assert [(call.arguments["day"], call.outcome) for call in trial.calls] == [("x", "tool_error"), ("y", "result")]
    assert trial.verdict is not None
    assert trial.verdict.label == "solved"
    assert memory.trials(label="failed") == []


def test_an_imported_trial_is_added_once_with_its_calls(memory: Memory) -> None:
    assert memory.add_trials([imported("a", origin="o1"), imported("b", origin="o2")]) == 2
    assert memory.add_trials([imported("a", origin="o1"), imported("c", origin="o3")]) == 1
    assert sorted(trial.query or "" for trial in memory.trials()) == ["a", "b", "c"]
    assert all(len(trial.calls) == 1 for trial in memory.trials())
    assert memory.calls() == [], "gold calls were never made, so they are no calls that happened"


def test_trials_are_added_all_or_none(memory: Memory) -> None:
    broken = imported("b", label=Verdict("gold", "solved", 7.0, "no confidence"))
    with pytest.raises(Exception, match="CHECK"):
        memory.add_trials([imported("a"), broken])
    assert memory.trials() == []


def test_trials_are_found_by_the_nearest_query_nearest_first(memory: Memory) -> None:
    memory.add_trials([imported("high tide at Lindholm"), imported("rain near Corvane")])
    assert [trial.query for trial in memory.trials(like="tide, Lindholm?")] == ["high tide at Lindholm"]
    memory.add_trials([imported("low tide")])
    assert [trial.query for trial in memory.trials(like="tide, Lindholm?")] == ["high tide at Lindholm", "low tide"]
    assert [trial.query for trial in memory.trials(like="rain tide Corvane", limit=1)] == ["rain near Corvane"]


def test_near_trials_of_one_server_are_found_behind_nearer_ones_of_another(memory_file: Path, memory: Memory) -> None:
    for uid in ("sea", "lake"):
        recorded_server(memory_file, uid, [])
    memory.add_trials([imported(f"high tide number {number}", server="uid-of-sea") for number in range(20)])
    memory.add_trials([imported("some high water", server="uid-of-lake")])
    (found,) = memory.trials(like="high tide", server="lake", limit=3)
    assert found.query == "some high water"


def test_a_locked_memory_with_a_dead_relays_spool_can_still_be_read(memory_file: Path) -> None:
    open_database(memory_file).close()
    spool = Spool(memory_file)
    spool.append([{"kind": "server", "uid": "s", "name": "sea", "command": "c", "created_at": "t"}])
    spool.close()
    holder = open_database(memory_file)
    holder.execute("BEGIN IMMEDIATE")
    with Memory(memory_file) as memory:
        assert memory.servers() == []
    holder.execute("COMMIT")
    holder.close()
    with Memory(memory_file) as memory:
        assert [server.name for server in memory.servers()] == ["sea"]


def test_a_memory_that_another_process_holds_is_said_to_be_busy(memory_file: Path) -> None:
    with Memory(memory_file) as memory:
        memory._db.set_busy_timeout(1)
        holder = open_database(memory_file)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(MemoryBusyError, match="held by another process"), memory:
            memory.add_trials([imported("a")])
        holder.close()


def broken_read(path: Path) -> None:
    with Memory(path) as memory:
        memory._db.execute("DROP TABLE verdicts")
        memory.trials()


def test_a_memory_that_breaks_is_named(memory_file: Path) -> None:
    with pytest.raises(MemoryFileError, match="could not be used"):
        broken_read(memory_file)
