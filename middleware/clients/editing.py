"""The relay put into an entry of a client's file, and taken out of it again.

Both ways are edits of the entry's own text, such that everything the relay does not need stays as it was. The command's
text moves behind `--`, the text of URL and headers into the environment, as it is spelled: with its escapes, and with
`${...}`, which the client replaces there as before.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count

from middleware.clients.entry import LAUNCH, TYPE_KEYS, URL_KEYS, Options, Relay, read_entry
from middleware.clients.jsonc import after_comma, parse, plain, spell
from middleware.splice import Edit, Member, apply, beginning, elements, end_of, members, without

# In which the value of a header stands, in the environment.
HEADER_VARIABLE = re.compile(r"PRACTICUM_HEADER_[0-9]+(?:__[0-9]+)?")


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


def _wrap_command(
    text: str, parsed: str, fields: Mapping[str, Member], program: str, head: Sequence[str]
) -> Iterator[Edit]:
    command = fields["command"]
    args = fields.get("args")
    items = [*map(spell, [*head, "--"]), text[command.value.start : command.value.end]]
    yield Edit(*command.value, spell(program))
    if args is None:
        added = f"{_separator(text, command.start)}{_listed(items)}"
        yield Edit(command.value.end, command.value.end, added)
    elif text[args.value.start] != "[":  # null
        yield Edit(*args.value, _array(items))
    elif first := next(elements(parsed, args.value.start), None):
        separator = _separator(text, first.start)
        yield Edit(first.start, first.start, separator.join([*items, ""]))
    else:
        yield Edit(args.value.start + 1, args.value.start + 1, _array(items)[1:-1])


def _wrap_url(
    text: str, parsed: str, fields: Mapping[str, Member], program: str, head: Sequence[str]
) -> Iterator[Edit]:
    key = next(key for key in URL_KEYS if key in fields and text[fields[key].value.start] == '"')
    url, headers, env = fields[key], fields.get("headers"), fields.get("env")
    named = list(members(parsed, headers.value.start)) if headers else []
    own = {one.key for one in members(parsed, env.value.start)} if env else set()
    url_variable = _free(_url_variable(key), own)
    variables = {_free(f"PRACTICUM_HEADER_{number}", own): one for number, one in enumerate(named, 1)}
    arguments = [*head, "--url-from", url_variable]
    for variable, one in variables.items():
        arguments += ["--header", f"{one.key}={variable}"]
    separator = _separator(text, url.start)
    added = [_member("command", spell(program)), _listed(list(map(spell, arguments)))]
    moved = [_member(url_variable, text[slice(*url.value)])]
    if headers is not None and env is None:
        # They become the environment where they stand, with all that stands between them.
        yield _renamed(parsed, headers, "env")
        yield _added_to(text, parsed, headers, moved)
        for variable, one in variables.items():
            yield _renamed(parsed, one, variable)
    else:
        moved += [_member(variable, text[slice(*one.value)]) for variable, one in variables.items()]
        if env is None:
            added.append(_member("env", f"{{{moved[0]}}}"))
        else:
            yield _added_to(text, parsed, env, moved)
        yield from without(parsed, beginning(parsed), "headers")
    yield Edit(url.start, url.value.end, separator.join(added))
    for kind in TYPE_KEYS:
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
        key = next((key for key in URL_KEYS if re.fullmatch(_url_variable(key) + r"(__\d+)?", str(variable))), key)
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
        for kind in TYPE_KEYS
        if kind in fields and parse(text[slice(*fields[kind].value)]) == "stdio"
    ]
    text = apply(text, edits)
    for gone in ("args", *(() if written or not taken & env.keys() else ("env",))):
        text = apply(text, without(plain(text), beginning(plain(text)), gone))
    return text


def _fields(parsed: str) -> dict[str, Member]:
    """Return the members of an entry by their keys: the last of each, as parsers have it."""
    return {one.key: one for one in members(parsed, beginning(parsed))}


def _added_to(text: str, parsed: str, one: Member, items: Sequence[str]) -> Edit:
    """Return the edit that puts `items` first into the object, or null, that is the value of `one`."""
    if first := next(members(parsed, one.value.start), None):
        return Edit(first.start, first.start, _separator(text, first.start).join([*items, ""]))
    if text[one.value.start] == "{":
        return Edit(one.value.start + 1, one.value.start + 1, ", ".join(items))
    return Edit(*one.value, f"{{{', '.join(items)}}}")


def _renamed(parsed: str, one: Member, name: str) -> Edit:
    return Edit(one.start, end_of(parsed, one.start), spell(name))


def _url_variable(key: str) -> str:
    return f"PRACTICUM_{key.upper()}"


def _free(name: str, taken: Collection[str]) -> str:
    """Return `name`, with a number behind it where the server's own environment has it already."""
    return next(free for free in chain([name], (f"{name}__{number}" for number in count(2))) if free not in taken)


def _spelled_option(name: str, value: str | None) -> list[str]:
    if value is None:
        return [name]
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _member(key: str, value: str) -> str:
    return f"{spell(key)}: {value}"


def _array(items: Sequence[str]) -> str:
    return f"[{', '.join(items)}]"


def _listed(items: Sequence[str]) -> str:
    return _member("args", _array(items))


def _separator(text: str, start: int) -> str:
    """Return what to put between items so that they stand as the one at `start` does: each on its line, or not."""
    before = text[:start]
    blank = before[len(before.rstrip(" \t\r\n")) :]
    line_breaks = re.findall(r"\r\n|\n|\r", blank)
    if line_breaks:
        return f",{line_breaks[-1]}{blank[max(blank.rfind(chr(10)), blank.rfind(chr(13))) + 1 :]}"
    return ", "
