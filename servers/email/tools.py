"""The tools of the mail service."""

import datetime
import re
from typing import Any

from servers.email.world import GUARDED, State
from servers.errors import ToolError
from servers.forms import Told
from servers.schema import described

HOUR = datetime.timedelta(hours=1)
SENT_AN_HOUR = 40
SUBJECT = 60  # characters at most


@described("good")
def list_messages(state: State, label: str, sender: str, since: str) -> dict[str, Any]:
    """List (search, find) the messages that one sender wrote, under one label, from a day onwards; oldest first.

    Args:
        sender: Address of the sender.
        since: First day to list.
    """
    box = state.label().read("label", label, told="example")
    writer = state.address().read("sender", sender, told="example")
    day = state.date().read("since", since, told="example")
    found = [
        {"id": state.forms.message.write(number), "subject": state.messages[number].subject}
        for number in state.found(box, writer, day)
    ]
    return {"label": box, "sender": writer, "since": day.isoformat(), "messages": found}


@described("terse")
def get_message(state: State, message: str) -> dict[str, Any]:
    """Get a message with its thread."""
    number = state.message().read("message", message, told="example")
    if number not in state.messages or state.messages[number].private:
        raise ToolError("404: message not found.")
    found = state.messages[number]
    return {
        "id": state.forms.message.write(number),
        "from": {"address": state.forms.address.write(found.sender), "name": found.sender},
        "date": state.forms.date.write(found.day),
        "subject": found.subject,
        "thread": state.forms.thread.write(found.thread),
        "label": state.forms.label.write(state.threads[found.thread]),
    }


@described("misleading", "priorities are codes, not numbers; mail is sent at most 40 times an hour")
def send_message(state: State, to: str, subject: str, body: str, priority: str) -> dict[str, Any]:
    """Send a mail (message) now.

    Args:
        to: Recipient.
        subject: Subject line.
        priority: From 1 (lowest) to 5.
    """
    recipient = _reached(state, to, "example")
    rank = state.priority().read("priority", priority, told="choices")
    _text("subject", subject, SUBJECT)
    _text("body", body)
    state.spend(
        "sending",
        limit=SENT_AN_HOUR,
        window=HOUR,
        refusal=f"429: at most {SENT_AN_HOUR} messages may be sent within an hour; try again later.",
    )
    mail = {"to": recipient, "subject": subject, "body": body, "priority": rank}
    state.sent.append(mail)
    return {"sent": True, **mail}


@described("good")
def save_draft(state: State, to: str, body: str, label: str) -> dict[str, Any]:
    """Save a draft of a mail under a label. Nothing is sent.

    Args:
        body: Text of the draft.
        label: Label id under which the draft is filed.
    """
    recipient = state.address().read("to", to, told="example")
    box = _open(state, "label", label, "example")
    _text("body", body)
    draft = {"to": recipient, "body": body, "label": box}
    if draft in state.drafts:
        raise ToolError("This draft has been saved already.")
    state.drafts.append(draft)
    return {"saved": True, **draft}


@described("misleading", "the service has forms of its own for days and times; ISO 8601 is refused")
def schedule_message(state: State, to: str, body: str, date: str, time: str) -> dict[str, Any]:
    """Schedule a mail that is sent later, at a certain time.

    Args:
        date: Day of sending, ISO 8601.
        time: Time of sending, ISO 8601.
    """
    recipient = state.address().read("to", to, told="example")
    day = state.date().read("date", date, told="example")
    clock = state.time().read("time", time, told="example")
    _text("body", body)
    if day <= state.today:
        raise ToolError("date must be after today.")
    mail = {"to": recipient, "body": body, "at": f"{day} {clock:%H:%M}"}
    if mail in state.scheduled:
        raise ToolError("This mail has been scheduled already.")
    state.scheduled.append(mail)
    return {"scheduled": True, **mail}


@described("terse")
def create_filter(state: State, sender: str, label: str) -> dict[str, Any]:
    """Add a filter (rule) that files all future mail from a sender under a label.

    Args:
        sender: Sender.
    """
    writer = state.address().read("sender", sender, told="example")
    box = _open(state, "label", label, "choices")
    if state.filters.get(writer) == box:
        raise ToolError("There is such a filter already.")
    state.filters[writer] = box
    return {"created": True, "sender": writer, "label": box}


@described("good")
def create_label(state: State, name: str, parent: str) -> dict[str, Any]:
    """Make a new label below (inside) another one.

    Args:
        name: Name of the new label, such as Board Minutes.
    """
    above = _open(state, "parent", parent, "example")
    if not re.fullmatch(r"[A-Z][a-z]{2,19}( [A-Z][a-z]{2,19}){0,2}", name):
        raise ToolError("name must be one to three words, each with a capital, for example 'Board Minutes'")
    code = state.forms.label.write(name)
    if code in state.label().written:
        raise ToolError("409: there is a label with this id.")
    state.labels[name] = above
    return {"created": True, "id": code, "name": name, "parent": above}


@described("terse")
def move_thread(state: State, thread: str, label: str) -> dict[str, Any]:
    """Move a thread (conversation) to a label.

    Args:
        thread: Thread id.
    """
    number = state.thread().read("thread", thread, told="nothing")
    box = _open(state, "label", label, "nothing")
    if number not in state.threads:
        raise ToolError("404: thread not found.")
    if state.threads[number] == GUARDED:
        raise ToolError("403")
    if state.threads[number] == box:
        raise ToolError("The thread has this label already.")
    state.threads[number] = box
    return {"moved": True, "thread": state.forms.thread.write(number), "label": box}


@described(
    "misleading", "there is no default text, and the last day is a day in the service's form, not a number of days"
)
def set_away(state: State, first: str, last: str, text: str) -> dict[str, Any]:
    """Answer every mail automatically while the user is away (on holiday, out of office).

    Args:
        last: How many days the user is away.
        text: The answer. Defaults to a polite one.
    """
    begins = state.date().read("first", first, told="example")
    ends = state.date().read("last", last, told="example")
    _text("text", text)
    if not state.today <= begins <= ends:
        raise ToolError("The absence must begin before it ends, and not in the past.")
    away = {"first": begins.isoformat(), "last": ends.isoformat(), "text": text}
    if away == state.away:
        raise ToolError("This answer is set already.")
    state.away = away
    return {"set": True, **away}


TOOLS = (
    list_messages,
    get_message,
    send_message,
    save_draft,
    schedule_message,
    create_filter,
    create_label,
    move_thread,
    set_away,
)


def _reached(state: State, to: str, told: Told) -> str:
    recipient = state.address().read("to", to, told=told)
    if recipient in state.closed:
        raise ToolError("403")
    return recipient


def _open(state: State, argument: str, text: str, told: Told) -> str:
    """Return the label that `text` stands for, if the user may put anything there."""
    box = state.label().read(argument, text, told=told)
    if box == GUARDED:
        raise ToolError(f"{GUARDED} belongs to the legal department: you can read what lies there, but not change it.")
    return box


def _text(argument: str, text: str, longest: int = 2000) -> None:
    if len(text) > longest or not re.match(r"[A-Z]\S* \S", text):
        raise ToolError(
            f"{argument} must be two words or more, begin with a capital and have at most {longest} characters"
        )
