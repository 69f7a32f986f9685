import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.redaction import may_hold_secret, redact, redact_command, redact_text
from middleware.memory.shortening import shorten

SECRETS = [
    "sk-proj-Abcdefghijklmnop1234",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop",
    "xoxb-1234567890-abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
]
NAMES = [
    *("password", "passwd", "secret", "token", "access_token", "api_key", "apikey", "Authorization", "cookie"),
    *("private_key", "client_secret", "dbPassword", "X-Api-Key", "AWS_SECRET_ACCESS_KEY", "refreshToken"),
]


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_under_a_secrets_name_is_taken_out_at_any_depth(name: str) -> None:
    value = {"a": [{name: "hunter2", "kept": 1}], name: {"nested": "hunter2"}}
    assert may_hold_secret(json.dumps(value))
    assert redact(value) == {"a": [{name: "[redacted]", "kept": 1}], name: "[redacted]"}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_known_by_its_shape_wherever_it_stands(secret: str) -> None:
    value = {"text": f"use {secret} now", secret: [secret]}
    assert may_hold_secret(json.dumps(value))
    assert secret not in json.dumps(redact(value))
    assert redact({"text": f"use {secret} now"}) == {"text": "use [redacted] now"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 user=ann", "password=[redacted] user=ann"),
        ('{"password": "hunt\\"er2", "a": 1}', '{"password": "[redacted]", "a": 1}'),
        (json.dumps(json.dumps({"api_key": "abc", "a": 1})), r'"{\"api_key\": \"[redacted]\", \"a\": 1}"'),
        ("Authorization: Bearer abcdefghij", "Authorization: Bearer [redacted]"),
        ("Authorization: Basic YW46cHc=\nHost: x", "Authorization: Basic [redacted]\nHost: x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("postgres://ann:hunter2@host/db", "postgres://ann:[redacted]@host/db"),
        ("https://host/?token=abc&x=1", "https://host/?token=[redacted]&x=1"),
        ("next_page_token=abc", "next_page_token=abc"),
        ("the task-management-system-of-ours", "the task-management-system-of-ours"),
        ("what a token is", "what a token is"),
    ],
)
def test_secrets_in_texts_are_taken_out_and_the_rest_stays(text: str, expected: str) -> None:
    assert redact_text(text) == expected


def test_flags_and_the_names_of_pages_stay() -> None:
    value = {"secret": True, "token": None, "nextPageToken": "abc", "max_tokens": 5}
    assert redact(value) == value


def test_in_a_schema_names_are_no_secrets() -> None:
    schema = {"properties": {"password": {"type": "string"}}, "examples": ["ghp_abcdefghijklmnopqrstuvwxyz0123"]}
    assert redact(schema, names=False) == {**schema, "examples": ["[redacted]"]}


def test_a_command_line_is_shown_without_its_secrets() -> None:
    command = ["run", "--api-key", "V1", "--token=V2", "API_KEY=V3", "-H", "Authorization: Bearer VVVVVVVVV4", "a b"]
    shown = redact_command(command)
    assert "V1" not in shown
    assert "V2" not in shown
    assert "V3" not in shown
    assert "VVVV" not in shown
    assert shown.startswith("run --api-key '[redacted]' ")
    assert shown.endswith(" 'a b'")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_what_holds_no_secret_stays_as_it_is(value: Any) -> None:
    if not may_hold_secret(json.dumps(value, ensure_ascii=False)):
        assert redact(value) == value


@given(json_values, st.integers(20, 400))
def test_a_shortened_value_fits_and_says_when_it_was_cut(value: Any, limit: int) -> None:
    short, cut = shorten(value, limit)
    assert cut == (short != value)
    assert len(json.dumps(short, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")) <= (
        limit + 8 * json.dumps(value).count('"') + 100
    )


def test_a_long_text_keeps_its_beginning_and_no_half_of_a_secret() -> None:
    secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    for limit in range(60, 110):
        short, cut = shorten({"content": [{"type": "text", "text": f"begin here {secret} {'x' * 900}"}]}, limit)
        assert cut
        assert "ghp_abc" not in json.dumps(redact(short))


def test_values_too_deep_to_look_into_are_not_written() -> None:
    value: Any = {"password": "hunter2"}
    for _ in range(150):
        value = [value]
    assert "hunter2" not in str(redact(value))
