"""One server's entry in a client's file: what it says, the relay put into it, and the relay taken out again.

Both ways are edits of the entry's own text, such that everything the relay does not need stays as it was. The command's
text moves behind `--`, the text of URL and headers into the environment, as it is spelled: with its escapes, and with
`${...}`, which the client replaces there as before.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from middleware.clients.jsonc import after_comma, parse, plain, spell
from middleware.splice import Edit, Member, apply, beginning, elements, end_of, members, without

LAUNCH = ("-I", "-m", "learner", "proxy")
Options = Mapping[str, str | None]  # of `learner proxy`: its name, and its value or None for a flag

# What starts the relay, in front of its options: as written here, and as people write it themselves.
_LAUNCHES = (LAUNCH, LAUNCH[1:])
_FLAGS = frozenset({"--intent"})
_OF_THE_ENTRY = frozenset({"--name", "--url", "--url-from", "--header"})
_URL_KEYS = ("url", "httpUrl", "serverUrl")
_TYPE_KEYS = ("type", "transport")
_STDIO = frozenset({"stdio", "local"})
_HTTP = frozenset({"http", "streamable-http", "streamablehttp", "streamable_http"})
_SPEAKS_SSE = "it speaks the old HTTP with SSE, and the relay streamable HTTP only"
_SIGNS_IN = "the client signs in to it by OAuth, which the relay cannot"
_REASONS = {
    **dict.fromkeys(("oauth", "auth", "authProviderType"), _SIGNS_IN),
    "headersHelper": "the client runs a program for its headers, which the relay cannot",
    "sandboxEnabled": "the client locks it up, and the relay with it could not write to the memory",
}
_MAY_SIGN_IN = (
    "it holds no credentials, so the client may sign in to it by OAuth, which the relay cannot; "
    "if it needs no signing in, name it with --only"
)
_CREDENTIAL = re.compile(r"auth|key|token|secret|cookie|session|passw|credential|bearer", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127\.[0-9.]+|::1", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True)
class Relay:
    """The relay in an entry: the program that runs it, its options, and whether `learner wrap` put it there.

    `behind` is the number of the argument that is the server's command; the number of arguments if it has a URL.
    """

    program: str
    options: tuple[tuple[str, str | None], ...]
    is_ours: bool
    behind: int

    def option(self, name: str) -> str | None:
        """Return the value of the last option of this name."""
        return dict(self.options).get(name)


@dataclass(frozen=True)
class Entry:
    """What an entry says. Placeholders (`${...}`) are as they were written.

    `command` is the server's own, or () with `url`; `environment` what the entry adds to the client's. `left` says why
    the relay cannot be put here, "" where it can, and `may_sign_in` that this is only because nobody can tell.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    environment: Mapping[str, str] | None = None
    cwd: str | None = None
    is_disabled: bool = False
    relay: Relay | None = None
    left: str = ""
    may_sign_in: bool = False


def read_entry(text: str, *, is_gemini: bool = False) -> Entry:
    """Return what the entry `text` says. In a file of Gemini's, `url` alone means SSE."""
    try:
        value = parse(text)
    except ValueError as error:
        return Entry(left=f"it is no JSON: {error}")
    if not isinstance(value, dict):
        return Entry(left="it is no object")
    environment = {key: item for key, item in _mapping(value.get("env")).items() if isinstance(item, str)}
    cwd = value.get("cwd")
    common: dict[str, Any] = {
        "environment": environment,
        "cwd": cwd if isinstance(cwd, str) else None,
        "is_disabled": value.get("disabled") is True or value.get("enabled") is False,
    }
    if "command" in value and not any(key in value for key in _URL_KEYS):
        return _read_command(value, common)
    return _read_url(value, common, is_gemini)


def wrap_entry(text: str, name: str, program: str, options: Options) -> str:
    """Return the entry `text` with the relay in it, which `program` (a Python) runs under `name` with `options`.

    `read_entry` must have nothing against it, and must not have found a relay in it.
    """
    parsed = plain(text)
    fields = _fields(parsed)
    head = [*LAUNCH, *_spelled_option("--name", "".join(filter(str.isprintable, name)).strip() or "unnamed")]
    for option, value in options.items():
        head += _spelled_option(option, value)
    edits = _wrap_command if "command" in fields else _wrap_url
    return apply(text, edits(text, parsed, fields, program, head))


def unwrap_entry(text: str) -> str:
    """Return the entry `text` without its relay, as far as it can be told from the entry itself: the type of a server
    with a URL, and whether there were arguments at all where there are none, may differ from what was there.

    `read_entry` must have found a relay.
    """
    relay = read_entry(text).relay
    parsed = plain(text)
    fields = _fields(parsed)
    if relay is None:
        return text
    spans = list(elements(parsed, fields["args"].value.start))
    if relay.behind == len(spans):
        return _unwrap_url(text, relay)
    command = spans[relay.behind]
    end = spans[relay.behind + 1].start if relay.behind + 1 < len(spans) else after_comma(text, command.end)
    taken_out = Edit(spans[0].start, end, "")
    return apply(text, [Edit(*fields["command"].value, text[command.start : command.end]), taken_out])


def kept_options(relay: Relay | None) -> dict[str, str | None]:
    """Return the options of `relay` that are a person's choice, and do not follow from the entry."""
    return {} if relay is None else {name: value for name, value in relay.options if name not in _OF_THE_ENTRY}


def _read_command(value: Mapping[str, Any], common: dict[str, Any]) -> Entry:
    command, args = value["command"], value.get("args")
    args = [] if args is None else args
    if not isinstance(command, str) or not command or not isinstance(args, list):
        return Entry(left="its command is no text, or its args are no list", **common)
    if not all(isinstance(item, str) for item in args):
        return Entry(left="its args are not all texts", **common)
    relay = _relay_in(command, args)
    if relay is not None:
        url = relay.option("--url") or _mapping(value.get("env")).get(relay.option("--url-from") or "")
        behind = tuple(args[relay.behind :])
        left = "" if behind or isinstance(url, str) else "it has a relay, but no server behind it"
        return Entry(behind, url if isinstance(url, str) and not behind else None, relay=relay, left=left, **common)
    return Entry((command, *args), left=_reason(value, _STDIO), **common)


def _read_url(value: Mapping[str, Any], common: dict[str, Any], is_gemini: bool) -> Entry:
    keys = [key for key in _URL_KEYS if key in value]
    url = value[keys[0]] if keys else None
    if not isinstance(url, str) or not url:
        return Entry(left="it has neither a command nor a URL", **common)
    headers = value.get("headers")
    left = _reason(value, _HTTP)
    if "command" in value or len(keys) > 1:
        left = "it has more than one of command and URL"
    elif "env" in value:
        left = "it has a URL and an env, whose meaning for it is not known"
    elif not isinstance(headers, dict | None) or not all(
        _HEADER_NAME.fullmatch(name) and isinstance(item, str) and item.isprintable()
        for name, item in _mapping(headers).items()
    ):
        left = "its headers are no texts that a header can hold"
    elif not any(key in value for key in _TYPE_KEYS) and _is_sse(keys[0], url, is_gemini):
        left = _SPEAKS_SSE
    elif not left and not _holds_credentials(url, _mapping(headers)) and not _is_loopback(url):
        return Entry(url=url, left=_MAY_SIGN_IN, may_sign_in=True, **common)
    return Entry(url=url, left=left, **common)


def _reason(value: Mapping[str, Any], types: frozenset[str]) -> str:
    for key, reason in _REASONS.items():
        if value.get(key):
            return reason
    if isinstance(value.get("dev"), dict) and value["dev"].get("debug"):
        return "the client debugs its command, which would be the relay"
    for key in _TYPE_KEYS:
        kind = value.get(key)
        if isinstance(kind, str) and kind.lower() not in types:
            return _SPEAKS_SSE if kind.lower() == "sse" else f"its type {kind!r} is not one that the relay speaks"
        if kind is not None and not isinstance(kind, str):
            return f"its {key} is no text"
    return ""


def _is_sse(key: str, url: str, is_gemini: bool) -> bool:
    return (is_gemini and key == "url") or _parts(url)[1].rstrip("/").endswith("/sse")


def _is_loopback(url: str) -> bool:
    return _LOOPBACK.fullmatch(_parts(url)[0]) is not None


def _holds_credentials(url: str, headers: Mapping[str, Any]) -> bool:
    query = [name for name, _ in parse_qsl(url.partition("?")[2])]
    return "@" in url.partition("?")[0] or any(map(_CREDENTIAL.search, [*headers, *query]))


def _parts(url: str) -> tuple[str, str]:
    """Return host and path; "" where the URL has none, or is none before the client has filled it in."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.path
    except ValueError:
        return "", ""


def _relay_in(command: str, args: Sequence[str]) -> Relay | None:
    begin = next((len(launch) for launch in _LAUNCHES if tuple(args[: len(launch)]) == launch), 0)
    if not begin and not (PurePath(command).name == "learner" and args[:1] == ["proxy"]):
        return None
    at = begin or 1
    options: list[tuple[str, str | None]] = []
    while at < len(args) and args[at].startswith("--") and args[at] != "--":
        name, equals, value = args[at].partition("=")
        at += 1
        if equals:
            options.append((name, value))
        elif name in _FLAGS or at == len(args):
            options.append((name, None))
        else:
            options.append((name, args[at]))
            at += 1
    if args[at : at + 1] == ["--"]:
        at += 1
    return Relay(command, tuple(options), tuple(args[: len(LAUNCH)]) == LAUNCH, at)


def _wrap_command(
    text: str, parsed: str, fields: Mapping[str, Member], program: str, head: Sequence[str]
) -> Iterator[Edit]:
    command = fields["command"]
    args = fields.get("args")
    is_dense = _is_dense(text, command)
    items = [*map(spell, [*head, "--"]), text[command.value.start : command.value.end]]
    yield Edit(*command.value, spell(program))
    if args is None:
        added = f"{_separator(text, command.start, is_dense)}{_listed(items, is_dense)}"
        yield Edit(command.value.end, command.value.end, added)
    elif text[args.value.start] != "[":  # null
        yield Edit(*args.value, _array(items, is_dense))
    elif first := next(elements(parsed, args.value.start), None):
        separator = _separator(text, first.start, is_dense)
        yield Edit(first.start, first.start, separator.join([*items, ""]))
    else:
        yield Edit(args.value.start + 1, args.value.start + 1, _array(items, is_dense)[1:-1])


def _wrap_url(
    text: str, parsed: str, fields: Mapping[str, Member], program: str, head: Sequence[str]
) -> Iterator[Edit]:
    key = next(key for key in _URL_KEYS if key in fields)
    url, headers = fields[key], fields.get("headers")
    is_dense = _is_dense(text, url)
    named = list(members(parsed, headers.value.start)) if headers else []
    variables = {f"PRACTICUM_HEADER_{number}": one for number, one in enumerate(named, 1)}
    arguments = [*head, "--url-from", _url_variable(key)]
    for variable, one in variables.items():
        arguments += ["--header", f"{one.key}={variable}"]
    separator = _separator(text, url.start, is_dense)
    added = [_member("command", spell(program), is_dense), _listed(list(map(spell, arguments)), is_dense)]
    variable_of_url = _member(_url_variable(key), text[url.value.start : url.value.end], is_dense)
    if headers is None:
        added.append(_member("env", f"{{{variable_of_url}}}", is_dense))
    else:
        yield _renamed(parsed, headers, "env")
        if named:
            first = named[0].start
            yield Edit(first, first, f"{variable_of_url}{_separator(text, first, is_dense)}")
        elif text[headers.value.start] == "{":
            yield Edit(headers.value.start + 1, headers.value.start + 1, variable_of_url)
        else:  # null
            yield Edit(*headers.value, f"{{{variable_of_url}}}")
    yield Edit(url.start, url.value.end, separator.join(added))
    for variable, one in variables.items():
        yield _renamed(parsed, one, variable)
    for kind in _TYPE_KEYS:
        if kind in fields and text[fields[kind].value.start] == '"':
            yield Edit(*fields[kind].value, '"stdio"')


def _unwrap_url(text: str, relay: Relay) -> str:
    # One step after the other, each on its own text, as the members that go may be neighbours.
    fields = _fields(plain(text))
    variable = relay.option("--url-from")
    headers = [pair.partition("=") for name, pair in relay.options if name == "--header" and pair]
    env = {one.key: one for one in members(plain(text), fields["env"].value.start)} if "env" in fields else {}
    key, spelled = "url", spell(relay.option("--url"))
    if variable in env:
        key = next((key for key in _URL_KEYS if _url_variable(key) == variable), key)
        spelled = text[slice(*env[variable].value)]
    values = {name: env[held] for name, _, held in headers if held in env}
    taken = {variable, *(held for _, _, held in headers)}
    others = [text[one.start : one.value.end] for name, one in env.items() if name not in taken]
    blocks = [("headers", [f"{spell(name)}: {text[slice(*one.value)]}" for name, one in values.items()])]
    blocks.append(("env", others))
    written = ", ".join(f'"{block}": {{{", ".join(items)}}}' for block, items in blocks if items)
    command = fields["command"]
    edits = [Edit(command.start, command.value.end, f'"{key}": {spelled}')]
    if "env" in fields and written and taken & env.keys():
        edits.append(Edit(fields["env"].start, fields["env"].value.end, written))
    edits += [
        Edit(*fields[kind].value, '"http"')
        for kind in _TYPE_KEYS
        if kind in fields and parse(text[slice(*fields[kind].value)]) == "stdio"
    ]
    text = apply(text, edits)
    for gone in ("args", *(() if written or not taken & env.keys() else ("env",))):
        text = apply(text, without(plain(text), beginning(plain(text)), gone))
    return text


def _fields(parsed: str) -> dict[str, Member]:
    """Return the members of an entry by their keys: the last of each, as parsers have it."""
    return {one.key: one for one in members(parsed, beginning(parsed))}


def _renamed(parsed: str, one: Member, name: str) -> Edit:
    return Edit(one.start, end_of(parsed, one.start), spell(name))


def _url_variable(key: str) -> str:
    return f"PRACTICUM_{key.upper()}"


def _spelled_option(name: str, value: str | None) -> list[str]:
    if value is None:
        return [name]
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _is_dense(text: str, one: Member) -> bool:
    return text[one.value.start - 1] == ":"


def _member(key: str, value: str, is_dense: bool) -> str:
    return f"{spell(key)}:{'' if is_dense else ' '}{value}"


def _array(items: Sequence[str], is_dense: bool) -> str:
    return f"[{(',' if is_dense else ', ').join(items)}]"


def _listed(items: Sequence[str], is_dense: bool) -> str:
    return _member("args", _array(items, is_dense), is_dense)


def _separator(text: str, start: int, is_dense: bool) -> str:
    """Return what to put between items so that they stand as the one at `start` does: each on its line, or not."""
    before = text[:start]
    blank = before[len(before.rstrip(" \t\r\n")) :]
    line_breaks = re.findall(r"\r\n|\n|\r", blank)
    if line_breaks:
        return f",{line_breaks[-1]}{blank[max(blank.rfind(chr(10)), blank.rfind(chr(13))) + 1 :]}"
    return "," if is_dense else ", "


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
