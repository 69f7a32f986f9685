"""Each configuration file: wrapped, read as a client reads it, every server started and asked, and unwrapped again."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from middleware.clients.installed import look
from middleware.clients.wrap import Launcher, carry_out, plan_unwrap, plan_wrap
from middleware.errors import ClientFileError
from tests.middleware.clients.client import ask, filled, read, servers
from tests.middleware.clients.configs import CONFIGS, Config
from tests.middleware.peer import remembered


def test_there_are_forty_files() -> None:
    assert len(CONFIGS) >= 40
    assert len({config.content for config in CONFIGS}) == len(CONFIGS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_a_wrapped_file_starts_its_servers_and_unwraps_to_the_same_bytes(
    config: Config, file: Path, home: Path, script: Path, url: str, fill: Callable[[bytes], bytes]
) -> None:
    original = fill(config.content)
    if config.name == "gemini":
        file = home / ".gemini" / "settings.json"
        file.parent.mkdir()
    file.write_bytes(original)
    memory = home / ".local" / "share" / "practicum" / "memory.db"
    launcher = Launcher(sys.executable, {}, memory)
    if not config.wrapped and not config.left:
        with pytest.raises(ClientFileError, match="no servers in"):
            plan_wrap([file], launcher)
        return

    (plan,) = plan_wrap([file], launcher)
    done = {action: [one.name for one in plan.changes if one.action == action] for action in ("wrapped", "left")}
    if config.wrapped != ("*",):
        assert sorted(done["wrapped"]) == sorted(config.wrapped)
    assert sorted(done["left"]) == sorted(config.left)
    if not plan.is_change:
        assert not config.wrapped
        return
    backup = carry_out(plan)
    assert backup is not None
    assert (backup.directory / "original").read_bytes() == original

    # What is no matter of ours says the same as before, in the same place.
    before, after = read(original), read(file.read_bytes())
    pairs = list(zip(servers(before), servers(after), strict=True))
    base = {"PATH": os.environ["PATH"], "HOME": str(home)}
    values = {
        "TOKEN": "a token",
        "api-key": 'a "key"',
        "BASE": url,
        "PYTHON": sys.executable,
        "ECHO_SERVER": str(script),
    }
    values |= {"workspaceFolder": str(file.parent), "userHome": str(home)}
    calls = 0
    for (name, entry), (_, wrapped) in pairs:
        if name in config.left or name not in done["wrapped"]:
            assert entry == wrapped
            continue
        changed = ("command", "args", "env", "url", "httpUrl", "serverUrl", "headers", "type", "transport")
        assert [item for item in entry.items() if item[0] not in changed] == [
            item for item in wrapped.items() if item[0] not in changed
        ]
        meant, started = filled(entry, values), filled(wrapped, values)
        answer = ask(started["argv"], {**base, **started["env"]}, started["cwd"] or file.parent)
        calls += 1
        if "command" in entry:
            assert wrapped.get("env") == entry.get("env")
            _started_as(answer, meant, {**base, **meant["env"]})
        else:
            sent = {key.lower(): value for key, value in answer["headers"].items()}
            assert meant["headers"].items() <= {key: sent.get(key.lower()) for key in meant["headers"]}.items()
            assert answer["path"].startswith("/mcp")
            # No secret stands where everybody can read it.
            assert all(value not in word for value in meant["headers"].values() if value for word in started["argv"])
    assert calls == len(done["wrapped"])
    assert len(remembered(memory)) == calls

    assert not plan_wrap([file], launcher)[0].is_change, "wrapping twice changes nothing"
    assert look(file, None).is_as_written
    carry_out(plan_unwrap([file])[0])
    assert file.read_bytes() == original
    assert not backup.directory.exists()


def _started_as(answer: dict[str, Any], meant: dict[str, Any], environment: dict[str, str]) -> None:
    """The server sees the command line and the environment that it would see without a relay."""
    command_line = meant["argv"]
    # What Python does not show to the script that it runs.
    shown = command_line[2:] if command_line[1:2] == ["-I"] else command_line
    if os.path.isabs(shown[0]):  # noqa: PTH117 - a command found in PATH is shown as what was found
        assert answer["argv"] == shown
    else:
        assert answer["argv"][1:] == shown[1:]
    if sys.platform == "linux":
        assert answer["environment"] == environment
    if meant["cwd"]:
        assert answer["cwd"] == os.path.realpath(meant["cwd"])
