"""How much each column adds to single predictions: Shapley values (SHAP), by column of the raw data.

Boosters compute them exactly from their trees and linear models from their weights; for scikit-learn's forests, its
boosting and ensembles they are estimated by exchanging columns with those of other rows. So the ``shap`` package is
not needed, which would bring numba and LLVM along (195 MB installed). Whatever the way, contributions that do not add
up to what the model predicts are not handed out.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .inference import Model, encode

MAX_ROWS = 200
#: With more classes the values of so many are kept, those that columns move most: of 190 classes all of them would be
#: half a million numbers, which nobody can tell apart.
MAX_OUTPUTS = 20
#: Background rows to exchange columns with; each is used with an order of columns and with its reverse.
_BACKGROUND = 16
#: Rows, and cells, that an estimator is given at once.
_BATCH, _CELLS = 20_000, 10_000_000
_TOLERANCE = 1e-3

Margin = Callable[[np.ndarray], np.ndarray]


class NotExplained(ValueError):
    """Contributions cannot be had for this model; the message says why."""


def contributions(
    model: Model, frame: pd.DataFrame, *, max_rows: int = MAX_ROWS, seed: int = 0, seconds: float = 15.0
) -> dict[str, Any]:
    """Shapley values of the raw columns on rows of ``frame``.

    Parameters
    ----------
    model : Model
    frame : pandas.DataFrame
        Raw rows.
    max_rows : int, default=200
        So many rows, drawn at random, are explained at most.
    seed : int, default=0
    seconds : float, default=15
        How long an estimate may take; fewer background rows are used then.

    Returns
    -------
    dict
        ``method`` (``exact`` or ``sampled``) and ``background``, the number of rows that a sampled one rests on;
        ``unit``, what contributions are measured in; ``outputs``, class labels (the positive one in binary tasks) or
        None; ``of``, how many classes there are, where the outputs are only those of them that columns move most;
        ``base``, the value before any column, for each output; ``rows``, row numbers in ``frame``; and
        ``columns``, those that matter most first: ``name``, ``mean_abs`` (over rows, summed over all classes),
        ``by_output``, ``values`` (output by output, a number for each row) and ``place``: for each row the rank of
        the column's own value from 0 to 1, None where it is missing or the column has no order.

    Raises
    ------
    NotExplained
        If there are no columns, an estimate takes too long, or contributions do not add up to the predictions.
    """
    states = model.features["columns"]
    if not states or len(frame) == 0:
        raise NotExplained("the model uses no columns")
    rng = np.random.default_rng(seed)
    rows = np.arange(len(frame))
    if len(rows) > max_rows:
        rows = np.sort(rng.choice(len(rows), max_rows, replace=False))
    part = frame.iloc[rows].reset_index(drop=True)
    matrix = encode(part, model.features)
    ends = np.cumsum([len(state["names"]) for state in states])
    groups = [np.arange(end - len(state["names"]), end) for state, end in zip(states, ends, strict=True)]
    kind = model.spec["estimator"]["kind"]
    outputs, background = _outputs(model), 0
    exact = _linear(model, matrix) if kind == "skops" and hasattr(model.estimator, "coef_") else _booster(model, matrix)
    if exact is None:
        margin, unit = _margin(model)
        with threadpool_limits(1):  # threads cost more than they bring on so few rows
            values, base, background = _sampled(margin, matrix, groups, rng, seconds)
    else:
        unit = "value" if model.classes is None else "log-odds"
        features, base = exact
        values = np.stack([features[:, :, group].sum(axis=2) for group in groups], axis=2)
    _check(model, part, values, base, unit)
    strength = np.abs(values).mean(axis=0)  # by output and column
    order = np.argsort(-strength.sum(axis=0), kind="stable")
    kept = np.sort(np.argsort(-strength.sum(axis=1), kind="stable")[:MAX_OUTPUTS])
    some = {"of": len(strength)} if len(kept) < len(strength) else {}
    columns = [
        {
            "name": states[i]["name"],
            "mean_abs": float(strength[:, i].sum()),
            "by_output": strength[kept, i].tolist(),
            "values": values[:, kept, i].T.tolist(),
            "place": _places(matrix[:, groups[i]], states[i]),
        }
        for i in order
    ]
    return {
        "method": "exact" if exact is not None else "sampled",
        "background": background,
        "unit": unit,
        "outputs": None if outputs is None else [outputs[i] for i in kept],
        **some,
        "base": base[kept].tolist(),
        "rows": rows.tolist(),
        "columns": columns,
    }


def _outputs(model: Model) -> list[Any] | None:
    if model.classes is None:
        return None
    return [model.classes[1]] if len(model.classes) == 2 else list(model.classes)


def _booster(model: Model, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Values of shape (rows, outputs, features) and the base of each output; None for all but boosters."""
    kind, kept = model.spec["estimator"]["kind"], model.spec["estimator"].get("iterations")
    estimator: Any = model.estimator
    if kind == "lightgbm":
        raw = np.asarray(estimator.predict(matrix, pred_contrib=True, num_iteration=kept or -1))
        raw = raw.reshape(len(matrix), -1, matrix.shape[1] + 1)
    elif kind == "xgboost":
        import xgboost

        raw = np.asarray(estimator.predict(xgboost.DMatrix(matrix), pred_contribs=True, strict_shape=True))
    elif kind == "catboost":
        import catboost

        raw = np.asarray(estimator.get_feature_importance(catboost.Pool(matrix), type="ShapValues"))
        raw = raw if raw.ndim == 3 else raw[:, None, :]
    else:
        return None
    zero, one = model.spec["estimator"].get("units") or (0.0, 1.0)
    return raw[:, :, :-1].astype(np.float64) * one, raw[0, :, -1].astype(np.float64) * one + zero


def _linear(model: Model, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights = np.atleast_2d(model.estimator.coef_).astype(np.float64)
    centre = matrix.mean(axis=0, dtype=np.float64)
    base = np.atleast_1d(model.estimator.intercept_) + weights @ centre
    return (matrix - centre)[:, None, :] * weights[None], base


def _margin(model: Model) -> tuple[Margin, str]:
    """What is explained of a model of scikit-learn or of an ensemble, of shape (rows, outputs), and its unit."""
    estimator = model.estimator
    if model.classes is None:
        return lambda X: model.raw_of(np.ascontiguousarray(X)).reshape(-1, 1), "value"
    if model.spec["estimator"]["kind"] == "ensemble":
        start = 1 if len(model.classes) == 2 else 0
        return lambda X: model.raw_of(np.ascontiguousarray(X))[:, start:], "probability"
    complete = len(getattr(estimator, "classes_", ())) == len(model.classes)
    if complete and hasattr(estimator, "decision_function"):
        return lambda X: np.asarray(estimator.decision_function(X), dtype=np.float64).reshape(len(X), -1), "log-odds"
    if not complete:
        raise NotExplained("the training rows lacked a class")
    two = len(model.classes) == 2
    return lambda X: np.asarray(estimator.predict_proba(X)[:, 1:] if two else estimator.predict_proba(X)), "probability"


def _sampled(
    margin: Margin, matrix: np.ndarray, groups: list[np.ndarray], rng: np.random.Generator, seconds: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Estimates: columns are set from a background row's values to the row's own, one after the other.

    What the prediction changes by is what the column adds. With every background row an order of the columns and its
    reverse are gone through, the same for all rows, so that values add up to the prediction exactly.
    """
    start = time.monotonic()
    total, base, used = np.zeros(0), np.zeros(0), 0
    n, k = len(matrix), len(groups)
    walks = ((row, columns) for row in rng.permutation(n)[:_BACKGROUND] for columns in _there_and_back(k, rng))
    for row, columns in walks:
        if used and used % 2 == 0:
            spent = time.monotonic() - start
            if spent + 2 * spent / used > seconds:
                break
        out = _walk(margin, matrix, matrix[row], [groups[column] for column in columns], start + seconds)
        if out is None:
            break
        if not used:
            total, base = np.zeros((n, out.shape[2], k)), np.zeros(out.shape[2])
        total[:, :, columns] += np.moveaxis(np.diff(out, axis=0), 0, 2)
        base += out[0, 0]
        used += 1
    if used < 8 and k > 1 and used < 2 * min(n, _BACKGROUND):
        raise NotExplained(f"an estimate would take longer than {seconds:g} s")
    return total / used, base / used, used // 2


def _there_and_back(k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(k)
    return order, order[::-1]


def _walk(
    margin: Margin, matrix: np.ndarray, background: np.ndarray, blocks: list[np.ndarray], deadline: float
) -> np.ndarray | None:
    """What is predicted of all rows after each step, shape (steps + 1, rows, outputs); None if time is up before.

    As many steps are predicted at once as memory allows: of a wide table all of them would take gigabytes.
    """
    state = np.repeat(background[None, :], len(matrix), axis=0)
    at_once = max(1, min(_BATCH // len(matrix), _CELLS // state.size))
    waiting, found = [state.copy()], list[np.ndarray]()
    for step, block in enumerate(blocks, 1):
        state[:, block] = matrix[:, block]
        waiting.append(state.copy())
        if len(waiting) < at_once and step < len(blocks):
            continue
        found.append(margin(np.concatenate(waiting)))
        waiting = []
        if time.monotonic() > deadline:
            return None
    return np.concatenate(found).reshape(len(blocks) + 1, len(matrix), -1)


def _check(model: Model, part: pd.DataFrame, values: np.ndarray, base: np.ndarray, unit: str) -> None:
    """Contributions must add up to what the model says."""
    margin = values.sum(axis=2) + base
    said = model.raw(part)
    if unit == "log-odds":
        if margin.shape[1] == 1:
            ours = 0.5 * (1 + np.tanh(margin[:, 0] / 2))
        else:
            spread = np.exp(margin - margin.max(axis=1, keepdims=True))
            ours = spread / spread.sum(axis=1, keepdims=True)
    else:
        ours = margin[:, 0] if margin.shape[1] == 1 else margin
    theirs = said[:, 1] if said.ndim == 2 and said.shape[1] == 2 else said
    scale = 1.0 if said.ndim == 2 else float(np.abs(theirs).max()) or 1.0
    if ours.shape != theirs.shape or not np.abs(ours - theirs).max() <= _TOLERANCE * scale:
        raise NotExplained("contributions do not add up to the predictions")


def _places(block: np.ndarray, state: dict[str, Any]) -> list[float | None]:
    """Ranks of a column's values among the rows, from 0 to 1; None where there is no order, or no value."""
    if state["kind"] == "text" or (state["kind"] == "table" and block.shape[1] > 1):
        return [None] * len(block)
    ranks = pd.Series(block[:, 0]).rank(method="average").to_numpy()
    low, high = ranks.min(), ranks.max()
    places = (ranks - low) / (high - low) if high > low else np.full(len(ranks), 0.5)
    gone = block[:, -1] > 0 if state.get("indicator") else np.zeros(len(block), dtype=bool)
    return [None if missing else float(place) for place, missing in zip(places, gone, strict=True)]
