"""Files that nobody thought of: JSON with comments and commas anywhere, strings in any spelling."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from middleware.clients.backup import wrapped_directory
from middleware.clients.jsonc import parse, plain
from middleware.clients.wrap import Launcher, carry_out, plan_unwrap, plan_wrap
from tests.middleware.clients.client import read

LAUNCHER = Launcher("/opt/p y/bin/python", {"--memory": '/m"\\é.db'}, Path("/m.db"))

between = st.sampled_from(["", "", " ", "\n", "\r\n    ", "\t", "/* c */", "// c\n", '/*"{,]*/ ', '\n// } ", \r\n  '])
texts = st.text(max_size=6) | st.sampled_from(["-I", "--", "learner", "proxy", "//", "/*", ",]", '"', "\\", "${x}"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
headers = st.dictionaries(st.sampled_from(["Authorization", "X-Key", "x_a"]), st.sampled_from(["a", "é", "${t}", ""]))
commands = st.fixed_dictionaries(
    {"command": texts.filter(bool)},
    optional={"args": st.none() | st.lists(texts, max_size=4), "env": st.dictionaries(texts, texts, max_size=2)},
)
urls = st.fixed_dictionaries(
    {"url": st.sampled_from(["http://127.0.0.1:1/mcp", "http://localhost/é?a=b"])},
    optional={"headers": headers, "type": st.just("http"), "env": st.dictionaries(texts, texts, max_size=2)},
)
unknown = st.dictionaries(st.sampled_from(["disabled", "cwd", "x", "inputs", ""]), values, max_size=2)
entries = st.builds(lambda entry, rest: {**entry, **rest}, commands | urls, unknown)
servers = st.dictionaries(texts, entries, min_size=1, max_size=3)
documents = st.one_of(
    st.builds(lambda found, rest: {**rest, "mcpServers": found, "z": 1}, servers, unknown),
    st.builds(lambda found, rest: {**rest, "projects": {"/a.b": {"mcpServers": found}}}, servers, unknown),
    st.builds(lambda found, rest: {"servers": found, **rest}, servers, unknown),
)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """Any spelling of `value`."""
    has_slashes, has_last_comma = draw(st.booleans()), draw(st.booleans())
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=draw(st.booleans()))
        return text.replace("/", "\\/") if has_slashes else text
    if not isinstance(value, dict | list):
        return json.dumps(value)
    brackets = "{}" if isinstance(value, dict) else "[]"
    items = []
    for item in value.items() if isinstance(value, dict) else value:
        if isinstance(value, dict):
            key, inner = (draw(spelled(part)) for part in item)
            items.append(f"{draw(between)}{key}{draw(between)}:{draw(between)}{inner}{draw(between)}")
        else:
            items.append(f"{draw(between)}{draw(spelled(item))}{draw(between)}")
    last = f",{draw(between)}" if items and has_last_comma else ""
    return f"{brackets[0]}{','.join(items) or draw(between)}{last}{brackets[1]}"


files = documents.flatmap(spelled).flatmap(lambda text: st.sampled_from([text, "\ufeff" + text, f"// c\n{text}\n"]))


def containers(document: Any) -> Any:
    return document.get("mcpServers") or document.get("servers") or document["projects"]["/a.b"]["mcpServers"]


def outside(document: Any) -> Any:
    """Return the document without its servers."""
    copy = json.loads(json.dumps(document))
    containers(copy).clear()
    return copy


@given(files)
def test_comments_are_read_as_clients_read_them(text: str) -> None:
    assert parse(text) == read(text.encode())
    assert len(plain(text)) == len(text)


@settings(max_examples=60)
@given(files, st.booleans())
def test_any_file_is_wrapped_and_unwrapped_to_the_same_bytes(text: str, has_backup: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mcp.json"
        file.write_bytes(text.encode())
        before = read(file.read_bytes())
        (plan,) = plan_wrap([file], LAUNCHER)
        if not plan.is_change:
            return
        carry_out(plan)
        wrapped = read(file.read_bytes())
        done = {change.name for change in plan.changes if change.action == "wrapped"}
        for name, entry in containers(before).items():
            if name in done:
                assert containers(wrapped)[name]["command"] == LAUNCHER.program
                if "command" in entry:
                    behind = [entry["command"], *(entry.get("args") or [])]
                    assert containers(wrapped)[name]["args"][-len(behind) :] == behind
                assert (entry.get("env") or {}).items() <= (containers(wrapped)[name].get("env") or {}).items()
                for key in entry.keys() - {"command", "args", "url", "headers", "type", "env"}:
                    assert containers(wrapped)[name][key] == entry[key]
            else:
                assert containers(wrapped)[name] == entry
        assert outside(wrapped) == outside(before)
        assert not plan_wrap([file], LAUNCHER)[0].is_change
        if not has_backup:
            shutil.rmtree(wrapped_directory())
        carry_out(plan_unwrap([file])[0])
        if has_backup:
            assert file.read_bytes() == text.encode()
            return
        after = read(file.read_bytes())
        for found in (before, after):
            for entry in containers(found).values():
                entry["args"] = entry.get("args") or []
                entry["headers"] = entry.get("headers") or {}
                entry["env"] = entry.get("env") or {}
        assert after == before
