"""scikit-learn's real data with the columns that real tables have: categories, keys, texts, dates and gaps."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from jupyter_pipeline.automl.splitting import Split, split_rows
from jupyter_pipeline.automl.targets import Task, encode_target

COLUMNS = {
    "size": "numeric",
    "odd": "numeric",
    "shade": "numeric",
    "grade": "onehot",
    "level": "ordinal",
    "key": "target_encode",
    "note": "text",
    "seen": "datetime",
    "written": "datetime",
    "flag": "boolean",
    "answer": "boolean",
}
LOADERS = {
    "binary": datasets.load_breast_cancer,
    "multiclass": datasets.load_wine,
    "regression": datasets.load_diabetes,
}


def mixed(task_type: str) -> tuple[pd.DataFrame, pd.Series]:
    """Raw columns as in :data:`COLUMNS`, made of real measurements, and the target."""
    data: Any = LOADERS[task_type]()
    X, n = data.data, len(data.data)
    rng = np.random.default_rng(7)
    ranks = X.argsort(axis=0).argsort(axis=0) / n
    words = np.array(["calm", "bright", "uneven", "rough", "smooth", "pale", "dark"])
    at = (ranks[:, 4] * 6).astype(int)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.15, np.nan, X[:, 0]),
            "odd": np.where(rng.random(n) < 0.05, np.inf, X[:, 2] * 1e6),
            "shade": X[:, 3],
            "grade": pd.Series(np.array(["low", "mid", "high", "top"])[(ranks[:, 1] * 4).astype(int)], dtype=object),
            "level": (ranks[:, 3] * 11).astype(int),
            "key": [f"k{int(v * 60)}" for v in ranks[:, 2]],
            "note": [f"{words[i]} and {words[(i * 3 + 1) % 7]} no {rng.integers(99)}" for i in at],
            "seen": pd.Timestamp("2022-03-01") + pd.to_timedelta((ranks[:, 5] * 500).astype(int), unit="h"),
            "written": [f"{1 + int(v * 27):02d}/{1 + i % 12:02d}/2021" for i, v in enumerate(ranks[:, 6])],
            "flag": ranks[:, 0] > 0.4,
            "answer": np.where(ranks[:, 5] > 0.5, "yes", "no"),
        }
    )
    frame.loc[rng.random(n) < 0.1, "grade"] = None
    frame.loc[rng.random(n) < 0.1, "seen"] = pd.NaT
    frame.loc[rng.random(n) < 0.1, "note"] = None
    target = pd.Series(data.target, name="target")
    if task_type != "regression":
        target = pd.Series([str(data.target_names[i]) for i in data.target], name="target")
    return frame, target


def parts(task_type: str) -> tuple[pd.DataFrame, Task, np.ndarray, Split]:
    """The mixed table with its target as numbers, and split."""
    frame, target = mixed(task_type)
    task, y, known = encode_target(target, task_type, "target")
    return frame, task, y, split_rows(y, known, strategy="random" if task_type == "regression" else "stratified")
