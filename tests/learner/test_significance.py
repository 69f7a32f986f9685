import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.significance import cluster_sums, clusters, intervals, sign_flip_p, wilson
from learner.suites import Case, GoldCall


def case(number: int, *tools: str, template: str | None = None) -> Case:
    return Case(str(number), "?", tuple(GoldCall(tool, {}) for tool in tools), template=template)


def test_tools_are_the_clusters_where_golds_name_at_least_twenty() -> None:
    asked = [case(number, f"tool {number % 20}", template="same") for number in range(40)]
    assert len(set(clusters(asked))) == 20
    fewer = [case(number, f"tool {number % 19}", template=f"template {number % 12}") for number in range(38)]
    assert len(set(clusters(fewer))) == 12


def test_case_without_a_tool_is_a_cluster_and_one_with_several_goes_by_template() -> None:
    asked = [
        case(0),
        case(1),
        case(2, "a", "b", template="t"),
        case(3, "b", "c", template="t"),
        case(4, "a", "b"),
        case(5, "a", "b"),
        case(6, "a", "a"),
        case(7, "a"),
    ]
    labels = clusters(asked)
    assert len({labels[0], labels[1], labels[2], labels[4], labels[5], labels[6]}) == 6
    assert labels[2] == labels[3]
    assert labels[6] == labels[7]


def test_no_interval_below_ten_clusters() -> None:
    assert intervals([(1,)] * 90, [number % 9 for number in range(90)]) is None
    assert intervals([(1,)] * 90, [number % 10 for number in range(90)]) == [(1.0, 1.0)]


def test_interval_of_independent_cases_is_near_the_textbook_one() -> None:
    # 400 cases, half right: 0.5 ± 1.96 × 0.5 / 20.
    found = intervals([(number % 2,) for number in range(400)], list(range(400)))
    assert found is not None
    low, high = found[0]
    assert low == pytest.approx(0.451, abs=0.006)
    assert high == pytest.approx(0.549, abs=0.006)


def test_cases_of_one_cluster_count_as_little_more_than_one() -> None:
    # 20 clusters of 20 cases that are all right or all wrong: as wide as 20 cases, not as 400.
    rows = [(number // 20 % 2,) for number in range(400)]
    found = intervals(rows, [number // 20 for number in range(400)])
    assert found is not None
    low, high = found[0]
    assert high - low > 0.35


table = st.lists(st.tuples(st.integers(0, 14), st.integers(-1, 1), st.integers(0, 1)), min_size=1, max_size=40)


@settings(max_examples=20)
@given(rows=table, order=st.randoms(use_true_random=False))
def test_order_of_cases_changes_nothing(rows: list[tuple[int, int, int]], order: random.Random) -> None:
    def found(some: list[tuple[int, int, int]]) -> object:
        values, labels = [row[1:] for row in some], [row[0] for row in some]
        return intervals(values, labels), sign_flip_p(sums[1] for sums in cluster_sums(values, labels))

    shuffled = list(rows)
    order.shuffle(shuffled)
    assert found(shuffled) == found(rows)


def test_p_value_of_small_examples_is_the_share_of_sign_patterns() -> None:
    assert sign_flip_p([]) == 1
    assert sign_flip_p([0, 0, 0]) == 1
    assert sign_flip_p([3]) == 1
    assert sign_flip_p([1] * 5) == 2 / 32
    assert sign_flip_p([1] * 6 + [0] * 4) == 2 / 64
    assert sign_flip_p([2, 2, -1]) == 4 / 8  # ±3 and ±5
    assert sign_flip_p([-1] * 5) == 2 / 32


@given(sums=st.lists(st.integers(-6, 6), max_size=9))
def test_p_value_is_what_trying_every_pattern_gives(sums: list[int]) -> None:
    totals = [
        abs(sum(sign * value for sign, value in zip(signs, sums, strict=True)))
        for signs in product((1, -1), repeat=len(sums))
    ]
    expected = sum(total >= abs(sum(sums)) for total in totals) / len(totals)
    assert sign_flip_p(sums) == pytest.approx(expected)


def test_where_nothing_differs_improvements_are_rarely_found() -> None:
    # 100 experiments of 20 clusters with 5 cases each; a cluster as a whole leans to one side, at random which.
    source = random.Random(11)
    improved = significant = 0
    for _ in range(100):
        rows, labels = [], []
        for cluster in range(20):
            lean = source.choice((-0.6, 0.6))
            for _ in range(5):
                rows.append((0 if source.random() > abs(lean) else (1 if lean > 0 else -1),))
                labels.append(cluster)
        p_value = sign_flip_p(sums[1] for sums in cluster_sums(rows, labels))
        significant += p_value < 0.05
        bounds = intervals(rows, labels) if p_value < 0.05 else None
        improved += bounds is not None and bounds[0][0] > 0
    assert significant <= 9
    assert improved <= 6


def test_where_most_clusters_gain_the_improvement_is_found() -> None:
    rows = [(1 if number % 4 else 0,) for number in range(100)]
    labels = [number // 5 for number in range(100)]
    found = intervals(rows, labels)
    assert found is not None
    assert found[0][0] > 0.5
    assert sign_flip_p(sums[1] for sums in cluster_sums(rows, labels)) < 0.001


def test_an_interval_of_a_rate_is_wilsons() -> None:
    # Newcombe (1998), table I: 15 of 148, 0 of 20 and 1 of 29.
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
