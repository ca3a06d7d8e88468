"""Evaluate a run's saved model on validation (or test) rows: metrics, pictures, and the events that say so."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..automl import evaluation, figures
from ..automl.contributions import NotExplained, contributions
from ..automl.importance import permutation_importance
from ..automl.metrics import THRESHOLDED
from ..protocol.events import (
    ClassificationMetricsReady,
    ConfusionMatrixReady,
    FeatureImportanceReady,
    PrecisionRecallCurveReady,
    RegressionMetricsReady,
    ResidualsPlotReady,
    RocCurveReady,
    RunAsset,
    ShapExplanationsReady,
    Split,
)
from ..protocol.names import metric_words
from .base import StageContext
from .rows import write_json

#: Of each kind of picture: what it is called, the event that says where it is.
_KINDS: dict[str, tuple[str, type[RunAsset]]] = {
    "confusion_matrix": ("Confusion matrix", ConfusionMatrixReady),
    "roc_curve": ("ROC curve", RocCurveReady),
    "precision_recall_curve": ("Precision and recall", PrecisionRecallCurveReady),
    "residuals": ("Residuals", ResidualsPlotReady),
    "importance": ("Importance of columns", FeatureImportanceReady),
    "shap": ("What columns add to predictions (SHAP)", ShapExplanationsReady),
}


def draw_evaluation(
    folder: Path, task_type: str, classes: list[Any] | None, y: np.ndarray, raw: np.ndarray, threshold: float | None
) -> list[str]:
    """Write the pictures of an evaluation and their data as ``<kind>.png`` and ``<kind>.json``.

    Returns
    -------
    list of str
        The kinds that were drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[str] = []

    def add(kind: str, data: dict[str, Any], draw: Callable[[dict[str, Any], Path], Path]) -> None:
        write_json(folder / f"{kind}.json", data)
        draw(data, folder / f"{kind}.png")
        drawn.append(kind)

    if task_type == "regression" or classes is None:
        add("residuals", evaluation.residuals_data(y, raw), figures.draw_residuals)
        return drawn
    if len(classes) <= evaluation.MANY_CLASSES:
        add("confusion_matrix", evaluation.confusion_data(y, raw, classes, threshold), figures.draw_confusion)
    roc = evaluation.roc_data(y, raw, classes)
    if roc["curves"]:
        add("roc_curve", roc, figures.draw_roc)
        precision = evaluation.precision_recall_data(y, raw, classes)
        add("precision_recall_curve", precision, figures.draw_precision_recall)
    return drawn


def draw_importance(
    folder: Path,
    model: Any,
    frame: pd.DataFrame,
    y: np.ndarray,
    metric: str,
    threshold: float | None,
    *,
    seconds: float,
    matrix: np.ndarray | None = None,
    stop: Callable[[], bool] | None = None,
) -> list[str]:
    """Write permutation importances as ``importance.png`` and ``importance.json``; nothing if none was measured."""
    if model.task_type == "binary" and metric in THRESHOLDED and len(np.unique(y)) == 2:
        # From a threshold chosen for it a metric such as recall often stays the same, whatever is shuffled.
        metric = "roc_auc"
    found = permutation_importance(
        model,
        frame,
        y,
        metric,
        matrix=matrix,
        threshold=threshold,
        repeats=3,
        max_rows=1000,
        seconds=seconds,
        stop=stop,
    )
    if not found["columns"]:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "importance.json", _strict(found))
    figures.draw_importance(found, folder / "importance.png", metric=metric_words(found["metric"]))
    return ["importance"]


def draw_shap(ctx: StageContext, folder: Path, model: Any, frame: pd.DataFrame, *, seconds: float) -> list[str]:
    """Write Shapley values as ``shap.png`` and ``shap.json``; nothing, but a line in the log, if there are none."""
    try:
        found = contributions(model, frame, seconds=seconds)
    except NotExplained as reason:
        ctx.log(f"No SHAP values: {reason}.")
        return []
    except Exception as error:  # the model may come from code that the person edited
        ctx.log(f"No SHAP values: {type(error).__name__}: {error}", "warning")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "shap.json", _strict(found))
    figures.draw_contributions(found, folder / "shap.png")
    return ["shap"]


def announce_evaluation(ctx: StageContext, run_id: str, folder: Path, kinds: list[str], label: str) -> list[str]:
    """Make the pictures in ``folder`` assets of a run, and say so.

    Returns
    -------
    list of str
        Asset ids.
    """
    ids: list[str] = []
    for kind in kinds:
        name, event = _KINDS[kind]
        picture = ctx.asset(folder / f"{kind}.png", "figure", f"{name}, {label}", run_id=run_id)
        data = ctx.asset(folder / f"{kind}.json", "data", f"{name}, {label} (data)", run_id=run_id)
        ids += [picture.id, data.id]
        ctx.emit(event(run_id=run_id, asset_url=picture.url, data_url=data.url))
    return ids


def metrics_event(
    run_id: str, split: Split, task_type: str, metrics: dict[str, float | None]
) -> ClassificationMetricsReady | RegressionMetricsReady:
    """The event with a run's metrics."""
    kind = RegressionMetricsReady if task_type == "regression" else ClassificationMetricsReady
    known = {name: metrics.get(name) for name in kind.__struct_fields__ if name not in ("run_id", "split")}
    return kind(run_id=run_id, split=split, **known)


def _strict(value: Any) -> Any:
    """JSON without what is not finite."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
