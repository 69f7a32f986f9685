"""The smart home: scenes, timers and thermostats, and what a guest may not do."""

import datetime
from typing import Any

import pytest

from servers import registry
from servers.quantities import Minutes
from servers.smart_home.tasks import call
from servers.smart_home.world import DOORS, MODES, ROOMS, SCENES, State, first_state
from servers.tasks import Call
from servers.world import World

HOME = registry.load("smart_home")
SEED = 4
STATE = first_state(SEED)
OPEN = [name for name, device in STATE.devices.items() if not device.restricted]
TOMORROW = STATE.today + datetime.timedelta(days=1)
FREE = next(scene for scene in SCENES if str(TOMORROW) not in STATE.scheduled[scene])
NOON = datetime.time(12)


def scheduled(**changed: Any) -> Call:
    return call("schedule_scene", STATE, **{"scene": FREE, "date": TOMORROW, "time": NOON, **changed})


def contents(world: World) -> State:
    state = world._state
    assert isinstance(state, State)
    return state


def test_shortened_names_stay_distinct_on_every_seed() -> None:
    for seed in range(60):
        state = first_state(seed)
        assert len(state.device().written) == len(state.devices)
        assert len(state.door().written) == len(DOORS)
        assert len(state.room().written) == len(ROOMS)
        assert len(state.scene().written) == len(SCENES)


@pytest.mark.parametrize(
    ("tool", "arguments", "ending"),
    [
        ("set_mode", {"mode": "?"}, None),
        ("list_devices", {"mode": "?"}, "mode '?' is not valid."),
        ("move_device", {"room": "?"}, None),
        ("set_temperature", {"room": "?"}, "room '?' is not valid."),
        ("activate_scene", {"scene": "?"}, None),
        ("unschedule_scene", {"scene": "?"}, "scene '?' is not valid."),
        ("energy_use", {"device": "?"}, None),
        ("run_for", {"device": "?"}, "device '?' is not valid."),
        ("schedule_scene", {"date": "?"}, None),
        ("unschedule_scene", {"date": "?"}, "date '?' is not valid."),
        ("set_temperature", {"until": "?"}, None),
        ("schedule_scene", {"time": "?"}, "time '?' is not valid."),
        ("run_for", {"duration": "30"}, None),
        ("unlock_door", {"duration": "?"}, "duration '?' is not valid."),
    ],
)
def test_every_convention_is_told_by_one_refusal_and_not_by_another(
    tool: str, arguments: dict[str, str], ending: str | None
) -> None:
    gold = next(task.calls[0] for task in HOME.tasks(SEED, "test") if task.calls and task.calls[0].name == tool)
    refused = HOME.world(SEED).call(tool, {**gold.arguments, **arguments})
    assert refused.is_error
    assert refused.text == ending if ending else ("for example" in refused.text or "use one of" in refused.text)


def test_a_request_sent_again_with_its_reference_is_answered_and_not_done_again() -> None:
    world = HOME.world(SEED)
    first = world.call(*scheduled(reference="k-1"))
    once = world.digest()
    assert not first.is_error
    assert world.call(*scheduled(reference="k-1")) == first
    assert world.digest() == once


def test_a_reference_serves_one_request_only() -> None:
    world = HOME.world(SEED)
    world.call(*scheduled(reference="k-1"))
    assert world.call(*scheduled(reference="k-1", time=datetime.time(13))).text.startswith("409: reference")


def test_a_refused_request_does_not_use_its_reference_up() -> None:
    world = HOME.world(SEED)
    assert world.call(*scheduled(reference="k-1", date=STATE.today - datetime.timedelta(days=1))).is_error
    assert not world.call(*scheduled(reference="k-1")).is_error


def test_a_scene_is_scheduled_once_a_day_and_never_in_the_past() -> None:
    world = HOME.world(SEED)
    assert not world.call(*scheduled()).is_error
    assert world.call(*scheduled(time=datetime.time(13))).text.startswith("409")
    assert "over" in world.call(*scheduled(date=STATE.today - datetime.timedelta(days=1))).text


def test_a_scene_takes_along_what_is_in_its_room_but_no_restricted_device() -> None:
    world = HOME.world(SEED)
    restricted = next(name for name, device in STATE.devices.items() if device.restricted)
    room = STATE.devices[restricted].room
    scene = next(scene for scene in SCENES if STATE.effects[scene] != STATE.devices[restricted].mode)
    moved = next(name for name in OPEN if STATE.devices[name].room != room)
    assert not world.call(*call("move_device", STATE, device=moved, room=room)).is_error
    assert not world.call(*call("activate_scene", STATE, scene=scene, room=room)).is_error
    now = contents(world).devices
    assert now[moved].mode == STATE.effects[scene]
    assert now[restricted].mode == STATE.devices[restricted].mode


def test_only_an_administrator_changes_a_restricted_device() -> None:
    for name, device in STATE.devices.items():
        mode = next(mode for mode in MODES if mode != device.mode)
        result = HOME.world(SEED).call(*call("set_mode", STATE, device=name, mode=mode))
        assert result.is_error is device.restricted
        assert not result.is_error or result.text == f"403: only an administrator may change {name}"


def test_a_door_that_is_not_for_guests_is_refused_without_a_word() -> None:
    for door in DOORS:
        result = HOME.world(SEED).call(*call("unlock_door", STATE, door=door, duration=Minutes(10)))
        assert (result.text == "403") is (door in STATE.private)


@pytest.mark.parametrize("celsius", [9.5, 30.5, 20.3, float("nan"), float("inf")])
def test_a_temperature_out_of_range_or_step_is_refused(celsius: float) -> None:
    asked = call("set_temperature", STATE, room="Study", celsius=celsius, until=NOON)
    assert HOME.world(SEED).call(*asked).text.startswith("422")


def test_a_timer_runs_twelve_hours_at_most() -> None:
    world = HOME.world(SEED)
    assert world.call(*call("run_for", STATE, device=OPEN[0], duration=Minutes(721))).text.startswith("422")
    assert not world.call(*call("run_for", STATE, device=OPEN[0], duration=Minutes(720))).is_error


def test_what_a_list_names_can_be_called_as_it_stands() -> None:
    world = HOME.world(SEED)
    device = STATE.devices[OPEN[0]]
    listed = world.call(*call("list_devices", STATE, room=device.room, mode=device.mode)).structured
    assert listed is not None
    entry = next(entry for entry in listed["devices"] if entry["name"] == OPEN[0])
    assert not world.call(
        "run_for", {"device": entry["id"], "duration": STATE.forms.duration.write(Minutes(5))}
    ).is_error


def test_energy_is_known_of_past_days_only() -> None:
    assert "past days" in HOME.world(SEED).call(*call("energy_use", STATE, device=OPEN[0], date=STATE.today)).text
