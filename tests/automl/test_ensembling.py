"""Weighted ensembles: better than one selection on rows they were not chosen by, the same again and when saved."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_pipeline.automl import metrics
from jupyter_pipeline.automl.contributions import contributions
from jupyter_pipeline.automl.ensembling import (
    BAGS,
    LEAST,
    Candidate,
    Selection,
    _cost,
    _greedy,
    select,
)
from jupyter_pipeline.automl.inference import Model, PredictError, load_model
from jupyter_pipeline.automl.monitor import Monitor, Step
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
def test_it_can_be_made_and_saved_again(task_type: str, metric: str, tmp_path: Path) -> None:
    frame, task, y, split = parts(task_type)
    X_val, y_val = frame.iloc[split.val], y[split.val]
    steps: list[Step] = []
    fitted, single = made_of(task_type, metric, callback=lambda step: steps.append(step))
    assert [step.iteration for step in steps] == list(range(1, BAGS + 1))
    weights = [member["weight"] for member in fitted.params["members"]]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= LEAST * max(weights)

    raw = fitted.model().raw(X_val)
    # Where a threshold decides, the loss is what the selection goes by.
    by = {"recall": "log_loss"}.get(metric, metric)
    scores = [metrics.score(by, task_type, y_val, one.model().raw(X_val)) for one in single]
    ours = metrics.score(by, task_type, y_val, raw)
    assert metrics.better(by, ours, float(np.median(scores)))
    kept = steps[fitted.iterations - 1]
    assert kept.scores["loss", "val"] == pytest.approx(metrics.loss(task_type, y_val, raw), abs=1e-6)
    assert fitted.out_of_bag is not None

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


@pytest.mark.parametrize("links", [True, False])
def test_files_of_its_members_are_taken_over(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As links to them or, on a disk that has none, as copies; the model is the same, also without its members."""
    frame, _, _, split = parts("binary")
    X_val = frame.iloc[split.val]
    fitted, models = made_of("binary", "log_loss")
    fitted.save(tmp_path / "anew")
    saved = {}
    for model in models:
        spec = model.save(tmp_path / model.model_id)
        saved[model.model_id] = tmp_path / model.model_id / spec["estimator"]["file"]
    if not links:

        def none(*_: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", none)
    written = [saved[member["model_id"]] for member in fitted.params["members"]]
    spec = fitted.save(tmp_path / "model", written=written)
    assert spec == json.loads((tmp_path / "anew" / "model.json").read_text("utf-8"))
    for member, file in zip(spec["estimator"]["members"], written, strict=True):
        assert (tmp_path / "model" / member["file"]).samefile(file) == links
        assert (tmp_path / "model" / member["file"]).read_bytes() == file.read_bytes()
        file.unlink()
    assert (load_model(tmp_path / "model").raw(X_val) == load_model(tmp_path / "anew").raw(X_val)).all()


def chosen(task_type: str, metric: str, y: np.ndarray, raws: list[np.ndarray], seed: int) -> Selection:
    """What is selected of models with these predictions."""
    made = [
        Candidate(f"run-{n}", "linear", {}, 1, 1, "skops", None, None, None, raw, raw) for n, raw in enumerate(raws)
    ]
    return select(made, task_type, metric, Monitor(task_type, metric, y, y), seed)


@pytest.mark.parametrize(("task_type", "metric"), [("binary", "roc_auc"), ("multiclass", "roc_auc")])
def test_of_models_that_know_nothing_the_rows_out_of_bag_tell_so(task_type: str, metric: str) -> None:
    """Weights make chance look like skill on the rows that they are chosen by."""
    n_classes, rng = {"binary": 2, "multiclass": 3}[task_type], np.random.default_rng(0)
    own, out_of_bag = [], []
    for seed in range(10):
        y = rng.integers(0, n_classes, 60)
        raws = [rng.dirichlet(np.ones(n_classes), 60) for _ in range(12)]
        found = chosen(task_type, metric, y, raws, seed)
        own.append(metrics.score(metric, task_type, y, np.tensordot(found.weights, raws, axes=1)))
        assert found.out_of_bag is not None
        out_of_bag.append(found.out_of_bag)
    assert np.mean(own) > 0.57
    assert 0.42 < np.mean(out_of_bag) < 0.53
    assert found == chosen(task_type, metric, y, raws, seed)


def test_rows_out_of_bag_are_all_rows_or_nothing_is_told_of_them() -> None:
    """Where time ends the selection after few samples, the rows in none of them are easier or harder than all are."""
    rng = np.random.default_rng(3)
    y = np.exp(rng.normal(size=2_000) * 2)
    raws = [y + rng.normal(size=len(y)) for _ in range(4)]
    for bags in (1, 3, 8, BAGS):
        monitor = Monitor("regression", "rmse", y, y, callback=lambda step, last=bags: step.iteration >= last)
        made = [
            Candidate(f"run-{n}", "linear", {}, 1, 1, "skops", None, None, None, raw, raw) for n, raw in enumerate(raws)
        ]
        found = select(made, "regression", "rmse", monitor, 0)
        assert found.bags == bags
        own = metrics.score("rmse", "regression", y, np.tensordot(found.weights, raws, axes=1))
        assert (found.out_of_bag is None) == (bags < 8)
        assert found.out_of_bag is None or found.out_of_bag == pytest.approx(own, rel=0.02)


def test_weights_of_few_rows_serve_other_rows_better_than_one_selection_on_all_of_them() -> None:
    rng = np.random.default_rng(0)
    ours, once, said = [], [], []
    for seed in range(20):
        y = rng.normal(size=2_040)
        shared = rng.normal(size=2_040)  # models of the same rows err alike
        raws = [y + 0.5 * shared + spread * rng.normal(size=2_040) for spread in np.linspace(0.5, 0.8, 10)]
        few = [raw[:40] for raw in raws]
        found = chosen("regression", "rmse", y[:40], few, seed)
        by_once = _greedy(few, _cost("regression", "rmse", y[:40]))
        for errors, weights in ((ours, found.weights), (once, by_once)):
            errors.append(metrics.loss("regression", y[40:], np.tensordot(weights, raws, axes=1)[40:]))
        assert found.out_of_bag is not None
        said.append(found.out_of_bag)
    assert np.mean(ours) < 0.99 * np.mean(once)
    # What is told of it is what it comes to on other rows.
    assert np.mean(said) == pytest.approx(np.mean(ours), rel=0.05)


def test_a_single_row_and_a_class_that_samples_lack_are_no_obstacle() -> None:
    raws = [np.array([[0.4, 0.6]]), np.array([[0.2, 0.8]])]
    found = chosen("binary", "roc_auc", np.array([1]), raws, 0)
    assert found == Selection([1.0, 0.0], BAGS, None)
    y, rng = np.array([1] + [0] * 39), np.random.default_rng(0)
    raws = [rng.dirichlet([1, 1], 40) for _ in range(4)]
    found = chosen("binary", "roc_auc", y, raws, 0)
    assert sum(found.weights) == pytest.approx(1.0)
    assert found.out_of_bag is not None


def test_it_comes_to_the_same_again_and_needs_what_its_members_need(tmp_path: Path) -> None:
    fitted, _ = made_of("multiclass", "log_loss")
    assert made_of("multiclass", "log_loss")[0].params == fitted.params
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
