import stat
from dataclasses import replace
from pathlib import Path

import pytest

from middleware.memory.artefacts import MANIFEST, Manifest, read_artefact, write_artefact
from middleware.memory.errors import ArtefactError

PLAIN = Manifest("a", "prompt", "2026-01-01T00:00:00.000Z", "0.1.0", 1, {"s": {"t": "hash"}}, {"limit": 3})


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = write_artefact(tmp_path / "x" / "a", PLAIN, {"d.jsonl": "héllo\n"})
    manifest, files = read_artefact(tmp_path / "x" / "a")
    assert manifest == written
    assert files == {"d.jsonl": "héllo\n"}
    for file in (tmp_path / "x" / "a").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    write_artefact(tmp_path / "a", PLAIN, {"d.jsonl": "one\n"})
    (tmp_path / "a" / "d.jsonl").write_text("two\n")
    with pytest.raises(ArtefactError, match=r"d\.jsonl was changed"):
        read_artefact(tmp_path / "a")


def test_a_name_that_is_taken_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    write_artefact(tmp_path / "a", PLAIN, {"d.jsonl": "one\n"})
    with pytest.raises(ArtefactError, match="give another name"):
        write_artefact(tmp_path / "a", PLAIN, {"d.jsonl": "two\n"})
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert read_artefact(tmp_path / "a")[1] == {"d.jsonl": "one\n"}


def test_a_missing_a_malformed_and_a_foreign_manifest_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"manifest\.json is missing"):
        read_artefact(tmp_path / "none")
    write_artefact(tmp_path / "a", PLAIN, {})
    (tmp_path / "a" / MANIFEST).write_text("[]")
    with pytest.raises(ArtefactError, match="malformed"):
        read_artefact(tmp_path / "a")
    write_artefact(tmp_path / "b", replace(PLAIN, format=99), {})
    with pytest.raises(ArtefactError, match="format 99"):
        read_artefact(tmp_path / "b")


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    written = write_artefact(tmp_path / "a", PLAIN, {"secret": "mine"})
    text = (tmp_path / "a" / MANIFEST).read_text().replace('"secret"', '"../secret"')
    (tmp_path / "a" / MANIFEST).write_text(text)
    assert read_artefact(tmp_path / "a")[1] == {"../secret": "mine"}
    assert written.files.keys() == {"secret"}
