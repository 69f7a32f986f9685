"""A text is found however it was written down."""

import json
import shlex
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.spellings import holds, spellings

TEXT = 'Zoë "said" \\ it\'s\n№7/😀'

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def as_escapes(text: str) -> str:
    """Spell every character as an escape, in upper case."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


LAYERS: list[Callable[[str], str]] = [
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps({"a": [text, 1]}),
    lambda text: f'"{as_escapes(text)}"',
    lambda text: json.dumps(text).replace("/", "\\/"),
]


@pytest.mark.parametrize("outer", LAYERS)
@pytest.mark.parametrize("inner", LAYERS)
def test_json_inside_json_hides_nothing(outer: Callable[[str], str], inner: Callable[[str], str]) -> None:
    assert holds(outer(f"before {TEXT} behind"), TEXT)
    assert holds(outer("before " + inner(TEXT) + " behind"), TEXT)
    assert not holds(outer("before " + inner(TEXT[1:]) + " behind"), TEXT)


@given(TEXTS, TEXTS, TEXTS, st.lists(st.sampled_from(LAYERS), max_size=5))
def test_a_text_is_found_behind_any_layers(
    before: str, text: str, behind: str, layers: list[Callable[[str], str]]
) -> None:
    stored = before + text + behind
    for layer in layers:
        stored = layer(stored)
    assert holds(stored, text)


@given(TEXTS, st.text(st.characters(codec="utf-8", exclude_characters="\\'")))
def test_what_has_no_escapes_is_searched_as_it_stands(text: str, stored: str) -> None:
    assert holds(stored, text) == (text in stored)


@given(TEXTS)
def test_a_command_line_hides_nothing(text: str) -> None:
    assert holds(shlex.join(["run", text]), text)
    assert holds(json.dumps(shlex.join(["run", text])), text)


def test_case_counts() -> None:
    assert not holds("MARKER", "marker")


@pytest.mark.parametrize("stored", ["\\" * 100_000, "\\u005c" * 20_000, "\\u005cu005c" * 10_000, '\\ud83d"' * 10_000])
def test_hostile_escapes_end(stored: str) -> None:
    assert not holds(stored, "text")


@given(TEXTS)
def test_what_we_write_ourselves_is_among_the_spellings(text: str) -> None:
    row = json.dumps({"x": text}, ensure_ascii=False)
    spool = json.dumps({"kind": "call", "arguments_json": row}).encode()
    assert any(spelling in spool for spelling in spellings(text))
    assert any(spelling in row.encode() for spelling in spellings(text))
