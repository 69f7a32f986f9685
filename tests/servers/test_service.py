"""What every service keeps beside its content: quotas, idempotency keys, forms that drift; and what digests say."""

import datetime
from dataclasses import dataclass, field
from typing import Any

import pytest

from servers.digest import ABSENT, Change, digest_of
from servers.errors import ToolError
from servers.service import TICK, ServiceState


@dataclass(frozen=True)
class Forms:
    key: str
    day: str


@dataclass
class Box:
    colour: str
    opened: datetime.date | None = None


@dataclass(kw_only=True)
class Boxes(ServiceState):
    boxes: dict[str, Box] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def state(seed: int = 1, key: str = "a", day: str = "b") -> Boxes:
    now = datetime.datetime.combine(datetime.date(2026, 5, 1), datetime.time(9))
    return Boxes(seed=seed, forms=Forms(key, day), now=now, boxes={"left": Box("red")})


def test_a_quota_is_used_up_and_comes_back_with_time() -> None:
    service, window = state(), 3 * TICK
    for _ in range(2):
        service.spend("exports", limit=2, window=window, refusal="429")
    with pytest.raises(ToolError, match="429"):
        service.spend("exports", limit=2, window=window, refusal="429")
    service.spend("imports", limit=2, window=window, refusal="429")
    for _ in range(3):
        service.tick()
    service.spend("exports", limit=2, window=window, refusal="429")


def test_a_request_with_a_key_is_done_once_and_answered_alike() -> None:
    service = state()
    done: list[int] = []

    def act() -> dict[str, Any]:
        done.append(1)
        return {"number": len(done)}

    first = service.once("k", {"to": "a"}, act, refusal="409")
    assert service.once("k", {"to": "a"}, act, refusal="409") == first == {"number": 1}
    with pytest.raises(ToolError, match="409"):
        service.once("k", {"to": "b"}, act, refusal="409")
    assert service.once(None, {"to": "a"}, act, refusal="409") == {"number": 2}
    assert service.once("other", {"to": "a"}, act, refusal="409") == {"number": 3}


def test_a_refused_request_leaves_its_key_unused() -> None:
    service = state()

    def refuse() -> dict[str, Any]:
        raise ToolError("no")

    with pytest.raises(ToolError):
        service.once("k", {}, refuse, refusal="409")
    assert service.once("k", {"other": 1}, lambda: {"done": True}, refusal="409") == {"done": True}


def test_forms_drift_one_by_one_and_content_stays() -> None:
    service = state()
    before = digest_of(service)
    assert service.kinds() == ("key", "day")
    assert service.drift(state(key="A", day="B"), ["key"])
    assert service.forms == Forms("A", "b")
    assert not service.drift(state(key="A", day="C"), ["key"]), "the same form is no other one"
    assert service.drift(state(key="Z", day="Z"), None)
    assert service.forms == Forms("Z", "Z")
    assert digest_of(service) == before


def test_a_digest_leaves_out_what_is_beside_the_content() -> None:
    service = state()
    before = digest_of(service)
    service.tick()
    service.spend("exports", limit=2, window=TICK, refusal="429")
    service.once("k", {}, dict, refusal="409")
    assert digest_of(service) == before
    assert digest_of(state(seed=2)) == before


def test_a_diff_names_what_changed_what_came_and_what_went() -> None:
    service = state()
    before = digest_of(service)
    service.boxes["left"].colour = "blue"
    service.boxes["right"] = Box("green", datetime.date(2026, 5, 2))
    service.names = ("one",)
    later = digest_of(service)
    assert later != before
    assert before.diff(later) == [
        Change("boxes.left.colour", "red", "blue"),
        Change("names", [], ABSENT),
        Change("boxes.right.colour", ABSENT, "green"),
        Change("boxes.right.opened", ABSENT, "2026-05-02"),
        Change("names[0]", ABSENT, "one"),
    ]
    assert str(before.diff(later)[0]) == 'boxes.left.colour: "red" → "blue"'
    del service.boxes["left"], service.boxes["right"]
    assert [change.path for change in before.diff(digest_of(service))] == [
        "boxes.left.colour",
        "boxes.left.opened",
        "names",
        "boxes",
        "names[0]",
    ]
