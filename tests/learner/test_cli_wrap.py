"""`learner wrap` and `unwrap` as people and scripts meet them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = {
    "mcpServers": {
        "git": {"command": "uvx", "args": ["mcp-server-git", "--token", "s3cret"], "env": {"KEY": "s3cret"}},
        "docs": {"type": "http", "url": "http://localhost:1/mcp?key=s3cret", "headers": {"Authorization": "s3cret"}},
        "mail": {"url": "https://mail.example/mcp", "oauth": {"clientId": "1"}},
    }
}
TIMEOUT_S = 200


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home where the user has a Cursor."""
    (tmp_path / ".cursor").mkdir()
    (tmp_path / ".cursor" / "mcp.json").write_text(json.dumps(CONFIG))
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "COLUMNS": "250",
        **more,
    }


def run(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "learner", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        cwd=home,
        env=environment(home, **more),
    )


def answered(home: Path, answer: str, *arguments: str) -> str:
    """Run a command on a terminal, give this answer, and return what was printed; refusing is no success."""
    controller, terminal = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-I", "-m", "learner", *arguments],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=home,
            env=environment(home),
        ) as process:
            os.write(controller, answer.encode() + b"\n")
            printed, _ = process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == (answer == "n")
            return printed
    finally:
        os.close(controller)
        os.close(terminal)


def test_the_change_is_shown_without_secrets_and_made_when_one_says_yes(home: Path) -> None:
    file = home / ".cursor" / "mcp.json"
    before = file.read_text()
    printed = answered(home, "n", "wrap", "cursor")
    assert file.read_text() == before
    assert "nothing was changed" in printed
    printed = answered(home, "y", "wrap", "cursor")
    assert "git: wrapped\n  - uvx mcp-server-git --token '[redacted]'\n  + " in printed
    assert "mail: left: the client signs in to it by OAuth, which the relay cannot" in printed
    assert "s3cret" not in printed
    assert " --header Authorization=PRACTICUM_HEADER_1\n" in printed
    (script,) = home.glob("state/practicum/wrapped/*/restore.sh")
    assert f"take it out again: learner unwrap cursor; without Practicum: sh {script}" in printed
    wrapped = json.loads(file.read_text())["mcpServers"]
    assert wrapped["git"]["command"] == wrapped["docs"]["command"] == sys.executable
    assert wrapped["mail"] == CONFIG["mcpServers"]["mail"]
    assert "nothing to change" in answered(home, "y", "wrap", "cursor")
    assert "git: unwrapped" in answered(home, "y", "unwrap", "cursor")
    assert file.read_text() == before


def test_without_a_terminal_nothing_is_changed_unless_one_says_so(home: Path) -> None:
    file = home / ".cursor" / "mcp.json"
    before = file.read_text()
    for command in ("wrap", "unwrap"):
        done = run(home, command, "cursor")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert "give --yes" in done.stderr
        assert run(home, command, "cursor", "--json").returncode == 2
    done = run(home, "wrap", "cursor", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing was changed" in done.stdout
    assert file.read_text() == before
    assert run(home, "wrap", "cursor", "--yes").returncode == 0
    assert file.read_text() != before


def test_a_home_that_nobody_has_is_said_in_one_line(home: Path) -> None:
    done = run(home, "wrap", "~nobody-is-called-this/mcp.json", "--yes")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "set HOME" in done.stderr


def test_json_says_what_was_done_to_each_server(home: Path) -> None:
    done = run(home, "wrap", "cursor", "--yes", "--json", "--timeout", "30")
    (said,) = json.loads(done.stdout)
    assert (said["path"], said["client"], said["changed"]) == (str(home / ".cursor" / "mcp.json"), "cursor", True)
    assert Path(said["restore_script"]).is_file()
    assert [(server["name"], server["action"]) for server in said["servers"]] == [
        ("git", "wrapped"),
        ("docs", "wrapped"),
        ("mail", "left"),
    ]
    assert "--timeout 30" in said["servers"][0]["after"]
    assert "s3cret" not in done.stdout
    (said,) = json.loads(run(home, "unwrap", "cursor", "--dry-run", "--json").stdout)
    assert (said["changed"], said["restore_script"]) == (False, None)


def test_all_files_of_a_client_are_wrapped_and_only_what_is_named(home: Path) -> None:
    project = home / "code" / ".cursor" / "mcp.json"
    project.parent.mkdir(parents=True)
    project.write_text('{"mcpServers": {"git": {"command": "x"}, "other": {"command": "y"}}}')
    done = subprocess.run(
        [sys.executable, "-I", "-m", "learner", "wrap", "cursor", "--yes", "--only", "git"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=home / "code",
        env=environment(home),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(project.read_text())["mcpServers"]["git"]["command"] == sys.executable
    assert json.loads(project.read_text())["mcpServers"]["other"] == {"command": "y"}
    wrapped = json.loads((home / ".cursor" / "mcp.json").read_text())["mcpServers"]
    assert wrapped["git"]["command"] == sys.executable
    assert wrapped["docs"] == CONFIG["mcpServers"]["docs"]


@pytest.mark.parametrize(
    ("arguments", "more", "named"),
    [
        ((), {}, None),
        ((), {"XDG_DATA_HOME": "HOME/.local/share"}, None),
        ((), {"XDG_DATA_HOME": "HOME/data"}, "HOME/data/practicum/memory.db"),
        ((), {"PRACTICUM_MEMORY": "~/m.db"}, "HOME/m.db"),
        (("--memory", "m.db"), {"PRACTICUM_MEMORY": "/other.db"}, "HOME/m.db"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="XDG_DATA_HOME means nothing there")
def test_a_memory_that_clients_would_not_find_is_named_in_the_entry(
    arguments: tuple[str, ...], more: dict[str, str], named: str | None, home: Path
) -> None:
    more = {name: value.replace("HOME", str(home)) for name, value in more.items()}
    assert run(home, "wrap", "cursor", "--yes", *arguments, **more).returncode == 0
    args = json.loads((home / ".cursor" / "mcp.json").read_text())["mcpServers"]["git"]["args"]
    assert ("--memory" in args) == (named is not None)
    if named is not None:
        assert args[args.index("--memory") + 1] == named.replace("HOME", str(home))


def test_options_of_the_relay_are_passed_on_and_kept(home: Path) -> None:
    """The environment in which a client starts servers is not the one that `wrap` runs in."""

    def options() -> list[str]:
        args = json.loads((home / ".cursor" / "mcp.json").read_text())["mcpServers"]["git"]["args"]
        return list(args[6 : args.index("--")])

    assert run(home, "wrap", "cursor", "--yes", "--timeout", "2.5", PRACTICUM_CAPTURE="off").returncode == 0
    assert options() == ["--timeout", "2.5", "--capture", "off"]
    assert run(home, "wrap", "cursor", "--yes", "--intent").returncode == 0
    assert run(home, "wrap", "cursor", "--yes", "--cut-bytes", "4096").returncode == 0
    assert options() == ["--timeout", "2.5", "--capture", "off", "--intent", "--cut-bytes", "4096"]
    assert run(home, "wrap", "cursor", "--yes", "--capture", "some").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("wrap", "emacs", "--yes"), "emacs is neither a file nor a client"),
        (("wrap", "emacs"), "emacs is neither a file nor a client"),  # rather than that nobody can be asked
        (("unwrap", "vscode", "--yes"), "no file of vscode found"),
        (("wrap", "cursor", "--yes", "--only", "nobody"), "no server is called 'nobody'"),
        (("unwrap", "/dev/null", "--yes"), "is no file"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments: tuple[str, ...], said: str, home: Path) -> None:
    done = run(home, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done
    assert said in done.stderr


def test_two_wraps_at_once_do_it_once(home: Path) -> None:
    file = home / ".cursor" / "mcp.json"
    before = file.read_text()
    command = [sys.executable, "-I", "-m", "learner", "wrap", "cursor", "--yes"]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home))
        for _ in range(4)
    ]
    for process in running:
        printed, said = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0 or "changed in the meantime" in said, (printed, said)
    assert file.read_text().count("proxy") == 2
    assert run(home, "unwrap", "cursor", "--yes").returncode == 0
    assert file.read_text() == before


def test_a_servers_name_cannot_write_to_the_terminal(home: Path) -> None:
    (home / "f.json").write_text('{"mcpServers": {"a\\u001b[2Jb\\n": {"command": "x\\u001b[2J"}}}')
    done = run(home, "wrap", "f.json", "--yes")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout


def test_a_file_in_a_repository_is_said_to_be_one(home: Path) -> None:
    (home / ".git").mkdir()
    assert "do not commit it" in run(home, "wrap", "cursor", "--yes").stdout


def test_a_url_may_come_from_a_variable() -> None:
    base = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x"]
    for arguments, said in (
        (("--url-from", "NOT_SET"), "the environment variable NOT_SET is not set"),
        (("--url-from", "A", "--url", "http://x"), "give either --url or --url-from"),
        (("--url-from", "A", "--", "x"), "give either a command behind -- or --url"),
    ):
        done = subprocess.run(
            [*base, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, env={"A": "http://y"}
        )
        assert done.returncode == 2
        assert said in done.stderr
