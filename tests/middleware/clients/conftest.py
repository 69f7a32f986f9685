"""A home of its own for each test, and the servers that the files name."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.middleware.clients.client import ECHO, http_server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for this test: nothing of whoever runs the tests is looked at, or written to."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAUDE_CONFIG_DIR", "PRACTICUM_MEMORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mcp.json"


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with http_server() as address:
        yield address


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A server, executable."""
    path = tmp_path / "bin" / "echo-server"
    path.parent.mkdir()
    path.write_text(ECHO)
    path.chmod(0o755)
    return path


@pytest.fixture
def fill(tmp_path: Path, script: Path, url: str) -> Callable[[bytes], bytes]:
    """What puts this run's own into a file of `configs.py`."""
    odd = tmp_path / 'it\'s "odd" \\ (é 日本) $HOME' / "serve me.py"
    odd.parent.mkdir()
    odd.symlink_to(script)
    (tmp_path / "serve.py").symlink_to(script)
    names = {"PY": sys.executable, "ECHO": script, "BIN": script.parent, "URL": url}
    values = {f"@{name}@": str(value) for name, value in names.items()}
    values["@ODD@"] = json.dumps(str(odd))[1:-1]

    def filled(content: bytes) -> bytes:
        for name, value in values.items():
            content = content.replace(name.encode(), value.encode())
        return content

    return filled
