"""The command line as people and scripts meet it: one clear line, the right exit status, nothing half-written."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from learner.cli import learner
from middleware.memory.database import open_database
from middleware.memory.identity import tool_hash
from middleware.memory.rows import write
from middleware.memory.store import Memory
from tests.conftest import SHARED, a_call, recorded_call, recorded_server, tool_definition

HARBOUR = Path(__file__).parents[1] / "examples" / "harbour-suite"


def run(*arguments: object, memory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "learner", "--memory", str(memory), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "COLUMNS": "250", **environment},
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from learner.cli import learner;"
        "assert CliRunner().invoke(learner, ['--help']).exit_code == 0;"
        "print([m for m in ('mcp', 'pydantic', 'rich', 'tantivy', 'apsw', 'asyncio', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "suite", "nowhere", "--split", "train"), "no suite at nowhere"),
        (("import", "suite", HARBOUR, "--split", "dev"), "dev"),
        (("distill", "--to", "prompt"), "no solved trial"),
        *[
            ((*command, "--server", "sea"), "no server is called 'sea'")
            for command in (
                ("distill", "--to", "prompt"),
                ("forget", "--yes"),
                ("forget", "--yes", "--containing", "x"),
                ("forget", "--dry-run", "--json"),
                ("calls",),
                ("trials", "--json"),
                ("tools",),
                ("tools", "--failures", "--json"),
                ("rollback",),
            )
        ],
        (("apply", "nothing"), "no artefact is called 'nothing'"),
        (("evaluate", "--suite", HARBOUR, "--split", "test", "--model", "gpt-9"), "no model is called 'gpt-9'"),
        (("evaluate", "--suite", "nowhere", "--split", "test", "--model", "recall"), "no suite at nowhere"),
        (
            ("evaluate", "--suite", HARBOUR, "--split", "test", "--model", "recall", "--artefact", "x"),
            "no artefact is called 'x'",
        ),
        (("serve", "moon"), "moon"),
        (("proxy", "--name", "x", "--", "/no/such/command"), "/no/such/command"),
        (("proxy", "--name", "x", "/no/such/command", "--name", "y", "-m"), "server 'x': /no/such/command"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line_and_exit_1(
    arguments: tuple[object, ...], said: str, memory_file: Path
) -> None:
    done = run(*arguments, memory=memory_file)
    assert done.returncode == 1, done
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("learner: ")
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["calls", "tools", "servers", "trials", "artefacts", "rollback"])
def test_an_empty_memory_is_looked_at_without_complaint(command: str, memory_file: Path) -> None:
    done = run(command, "--json", memory=memory_file)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, [], "")
    assert run(command, memory=memory_file).returncode == 0


@pytest.mark.parametrize("command", ["calls", "trials"])
def test_a_memory_that_is_no_database_or_newer_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no database " * 99)
    done = run(command, memory=tmp_path / "notes")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "is not a memory" in done.stderr
    assert (tmp_path / "notes").read_text() == "no database " * 99


def test_wrong_usage_exits_2(memory_file: Path) -> None:
    assert run("distill", memory=memory_file).returncode == 2
    assert run("nonsense", memory=memory_file).returncode == 2
    assert run("distill", "--to", "prompt", "--name", "../up", memory=memory_file).returncode == 2


def test_a_reader_that_goes_away_hears_no_complaint(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [])
    for number in range(300):
        recorded_call(memory_file, server, "tide", {"number": number, "padding": "x" * 400})
    command = f"'{sys.executable}' -I -m learner --memory '{memory_file}' calls --limit 300 --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=200)
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_logged_text_cannot_command_the_terminal(memory_file: Path) -> None:
    server = recorded_server(memory_file, "sea", [tool_definition("tide", "\x1b]0;pwned\x07 [bold]high[/bold] water")])
    recorded_call(memory_file, server, "tide", {}, outcome="tool_error", text="\x1b[2J\u202egone [red]x[/red]")
    for command in ("calls", "tools"):
        shown = run(command, memory=memory_file).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[bold]high[/bold]" in shown or "[red]x[/red]" in shown
        assert run(command, "--json", memory=memory_file).stdout.isascii()


def test_a_suite_is_imported_once_and_distilled_into_an_artefact_with_provenance(memory_file: Path) -> None:
    first = run("import", "suite", HARBOUR, "--split", "train", "--json", memory=memory_file)
    assert json.loads(first.stdout) == {"server": "harbour", "split": "train", "cases": 8, "added": 8}
    again = run("import", "suite", HARBOUR, "--split", "train", "--json", memory=memory_file)
    assert json.loads(again.stdout)["added"] == 0
    dry = json.loads(run("distill", "--to", "prompt", "--dry-run", "--json", memory=memory_file).stdout)
    assert len(dry) == 8
    assert not (memory_file.parent / "artefacts").exists()
    made = json.loads(run("distill", "--to", "prompt", "--name", "h", "--json", memory=memory_file).stdout)
    assert (made["artefact"], made["trials"]) == ("h", 8)
    assert {entry.name for entry in Path(made["path"]).iterdir()} == {
        "manifest.json",
        "demonstrations.jsonl",
        "hints.json",
    }
    taken = run("distill", "--to", "prompt", "--name", "h", memory=memory_file)
    assert (taken.returncode, "give another name" in taken.stderr) == (1, True)
    with Memory(memory_file) as memory:
        (artefact,) = memory.served.artefacts()
        assert artefact.trials == 8


def test_a_damaged_artefact_is_neither_used_nor_served(memory_file: Path) -> None:
    run("import", "suite", HARBOUR, "--split", "train", memory=memory_file)
    run("distill", "--to", "prompt", "--name", "h", memory=memory_file)
    (memory_file.parent / "artefacts" / "h" / "hints.json").write_text('{"tide_times": "obey me"}')
    for arguments in (
        ("apply", "h"),
        ("evaluate", "--suite", HARBOUR, "--split", "test", "--model", "recall", "--artefact", "h"),
    ):
        done = run(*arguments, memory=memory_file)
        assert (done.returncode, "was changed after it was written" in done.stderr) == (1, True), done


def test_hints_that_no_relay_could_show_are_not_applied(memory_file: Path) -> None:
    run("import", "suite", HARBOUR, "--split", "train", memory=memory_file)
    run("distill", "--to", "prompt", "--name", "h", memory=memory_file)
    done = run("apply", "h", memory=memory_file)
    assert (done.returncode, "no relay has stood before" in done.stderr) == (1, True), done
    with Memory(memory_file) as memory:
        assert memory.served.serving() == {}


def test_two_servers_of_one_name_are_told_apart_by_their_uids(memory_file: Path) -> None:
    recorded_server(memory_file, "sea", [])
    database = open_database(memory_file)
    database.execute("INSERT INTO servers VALUES ('other', 'sea', 'run other', 't')")
    database.close()
    done = run("distill", "--to", "prompt", "--server", "sea", memory=memory_file)
    assert (done.returncode, "other is run other" in done.stderr) == (1, True), done


def test_a_secret_in_a_suite_is_not_written(tmp_path: Path, memory_file: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    suite = tmp_path / "suite"
    suite.mkdir()
    for name in ("suite.json", "tools.json", "cases-train.jsonl"):
        text = (HARBOUR / name).read_text().replace("Petrel", secret).replace("High and low", secret)
        (suite / name).write_text(text)
        assert name == "suite.json" or secret in text
    run("import", "suite", suite, "--split", "train", memory=memory_file)
    run("distill", "--to", "prompt", "--name", "h", memory=memory_file)
    files = [path for path in memory_file.parent.rglob("*") if path.is_file() and path.parent != suite]
    assert len(files) >= 4
    assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_a_distilling_that_fails_leaves_no_artefact_behind(memory_file: Path) -> None:
    run("import", "suite", HARBOUR, "--split", "train", memory=memory_file)
    holder = open_database(memory_file)
    holder.execute("BEGIN IMMEDIATE")
    held = run("distill", "--to", "prompt", "--name", "h", memory=memory_file)
    holder.close()
    assert (held.returncode, "held by another process" in held.stderr) == (1, True), held
    assert run("distill", "--to", "prompt", "--name", "h", memory=memory_file).returncode == 0


def test_a_memory_that_is_a_folder_does_not_keep_a_tool_from_working(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(tmp_path), "--", "cat"],
        input="hello\n",
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_demo_in_a_locked_memory_says_so_in_one_line(memory_file: Path) -> None:
    holder = open_database(memory_file)
    holder.execute("BEGIN IMMEDIATE")
    done = run("demo", memory=memory_file)
    holder.close()
    assert (done.returncode, "held by another process" in done.stderr) == (1, True), done
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_words_that_are_no_text_and_huge_limits_are_taken(memory_file: Path) -> None:
    run("import", "suite", HARBOUR, "--split", "train", memory=memory_file)
    assert run("trials", "--like", "tide \udcff", "--limit", "100000", memory=memory_file).returncode == 0
    assert run("calls", "--search", "\udcff", memory=memory_file).returncode == 0
    done = run("calls", "--server", "\udcff", memory=memory_file)
    assert (done.returncode, "no server is called '?'" in done.stderr, "there: harbour" in done.stderr) == (
        1,
        True,
        True,
    )
    assert run("calls", "--limit", "99999999999999999999", memory=memory_file).returncode == 2


@pytest.mark.parametrize("damage", ["meta", "files", "a file"])
def test_a_damaged_query_index_is_made_anew(damage: str, memory_file: Path) -> None:
    run("import", "suite", HARBOUR, "--split", "train", memory=memory_file)
    before = run("trials", "--like", "tides", "--json", memory=memory_file).stdout
    index = memory_file.with_name(memory_file.name + ".nearest")
    if damage == "meta":
        (index / "meta.json").write_text("{")
    elif damage == "files":
        for path in index.glob("*.idx"):
            path.unlink()
    else:
        shutil.rmtree(index)
        index.write_text("")
    again = run("trials", "--like", "tides", "--json", memory=memory_file)
    assert (again.returncode, again.stdout) == (0, before), again.stderr
    assert len(json.loads(before)) > 1


@pytest.mark.parametrize("value", ['"\\ud800"', "NaN", "1e999", "-Infinity"])
def test_a_value_that_is_no_json_or_no_text_is_refused_with_its_line(
    value: str, tmp_path: Path, memory_file: Path
) -> None:
    for name in ("suite.json", "tools.json"):
        (tmp_path / name).write_text((HARBOUR / name).read_text())
    case = '{"id": "1", "query": "q", "calls": [{"name": "tide_times", "arguments": {"day": VALUE}}]}'
    (tmp_path / "cases-train.jsonl").write_text(case.replace("VALUE", value) + "\n")
    done = run("import", "suite", tmp_path, "--split", "train", memory=memory_file)
    assert (done.returncode, "cases-train.jsonl:1" in done.stderr) == (1, True), done


def test_a_malformed_suite_leaves_nothing_behind(tmp_path: Path, memory_file: Path) -> None:
    for name in ("suite.json", "tools.json"):
        (tmp_path / name).write_text((HARBOUR / name).read_text())
    good = (HARBOUR / "cases-train.jsonl").read_text().splitlines()[0]
    (tmp_path / "cases-train.jsonl").write_text(good + "\n" + good.replace("tide_times", "no_such_tool") + "\n")
    done = run("import", "suite", tmp_path, "--split", "train", memory=memory_file)
    assert done.returncode == 1
    assert "cases-train.jsonl" in done.stderr
    with Memory(memory_file) as memory:
        assert memory.trials() == []
        assert memory.servers() == []


@pytest.mark.skipif(not (SHARED / "suites").is_dir(), reason="the public suites are not beside this clone")
def test_a_real_suite_is_imported_whole(memory_file: Path) -> None:
    done = run("import", "suite", SHARED / "suites" / "ste", "--split", "train", "--json", memory=memory_file)
    assert json.loads(done.stdout)["added"] == 500
    nearest = run("trials", "--like", "is it raining in Paris", "--limit", "8", "--json", memory=memory_file)
    assert len(json.loads(nearest.stdout)) == 8


def test_what_calls_were_for_is_shown_and_found_and_changes_no_lesson(memory_file: Path) -> None:
    sea = recorded_server(memory_file, "sea", [tide := tool_definition("tide", day={"type": "string"})])
    then = {"server_uid": sea, "tool_name": "tide", "tool_hash": tool_hash(tide), "session_uid": "e"}
    database = open_database(memory_file)
    for number, intent in enumerate(("when can I swim at Sines", None, "is there a \x1b[31m storm")):
        row = {**then, "arguments_json": f'{{"day":"{number}"}}', "created_at": f"2020-01-01T00:00:0{number}.000Z"}
        write(database, [a_call(str(number), intent=intent, **row)])
    session = {"kind": "session", "uid": "e", "server_uid": sea, "transport": "stdio", "created_at": "t"}
    write(database, [{**session, **dict.fromkeys(("client_name", "client_version", "protocol_version"))}])
    database.close()
    (nearest,) = json.loads(run("trials", "--like", "swim in Sines", "--json", memory=memory_file).stdout)
    assert (nearest["query"], [call["uid"] for call in nearest["calls"]]) == ("when can I swim at Sines", ["0", "1"])
    calls = json.loads(run("calls", "--json", memory=memory_file).stdout)
    assert [call["intent"] for call in calls] == ["is there a \x1b[31m storm", None, "when can I swim at Sines"]
    shown = run("trials", memory=memory_file).stdout
    assert "when can I swim at Sines" in shown
    assert "\x1b" not in shown
    assert json.loads(run("distill", "--to", "prompt", "--dry-run", "--json", memory=memory_file).stdout) == []
    distilled = json.loads(run("distill", "--to", "prompt", "--json", memory=memory_file).stdout)
    assert distilled["trials"] == 0
    hints = (Path(distilled["path"]) / "hints.json").read_text()
    assert '"day' in hints.replace("\\", "")
    assert "swim" not in hints


def recorded_session(path: Path, server: str) -> None:
    """Put the session of `recorded_call` into the memory."""
    session = {"kind": "session", "uid": "session", "server_uid": server, "transport": "stdio", "created_at": "t"}
    database = open_database(path)
    write(database, [{**session, **dict.fromkeys(("client_name", "client_version", "protocol_version"))}])
    database.close()


def test_calls_that_are_in_no_trial_yet_are_told_beside_the_trials(memory_file: Path) -> None:
    sea, lake = recorded_server(memory_file, "sea", []), recorded_server(memory_file, "lake", [])
    recorded_session(memory_file, sea)
    for number, server in enumerate((sea, sea, lake)):
        recorded_call(memory_file, server, "tide", {"day": number})
    for arguments, count in (((), 3), (("--json",), 3), (("--server", "sea"), 2)):
        done = run("trials", *arguments, memory=memory_file)
        assert (done.returncode, f"in no trial yet: {count};" in done.stderr) == (0, True), done
        assert len(done.stderr.splitlines()) == 1
    assert run("trials", "--label", "solved", memory=memory_file).stderr == ""
    database = open_database(memory_file)
    database.execute("UPDATE calls SET created_at = '2020-01-01T00:00:00.000Z'")
    database.close()
    done = run("trials", "--json", memory=memory_file)
    assert (len(json.loads(done.stdout)), done.stderr) == (1, "")


@pytest.mark.parametrize("where", ["before", "behind", "environment"])
def test_the_next_command_names_the_memory_that_was_named(where: str, tmp_path: Path) -> None:
    memory = tmp_path / "my memory.db"
    server = recorded_server(memory, "sea", [tide := tool_definition("tide", day={"type": "string"})])
    recorded_session(memory, server)
    recorded_call(memory, server, "tide", {"day": "today"})
    database = open_database(memory)
    database.execute("UPDATE calls SET tool_hash = ?", (tool_hash(tide),))
    database.close()
    for words, following in (
        (("distill", "--to", "prompt", "--name", "it"), ("apply", "it")),
        (("apply", "it"), ("rollback",)),
    ):
        named = ["--memory", str(memory)]
        arguments = {"before": [*named, *words], "behind": [*words, *named], "environment": words}[where]
        environment = {"PRACTICUM_MEMORY": str(memory) if where == "environment" else ""}
        done = CliRunner().invoke(learner, arguments, env=environment)
        assert done.exit_code == 0, done
        expected = shlex.join(["learner", *(named if where != "environment" else []), *following])
        assert done.output.splitlines()[-1].endswith(f": {expected}"), done.output


def test_corrections_rounds_and_trials_of_any_client_are_shown(memory_file: Path) -> None:
    recorded_server(memory_file, "sea", [])
    recorded_call(memory_file, "uid-of-sea", "wave", {})
    session = {"kind": "session", "uid": "e", "server_uid": "s", "client_name": "an editor", "client_version": None}
    then = {"session_uid": "e", "created_at": "2020-01-01T00:00:00.000Z"}
    failed = {**then, "outcome": "tool_error", "arguments_json": '{"day":"soon"}', "error": "no such day"}
    good = {**then, "corrects": "1", "rounds": 2, "arguments_json": '{"day":"3.3."}'}
    rest = {"protocol_version": None, "transport": "stdio", "created_at": "t"}
    database = open_database(memory_file)
    write(database, [{**session, **rest}, a_call("1", **failed), a_call("2", **good)])
    database.close()
    calls = json.loads(run("calls", "--corrections", "--json", memory=memory_file).stdout)
    assert [(call["uid"], call["corrects"], call["corrected_by"], call["rounds"]) for call in calls] == [
        ("2", "1", None, 2),
        ("1", None, "2", 1),
    ]
    table = run("calls", "--corrections", memory=memory_file).stdout
    assert "result, 2 rounds, corrects a failed one" in table
    assert "tool_error, corrected later" in table
    assert "wave" in run("calls", memory=memory_file).stdout
    (trial,) = json.loads(run("trials", "--json", memory=memory_file).stdout)
    assert (trial["source"], trial["client"], trial["query"], trial["uid"]) == ("live", "an editor", None, "1")
    assert [(call["uid"], call["corrects"]) for call in trial["calls"]] == [("1", None), ("2", "1")]
    assert "an editor" in run("trials", memory=memory_file).stdout


def test_a_simulated_server_is_written_as_a_suite_once(memory_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    done = run("serve", "weather", "--seed", 3, "--suite", folder, memory=memory_file)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == [
        "cases-practice.jsonl",
        "cases-test.jsonl",
        "suite.json",
        "tools.json",
    ]
    judged = run("evaluate", "--suite", folder, "--split", "test", "--model", "recall", "--json", memory=memory_file)
    assert json.loads(judged.stdout)["suite"] == "weather-3"
    again = run("serve", "weather", "--seed", 3, "--suite", folder, memory=memory_file)
    assert again.returncode == 1
    assert again.stderr.splitlines() == [f"learner: {folder} is there already; name a folder that is new or empty"]


def test_a_seed_that_is_no_number_is_wrong_usage(memory_file: Path) -> None:
    done = run("serve", "weather", "--seed", "seven", memory=memory_file)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("learner: Invalid value for '--seed': 'seven' is not a valid integer; see '")
    assert line.endswith("learner serve --help'")
