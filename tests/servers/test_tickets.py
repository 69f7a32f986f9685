"""The issue tracker: its workflow, its pages and quota, what it refuses, and how much it tells."""

import dataclasses
from typing import Any

from servers import registry
from servers.colleagues import FIRST_NAMES, LAST_NAMES, colleagues
from servers.tickets.world import MOVES, PROJECTS, State, Ticket, first_state
from servers.world import CallResult, World

TICKETS = registry.load("tickets")
SEED = 3
STATE: State = first_state(SEED)
BODY = "Nobody has looked at this yet"


def world() -> World:
    return TICKETS.world(SEED)


def written(kind: str, name: str) -> str:
    code: str = getattr(STATE.forms, kind).write(name)
    return code


def some(status: str, project: str | None = None) -> tuple[dict[str, Any], Ticket]:
    """Return how a call names some ticket in `status`, and the ticket: one that may be changed, or of `project`."""
    closed = (STATE.frozen, STATE.hidden) if project is None else ()
    number, ticket = next(
        (number, ticket)
        for number, ticket in STATE.tickets.items()
        if ticket.status == status and ticket.project not in closed and project in (None, ticket.project)
    )
    return {"project": written("project", ticket.project), "number": number}, ticket


def called(tool: str, arguments: dict[str, Any]) -> CallResult:
    return world().call(tool, arguments)


def content(result: CallResult) -> dict[str, Any]:
    assert result.structured is not None, result.text
    return result.structured


def test_no_two_projects_or_people_share_a_shortened_name() -> None:
    for names in (PROJECTS, [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]):
        assert len({tuple(word[:3] for word in name.split()) for name in names}) == len(names)
    assert len(set(colleagues(SEED))) == len(colleagues(SEED))


def test_a_ticket_moves_only_along_the_workflow() -> None:
    named, _ = some("triage")
    for status in MOVES:
        result = called("move_ticket", named | {"status": written("status", status)})
        assert result.is_error is (status not in MOVES["triage"]), result.text
    refused = called("move_ticket", named | {"status": written("status", "review")})
    assert refused.text == "409: transition not allowed"


def test_the_progress_of_a_ticket_shows_where_it_can_move_to() -> None:
    named, _ = some("review")
    shown = content(called("get_ticket", named | {"view": written("view", "progress")}))
    assert shown["can_move_to"] == [written("status", status) for status in MOVES["review"]]


def test_a_closed_ticket_takes_a_comment_only_after_it_was_reopened() -> None:
    tracker, (named, _) = world(), some("closed")
    comment = named | {"body": BODY, "audience": written("audience", "customers")}
    assert tracker.call("comment_on_ticket", comment).text.startswith("409: a closed ticket")
    assert not tracker.call("move_ticket", named | {"status": written("status", "triage")}).is_error
    assert not tracker.call("comment_on_ticket", comment).is_error


def test_the_fourth_comment_of_a_day_is_refused_and_other_tickets_are_not_concerned() -> None:
    tracker, (named, _), (other, _) = world(), some("planned"), some("triage")
    audience = {"audience": written("audience", "managers"), "body": BODY}
    assert [tracker.call("comment_on_ticket", named | audience).is_error for _ in range(4)] == [False] * 3 + [True]
    assert not tracker.call("comment_on_ticket", other | audience).is_error


def test_a_board_comes_in_pages_whose_cursors_serve_no_other_list() -> None:
    tracker, status = world(), {"status": written("status", "triage")}
    projects = [{"project": written("project", name)} for name in STATE.projects]
    named = next(p for p in projects if content(tracker.call("list_board", p | status))["total"] > 3)
    first = content(tracker.call("list_board", named | status))
    found = list(first["tickets"])
    cursor = first["next_cursor"]
    other = next(p for p in projects if p != named)
    assert tracker.call("list_board", other | status | {"cursor": cursor}).is_error
    while cursor:
        part = content(tracker.call("list_board", named | status | {"cursor": cursor}))
        found, cursor = found + part["tickets"], part["next_cursor"]
    assert len({ticket["number"] for ticket in found}) == len(found) == first["total"]


def test_a_frozen_project_can_be_read_and_not_changed() -> None:
    named, _ = some("triage", STATE.frozen)
    assert not called("get_ticket", named | {"view": written("view", "summary")}).is_error
    assert called("move_ticket", named | {"status": written("status", "planned")}).text == "403"
    new = {"title": BODY, "assignee": written("person", STATE.people[0])}
    refused = called("create_ticket", new | {"project": named["project"]})
    assert refused.text == f"403: {STATE.frozen} is frozen and takes no new tickets; open it in another project."
    elsewhere = called("create_ticket", new | {"project": written("project", STATE.projects[0])})
    assert not elsewhere.is_error, "the tempting way is open"


def test_a_hidden_project_is_spoken_of_as_if_it_were_not_there() -> None:
    named, ticket = some("triage", STATE.hidden)
    hidden = called("get_ticket", named | {"view": written("view", "people")}).text
    unknown = called("get_ticket", named | {"project": "nothing", "view": written("view", "people")}).text
    assert hidden == unknown.replace("'nothing'", repr(named["project"]))
    for priority in ("trivial", "minor", "major", "urgent", "critical"):
        arguments = {"assignee": written("person", ticket.assignee), "priority": written("priority", priority)}
        assert str(named["number"]) not in called("workload", arguments).text


def test_a_ticket_without_a_priority_is_trivial_whatever_the_description_says() -> None:
    new = {"title": BODY, "assignee": written("person", STATE.people[0])}
    made = content(called("create_ticket", new | {"project": written("project", STATE.projects[0])}))
    assert made["priority"] == "trivial"
    assert made["number"] == max(STATE.tickets) + 1


def test_titles_and_comments_have_limits_that_are_told() -> None:
    named, _ = some("planned")
    audience = {"audience": written("audience", "managers")}
    for body in ("too short", "x" * 81):
        refused = called("comment_on_ticket", named | audience | {"body": body})
        assert refused.text == f"body must have 20 to 80 characters, not {len(body)}"


def test_every_convention_is_shown_by_a_refusal_and_all_but_one_kept_silent_by_another() -> None:
    named, _ = some("planned")
    project, person = {"project": named["project"]}, written("person", STATE.people[0])
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "project": ("get_ticket", {**named, "project": "?", "view": "?"}),
        "view": ("get_ticket", {**named, "view": "?"}),
        "status": ("list_board", {**project, "status": "?"}),
        "priority": ("workload", {"assignee": person, "priority": "?"}),
        "assignee": ("assign_ticket", {**named, "assignee": "?"}),
        "audience": ("comment_on_ticket", {**named, "body": BODY, "audience": "?"}),
        "due": ("schedule_ticket", {**named, "due": "?"}),
    }
    assert len(told) == len(dataclasses.fields(STATE.forms))
    for argument, (tool, arguments) in told.items():
        text = called(tool, arguments).text
        assert text.startswith(f"{argument} '?' is not valid; "), text
    new = {"title": BODY, "assignee": person, **project}
    priority = written("priority", "minor")
    silent: dict[str, tuple[str, dict[str, Any]]] = {
        "project": ("create_ticket", {**new, "project": "?"}),
        "assignee": ("create_ticket", {**new, "assignee": "?"}),
        "priority": ("create_ticket", {**new, "priority": "?"}),
        "status": ("workload", {"assignee": person, "priority": priority, "status": "?"}),
        "audience": ("list_comments", {**named, "audience": "?"}),
        "until": ("upcoming_deadlines", {**project, "until": "?"}),
    }
    for argument, (tool, arguments) in silent.items():
        assert called(tool, arguments).text == f"{argument} '?' is not valid."
