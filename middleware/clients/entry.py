"""One server's entry in a client's file: what it says of the server, and whether a relay is, or can be, before it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from middleware.clients.jsonc import parse

LAUNCH = ("-I", "-m", "learner", "proxy")
# Under which clients keep a server's URL, and what kind of server it is.
URL_KEYS = ("url", "httpUrl", "serverUrl")
TYPE_KEYS = ("type", "transport")
Options = Mapping[str, str | None]  # of `learner proxy`: its name, and its value or None for a flag

# Why an entry is left in which somebody put the relay themselves.
BY_HAND = "it has a relay already, written by hand"

# What starts the relay, in front of its options: as written here, and as people write it themselves.
_LAUNCHES = (LAUNCH, LAUNCH[1:])
_FLAGS = frozenset({"--intent"})
_OF_THE_ENTRY = frozenset({"--name", "--url", "--url-from", "--header"})
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
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "fish"})
_SHELL_COMMAND = re.compile(r"-[a-z]*c")
_IN_SHELL = re.compile(r"""(?<![^\s/;&|('"])learner['"]?(?:\s+--memory[=\s]\s*\S+)?\s+proxy(?![^\s;&|)])""")
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
    environment: Mapping[str, str] = field(default_factory=dict)
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
    if "command" in value and all(value.get(key) is None for key in URL_KEYS):
        return _read_command(value, common)
    return _read_url(value, common, is_gemini)


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
    left = BY_HAND if _starts_relay((command, *args)) else _reason(value, _STDIO)
    return Entry((command, *args), left=left, **common)


def _read_url(value: Mapping[str, Any], common: dict[str, Any], is_gemini: bool) -> Entry:
    keys = [key for key in URL_KEYS if value.get(key) is not None]
    url = value[keys[0]] if keys else None
    if not isinstance(url, str) or not url:
        return Entry(left="it has neither a command nor a URL", **common)
    headers = value.get("headers")
    left = _reason(value, _HTTP)
    if "command" in value or len(keys) > 1:
        left = "it has more than one of command and URL"
    elif not re.match(r"https?://|\$", url, re.IGNORECASE):
        left = "its URL is none of HTTP"
    elif not isinstance(value.get("env"), dict | None):
        left = "its env is no object"
    elif not isinstance(headers, dict | None) or not all(
        _HEADER_NAME.fullmatch(name) and isinstance(item, str) and item.isprintable()
        for name, item in _mapping(headers).items()
    ):
        left = "its headers are no texts that a header can hold"
    elif not any(key in value for key in TYPE_KEYS) and _is_sse(keys[0], url, is_gemini):
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
    for key in TYPE_KEYS:
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


def _starts_relay(words: Sequence[str]) -> bool:
    """Whether the relay is started by some other program (uvx, env, a shell), whose ways are not ours to know."""
    # What stands behind -- is the server's own, but for `uv run -- learner proxy`.
    end = words.index("--") + 2 if "--" in words else len(words)
    for at, word in enumerate(words[:end]):
        if PurePath(word).name == "learner":
            behind = words[at + 1 :]
            if behind and behind[0].partition("=")[0] == "--memory":
                behind = behind[1 if "=" in behind[0] else 2 :]
            if behind[:1] == ("proxy",):
                return True
        is_script = at > 0 and _SHELL_COMMAND.fullmatch(words[at - 1]) is not None
        if is_script and any(PurePath(each).name in _SHELLS for each in words[:at]) and _IN_SHELL.search(word):
            return True
    return False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
