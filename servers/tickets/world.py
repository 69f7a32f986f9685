"""An issue tracker: projects with numbered tickets that people are assigned to, comment on, and move to done.

Its habits, which no description tells; the forms are drawn from the seed:

- Projects, people, statuses, priorities, audiences and views are codes made of their names. A ticket is its project's
  code and its number, as a number. Days have a form of their own, and it is not 2026-03-03.
- A ticket moves only along the workflow (`MOVES`), and a refusal does not say which ways there are; its progress does.
  A closed ticket takes no comment.
- `list_board` answers in pages of three. A ticket takes three comments a day.
- A ticket that is created without a priority is trivial. Titles and comments have 20 to 80 characters.
- One project is frozen: its tickets may be read, not changed. Another is not for this user's eyes: the tracker talks as
  if it were not there.
- Most refusals show the right form by an example, or list the choices. Nothing is told by `create_ticket`, nor of the
  day by `upcoming_deadlines`, the status by `workload`, and the audience by `list_comments`.
"""

import datetime
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days
from servers.colleagues import colleagues
from servers.errors import ToolError
from servers.forms import Codebook, DateForm, NameForm, Told, date_forms, name_forms
from servers.service import ServiceState

STATUSES = ("triage", "planned", "underway", "review", "blocked", "closed")
MOVES = {
    "triage": ("planned", "blocked", "closed"),
    "planned": ("triage", "underway", "blocked"),
    "underway": ("planned", "review", "blocked"),
    "review": ("underway", "blocked", "closed"),
    "blocked": ("planned", "underway"),
    "closed": ("triage",),
}
PRIORITIES = ("trivial", "minor", "major", "urgent", "critical")
DEFAULT_PRIORITY = "trivial"
AUDIENCES = ("developers", "managers", "reporters", "auditors", "customers")
VIEWS = ("summary", "people", "progress", "dates")
OPENS = datetime.time(9, 0)  # of the tracker's clock on its first day
OPEN_PROJECTS = 9
TICKETS = 18  # in each open project
COMMENTS_A_DAY = 3  # on one ticket
PAGE = 3
SHORTEST, LONGEST = 20, 80  # characters of a title or comment

# No two words of the same place begin with the same three letters, so that shortened names stay distinct.
PROJECTS = (
    "Website Relaunch", "Mobile Wallet", "Billing Engine", "Search Index", "Data Warehouse", "Partner Portal",
    "Office Network", "Legacy Import", "Customer Onboarding", "Payment Gateway", "Invoice Scanner", "Route Planner",
    "Fleet Tracker", "Chat Assistant", "Print Service", "Badge Reader", "Stock Forecast", "Audit Trail",
    "Event Calendar", "Voice Menu", "Loyalty Scheme", "Photo Library", "Survey Builder", "Tax Declaration",
)  # fmt: skip
THINGS = (
    "Login form", "Export button", "Nightly backup", "Password reset", "Search field", "Welcome mail", "Price table",
    "Report header", "Upload dialog", "Session cookie", "Address book", "Dark theme", "Help page", "Status banner",
    "Sort order", "Update script", "Image preview", "Currency menu",
)  # fmt: skip
FAULTS = (
    "times out on slow lines", "shows the wrong name", "fails after an upgrade", "loses the last entry",
    "ignores the time zone", "is hidden on small screens", "needs a second click", "breaks with long texts",
    "is missing a translation", "uses too much memory", "cannot be reached by keyboard", "repeats itself",
)  # fmt: skip
REMARKS = (
    "I can reproduce this", "The patch is on staging", "The customer called again", "Logs are attached",
    "Waiting for the vendor", "Tests are green now", "This also hits the old release", "Numbers look better",
)  # fmt: skip

MARKS = {
    "project": ("prj", "pj", "proj", "key", "board", "area", "prd", "space"),
    "person": ("usr", "u", "acct", "member", "hr", "uid", "staff", "emp"),
    "status": ("st", "wf", "step", "stage", "lane", "col", "phase", "sts"),
    "priority": ("prio", "p", "sev", "rank", "urg", "lvl", "pri", "imp"),
    "view": ("view", "exp", "tab", "part", "fld", "pane", "sec", "show"),
    "audience": ("rdr", "vis", "for", "grp", "scope", "acl", "role", "to"),
}


@dataclass(frozen=True)
class Forms:
    """How this seed's tracker wants each kind of argument written."""

    project: NameForm
    person: NameForm
    status: NameForm
    priority: NameForm
    audience: NameForm
    view: NameForm
    date: DateForm


@dataclass
class Comment:
    """What somebody wrote beneath a ticket, and who may read it."""

    body: str
    audience: str


@dataclass
class Ticket:
    """A ticket of one project; `due` is None until somebody has set a day."""

    project: str
    title: str
    status: str
    priority: str
    assignee: str
    due: datetime.date | None = None
    comments: list[Comment] = field(default_factory=list)


@dataclass(kw_only=True)
class State(ServiceState):
    """`projects` are those that the user sees, `frozen` among them; `hidden` is not. `tickets` is by number."""

    forms: Forms
    projects: tuple[str, ...]
    frozen: str
    hidden: str
    people: tuple[str, ...]
    tickets: dict[int, Ticket]

    def read_project(self, code: str, told: Told) -> str:
        """Return the project that `code` stands for."""
        return codes(self.forms.project, self.projects, "Harbour Crane").read("project", code, told=told)

    def read_ticket(self, project: str, number: int, told: Told) -> Ticket:
        """Return the ticket; `project` is a code."""
        name = self.read_project(project, told)
        ticket = self.tickets.get(number)
        if ticket is None or ticket.project != name:
            raise ToolError(f"404: {name} has no ticket with number {number}")
        return ticket

    def changeable(self, project: str, number: int, told: Told) -> Ticket:
        """Return the ticket, if the user may change it; `project` is a code."""
        ticket = self.read_ticket(project, number, told)
        if ticket.project == self.frozen:
            raise ToolError("403")
        return ticket

    def read_person(self, argument: str, code: str, told: Told) -> str:
        """Return the person that `code` stands for."""
        return codes(self.forms.person, self.people, "Alex Sample").read(argument, code, told=told)

    def read_status(self, code: str, told: Told) -> str:
        """Return the status that `code` stands for."""
        return codes(self.forms.status, STATUSES, "parked").read("status", code, told=told)

    def read_priority(self, code: str, told: Told) -> str:
        """Return the priority that `code` stands for."""
        return codes(self.forms.priority, PRIORITIES, "cosmetic").read("priority", code, told=told)

    def read_audience(self, code: str, told: Told) -> str:
        """Return the audience that `code` stands for."""
        return codes(self.forms.audience, AUDIENCES, "visitors").read("audience", code, told=told)

    def read_view(self, code: str, told: Told) -> str:
        """Return the view that `code` stands for."""
        return codes(self.forms.view, VIEWS, "everything").read("view", code, told=told)

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def shown_person(self, name: str) -> dict[str, str]:
        """Return a person as results show one."""
        return {"id": self.forms.person.write(name), "name": name}


def first_state(seed: int) -> State:
    """Return how the tracker of `seed` starts."""
    forms = random.Random(f"tickets forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"tickets {seed}")  # noqa: S311 - a simulation, not a secret
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    people = colleagues(seed)
    *projects, hidden = rng.sample(PROJECTS, OPEN_PROJECTS + 2)
    places = [project for project in projects for _ in range(TICKETS)] + [hidden] * TICKETS
    numbers = sorted(rng.sample(range(100, 1000), len(places)))
    rng.shuffle(places)
    tickets = {
        number: Ticket(
            project=project,
            title=f"{rng.choice(THINGS)} {rng.choice(FAULTS)}",
            status=rng.choices(STATUSES, (5, 4, 3, 3, 2, 4))[0],
            priority=rng.choice(PRIORITIES),
            assignee=rng.choice(people),
            due=today + datetime.timedelta(days=rng.randrange(1, 90)) if rng.random() < 0.6 else None,
            comments=[Comment(rng.choice(REMARKS), rng.choice(AUDIENCES)) for _ in range(rng.randrange(4))],
        )
        for number, project in zip(numbers, places, strict=True)
    }
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, OPENS),
        forms=Forms(
            **{kind: forms.choice(name_forms(marks)) for kind, marks in MARKS.items()},
            date=forms.choice(date_forms()),
        ),
        projects=tuple(projects),
        frozen=projects[-1],
        hidden=hidden,
        people=people,
        tickets=tickets,
    )
