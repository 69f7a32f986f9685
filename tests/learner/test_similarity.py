import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.errors import EvaluationError
from learner.similarity import NearDuplicates, folds, jaccard, near_duplicate_groups, words
from learner.suites import Case

texts = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=8).map(" ".join), max_size=12)


def cases(*queries: str) -> list[Case]:
    return [Case(str(number), query) for number, query in enumerate(queries)]


def alike(a: str, b: str) -> float:
    return jaccard(words(a), words(b))


def test_jaccard_compares_sets_of_lower_cased_words() -> None:
    assert alike("The cat, the dog!", "the DOG and cat") == 3 / 4
    assert alike("a b", "c d") == 0
    assert alike("¿?", "¿?") == 1
    assert alike("¿?", "!") == 0


def test_chain_of_near_duplicates_is_one_group() -> None:
    queries = ["a b c d e f", "unlike them all", "b c d e f g", "c d e f g h"]
    assert alike(queries[0], queries[3]) < 0.7 <= alike(queries[0], queries[2])
    assert near_duplicate_groups(queries) == [[0, 2, 3], [1]]


@given(remembered=texts, query=st.lists(st.sampled_from("abcdefgh"), max_size=8).map(" ".join))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9, 1.0])
def test_index_finds_exactly_what_comparing_with_all_finds(remembered: list[str], query: str, threshold: float) -> None:
    found = sorted(NearDuplicates(remembered, threshold).of(query))
    assert found == [number for number, text in enumerate(remembered) if alike(text, query) >= threshold]


@given(queries=texts)
def test_groups_are_a_partition_with_no_near_duplicates_across(queries: list[str]) -> None:
    groups = near_duplicate_groups(queries)
    assert sorted(number for group in groups for number in group) == list(range(len(queries)))
    for one, other in combinations(groups, 2):
        assert all(alike(queries[a], queries[b]) < 0.7 for a in one for b in other)


def test_ten_thousand_queries_are_grouped() -> None:
    words = [f"word{number}" for number in range(3000)]
    source = random.Random(0)
    queries = [" ".join(source.choices(words, k=12)) for _ in range(5000)]
    assert len(near_duplicate_groups([*queries, *queries])) == len(set(queries))


def test_folds_hold_each_case_once_in_even_numbers() -> None:
    asked = cases(*(f"query number {number} about {number * 7}" for number in range(23)))
    dealt = folds(asked, 4, group=False, seed=3)
    assert sorted(case.id for fold in dealt for case in fold) == sorted(case.id for case in asked)
    assert sorted(map(len, dealt)) == [5, 6, 6, 6]


def test_near_duplicates_stay_in_one_fold_when_grouped() -> None:
    asked = cases(*(f"{kind} one two three four five {end}" for kind in "abcdef" for end in ("", "please")))
    texts_apart = [Case(case.id, " ".join(word + case.query[0] for word in case.query.split())) for case in asked]
    dealt = folds(texts_apart, 3, group=True, seed=1)
    assert [len(fold) for fold in dealt] == [4, 4, 4]
    for one, other in combinations(dealt, 2):
        assert all(alike(a.query, b.query) < 0.7 for a in one for b in other)


def test_seed_decides_the_folds() -> None:
    asked = cases(*(str(number) for number in range(30)))
    assert folds(asked, 3, group=False, seed=1) == folds(asked, 3, group=False, seed=1)
    assert folds(asked, 3, group=False, seed=1) != folds(asked, 3, group=False, seed=2)


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(EvaluationError, match="cannot make 3 folds of 2 groups"):
        folds(cases("a", "a", "b"), 3, group=True)
    with pytest.raises(EvaluationError, match="at least 2"):
        folds(cases("a", "b"), 1, group=False)
