"""All metrics of predictions, and the numbers behind the pictures; computed by scikit-learn."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sk

from . import metrics as quick
from .inference import decide

#: With more classes than this confusions are not drawn, so many curves are kept, those of the weakest classes, and
#: areas are computed by :mod:`.metrics`, to the same values: scikit-learn checks the rows anew for each class.
MANY_CLASSES, _KEPT = 60, 20
#: Points of a curve that are kept for drawing.
_POINTS = 400


def evaluate(task_type: str, y: np.ndarray, raw: np.ndarray, threshold: float | None = None) -> dict[str, float | None]:
    """All metrics of a task.

    Parameters
    ----------
    task_type : {"binary", "multiclass", "regression"}
    y : numpy.ndarray of shape (n,)
        Class codes or values.
    raw : numpy.ndarray
        Probabilities of shape (n, n_classes), or values of shape (n,).
    threshold : float or None
        From what probability a row is positive (binary tasks); None for 0.5.

    Returns
    -------
    dict of str to float or None
        None where a metric is not defined on these rows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = _regression(y, raw) if task_type == "regression" else _classification(task_type, y, raw, threshold)
    return {name: float(v) if v is not None and math.isfinite(v) else None for name, v in values.items()}


def _regression(y: np.ndarray, raw: np.ndarray) -> dict[str, float | None]:
    return {
        "rmse": float(np.sqrt(sk.mean_squared_error(y, raw))),
        "mae": sk.mean_absolute_error(y, raw),
        "r2": sk.r2_score(y, raw) if len(y) > 1 and np.ptp(y) > 0 else None,
        "mape": sk.mean_absolute_percentage_error(y, raw) if (y != 0).all() else None,
        "median_ae": sk.median_absolute_error(y, raw),
    }


def _classification(task_type: str, y: np.ndarray, raw: np.ndarray, threshold: float | None) -> dict[str, float | None]:
    codes, n_classes = decide(raw, threshold), raw.shape[1]
    binary = task_type == "binary"
    average = "binary" if binary else "macro"
    values: dict[str, float | None] = {
        "accuracy": sk.accuracy_score(y, codes),
        "balanced_accuracy": sk.balanced_accuracy_score(y, codes),
        "precision": sk.precision_score(y, codes, average=average, zero_division=0),
        "recall": _recall(y, codes, average),
        "f1": sk.f1_score(y, codes, average=average, zero_division=0),
        "f1_macro": sk.f1_score(y, codes, average="macro", zero_division=0),
        "mcc": sk.matthews_corrcoef(y, codes),
        "log_loss": sk.log_loss(y, raw, labels=np.arange(n_classes)),
    }
    for name in ("roc_auc", "average_precision"):
        values[name] = _ranking(name, y, raw)
    hot = np.eye(n_classes)[y]
    total = float(((raw - hot) ** 2).sum(axis=1).mean())
    values["brier"] = total / 2 if binary else total
    return values


def _recall(y: np.ndarray, codes: np.ndarray, average: str) -> float:
    return float(sk.recall_score(y, codes, average=average, zero_division=0))


def _ranking(name: str, y: np.ndarray, raw: np.ndarray) -> float | None:
    """Area under a curve; of several classes the mean of each against the rest, of those that the rows have."""
    if raw.shape[1] > MANY_CLASSES:
        return quick.score(name, "multiclass", y, raw)
    function = sk.roc_auc_score if name == "roc_auc" else sk.average_precision_score
    if raw.shape[1] == 2:
        both = 0 < int((y == 1).sum()) < len(y)
        return float(function(y == 1, raw[:, 1])) if both else None
    found = [function(y == c, raw[:, c]) for c in range(raw.shape[1]) if 0 < int((y == c).sum()) < len(y)]
    return float(np.mean(found)) if found else None


def confusion_data(y: np.ndarray, raw: np.ndarray, classes: list[Any], threshold: float | None) -> dict[str, Any]:
    """The confusion matrix: ``matrix[i][j]`` rows of class i were called class j."""
    codes = decide(raw, threshold)
    matrix = sk.confusion_matrix(y, codes, labels=np.arange(len(classes)))
    return {"classes": classes, "matrix": matrix.tolist(), "threshold": threshold}


def _weakest(
    y: np.ndarray, raw: np.ndarray, area: Callable[[np.ndarray, np.ndarray], float]
) -> tuple[list[int], dict[str, int]]:
    """Classes whose curves are kept, of those that the rows have, and how many these are if that is not all."""
    if raw.shape[1] == 2:
        return [1] if 0 < int((y == 1).sum()) < len(y) else [], {}
    counts = np.bincount(y, minlength=raw.shape[1])
    present = [int(code) for code in np.flatnonzero((counts > 0) & (counts < len(y)))]
    if len(present) <= MANY_CLASSES:
        return present, {}
    areas = {code: area(y == code, raw[:, code]) for code in present}
    return sorted(sorted(present, key=areas.__getitem__)[:_KEPT]), {"of": len(present)}


def roc_data(y: np.ndarray, raw: np.ndarray, classes: list[Any]) -> dict[str, Any]:
    """ROC curves: of the positive class, or of each class against the rest; of many classes of the weakest."""
    curves = []
    codes, many = _weakest(y, raw, quick.roc_auc)
    for code in codes:
        positive = y == code
        fpr, tpr, cuts = sk.roc_curve(positive, raw[:, code])
        keep = _thin(len(fpr))
        curves.append(
            {
                "class": classes[code],
                "auc": float(sk.roc_auc_score(positive, raw[:, code])),
                "fpr": fpr[keep].tolist(),
                "tpr": tpr[keep].tolist(),
                "threshold": [float(c) if math.isfinite(c) else None for c in cuts[keep]],
            }
        )
    return {"curves": curves, **many}


def precision_recall_data(y: np.ndarray, raw: np.ndarray, classes: list[Any]) -> dict[str, Any]:
    """Precision over recall: of the positive class, or of each class against the rest; of many of the weakest."""
    curves = []
    codes, many = _weakest(y, raw, quick.average_precision)
    for code in codes:
        positive = y == code
        precision, recall, cuts = sk.precision_recall_curve(positive, raw[:, code])
        keep = _thin(len(precision))
        curves.append(
            {
                "class": classes[code],
                "average_precision": float(sk.average_precision_score(positive, raw[:, code])),
                "share": float(positive.mean()),
                "precision": precision[keep].tolist(),
                "recall": recall[keep].tolist(),
                "threshold": [float(cuts[i]) if i < len(cuts) else None for i in keep],
            }
        )
    return {"curves": curves, **many}


def residuals_data(y: np.ndarray, raw: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Predictions and residuals (true minus predicted) of at most 2000 rows, and the spread over all rows."""
    rows = np.arange(len(y))
    if len(rows) > 2000:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), 2000, replace=False))
    residuals = y - raw
    counts, edges = np.histogram(residuals, bins=min(40, max(5, int(np.sqrt(len(y))))))
    return {
        "true": y[rows].tolist(),
        "predicted": raw[rows].tolist(),
        "residual": residuals[rows].tolist(),
        "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
        "n_rows": len(y),
    }


def _thin(n: int) -> np.ndarray:
    return np.arange(n) if n <= _POINTS else np.unique(np.linspace(0, n - 1, _POINTS).round().astype(int))
