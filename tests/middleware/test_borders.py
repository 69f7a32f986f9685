"""What is cut is redacted too: of a secret that lies across a border, no part stays that its whole would give away."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from middleware.abridge import LONG, abridge
from middleware.memory.redaction import redact_text
from middleware.memory.shortening import MARGIN
from middleware.parsing import parse
from middleware.recording import INTENT_LIMIT, Recording
from middleware.settings import CUT_BYTES, Settings

WINDOW = 12  # characters of a secret in a row that must not stay; fewer tell nothing
ERROR_LIMIT = INTENT_LIMIT
LETTERS = string.ascii_letters + string.digits


def random_text(least: int, most: int, letters: str = LETTERS) -> st.SearchStrategy[str]:
    return st.builds(
        lambda rng, length: "".join(rng.choices(letters, k=length)),
        st.randoms(use_true_random=False),
        st.integers(least, most),
    )


def lines(text: str) -> str:
    return "\n".join(text[start : start + 64] for start in range(0, len(text), 64))


# Each with what of it must not stay.
SECRETS = st.one_of(
    random_text(36, 36).map(lambda body: (f"ghp_{body}", body)),
    random_text(12, 300).map(lambda body: (f"password={body}", body)),
    random_text(12, 300).map(lambda body: (json.dumps({"api_key": body, "n": 1}), body)),
    random_text(12, 300).map(lambda body: (json.dumps(json.dumps({"client_secret": body})), body)),
    # Of these, half says nothing: neither a name, nor enough of a shape, nor randomness.
    random_text(40, 300, string.ascii_lowercase).map(lambda body: (f"postgres://ann:{body}@host/db", body)),
    random_text(32, 32, "0123456789abcdef").map(lambda body: (f"dapi{body}", body)),
    random_text(20, 300).map(lambda body: (f"Authorization: Bearer {body}1", body)),
    random_text(90, 600).map(lambda body: (f"eyJhbGciOiJIUzI1NiJ9.{body[:40]}.{body[40:]}", body[:40])),
    random_text(640, 2000).map(
        lambda body: (f"-----BEGIN PRIVATE KEY-----\n{lines(body)}\n-----END PRIVATE KEY-----", lines(body))
    ),
)
# What stands around it. With secrets in it, much less is left of a text than was cut.
FILLINGS = st.sampled_from(
    ["some words of a text ", "one,two;", "line\n", "é 日本 ", 'say "a\\b" ', f"password={'Xq7wLmN2pR' * 30} "]
)


def placed(secret: str, filling: str, position: int, length: int) -> str:
    """Return a text of at least `length` characters in which `secret` begins at `position`."""
    before = (filling * (position // len(filling) + 1))[: max(0, position - 1)]
    return f"{before} {secret} " + filling * ((length - position) // len(filling) + 1)


def stored(answer: dict[str, Any], arguments: dict[str, Any], settings: Settings, intent: str | None = None) -> str:
    """Return what is written of a call."""
    records: list[dict[str, Any]] = []

    def submit(new: list[dict[str, Any]], *, awaited: bool) -> int:
        records.extend(new)
        return 1

    recording = Recording(submit, server_uid="s", name="n", command=["c"], transport="stdio", settings=settings)
    request, size = passed({"id": 1, "params": {"name": "t", "arguments": arguments}}, settings)
    call = recording.request(request, size, None, intent)
    recording.answer(call, *passed({"id": 1, **answer}, settings))
    return json.dumps(records, ensure_ascii=False)


def passed(message: dict[str, Any], settings: Settings) -> tuple[dict[str, Any], int]:
    data = json.dumps(message).encode()
    return parse(abridge(data, settings.abridger())), len(data)


def assert_gone(secret: tuple[str, str], written: str) -> None:
    text, body = secret
    assert body not in redact_text(text)
    for layers in (body, json.dumps(body)[1:-1]):
        for start in range(len(layers) - WINDOW + 1):
            assert layers[start : start + WINDOW] not in written


# How much of the secret lies before the border, in hundredths; and how many bytes of JSON stand before the text.
PARTS = st.integers(0, 120)
BEFORE = st.integers(0, 160)


@given(SECRETS, FILLINGS, PARTS, BEFORE, st.sampled_from([CUT_BYTES, CUT_BYTES + MARGIN]))
@hypothesis_settings(max_examples=60)
def test_no_part_of_a_secret_stays_where_arguments_and_results_are_cut(
    secret: tuple[str, str], filling: str, part: int, before: int, border: int
) -> None:
    text = placed(secret[0], filling, border - before - len(secret[0]) * part // 100, 2 * CUT_BYTES)
    answer = {"result": {"content": [{"type": "text", "text": text}]}}
    assert_gone(secret, stored(answer, {"rows": [1, {"text": text}]}, Settings()))


@given(SECRETS, FILLINGS, PARTS, st.sampled_from([ERROR_LIMIT, ERROR_LIMIT + MARGIN]), st.booleans())
@hypothesis_settings(max_examples=150)
def test_no_part_of_a_secret_stays_where_an_error_or_an_intent_is_cut(
    secret: tuple[str, str], filling: str, part: int, border: int, is_result: bool
) -> None:
    text = placed(secret[0], filling, border - len(secret[0]) * part // 100, 4 * ERROR_LIMIT)
    answer: dict[str, Any] = {"error": {"code": 1, "message": "no", "data": {"text": text}}}
    if is_result:
        answer = {"result": {"content": [{"type": "text", "text": text}], "isError": True}}
    assert_gone(secret, stored(answer, {}, Settings(), intent=text))


@pytest.mark.parametrize("cut_bytes", [CUT_BYTES, LONG])
@given(SECRETS, FILLINGS, PARTS, BEFORE, st.booleans())
@hypothesis_settings(max_examples=8)
def test_no_part_of_a_secret_stays_of_a_message_too_long_to_be_read_whole(
    cut_bytes: int, secret: tuple[str, str], filling: str, part: int, before: int, is_first_cut: bool
) -> None:
    border = cut_bytes + MARGIN * is_first_cut
    position = border - before - len(secret[0]) * part // 100
    text = placed(secret[0], filling, position, LONG + 2 * MARGIN)
    answer = {"result": {"content": [{"type": "text", "text": text}]}}
    assert_gone(secret, stored(answer, {"text": text}, Settings(cut_bytes=cut_bytes)))
