"""Baseline and linear models; the linear ones by L-BFGS, each of whose iterations is an epoch over all rows."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from .monitor import Monitor

#: Above so many cells the features stay in float32, to save memory.
_WIDE = 40_000_000


def fit_dummy(task_type: str, y: np.ndarray, monitor: Monitor) -> tuple[Any, int]:
    """The class shares, or the mean."""
    X = np.zeros((len(y), 1), dtype=np.float32)
    model = DummyRegressor() if task_type == "regression" else DummyClassifier(strategy="prior")
    model.fit(X, y)
    return model, 1


def fit_linear(
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """Logistic (softmax) or ridge regression.

    The objective is scikit-learn's (with ``C = 1 / l2``, or ``alpha = l2``) on standardised features, and the result
    is one of its estimators. Returned with the number of iterations that it is the result of.
    """
    mean, std = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    std[std < 1e-12] = 1.0
    kind = np.float64 if X.size <= _WIDE else np.float32
    Z = ((X - mean) / std).astype(kind)
    Zt, Zv = Z[monitor.train_rows], ((X_val[monitor.val_rows] - mean) / std).astype(kind)
    columns = 1 if n_classes <= 2 else n_classes
    n, p = Z.shape
    numbers = task_type == "regression"
    centre, spread = (float(y.mean()), float(y.std()) or 1.0) if numbers else (0.0, 1.0)
    target, every = ((y - centre) / spread)[:, None].astype(np.float64), np.arange(n)
    strength = float(params["l2"]) / n
    state: dict[str, Any] = {"best": None, "loss": np.inf, "gradient": np.nan, "last": None}

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        W = w.reshape(p + 1, columns)
        out = (Z @ W[1:].astype(kind)).astype(np.float64) + W[0]
        if numbers:
            diff = out - target
            value = 0.5 * float((diff**2).mean())
        elif columns == 1:
            value = float((np.logaddexp(0.0, out) - target * out).mean())
            diff = 0.5 * (1 + np.tanh(out / 2)) - target
        else:
            right = out[every, y]
            diff, logs = _shares(out)
            value = float((logs - right).mean())
            diff[every, y] -= 1.0
        gradient = np.empty_like(W)
        gradient[0] = diff.mean(axis=0)
        gradient[1:] = (Z.T @ diff.astype(kind)).astype(np.float64) / n + strength * W[1:]
        state["gradient"] = float(np.linalg.norm(gradient))
        return value + 0.5 * strength * float((W[1:] ** 2).sum()), gradient.ravel()

    def predicted(rows: np.ndarray, W: np.ndarray) -> np.ndarray:
        out = (rows @ W[1:].astype(kind)).astype(np.float64) + W[0]
        if numbers:
            return np.asarray(out[:, 0] * spread + centre)
        if columns == 1:
            positive = 0.5 * (1 + np.tanh(out[:, 0] / 2))
            return np.column_stack([1 - positive, positive])
        return _shares(out)[0]

    def after(w: np.ndarray) -> None:
        W = w.reshape(p + 1, columns)
        step = float(np.linalg.norm(w - state["last"])) if state["last"] is not None else float(np.linalg.norm(w))
        state["last"] = w.copy()
        before = monitor.best_iteration
        diagnostics = {
            "gradient_norm": state["gradient"],
            "coefficient_norm": float(np.linalg.norm(W[1:])),
            "step_norm": step,
        }
        scores = monitor.measure(predicted(Zt, W), predicted(Zv, W))
        go_on = monitor.step(monitor.last + 1, iterations, scores, diagnostics)
        if monitor.best_iteration != before:
            state["best"] = w.copy()
        if not go_on:
            raise StopIteration

    start = np.zeros((p + 1, columns))
    if not numbers and columns == 1:
        rate = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
        start[0] = np.log(rate / (1 - rate))
    options = {"maxiter": iterations, "ftol": 1e-10, "gtol": 1e-6}
    minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", callback=after, options=options)
    w = state["best"] if monitor.patience is not None and state["best"] is not None else state["last"]
    W = (start.ravel() if w is None else w).reshape(p + 1, columns)
    return _estimator(task_type, W, mean, std, centre, spread, monitor), max(1, monitor.kept)


def _shares(out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Softmax of each row, in place: of very many classes it is most of the work. And the logarithm of what it is
    divided by."""
    most = out.max(axis=1, keepdims=True)
    out -= most
    np.exp(out, out=out)
    total = out.sum(axis=1, keepdims=True)
    out /= total
    return out, (np.log(total) + most)[:, 0]


def _estimator(
    task_type: str, W: np.ndarray, mean: np.ndarray, std: np.ndarray, centre: float, spread: float, monitor: Monitor
) -> Any:
    coef = W[1:].T / std * spread
    intercept = W[0] * spread + centre - coef @ mean
    if task_type == "regression":
        model = Ridge()
        model.coef_, model.intercept_ = coef[0], float(intercept[0])
    else:
        model = LogisticRegression()
        model.classes_ = np.arange(max(2, W.shape[1]))
        model.coef_, model.intercept_ = coef, intercept
    model.n_features_in_ = coef.shape[1]
    model.n_iter_ = np.array([max(1, monitor.kept)])
    return model
