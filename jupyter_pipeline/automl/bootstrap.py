"""Bootstrap intervals of the metrics: how much they vary with the choice of rows.

A draw with replacement is a count for each row. What a metric needs of the rows (their losses, their order) is computed
once; a draw then costs a few sums over the counts, where sorting and measuring the drawn rows themselves would take ten
times as long on 100,000 rows. The values are the same. Of hundreds of classes, each of which is ranked by itself, sums
for many draws at once take a fifth of the time.
"""

import math
from collections.abc import Callable

import numpy as np

from .inference import decide
from .metrics import CLASSIFICATION, REGRESSION, from_confusion

Array = np.ndarray
#: The metrics of each draw, from counts of shape (draws, rows): each row as many times as its count says.
Measure = Callable[[Array], list[dict[str, float]]]
#: With more rows, or rows times classes above ten, there are fewer draws.
_MANY_ROWS = 20_000
#: So many counts are looked at together.
_AT_ONCE = 1 << 18
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
        Lower and upper end. Left out are metrics that are not defined on most draws, and those whose own value is not
        between the ends: where many classes have a row or two, most draws lack some of them and are about others.
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
    together = max(1, _AT_ONCE // n)
    for begun in range(0, repeats, together):
        draws = range(min(together, repeats - begun))
        counts = np.array([np.bincount(rng.integers(0, n, n), minlength=n) for _ in draws], dtype=np.float64)
        for name, value in (item for values in measure(counts) for item in values.items()):
            if math.isfinite(value):
                drawn.setdefault(name, []).append(value)
    tail = 100 * (1 - level) / 2
    order = REGRESSION if task_type == "regression" else CLASSIFICATION
    ends = {
        name: (float(np.percentile(drawn[name], tail)), float(np.percentile(drawn[name], 100 - tail)))
        for name in order
        if len(drawn.get(name, ())) > repeats / 2
    }
    (of_all,) = measure(np.ones((1, n)))
    return {name: (low, high) for name, (low, high) in ends.items() if _within(of_all[name], low, high)}


def _within(value: float, low: float, high: float) -> bool:
    """Whether a value is between two, but for what is lost in adding up in another order."""
    return low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)


def _classes(task_type: str, y: Array, raw: Array, threshold: float | None) -> Measure:
    n, n_classes = raw.shape
    cells = y * n_classes + decide(raw, threshold)
    losses = -np.log(np.clip(raw[np.arange(n), y], np.finfo(np.float64).eps, 1.0))
    hot = np.zeros_like(raw)
    hot[np.arange(n), y] = 1.0
    squares = ((raw - hot) ** 2).sum(axis=1) / (2 if n_classes == 2 else 1)
    ranked = [_ranking(y == code, raw[:, code]) for code in ([1] if n_classes == 2 else range(n_classes))]

    def decided(counts: Array) -> dict[str, float]:
        matrix = np.bincount(cells, counts, n_classes**2).reshape(n_classes, n_classes)
        return {
            name: from_confusion(name, task_type, matrix) for name in CLASSIFICATION if name not in _OF_PROBABILITIES
        }

    def measure(counts: Array) -> list[dict[str, float]]:
        areas = np.array([area(counts) for area in ranked])
        known = ~np.isnan(areas)
        with np.errstate(invalid="ignore"):  # no class has an area: NaN
            areas = np.where(known, areas, 0.0).sum(axis=0) / known.sum(axis=0)
        columns = {"log_loss": counts @ losses / n, "brier": counts @ squares / n}
        columns |= {"roc_auc": areas[0], "average_precision": areas[1]}
        return [
            decided(draw) | {name: float(values[i]) for name, values in columns.items()}
            for i, draw in enumerate(counts)
        ]

    return measure


def _ranking(positive: Array, scores: Array) -> Callable[[Array], Array]:
    """ROC AUC and average precision of a class against the rest, of shape (2, draws); NaN where a draw has not both."""
    order = np.argsort(-scores, kind="stable")  # from the highest score
    ordered, hits = -scores[order], np.flatnonzero(positive[order])
    # Equal scores share a place: where that of each positive row begins and ends, among all rows and among positives.
    begins, ends = (np.searchsorted(ordered, ordered[hits], side=side) for side in ("left", "right"))
    hits_begin, hits_end = (np.searchsorted(hits, edge) for edge in (begins, ends))

    def areas(counts: Array) -> Array:
        rows, many = _summed(counts[:, order]), counts[:, order[hits]]
        pos = _summed(many)
        found, flagged = pos[:, hits_end], rows[:, ends]
        neg_begin, neg_end = rows[:, begins] - pos[:, hits_begin], flagged - found
        n_pos = pos[:, -1]
        n_neg = rows[:, -1] - n_pos
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        below = n_neg[:, None] - (neg_begin + neg_end) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            both = np.array([(many * below).sum(axis=1) / (n_pos * n_neg), (many * precision).sum(axis=1) / n_pos])
        both[:, (n_pos == 0) | (n_neg == 0)] = math.nan
        return both

    return areas


def _summed(counts: Array) -> Array:
    """Of each draw the counts of all rows before a place, and of all."""
    return np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], axis=1)


def _numbers(y: Array, raw: Array) -> Measure:
    n, y = len(y), np.asarray(y, dtype=np.float64)
    errors = np.abs(raw - y)
    squares = errors**2
    shares = errors / np.maximum(np.abs(y), np.finfo(np.float64).eps) if (y != 0).all() else np.full_like(y, np.nan)
    order = np.argsort(errors, kind="stable")
    ordered = errors[order]
    centred = y - y.mean()  # far from zero the spread would lose its digits

    def one(counts: Array) -> dict[str, float]:
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

    return lambda counts: [one(draw) for draw in counts]
