from pathlib import Path

from middleware.memory.records import Hint
from middleware.memory.store import Memory
from tests.conftest import recorded_server


def apply(memory: Memory, name: str) -> list[str]:
    return memory.served.apply(name, memory.served.hinted_servers(name))


def artefact(memory: Memory, name: str, *servers: str) -> None:
    hints = [Hint(server, "tide", "hash", f"from {name}") for server in servers]
    memory.served.add_artefact(name=name, kind="prompt", path=Path("p"), manifest={}, trial_uids=[], hints=hints)


def test_apply_and_rollback_walk_back_through_what_was_shown(memory_file: Path, memory: Memory) -> None:
    sea = recorded_server(memory_file, "sea", [])
    for name in ("one", "two"):
        artefact(memory, name, sea)
        assert apply(memory, name) == ["sea"]
    assert memory.served.serving() == {sea: "two"}
    assert memory.served.rollback() == [("sea", "two", "one")]
    assert memory.served.serving() == {sea: "one"}
    assert apply(memory, "two") == ["sea"]
    assert memory.served.rollback() == [("sea", "two", "one")]
    assert memory.served.rollback() == [("sea", "one", None)]
    assert memory.served.serving() == {}
    assert memory.served.rollback() == []


def test_applying_what_is_shown_already_changes_nothing(memory_file: Path, memory: Memory) -> None:
    sea = recorded_server(memory_file, "sea", [])
    artefact(memory, "one", sea)
    apply(memory, "one")
    assert apply(memory, "one") == ["sea"]
    assert memory.served.rollback() == [("sea", "one", None)]


def test_a_rollback_of_one_server_leaves_the_others(memory_file: Path, memory: Memory) -> None:
    sea, lake = recorded_server(memory_file, "sea", []), recorded_server(memory_file, "lake", [])
    artefact(memory, "both", sea, lake)
    assert apply(memory, "both") == ["lake", "sea"]
    assert memory.served.rollback("lake") == [("lake", "both", None)]
    (record,) = memory.served.artefacts()
    assert (record.name, record.serving) == ("both", ("sea",))
