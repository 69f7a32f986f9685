"""Are the four packages ours? Each test breaks a real installation in one way."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.learner.installation import PACKAGES, ROOT, Installation, install, of, record_line


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path)


def test_an_installation_in_order_is_well(installation: Installation) -> None:
    status, findings = installation.doctor()
    assert (status, {each["level"] for each in findings}) == (0, {"ok"}), findings
    assert of(findings, "packages") == [f"practicum 0.1.0, Python {version(installation)}, {installation.python}"]
    assert "files are as they were installed" in of(findings, "package files")[0]


def version(installation: Installation) -> str:
    return installation.run("-c", "import platform; print(platform.python_version())").stdout.strip()


def test_a_file_that_was_overwritten_or_is_missing_is_named(installation: Installation) -> None:
    with (installation.packages / "adapters" / "errors.py").open("a") as file:
        file.write("# mine now\n")
    (installation.packages / "servers" / "weather" / "tools.py").unlink()
    status, findings = installation.doctor()
    (text,) = of(findings, "package files", "failure")
    assert status == 1
    assert "(and 1 more)" in text
    assert "adapters/errors.py is not as it was installed" in text or "weather/tools.py is missing" in text


def other_distribution(packages: Path) -> None:
    """Somebody else's `adapters`, installed last: its files lie over ours."""
    (packages / "adapters" / "__init__.py").write_text("VENDOR = 'another'\n")
    (packages / "adapters" / "vendor.py").write_text("")
    described = packages / "adapter_kit-2.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: adapter-kit\nVersion: 2.0\n")
    files = [packages / "adapters" / name for name in ("__init__.py", "vendor.py")]
    with (described / "RECORD").open("w", newline="") as record:
        csv.writer(record).writerows(record_line(path, packages) for path in files)


def test_another_distribution_with_adapters_over_ours_is_named_with_its_remedy(installation: Installation) -> None:
    other_distribution(installation.packages)
    status, findings = installation.doctor()
    (claimed,) = [each for each in findings if each["topic"] == "packages" and each["level"] == "failure"]
    assert status == 1
    assert "the distribution adapter-kit installs adapters too" in claimed["text"]
    assert "pip uninstall adapter-kit" in claimed["mend"]
    assert "pip install --force-reinstall" in claimed["mend"]
    assert "adapters/__init__.py is not as it was installed" in of(findings, "package files", "failure")[0]


def test_a_damaged_distribution_of_somebody_else_breaks_nothing(installation: Installation) -> None:
    for number, (metadata, record) in enumerate([(b"\xff\xfe", b""), (b"", b"\xff,,"), (b"Name: x\n\n", b'"a\r,')]):
        described = installation.packages / f"broken{number}-1.dist-info"
        described.mkdir()
        (described / "METADATA").write_bytes(metadata)
        (described / "RECORD").write_bytes(record)
    status, findings = installation.doctor()
    assert (status, of(findings, "check"), len(of(findings, "packages", "ok"))) == (0, [], 1)


def test_a_package_in_the_working_directory_sends_people_to_dash_i(tmp_path: Path, installation: Installation) -> None:
    (installation.home / "middleware").mkdir()
    (installation.home / "middleware" / "__init__.py").touch()
    done = installation.run("-m", "learner", "doctor", "--json")
    (finding,) = [each for each in json.loads(done.stdout) if each["topic"] == "packages"]
    assert (finding["level"], finding["mend"]) == ("failure", f"{installation.python} -I -m learner doctor")


@pytest.fixture(params=["module", "package"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A project's folder with a `middleware` of its own, which nobody may run."""
    folder = tmp_path / "project"
    (folder / "middleware").mkdir(parents=True)
    ran = tmp_path / "ran"
    path = folder / "middleware" / "__init__.py" if request.param == "package" else folder / "middleware.py"
    path.write_text(f"open({str(ran)!r}, 'w')\n")
    if request.param == "module":
        (folder / "middleware").rmdir()
    yield folder
    assert not ran.exists()


def test_a_hostile_pythonpath_is_told_and_not_run(hostile: Path, installation: Installation) -> None:
    status, findings = installation.doctor(isolated=False, PYTHONPATH=str(hostile))
    (text,) = of(findings, "packages", "failure")
    assert status == 1
    assert f"middleware comes from {hostile}" in text
    assert [each["mend"] for each in findings if each["text"] == text] == ["unset PYTHONPATH"]
    assert of(findings, "check", "warning")
    assert not of(findings, "memory")


def test_a_command_that_meets_another_s_package_sends_people_to_the_doctor(
    tmp_path: Path, installation: Installation
) -> None:
    (tmp_path / "project" / "middleware").mkdir(parents=True)
    (tmp_path / "project" / "middleware" / "__init__.py").touch()
    done = installation.run("-m", "learner", "calls", environment={"PYTHONPATH": str(tmp_path / "project")})
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "ask learner doctor" in done.stderr


def test_with_dash_i_a_hostile_pythonpath_is_a_warning_only(hostile: Path, installation: Installation) -> None:
    status, findings = installation.doctor(PYTHONPATH=str(hostile))
    (text,) = of(findings, "packages", "warning")
    assert (status, "hides ours from a Python without -I" in text) == (0, True)
    assert of(findings, "memory", "ok")


def test_a_package_that_is_gone_is_named(installation: Installation) -> None:
    (installation.packages / "servers").rename(installation.packages / "serving")
    status, findings = installation.doctor()
    assert status == 1
    assert any("there is no package servers" in text for text in of(findings, "packages", "failure"))


def test_packages_that_lie_about_without_a_distribution_are_told(installation: Installation) -> None:
    for name in ("others.pth", "practicum-0.1.0.dist-info"):
        (installation.packages / name).rename(installation.packages / f"{name}.gone")
    # What click and rich need comes along, but no distribution does.
    with (installation.packages / "mine.pth").open("w") as file:
        file.write(str(without_metadata(installation)))
    status, findings = installation.doctor()
    assert status == 1
    assert "practicum is not installed for" in of(findings, "packages", "failure")[0]


def without_metadata(installation: Installation) -> Path:
    folder = installation.home / "others"
    folder.mkdir()
    others = Path((installation.packages / "others.pth.gone").read_text().strip())
    for path in others.iterdir():
        if path.suffix not in (".dist-info", ".pth", ".pyc") and not path.name.startswith("__"):
            (folder / path.name).symlink_to(path)
    return folder


def test_an_editable_installation_is_known_by_where_it_leads(installation: Installation) -> None:
    described = installation.packages / "practicum-0.1.0.dist-info"
    for name in PACKAGES:
        (installation.packages / name).rename(installation.packages / f"old {name}")
    (installation.packages / "tree.pth").write_text(f"{ROOT}\n")
    (described / "RECORD").write_text("tree.pth,,\n")
    (described / "direct_url.json").write_text(json.dumps({"url": ROOT.as_uri(), "dir_info": {"editable": True}}))
    status, findings = installation.doctor()
    assert (status, of(findings, "packages", "failure")) == (0, [])
    assert f"editable from {ROOT}" in of(findings, "package files", "ok")[0]
    (described / "direct_url.json").write_text(json.dumps({"url": "file:///else", "dir_info": {"editable": True}}))
    status, findings = installation.doctor()
    assert (status, f"not from {Path('/else/servers')}" in of(findings, "packages", "failure")[0]) == (1, True)


@pytest.mark.parametrize("record", ["", "\0\0,,\n", "a" * 10_000, None])
def test_a_damaged_list_of_files_breaks_nothing(record: str | None, installation: Installation) -> None:
    path = installation.packages / "practicum-0.1.0.dist-info" / "RECORD"
    if record is None:
        path.unlink()
    else:
        path.write_text(record)
    status, findings = installation.doctor()
    assert status == 1
    assert "lacks the package servers" in of(findings, "packages", "failure")[0]
