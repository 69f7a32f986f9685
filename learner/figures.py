"""Predictions summed up: fractions with intervals, strata, and how much better one side is than another."""

from collections.abc import Sequence
from typing import Any

from learner.errors import EvaluationError
from learner.evaluation import Prediction
from learner.metrics import MEASURES
from learner.significance import cluster_sums, clusters, intervals, sign_flip_p
from learner.similarity import NearDuplicates


def summary(
    predictions: Sequence[Prediction],
    *,
    suite: str,
    split: str,
    model: str,
    artefact: str | None = None,
    remembered: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the object that `learner evaluate --json` prints (docs/measuring.md says what each figure is).

    `remembered` are the queries behind what was shown with every case.
    """
    rows = [_row(prediction) for prediction in predictions]
    some = [any(call.arguments or call.allowed for call in prediction.case.calls) for prediction in predictions]
    known = NearDuplicates(remembered)
    near = [prediction.near or known.has(prediction.case.query) for prediction in predictions]
    labels = clusters([prediction.case for prediction in predictions])
    found = intervals(rows, labels)
    return {
        "suite": suite,
        "split": split,
        "model": model,
        "artefact": artefact,
        "cases": len(predictions),
        **_fractions(rows),
        "by_arguments": {"none": _stratum(rows, some, of=False), "some": _stratum(rows, some, of=True)},
        "by_novelty": {"near": _stratum(rows, near, of=True), "new": _stratum(rows, near, of=False)},
        "clusters": len(set(labels)),
        "intervals": _by_measure(found),
        "published": _published(predictions),
        "input_tokens": sum(prediction.input_tokens for prediction in predictions),
        "output_tokens": sum(prediction.output_tokens for prediction in predictions),
        "seconds": round(sum(prediction.seconds for prediction in predictions), 3),
    }


def against(predictions: Sequence[Prediction], others: Sequence[Prediction]) -> dict[str, Any]:
    """Return how much better `predictions` are than `others`, which answer the same cases.

    `difference`, its paired `interval` (None below 10 clusters), `p_value` and `improved` are about `correct`, the one
    claim that is tested; the four measures' differences and their `intervals` stand beside them. 'Improved' needs an
    interval above 0 and a p-value below 0.05.

    Raises:
        EvaluationError: they do not answer the same cases.
    """
    by_id = {other.case.id: other for other in others}
    if [prediction.case.id for prediction in predictions] != list(by_id):
        raise EvaluationError("the two sides answer different cases; evaluate both on the same suite and split")
    rows = [
        tuple(a - b for a, b in zip(_row(prediction), _row(by_id[prediction.case.id]), strict=True))
        for prediction in predictions
    ]
    labels = clusters([prediction.case for prediction in predictions])
    fractions, bounds = _fractions(rows), _by_measure(intervals(rows, labels))
    interval = bounds["correct"]
    column = 1 + MEASURES.index("correct")  # the first holds the clusters' sizes
    p_value = sign_flip_p(sums[column] for sums in cluster_sums(rows, labels))
    return {
        "difference": fractions["correct"],
        "interval": interval,
        "p_value": p_value,
        "improved": interval is not None and interval[0] > 0 and p_value < 0.05,
        **fractions,
        "intervals": bounds,
    }


def _row(prediction: Prediction) -> tuple[int, ...]:
    return tuple(int(getattr(prediction.score, measure)) for measure in MEASURES)


def _fractions(rows: Sequence[Sequence[int]]) -> dict[str, float | None]:
    if not rows:
        return dict.fromkeys(MEASURES)
    return {measure: sum(row[number] for row in rows) / len(rows) for number, measure in enumerate(MEASURES)}


def _stratum(rows: Sequence[Sequence[int]], flags: Sequence[bool], *, of: bool) -> dict[str, Any]:
    chosen = [row for row, flag in zip(rows, flags, strict=True) if flag is of]
    return {"cases": len(chosen), **_fractions(chosen)}


def _by_measure(found: Sequence[tuple[float, float]] | None) -> dict[str, list[float] | None]:
    if found is None:
        return dict.fromkeys(MEASURES)
    return {measure: list(bounds) for measure, bounds in zip(MEASURES, found, strict=True)}


def _published(predictions: Sequence[Prediction]) -> dict[str, float | None]:
    """The same replies under the denominators of Wang et al. (2024): the tool is asked of well-formed calls only."""
    wellformed = [prediction.score for prediction in predictions if prediction.score.wellformed]
    overall = len(predictions)
    return {
        "wellformed": len(wellformed) / overall if overall else None,
        "api_match": sum(one.api_match for one in wellformed) / len(wellformed) if wellformed else None,
        "correct": sum(prediction.score.correct for prediction in predictions) / overall if overall else None,
    }
