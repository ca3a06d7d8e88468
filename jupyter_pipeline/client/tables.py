"""The model as data frames."""

from typing import TYPE_CHECKING

from ..protocol.names import metric_name
from .model import Model

if TYPE_CHECKING:
    import pandas


def metrics(model: Model) -> "pandas.DataFrame":
    """All measured values, a row each."""
    import pandas

    with model.lock:
        rows = [
            (run.run_id, run.model_id, name, split, step, value)
            for run in model.runs.values()
            for (name, split), (steps, values) in run.series.items()
            for step, value in zip(steps, values, strict=True)
        ]
    frame = pandas.DataFrame(rows, columns=["run_id", "model", "name", "split", "step", "value"])
    return frame.astype({"step": "int64", "value": "float64"})


def leaderboard(model: Model) -> "pandas.DataFrame":
    """The runs, best first, indexed by rank; the name of the columns says what ``metric`` is."""
    import pandas

    with model.lock:
        board, metric = list(model.leaderboard), model.metric
    columns = ["run_id", "model", "metric", "runtime_s", "status", "params"]
    columns += ["reason"] if any(row.get("reason") for row in board) else []
    rows = [[row.get(column) for column in columns] for row in board]
    frame = pandas.DataFrame(rows, columns=columns).astype({"metric": "float64", "runtime_s": "float64"})
    frame.index = pandas.RangeIndex(1, len(frame) + 1, name="rank")
    frame.columns.name = f"{metric_name(metric)} (validation)" if metric else None
    return frame
