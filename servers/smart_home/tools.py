"""The tools of the smart home. How much a refusal tells of the right form stands at each argument: `told`."""

from typing import Any

from servers.errors import ToolError
from servers.schema import described
from servers.smart_home.world import Device, State

MOST_MINUTES = 12 * 60  # of a timer, or of an open door


@described("good")
def energy_use(state: State, device: str, date: str) -> dict[str, Any]:
    """How much energy (electricity, power) a device used (consumed) on a past day, in kilowatt hours.

    Args:
        device: Device id.
        date: A day before today.
    """
    name = state.device().read("device", device, told="example")
    day = state.date().read("date", date, told="example")
    if day >= state.today:
        raise ToolError("Energy is known of past days only.")
    return {"device": name, "date": day.isoformat(), "kwh": state.chance("energy", name, day).randrange(1, 4000) / 1000}


@described("terse")
def list_devices(state: State, room: str, mode: str) -> dict[str, Any]:
    """List (show) a room's devices that run in a mode."""
    place = state.room().read("room", room, told="choices")
    wanted = state.mode().read("mode", mode, told="nothing")
    found = [name for name, device in state.devices.items() if (device.room, device.mode) == (place, wanted)]
    ids = [{"id": state.forms.device.write(name), "name": name} for name in found]
    return {"room": place, "mode": wanted, "devices": ids}


@described("misleading", "codes are wanted, not names; some devices only an administrator may change")
def set_mode(state: State, device: str, mode: str) -> dict[str, Any]:
    """Switch (set, put, change) a device to another mode of operation.

    Args:
        device: Name of the device.
        mode: Name of the mode.
    """
    name = state.device().read("device", device, told="example")
    wanted = state.mode().read("mode", mode, told="choices")
    found = _changeable(state, name)
    if found.mode == wanted:
        raise ToolError(f"{name} is in {wanted} mode already.")
    found.mode = wanted
    return {"device": name, "mode": wanted}


@described("good")
def move_device(state: State, device: str, room: str) -> dict[str, Any]:
    """Assign (move) a device to another room of the home.

    Args:
        device: Device id.
        room: Code of the room where the device stands from now on.
    """
    name = state.device().read("device", device, told="example")
    place = state.room().read("room", room, told="choices")
    found = _changeable(state, name)
    if found.room == place:
        raise ToolError(f"{name} is in {place} already.")
    found.room = place
    return {"device": name, "room": place}


@described("misleading", "a duration has the service's own form, never a bare number of minutes")
def run_for(state: State, device: str, duration: str) -> dict[str, Any]:
    """Timer: let a device run for some time and switch itself off afterwards.

    Args:
        duration: Minutes, as a number.
    """
    name = state.device().read("device", device, told="nothing")
    minutes = state.duration().read("duration", duration, told="example").count
    found = _changeable(state, name)
    _at_most(minutes)
    if found.minutes == minutes:
        raise ToolError(f"The timer of {name} is set to that already.")
    found.minutes = minutes
    return {"device": name, "minutes": minutes}


@described("good", "10 to 30 degrees in steps of a half")
def set_temperature(state: State, room: str, celsius: float, until: str) -> dict[str, Any]:
    """Thermostat: heat or cool a room to a temperature and hold (keep) it until a time of day.

    Args:
        celsius: Temperature in degrees Celsius.
        until: Time of day when the usual programme resumes.
    """
    place = state.room().read("room", room, told="nothing")
    end = state.time().read("until", until, told="example")
    if not (10 <= celsius <= 30 and float(celsius * 2).is_integer()):
        raise ToolError("422: celsius must be between 10 and 30, in steps of 0.5")
    setting: dict[str, str | float] = {"celsius": float(celsius), "until": f"{end:%H:%M}"}
    if state.held.get(place) == setting:
        raise ToolError(f"The thermostat of {place} is set so already.")
    state.held[place] = setting
    return {"room": place, **setting}


@described("good", "sent again with the same reference, nothing is scheduled twice")
def schedule_scene(state: State, scene: str, date: str, time: str, reference: str | None = None) -> dict[str, Any]:
    """Schedule (plan) a scene to start by itself on a day at a time.

    Args:
        scene: Scene code.
        reference: Any text of the caller's that marks this request.
    """
    name = state.scene().read("scene", scene, told="example")
    day = state.date().read("date", date, told="example").isoformat()
    clock = state.time().read("time", time, told="nothing")

    def act() -> dict[str, Any]:
        if day < state.today.isoformat():
            raise ToolError("That day is over.")
        if day in state.scheduled[name]:
            raise ToolError(f"409: {name} is scheduled on that day already")
        state.scheduled[name][day] = {"time": f"{clock:%H:%M}", "reference": reference}
        return {"scene": name, "date": day, "time": f"{clock:%H:%M}", "reference": reference}

    request = {"scene": name, "date": day, "time": f"{clock:%H:%M}"}
    return state.once(reference, request, act, refusal="409: reference was used for another request")


@described("terse")
def unschedule_scene(state: State, scene: str, date: str) -> dict[str, Any]:
    """Cancel (remove, call off) what was scheduled."""
    name = state.scene().read("scene", scene, told="nothing")
    day = state.date().read("date", date, told="nothing").isoformat()
    if day not in state.scheduled[name]:
        raise ToolError("404: not scheduled")
    del state.scheduled[name][day]
    return {"cancelled": True, "scene": name, "date": day}


@described("good", "puts all devices of the room into the scene's mode")
def activate_scene(state: State, scene: str, room: str) -> dict[str, Any]:
    """Start (activate, play) a scene in a room right now.

    Args:
        scene: Scene code.
        room: Room code.
    """
    name = state.scene().read("scene", scene, told="choices")
    place = state.room().read("room", room, told="choices")
    if state.running.get(place) == name:
        raise ToolError(f"{name} is running in {place} already.")
    state.running[place] = name
    followed = [device for device in state.devices.values() if device.room == place and not device.restricted]
    for device in followed:
        device.mode = state.effects[name]
    return {"scene": name, "room": place, "devices": len(followed)}


@described("terse", "some doors are not for guests")
def unlock_door(state: State, door: str, duration: str) -> dict[str, Any]:
    """Unlock (open) a door or gate; it locks itself again.

    Args:
        door: Door id.
    """
    name = state.door().read("door", door, told="example")
    minutes = state.duration().read("duration", duration, told="nothing").count
    if name in state.private:
        raise ToolError("403")
    _at_most(minutes)
    if state.unlocked.get(name) == minutes:
        raise ToolError(f"{name} is open for that long already.")
    state.unlocked[name] = minutes
    return {"door": name, "minutes": minutes}


TOOLS = (
    energy_use,
    list_devices,
    set_mode,
    move_device,
    run_for,
    set_temperature,
    schedule_scene,
    unschedule_scene,
    activate_scene,
    unlock_door,
)


def _changeable(state: State, name: str) -> Device:
    if state.devices[name].restricted:
        raise ToolError(f"403: only an administrator may change {name}")
    return state.devices[name]


def _at_most(minutes: int) -> None:
    if minutes > MOST_MINUTES:
        raise ToolError("422: at most twelve hours")
