import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.redaction import (
    may_hold_secret,
    redact,
    redact_command,
    redact_definition,
    redact_text,
    signs_of_secrets,
)
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


NOTATIONS = [
    *("{name}={value}", "{name}: {value}", "--{name} {value}", "<{name}>{value}</{name}>", '{name} => "{value}"'),
    *(
        "name: {name}\nvalue: {value}",
        "https://host/?a=1&{name}={value}&b=2",
        "the {name} is {value}",
        "`{name}`: `{value}`",
    ),
    *('define("{name}", "{value}")', "[x]\n{name} = {value}\n[y]", "{name}: >-\n  {value}\n"),
]
# Pieces of what secrets are said in: what is built of these is near the borders between what is one and what is not.
PIECES = [
    *(
        "password",
        "token",
        "Authorization",
        "api key",
        "=",
        ": ",
        '"',
        "'",
        "\\",
        '\\"',
        "\n",
        " is ",
        "Bearer ",
        "[redacted]",
        "{",
        "]",
    ),
    *(
        "hunter2",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "://",
        "ann:pw@host",
        "<",
        ">",
        "--",
        "пароль",
        "密码",
        "\ud800",
        ",",
    ),
    *("kJ8sLq2mPzR8tWv4nBh7cYdX3e", "eyJhbGciOiJIUzI1NiJ9", ".", "-----BEGIN PRIVATE KEY-----", "$", "12345678", "é"),
]
near_secrets = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
near_values = st.recursive(
    near_secrets | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(near_secrets, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", ["db_password", "API_KEY", "authToken"])
def test_a_name_gives_its_value_away_in_any_notation_and_behind_any_escapes(notation: str, name: str) -> None:
    text = notation.format(name=name.upper() if "define" in notation else name, value="Xq7wLmN2pR")
    for _ in range(3):
        assert "Xq7wLmN2pR" not in redact_text(text)
        assert may_hold_secret(json.dumps(text))
        text = json.dumps(f"line\n{text}\nend")


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 4096, "token_count": 12, "next_page_token": "kJ8sLq2mPzR8tWv4nBh7cYdX3e", "sort_key": "name"},
        {"author": "Ann Lee", "keyboard": "qwerty", "passenger": "Bo", "key": "value", "secretary": "Cy", "pinned": 3},
        {
            "id": "kJ8sLq2mPzR8tWv4nBh7cYdX3e",
            "etag": '"kJ8sLq2mPzR8tWv4nBh7cYdX3e"',
            "sha": "9f86d081884c7d659a2feaa0c55ad015",
        },
        {"type": "image", "data": "kJ8sLq2mPzR8tWv4nBh7cYdX3ekJ8sLq2mPzR8tWv4nBh7cYdX3e", "mimeType": "image/png"},
        {"station": "EGLL-2026-11-23", "file": "src/app/list_the_things_v2.py", "code": "LH4711"},
        "The password is required, and must be at least 8 characters. Tokens are counted.",
        "def login(user: str, password: str) -> bool: token = await get_token(); api_key=os.environ['API_KEY']",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b and 123e4567-e89b-12d3-a456-426614174000",
        "Donaudampfschifffahrtsgesellschaftskapitän; lentokonesuihkuturbiinimoottoriapumekaanikkoaliupseerioppilas",
    ],
)
def test_what_learning_and_people_need_stays(value: Any) -> None:
    assert redact(value) == value


def test_a_secret_that_only_its_randomness_gives_away_is_taken() -> None:
    assert redact({"x": "use kJ8sLq2mPzR8tWv4nBh7cYdX3e now"}) == {"x": "use [redacted] now"}


@pytest.mark.parametrize(
    ("before", "secret"),
    [
        ("", "amzn.mws.d5153664-4039-4142-81e6-415a95f2ee55"),
        ("", "amzn.mws.4ea38b7b-f563-7709-4bae-87aea15c0000"),
        (
            "https://harbour.webhook.office.com/webhookb2/",
            "4ea38b7b-f563-7709-4bae-87aea15c0000@4ea38b7b-f563-7709-4bae-87aea15c0001/IncomingWebhook/"
            "9f86d081884c7d659a2feaa0c55ad015/4ea38b7b-f563-7709-4bae-87aea15c0002",
        ),
    ],
)
def test_a_secret_made_of_ids_is_known_by_what_stands_before_it(before: str, secret: str) -> None:
    value = {"text": f"use {before}{secret} now"}
    signs = signs_of_secrets(json.dumps(value))
    assert redact(value, signs=signs) == {"text": f"use {before}[redacted] now"}


def test_ids_and_paths_are_no_reason_to_look_closer() -> None:
    text = "d5153664-4039-4142-81e6-415a95f2ee55 src/middleware/memory/a_file be53da2ff5c274bfe4885c4dae8200768dce1228"
    assert not may_hold_secret(text)


def test_names_and_values_of_pairs_and_flags_belong_together() -> None:
    assert redact({"name": "API_KEY", "value": "abc"}) == {"name": "API_KEY", "value": "[redacted]"}
    assert redact(["--password", "abc", "x"]) == ["--password", "[redacted]", "x"]
    assert redact(["username", "password", "email"]) == ["username", "password", "email"]


def test_a_definition_keeps_its_schema_and_loses_its_secrets() -> None:
    schema = {"properties": {"password": {"type": "string", "default": "hunter2", "description": "The password: any"}}}
    cleaned = redact_definition({"name": "t", "description": "Try password=hunter2", "inputSchema": schema})
    assert "hunter2" not in json.dumps(cleaned)
    password = cleaned["inputSchema"]["properties"]["password"]
    assert password == {"type": "string", "default": "[redacted]", "description": "The password: any"}


@given(near_values)
def test_redacting_again_changes_nothing_and_whatever_it_changes_is_suspected(value: Any) -> None:
    before = json.dumps(value)
    once = redact(value)
    assert json.dumps(value) == before
    assert json.dumps(redact(once)) == json.dumps(once)
    if json.dumps(once) != before:
        assert may_hold_secret(json.dumps(value, ensure_ascii=False))


@pytest.mark.parametrize(
    ("unit", "end"),
    [
        *(
            (unit, "")
            for unit in ("password=", "token=f(", "://", "://a:", "password='", 'token="', "eyJaaaaaa.", "aB3-")
        ),
        *((unit, "") for unit in ("\\", "密码", "密码是", "password=ssh-", "auth=/", ":auth>/", "password '")),
        ("\\", "u"),
        ("aB3_-", " https://host/"),
        (" ", "=password"),
    ],
)
def test_hostile_texts_cost_no_more_than_others(unit: str, end: str) -> None:
    """A minute is hundreds of times what a text of this length takes, and a fraction of what a quadratic one would."""
    text = f"'password' + {unit!r} * ({500_000 // len(unit)}) + {end!r}"
    code = f"from middleware.memory.redaction import redact_text; redact_text({text})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "prefix",
    [
        "ghp_",
        "hf_",
        "sgp_",
        "sntrys_",
        "vcp_",
        "gsk_",
        "fw_",
        "esecret_",
        "whsec_",
        "shpat_",
        "figd_",
        "phx_",
        "glsa_",
        "glc_",
        "zpka_",
        "ddp_",
    ],
)
def test_a_vendors_token_is_not_taken_for_an_objects_id(prefix: str) -> None:
    # As long as the body of an object's id may be, and in hexadecimal, as some vendors have it.
    token = prefix + "3f9a07c1e85b42d6" + "a0b1c2d3"
    assert redact_text(f"given: {token} here") == "given: [redacted] here"


def test_texts_full_of_objects_ids_need_not_be_looked_into() -> None:
    text = json.dumps([{"owner": f"usr_{number:016x}", "customer": f"cus_Nf9a{number:08d}Xy"} for number in range(99)])
    assert not may_hold_secret(text)


def test_names_of_secrets_in_other_alphabets_are_looked_for_where_they_may_be() -> None:
    for said in ("пароль: x7Kq9", "密码: x7Kq9", "la contraseña es x7Kq9", "パスワードは「x7Kq9」です", "şifre: x7Kq9"):
        assert "x7Kq9" not in redact_text(said)
        assert may_hold_secret(said)
    assert not may_hold_secret("Der Förster führt weiter. Здесь течёт река. 这里有河。")


@pytest.mark.parametrize(
    "text",
    [
        "env:\n  GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n  RUN: 9",
        "password=${DB_PASSWORD}",
        "password = var.database_password # 1",
        'curl --header "Authorization: Bearer $API_TOKEN"',
    ],
)
def test_where_a_secret_comes_from_is_no_secret(text: str) -> None:
    assert redact_text(text) == text


def test_a_key_in_a_urls_path_is_told_from_an_id_by_its_escapes() -> None:
    key = "qL9%2Fx%2BZk3Tq8W1sV7bN0pY" + "2fGhJ4dRtC5mUoIeA6wE%3D"
    assert redact_text(f"https://example.org/keys/{key}/use") == "https://example.org/keys/[redacted]/use"
    for url in (
        "https://example.org/documents/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
        "https://example.org/?next=https%3A%2F%2Fexample.org%2Fharbours%2Fsines%2Ftides%2Ftomorrow",
        "https://example.org/files/reports%2F2026%2Fnovember%2Ftides-of-the-north-coast",
    ):
        assert redact_text(url) == url
