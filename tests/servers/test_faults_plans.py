"""A fault plan is a preset or a file; whatever is wrong with one is said in one line."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers import registry
from servers.errors import FaultPlanError
from servers.faults import PRESETS, Faulty, Plan, load
from servers.faults.answers import Malformed
from servers.faults.drift import ConventionDrift, SchemaDrift
from servers.faults.plan import KINDS, parse
from servers.faults.service import Failure, Latency, RateLimit, Timeout

OPTIONS = sorted({field.name for kind in KINDS.values() for field in dataclasses.fields(kind)})


def refusal(text: str) -> str:
    with pytest.raises(FaultPlanError) as refused:
        load(text)
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(
        json.dumps(
            [
                {"fault": "latency", "median_s": 1, "p99_s": 9.5},
                {"fault": "timeout", "rate": 0.5, "gateway_s": None},
                {"fault": "rate_limit", "calls": 5.0, "window": 6, "told": ["nothing"], "tools": ["tide_times"]},
                {"fault": "server_error"},
                {"fault": "malformed", "shapes": ["html", "empty"], "after": 3},
                {"fault": "schema_drift", "changes": ["tool_renamed"], "count": 2},
                {"fault": "convention_drift", "kinds": ["date", "station"]},
            ]
        )
    )
    assert load(str(file)) == Plan(
        (
            Latency(median_s=1.0, p99_s=9.5),
            Timeout(rate=0.5),
            RateLimit(calls=5, window=6, told=("nothing",), tools=("tide_times",)),
            Failure(),
            Malformed(shapes=("html", "empty"), after=3),
            SchemaDrift(changes=("tool_renamed",), count=2),
            ConventionDrift(kinds=("date", "station")),
        )
    )


def test_a_plan_may_hold_no_fault() -> None:
    assert parse("[]") == Plan(())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_works_in_front_of_every_world_and_is_all_defaults_and_options_in_range(preset: str) -> None:
    plan = load(preset)
    assert plan.faults
    for name in registry.worlds():
        Faulty(registry.load(name).world(1), plan, 1)
    said = [
        {"fault": fault.kind} | {name: value for name, value in vars(fault).items() if value is not None}
        for fault in plan.faults
    ]
    assert parse(json.dumps(said)) == plan


def test_a_preset_is_found_before_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slow").write_text("[]")
    assert load("slow").faults
    assert load("./slow") == Plan(())


@pytest.mark.parametrize("name", ["slwo", "nowhere/plan.json", "", "two\nlines", "\udc80", "x" * 5000])
def test_what_is_neither_a_preset_nor_a_file_is_named_with_the_presets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refusal(name)
    assert repr(name)[:20] in said
    if name != "x" * 5000:
        assert said.endswith("the presets are slow, flaky, busy, broken, drifting, awful")


def test_a_folder_and_what_is_no_text_are_named(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)) == f"cannot read the faults in {str(tmp_path)!r}: Is a directory"
    (tmp_path / "image").write_bytes(b"\xff\xd8\xff")
    assert refusal(str(tmp_path / "image")).endswith("not a text file")
    assert refusal("a\0b").endswith("not a text file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("[]")
    file.chmod(0)
    assert refusal(str(file)).endswith("Permission denied")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON: Expecting value at line 1, column 1"),
        ('[{"fault": "latency",}]', "not JSON: Illegal trailing comma before end of object at line 1, column 21"),
        ("[" * 100_000, "not JSON that can be read: a number too long, or lists too deep in each other"),
        ("[1" + "0" * 5000 + "]", "not JSON that can be read: a number too long, or lists too deep in each other"),
        ('{"fault": "latency"}', 'a plan is a list of faults such as [{"fault": "latency"}], not {"fault": "latency"}'),
        ("[7]", 'fault 1 must be an object such as {"fault": "latency"}, not 7'),
        ('[{"fault": "latency"}, {}]', f"fault 2 does not say which 'fault' it is; there are: {', '.join(KINDS)}"),
        ('[{"fault": "lateny"}]', f'fault 1: no fault is called "lateny"; there are: {", ".join(KINDS)}'),
        ('[{"fault": ["latency"]}]', f'fault 1: no fault is called ["latency"]; there are: {", ".join(KINDS)}'),
        (
            '[{"fault": "latency", "mean_s": 2}]',
            'fault 1 (latency) has no option "mean_s"; it has after, tools, rate, median_s, p99_s',
        ),
        ('[{"fault": "latency", "rate": 2}]', "fault 1 (latency): rate must be a number from 0 to 1, not 2"),
        ('[{"fault": "latency", "rate": true}]', "fault 1 (latency): rate must be a number from 0 to 1, not true"),
        ('[{"fault": "latency", "rate": NaN}]', "fault 1 (latency): rate must be a number from 0 to 1, not NaN"),
        (
            '[{"fault": "timeout", "gateway_s": 0}]',
            "fault 1 (timeout): gateway_s must be seconds above 0 and at most 3600, or null, not 0",
        ),
        (
            '[{"fault": "latency", "median_s": null}]',
            "fault 1 (latency): median_s must be seconds above 0 and at most 3600, not null",
        ),
        ('[{"fault": "latency", "median_s": 5}]', "fault 1 (latency): p99_s must be at least median_s, 5, not 2"),
        (
            '[{"fault": "rate_limit", "calls": 0}]',
            "fault 1 (rate_limit): calls must be a whole number from 1 to 1000000000, not 0",
        ),
        (
            '[{"fault": "rate_limit", "calls": 1.5}]',
            "fault 1 (rate_limit): calls must be a whole number from 1 to 1000000000, not 1.5",
        ),
        (
            '[{"fault": "rate_limit", "calls": 12}]',
            "fault 1 (rate_limit): window must be above calls, 12, not 12",
        ),
        (
            '[{"fault": "malformed", "shapes": ["xml"]}]',
            "fault 1 (malformed): shapes must be a list of one or more of wrong_type, missing_field, html, empty, "
            'not ["xml"]',
        ),
        (
            '[{"fault": "rate_limit", "told": []}]',
            "fault 1 (rate_limit): told must be a list of one or more of retry_after, limit, nothing, not []",
        ),
        (
            '[{"fault": "truncated", "tools": "tide_times"}]',
            'fault 1 (truncated): tools must be a list of one or more names, not "tide_times"',
        ),
        (
            '[{"fault": "convention_drift", "tools": ["tide_times"]}]',
            'fault 1 (convention_drift) has no option "tools"; it has after, count, kinds',
        ),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_where_it_is(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(content)
    told = refusal(str(file))
    if "trailing comma" in said and "trailing comma" not in told:
        said = "not JSON: Expecting property name enclosed in double quotes at line 1, column 22"  # Python before 3.13
    assert told == f"{str(file)!r}: {said}"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*KINDS, *OPTIONS, "tide_times", "html", "nothing", "tool_renamed"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OPTIONS) | st.text(), inner, max_size=3)
    ),
)
FAULTS = st.fixed_dictionaries({"fault": st.sampled_from(list(KINDS))}).flatmap(
    lambda fault: st.dictionaries(
        st.sampled_from([field.name for field in dataclasses.fields(KINDS[fault["fault"]])]), VALUES, max_size=3
    ).map(lambda options: fault | options)
)


@given(st.lists(FAULTS | VALUES, max_size=3).map(json.dumps) | VALUES.map(json.dumps) | st.text())
def test_every_text_is_a_plan_or_one_line(content: str) -> None:
    try:
        plan = parse(content)
    except FaultPlanError as error:
        said = str(error)
    else:
        said = f"a plan of {len(plan.faults)} faults"
    assert len(said.splitlines()) == 1
    assert len(said) < 400
