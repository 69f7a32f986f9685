"""The mail service: its quota, what the user may not see or do, threads, labels, and how much its refusals tell."""

from typing import Any

import pytest

from servers import registry
from servers.email.tools import SENT_AN_HOUR
from servers.email.world import GUARDED, LABELS, PRIORITIES, first_state
from servers.people import NOBODY
from servers.world import CallResult, World

EMAIL = registry.load("email")
SEED = 7
STATE = first_state(SEED)
FORMS = STATE.forms
PERSON = next(name for name in STATE.people if name not in STATE.closed)
MAIL = {"subject": "Office keys", "body": "The keys are here"}


def world() -> World:
    return EMAIL.world(SEED)


def send(server: World, name: str = PERSON, **changed: str) -> CallResult:
    arguments = {"to": FORMS.address.write(name), **MAIL, "priority": FORMS.priority.write("high")}
    return server.call("send_message", {**arguments, **changed})


def got(server: World, number: int) -> dict[str, Any]:
    answer = server.call("get_message", {"message": FORMS.message.write(number)}).structured
    assert answer is not None
    return answer


@pytest.mark.parametrize("seed", range(20))
def test_everybody_has_an_address_and_every_label_an_id_of_its_own(seed: int) -> None:
    state = first_state(seed)
    assert len(state.address().written) == len(state.people) == len(set(state.people))
    assert len(state.label().written) == len(state.labels)
    assert {message.thread for message in state.messages.values()} == set(state.threads)
    assert 777 not in state.messages, "the example of refusals"
    assert 77 not in state.threads, "the example of refusals"


def test_mail_is_sent_so_often_an_hour_and_then_again_later() -> None:
    server = world()
    for _ in range(SENT_AN_HOUR):
        assert not send(server).is_error
    before = server.digest()
    assert send(server).text.startswith(f"429: at most {SENT_AN_HOUR} messages")
    assert server.digest() == before
    for _ in range(180):  # calls of 20 seconds
        server.call("get_message", {"message": "?"})
    assert not send(server).is_error


def test_refused_mail_is_not_counted() -> None:
    server = world()
    for _ in range(SENT_AN_HOUR + 1):
        assert send(server, priority="1").is_error
    assert not send(server).is_error


def test_some_people_take_no_mail_and_a_bare_403_is_all_that_is_said() -> None:
    server, name = world(), STATE.closed[0]
    assert send(server, name).text == "403"
    arguments = {"to": FORMS.address.write(name), "body": MAIL["body"], "label": FORMS.label.write(LABELS[0])}
    assert not server.call("save_draft", arguments).is_error, "a way that is open, and not what was asked for"


def test_of_a_private_message_the_service_says_that_there_is_none() -> None:
    number = next(number for number, message in STATE.messages.items() if message.private)
    server, message = world(), STATE.messages[number]
    assert server.call("get_message", {"message": FORMS.message.write(number)}).text == "404: message not found."
    assert number not in STATE.found(STATE.threads[message.thread], message.sender, message.day)


def test_what_lies_under_the_guarded_label_can_be_read_and_not_moved() -> None:
    server = world()
    number = next(number for number, message in STATE.messages.items() if STATE.threads[message.thread] == GUARDED)
    found = got(server, number)
    assert found["label"] == FORMS.label.write(GUARDED)
    arguments = {"thread": found["thread"], "label": FORMS.label.write(LABELS[0])}
    assert server.call("move_thread", arguments).text == "403"


@pytest.mark.parametrize("tool", ["move_thread", "create_filter", "create_label", "save_draft"])
def test_nothing_goes_into_the_guarded_label_and_the_refusal_says_why(tool: str) -> None:
    label, address = FORMS.label.write(GUARDED), FORMS.address.write(PERSON)
    arguments = {
        "move_thread": {"thread": FORMS.thread.write(next(iter(STATE.threads))), "label": label},
        "create_filter": {"sender": address, "label": label},
        "create_label": {"name": "New Box", "parent": label},
        "save_draft": {"to": address, "body": MAIL["body"], "label": label},
    }[tool]
    assert "belongs to the legal department" in world().call(tool, arguments).text


def test_a_thread_is_moved_with_all_its_messages() -> None:
    server = world()
    number, message = next(
        (number, message)
        for number, message in STATE.messages.items()
        if not message.private and STATE.threads[message.thread] != GUARDED
    )
    label = next(label for label in LABELS if label != STATE.threads[message.thread])
    arguments = {"thread": got(server, number)["thread"], "label": FORMS.label.write(label)}
    assert not server.call("move_thread", arguments).is_error
    for other, each in STATE.messages.items():
        if each.thread == message.thread and not each.private:
            assert got(server, other)["label"] == FORMS.label.write(label)
    assert server.call("move_thread", arguments).is_error, "what was done is not done twice"


def test_a_new_label_can_be_used_at_once_and_made_once() -> None:
    server = world()
    rule = {"sender": FORMS.address.write(PERSON), "label": FORMS.label.write("Ruby Plans")}
    assert server.call("create_filter", rule).is_error
    new = {"name": "Ruby Plans", "parent": FORMS.label.write(LABELS[0])}
    assert not server.call("create_label", new).is_error
    assert not server.call("create_filter", rule).is_error
    assert "409" in server.call("create_label", new).text


def test_an_absence_begins_before_it_ends_and_not_in_the_past() -> None:
    write = FORMS.date.write
    today, next_year = STATE.today, STATE.today.replace(year=STATE.today.year + 1)
    last_year = STATE.today.replace(year=STATE.today.year - 1)
    for first, last, good in ((today, next_year, True), (next_year, today, False), (last_year, today, False)):
        arguments = {"first": write(first), "last": write(last), "text": "I am away"}
        assert world().call("set_away", arguments).is_error is not good


def test_texts_have_limits() -> None:
    for changed in ({"subject": "S" + " s" * 40}, {"subject": "Keys"}, {"body": "keys are here"}, {"body": ""}):
        assert "two words or more" in send(world(), **changed).text


def test_refusals_show_an_example_or_the_choices_or_only_the_argument() -> None:
    server = world()
    assert (
        send(server, to="?").text == f"to '?' is not valid; for example, {NOBODY} is {FORMS.address.write(NOBODY)!r}."
    )
    choices = send(server, priority="5").text
    assert all(repr(FORMS.priority.write(priority)) in choices for priority in PRIORITIES)
    for thread, refused in (("?", "thread '?'"), (FORMS.thread.write(100), "label '?'")):
        assert server.call("move_thread", {"thread": thread, "label": "?"}).text == f"{refused} is not valid."


def test_a_number_without_its_form_is_no_message() -> None:
    number = next(iter(STATE.messages))
    assert "for example, message 777 is" in world().call("get_message", {"message": str(number)}).text
