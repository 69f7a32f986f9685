"""Where a secret can stand in what passes a relay: each carrier makes of one a call and its answer."""

import html
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.middleware.secrets.making import Secret

_CUT = 16 * 1024  # bytes of arguments or result that are kept by default
_LONG = 256 * 1024  # bytes above which a message is not read whole
_ERROR = 2_000  # characters of an error that are kept
_FILLER = "The quick brown fox jumps over the lazy dog near the river bank. "
_DONE = {"result": {"content": [{"type": "text", "text": "done"}]}}


@dataclass(frozen=True)
class Exchange:
    """One `tools/call` and what the server answers; or a tool that is listed, or a word of the server's command."""

    arguments: dict[str, Any] = field(default_factory=lambda: {"city": "Riga"})
    answer: dict[str, Any] = field(default_factory=lambda: _DONE)
    tool: str = "look"
    identifier: str = ""  # what the id begins with
    client: str | None = None
    definition: dict[str, Any] | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A secret, the name of the carrier it was put into, and the exchange that resulted."""

    secret: Secret
    carrier: str
    exchange: Exchange

    def __str__(self) -> str:
        return f"{self.secret.kind} / {self.carrier}"


Carrier = Callable[[Secret, random.Random], Exchange | None]


def result_text(*texts: str, is_error: bool = False, **more: Any) -> dict[str, Any]:
    """Return an answer with these texts."""
    content = [{"type": "text", "text": text} for text in texts]
    return {"result": {"content": content, **({"isError": True} if is_error else {}), **more}}


def is_plain(text: str) -> bool:
    """Whether `text` can stand unquoted in a line."""
    return all(character > " " and character not in "\"'\\<>&" for character in text)


def in_text(secret: Secret, rng: random.Random) -> str:
    """Return the secret as it would stand in a text: by itself where it needs no name, else behind its name."""
    if secret.shape == "text" or (secret.shape == "token" and rng.random() < 0.6):
        return secret.text
    key, text = secret.key, secret.text
    forms = [f"{key}: {json.dumps(text)}", f'{{"{key}": {json.dumps(text)}}}', f'"{key}" => {json.dumps(text)}']
    if not {*text} & {*"\"'\\"}:
        forms += [f"{key}='{text}'", f"{key} = '{text}'", f"{key}: {text}\n", f"`{key}`: `{text}`"]
    if is_plain(text):
        forms += [f"{key}={text}", f"export {key}={text}", f"--{key} {text}", f"--{key}={text}", f"{key}:{text}"]
    return rng.choice(forms)


def _value(secret: Secret, rng: random.Random) -> Exchange | None:
    return None if secret.shape == "text" else Exchange({"city": "Riga", secret.key: secret.text, "days": 3})


def _nested(secret: Secret, rng: random.Random) -> Exchange | None:
    value: Any = {secret.key: secret.text} if secret.shape != "text" else {"note": secret.text}
    for depth in range(rng.randint(6, 40)):
        value = [value, depth] if rng.random() < 0.5 else {"inner": value, "n": depth}
    return Exchange({"config": value})


def _value_of_a_member(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text":
        return None
    return Exchange(
        {"env": {secret.key: rng.choice([[secret.text], {"value": secret.text}, {"default": secret.text}])}}
    )


def _pair(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text":
        return None
    name, value = rng.choice([("name", "value"), ("key", "value"), ("Name", "Value")])
    return Exchange({"variables": [{name: "LANG", value: "de"}, {name: secret.key, value: secret.text}]})


def _escaped(times: int) -> Carrier:
    def carrier(secret: Secret, rng: random.Random) -> Exchange | None:
        body: Any = {
            "n": 1,
            **({"note": secret.text} if secret.shape == "text" else {secret.key: secret.text}),
            "z": [2],
        }
        for _ in range(times):
            body = json.dumps(body, ensure_ascii=rng.random() < 0.5)
        return Exchange({"body": body}) if rng.random() < 0.5 else Exchange(answer=result_text(body))

    return carrier


def _flag(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text" or not secret.key.isascii():
        return None
    if rng.random() < 0.5:
        return Exchange({"args": ["run", f"--{secret.key}", secret.text, "-v"]})
    return Exchange({"args": ["run", f"--{secret.key}={secret.text}", "-v"]})


def _harmless_key(secret: Secret, rng: random.Random) -> Exchange | None:
    return None if secret.shape == "named" else Exchange({"note": secret.text, "n": 1})


def _argument_text(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange({"content": f"Dear Ann,\nplease keep this:\n{in_text(secret, rng)}\nBest wishes\n"})


def _key(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange({"seen": {secret.text: 1}}) if secret.shape == "token" else None


def _result(secret: Secret, rng: random.Random) -> Exchange | None:
    shown = in_text(secret, rng)
    return Exchange(answer=result_text("Found 1 entry.", f"It says {shown} and was written in May."))


def _decorated(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape != "token":
        return None
    text = rng.choice(
        [
            "`{}`",
            '"{}"',
            "<code>{}</code>",
            "({}).",
            "| a | {} | b |",
            "**{}**",
            "密钥是{}。",
            "[{}]",
            "キー：{}です",
            "'{}',",
            "={}\n",
            "\t{}\r\n",
            "{};",
            "key\u00a0{}\u00a0",
            "…{}…",
        ]
    )
    return Exchange(answer=result_text(text.format(secret.text)))  # fmt: skip


def _structured(secret: Secret, rng: random.Random) -> Exchange | None:
    row = {"note": in_text(secret, rng)} if secret.shape == "text" else {secret.key: secret.text}
    return Exchange(answer=result_text("1 row", structuredContent={"rows": [{"id": 7, **row}]}))


def _python(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text":
        return None
    return Exchange(
        answer=result_text(f"KeyError: 'city' in { ({'user': 'ann', secret.key: secret.text})!r}", is_error=True)
    )


def _error_text(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(answer=result_text(f"request failed (401): {in_text(secret, rng)}", is_error=True))


def _error_message(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(answer={"error": {"code": -32602, "message": f"bad request: {in_text(secret, rng)}"}})


def _error_data(secret: Secret, rng: random.Random) -> Exchange | None:
    row: Any = {"note": secret.text} if secret.shape == "text" else {secret.key: secret.text}
    data = rng.choice([{"request": row}, [row], json.dumps(row), {"body": json.dumps({"inner": row})}])
    return Exchange(answer={"error": {"code": -32000, "message": "upstream said no", "data": data}})


def _resource(secret: Secret, rng: random.Random) -> Exchange | None:
    resource = {"uri": "file:///app/notes.txt", "mimeType": "text/plain", "text": f"# notes\n{in_text(secret, rng)}\n"}
    return Exchange(answer={"result": {"content": [{"type": "resource", "resource": resource}]}})


def _query(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text" or not secret.key.isascii():
        return None
    sign = rng.choice("??#")
    url = f"https://api.acme.io/v2/items{sign}page=2&{secret.key}={quote(secret.text, safe='')}&sort=asc"
    return Exchange({"url": url}) if rng.random() < 0.5 else Exchange(answer=result_text(f"GET {url} 200"))


def _user_info(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape != "token" or not is_plain(secret.text):
        return None
    login = rng.choice(["", "oauth2:", "x-access-token:"])
    return Exchange({"remote": f"https://{login}{quote(secret.text, safe='')}@git.example.com/a/b.git"})


def _in_path(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape != "token" or "/" in secret.text:
        return None
    return Exchange({"url": f"https://api.acme.io/bot/{quote(secret.text, safe='')}/send"})


def _tool(secret: Secret, rng: random.Random) -> Exchange | None:
    schema: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
    description = "Looks something up."
    if secret.shape == "named":
        schema["properties"][secret.key] = {"type": "string", rng.choice(["default", "const"]): secret.text}
    elif rng.random() < 0.5:
        schema["properties"]["city"] = {"type": "string", "examples": ["Riga", secret.text]}
    else:
        description += f" For example: {in_text(secret, rng)}"
    return Exchange(
        definition={"name": f"tool_{rng.randrange(10**9)}", "description": description, "inputSchema": schema}
    )


def _client(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(client=f"client {secret.text}") if secret.shape == "token" else None


def _tool_name(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(tool=f"call_{rng.randrange(99)} {secret.text}") if secret.shape == "token" else None


def _identifier(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(identifier=secret.text) if secret.shape == "token" else None


def _command(secret: Secret, rng: random.Random) -> Exchange | None:
    text, key = secret.text, secret.key
    if secret.shape == "text":
        return Exchange(words=(text,)) if "\n" not in text else None
    if not key.isascii():
        return None
    if secret.shape == "token" and rng.random() < 0.4:
        return Exchange(words=(text,))
    return Exchange(
        words=rng.choice([(f"--{key}", text), (f"--{key}={text}",), (f"{key}={text}",), ("-H", f"{key}: {text}")])
    )


def _at_the_cut(secret: Secret, rng: random.Random) -> Exchange | None:
    shown = in_text(secret, rng)
    before = _filler(_CUT - 64 - rng.randrange(len(shown) + 120), rng)
    if rng.random() < 0.3:
        return Exchange({"content": f"{before} {shown} {_filler(900, rng)}"})
    return Exchange(answer=result_text(f"{before} {shown} {_filler(900, rng)}"))


def _at_the_bridge(secret: Secret, rng: random.Random) -> Exchange | None:
    shown = in_text(secret, rng)
    before = _filler(rng.choice([200, _CUT - rng.randrange(len(shown) + 160)]), rng)
    return Exchange(answer=result_text(f"{before} {shown} {_filler(_LONG, rng)}"))


def _at_the_end_of_an_error(secret: Secret, rng: random.Random) -> Exchange | None:
    shown = in_text(secret, rng)
    text = f"{_filler(_ERROR - rng.randrange(len(shown) + 60), rng)} {shown} {_filler(400, rng)}"
    if rng.random() < 0.5:
        return Exchange(answer={"error": {"code": -32603, "message": text}})
    return Exchange(answer=result_text(text, is_error=True))


def _filler(length: int, rng: random.Random) -> str:
    start = rng.randrange(len(_FILLER))
    return (_FILLER * (length // len(_FILLER) + 2))[start : start + max(0, length)]


CARRIERS: dict[str, Carrier] = {
    "value": _value,
    "nested deep": _nested,
    "member of a telling member": _value_of_a_member,
    "pair of name and value": _pair,
    "JSON in a string": _escaped(1),
    "JSON in a string in a string": _escaped(2),
    "flag": _flag,
    "harmless key": _harmless_key,
    "text argument": _argument_text,
    "key": _key,
    "result": _result,
    "decorated": _decorated,
    "structured content": _structured,
    "python repr": _python,
    "error text": _error_text,
    "error message": _error_message,
    "error data": _error_data,
    "resource": _resource,
    "query": _query,
    "user info": _user_info,
    "path": _in_path,
    "tool definition": _tool,
    "client name": _client,
    "tool name": _tool_name,
    "request id": _identifier,
    "server command": _command,
    "cut border": _at_the_cut,
    "long message": _at_the_bridge,
    "long error": _at_the_end_of_an_error,
}
RARE = {"long message": 0.15, "client name": 0.5, "request id": 0.3}  # long, or beside the point: for some only


def forms(body: str) -> set[str]:
    """Return how `body` may be spelled in a file."""
    found = {body}
    for ascii_only in (True, False):
        once = json.dumps(body, ensure_ascii=ascii_only)[1:-1]
        found |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    found |= {quote(one, safe="") for one in (*found,)}
    return found | {html.escape(body)}
