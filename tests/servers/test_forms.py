"""Forms write every value apart from every other, and codebooks read only what their form writes."""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servers import forms
from servers.codebooks import DAYS_AROUND_TODAY
from servers.errors import ToolError
from servers.forms import Codebook, NameForm, date_forms, name_forms, time_forms
from servers.weather import world
from servers.weather.world import (
    EPITHETS,
    FEATURES,
    HAZARDS,
    MODELS,
    SEVERITIES,
    SIDES,
    TOWNS,
    UNITS,
    first_state,
)

SEEDS = range(200)
seeds = st.integers(0, 2**32)


def test_a_name_keeps_its_mark_separator_case_and_letters() -> None:
    assert NameForm("wx {}", 3, "upper", "-").write("Upper Kestrel Ridge") == "WX-UPP-KES-RID"
    assert NameForm("{} obs", None, "title", "").write("Harbour Point") == "HarbourPointObs"


def test_a_date_is_written_in_the_order_and_style_of_its_form() -> None:
    day = datetime.date(2027, 3, 5)
    assert forms.DateForm("dmy", "/", "03").write(day) == "05/03/2027"
    assert forms.DateForm("mdy", " ", "3").write(day) == "3 5 2027"
    assert forms.DateForm("ymd", "", "MAR").write(day) == "2027MAR05"


def test_a_time_carries_its_mark() -> None:
    assert forms.TimeForm("h", "T{}").write(datetime.time(9, 5)) == "T09h05"


@given(st.data(), st.dates(datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)), st.times())
def test_the_form_everybody_tries_first_is_never_right(
    data: st.DataObject, day: datetime.date, time: datetime.time
) -> None:
    assert data.draw(st.sampled_from(date_forms())).write(day) != day.isoformat()
    assert data.draw(st.sampled_from(time_forms())).write(time) != f"{time:%H:%M}"
    assert data.draw(st.sampled_from(name_forms(("wx", "met")))).write("Kestrel").lower() != "kestrel"


@settings(max_examples=25)
@given(seeds)
def test_no_two_values_of_a_world_are_written_alike(seed: int) -> None:
    state = first_state(seed)
    assert len(state.station().written) == world.PLACES - 1
    assert len(state.date().written) == 2 * DAYS_AROUND_TODAY + 1
    assert len(state.time().written) == 24 * 60 - 1
    for book, names in (
        (state.units(), UNITS),
        (state.severity(), SEVERITIES),
        (state.hazard(), HAZARDS),
        (state.model(), MODELS),
    ):
        assert list(book.written.values()) == list(names)


def test_shortened_place_words_stay_distinct() -> None:
    words = (*TOWNS, *EPITHETS, *FEATURES, *SIDES)
    assert len({word[:3] for word in words}) == len(words)


@given(st.text(max_size=80))
def test_a_text_outside_the_form_is_refused_in_one_short_line(text: str) -> None:
    book = Codebook(NameForm("wx {}", 3, "upper", "-"), ["Kestrel"], example="Raven", said="the raven")
    for told in ("example", "choices", "nothing"):
        if text == "WX-KES":
            assert book.read("station", text, told=told) == "Kestrel"
            continue
        with pytest.raises(ToolError) as refused:
            book.read("station", text, told=told)
        assert str(refused.value).startswith("station ")
        assert len(str(refused.value).splitlines()) == 1
        shown = {"example": "for example, the raven is 'WX-RAV'.", "choices": "use one of 'WX-KES'.", "nothing": ""}
        assert str(refused.value).endswith(shown[told])


def test_the_example_itself_is_not_served() -> None:
    book = Codebook(NameForm("wx {}", 3, "upper", "-"), ["Kestrel", "Raven"], example="Raven", said="the raven")
    with pytest.raises(ToolError, match="only an example"):
        book.read("station", "WX-RAV", told="nothing")


def conventions(seed: int) -> Iterator[tuple[str, Any]]:
    drawn = first_state(seed).forms
    for field in dataclasses.fields(drawn):
        yield field.name, getattr(drawn, field.name)


def test_every_convention_has_many_alternatives_and_none_prevails() -> None:
    drawn: dict[str, Counter[Any]] = {}
    for seed in SEEDS:
        for kind, form in conventions(seed):
            drawn.setdefault(kind, Counter())[form] += 1
    for kind, counts in drawn.items():
        assert len(counts) >= 8, kind
        assert max(counts.values()) <= 0.4 * len(SEEDS), kind


def test_every_part_of_a_convention_takes_each_of_its_alternatives() -> None:
    drawn: dict[tuple[str, str], set[Any]] = {}
    for seed in SEEDS:
        for kind, form in conventions(seed):
            for part, value in dataclasses.asdict(form).items():
                drawn.setdefault((kind, part), set()).add(value)
    alternatives: dict[tuple[str, str], set[Any]] = {
        ("date", "order"): set(forms.DATE_ORDERS),
        ("date", "separator"): set(forms.DATE_SEPARATORS),
        ("date", "month"): set(forms.MONTH_STYLES),
        ("time", "separator"): set(forms.TIME_SEPARATORS),
        ("time", "mark"): set(forms.TIME_MARKS),
    }
    for kind, marks in world.MARKS.items():
        alternatives[kind, "mark"] = {side for mark in marks for side in (f"{mark} {{}}", f"{{}} {mark}")}
        alternatives[kind, "letters"] = set(forms.LETTERS)
        alternatives[kind, "case"] = set(forms.CASES)
        alternatives[kind, "separator"] = set(forms.SEPARATORS)
    assert drawn == alternatives


def test_two_seeds_rarely_agree_on_a_convention() -> None:
    agreements = sum(
        one == other for seed in SEEDS for one, other in zip(conventions(seed), conventions(seed + 1), strict=True)
    )
    assert agreements <= 0.05 * 7 * len(SEEDS)


@pytest.mark.parametrize("seed", range(0, 200, 4))
def test_what_a_helpful_refusal_shows_pins_its_convention_down(seed: int) -> None:
    state = first_state(seed)
    for kind, marks in world.MARKS.items():
        book: Codebook[str] = getattr(state, kind)()
        fitting = [form for form in name_forms(marks) if form.write(book.said) == book.example]
        assert fitting == [getattr(state.forms, kind)]
    day, time = state.date(), state.time()
    assert [form for form in date_forms() if form.write(_day(day.said)) == day.example] == [state.forms.date]
    assert [form for form in time_forms() if form.write(datetime.time(9, 41)) == time.example] == [state.forms.time]


def _day(said: str) -> datetime.date:
    day, month, year = said.split()
    return datetime.date(int(year), forms.MONTHS.index(month) + 1, int(day))
