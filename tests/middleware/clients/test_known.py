"""Where clients' files are looked for."""

import sys
from pathlib import Path

import pytest

from middleware.clients.known import CLIENTS, client_of, files_named
from middleware.errors import ClientFileError


def there(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def test_a_projects_file_is_the_nearest_above_and_comes_before_the_users(home: Path) -> None:
    user = there(home / ".cursor" / "mcp.json")
    outer = there(home / "code" / ".cursor" / "mcp.json")
    inside = home / "code" / "project" / "src"
    inside.mkdir(parents=True)
    assert files_named("cursor", inside) == [outer, user]
    nearer = there(home / "code" / "project" / ".cursor" / "mcp.json")
    assert files_named("cursor", inside) == [nearer, user]
    assert files_named("cursor", home) == [user], "once, though it is the project's and the user's"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_each_client_has_its_place(platform: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    settings = home / ".config" if platform == "linux" else home / "Library" / "Application Support"
    places = {
        "claude-desktop": settings / "Claude" / "claude_desktop_config.json",
        "claude-code": home / ".claude.json",
        "cursor": home / ".cursor" / "mcp.json",
        "vscode": settings / "Code" / "User" / "mcp.json",
        "gemini": home / ".gemini" / "settings.json",
    }
    assert set(places) == set(CLIENTS)
    for name, place in places.items():
        with pytest.raises(ClientFileError, match=f"no file of {name} found: neither") as raised:
            files_named(name, home)
        assert str(place) in str(raised.value)
        assert files_named(name, home / there(place).parent) == [place]
        assert client_of(place) == name


def test_profiles_of_vscode_are_found(home: Path) -> None:
    profile = there(home / ".config" / "Code" / "User" / "profiles" / "1a2b" / "mcp.json")
    assert files_named("vscode", home) == [profile]


def test_projects_files_are_known_wherever_they_are(tmp_path: Path) -> None:
    for name, path in (
        ("claude-code", ".mcp.json"),
        ("vscode", ".vscode/mcp.json"),
        ("gemini", ".gemini/settings.json"),
    ):
        assert client_of(tmp_path / path) == name
    assert client_of(tmp_path / "settings.json") is None


def test_what_is_neither_a_client_nor_a_file_is_said_with_the_clients(tmp_path: Path) -> None:
    with pytest.raises(ClientFileError, match=r"emacs is neither a file nor a client; .* claude-desktop, claude-code"):
        files_named("emacs", tmp_path)
    with pytest.raises(ClientFileError, match="is no file"):
        files_named(str(tmp_path), tmp_path)
