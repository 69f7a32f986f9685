"""How sure one can be of a mean over cases, and of a difference between two.

Cases of one tool, or of one template, succeed and fail together. So the unit of both is such a cluster: intervals
resample clusters, and the test of a difference flips the signs of whole clusters.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from random import Random

from learner.suites import Case

ENOUGH_TOOLS = 20
ENOUGH_CLUSTERS = 10  # below, resampling finds improvements where there are none
DRAWS = 2000

Interval = tuple[float, float]


def clusters(cases: Sequence[Case]) -> list[Hashable]:
    """Return the cluster of each case: its tool where the golds name at least 20 tools, else its template.

    A case without a gold call is a cluster of its own; one that calls several tools belongs to its template. Where a
    template is unknown, a case with one tool belongs to that tool, one with several is a cluster of its own.
    """
    tools = [{call.name for call in case.calls} for case in cases]
    by_tool = len(set().union(*tools)) >= ENOUGH_TOOLS
    return [_cluster(case, names, by_tool=by_tool) for case, names in zip(cases, tools, strict=True)]


def _cluster(case: Case, tools: set[str], *, by_tool: bool) -> Hashable:
    if not tools:
        return ("case", case.id)
    if len(tools) == 1 and (by_tool or case.template is None):
        return ("tool", *tools)
    return ("case", case.id) if case.template is None else ("template", case.template)


def cluster_sums(rows: Sequence[Sequence[int]], labels: Sequence[Hashable]) -> list[tuple[int, ...]]:
    """Return for each cluster its number of cases, then the sum of each column of `rows` (one row a case).

    The order does not depend on that of the cases, so neither does what is drawn from it.
    """
    of_cluster = defaultdict(list)
    for row, label in zip(rows, labels, strict=True):
        of_cluster[label].append((1, *row))
    return sorted(tuple(map(sum, zip(*members, strict=True))) for members in of_cluster.values())


def intervals(rows: Sequence[Sequence[int]], labels: Sequence[Hashable], *, seed: int = 0) -> list[Interval] | None:
    """Return the 95 % interval of each column's mean over all cases, clusters resampled; None below 10 clusters.

    A column may hold the differences of two systems on the same cases: the interval is then the paired one.
    """
    sums = cluster_sums(rows, labels)
    if len(sums) < ENOUGH_CLUSTERS:
        return None
    random = Random(seed)  # noqa: S311 - a seeded experiment, no secret
    draws = []
    for _ in range(DRAWS):
        size, *totals = map(sum, zip(*random.choices(sums, k=len(sums)), strict=True))
        draws.append([total / size for total in totals])
    tail = DRAWS // 40  # 2.5 %
    return [(column[tail - 1], column[-tail]) for column in map(sorted, zip(*draws, strict=True))]


def wilson(hits: int, trials: int) -> Interval:
    """Return the 95 % interval of a rate of which `hits` of `trials` were seen; (0, 1) when none was tried.

    Wilson's (1927): it stays between 0 and 1, and means something after few trials, with none or all of them hits.
    """
    if not trials:
        return 0.0, 1.0
    z = 1.959964  # of the normal distribution, 97.5 %
    rate = hits / trials
    centre = rate + z * z / (2 * trials)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    low, high = (centre - spread) / (1 + z * z / trials), (centre + spread) / (1 + z * z / trials)
    return (0.0 if hits == 0 else low), (1.0 if hits == trials else high)


def sign_flip_p(sums: Iterable[int]) -> float:
    """Return the two-sided p-value of a paired difference, given its sum over each cluster.

    If two systems are alike, each cluster's sum could as well have had the other sign. The p-value is the share of
    all sign patterns whose total is at least as far from 0 as the one seen. Sums are whole numbers, so the totals of
    all patterns can be counted, one cluster added at a time; no draw is needed, however many clusters there are.
    """
    chances = {0: 1.0}  # total → share of the patterns
    seen = 0
    for value in sums:
        if value == 0:
            continue
        seen += value
        longer: dict[int, float] = defaultdict(float)
        for total, chance in chances.items():
            longer[total + value] += chance / 2
            longer[total - value] += chance / 2
        chances = longer
    return min(1.0, sum(chance for total, chance in chances.items() if abs(total) >= abs(seen)))
