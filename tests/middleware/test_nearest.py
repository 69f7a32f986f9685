from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.memory.nearest import IndexBusyError, NearestIndex


def test_the_query_that_shares_the_rarest_words_comes_first() -> None:
    index = NearestIndex()
    index.add([(1, "the weather in Oslo"), (2, "the weather in Rome"), (3, "the tides in Rome")])
    assert [key for key, _ in index.nearest("tides of Rome", 2)] == [3, 2]


def test_word_forms_case_and_accents_do_not_matter() -> None:
    index = NearestIndex()
    index.add([(7, "Forecasts for Málaga")])
    assert [key for key, _ in index.nearest("forecast MALAGA")] == [7]


def test_asking_for_more_than_there_is_gives_what_there_is() -> None:
    index = NearestIndex()
    index.add([(1, "one"), (2, "one two")])
    assert len(index.nearest("one", 2**32)) == 2


def test_a_query_without_words_has_no_neighbours() -> None:
    index = NearestIndex()
    assert index.nearest("anything") == []
    index.add([(1, "one")])
    assert index.nearest("?!") == []


def test_an_index_on_disk_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = NearestIndex(tmp_path / "i")
    assert first.last_key() == -1
    first.add([(5, "alpha"), (9, "beta")])
    again = NearestIndex(tmp_path / "i")
    assert again.last_key() == 9
    assert len(again) == 2
    assert [key for key, _ in again.nearest("alpha")] == [5]


def test_catching_up_adds_only_what_is_new_whoever_added_the_rest(tmp_path: Path) -> None:
    rows = [(1, "alpha"), (2, "beta"), (3, "gamma")]

    def after(key: int) -> list[tuple[int, str]]:
        return [row for row in rows if row[0] > key]

    one, other = NearestIndex(tmp_path / "i"), NearestIndex(tmp_path / "i")
    assert one.catch_up(after) == 3
    assert one.catch_up(after) == 0
    rows.append((4, "delta"))
    assert other.catch_up(after) == 1
    assert one.catch_up(after) == 0
    assert len(one) == len(other) == 4


def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    NearestIndex(tmp_path / "i").add([(1, "alpha")])
    (tmp_path / "i" / "version").write_text("0")
    assert len(NearestIndex(tmp_path / "i")) == 0


def test_an_index_of_something_else_is_made_anew(tmp_path: Path) -> None:
    NearestIndex(tmp_path / "i", of="one memory").add([(1, "alpha")])
    assert len(NearestIndex(tmp_path / "i", of="one memory")) == 1
    assert len(NearestIndex(tmp_path / "i", of="another")) == 0


def test_a_second_writer_is_told_that_the_index_is_busy(tmp_path: Path) -> None:
    index = NearestIndex(tmp_path / "i")
    index.add([(1, "alpha")])
    other = NearestIndex(tmp_path / "i")

    def rows() -> Iterator[tuple[int, str]]:
        yield 2, "beta"
        with pytest.raises(IndexBusyError):
            other.add([(3, "gamma")])

    index.add(rows())
    index.add([(4, "delta")])
    assert [key for key, _ in other.nearest("alpha")] == [1]


@given(st.lists(st.text(), max_size=5), st.text())
def test_any_text_can_be_added_and_asked(texts: list[str], query: str) -> None:
    index = NearestIndex()
    index.add(enumerate(texts))
    for key, score in index.nearest(query):
        assert 0 <= key < len(texts)
        assert score > 0
