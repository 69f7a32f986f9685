"""Files wrapped and unwrapped in this process: which bytes they then hold, and what is kept beside."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from middleware.clients.backup import directory_of
from middleware.clients.installed import installed
from middleware.clients.wrap import Launcher, Plan, carry_out, plan_unwrap, plan_wrap
from middleware.errors import ClientFileError

LAUNCHER = Launcher("/opt/venv/bin/python", {}, Path("/home/me/memory.db"))
GIT = '{"mcpServers": {"git": {"command": "uvx", "args": ["mcp-server-git"]}}}'
TWO = """{
  "mcpServers": {
    "git": {
      "command": "uvx", // it
      "args": ["mcp-server-git"]
    },
    "bare": {"command": "x"},
    "docs": {"url": "https://docs.example/mcp?key=s3cret-in-url", "headers": {"Authorization": "Bearer s3cret"}}
  },
  "other": 1
}
"""


def wrap(path: Path, launcher: Launcher = LAUNCHER, only: tuple[str, ...] = ()) -> Plan:
    (plan,) = plan_wrap([path], launcher, only)
    if plan.is_change:
        carry_out(plan)
    return plan


def unwrap(path: Path, only: tuple[str, ...] = ()) -> Plan:
    (plan,) = plan_unwrap([path], only)
    if plan.is_change:
        carry_out(plan)
    return plan


def actions(plan: Plan) -> dict[str, str]:
    return {change.name: change.action for change in plan.changes}


def arguments(path: Path, name: str) -> list[str]:
    listed: list[str] = json.loads(path.read_text())["mcpServers"][name]["args"]
    return listed


def reformatted(path: Path) -> Any:
    """Write the file anew as a client does that keeps its own state in it."""
    value = json.loads(path.read_text().replace(" // it", ""))
    path.write_text(json.dumps(value, indent=4))
    return value


def test_a_file_is_wrapped_seen_as_wrapped_and_unwrapped_again(file: Path) -> None:
    file.write_text(GIT)
    wrap(file)
    written = file.read_text()
    assert '"command": "/opt/venv/bin/python", "args": ["-I", "-m", "learner", "proxy", "--name", "git"' in written
    (seen,) = installed(file.parent)
    assert (seen.path, seen.is_as_written, seen.is_wrapped, seen.problem) == (file, True, True, "")
    assert seen.backup is not None
    assert seen.backup.restore_script.is_file()
    (server,) = seen.servers
    assert server.entry.command == ("uvx", "mcp-server-git")
    assert server.entry.relay is not None
    assert (server.name, server.entry.relay.program) == ("git", "/opt/venv/bin/python")
    assert not wrap(file).is_change
    unwrap(file)
    assert file.read_text() == GIT
    assert installed(file.parent) == []


def test_somebody_elses_edits_survive_both_ways(file: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    file.write_text(file.read_text().replace('"other": 1', '"other": 2'))
    assert not installed(file.parent)[0].is_as_written
    unwrap(file)
    assert file.read_text() == TWO.replace('"other": 1', '"other": 2')


def test_an_entry_that_was_edited_loses_its_relay_and_keeps_the_edit(file: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    edited = file.read_text().replace('"mcp-server-git"]', '"mcp-server-git", "--verbose"], "env": {"A": "1"}')
    edited = edited.replace('"Bearer s3cret"', '"Bearer renewed"')
    file.write_text(edited)
    unwrap(file)
    left = json.loads(file.read_text().replace(" // it", ""))["mcpServers"]
    assert left["git"] == {"command": "uvx", "args": ["mcp-server-git", "--verbose"], "env": {"A": "1"}}
    assert left["docs"]["headers"] == {"Authorization": "Bearer renewed"}
    assert left["docs"]["url"] == "https://docs.example/mcp?key=s3cret-in-url"


def test_a_file_that_its_client_wrote_anew_gets_its_old_entries_back(file: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    reformatted(file)
    assert not wrap(file).is_change, "another spelling of what we would write is as good"
    unwrap(file)
    assert json.loads(file.read_text().replace(" // it", "")) == json.loads(TWO.replace(" // it", ""))


def test_servers_of_one_name_in_two_projects_each_get_their_own_text_back(file: Path) -> None:
    projects = (
        '"/a": {"mcpServers": {"s": {"command": "x"}}}, "/b": {"mcpServers": {"s": {"command": "x", "args": []}}}'
    )
    text = f'{{"projects": {{{projects}}}, "numStartups": 1}}'
    file.write_text(text)
    wrap(file)
    file.write_text(file.read_text().replace('"numStartups": 1', '"numStartups": 2'))
    unwrap(file)
    assert file.read_text() == text.replace('"numStartups": 1', '"numStartups": 2')


def test_without_a_backup_the_entries_themselves_tell_what_was_there(file: Path, tmp_path: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    shutil.rmtree(tmp_path / "state")
    unwrap(file)
    expected = json.loads(TWO.replace(" // it", ""))
    expected["mcpServers"]["bare"]["args"] = []  # nobody knows any more whether there were any
    assert json.loads(file.read_text().replace(" // it", "")) == expected
    assert '"command": "uvx", // it\n      "args": ["mcp-server-git"]\n' in file.read_text()


def test_a_comma_that_an_editor_put_last_goes_with_the_relay(file: Path) -> None:
    file.write_text('{"servers": {"a": {"command": "x", "args": []}}}')
    wrap(file)
    file.write_text(file.read_text().replace('"x"]', '"x" /* c */ ,], "b": 1'))
    unwrap(file)
    assert json.loads(file.read_text()) == {"servers": {"a": {"command": "x", "args": [], "b": 1}}}


def test_without_a_backup_variables_that_somebody_added_to_a_url_stay(file: Path, tmp_path: Path) -> None:
    file.write_text('{"servers": {"a": {"type": "http", "httpUrl": "http://[::1]/m", "headers": {"X": "1"}}}}')
    wrap(file)
    file.write_text(file.read_text().replace('"PRACTICUM_HEADER_1"', '"HTTPS_PROXY": "p", "PRACTICUM_HEADER_1"'))
    assert actions(wrap(file, Launcher("/another/python", {}, LAUNCHER.memory))) == {"a": "renewed"}
    assert json.loads(file.read_text())["servers"]["a"]["env"] == {
        "PRACTICUM_HTTPURL": "http://[::1]/m",
        "PRACTICUM_HEADER_1": "1",
        "HTTPS_PROXY": "p",
    }
    shutil.rmtree(tmp_path / "state")
    unwrap(file)
    assert json.loads(file.read_text())["servers"]["a"] == {
        "type": "http",
        "httpUrl": "http://[::1]/m",
        "headers": {"X": "1"},
        "env": {"HTTPS_PROXY": "p"},
    }


@pytest.mark.parametrize("key", ["url", "httpUrl"])
def test_a_urls_own_variables_keep_their_names_whatever_they_are(key: str, file: Path, tmp_path: Path) -> None:
    own = {f"PRACTICUM_{key.upper()}": "mine", f"PRACTICUM_{key.upper()}__2": "too", "PRACTICUM_HEADER_1": "also"}
    server = {key: "https://a.example/mcp", "headers": {"Authorization": "Bearer x"}, "env": own}
    file.write_text(json.dumps({"mcpServers": {"docs": server}}))
    wrap(file)
    pairs = json.loads(file.read_text(), object_pairs_hook=lambda pairs: pairs)
    environment = dict(dict(dict(dict(pairs)["mcpServers"])["docs"])["env"])
    assert len(environment) == len(dict(dict(dict(pairs)["mcpServers"])["docs"])["env"]) == len(own) + 2
    assert environment.items() >= own.items()
    (seen,) = installed(file.parent)
    assert seen.servers[0].entry.url == "https://a.example/mcp"
    shutil.rmtree(tmp_path / "state")
    unwrap(file)
    assert json.loads(file.read_text()) == {"mcpServers": {"docs": server}}


def test_after_an_edit_and_a_second_wrap_unwrap_goes_back_to_the_edit(file: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    more = '"new": {"command": "y"}, "git": {'
    file.write_text(file.read_text().replace('"git": {', more))
    assert actions(wrap(file))["new"] == "wrapped"
    expected = TWO.replace('"git": {', more)
    assert (directory_of(file) / "original").read_text() == expected
    unwrap(file)
    assert file.read_text() == expected


def test_single_servers_are_wrapped_and_unwrapped_in_any_order(file: Path) -> None:
    file.write_text(TWO)
    assert actions(wrap(file, only=("git",))) == {"git": "wrapped"}
    assert actions(wrap(file)) == {"git": "unchanged", "bare": "wrapped", "docs": "wrapped"}
    unwrap(file, only=("bare",))
    assert '"bare": {"command": "x"}' in file.read_text()
    unwrap(file, only=("git",))
    unwrap(file, only=("docs",))
    assert file.read_text() == TWO
    assert not directory_of(file).exists()


def test_an_outdated_python_is_renewed_and_options_are_kept_until_others_are_given(file: Path) -> None:
    file.write_text(GIT)
    wrap(file, Launcher("/old/python", {"--timeout": "5"}, LAUNCHER.memory))
    assert actions(wrap(file)) == {"git": "renewed"}
    assert arguments(file, "git")[4:] == ["--name", "git", "--timeout", "5", "--", "uvx", "mcp-server-git"]
    wrap(file, Launcher(LAUNCHER.program, {"--timeout": "9", "--memory": "/m.db"}, LAUNCHER.memory))
    assert arguments(file, "git")[6:10] == ["--timeout", "9", "--memory", "/m.db"]
    assert json.loads(file.read_text())["mcpServers"]["git"]["command"] == LAUNCHER.program
    unwrap(file)
    assert file.read_text() == GIT


def test_a_relay_that_somebody_put_there_by_hand_is_left(file: Path) -> None:
    by_hand = '{"command": "learner", "args": ["proxy", "--name", "a", "--", "x"]}'
    text = f'{{"mcpServers": {{"a": {by_hand}, "b": {{"command": "y"}}}}}}'
    file.write_text(text)
    assert actions(wrap(file)) == {"a": "left", "b": "wrapped"}
    assert actions(unwrap(file)) == {"a": "left", "b": "unwrapped"}
    assert file.read_text() == text


@pytest.mark.parametrize(
    "command",
    [
        "uvx --from practicum learner proxy --name a -- x",
        "pipx run --spec practicum learner --memory /m.db proxy --name a -- x",
        "uv run -- /opt/bin/learner --memory=/m.db proxy --name a -- x",
        "/usr/bin/env python3 -m learner proxy --name a -- x",
        "python3 -u -X utf8 -m learner proxy --name a --url https://a.example/mcp",
        ["sh", "-c", "learner proxy --name a -- x"],
        ["/bin/bash", "-lc", 'cd /srv && exec "$HOME/bin/learner" --memory /m.db proxy --name a -- x'],
        ["env", "A=1", "zsh", "-c", "python -m learner proxy --name a -- x;true"],
    ],
)
def test_a_relay_that_another_program_starts_is_left_and_named(command: str | list[str], file: Path) -> None:
    words = command.split() if isinstance(command, str) else command
    text = json.dumps({"mcpServers": {"a": {"command": words[0], "args": words[1:]}}})
    file.write_text(text)
    for plan in (wrap(file), wrap(file, only=("a",)), unwrap(file)):
        assert [(change.action, change.reason) for change in plan.changes] == [
            ("left", "it has a relay already, written by hand")
        ]
    assert file.read_text() == text


@pytest.mark.parametrize(
    "words",
    [
        ["uvx", "learner"],
        ["learner", "serve", "weather"],
        ["node", "proxy", "learner"],
        ["agent", "--about", "learner proxy, and how to write one"],
        ["sh", "-c", "learner serve weather; my-learner proxy; learner proxy-server"],
    ],
)
def test_what_only_looks_like_a_relay_is_wrapped(words: list[str], file: Path) -> None:
    file.write_text(json.dumps({"mcpServers": {"a": {"command": words[0], "args": words[1:]}}}))
    assert actions(wrap(file)) == {"a": "wrapped"}


def test_an_entry_whose_environment_moves_the_memory_names_the_present_one(file: Path) -> None:
    file.write_text('{"mcpServers": {"a": {"command": "x", "env": {"HOME": "/sandbox"}}}}')
    wrap(file)
    assert arguments(file, "a")[4:8] == ["--name", "a", "--memory", "/home/me/memory.db"]


def test_a_server_that_may_need_signing_in_is_wrapped_when_it_is_named(file: Path) -> None:
    file.write_text('{"mcpServers": {"a": {"url": "https://a.example/mcp"}, "b": {"url": "https://b.example/sse"}}}')
    (plan,) = plan_wrap([file], LAUNCHER)
    assert not plan.is_change
    assert "--only" in plan.changes[0].reason
    assert actions(wrap(file, only=("a",))) == {"a": "wrapped"}
    assert actions(wrap(file, only=("b",))) == {"b": "left"}


def test_no_secret_is_shown_or_stands_in_a_command_line(file: Path) -> None:
    file.write_text(
        TWO.replace('["mcp-server-git"]', '["--api-key", "s3cret", "--token=s3cret"], "env": {"K": "s3cret"}')
    )
    (plan,) = plan_wrap([file], LAUNCHER)
    assert actions(plan) == {"git": "wrapped", "bare": "wrapped", "docs": "wrapped"}
    assert "s3cret" not in repr(plan.changes)
    carry_out(plan)
    assert not [word for word in arguments_of_docs(file) if "s3cret" in word]


def arguments_of_docs(path: Path) -> list[str]:
    return list(json.loads(path.read_text().replace(" // it", ""))["mcpServers"]["docs"]["args"])


def test_what_is_kept_is_for_nobody_else(file: Path) -> None:
    file.write_text(TWO)
    wrap(file)
    kept = directory_of(file)
    assert {path.name: path.stat().st_mode & 0o777 for path in kept.iterdir()} == {
        "original": 0o600,
        "written": 0o600,
        "record.json": 0o600,
        "restore.sh": 0o700,
    }
    assert kept.stat().st_mode & 0o777 == 0o700


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text(GIT)
    real.chmod(0o640)
    file.symlink_to(os.path.join("dotfiles", "mcp.json"))  # noqa: PTH118 - a relative link
    for change in (wrap, unwrap):
        change(file)
        assert os.readlink(file) == "dotfiles/mcp.json"  # noqa: PTH115 - as it was written
        assert real.stat().st_mode & 0o777 == 0o640
        assert sorted(path.name for path in real.parent.iterdir()) == ["mcp.json"]
    assert real.read_text() == GIT


def test_a_file_that_changed_after_it_was_shown_is_not_touched(file: Path) -> None:
    file.write_text(GIT)
    (plan,) = plan_wrap([file], LAUNCHER)
    file.write_text(TWO)
    with pytest.raises(ClientFileError, match="changed in the meantime"):
        carry_out(plan)
    assert file.read_text() == TWO
    assert not directory_of(file).exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_is_not_replaced(file: Path) -> None:
    file.write_text(GIT)
    file.chmod(0o444)
    (plan,) = plan_wrap([file], LAUNCHER)
    with pytest.raises(ClientFileError, match="read-only"):
        carry_out(plan)
    assert file.read_text() == GIT


def test_a_file_is_not_touched_when_nothing_can_be_kept_of_it(file: Path, tmp_path: Path) -> None:
    file.write_text(GIT)
    (tmp_path / "state").write_text("no folder")
    (plan,) = plan_wrap([file], LAUNCHER)
    with pytest.raises(ClientFileError, match="cannot be read or changed"):
        carry_out(plan)
    assert file.read_text() == GIT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GIT.encode("utf-16"), "not in UTF-8"),
        (GIT.encode("utf-16-le"), "NUL"),
        (GIT.encode().replace(b"git", b"g\xefit"), "not in UTF-8"),
        (b'{"mcpServers": {', "no JSON"),
        (b"{'mcpServers': {}}", "no JSON"),
        (b'{"mcpServers": {}} {}', "no JSON"),
        (b'{"mcpServers": {} /* open', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b'"mcpServers"', "no JSON object"),
        (b'{"a": 1}', "no servers in"),
        (b'{"mcpServers": [], "servers": 5, "mcp": null, "projects": []}', "no servers in"),
    ],
)
def test_what_is_no_clients_file_is_said_in_one_line_and_not_touched(content: bytes, said: str, file: Path) -> None:
    file.write_bytes(content)
    for launcher in (LAUNCHER, None):
        with pytest.raises(ClientFileError, match=said) as raised:
            plan_wrap([file], launcher) if launcher else plan_unwrap([file])
        assert "\n" not in str(raised.value)
        assert str(file) in str(raised.value)
    assert file.read_bytes() == content
    assert installed(file.parent) == []


def test_yaml_cannot_be_edited(tmp_path: Path) -> None:
    goose = tmp_path / "config.yaml"
    goose.write_text("extensions:\n")
    with pytest.raises(ClientFileError, match="is YAML, and only JSON can be edited"):
        plan_wrap([goose], LAUNCHER)


@pytest.mark.parametrize(
    "damage",
    [{"entries": [5]}, {"entries": [{"keys": 5, "written": "{}", "original": "{}"}]}]
    + [{"entries": [{"keys": ["a"], "written": text, "original": "{}"}]} for text in ("{", 5, None)]
    + [{"path": 5}, {"created_at": "never", "entries": None}],
)
def test_a_damaged_backup_is_as_good_as_none(damage: dict[str, Any], file: Path) -> None:
    file.write_text(GIT)
    wrap(file)
    record = directory_of(file) / "record.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **damage}))
    assert installed(file.parent) == []
    unwrap(file)
    assert file.read_text() == GIT


def test_a_wrapped_file_that_is_gone_or_broken_is_seen(file: Path) -> None:
    file.write_text(GIT)
    wrap(file)
    file.write_text("{")
    (seen,) = installed(file.parent)
    assert "no JSON" in seen.problem
    file.unlink()
    (seen,) = installed(file.parent)
    assert str(file) in seen.problem
    assert seen.backup is not None
