"""The page on faults says what there is."""

import dataclasses
import json
import re
from pathlib import Path

from servers import registry
from servers.faults import PRESETS, Faulty
from servers.faults.plan import KINDS, parse

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


def test_the_pages_plan_can_be_used() -> None:
    [plan] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    faulty = Faulty(registry.load("weather").world(0), parse(plan), 0)
    assert faulty.call("tide_times", {}).is_error


def test_the_page_names_every_preset() -> None:
    assert re.findall(r"^\| `(\w+)` \| [a-z`]", PAGE, re.MULTILINE) == list(PRESETS)


def test_the_page_names_every_fault_with_its_options_and_defaults() -> None:
    told: dict[str, dict[str, str]] = {}
    for fault, option, default in re.findall(r"^\| (?:`(\w+)`)? ?\| (?:`(\w+)`)? ?\| ?(.*?) ?\|", PAGE, re.MULTILINE):
        if fault in KINDS:
            told[fault] = {}
        elif option:
            told[list(told)[-1]][option] = default
    assert told == {
        kind: {
            field.name: "all" if field.default and isinstance(field.default, tuple) else json.dumps(field.default)
            for field in dataclasses.fields(fault)
            if field.name not in ("after", "tools")
        }
        for kind, fault in KINDS.items()
    }


def test_the_page_names_every_choice() -> None:
    for fault in KINDS.values():
        for field in dataclasses.fields(fault):
            for choice in field.default if isinstance(field.default, tuple) else ():
                assert f"`{choice}`" in PAGE
