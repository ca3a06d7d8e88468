"""Which input columns a model relies on: how much worse it predicts when a column's values are shuffled."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .inference import Model
from .metrics import HIGHER_IS_BETTER, score


def _groups(model: Model) -> dict[str, slice]:
    """Where each column's features are in a matrix."""
    ends = np.cumsum([0, *(len(state["names"]) for state in model.features["columns"])])
    return {
        state["name"]: slice(int(start), int(end))
        for state, start, end in zip(model.features["columns"], ends, ends[1:], strict=False)
    }


def permutation_importance(
    model: Model,
    frame: pd.DataFrame,
    y: np.ndarray,
    metric: str,
    *,
    matrix: np.ndarray | None = None,
    threshold: float | None = None,
    repeats: int = 3,
    max_rows: int = 2000,
    seed: int = 0,
    seconds: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Permutation importance of raw columns, measured on rows that the model was not fitted on.

    Parameters
    ----------
    model : Model
    frame : pandas.DataFrame
        Raw rows.
    y : numpy.ndarray
        Class codes or values.
    metric : str
        What is measured.
    matrix : numpy.ndarray or None
        All of the rows as the model takes them, where they are there already: thousands of columns take a second.
    threshold : float or None
        For metrics of decided classes in binary tasks.
    repeats : int, default=3
        Shuffles of each column.
    max_rows : int, default=2000
        So many rows are used at most.
    seed : int, default=0
    seconds : float or None
        After so long the rest of the columns is left out (and said to be).
    stop : callable or None
        Asked before each column; True ends.

    Returns
    -------
    dict
        ``metric``, ``baseline``, ``n_rows``, ``skipped`` columns, and ``columns``, most important first: name, mean
        and standard deviation of the loss in the metric (positive where the column helps).
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(len(y))
    if len(rows) > max_rows:
        rows = np.sort(rng.choice(len(rows), max_rows, replace=False))
    names = [column["name"] for column in model.columns]
    truth = y[rows]
    sign = 1.0 if HIGHER_IS_BETTER[metric] else -1.0
    start = time.monotonic()
    matrix = model.matrix(frame.iloc[rows]) if matrix is None else matrix[rows]
    groups = _groups(model)
    encoded = time.monotonic()
    baseline = score(metric, model.task_type, truth, model.raw_of(matrix), threshold)
    each = repeats * (time.monotonic() - encoded)
    found: list[dict[str, Any]] = []
    skipped: list[str] = []
    for name in names:
        begun = time.monotonic()
        if (seconds is not None and begun - start + each > seconds) or (stop is not None and stop()):
            skipped.append(name)
            continue
        # A column is encoded row by row, so its features are shuffled as it would be; all repeats in one prediction.
        block, many = groups[name], np.tile(matrix, (repeats, 1))
        for i in range(repeats):
            many[i * len(rows) : (i + 1) * len(rows), block] = matrix[rng.permutation(len(rows)), block]
        parts = np.split(model.raw_of(many), repeats)
        drops = [sign * (baseline - score(metric, model.task_type, truth, raw, threshold)) for raw in parts]
        each = time.monotonic() - begun
        found.append({"name": name, "mean": float(np.mean(drops)), "std": float(np.std(drops))})
    found.sort(key=lambda row: -row["mean"] if np.isfinite(row["mean"]) else np.inf)
    return {"metric": metric, "baseline": baseline, "n_rows": len(rows), "columns": found, "skipped": skipped}
