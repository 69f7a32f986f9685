import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from learner.cli import learner
from learner.errors import LearnerError, SuiteError

CITIES = ("Oslo", "Rome", "Kyiv", "Lima", "Bern", "Riga", "Baku", "Doha", "Male", "Suva", "Apia", "Lome")
TOOLS = [
    {
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    for name, description in (("weather", "Weather of a city."), ("time", "Local time of a city."))
]
TEMPLATES = {
    "weather": ("Is it raining in {} today?", "How warm does {} get this week?"),
    "time": ("What time is it in {} now?", "Which hour do the clocks of {} show?"),
}


def case(number: int, tool: str, template: str, city: str) -> dict[str, Any]:
    return {
        "id": f"{number}-{tool}",
        "query": template.format(city),
        "calls": [{"name": tool, "arguments": {"city": city}}],
        "template": f"{template} {number}",
    }


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "cities"
    folder.mkdir()
    (folder / "suite.json").write_text('{"name": "cities"}')
    (folder / "tools.json").write_text(json.dumps({"tools": TOOLS}))
    for split, cities in (("train", CITIES[:6]), ("test", CITIES[6:])):
        rows = [
            case(number, tool, template[split == "test"], city)
            for number, city in enumerate(cities, start=6 * (split == "test"))
            for tool, template in TEMPLATES.items()
        ]
        (folder / f"cases-{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def learn(*arguments: object, memory: Path | None = None) -> Result:
    options = ["--memory", str(memory)] if memory else []
    return CliRunner().invoke(learner, [*options, *map(str, arguments)])


def report_of(*arguments: object, memory: Path | None = None) -> dict[str, Any]:
    result = learn("evaluate", *arguments, "--json", memory=memory)
    assert result.exception is None, result.output
    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report


def test_report_holds_what_the_design_names(suite: Path) -> None:
    report = report_of("--suite", suite, "--split", "train,test", "--model", "recall")
    assert {
        "suite",
        "split",
        "model",
        "artefact",
        "cases",
        "wellformed",
        "api_match",
        "correct",
        "strict",
        "by_arguments",
        "by_novelty",
        "intervals",
        "published",
        "input_tokens",
        "output_tokens",
        "seconds",
    } <= report.keys()
    assert (report["suite"], report["split"], report["model"]) == ("cities", "train,test", "recall")
    assert (report["cases"], report["by_arguments"]["some"]["cases"], report["artefact"]) == (24, 24, None)
    assert "difference" not in report


def test_artefact_is_measured_with_and_without(suite: Path, memory_file: Path) -> None:
    assert learn("import", "suite", suite, "--split", "train", memory=memory_file).exit_code == 0
    distilled = learn("distill", "--to", "prompt", "--name", "lesson", "--json", memory=memory_file)
    folder = json.loads(distilled.stdout)["path"]
    asked = ("--suite", suite, "--split", "test", "--model", "recall", "--against", "none")
    report = report_of(*asked, "--artefact", "lesson", memory=memory_file)
    assert (report["artefact"], report["by"], report["against"]["artefact"]) == ("lesson", "demonstrations", None)
    assert report["difference"]["difference"] == report["correct"] - report["against"]["correct"]
    assert report["by_novelty"]["new"]["cases"] == 12
    by_folder = report_of(*asked, "--artefact", folder)
    assert by_folder["correct"] == report["correct"]
    hinted = report_of(*asked, "--artefact", "lesson", "--by", "hints", memory=memory_file)
    assert hinted["by"] == "hints"
    bare = report_of(*asked, "--artefact", "lesson", "--by", "none", memory=memory_file)
    assert (bare["correct"], bare["difference"]["p_value"]) == (bare["against"]["correct"], 1)


def test_folds_learn_from_each_other(suite: Path) -> None:
    asked = ("--suite", suite, "--split", "train,test", "--model", "recall", "--folds", 4)
    grouped, scattered = report_of(*asked), report_of(*asked, "--random-folds", "--seed", 3, "--against", "none")
    assert (grouped["folds"], grouped["near_duplicates_together"], grouped["seed"]) == (4, True, 0)
    assert (scattered["near_duplicates_together"], scattered["seed"]) == (False, 3)
    assert (grouped["by_novelty"]["near"]["cases"], scattered["by_novelty"]["near"]["cases"]) == (0, 24)
    assert scattered["api_match"] > scattered["against"]["api_match"]
    assert scattered["against"]["by_novelty"]["near"]["cases"] == 0


def test_limit_draws_a_sample_by_the_seed(suite: Path) -> None:
    asked = ("--suite", suite, "--split", "train,test", "--model", "recall", "--limit", 5)
    assert report_of(*asked)["cases"] == 5


def test_predictions_of_another_system_are_judged(suite: Path, tmp_path: Path) -> None:
    said = tmp_path / "said.jsonl"
    rows: list[dict[str, Any]] = [
        {"id": "6-weather", "calls": [{"name": "weather", "arguments": {"city": "baku"}}]},
        {"id": "7-weather", "calls": [{"name": "weather", "arguments": "{not JSON"}]},
        {"id": "8-weather", "calls": ["no call at all", {"arguments": {}}]},
        {"id": "nowhere", "calls": []},
    ]
    said.write_text("\n".join(map(json.dumps, rows)))
    asked = ("--suite", suite, "--split", "test", "--predictions", said)
    report = report_of(*asked)
    assert (report["model"], report["missing"], report["unknown"]) == ("said.jsonl", 9, 1)
    assert [round(12 * report[key]) for key in ("wellformed", "api_match", "correct", "strict")] == [1, 2, 1, 1]
    shown = learn("evaluate", *asked).stdout
    assert "9 cases without a prediction" in shown
    assert "1 predictions without a case" in shown


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "said.jsonl:1: not JSON"),
        ('{"calls": []}', "said.jsonl:1: 'id' must be a text"),
        ('{"id": "a"}', "said.jsonl:1: 'calls' must be a list"),
        ('{"id": "a", "calls": []}\n{"id": "a", "calls": []}', "said.jsonl:2: the id 'a' is taken"),
    ],
)
def test_malformed_predictions_are_refused_by_line(suite: Path, tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "said.jsonl").write_text(line)
    result = learn("evaluate", "--suite", suite, "--split", "test", "--predictions", tmp_path / "said.jsonl")
    assert isinstance(result.exception, SuiteError)
    assert says in str(result.exception)


def test_table_shows_fractions_and_their_intervals(suite: Path) -> None:
    result = learn("evaluate", "--suite", suite, "--split", "test", "--model", "recall", "--against", "none")
    assert "cities, test: recall" in result.stdout
    assert "95 % interval" in result.stdout
    assert "difference in correct +0.000" in result.stdout
    assert "not improved" in result.stdout


def test_markup_in_a_suite_name_is_shown_and_not_obeyed(suite: Path) -> None:
    (suite / "suite.json").write_text('{"name": "[/x][bold]"}')
    result = learn("evaluate", "--suite", suite, "--split", "test", "--model", "recall")
    assert result.stdout.startswith("[/x][bold], test: recall")


def test_simulated_server_is_measured_on_its_test_tasks() -> None:
    report = report_of("--suite", "weather", "--model", "recall", "--seed", 5, "--limit", 20)
    assert (report["suite"], report["split"], report["cases"]) == ("weather", "test", 20)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--split", "nowhere", "--model", "recall"], "no split 'nowhere': it has test, train"),
        (["--split", "train,train", "--model", "recall"], "share a case id"),
        (["--split", "test", "--model", "oracle"], "'oracle'"),
        (["--split", "test", "--model", "recall", "--folds", "99"], "cannot make 99 folds"),
        (["--split", "test", "--predictions", "nowhere.jsonl"], "no predictions at nowhere.jsonl"),
        (["--split", "test", "--model", "recall", "--artefact", "nothing"], "'nothing'"),
    ],
)
def test_what_cannot_be_measured_is_one_clear_line(
    suite: Path, memory_file: Path, arguments: list[str], says: str
) -> None:
    result = learn("evaluate", "--suite", suite, *arguments, memory=memory_file)
    assert result.exception is not None
    assert says in str(result.exception)
    assert "\n" not in str(result.exception)
    assert result.stdout == ""


def test_neither_suite_nor_server_names_the_servers_there_are() -> None:
    result = learn("evaluate", "--suite", "nowhere", "--split", "test", "--model", "recall")
    assert isinstance(result.exception, LearnerError)
    assert "no suite at nowhere" in str(result.exception)
    assert "weather" in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--split", "test"],
        ["--model", "recall"],
        ["--split", "test", "--model", "recall", "--predictions", "x"],
        ["--split", "test", "--predictions", "x", "--folds", "3"],
        ["--split", "test", "--model", "recall", "--folds", "3", "--artefact", "x"],
        ["--split", "test", "--model", "recall", "--folds", "3", "--against", "x"],
        ["--split", "test", "--model", "recall", "--random-folds"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(suite: Path, arguments: list[str]) -> None:
    assert learn("evaluate", "--suite", suite, *arguments).exit_code == 2


def test_failure_ends_the_process_with_one_line_and_1() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "learner", "evaluate", "--suite", "nowhere", "--split", "x", "--model", "recall"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("learner: no suite at nowhere")
    assert ended.stderr.count("\n") == 1


def test_more_turns_let_a_model_learn_from_refusals_on_a_simulated_server_only(suite: Path) -> None:
    asked = ("--suite", "weather", "--model", "recall", "--limit", 20)
    once, often = report_of(*asked), report_of(*asked, "--turns", 6)
    assert (once["turns"], often["turns"]) == (1, 6)
    assert often["correct"] > once["correct"]
    for wrong in (("--suite", suite, "--split", "test"), ("--suite", "weather", "--folds", 3)):
        answer = learn("evaluate", "--model", "recall", "--turns", 2, *wrong)
        assert answer.exit_code == 2
        assert "--turns needs a simulated server" in answer.stderr
