"""The script beside the backup: with a shell and nothing else, the old file comes back."""

import shutil
import subprocess
from pathlib import Path

import pytest

from middleware.clients import backup as backup_module
from middleware.clients.backup import Backup, save
from tests.middleware.clients.client import TIMEOUT_S

SHELLS = [[path] for name in ("sh", "dash", "bash", "ksh", "mksh", "zsh") if (path := shutil.which(name))]
SHELLS += [[path, "sh"] for name in ("busybox",) if (path := shutil.which(name))]
ORIGINAL = b'\xef\xbb\xbf{\r\n\t"a": "\\\\ \\" $HOME `x` %s \\n caf\xc3\xa9"  // -n\n-e\n\n\n}'
WRITTEN = b'{\n "a": "b" \n}\n'


def kept(path: Path, original: bytes = ORIGINAL) -> Backup:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(WRITTEN)
    return save(path, original, WRITTEN, ())


@pytest.fixture(params=["programs", "builtins"], autouse=True)
def programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with the programs that the script may use, and once as if they were not there."""
    if request.param == "builtins":
        script = backup_module._SCRIPT.replace(b"/bin/cat", b"/nowhere/cat").replace(b"/usr/bin/cmp", b"/nowhere/cmp")
        assert script.count(b"/nowhere/") == 4
        monkeypatch.setattr(backup_module, "_SCRIPT", script)


def restore(backup: Backup, shell: list[str], expected: int = 0) -> str:
    """Run the script with an empty environment, in another folder."""
    done = subprocess.run(
        [*shell, backup.restore_script], env={}, cwd="/", capture_output=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == expected, done
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize("original", [ORIGINAL, ORIGINAL + b"\n", b"{}", b"", b"\n", b"\n\n", b"a\nb"])
def test_the_old_bytes_come_back(shell: list[str], original: bytes, file: Path) -> None:
    backup = kept(file, original)
    file.chmod(0o640)
    assert "restored" in restore(backup, shell)
    assert file.read_bytes() == original
    assert file.stat().st_mode & 0o777 == 0o640
    assert "nothing to do" in restore(backup, shell)
    assert [path.name for path in file.parent.iterdir() if path.is_file()] == [file.name]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_file_that_was_edited_is_kept_beside(shell: list[str], file: Path) -> None:
    backup = kept(file)
    edited = WRITTEN + b"// \\t mine"
    for number in (1, 2):
        file.write_bytes(edited)
        said = restore(backup, shell)
        assert f"edited since; that copy is kept as {file}.edited-{number}" in said
        assert file.read_bytes() == ORIGINAL
        assert Path(f"{file}.edited-{number}").read_bytes() == edited
        assert Path(f"{file}.edited-{number}").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'say "x"', "$HOME `x` $(y)", "new\nline", "é 日本", "-n", "back\\slash", "*"]
)
def test_a_path_may_hold_anything(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name))
    file = tmp_path / name / name
    restore(kept(file), ["/bin/sh"])
    assert file.read_bytes() == ORIGINAL


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    backup = kept(real)
    file.symlink_to(real)
    restore(backup, ["/bin/sh"])
    assert file.is_symlink()
    assert file.read_bytes() == ORIGINAL


def test_a_file_that_is_gone_comes_back(file: Path) -> None:
    backup = kept(file)
    file.unlink()
    restore(backup, ["/bin/sh"])
    assert file.read_bytes() == ORIGINAL
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_script_that_cannot_restore_says_so(file: Path, tmp_path: Path) -> None:
    backup = kept(tmp_path / "gone" / "mcp.json")
    shutil.rmtree(tmp_path / "gone")
    assert "not restored" in restore(backup, ["/bin/sh"], expected=1)
    backup = kept(file)
    (backup.directory / "original").unlink()
    assert "not restored: cannot read" in restore(backup, ["/bin/sh"], expected=1)
    assert file.read_bytes() == WRITTEN
