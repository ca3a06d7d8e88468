"""The metrics by name: which way is better, and values quick enough to be measured after every iteration.

Values agree with scikit-learn's (the tests compare them); a metric that is not defined on the rows is NaN.
In multiclass tasks precision, recall and f1 are means over the classes, and roc_auc is one against the rest.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

Array = np.ndarray
HIGHER_IS_BETTER: dict[str, bool] = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "accuracy": True,
    "balanced_accuracy": True,
    "f1": True,
    "f1_macro": True,
    "precision": True,
    "recall": True,
    "mcc": True,
    "brier": False,
    "rmse": False,
    "mae": False,
    "mape": False,
    "r2": True,
    "median_ae": False,
}
REGRESSION = ("rmse", "mae", "r2", "mape", "median_ae")
CLASSIFICATION = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "f1_macro",
    "mcc",
    "log_loss",
    "roc_auc",
    "average_precision",
    "brier",
)
#: Metrics of decided classes for which a binary task's threshold is chosen on the validation rows.
THRESHOLDED = ("f1", "f1_macro", "mcc", "balanced_accuracy", "precision", "recall")
DEFAULT = {"binary": "roc_auc", "multiclass": "f1_macro", "regression": "rmse"}


def names_for(task_type: str) -> tuple[str, ...]:
    """The metrics of a task."""
    return REGRESSION if task_type == "regression" else CLASSIFICATION


def resolve(metric: str, task_type: str) -> str:
    """The metric meant: ``auto`` and metrics of another kind of task become the task's usual one."""
    return metric if metric in names_for(task_type) else DEFAULT[task_type]


def better(metric: str, value: float | None, other: float | None) -> bool:
    """Whether ``value`` beats ``other``; what is not finite is beaten by anything."""
    if value is None or not np.isfinite(value):
        return False
    if other is None or not np.isfinite(other):
        return True
    return value > other if HIGHER_IS_BETTER[metric] else value < other


def loss(task_type: str, y: Array, raw: Array) -> float:
    """Log loss of probabilities, or RMSE of values."""
    if task_type == "regression":
        return float(np.sqrt(np.mean((raw - y) ** 2))) if len(y) else float("nan")
    p = raw[np.arange(len(y)), y]
    return float(-np.mean(np.log(np.clip(p, np.finfo(np.float64).eps, 1.0)))) if len(y) else float("nan")


def score(metric: str, task_type: str, y: Array, raw: Array, threshold: float | None = None) -> float:
    """A metric's value.

    Parameters
    ----------
    metric : str
        One of :func:`names_for` the task.
    task_type : {"binary", "multiclass", "regression"}
    y : numpy.ndarray of shape (n,)
        Class codes or values.
    raw : numpy.ndarray
        Probabilities of shape (n, n_classes), or values of shape (n,).
    threshold : float or None
        From what probability a row is positive (binary tasks); None for 0.5.
    """
    if len(y) == 0:
        return float("nan")
    if task_type == "regression":
        return float(_REGRESSION[metric](np.asarray(y, dtype=np.float64), raw))
    if metric == "log_loss":
        return loss(task_type, y, raw)
    if metric == "brier":
        hot = np.zeros_like(raw)
        hot[np.arange(len(y)), y] = 1.0
        total = ((raw - hot) ** 2).sum(axis=1).mean()
        return float(total / 2 if raw.shape[1] == 2 else total)
    if metric in ("roc_auc", "average_precision"):
        one = roc_auc if metric == "roc_auc" else average_precision
        if raw.shape[1] == 2:
            return one(y == 1, raw[:, 1])
        values = [one(y == c, raw[:, c]) for c in range(raw.shape[1]) if 0 < (y == c).sum() < len(y)]
        return float(np.mean(values)) if values else float("nan")
    if raw.shape[1] == 2:
        codes = (raw[:, 1] >= (0.5 if threshold is None else threshold)).astype(np.int64)
    else:
        codes = raw.argmax(axis=1)
    return from_confusion(metric, task_type, confusion(y, codes, raw.shape[1]))


def confusion(y: Array, codes: Array, n_classes: int) -> Array:
    """Counts of shape (n_classes, n_classes): rows are true, columns predicted classes."""
    return np.bincount(y * n_classes + codes, minlength=n_classes**2).reshape(n_classes, n_classes)


def from_confusion(metric: str, task_type: str, matrix: Array) -> float:
    """A metric of decided classes from the counts."""
    counts = matrix.astype(np.float64)
    right, true, said, n = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    if metric == "accuracy":
        return float(right.sum() / n)
    if metric == "mcc":
        square = (n * n - (said**2).sum()) * (n * n - (true**2).sum())
        return float((right.sum() * n - (said * true).sum()) / np.sqrt(square)) if square > 0 else 0.0
    present = true > 0
    recall = np.divide(right, true, out=np.zeros_like(right), where=present)
    if metric == "balanced_accuracy":
        return float(recall[present].mean())
    precision = np.divide(right, said, out=np.zeros_like(right), where=said > 0)
    both = true + said
    f1 = np.divide(2 * right, both, out=np.zeros_like(right), where=both > 0)
    values = {"recall": recall, "precision": precision, "f1": f1, "f1_macro": f1}[metric]
    if task_type == "binary" and metric != "f1_macro":
        return float(values[1])
    used = both > 0
    return float(values[used].mean())


def roc_auc(positive: Array, scores: Array) -> float:
    """Area under the ROC curve."""
    n_pos = int(positive.sum())
    n_neg = len(positive) - n_pos
    if not n_pos or not n_neg:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def average_precision(positive: Array, scores: Array) -> float:
    """Mean of the precision over the steps in recall."""
    n_pos = int(positive.sum())
    if not 0 < n_pos < len(positive):
        return float("nan")
    hits, flagged, _ = _at_cuts(positive, scores)
    gained = np.diff(np.concatenate([[0], hits])) / n_pos
    return float((gained * hits / flagged).sum())


def _at_cuts(positive: Array, scores: Array) -> tuple[Array, Array, Array]:
    """For each distinct score, from the highest: positives and rows from it on, and the score."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.concatenate([np.flatnonzero(np.diff(ordered)), [len(ordered) - 1]])
    return np.cumsum(positive[order])[ends].astype(np.float64), ends + 1.0, ordered[ends]


def choose_threshold(metric: str, y: Array, raw: Array) -> float | None:
    """From what probability a row had best be called positive, by (validation) rows of a binary task.

    For f1, mcc and balanced_accuracy the threshold with the best value. For recall the threshold with the best
    recall that calls at most a bounded share of the rows positive (twice the share of positives, at most half of the
    negatives too); for precision the best that calls at least half as many rows positive as there are positives.

    Parameters
    ----------
    metric : str
        The metric that decides.
    y : numpy.ndarray of shape (n,)
        0 or 1.
    raw : numpy.ndarray of shape (n, 2)
        Probabilities.

    Returns
    -------
    float or None
        None (0.5 then) for metrics that need no threshold, or if the rows have one class only.
    """
    positive = y == 1
    n, n_pos = len(y), int((y == 1).sum())
    if metric not in THRESHOLDED or not 0 < n_pos < n:
        return None
    hits, flagged, cuts = _at_cuts(positive, raw[:, 1])
    recall, precision, rate = hits / n_pos, hits / flagged, n_pos / n
    if metric == "recall":
        allowed = flagged <= n * min(2 * rate, (1 + rate) / 2)
        value = np.where(allowed, recall, -1.0)
    elif metric == "precision":
        value = np.where(flagged >= n_pos / 2, precision, -1.0)
    elif metric == "f1":
        value = 2 * hits / (flagged + n_pos)
    else:
        value = _at_every_cut(metric, n, n_pos, hits, flagged)
    if metric == "recall" and value.max() < 0:  # every score is the same: nothing can be called positive within bounds
        return min(1.0, float(np.nextafter(cuts[0], 2.0)))
    best = int(value.argmax()) if metric != "precision" else int(len(value) - 1 - value[::-1].argmax())
    below = cuts[best + 1] if best + 1 < len(cuts) else cuts[best]
    middle = float((cuts[best] + below) / 2)
    return middle if below < middle <= cuts[best] else float(cuts[best])


def _at_every_cut(metric: str, n: int, n_pos: int, hits: Array, flagged: Array) -> Array:
    n_neg = n - n_pos
    wrong, kept = flagged - hits, n_neg - (flagged - hits)
    if metric == "balanced_accuracy":
        return np.asarray((hits / n_pos + kept / n_neg) / 2)
    if metric == "f1_macro":
        return np.asarray(hits / (flagged + n_pos) + kept / (n - flagged + n_neg))
    square = flagged * (n - flagged) * n_pos * n_neg
    return np.asarray(np.where(square > 0, hits * kept - wrong * (n_pos - hits), 0.0) / np.sqrt(np.maximum(square, 1)))


def _mape(y: Array, raw: Array) -> float:
    if (y == 0).any():  # no error is a share of nothing
        return float("nan")
    return float(np.mean(np.abs(raw - y) / np.maximum(np.abs(y), np.finfo(np.float64).eps)))


def _r2(y: Array, raw: Array) -> float:
    if len(y) < 2 or np.ptp(y) == 0:  # not by the spread: the mean of equal values need not be equal to them
        return float("nan")
    return 1.0 - float(((y - raw) ** 2).sum()) / float(((y - y.mean()) ** 2).sum())


_REGRESSION: dict[str, Callable[[Array, Array], float]] = {
    "rmse": lambda y, raw: float(np.sqrt(np.mean((raw - y) ** 2))),
    "mae": lambda y, raw: float(np.mean(np.abs(raw - y))),
    "median_ae": lambda y, raw: float(np.median(np.abs(raw - y))),
    "mape": _mape,
    "r2": _r2,
}
