import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner import suites
from learner.errors import SuiteError
from learner.suites import Case, GoldCall, Suite, read_cases, read_suite

SHARED = Path(__file__).parents[2].parent / "shared" / "suites"
TOOLS = [{"name": "add", "description": "Adds.", "inputSchema": {"type": "object"}}]
CASE: dict[str, Any] = {
    "id": "1",
    "query": "2 and 3?",
    "calls": [{"name": "add", "arguments": {"a": 2, "b": 3}}],
}
OTHER = CASE | {"id": "other"}


def write_suite(folder: Path, *lines: str, about: str = '{"name": "sums"}', tools: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "suite.json").write_text(about)
    (folder / "tools.json").write_text(json.dumps({"tools": TOOLS}) if tools is None else tools)
    if lines:
        (folder / "cases-test.jsonl").write_text("\n".join(lines))
    return folder


def cases_of(folder: Path) -> list[Case]:
    return read_cases(read_suite(folder), "test")


def error_of(folder: Path, split: str = "test") -> str:
    with pytest.raises(SuiteError) as caught:
        read_cases(read_suite(folder), split)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_suite_and_its_cases_are_read(tmp_path: Path) -> None:
    rich = CASE | {
        "id": "2",
        "calls": [{"name": "add", "arguments": {"a": 2}, "allowed": {"a": [2], "b": [3, ""]}}],
        "tools": ["add"],
        "ordered": True,
        "template": "sum of two",
        "unknown": "passed over",
    }
    folder = write_suite(tmp_path / "sums", json.dumps(CASE), "", json.dumps(rich), "")
    suite = read_suite(folder)
    assert isinstance(suite, Suite)
    assert (suite.name, [tool.name for tool in suite.tools], suite.folder) == ("sums", ["add"], folder)
    assert read_cases(suite, "test") == [
        Case("1", "2 and 3?", (GoldCall("add", {"a": 2, "b": 3}),)),
        Case(
            "2",
            "2 and 3?",
            (GoldCall("add", {"a": 2}, {"a": [2], "b": [3, ""]}),),
            ("add",),
            True,
            "sum of two",
        ),
    ]


def test_case_without_calls_says_that_none_should_be_made(tmp_path: Path) -> None:
    assert cases_of(write_suite(tmp_path / "s", json.dumps(CASE | {"calls": []})))[0].calls == ()


def test_line_separator_inside_a_query_does_not_end_the_line(tmp_path: Path) -> None:
    line = json.dumps(CASE | {"query": "a\u2028b"}, ensure_ascii=False)
    assert cases_of(write_suite(tmp_path / "s", line))[0].query == "a\u2028b"


def test_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "not a folder" in error_of(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["suite.json", "tools.json"])
def test_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    folder = write_suite(tmp_path / "s", json.dumps(CASE))
    (folder / name).unlink()
    assert f"{folder / name} is missing" in error_of(folder)


@pytest.mark.parametrize(
    ("about", "tools", "says"),
    [
        ("{", None, "suite.json: not JSON"),
        ("[]", None, "suite.json: must be a JSON object"),
        ("{}", None, "'name' must be a text"),
        ('{"name": "s", "note": 3}', None, "'note' must be a text"),
        (None, "nothing", "tools.json: not JSON"),
        (None, "{}", "'tools' must be a list"),
        (None, '{"tools": [3]}', "tool 1: must be a JSON object"),
        (None, '{"tools": [{"name": "add"}]}', "tool 1: 'inputSchema' must be a JSON object"),
        (None, json.dumps({"tools": TOOLS * 2}), "tool 2: the name 'add' is taken"),
        (None, "[" * 100_000, "tools.json: not JSON"),
    ],
)
def test_malformed_suite_is_refused(tmp_path: Path, about: str | None, tools: str | None, says: str) -> None:
    folder = write_suite(tmp_path / "s", json.dumps(CASE), about=about or '{"name": "s"}', tools=tools)
    assert says in error_of(folder)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("3", "must be a JSON object"),
        (json.dumps(CASE | {"id": 7}), "'id' must be a text"),
        (json.dumps(CASE | {"id": ""}), "'id' must be a text that is not empty"),
        (json.dumps(CASE | {"query": None}), "'query' must be a text"),
        (json.dumps(CASE | {"query": "\ud800"}), "surrogates not allowed"),
        (json.dumps(CASE | {"calls": {}}), "'calls' must be a list"),
        (json.dumps(CASE | {"calls": ["add"]}), "must be a JSON object"),
        (json.dumps(CASE | {"calls": [{"name": "add"}]}), "'arguments' must be a JSON object"),
        (
            json.dumps(CASE | {"calls": [{"name": "add", "arguments": {}, "allowed": []}]}),
            "'allowed' must be",
        ),
        (
            json.dumps(CASE | {"calls": [{"name": "add", "arguments": {}, "allowed": {"a": "x"}}]}),
            "'allowed' of 'a' must be a list",
        ),
        (
            json.dumps(CASE | {"calls": [{"name": "sub", "arguments": {}}]}),
            "no tool of the suite is called 'sub'",
        ),
        (json.dumps(CASE | {"tools": ["sub"]}), "no tool of the suite is called 'sub'"),
        (json.dumps(CASE | {"tools": "add"}), "'tools' must be a list"),
        (json.dumps(CASE | {"ordered": "yes"}), "'ordered' must be true or false"),
        (json.dumps(CASE | {"template": 3}), "'template' must be a text"),
        (json.dumps(OTHER), "the id 'other' is taken"),
    ],
)
def test_malformed_case_is_refused_by_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    message = error_of(write_suite(tmp_path / "s", json.dumps(OTHER), "", line))
    assert "cases-test.jsonl:3: " in message
    assert says in message


def test_bytes_that_are_not_utf8_are_refused_by_line(tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "s")
    (folder / "cases-test.jsonl").write_bytes(json.dumps(CASE).encode() + b'\n{"id": "\xff"}')
    assert "cases-test.jsonl:2: not JSON in UTF-8" in error_of(folder)


def test_split_that_is_missing_names_those_there_are(tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "s", json.dumps(CASE))
    assert "no split 'dev': it has test" in error_of(folder, "dev")


def test_suite_without_cases_says_so(tmp_path: Path) -> None:
    assert "no cases at all" in error_of(write_suite(tmp_path / "s"))
    assert "holds no cases" in error_of(write_suite(tmp_path / "s", "", ""))


ANYTHING: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 7, "", "add", "\ud800", [], ["add"], ["sub"], [{}], {}, {"a": []}]
)


@given(
    row=st.dictionaries(st.sampled_from([*CASE, "tools", "ordered", "template"]), ANYTHING),
    call=st.dictionaries(st.sampled_from(["name", "arguments", "allowed"]), ANYTHING),
)
def test_any_json_line_is_a_case_or_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, object], call: dict[str, object]
) -> None:
    folder = write_suite(tmp_path_factory.mktemp("any"), json.dumps({"calls": [call]} | row))
    suite = read_suite(folder)
    try:
        cases = read_cases(suite, "test")
    except SuiteError as error:
        message = str(error)
        assert message.startswith(f"{folder / 'cases-test.jsonl'}:1: ")
    else:
        assert len(cases) == 1


@pytest.mark.parametrize(
    ("name", "split", "tools", "cases"),
    [
        ("ste", "train", 50, 500),
        ("ste", "dev", 50, 100),
        ("bfcl", "simple", 621, 200),
        ("bfcl", "multiple", 621, 100),
        ("bfcl", "parallel", 621, 100),
        ("bfcl", "irrelevance", 621, 120),
    ],
)
def test_public_suites_are_read(name: str, split: str, tools: int, cases: int) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"needs the suite {name} beside the repository")
    suite = read_suite(SHARED / name)
    assert (len(suite.tools), len(read_cases(suite, split))) == (tools, cases)


def test_list_of_servers_is_refused_as_a_suite() -> None:
    if not SHARED.is_dir():
        pytest.skip("needs the suites beside the repository")
    assert "tools.json is missing" in error_of(SHARED / "live-mcp-servers")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
golds = st.builds(
    GoldCall,
    st.just("add"),
    st.dictionaries(texts, st.none() | st.integers() | texts, max_size=3),
    st.none() | st.dictionaries(texts, st.lists(st.integers() | texts, min_size=1, max_size=2), max_size=2),
)


@given(
    st.lists(
        st.builds(
            Case,
            id=texts,
            query=texts,
            calls=st.lists(golds, max_size=3).map(tuple),
            tools=st.none() | st.just(("add",)),
            ordered=st.booleans(),
            template=st.none() | texts,
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda case: case.id,
    )
)
def test_a_suite_that_was_written_reads_back_the_same(cases: list[Case]) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "made" / "suite"
        suites.write_suite(folder, {"name": "sums", "note": "ä"}, TOOLS, {"test": cases})
        assert cases_of(folder) == cases
        assert [tool.name for tool in read_suite(folder).tools] == ["add"]
        assert sorted(path.name for path in folder.parent.iterdir()) == ["suite"]


def test_a_suite_is_not_written_over_anything(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for place in (tmp_path, tmp_path / "mine", tmp_path / "mine" / "below"):
        with pytest.raises(SuiteError) as caught:
            suites.write_suite(place, {"name": "sums"}, TOOLS, {})
        assert str(place) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
