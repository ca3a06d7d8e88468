"""Whether a small time budget of a training is kept on tables where an iteration, or an evaluation, takes long.

Run: ``python benchmarks/small_budgets.py``. Tables of hundreds of classes, thousands of columns and many rows are made;
each is trained with the models that are proposed, and with all there are. Prints a table (the seconds are those from
the confirmation to the gate of TRAIN) and a JSON document.
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pipeline import Pipeline
from jupyter_pipeline.automl.models import MODELS

#: Rows, columns and classes (0 for a number) of each table, and its time budget in seconds.
TABLES: dict[str, tuple[int, int, int, float]] = {
    "190 classes": (20_000, 10, 190, 3.0),
    "190 classes, more time": (20_000, 10, 190, 10.0),
    "200 classes, few rows": (5_000, 10, 200, 3.0),
    "2,000 columns": (3_000, 2_000, 2, 5.0),
    "5,000 columns": (3_000, 5_000, 2, 5.0),
    "many rows": (200_000, 50, 2, 5.0),
    "many rows, a number": (200_000, 20, 0, 5.0),
}


def make(rows: int, columns: int, classes: int) -> pd.DataFrame:
    """Columns of numbers, one of many categories, and a target that depends on ten of the numbers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32).round(4)
    some = X[:, :10] @ rng.normal(size=(10, max(1, classes)))
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)])
    frame["city"] = [f"city {i}" for i in rng.integers(0, 500, rows)]
    if classes:
        frame["outcome"] = [f"class {i}" for i in (some + rng.gumbel(size=some.shape)).argmax(axis=1)]
    else:
        frame["outcome"] = some[:, 0] + rng.normal(size=rows)
    return frame


def train(frame: pd.DataFrame, budget: float, every: bool) -> dict[str, Any]:
    """Seconds of TRAIN, what was trained, and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "data.parquet")
        with Pipeline("bench", embedded=True, workspace=folder) as p:
            p.chat("Predict outcome from data.parquet.")
            p.run(until="MODEL_SELECT", confirm=True, quiet=True)
            models = [{"id": model, "params": {}} for model in MODELS] if every else p.plan["models"]
            p.update_plan(time_budget_s=budget, models=models)
            begun = time.perf_counter()
            p.run(until="TRAIN", confirm=True, quiet=True)
            seconds = time.perf_counter() - begun
            lines = [e["event"]["payload"] for e in p.events() if e["event"]["name"] == "LOG_LINE"]
            said = [line["text"] for line in lines if line["level"] == "warning"]
            board = p.leaderboard
    return {"seconds": seconds, "models": board["model"].tolist(), "said": said}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(TABLES), help=f"tables: {', '.join(TABLES)}")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = []
    print(f"{'table':<24} {'models':<9} {'budget s':>8} {'took s':>7}  trained, best first")
    for name in options.names:
        *shape, budget = TABLES[name]
        frame = make(*(int(n) for n in shape))
        for every in (False, True):
            found = train(frame, budget, every)
            results.append({"table": name, "every": every, "budget_s": budget, **found})
            which = "all" if every else "proposed"
            print(
                f"{name:<24} {which:<9} {budget:>8.0f} {found['seconds']:>7.1f}  {', '.join(found['models'])}",
                flush=True,
            )
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
