"""Weighted ensembles: never worse on the rows they are chosen by, the same again, and the same when saved."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_pipeline.automl import metrics
from jupyter_pipeline.automl.contributions import contributions
from jupyter_pipeline.automl.ensembling import ROUNDS
from jupyter_pipeline.automl.inference import Model, PredictError, load_model
from jupyter_pipeline.automl.monitor import Step
from jupyter_pipeline.automl.training import FitError, FittedModel, combine, fit_model, prepare

from .tables import COLUMNS, parts
from .test_training import QUICK

KINDS = ("linear", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost")


def made_of(
    task_type: str, metric: str, kinds: tuple[str, ...] = KINDS, **more: Any
) -> tuple[FittedModel, list[FittedModel]]:
    """An ensemble, and what it could be made of."""
    frame, task, y, split = parts(task_type)
    X, X_val, y_train, y_val = frame.iloc[split.train], frame.iloc[split.val], y[split.train], y[split.val]
    rows = prepare(task, X, y_train, X_val, COLUMNS)
    single = [
        fit_model(kind, QUICK[kind], task, X, y_train, X_val, y_val, COLUMNS, metric, prepared=rows) for kind in kinds
    ]
    trained = [
        (one.model(), {"run_id": f"run-{n}", "model_id": one.model_id, "params": QUICK[one.model_id],
                       "iterations": one.iterations, "threads": 1})
        for n, one in enumerate(single)
    ]  # fmt: skip
    return combine(trained, task, y_train, y_val, metric, rows, **more), single


@pytest.mark.parametrize(
    ("task_type", "metric"),
    [("binary", "roc_auc"), ("binary", "recall"), ("multiclass", "log_loss"), ("regression", "mae")],
)
def test_it_is_no_worse_than_its_best_model_and_can_be_made_and_saved_again(
    task_type: str, metric: str, tmp_path: Path
) -> None:
    frame, task, y, split = parts(task_type)
    X_val, y_val = frame.iloc[split.val], y[split.val]
    steps: list[Step] = []
    fitted, single = made_of(task_type, metric, callback=lambda step: steps.append(step))
    assert [step.iteration for step in steps] == list(range(1, ROUNDS + 1))
    weights = [member["weight"] for member in fitted.params["members"]]
    assert sum(weights) == pytest.approx(1.0)
    assert all(weight > 0 for weight in weights)

    raw = fitted.model().raw(X_val)
    # Where a threshold decides, the loss is what the selection goes by.
    by = {"recall": "log_loss"}.get(metric, metric)
    scores = [metrics.score(by, task_type, y_val, one.model().raw(X_val)) for one in single]
    best = max(scores) if metrics.HIGHER_IS_BETTER[by] else min(scores)
    ours = metrics.score(by, task_type, y_val, raw)
    assert ours == pytest.approx(best, abs=1e-9) or metrics.better(by, ours, best)
    kept = steps[fitted.iterations - 1]
    assert kept.scores["loss", "val"] == pytest.approx(metrics.loss(task_type, y_val, raw), abs=1e-6)

    fitted.save(tmp_path / "model")
    model = load_model(tmp_path / "model")
    assert np.abs(model.raw(X_val) - raw).max() <= 1e-9
    if task.classes:
        assert raw.sum(axis=1) == pytest.approx(1.0)
    # JSON is how the parameters come back in a notebook.
    params = json.loads(json.dumps(fitted.params))
    y_train = y[split.train]
    again = fit_model(
        "ensemble", params, task, frame.iloc[split.train], y_train, X_val, y_val, COLUMNS, metric, iterations=1
    )
    assert np.abs(again.model().raw(X_val) - raw).max() <= 1e-9


def test_it_needs_what_its_members_need(tmp_path: Path) -> None:
    fitted, _ = made_of("multiclass", "log_loss")
    spec = fitted.save(tmp_path / "model")
    kinds = {member["kind"] for member in spec["estimator"]["members"]}
    for kind, package in (("lightgbm", "lightgbm"), ("catboost", "catboost")):
        assert (package in spec["requirements"]) == (kind in kinds)
    lost = tmp_path / "model" / spec["estimator"]["members"][0]["file"]
    lost.unlink()
    with pytest.raises(PredictError, match="not complete"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
def test_what_columns_add_is_found_for_it_too(task_type: str) -> None:
    frame, _, _, split = parts(task_type)
    fitted, _ = made_of(task_type, metrics.DEFAULT[task_type], ("linear", "lightgbm"))
    model: Model = fitted.model()
    few = frame.iloc[split.val][:20].reset_index(drop=True)
    found = contributions(model, few)
    assert found["method"] == "sampled"
    assert found["unit"] == ("value" if task_type == "regression" else "probability")
    total = np.array([column["values"] for column in found["columns"]]).sum(axis=0).T + np.array(found["base"])
    raw = model.raw(few)
    said = raw[:, None] if raw.ndim == 1 else raw[:, 1:] if raw.shape[1] == 2 else raw
    assert total == pytest.approx(said, abs=1e-6)


def test_it_ends_when_asked_and_without_members_there_is_none() -> None:
    frame, task, y, split = parts("binary")
    fitted, _ = made_of("binary", "roc_auc", callback=lambda step: step.iteration == 3)
    assert fitted.stopped == "asked"
    assert fitted.iterations <= 3
    with pytest.raises(FitError, match="no members"):
        fit_model(
            "ensemble", {}, task, frame.iloc[split.train], y[split.train], frame.iloc[split.val], y[split.val],
            COLUMNS, "roc_auc",
        )  # fmt: skip
