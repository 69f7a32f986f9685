"""What the relay takes out of messages, and not a byte more."""

from collections.abc import Iterator, Sequence

from middleware.memory.identity import TRIAL_META_KEY
from middleware.splice import apply, beginning, decode, elements, encode, members, without


def without_trial(data: bytes) -> bytes:
    """Return the message `data` without the learner's member of `params._meta`: no server should ever see it."""
    try:
        text = decode(data)
        edits = [
            edit
            for message in messages_in(text)
            for params in values(text, message, "params")
            for meta in values(text, params, "_meta")
            for edit in without(text, meta, TRIAL_META_KEY)
        ]
    except (ValueError, RecursionError):
        return data  # no JSON
    return encode(apply(text, edits)) if edits else data


def without_answers(data: bytes, late: Sequence[int]) -> bytes:
    """Return `data` without the elements `late` of a batch; nothing, when nothing else is in it."""
    text = decode(data)
    spans = list(elements(text, beginning(text)))
    kept = [text[span.start : span.end] for index, span in enumerate(spans) if index not in late]
    return encode(text[: spans[0].start] + ",".join(kept) + text[spans[-1].end :]) if kept else b""


def messages_in(text: str) -> list[int]:
    """Return where each message begins: several when `text` is a batch."""
    start = beginning(text)
    return [span.start for span in elements(text, start)] or [start]


def values(text: str, start: int, key: str) -> Iterator[int]:
    """Yield where each value of `key` begins in the object at `start`; a repeated key has several."""
    for one in members(text, start):
        if one.key == key:
            yield one.value.start
