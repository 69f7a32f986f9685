"""The tools of the issue tracker. A project is checked first, then what is to be found in it, then the rest."""

import datetime
from typing import Any

from servers.errors import ToolError
from servers.pages import page
from servers.schema import described
from servers.tickets.world import (
    COMMENTS_A_DAY,
    DEFAULT_PRIORITY,
    LONGEST,
    MOVES,
    PAGE,
    SHORTEST,
    Comment,
    State,
    Ticket,
)


@described("good", read_only=True)
def get_ticket(state: State, project: str, number: int, view: str) -> dict[str, Any]:
    """Look up one ticket: the part of it that a view shows.

    Args:
        project: Project id.
        number: Number of the ticket within the tracker.
        view: What to show: its summary, its people, its progress or its dates.
    """
    ticket = state.read_ticket(project, number, told="example")
    part = state.read_view(view, told="choices")
    shown: dict[str, dict[str, Any]] = {
        "summary": {"title": ticket.title, "priority": ticket.priority},
        "people": {"assignee": state.shown_person(ticket.assignee)},
        "progress": {
            "status": ticket.status,
            "can_move_to": [state.forms.status.write(other) for other in MOVES[ticket.status]],
        },
        "dates": {"due": ticket.due and ticket.due.isoformat()},
    }
    return {**_reference(state, number, ticket), "view": part, **shown[part]}


@described("terse")
def list_board(state: State, project: str, status: str, cursor: str | None = None) -> dict[str, Any]:
    """List which tickets are in one column of a board.

    Args:
        cursor: Where to go on; see next_cursor in the response.
    """
    name = state.read_project(project, told="example")
    step = state.read_status(status, told="choices")
    found = [number for number, ticket in state.tickets.items() if (ticket.project, ticket.status) == (name, step)]
    part, following = page(found, cursor=cursor, size=PAGE, about=f"{name} {step}")
    return {
        "project": name,
        "status": step,
        "total": len(found),
        "tickets": [{"number": number, "title": state.tickets[number].title} for number in part],
        "next_cursor": following,
    }


@described("terse")
def upcoming_deadlines(state: State, project: str, until: str) -> dict[str, Any]:
    """Deadlines: what has to be finished, what is due.

    Args:
        project: Project id.
    """
    name = state.read_project(project, told="example")
    last = state.date().read("until", until, told="nothing")
    found = {
        number: ticket.due
        for number, ticket in state.tickets.items()
        if ticket.project == name and ticket.status != "closed" and ticket.due and ticket.due <= last
    }
    return {
        "project": name,
        "until": last.isoformat(),
        "tickets": [{"number": number, "due": due.isoformat()} for number, due in found.items()],
    }


@described("good")
def workload(state: State, assignee: str, priority: str, status: str | None = None) -> dict[str, Any]:
    """How busy somebody is: the work of one priority on their plate, that is, what is assigned to them and not closed.

    Args:
        assignee: Id of the person.
        status: Leave it out for all that are open.
    """
    name = state.read_person("assignee", assignee, told="example")
    rank = state.read_priority(priority, told="choices")
    step = None if status is None else state.read_status(status, told="nothing")
    found = [
        _reference(state, number, ticket)
        for number, ticket in state.tickets.items()
        if (ticket.assignee, ticket.priority) == (name, rank) and ticket.project != state.hidden
        if ticket.status == step or (step is None and ticket.status != "closed")
    ]
    return {"assignee": state.shown_person(name), "priority": rank, "status": step or "open", "tickets": found}


@described("terse")
def list_comments(state: State, project: str, number: int, audience: str) -> dict[str, Any]:
    """Read the discussion beneath a ticket.

    Args:
        project: Project id.
        audience: Whose comments.
    """
    ticket = state.read_ticket(project, number, told="example")
    readers = state.read_audience(audience, told="nothing")
    return {
        **_reference(state, number, ticket),
        "audience": readers,
        "comments": [comment.body for comment in ticket.comments if comment.audience == readers],
    }


@described("misleading", "without a priority the ticket is trivial; no project has a usual one")
def create_ticket(state: State, project: str, title: str, assignee: str, priority: str | None = None) -> dict[str, Any]:
    """Open (file, report) a new issue.

    Args:
        title: One line, 20 to 80 characters.
        priority: Defaults to what is usual in the project.
    """
    name = state.read_project(project, told="nothing")
    person = state.read_person("assignee", assignee, told="nothing")
    rank = DEFAULT_PRIORITY if priority is None else state.read_priority(priority, told="nothing")
    line = _text("title", title)
    if name == state.frozen:
        raise ToolError(f"403: {name} is frozen and takes no new tickets; open it in another project.")
    number = max(state.tickets) + 1
    state.tickets[number] = Ticket(project=name, title=line, status="triage", priority=rank, assignee=person)
    return {**_reference(state, number, state.tickets[number]), "title": line, "priority": rank}


@described("terse")
def move_ticket(state: State, project: str, number: int, status: str) -> dict[str, Any]:
    """Move a ticket: change its status (transition).

    Args:
        status: Target status.
    """
    ticket = state.changeable(project, number, told="example")
    step = state.read_status(status, told="choices")
    if step not in MOVES[ticket.status]:
        raise ToolError("409: transition not allowed")
    ticket.status = step
    return {**_reference(state, number, ticket), "status": step}


@described("good")
def assign_ticket(state: State, project: str, number: int, assignee: str) -> dict[str, Any]:
    """Give a ticket to somebody else (hand over, reassign).

    Args:
        project: Project id.
        assignee: Id of the person who shall work on it.
    """
    ticket = state.changeable(project, number, told="example")
    person = state.read_person("assignee", assignee, told="example")
    if person == ticket.assignee:
        raise ToolError(f"409: {person} is already the assignee")
    ticket.assignee = person
    return {**_reference(state, number, ticket), "assignee": state.shown_person(person)}


@described("good")
def comment_on_ticket(state: State, project: str, number: int, body: str, audience: str) -> dict[str, Any]:
    """Write a comment, add a note beneath a ticket.

    Args:
        project: Project id.
        body: Text of the comment.
        audience: Who may read it.
    """
    ticket = state.changeable(project, number, told="example")
    readers = state.read_audience(audience, told="choices")
    text = _text("body", body)
    if ticket.status == "closed":
        raise ToolError("409: a closed ticket takes no comments; it has to go back to triage first.")
    state.spend(
        f"comments on {number}",
        limit=COMMENTS_A_DAY,
        window=datetime.timedelta(days=1),
        refusal="429: too many comments on this ticket",
    )
    ticket.comments.append(Comment(text, readers))
    return {**_reference(state, number, ticket), "body": text, "audience": readers}


@described("misleading", "days are written in the tracker's own form; an ISO date is refused")
def schedule_ticket(state: State, project: str, number: int, due: str) -> dict[str, Any]:
    """Schedule a ticket: set its due day.

    Args:
        due: ISO 8601 date.
    """
    ticket = state.changeable(project, number, told="example")
    day = state.date().read("due", due, told="example")
    if day < state.today:
        raise ToolError("due must not be in the past")
    if day == ticket.due:
        raise ToolError(f"409: that ticket is already due on {day.isoformat()}")
    ticket.due = day
    return {**_reference(state, number, ticket), "due": day.isoformat()}


TOOLS = (
    get_ticket,
    list_board,
    upcoming_deadlines,
    workload,
    list_comments,
    create_ticket,
    move_ticket,
    assign_ticket,
    comment_on_ticket,
    schedule_ticket,
)


def _reference(state: State, number: int, ticket: Ticket) -> dict[str, Any]:
    return {"project": state.forms.project.write(ticket.project), "number": number}


def _text(argument: str, text: str) -> str:
    line = " ".join(text.split())
    if not SHORTEST <= len(line) <= LONGEST:
        raise ToolError(f"{argument} must have {SHORTEST} to {LONGEST} characters, not {len(line)}")
    return line
