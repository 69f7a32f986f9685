"""Requests to the smart home and the calls that serve them."""

import datetime
from typing import Any

from servers.quantities import Minutes
from servers.smart_home.world import DOORS, MODES, ROOMS, SCENES, State
from servers.tasks import Call, Split
from servers.templates import Draws, Filled, Template

DAY = datetime.timedelta(days=1)
TIMES = [datetime.time(n // 12, n % 12 * 5) for n in range(0, 288, 5)]
KINDS = {"until": "time", "door": "device"}  # argument → its form, where they differ in name


def call(tool: str, state: State, **values: Any) -> Call:
    """Return the call of `tool` with `values` as this seed writes them; numbers and references stay as they are."""
    kept = ("celsius", "reference")
    return Call(
        tool,
        {
            name: value if name in kept else getattr(state.forms, KINDS.get(name, name)).write(value)
            for name, value in values.items()
        },
    )


def drawn(kind: str, draws: Draws, state: State) -> Any:
    """Draw a value of one kind of argument: devices that everybody may change, doors that are open to guests."""
    match kind:
        case "device":
            return draws.open("device", [name for name, device in state.devices.items() if not device.restricted])
        case "door":
            return draws.open("door", [door for door in DOORS if door not in state.private])
        case "room":
            return draws.open("room", ROOMS)
        case "date":
            return draws.open("date", [state.today + n * DAY for n in range(1, 91)])
        case "past":
            return draws.open("past", [state.today - n * DAY for n in range(1, 200, 2)])
        case "time" | "until":
            return draws.open("time", TIMES)
        case "duration":
            return draws.open("duration", [Minutes(count) for count in range(5, 240, 5)])
        case "celsius":
            return draws.open("celsius", [half // 2 if half % 2 == 0 else half / 2 for half in range(21, 59)])
    return draws.closed(kind, {"scene": SCENES, "mode": MODES}[kind])


def _energy(draws: Draws, state: State) -> Filled:
    values = {"device": drawn("device", draws, state), "date": drawn("past", draws, state)}
    return Filled(values, [call("energy_use", state, **values)])


def _plain(tool: str, *kinds: str) -> Any:
    """Return what fills a template of one call whose arguments are of the `kinds` that they are named after."""

    def fill(draws: Draws, state: State) -> Filled:
        values = {kind: drawn(kind, draws, state) for kind in kinds}
        return Filled(values, [call(tool, state, **values)])

    return fill


def _referenced(draws: Draws, state: State) -> Filled:
    values = {kind: drawn(kind, draws, state) for kind in ("scene", "date", "time")}
    values["reference"] = f"{draws.rng.choice('bkmptz')}-{draws.rng.randrange(1000, 9999)}"
    return Filled(values, [call("schedule_scene", state, **values)])


def _scheduled(draws: Draws, state: State) -> tuple[str, datetime.date]:
    planned = [(scene, day) for scene, entries in state.scheduled.items() for day in entries]
    scene, day = draws.open("scheduled", planned)
    return scene, datetime.date.fromisoformat(day)


def _unschedule(draws: Draws, state: State) -> Filled:
    scene, day = _scheduled(draws, state)
    return Filled({"scene": scene, "date": day}, [call("unschedule_scene", state, scene=scene, date=day)])


def _two_timers(draws: Draws, state: State) -> Filled | None:
    one, other = (drawn("device", draws, state) for _ in range(2))
    minutes = drawn("duration", draws, state)
    calls = [call("run_for", state, device=device, duration=minutes) for device in (one, other)]
    return Filled({"one": one, "other": other, "duration": minutes}, calls) if one != other else None


def _leaving(draws: Draws, state: State) -> Filled:
    values = {kind: drawn(kind, draws, state) for kind in ("device", "mode", "room", "celsius", "until")}
    calls = [
        call("set_mode", state, device=values["device"], mode=values["mode"]),
        call("set_temperature", state, **{kind: values[kind] for kind in ("room", "celsius", "until")}),
    ]
    return Filled(values, calls)


def _moved_first(draws: Draws, state: State) -> Filled | None:
    """A device that follows a room's scene only when it is there before the scene starts."""
    values = {kind: drawn(kind, draws, state) for kind in ("device", "room", "scene")}
    if state.devices[values["device"]].mode == state.effects[values["scene"]]:
        return None
    calls = [
        call("move_device", state, device=values["device"], room=values["room"]),
        call("activate_scene", state, scene=values["scene"], room=values["room"]),
    ]
    return Filled(values, calls)


def _another_time(draws: Draws, state: State) -> Filled:
    """A scene that takes one entry a day, so that the old one must go first."""
    scene, day = _scheduled(draws, state)
    time = drawn("time", draws, state)
    calls = [
        call("unschedule_scene", state, scene=scene, date=day),
        call("schedule_scene", state, scene=scene, date=day, time=time),
    ]
    return Filled({"scene": scene, "date": day, "time": time}, calls)


def _whichever(draws: Draws, state: State) -> Filled | None:
    """A device of which only its room and mode are known."""
    device, new = drawn("device", draws, state), drawn("mode", draws, state)
    room, old = state.devices[device].room, state.devices[device].mode
    same = [one for one in state.devices.values() if (one.room, one.mode) == (room, old)]
    if len(same) > 1 or old == new:
        return None
    calls = [
        call("list_devices", state, room=room, mode=old),
        call("set_mode", state, device=device, mode=new),
    ]
    return Filled({"room": room, "old": old, "new": new}, calls, lookups=(0,))


def _talk(draws: Draws, state: State) -> Filled:
    return Filled({"room": drawn("room", draws, state)})


def _private(draws: Draws, state: State) -> Filled:
    return Filled({"door": draws.closed("private", state.private), "duration": drawn("duration", draws, state)})


def _restricted(draws: Draws, state: State) -> Filled:
    device = draws.closed("restricted", [name for name, one in state.devices.items() if one.restricted])
    return Filled({"device": device, "mode": drawn("mode", draws, state)})


def _of(practice: int, test: int) -> dict[Split, int]:
    return {"practice": practice, "test": test}


SINGLE, SEVERAL, ONCE = _of(5, 3), _of(3, 1), _of(1, 1)

TEMPLATES: tuple[Template[State], ...] = (
    Template(
        "energy",
        (
            "How much energy did the {device} use on {date}?",
            "What did the {device} consume on {date}, in kilowatt hours?",
            "Electricity used by the {device} on {date}, please.",
        ),
        ("I'd like to know the {device}'s power consumption for {date}.", "Energy of the {device} on {date}?"),
        _energy,
        tasks=SINGLE,
    ),
    Template(
        "list",
        (
            "Which devices in the {room} run in {mode} mode?",
            "List everything in the {room} that is in {mode} mode.",
            "Show me the {mode} devices of the {room}.",
        ),
        ("What is set to {mode} in the {room} just now?", "Are there devices on {mode} in the {room}? List them."),
        _plain("list_devices", "room", "mode"),
        tasks=SINGLE,
    ),
    Template(
        "mode",
        (
            "Switch the {device} to {mode} mode.",
            "Please put the {device} into {mode}.",
            "Set the {device} to {mode}, will you?",
        ),
        ("The {device} should change to {mode} mode.", "I want {mode} mode for the {device}."),
        _plain("set_mode", "device", "mode"),
        tasks=SINGLE,
    ),
    Template(
        "move",
        (
            "Move the {device} to the {room}.",
            "The {device} stands in the {room} now; assign it there.",
            "I carried the {device} over to the {room}, please move it in the app too.",
        ),
        ("Assign the {device} to the {room} from today.", "New place of the {device}: the {room}. Move it."),
        _plain("move_device", "device", "room"),
        tasks=SINGLE,
    ),
    Template(
        "timer",
        (
            "Let the {device} run for {duration}.",
            "Set a timer of {duration} on the {device}.",
            "Run the {device} for {duration} and then switch it off.",
        ),
        ("Timer for the {device}: {duration}.", "After {duration} the {device} is to go off; let it run until then."),
        _plain("run_for", "device", "duration"),
        tasks=SINGLE,
    ),
    Template(
        "temperature",
        (
            "Hold the {room} at {celsius} degrees until {until}.",
            "Set the thermostat in the {room} to {celsius} degrees till {until}.",
            "Keep a temperature of {celsius} in the {room} until {until}, please.",
        ),
        (
            "I want {celsius} degrees in the {room}, up to {until}.",
            "Heat or cool the {room} to {celsius}; end at {until}.",
        ),
        _plain("set_temperature", "room", "celsius", "until"),
        tasks=SINGLE,
    ),
    Template(
        "schedule",
        (
            "Schedule {scene} for {date} at {time}.",
            "Plan the scene {scene} to start on {date}, {time}.",
            "On {date} at {time} the scene {scene} should start by itself; schedule that.",
        ),
        ("Have {scene} begin automatically on {date} at {time}.", "Add {scene} to the schedule: {date}, {time}."),
        _plain("schedule_scene", "scene", "date", "time"),
        tasks=SINGLE,
    ),
    Template(
        "referenced",
        ('Schedule {scene} on {date} at {time} and mark the request "{reference}".',),
        ('With the reference "{reference}", plan {scene} for {time} on {date}.',),
        _referenced,
        tasks=_of(4, 2),
    ),
    Template(
        "unschedule",
        (
            "Cancel {scene} on {date}.",
            "Remove the scheduled {scene} of {date}.",
            "{scene} is not needed on {date}; cancel what was scheduled.",
        ),
        ("Call off the {scene} scene planned for {date}.", "We skip {scene} on {date}: take it off the schedule."),
        _unschedule,
        tasks=SINGLE,
    ),
    Template(
        "scene",
        (
            "Start {scene} in the {room}.",
            "Activate the scene {scene} in the {room} now.",
            "Play {scene} in the {room}, please.",
        ),
        ("It's time for {scene} in the {room}: start it.", "Begin the {scene} scene right now, in the {room}."),
        _plain("activate_scene", "scene", "room"),
        tasks=SINGLE,
    ),
    Template(
        "door",
        (
            "Unlock the {door} for {duration}.",
            "Open the {door} for {duration}, please.",
            "A parcel is coming: let the {door} be open for {duration}.",
        ),
        ("I need the {door} to stay unlocked, {duration} in all.", "For {duration}, leave the {door} unlocked."),
        _plain("unlock_door", "door", "duration"),
        tasks=SINGLE,
    ),
    Template(
        "two timers",
        ("Run both the {one} and the {other} for {duration}.", "{duration} each for the {one} and the {other}."),
        (
            "The {one} and also the {other}: on timers of {duration}.",
            "Give {one} and {other} {duration} apiece, then off.",
        ),
        _two_timers,
        tasks=SEVERAL,
    ),
    Template(
        "leaving",
        (
            "Put the {device} into {mode} and hold the {room} at {celsius} degrees until {until}.",
            "We are off: {mode} for the {device}, and {celsius} degrees in the {room} till {until}.",
        ),
        (
            "Two changes. The {room} needs {celsius} degrees up to {until}, the {device} needs {mode} mode.",
            "Change the {device} to {mode}; besides, keep it at {celsius} in the {room}, ending {until}.",
        ),
        _leaving,
        tasks=SEVERAL,
    ),
    Template(
        "moved first",
        (
            "Move the {device} to the {room}, and then start {scene} there, so that it joins in.",
            "First assign the {device} to the {room}; once that is done, activate {scene} in that room.",
        ),
        (
            "The {device} now belongs in the {room}. After you've recorded that, begin {scene} there with it.",
            "I want {scene} in the {room} to include the {device}, which has to be moved in before.",
        ),
        _moved_first,
        ordered=True,
        tasks=SEVERAL,
    ),
    Template(
        "another time",
        (
            "{scene} on {date} should start at {time} instead.",
            "Reschedule the {scene} of {date}: cancel it, and plan it for {time} of the same day.",
        ),
        (
            "Shift what is planned as {scene} for {date} to {time}.",
            "On {date} we want {scene} at another hour, namely {time}. Replace the entry.",
        ),
        _another_time,
        ordered=True,
        tasks=SEVERAL,
    ),
    Template(
        "whichever",
        (
            "One device in the {room} is in {old} mode. Find it and switch it to {new}.",
            "Whatever runs in {old} in the {room}, set it to {new}.",
        ),
        (
            "Something in the {room} is still on {old}; I forgot what. It should be on {new}.",
            "Look up which {room} device has {old} mode and give that one {new}.",
        ),
        _whichever,
        tasks=SEVERAL,
    ),
    Template(
        "talk",
        (
            "The {room} looks lovely now, thank you.",
            "What colour of paint would suit our {room}?",
            "Tell me a joke that plays in a house like ours, say in the {room}.",
            "Is the {room} usually counted as living space?",
        ),
        (
            "The {room} of my grandmother was much like ours, did you know?",
            "Why is it called {room}? Where does the word come from?",
            "Which plants would thrive in our {room}, with so little sun?",
        ),
        _talk,
        kind="no_tool",
        tasks=ONCE,
    ),
    Template(
        "private",
        ("Open the {door} for {duration}, I left my keys.", "Unlock the {door} for {duration}, for the gardener."),
        ("My cousin waits at the {door}. Unlock it, {duration} will do.",),
        _private,
        kind="forbidden",
        tasks=ONCE,
    ),
    Template(
        "restricted",
        ("Switch the {device} to {mode} mode for me.", "Set the {device} to {mode}, I don't like it as it is."),
        ("Could the {device} go into {mode} mode? I really dislike it.",),
        _restricted,
        kind="forbidden",
        tasks=ONCE,
    ),
)
