"""Bootstrap intervals of the metrics: how much they vary with the choice of rows.

A draw with replacement is a count for each row. What a metric needs of the rows (their losses, their order) is computed
once; a draw then costs a few sums over the counts, where sorting and measuring the drawn rows themselves would take ten
times as long on 100,000 rows. The values are the same.
"""

import math
from collections.abc import Callable

import numpy as np

from .inference import decide
from .metrics import CLASSIFICATION, REGRESSION, from_confusion

Array = np.ndarray
#: A metric of the rows, each of them as many times as its count says.
Counted = Callable[[Array], float]
#: With more rows, or rows times classes above ten, there are fewer draws.
_MANY_ROWS = 20_000
_OF_PROBABILITIES = ("log_loss", "brier", "roc_auc", "average_precision")


def intervals(
    task_type: str,
    y: Array,
    raw: Array,
    threshold: float | None = None,
    *,
    repeats: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals (percentiles) of the metrics.

    Parameters
    ----------
    task_type, y, raw, threshold
        As in :func:`.evaluation.evaluate`.
    repeats : int, default=500
        How many times rows are drawn with replacement; fewer of many rows or classes.
    seed : int, default=0
    level : float, default=0.95

    Returns
    -------
    dict of str to (float, float)
        Lower and upper end; metrics that are not defined on most draws are left out.
    """
    rng = np.random.default_rng(seed)
    n = len(y)
    if n < 2:
        return {}
    work = n * max(1.0, (raw.shape[1] if raw.ndim == 2 else 1) / 10)
    if work > _MANY_ROWS:
        repeats = max(50, min(repeats, int(repeats * _MANY_ROWS / work)))
    measure = _numbers(y, raw) if task_type == "regression" else _classes(task_type, y, raw, threshold)
    drawn: dict[str, list[float]] = {}
    for _ in range(repeats):
        counts = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        for name, value in measure(counts).items():
            if math.isfinite(value):
                drawn.setdefault(name, []).append(value)
    tail = 100 * (1 - level) / 2
    order = REGRESSION if task_type == "regression" else CLASSIFICATION
    return {
        name: (float(np.percentile(drawn[name], tail)), float(np.percentile(drawn[name], 100 - tail)))
        for name in order
        if len(drawn.get(name, ())) > repeats / 2
    }


def _classes(task_type: str, y: Array, raw: Array, threshold: float | None) -> Callable[[Array], dict[str, float]]:
    n, n_classes = raw.shape
    cells = y * n_classes + decide(raw, threshold)
    losses = -np.log(np.clip(raw[np.arange(n), y], np.finfo(np.float64).eps, 1.0))
    hot = np.zeros_like(raw)
    hot[np.arange(n), y] = 1.0
    squares = ((raw - hot) ** 2).sum(axis=1) / (2 if n_classes == 2 else 1)
    ranked = [_ranking(y == code, raw[:, code]) for code in ([1] if n_classes == 2 else range(n_classes))]

    def measure(counts: Array) -> dict[str, float]:
        matrix = np.bincount(cells, counts, n_classes**2).reshape(n_classes, n_classes)
        found = {
            name: from_confusion(name, task_type, matrix) for name in CLASSIFICATION if name not in _OF_PROBABILITIES
        }
        found["log_loss"], found["brier"] = float(counts @ losses) / n, float(counts @ squares) / n
        areas = np.array([area(counts) for area in ranked])
        present = areas[~np.isnan(areas[:, 0])]
        means = present.mean(axis=0) if len(present) else (math.nan, math.nan)
        found["roc_auc"], found["average_precision"] = float(means[0]), float(means[1])
        return found

    return measure


def _ranking(positive: Array, scores: Array) -> Callable[[Array], tuple[float, float]]:
    """ROC AUC and average precision of a class against the rest; NaN where the drawn rows have not both."""
    _, place = np.unique(-scores, return_inverse=True)  # from the highest score; equal ones share a place
    n_places = int(place.max()) + 1
    hits, misses = positive.astype(np.float64), (~positive).astype(np.float64)

    def areas(counts: Array) -> tuple[float, float]:
        pos = np.bincount(place, counts * hits, n_places)
        neg = np.bincount(place, counts * misses, n_places)
        n_pos, n_neg = pos.sum(), neg.sum()
        if not n_pos or not n_neg:
            return math.nan, math.nan
        below = n_neg - np.cumsum(neg)
        flagged, found = np.cumsum(pos + neg), np.cumsum(pos)
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        return float(pos @ (below + neg / 2) / (n_pos * n_neg)), float(pos @ precision / n_pos)

    return areas


def _numbers(y: Array, raw: Array) -> Callable[[Array], dict[str, float]]:
    n, y = len(y), np.asarray(y, dtype=np.float64)
    errors = np.abs(raw - y)
    squares, shares = errors**2, errors / np.maximum(np.abs(y), np.finfo(np.float64).eps)
    order = np.argsort(errors, kind="stable")
    ordered = errors[order]
    centred = y - y.mean()  # far from zero the spread would lose its digits

    def measure(counts: Array) -> dict[str, float]:
        lost = float(counts @ squares)
        mean = float(counts @ centred) / n
        spread = float(counts @ (centred - mean) ** 2)
        upto = np.cumsum(counts[order])
        middle = ordered[np.searchsorted(upto, [(n + 1) // 2, n // 2 + 1])]
        return {
            "rmse": math.sqrt(lost / n),
            "mae": float(counts @ errors) / n,
            "r2": 1.0 - lost / spread if np.ptp(y[counts > 0]) > 0 else math.nan,
            "mape": float(counts @ shares) / n,
            "median_ae": float(middle.mean()),
        }

    return measure
