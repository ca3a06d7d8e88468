"""Columns that nearly tell the target alone: each is measured by a small tree on rows that the tree did not see, and
numbers for numbers by a straight line too."""

from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import accuracy_score, r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .metrics import roc_auc

#: A single column that reaches this is suspected: AUC, accuracy above the most frequent class, R².
SUSPICIOUS = {"binary": 0.985, "multiclass": 0.98, "regression": 0.985}
MEASURE = {"binary": "roc_auc", "multiclass": "accuracy_above_chance", "regression": "r2"}
#: Fewer rows with a target say nothing.
LEAST_ROWS = 50


def leakage_suspects(
    sample: pl.DataFrame, columns: dict[str, dict[str, Any]], target: str, task_type: str
) -> list[dict[str, Any]]:
    """Measure how well each column alone predicts the target, by two-fold cross-validation on the sample.

    Parameters
    ----------
    sample : polars.DataFrame
        Random rows.
    columns : dict
        What is known of each column, by name.
    target : str
        Column to predict.
    task_type : {"binary", "multiclass", "regression"}
        What kind of prediction it is.

    Returns
    -------
    list of dict
        ``column``, ``measure`` (``roc_auc``, ``accuracy_above_chance`` or ``r2``), ``score``, ``rows`` and
        ``missing_only`` (whether what tells is that the value is missing), best first.
    """
    if target not in sample.columns or columns[target]["kind"] in ("constant", "empty"):
        return []
    rows = int(np.clip(1_000_000 // max(1, sample.width), 500, 5_000))
    known = sample.filter(pl.col(target).is_not_null()).head(rows)
    y = _target(known.get_column(target), task_type)
    keep = np.isfinite(y)
    known, y = known.filter(pl.Series(keep)), y[keep]
    if len(y) < LEAST_ROWS:
        return []
    if task_type != "regression":
        codes, counts = np.unique(y, return_counts=True)
        frequent = codes[counts >= 10]
        inside = np.isin(y, frequent)
        if len(frequent) < 2 or (task_type == "binary" and len(codes) != 2):
            return []
        known, y = known.filter(pl.Series(inside)), y[inside]
    fold = np.random.default_rng(0).permutation(len(y)) % 2
    found = []
    for name, column in columns.items():
        if name == target or column["kind"] in ("constant", "empty", "id"):  # those are not used anyway
            continue
        series = known.get_column(name)
        score = _score(series, y, fold, task_type)
        if task_type == "regression" and score is not None:
            score = max(score, _line(series, y))
        if score is not None and score >= SUSPICIOUS[task_type]:
            gaps = None
            if series.null_count():
                gaps = _score(series.is_null().cast(pl.Float64), y, fold, task_type)
            found.append(
                {
                    "column": name,
                    "measure": MEASURE[task_type],
                    "score": score,
                    "rows": len(y),
                    "missing_only": gaps is not None and gaps >= SUSPICIOUS[task_type],
                }
            )
    return sorted(found, key=lambda suspect: -suspect["score"])


def _target(series: pl.Series, task_type: str) -> np.ndarray:
    if task_type == "regression":
        return series.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    texts = series.cast(pl.String)
    return np.unique(texts.to_numpy().astype(str), return_inverse=True)[1].astype(np.float64)


def _score(series: pl.Series, y: np.ndarray, fold: np.ndarray, task_type: str) -> float | None:
    """How well the column alone predicts rows of the fold that was not learned from; None if it cannot be said."""
    predicted = np.zeros(len(y))
    for part in (0, 1):
        learn = fold != part
        if len(np.unique(y[learn])) < 2:
            return None
        x = _numbers(series, y, learn)[:, None]
        if task_type == "regression":
            model = DecisionTreeRegressor(max_depth=8, min_samples_leaf=5, random_state=0)
        else:
            model = DecisionTreeClassifier(max_depth=8, min_samples_leaf=3, random_state=0)
        model.fit(x[learn], y[learn])
        if task_type == "binary":
            predicted[~learn] = model.predict_proba(x[~learn])[:, 1]
        else:
            predicted[~learn] = model.predict(x[~learn])
    if task_type == "regression":
        return float(r2_score(y, predicted))
    if task_type == "binary":
        return roc_auc(y == 1, predicted)
    chance = float(np.unique(y, return_counts=True)[1].max() / len(y))
    return (float(accuracy_score(y, predicted)) - chance) / (1 - chance) if chance < 1 else None


def _line(series: pl.Series, y: np.ndarray) -> float:
    """R² of the straight line through a column of numbers, which few rows tell better than a tree does."""
    if not series.dtype.is_numeric():
        return 0.0
    x = series.cast(pl.Float64).to_numpy().astype(np.float64)
    both = np.isfinite(x)
    if both.sum() < max(LEAST_ROWS, 0.8 * len(y)) or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return 0.0
    with np.errstate(all="ignore"):
        r = float(np.corrcoef(x[both], y[both])[0, 1])
    return r * r if np.isfinite(r) else 0.0


def _numbers(series: pl.Series, y: np.ndarray, learn: np.ndarray) -> np.ndarray:
    """The column as numbers, NaN where missing; texts by the mean target of the rows that are learned from."""
    dtype = series.dtype
    if dtype.is_numeric() or dtype == pl.Boolean:
        x = series.cast(pl.Float64).to_numpy().astype(np.float64)
    elif dtype.is_temporal():
        x = series.to_physical().cast(pl.Float64).to_numpy().astype(np.float64)
    else:
        texts = series.cast(pl.String).fill_null("\0")
        codes = np.unique(texts.to_numpy().astype(str), return_inverse=True)[1]
        counts = np.bincount(codes[learn], minlength=codes.max() + 1)
        sums = np.bincount(codes[learn], weights=y[learn], minlength=codes.max() + 1)
        x = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[codes]
        # Rows of categories that were not seen count as the mean, as in target encoding.
        x = np.where(np.isnan(x), y[learn].mean(), x)
    # Trees of scikit-learn work in float32.
    return np.where(np.isfinite(x), np.clip(x, -3e38, 3e38), np.nan)
