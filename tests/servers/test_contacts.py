"""The address book: pages, cards that are not the user's, references, mergers, and how much its refusals tell."""

from collections.abc import Mapping
from typing import Any

import pytest

from servers import registry
from servers.contacts.world import GROUPS, GUARDED, LINES, ORGANISATIONS, PAGE, ROLES, Card, State, first_state
from servers.people import FIRST, FORMAL_AND_SHORT, LAST, doubles, singles, strangers
from servers.tasks import Call, solved
from servers.world import CallResult, World

CONTACTS = registry.load("contacts")
SEED = 7
STATE = first_state(SEED)
FORMS = STATE.forms
NUMBER = "0777-12345"


def world() -> World:
    return CONTACTS.world(SEED)


def person(access: str = "change") -> str:
    return next(name for name, card in STATE.cards.items() if card.access == access)


def save(server: World, name: str, kind: str = "fax", number: str = NUMBER) -> CallResult:
    arguments = {"kind": FORMS.line.write(kind), "number": FORMS.phone.write(number)}
    return server.call("save_phone", {"person": FORMS.person.write(name), **arguments})


def shown(server: World, name: str, detail: str) -> Any:
    arguments = {"person": FORMS.person.write(name), "detail": FORMS.detail.write(detail)}
    answer = server.call("get_contact", arguments).structured
    assert answer is not None
    return answer[detail]


def created(server: World, name: str, organisation: str, reference: str = "spring fair") -> CallResult:
    arguments = {"name": name, "organisation": FORMS.organisation.write(organisation), "reference": reference}
    return server.call("create_contact", arguments)


def test_no_two_names_look_alike_when_shortened_to_three_letters() -> None:
    for names in ([*(name for pair in FORMAL_AND_SHORT for name in pair), *FIRST], LAST, ORGANISATIONS, GROUPS, LINES):
        assert len({name[:3].lower() for name in names}) == len(names)


@pytest.mark.parametrize("seed", range(20))
def test_every_name_has_an_id_of_its_own(seed: int) -> None:
    state = first_state(seed)
    assert len(state.person().written) == len(state.cards) == 2 * len(doubles(seed)) + len(singles(seed))
    assert not set(strangers(seed)) & set(state.cards)


def test_a_long_list_comes_in_pages_that_hold_everybody_once() -> None:
    organisation, group = next(iter(STATE.large.items()))
    arguments = {"organisation": FORMS.organisation.write(organisation), "group": FORMS.group.write(group)}
    first = world().call("find_people", arguments).structured
    assert first is not None
    assert len(first["people"]) == PAGE
    second = world().call("find_people", {**arguments, "cursor": first["next_cursor"]}).structured
    assert second is not None
    assert second["next_cursor"] is None
    assert [each["name"] for each in first["people"] + second["people"]] == STATE.members(organisation, group)


def test_a_cursor_of_one_list_leads_nowhere_in_another() -> None:
    (one, group), (other, _) = list(STATE.large.items())[:2]
    arguments = {"organisation": FORMS.organisation.write(one), "group": FORMS.group.write(group)}
    first = world().call("find_people", arguments).structured
    assert first is not None
    elsewhere = {**arguments, "organisation": FORMS.organisation.write(other), "cursor": first["next_cursor"]}
    assert "is not valid for this list" in world().call("find_people", elsewhere).text


def test_a_colleagues_card_can_be_read_and_not_changed() -> None:
    server, name = world(), person("read")
    assert shown(server, name, "numbers")
    assert save(server, name).text == "403"
    twin = next(other for pair in doubles(SEED) if name in pair for other in pair if other != name)
    for keep, duplicate in ((name, twin), (twin, name)):
        arguments = {"keep": FORMS.person.write(keep), "duplicate": FORMS.person.write(duplicate)}
        assert server.call("merge_contacts", arguments).text == "403"


def test_of_a_private_card_the_service_says_that_there_is_none() -> None:
    server, name = world(), person("none")
    assert save(server, name).text == "404: no such contact."
    organisation = STATE.cards[name].organisation
    for group in GROUPS:
        assert name not in STATE.members(organisation, group)


def test_the_guarded_group_says_who_looks_after_it() -> None:
    arguments = {"person": FORMS.person.write(person()), "group": FORMS.group.write(GUARDED)}
    assert "company secretary" in world().call("add_to_group", arguments).text


def test_a_contact_that_is_created_twice_with_one_reference_is_there_once() -> None:
    server, name = world(), strangers(SEED)[0]
    first = created(server, name, ORGANISATIONS[0])
    once = server.digest()
    assert created(server, name, ORGANISATIONS[0]) == first
    assert server.digest() == once
    assert "409: this reference" in created(server, strangers(SEED)[1], ORGANISATIONS[0]).text
    assert "409: there is a contact" in created(server, name, ORGANISATIONS[0], "another").text


def test_a_new_contact_can_be_used_at_once() -> None:
    server, name = world(), strangers(SEED)[0]
    assert save(server, name).is_error
    assert not created(server, name, ORGANISATIONS[0]).is_error
    assert not save(server, name).is_error
    assert list(shown(server, name, "numbers").values()) == [FORMS.phone.write(NUMBER)]


@pytest.mark.parametrize(("conflicts", "counts"), [(None, "short"), ("duplicate", "short"), ("keep", "formal")])
def test_of_two_numbers_the_deleted_contacts_counts_unless_told_otherwise(conflicts: str | None, counts: str) -> None:
    server, (formal, short) = world(), doubles(SEED)[-1]
    save(server, formal, "home", "0111-11111")
    save(server, short, "home", "0222-22222")
    arguments: Mapping[str, Any] = {"keep": FORMS.person.write(formal), "duplicate": FORMS.person.write(short)}
    assert not server.call("merge_contacts", {**arguments, **({"conflicts": conflicts} if conflicts else {})}).is_error
    right = {"formal": "0111-11111", "short": "0222-22222"}[counts]
    assert shown(server, formal, "numbers")[FORMS.line.write("home")] == FORMS.phone.write(right)
    assert "not valid" in save(server, short).text


def test_who_reported_to_a_merged_contact_reports_to_the_one_that_is_kept() -> None:
    server = world()
    for formal, short in doubles(SEED):
        arguments = {"keep": FORMS.person.write(short), "duplicate": FORMS.person.write(formal)}
        server.call("merge_contacts", arguments)
    for name, card in STATE.cards.items():
        if "is not valid" not in server.call("get_contact", {"person": FORMS.person.write(name), "detail": "?"}).text:
            continue
        if card.manager is not None and not save(server, name).is_error:
            assert "is not valid" not in save(server, shown(server, name, "manager")["name"]).text


def test_only_contacts_of_one_name_and_organisation_are_merged() -> None:
    one, other = singles(SEED)[:2]
    arguments = {"keep": FORMS.person.write(one), "duplicate": FORMS.person.write(other)}
    assert world().call("merge_contacts", arguments).text == "422: not duplicates."


def test_cards_are_shared_with_colleagues_only() -> None:
    name, stranger = doubles(SEED)[-1]
    arguments = {"person": FORMS.person.write(name), "role": FORMS.role.write(ROLES[0])}
    for other, good in ((stranger, False), (STATE.staff[0], True)):
        answer = world().call("share_contact", {**arguments, "colleague": FORMS.person.write(other)})
        assert answer.is_error is not good


def test_refusals_show_an_example_or_the_choices_or_only_the_argument() -> None:
    name = FORMS.person.write(person())
    assert "for example, Quentin Fairbrother is" in world().call("get_contact", {"person": "?", "detail": "?"}).text
    choices = world().call("save_phone", {"person": name, "kind": "?", "number": "?"}).text
    assert all(repr(FORMS.line.write(line)) in choices for line in LINES)
    refused = world().call("merge_contacts", {"keep": name, "duplicate": "?"}).text
    assert refused == "duplicate '?' is not valid."


def test_numbers_are_read_in_the_services_form_only() -> None:
    server, name = world(), person()
    for number in ("0777-12345", "+4977712345", "077712", FORMS.phone.write("0481-20357")):
        arguments = {"person": FORMS.person.write(name), "kind": FORMS.line.write("fax"), "number": number}
        assert server.call("save_phone", arguments).is_error
    assert not save(server, name).is_error
    assert save(server, name).is_error, "what was done is not done twice"


def test_a_card_holds_names_and_numbers_as_they_are_meant() -> None:
    state: State = first_state(SEED)
    assert all(isinstance(card, Card) and card.organisation in ORGANISATIONS for card in state.cards.values())
    other = first_state(SEED + 1)
    assert state.forms != other.forms


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_in_every_merger_that_is_asked_for_it_matters_whose_numbers_count(seed: int) -> None:
    mergers = [
        (task, number)
        for task in (*CONTACTS.tasks(seed, "practice"), *CONTACTS.tasks(seed, "test"))
        for number, call in enumerate(task.calls)
        if call.name == "merge_contacts"
    ]
    assert mergers
    for task, number in mergers:
        pair = {key: value for key, value in task.calls[number].arguments.items() if key != "conflicts"}
        unsaid = [*task.calls[:number], Call("merge_contacts", pair), *task.calls[number + 1 :]]
        assert not solved(CONTACTS, seed, task, unsaid), task
