"""scikit-learn's forests, grown batch by batch of trees, and its histogram gradient boosting, by batches of iterations.

Both grow by ``warm_start``, which gives the same trees as one fit of that many.
"""

import hashlib
import time
from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from .inference import predict_matrix
from .monitor import Monitor
from .saving import MANY_CLASSES, stored_trees

_FORESTS = {
    ("random_forest", True): RandomForestRegressor,
    ("random_forest", False): RandomForestClassifier,
    ("extra_trees", True): ExtraTreesRegressor,
    ("extra_trees", False): ExtraTreesClassifier,
}
#: Each tree of a forest is grown on so many rows at most.
_TREE_ROWS = 200_000
#: Of many classes a fit with a deadline ends when the leaves hold so many numbers.
_MOST_NUMBERS = 1 << 27


def fit_forest(
    model_id: str,
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    threads: int,
    seed: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """Grow a forest; ``iterations`` counts trees."""
    numbers, n = task_type == "regression", len(y)
    options: dict[str, Any] = {
        "max_depth": params.get("max_depth"),
        "min_samples_leaf": params.get("min_samples_leaf") or max(1, n // 40_000),
        "max_features": params.get("max_features") or (0.4 if numbers else "sqrt"),
    }
    bootstrap = model_id == "random_forest" or n > _TREE_ROWS
    forest = _FORESTS[model_id, numbers](
        n_estimators=1,
        warm_start=True,
        bootstrap=bootstrap,
        max_samples=_TREE_ROWS if n > _TREE_ROWS else None,
        n_jobs=threads,
        random_state=seed,
        **options,
    )
    rows = X[monitor.train_rows], X_val[monitor.val_rows]
    sums = [np.zeros(len(part)) if numbers else np.zeros((len(part), n_classes)) for part in rows]
    done, size, most, each = 0, max(1, threads), 10 if n <= 100_000 else 2 * threads, 0.0
    tried = 0
    while done < iterations:
        count = min(iterations, done + monitor.affordable(size))
        size = min(most, max(size + 1, int(size * 1.5)))  # small batches at first, so that the first score comes soon
        forest.set_params(n_estimators=count)
        forest.fit(X, y)
        known = slice(None) if numbers or len(forest.classes_) == n_classes else forest.classes_  # a slice is quicker
        for tree in forest.estimators_[done:count]:
            for total, part in zip(sums, rows, strict=True):
                if numbers:
                    total += tree.predict(part)
                else:
                    total[:, known] += tree.predict_proba(part)
        done = count
        if monitor.deadline is not None:
            if done >= 2 * tried:  # again now and then: others on the machine may have become busier
                few = forest.estimators_[-min(done, max(1, threads)) :]
                each, tried = max(each, _handling_s(few) / len(few)), done
            monitor.ahead = each * done
            if n_classes > MANY_CLASSES:
                numbers_held = n_classes * sum(tree.tree_.node_count for tree in forest.estimators_)
                iterations = min(iterations, max(done, done * _MOST_NUMBERS // numbers_held))
        scores = monitor.measure(sums[0] / done, sums[1] / done)
        if not monitor.step(done, iterations, scores):
            break
    forest.set_params(warm_start=False)
    return forest, done


def _handling_s(trees: list[Any]) -> float:
    """Seconds to write trees and to take their fingerprint: with many rows or classes as long as to grow them.

    Tried, since it depends on the machine and on what others do on it.
    """
    import skops.io

    begun = time.monotonic()
    hashlib.sha256(skops.io.dumps(stored_trees(trees))).hexdigest()
    return time.monotonic() - begun


def fit_histogram(
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    seed: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """Histogram gradient boosting; the model keeps the iterations up to the best one."""
    kind = HistGradientBoostingRegressor if task_type == "regression" else HistGradientBoostingClassifier
    model = kind(
        learning_rate=params["learning_rate"],
        max_iter=1,
        max_leaf_nodes=params["max_leaf_nodes"],
        max_depth=params.get("max_depth"),
        min_samples_leaf=params.get("min_samples_leaf") or min(20, max(2, len(y) // 40)),
        l2_regularization=params["l2"],
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )
    rows = X[monitor.train_rows], X_val[monitor.val_rows]
    # A model that is made again ends at no other iteration than the last, so few looks at it are enough.
    fifth = -(-iterations // 5) if monitor.patience is None else 0
    count = 0
    while count < iterations:
        # By about a quarter more each time: every warm start predicts all rows again.
        count = min(iterations, count + monitor.affordable(fifth or min(40, max(1, count // 4))))
        model.set_params(max_iter=count)
        model.fit(X, y)
        raw = [predict_matrix("skops", model, part, task_type, n_classes, None) for part in rows]
        if not monitor.step(count, iterations, monitor.measure(raw[0], raw[1])):
            break
    kept = monitor.kept
    if kept < monitor.last:  # a fit of so many iterations has the same trees, and would take as long again
        del model._predictors[kept:]
        model.set_params(max_iter=kept)
    model.set_params(warm_start=False)
    return model, kept
