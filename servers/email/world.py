"""A mailbox: messages in threads, labels, filters, drafts, mail that is sent now or later, and an answer while away.

What its descriptions leave out:

- people are meant by their address in the directory, whose form nobody can guess from a name;
- labels and priorities are codes; messages and threads are numbered, each in a form of their own;
- days and times are written in forms of their own, never as in ISO 8601;
- a thread is moved, not a message;
- one label belongs to the lawyers: what lies there can be read, and nothing goes in or out;
- some people take mail from their own staff only, and the service answers a bare 403;
- what is private is said not to exist;
- mail is sent at most 40 times an hour;
- texts need two words and a capital, and a subject has at most 60 characters.
"""

import datetime
import functools
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days, times
from servers.forms import (
    LETTERS,
    Codebook,
    DateForm,
    NameForm,
    TimeForm,
    date_forms,
    name_forms,
    time_forms,
)
from servers.people import NOBODY, doubles, singles
from servers.quantities import NumberForm, Reader, number_forms, numbered
from servers.service import ServiceState

LABELS = ("Invoices", "Travel", "Garden Project", "Newsletters", "Pension Fund", "Taxes")
GUARDED = "Legal Hold"  # the one label that belongs to somebody else
PRIORITIES = ("low", "normal", "high", "urgent")
TOPICS = (
    "Roof repair", "Team outing", "Quarterly figures", "Office keys", "Printer lease", "Parking permits",
    "Coffee machine", "Fire drill", "New brochure", "Visitor badges", "Heating costs", "Window cleaning",
)  # fmt: skip
CLOSED = 3  # people who take mail from their own staff only
PRIVATE = 3  # messages that the user may not see
DAYS_BACK = 120
OPENS = datetime.time(8, 45)

MARKS = {
    "label": ("lb", "fld", "tgx", "mbx", "dir", "cat", "bin", "lx"),
    "priority": ("pri", "imp", "xp", "lvl", "rk", "urg", "pr", "sv"),
}
MESSAGE_PREFIXES = ("msg", "em", "mid")
THREAD_PREFIXES = ("thr", "conv", "tid")
# Hosts of the reserved domain, so short that the address is mostly the name.
HOSTS = ("mx", "po", "ml", "in", "eu", "hq", "uk", "go")
ADDRESS_SEPARATORS = (".", "_", "-", "+")


@dataclass(frozen=True)
class AddressForm:
    """A mail address made from a name: how much of each word is kept, what stands between them, and the host."""

    letters: int | None
    separator: str
    host: str

    def write(self, value: str, /) -> str:
        """Return the address of the person called `value`."""
        words = (word[: self.letters].lower() for word in value.split())
        return f"{self.separator.join(words)}@{self.host}.test"


@functools.cache
def address_forms() -> tuple[AddressForm, ...]:
    """Return every form of address."""
    return tuple(
        AddressForm(letters, separator, host)
        for letters in LETTERS
        for separator in ADDRESS_SEPARATORS
        for host in HOSTS
    )


@dataclass(frozen=True)
class Forms:
    """How this seed's mail service wants each kind of argument written."""

    address: AddressForm
    label: NameForm
    priority: NameForm
    message: NumberForm
    thread: NumberForm
    date: DateForm
    time: TimeForm


@dataclass(kw_only=True)
class Message:
    """One message that was received."""

    sender: str
    subject: str
    day: datetime.date
    thread: int
    private: bool = False


@dataclass(kw_only=True)
class State(ServiceState):
    """The whole mailbox. `threads` is thread → label, `labels` is label → the one above it, `filters` sender → label.

    `closed` are people who take no mail from the user. `away` is the first day, the last day and the text.
    """

    forms: Forms
    people: tuple[str, ...]
    closed: tuple[str, ...]
    labels: dict[str, str | None]
    messages: dict[int, Message]
    threads: dict[int, str]
    filters: dict[str, str] = field(default_factory=dict)
    sent: list[dict[str, str]] = field(default_factory=list)
    drafts: list[dict[str, str]] = field(default_factory=list)
    scheduled: list[dict[str, str]] = field(default_factory=list)
    away: dict[str, str] = field(default_factory=dict)

    def address(self) -> Codebook[str]:
        """Return the addresses of the directory."""
        return addresses(self.forms.address, self.people)

    def label(self) -> Codebook[str]:
        """Return the ids of the labels."""
        return codes(self.forms.label, tuple(self.labels), "Wine Cellar")

    def priority(self) -> Codebook[str]:
        """Return the codes of the priorities."""
        return codes(self.forms.priority, PRIORITIES, "confidential")

    def message(self) -> Reader[int]:
        """Return what reads the ids of messages."""
        return numbered(self.forms.message, 777, "message 777")

    def thread(self) -> Reader[int]:
        """Return what reads the ids of threads."""
        return numbered(self.forms.thread, 77, "thread 77")

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)

    def time(self) -> Codebook[datetime.time]:
        """Return the times of day."""
        return times(self.forms.time)

    def found(self, label: str, sender: str, since: datetime.date) -> list[int]:
        """Return the numbers of the messages from a sender under a label since a day, oldest first."""
        found = [
            (message.day, number)
            for number, message in self.messages.items()
            if message.sender == sender
            and message.day >= since
            and self.threads[message.thread] == label
            and not message.private
        ]
        return [number for _, number in sorted(found)]


def first_state(seed: int) -> State:
    """Return how the mailbox of `seed` starts."""
    drawn = random.Random(f"email forms {seed}")  # noqa: S311 - a simulation, not a secret
    forms = Forms(
        address=drawn.choice(address_forms()),
        **{kind: drawn.choice(name_forms(marks)) for kind, marks in MARKS.items()},
        message=drawn.choice(number_forms(MESSAGE_PREFIXES)),
        thread=drawn.choice(number_forms(THREAD_PREFIXES)),
        date=drawn.choice(date_forms()),
        time=drawn.choice(time_forms()),
    )
    rng = random.Random(f"email {seed}")  # noqa: S311 - a simulation, not a secret
    people = (*(formal for formal, _ in doubles(seed)), *singles(seed))
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    threads: dict[int, str] = {}
    messages: dict[int, Message] = {}
    numbers = iter(rng.sample(range(1000, 10000), 8 * len(people)))
    for thread, (sender, label) in zip(
        rng.sample(range(100, 1000), 2 * len(people)),
        ((sender, label) for sender in people for label in rng.sample(LABELS, 2)),
        strict=True,
    ):
        threads[thread] = label
        topic = rng.choice(TOPICS)
        for reply in range(rng.randrange(1, 4)):
            day = today - datetime.timedelta(days=rng.randrange(1, DAYS_BACK))
            subject = f"Re: {topic}" if reply else topic
            messages[next(numbers)] = Message(sender=sender, subject=subject, day=day, thread=thread)
    for thread in rng.sample(list(threads), 6):
        threads[thread] = GUARDED
    for number in rng.sample([n for n, message in messages.items() if threads[message.thread] != GUARDED], PRIVATE):
        messages[number].private = True
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, OPENS),
        forms=forms,
        people=people,
        closed=tuple(rng.sample(people, CLOSED)),
        labels=dict.fromkeys((*LABELS, GUARDED)),
        messages=messages,
        threads=threads,
    )


@functools.lru_cache(maxsize=64)
def addresses(form: AddressForm, people: tuple[str, ...]) -> Codebook[str]:
    """Return the addresses of `people`."""
    return Codebook(form, people, example=NOBODY, said=NOBODY)
