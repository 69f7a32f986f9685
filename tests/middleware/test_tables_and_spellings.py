"""Secrets in columns, behind colours and escapes, in forms: what real servers' texts look like."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.plain_spelling import plain_spelling
from middleware.memory.redaction import redact, redact_text, signs_of_secrets
from middleware.memory.tables import secrets_in_tables

SECRET = "Tr0ub4dor-3x"
OTHER = "0therOne9"
TABLES = [
    f"name,password,email\nbob,{SECRET},b@x.org\namy,{OTHER},a@x.org\n",
    f'"id","user","api_key"\n"1","a, b","{SECRET}"\n',
    f"user\tpassword\nbob\t{SECRET}\n",
    f"| user | password |\n|---|---|\n| bob | {SECRET} |\n| amy | {OTHER} |\n",
    f" id | password     | at\n----+--------------+----\n  1 | {SECRET} | now\n(1 row)\n",
    f"+----+----------+\n| id | password |\n+----+----------+\n| 1 | {SECRET} |\n+----+----------+\n",
    f"INSERT INTO users (name, password) VALUES ('bob', '{SECRET}'), ('amy', '{OTHER}');",
]
TEXTS = [
    f"\x1b[32mDB_PASSWORD\x1b[0m=\x1b[32m{SECRET}\x1b[0m",
    f'\x1b[34;1m"password"\x1b[0m\x1b[1;39m:\x1b[0m \x1b[0;32m"{SECRET}"\x1b[0m',
    f"\\u001b[1mtoken:\\u001b[22m {SECRET}\\n",
    f'{{"pass\\u0077ord": "{SECRET}"}}',
    f"https://h/?token\\u003d{SECRET}",
    f"&quot;password&quot;: &quot;{SECRET}&quot;",
    f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--b--\r\n',
    f'<input name="password" type="text" value="{SECRET}">',
    f"<password><![CDATA[{SECRET}]]></password>",
    f"<dt>Password:</dt><dd>{SECRET}</dd>",
    f"password:\u00a0{SECRET}",
    f"Your password:\n\n    {SECRET}\n",
    f"Key         Value\n---         -----\npassword    {SECRET}\nuser        x",
    f"ENV DB_PASSWORD {SECRET}\n",
    f'password: Some("{SECRET}")',
    f'~ password = "{OTHER}" -> "{SECRET}"',
    f'- textbox "Password" [ref=e5]: {SECRET}',
    f"password%253D{SECRET}%2526b",
]
VALUES: list[Any] = [
    {"columns": ["id", "password"], "rows": [[1, SECRET], [2, OTHER]]},
    {"fields": [{"name": "id"}, {"name": "password"}], "values": [[1, SECRET]]},
    {"values": [["id", "password"], [1, SECRET]]},
    {"element": "Password textbox", "ref": "e5", "text": SECRET},
    {"selector": "input[name='password']", "value": SECRET},
    {"uri": "file:///.env", "blob": base64.b64encode(f"DB_PASSWORD={SECRET}\n".encode()).decode()},
]


def written(value: Any) -> str:
    """Return what is written of `value`, which is looked at only if its JSON shows signs."""
    text = json.dumps(value, ensure_ascii=False)
    signs = signs_of_secrets(text)
    return json.dumps(redact(value, signs=signs), ensure_ascii=False) if any(signs) else text


@pytest.mark.parametrize("text", TABLES + TEXTS)
def test_a_secret_is_found_in_tables_colours_and_forms_also_within_json(text: str) -> None:
    for value in (text, {"text": text}, json.dumps({"stdout": text.replace("\t", ";")})):
        assert SECRET not in written(value)
        assert OTHER not in written(value)


@pytest.mark.parametrize("value", VALUES)
def test_a_secret_is_found_in_rows_and_in_what_is_typed_into_a_page(value: Any) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()[:8]
    assert not any(text in written(value) for text in (SECRET, OTHER, encoded, value.get("blob", SECRET)))


@pytest.mark.parametrize(
    "text",
    [
        "model,tokens,cost\nlarge,31410,3\n",
        "name, email, password\nall three, or none, as you like\n",
        "| option | password |\n|---|---|\n| type | string |\n",
        "import a, token\nfrom b import c, d\n",
        "\x1b[31mred\x1b[0m and \\u001b[32mgreen",
        '{"selector": "#search", "text": "hunter22"}',
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7xK9qL2mZ8wR5tY7pN4vC6aB3x",
        '{"kty": "RSA", "e": "AQAB", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtV"}',
    ],
)
def test_tables_without_secrets_colours_and_public_keys_stay(text: str) -> None:
    assert redact_text(text) == text


def test_colours_stay_beside_a_secret_that_shows_without_taking_them_out() -> None:
    assert redact_text("\x1b[31mred\x1b[0m password=hunter22") == "\x1b[31mred\x1b[0m password=[redacted]"


@given(st.text(st.sampled_from("ab,|\t;\n\"\\'n()"), max_size=200))
def test_what_is_found_in_tables_lies_in_the_text(text: str) -> None:
    for start, end in secrets_in_tables("user,token\n" + text):
        assert 0 <= start < end <= len(text) + 11


@given(st.text())
def test_a_text_without_escapes_and_colours_is_spelled_plainly(text: str) -> None:
    plain = text.translate({ord(sign): "x" for sign in "\\&\x1b"})
    assert plain_spelling(plain) == plain
