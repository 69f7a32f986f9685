"""Requests to the issue tracker and the calls that serve them."""

import datetime
from typing import Any

from servers.pages import page
from servers.tasks import Call
from servers.templates import Draws, Filled, Template
from servers.tickets.world import (
    AUDIENCES,
    DEFAULT_PRIORITY,
    FAULTS,
    MOVES,
    PAGE,
    PRIORITIES,
    REMARKS,
    STATUSES,
    THINGS,
    VIEWS,
    State,
    Ticket,
)

TITLES = [f"{thing} {fault}" for thing in THINGS for fault in FAULTS]
SEQUELS = (
    "please have another look", "nothing else is needed", "see the notes of last week", "so let us wait", "thanks",
    "but only on Mondays", "as the manual says", "more in the wiki", "this can be merged", "details will follow",
)  # fmt: skip
RANKS = [priority for priority in PRIORITIES if priority != DEFAULT_PRIORITY]
BODIES = [f"{remark}, {sequel}" for remark in REMARKS for sequel in SEQUELS]


def _ticket(draws: Draws, state: State) -> tuple[int, Ticket, dict[str, object], dict[str, Any]]:
    """Draw a ticket that the user may change: also what a request says of it, and what names it in a call."""
    numbers = [n for n, ticket in state.tickets.items() if ticket.project not in (state.frozen, state.hidden)]
    number = draws.open("ticket", numbers)
    ticket = state.tickets[number]
    said = {"number": number, "project": ticket.project}
    return number, ticket, said, {"project": state.forms.project.write(ticket.project), "number": number}


def _project(draws: Draws, state: State) -> str:
    return draws.closed("project", [project for project in state.projects if project != state.frozen])


def _count(state: State, project: str, status: str) -> int:
    return sum((ticket.project, ticket.status) == (project, status) for ticket in state.tickets.values())


def _day(draws: Draws, state: State) -> datetime.date:
    return draws.open("day", [state.today + datetime.timedelta(days=n) for n in range(1, 120)])


def _get(draws: Draws, state: State) -> Filled:
    _, _, said, named = _ticket(draws, state)
    view = draws.closed("view", VIEWS)
    return Filled(said | {"view": view}, [Call("get_ticket", named | {"view": state.forms.view.write(view)})])


def _list(draws: Draws, state: State) -> Filled | None:
    project, status = _project(draws, state), draws.closed("status", STATUSES)
    if _count(state, project, status) > PAGE:
        return None  # one call would not list them all
    arguments = {"project": state.forms.project.write(project), "status": state.forms.status.write(status)}
    return Filled({"project": project, "status": status}, [Call("list_board", arguments)])


def _due(draws: Draws, state: State) -> Filled:
    project, day = _project(draws, state), _day(draws, state)
    arguments = {"project": state.forms.project.write(project), "until": state.forms.date.write(day)}
    return Filled({"project": project, "until": day}, [Call("upcoming_deadlines", arguments)])


def _workload(draws: Draws, state: State) -> Filled:
    person, priority = draws.open("person", state.people), draws.closed("priority", PRIORITIES)
    arguments = {"assignee": state.forms.person.write(person), "priority": state.forms.priority.write(priority)}
    return Filled({"person": person, "priority": priority}, [Call("workload", arguments)])


def _read(draws: Draws, state: State) -> Filled | None:
    _, ticket, said, named = _ticket(draws, state)
    if not ticket.comments:
        return None
    audience = draws.rng.choice(ticket.comments).audience
    call = Call("list_comments", named | {"audience": state.forms.audience.write(audience)})
    return Filled(said | {"audience": audience}, [call])


def _create(draws: Draws, state: State) -> Filled:
    project, person, title = _project(draws, state), draws.open("person", state.people), draws.open("title", TITLES)
    priority = draws.closed("rank", RANKS)
    arguments = {
        "project": state.forms.project.write(project),
        "title": title,
        "assignee": state.forms.person.write(person),
        "priority": state.forms.priority.write(priority),
    }
    said = {"project": project, "title": title, "person": person, "priority": priority}
    return Filled(said, [Call("create_ticket", arguments)])


def _move(draws: Draws, state: State) -> Filled:
    _, ticket, said, named = _ticket(draws, state)
    status = draws.rng.choice(MOVES[ticket.status])
    call = Call("move_ticket", named | {"status": state.forms.status.write(status)})
    return Filled(said | {"status": status}, [call])


def _assign(draws: Draws, state: State) -> Filled:
    _, _, said, named = _ticket(draws, state)
    person = draws.open("person", state.people)
    call = Call("assign_ticket", named | {"assignee": state.forms.person.write(person)})
    return Filled(said | {"person": person}, [call])


def _comment(draws: Draws, state: State) -> Filled:
    _, _, said, named = _ticket(draws, state)
    body, audience = draws.open("body", BODIES), draws.closed("audience", AUDIENCES)
    call = Call("comment_on_ticket", named | {"body": body, "audience": state.forms.audience.write(audience)})
    return Filled(said | {"body": body, "audience": audience}, [call])


def _schedule(draws: Draws, state: State) -> Filled:
    _, _, said, named = _ticket(draws, state)
    day = _day(draws, state)
    return Filled(said | {"due": day}, [Call("schedule_ticket", named | {"due": state.forms.date.write(day)})])


def _hand_over(draws: Draws, state: State) -> Filled | None:
    (one, first, _, named), (other, second, _, other_named) = _ticket(draws, state), _ticket(draws, state)
    person = draws.open("person", state.people)
    if one == other:
        return None
    code = state.forms.person.write(person)
    said = {"one": one, "first": first.project, "other": other, "second": second.project, "person": person}
    return Filled(said, [Call("assign_ticket", each | {"assignee": code}) for each in (named, other_named)])


def _two_steps(draws: Draws, state: State) -> Filled | None:
    """Two moves, of which the second is not open to the ticket before the first, nor the first after the second."""
    _, ticket, said, named = _ticket(draws, state)
    step = draws.rng.choice(MOVES[ticket.status])
    goals = [goal for goal in MOVES[step] if goal not in (*MOVES[ticket.status], ticket.status)]
    if not goals:
        return None
    goal = draws.rng.choice(goals)
    calls = [Call("move_ticket", named | {"status": state.forms.status.write(each)}) for each in (step, goal)]
    return Filled(said | {"step": step, "goal": goal}, calls)


def _reopen(draws: Draws, state: State) -> Filled | None:
    _, ticket, said, named = _ticket(draws, state)
    body, audience = draws.open("body", BODIES), draws.closed("audience", AUDIENCES)
    if ticket.status != "closed":
        return None
    calls = [
        Call("move_ticket", named | {"status": state.forms.status.write("triage")}),
        Call("comment_on_ticket", named | {"body": body, "audience": state.forms.audience.write(audience)}),
    ]
    return Filled(said | {"body": body, "audience": audience}, calls)


def _same_person(draws: Draws, state: State) -> Filled | None:
    (one, first, _, named), (other, second, _, other_named) = _ticket(draws, state), _ticket(draws, state)
    if one == other or first.assignee == second.assignee:
        return None
    calls = [
        Call("get_ticket", named | {"view": state.forms.view.write("people")}),
        Call("assign_ticket", other_named | {"assignee": state.forms.person.write(first.assignee)}),
    ]
    said = {"one": one, "first": first.project, "other": other, "second": second.project}
    return Filled(said, calls, lookups=(0,))


def _next_page(draws: Draws, state: State) -> Filled | None:
    project, status = _project(draws, state), draws.rng.choice(STATUSES)
    count = _count(state, project, status)
    if not PAGE < count <= 2 * PAGE:
        return None
    _, cursor = page(range(count), cursor=None, size=PAGE, about=f"{project} {status}")
    first = {"project": state.forms.project.write(project), "status": state.forms.status.write(status)}
    calls = [Call("list_board", first), Call("list_board", first | {"cursor": cursor})]
    return Filled({"project": project, "status": status}, calls)


def _frozen(draws: Draws, state: State) -> Filled:
    number = draws.rng.choice([n for n, ticket in state.tickets.items() if ticket.project == state.frozen])
    said = {"number": number, "project": state.frozen, "status": draws.rng.choice(MOVES[state.tickets[number].status])}
    return Filled(said | {"title": draws.rng.choice(TITLES), "person": draws.rng.choice(state.people)})


def _hidden(draws: Draws, state: State) -> Filled:
    number = draws.rng.choice([n for n, ticket in state.tickets.items() if ticket.project == state.hidden])
    return Filled({"number": number, "project": state.hidden, "person": draws.rng.choice(state.people)})


def _small_talk(_: Draws, __: State) -> Filled:
    return Filled({})


TEMPLATES: tuple[Template[State], ...] = (
    Template(
        "get",
        (
            "Look up the {view} of ticket {number} in {project}.",
            "Show me the {view} view for number {number} from the {project} project.",
            "{project}, ticket {number}: I need to see its {view}.",
        ),
        (
            "Could you look at ticket {number} of {project} and show its {view}?",
            "On {number} in the {project} tracker, what is written under {view}?",
        ),
        _get,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "list",
        (
            "Which tickets of {project} are in the {status} column?",
            "List the board of the {project} project, column {status}.",
            "Go through the {project} board and tell me what sits under {status}.",
        ),
        (
            "What does the {status} column hold on the board for {project} at the moment?",
            "From the {project} board, list everything that counts as {status}.",
        ),
        _list,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "due",
        (
            "What has to be finished in {project} by {until}?",
            "Tell me the deadlines of {project} that fall before or on {until}.",
            "Which deadlines does {project} have until {until}?",
        ),
        (
            "I plan the weeks up to {until}: what must be finished, which deadlines are there for {project}?",
            "Any upcoming deadline of {project} no later than {until}?",
        ),
        _due,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "workload",
        (
            "How many {priority} tickets are on the plate of {person}?",
            "Is {person} busy with anything {priority}?",
            "Show the {priority} workload of {person}.",
        ),
        (
            "Which {priority} work keeps {person} busy right now?",
            "I want to relieve {person}. What is on their plate that is {priority}?",
        ),
        _workload,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "read",
        (
            "What can {audience} read in the discussion under ticket {number} of {project}?",
            "Read me what {audience} see in the discussion beneath {number} from {project}.",
            "{project} ticket {number}: what does the discussion for {audience} say?",
        ),
        (
            "Please read out the discussion on number {number} in the {project} project, as {audience} see it.",
            "Is there any discussion with {audience} to read beneath ticket {number} in {project}?",
        ),
        _read,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "create",
        (
            'Open a new issue in {project}, priority {priority}, for {person}: "{title}".',
            'Report a new issue in {project}. It is {priority}, {person} should get it, and its title is "{title}".',
            'File "{title}" as an issue with {project}, {priority}, assigned to {person}.',
        ),
        (
            'File a new issue called "{title}" in the {project} project, make it {priority}, and give it to {person}.',
            'Open an issue that {person} will solve in {project}, {priority}: "{title}".',
        ),
        _create,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "move",
        (
            "Move ticket {number} in {project} to {status}.",
            "Number {number} of the {project} project can move on to {status} now.",
            "Change the status of ticket {number} in {project}; it should be {status}.",
        ),
        (
            "Set the status of {number} from {project} to {status}, please.",
            "On behalf of the team: move {project} ticket {number} into {status}.",
        ),
        _move,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "assign",
        (
            "Assign ticket {number} in {project} to {person}.",
            "Reassign number {number} of the {project} project, {person} will take over.",
            "Hand {project} ticket {number} over to {person}, please.",
        ),
        (
            "From today {person} is responsible for {number} in {project}; reassign it.",
            "Could you hand ticket {number} of {project} to somebody else, namely {person}?",
        ),
        _assign,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "comment",
        (
            'Comment on ticket {number} in {project}, for {audience}: "{body}".',
            'Write the comment "{body}" under number {number} of {project} so that {audience} can read it.',
            'Add a note to {project} ticket {number} that {audience} will see: "{body}".',
        ),
        (
            'Write this note on {number} in the {project} project: "{body}". The comment is meant for {audience}.',
            'For {audience}: please add the comment "{body}" beneath ticket {number} of {project}.',
        ),
        _comment,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "schedule",
        (
            "Schedule ticket {number} in {project} for {due}.",
            "Set the due day of number {number} in the {project} project to {due}.",
            "{project} ticket {number} must be done on {due}; note that as its due day.",
        ),
        (
            "Please make {due} the day on which {number} of {project} is due.",
            "We promised {due} to the customer, so schedule ticket {number} from {project} for that day.",
        ),
        _schedule,
        tasks={"practice": 5, "test": 3},
    ),
    Template(
        "hand over",
        ("{person} takes both ticket {one} in {first} and ticket {other} in {second}.",),
        ("Please put {person} in charge of two things: {one} from {first}, and {other} from {second}.",),
        _hand_over,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "two steps",
        ("Take ticket {number} of {project} to {step} first, and then on to {goal}.",),
        ("{number} in {project} has to pass through {step} before it ends in {goal}. Do both moves.",),
        _two_steps,
        ordered=True,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "reopen",
        ('Reopen {number} in {project}, back to triage, and tell {audience} there: "{body}".',),
        ('Closing {project} ticket {number} was wrong: return it to triage, then comment "{body}" for {audience}.',),
        _reopen,
        ordered=True,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "same person",
        ("Whoever works on ticket {one} in {first} should also get ticket {other} in {second}.",),
        ("Find out who is assigned {one} of {first}, and make the same person responsible for {other} of {second}.",),
        _same_person,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "next page",
        ("I want every single ticket that {project} has in {status}, down to the last page.",),
        ("Read out the complete {status} list for {project}. There is more than one page.",),
        _next_page,
        tasks={"practice": 4, "test": 3},
    ),
    Template(
        "small talk",
        (
            "What is the difference between a bug and a feature request, roughly?",
            "Good morning! Did you sleep well?",
            "How would you phrase a polite reminder? I only need a sentence to say aloud.",
        ),
        (
            "Thanks, that is all for now.",
            "Why do teams hold retrospectives?",
            "In one sentence: what makes a good title for an issue in general?",
        ),
        _small_talk,
        kind="no_tool",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "frozen",
        ("Bring {project} ticket {number} into {status}, whatever it takes.",),
        ("I insist that {number} in {project} goes to {status} today.",),
        _frozen,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "frozen new",
        ('There is a new problem in {project}, "{title}"; open a ticket for {person} there, it is urgent.',),
        ('Log "{title}" as an urgent ticket with {project} and nowhere else. {person} will deal with it.',),
        _frozen,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
    Template(
        "hidden",
        ("Make {person} the assignee of {number} in {project}.",),
        ("Let {person} do ticket {number} from the confidential {project} project.",),
        _hidden,
        kind="forbidden",
        tasks={"practice": 1, "test": 1},
    ),
)
