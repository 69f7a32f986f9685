"""The calendar: whose events may be changed, what a change costs, and what refusals tell."""

from collections.abc import Mapping
from typing import Any

import pytest

from servers import registry
from servers.calendar.world import ANSWERS, ORGANISING, ROOMS, WHOLE_COMPANY, State, first_state
from servers.world import CallResult, World

SEED = 3


@pytest.fixture
def state() -> State:
    return first_state(SEED)


@pytest.fixture
def world() -> World:
    return registry.load("calendar").world(SEED)


def own(state: State, number: int = 0) -> str:
    return [title for title, event in state.events.items() if event.organiser is None][number]


def invited(state: State) -> str:
    return next(title for title, event in state.events.items() if event.answer in ANSWERS)


def later(state: State, *, hour: int = 20) -> dict[str, str]:
    event = state.events[own(state)]
    return {"date": state.forms.date.write(event.date), "start": state.forms.time.write(event.start.replace(hour=hour))}


def got(result: CallResult) -> Mapping[str, Any]:
    assert result.structured is not None, result.text
    return result.structured


def test_only_the_organiser_changes_an_event_and_each_tool_refuses_in_its_own_words(state: State, world: World) -> None:
    event = {"event": state.forms.event.write(invited(state))}
    before = world.digest()
    refusals = [
        world.call("move_event", {**event, **later(state)}).text,
        world.call("cancel_event", {**event, "notify": state.forms.audience.write("nobody")}).text,
        world.call("invite_guest", {**event, "person": state.forms.person.write(state.people[3])}).text,
        world.call("book_room", {**event, "room": state.forms.room.write(ROOMS[0])}).text,
    ]
    assert refusals[0] == "403"
    assert "can cancel" in refusals[1]
    assert refusals[2] == "403 Forbidden"
    assert "read-only" in refusals[3]
    assert world.digest() == before


def test_a_private_event_of_others_is_not_found_but_takes_their_time_and_room(state: State, world: World) -> None:
    title, event = next((title, event) for title, event in state.events.items() if event.private)
    assert event.organiser is not None
    person = {"person": state.forms.person.write(event.organiser)}
    date = state.forms.date.write(event.date)
    assert world.call("get_event", {"event": state.forms.event.write(title)}).text.startswith("404")
    assert title not in world.call("list_events", {**person, "since": date}).text
    busy = state.forms.time.write(event.start.replace(minute=0))
    assert busy not in got(world.call("free_times", {**person, "date": date}))["free"]


def test_a_private_event_in_a_room_shows_that_it_is_taken_and_no_more() -> None:
    for seed in range(10):
        state = first_state(seed)
        for title, event in state.events.items():
            if event.private and event.room:
                arguments = {"room": state.forms.room.write(event.room), "date": state.forms.date.write(event.date)}
                shown = registry.load("calendar").world(seed).call("room_schedule", arguments)
                assert {"title": "private"} in got(shown)["events"]
                assert title not in shown.text
                return
    pytest.fail("no seed has a private event in a room")


def test_a_moved_event_loses_its_room(state: State, world: World) -> None:
    event = {"event": state.forms.event.write(own(state))}
    room = state.forms.room.write(
        next(room for room in ROOMS if not state.in_room(room, state.events[own(state)].date))
    )
    assert got(world.call("book_room", {**event, "room": room}))["room"] == room
    assert got(world.call("move_event", {**event, **later(state)}))["room"] is None


def test_a_move_that_says_nothing_of_it_is_told_to_the_whole_company(state: State, world: World) -> None:
    event = {"event": state.forms.event.write(own(state)), **later(state)}
    assert got(world.call("move_event", event))["told"] == WHOLE_COMPANY
    quiet = {**event, **later(state, hour=21), "notify": state.forms.audience.write("nobody")}
    assert got(world.call("move_event", quiet))["told"] == "nobody"
    assert world.call("move_event", quiet).is_error


def test_directors_rooms_and_rooms_in_use_are_refused(state: State, world: World) -> None:
    one, other = own(state), own(state, 1)
    event = {"event": state.forms.event.write(one)}
    assert world.call("book_room", {**event, "room": state.forms.room.write("Summit Salon")}).text.startswith("403")
    room = state.forms.room.write(next(room for room in ROOMS if not state.in_room(room, state.events[one].date)))
    got(world.call("book_room", {**event, "room": room}))
    begins = state.events[one]
    when = {"date": state.forms.date.write(begins.date), "start": state.forms.time.write(begins.start)}
    got(world.call("move_event", {"event": state.forms.event.write(other), **when}))
    assert "409" in world.call("book_room", {"event": state.forms.event.write(other), "room": room}).text


def test_a_calendar_comes_in_pages_and_a_cursor_belongs_to_one_list(state: State, world: World) -> None:
    since = {"since": state.forms.date.write(state.today)}
    lists = {"answer": state.forms.answer.write(ORGANISING), **since}
    part = got(world.call("my_events", lists))
    titles, cursor = [event["title"] for event in part["events"]], part["next_cursor"]
    person = {"person": state.forms.person.write(state.people[1]), **since}
    assert "not valid for this list" in world.call("list_events", {**person, "cursor": cursor}).text
    while part["next_cursor"] is not None:
        part = got(world.call("my_events", lists | {"cursor": part["next_cursor"]}))
        titles += [event["title"] for event in part["events"]]
    assert titles == state.mine(ORGANISING, state.today)


def test_free_times_have_a_quota_that_refused_calls_do_not_use(state: State, world: World) -> None:
    sound = {"person": state.forms.person.write(state.people[1]), "date": state.forms.date.write(state.today)}
    for _ in range(20):
        assert world.call("free_times", {**sound, "date": "tomorrow"}).is_error
    results = [world.call("free_times", sound) for _ in range(13)]
    assert [result.is_error for result in results] == [False] * 12 + [True]
    assert results[-1].text.startswith("429")


def test_a_new_event_has_the_id_of_its_title_and_no_title_comes_twice(state: State, world: World) -> None:
    asked = {"title": "Garden Party", "minutes": 45, **later(state)}
    made = got(world.call("create_event", asked))
    assert made["event"] == state.forms.event.write("Garden Party")
    assert got(world.call("get_event", {"event": made["event"]}))["minutes"] == 45
    assert "409" in world.call("create_event", asked).text


@pytest.mark.parametrize(("title", "minutes"), [(" ", 30), ("x" * 61, 30), ("Party", 14), ("Party", 481)])
def test_a_new_event_has_limits(state: State, world: World, title: str, minutes: int) -> None:
    refused = world.call("create_event", {"title": title, "minutes": minutes, **later(state)})
    assert "must" in refused.text


def test_a_cancelled_event_is_gone(state: State, world: World) -> None:
    event = {"event": state.forms.event.write(own(state))}
    got(world.call("cancel_event", {**event, "notify": state.forms.audience.write("everybody")}))
    assert world.call("get_event", event).text.startswith("410")
    day = state.forms.date.write(state.events[own(state)].date)
    listed = world.call("my_events", {"answer": state.forms.answer.write(ORGANISING), "since": day})
    assert not listed.is_error
    assert own(state) not in listed.text


def test_an_answer_is_to_an_invitation_and_not_to_an_event_of_ones_own(state: State, world: World) -> None:
    event = state.forms.event.write(invited(state))
    changed = next(answer for answer in ANSWERS if answer != state.events[invited(state)].answer)
    answer = {"answer": state.forms.answer.write(changed)}
    assert got(world.call("answer_invitation", {"event": event, **answer}))["answer"] == changed
    assert "409" in world.call("answer_invitation", {"event": event, **answer}).text
    assert world.call("answer_invitation", {"event": state.forms.event.write(own(state)), **answer}).is_error
    organising = {"answer": state.forms.answer.write(ORGANISING)}
    assert world.call("answer_invitation", {"event": event, **organising}).is_error


def test_refusals_differ_in_what_they_tell(state: State, world: World) -> None:
    event = {"event": state.forms.event.write(own(state))}
    assert "for example, the Copper Jubilee" in world.call("cancel_event", {"event": "x", "notify": "x"}).text
    assert world.call("get_event", {"event": "x"}).text == "event 'x' is not valid."
    assert "use one of" in world.call("move_event", {**event, **later(state), "notify": "x"}).text
    assert world.call("cancel_event", {**event, "notify": "x"}).text == "notify 'x' is not valid."
