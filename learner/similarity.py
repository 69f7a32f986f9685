"""Which queries are near-duplicates, by the Jaccard similarity of their sets of words, and folds that mind it."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from learner.errors import EvaluationError
from learner.suites import Case

NEAR = 0.7  # word-set Jaccard from which on a remembered query gives an answer away


def words(text: str) -> frozenset[str]:
    """Return the set of a text's words, lower-cased; a text without any is its own only word."""
    return frozenset(re.findall(r"\w+", text.lower())) or frozenset({text})


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Return the Jaccard similarity of two sets of words that are not empty, 0 to 1."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


class NearDuplicates:
    """Finds those of `texts` that are near-duplicates of a query.

    Prefix filtering (Chaudhuri et al., 2006): with each text's words put rarest first, two texts of similarity
    `threshold` share one of their first few words, so only those are indexed and looked up.
    """

    def __init__(self, texts: Sequence[str], threshold: float = NEAR) -> None:
        self._threshold = threshold
        self._words = [words(text) for text in texts]
        self._frequency = Counter(word for text in self._words for word in text)
        self._having = defaultdict(list)
        for number, text in enumerate(self._words):
            for word in self._first(text):
                self._having[word].append(number)

    def of(self, query: str) -> Iterator[int]:
        """Yield the positions of the near-duplicates of `query`, in no useful order."""
        wanted = words(query)
        candidates = {number for word in self._first(wanted) for number in self._having.get(word, ())}
        return (number for number in candidates if jaccard(wanted, self._words[number]) >= self._threshold)

    def has(self, query: str) -> bool:
        """Return whether `query` has a near-duplicate among the texts."""
        return any(True for _ in self.of(query))

    def _first(self, text: frozenset[str]) -> list[str]:
        rarest_first = sorted(text, key=lambda word: (self._frequency[word], word))
        # Two texts this similar share at least threshold × size words; a tenth of a word allows for rounding.
        return rarest_first[: len(text) - math.ceil(self._threshold * len(text) - 0.1) + 1]


def near_duplicate_groups(queries: Sequence[str], threshold: float = NEAR) -> list[list[int]]:
    """Return the positions of `queries` in groups: two near-duplicates, directly or by a chain, share one."""
    near = NearDuplicates(queries, threshold)
    groups: list[list[int]] = []
    seen: set[int] = set()
    for start in range(len(queries)):
        if start in seen:
            continue
        seen.add(start)
        group = [start]
        for member in group:  # grows while it is walked
            fresh = set(near.of(queries[member])) - seen
            seen |= fresh
            group.extend(sorted(fresh))
        groups.append(sorted(group))
    return groups


def folds(cases: Sequence[Case], count: int, *, group: bool, seed: int = 0) -> list[list[Case]]:
    """Deal `cases` into `count` folds of sizes as equal as can be; with `group`, near-duplicates into one fold.

    Raises:
        EvaluationError: there are fewer cases, or groups of them, than folds, or fewer than two folds.
    """
    if count < 2:
        raise EvaluationError(f"cannot make {count} folds: one learns and another is asked; give at least 2")
    groups = near_duplicate_groups([case.query for case in cases]) if group else [[n] for n in range(len(cases))]
    if len(groups) < count:
        kind = "groups of near-duplicate cases" if group else "cases"
        raise EvaluationError(f"cannot make {count} folds of {len(groups)} {kind}; give at most {len(groups)}")
    Random(seed).shuffle(groups)  # noqa: S311 - a seeded experiment, no secret
    groups.sort(key=len, reverse=True)
    dealt: list[list[int]] = [[] for _ in range(count)]
    for members in groups:
        min(dealt, key=len).extend(members)
    return [[cases[number] for number in sorted(fold)] for fold in dealt]
