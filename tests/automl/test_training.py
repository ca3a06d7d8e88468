"""Models: real scores after every iteration, the same model again, and saved models that say the same."""

import itertools
import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression, Ridge

from jupyter_pipeline.automl import fit_trees, metrics
from jupyter_pipeline.automl import monitor as monitor_module
from jupyter_pipeline.automl.contributions import contributions
from jupyter_pipeline.automl.inference import load_model
from jupyter_pipeline.automl.models import ENSEMBLE, MODELS, ParameterError, check_params
from jupyter_pipeline.automl.monitor import Step
from jupyter_pipeline.automl.targets import Task
from jupyter_pipeline.automl.training import FitError, FittedModel, fit_model, prepare
from jupyter_pipeline.protocol.jobs import Predict
from jupyter_pipeline.workers.work import predict

from .tables import COLUMNS, parts

QUICK = {"random_forest": {"n_estimators": 30}, "extra_trees": {"n_estimators": 30}}
QUICK |= {name: {"max_iter": 40} for name in ("linear", "hist_gradient_boosting")}
QUICK |= {name: {"n_estimators": 40} for name in ("lightgbm", "xgboost", "catboost")}
#: Those that are fitted on rows; the ensemble is made of them.
FITTED = [m for m in MODELS if m != ENSEMBLE]


def fit(model_id: str, task_type: str, params: dict[str, Any] | None = None, **more: Any) -> FittedModel:
    frame, task, y, split = parts(task_type)
    given = QUICK.get(model_id, {}) if params is None else params
    metric = more.pop("metric", metrics.DEFAULT[task_type])
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    return fit_model(model_id, given, task, X, y[split.train], X_val, y[split.val], COLUMNS, metric, **more)


@pytest.mark.parametrize("model_id", FITTED[1:])
def test_settings_that_are_tried_first_are_among_those_that_are_searched(model_id: str) -> None:
    info = MODELS[model_id]
    searched = {name: p for name, p in info.parameters.items() if p.searched}
    assert info.portfolio
    for setting in info.portfolio:
        assert set(setting) == set(searched)
        assert check_params(model_id, setting) == setting
        for name, value in setting.items():
            assert (searched[name].search_low or 0) <= value <= (searched[name].search_high or 0)


def test_a_model_that_was_trained_anew_in_the_same_place_predicts_at_once(tmp_path: Path) -> None:
    frame, _, _, split = parts("regression")
    rows = msgspec.Raw(frame.iloc[split.val][:5].to_json(orient="records", date_format="iso").encode())
    for n in (3, 30):
        shutil.rmtree(tmp_path / "model", ignore_errors=True)
        fitted = fit("random_forest", "regression", {"n_estimators": n})
        fitted.save(tmp_path / "model")
        request = Predict(request_id="r", model_dir=str(tmp_path / "model"), threshold=None, rows=rows)
        result = predict(request).result
        assert result is not None
        assert result["predictions"] == pytest.approx(fitted.model().raw(frame.iloc[split.val][:5]).ravel().tolist())


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("model_id", FITTED)
def test_scores_are_measured_and_the_saved_model_says_the_same(model_id: str, task_type: str, tmp_path: Path) -> None:
    frame, task, y, split = parts(task_type)
    steps: list[Step] = []
    fitted = fit(model_id, task_type, callback=lambda step: steps.append(step))
    assert all(a.iteration < b.iteration for a, b in itertools.pairwise(steps))
    assert steps[-1].iteration <= steps[-1].iterations
    fitted.save(tmp_path / "model")
    model = load_model(tmp_path / "model")
    X_val, y_val = frame.iloc[split.val], y[split.val]
    raw = model.raw(X_val)
    assert (raw == fitted.model().raw(X_val)).all(), "a training measures it as it is, and never loads it"
    if task.classes:
        assert raw.shape == (len(X_val), len(task.classes))
        assert raw.sum(axis=1) == pytest.approx(1.0)
    kept = next(step for step in steps if step.iteration == fitted.iterations)
    metric = metrics.DEFAULT[task_type]
    assert kept.scores["loss", "val"] == pytest.approx(metrics.loss(task_type, y_val, raw), abs=1e-6)
    assert kept.scores[metric, "val"] == pytest.approx(metrics.score(metric, task_type, y_val, raw), abs=1e-6)
    assert ("loss", "train") in kept.scores
    again = fit(model_id, task_type, iterations=fitted.iterations)
    assert again.iterations == fitted.iterations
    assert np.abs(again.model().raw(X_val) - raw).max() <= 1e-9
    baseline = np.unique(raw, axis=0)
    assert len(baseline) == 1 if model_id == "dummy" else len(baseline) > 10


@pytest.mark.parametrize("model_id", FITTED[1:])
def test_a_fit_ends_when_asked_and_at_its_deadline(model_id: str) -> None:
    seen: list[Step] = []

    def stop_at_second(step: Step) -> bool:
        seen.append(step)
        return len(seen) == 2

    fitted = fit(model_id, "binary", callback=stop_at_second)
    assert len(seen) == 2
    assert fitted.stopped == "asked"
    assert fitted.iterations <= seen[-1].iteration
    late = fit(model_id, "binary", deadline=time.monotonic())
    assert late.stopped == "deadline"


@pytest.mark.parametrize("model_id", FITTED[1:])
@pytest.mark.parametrize(("zero", "one"), [(1.7e9, 1 / 64), (0.0, 2.0**-40), (0.0, 2.0**100)])
def test_a_regression_is_as_good_whatever_the_units_of_its_target(
    model_id: str, zero: float, one: float, tmp_path: Path
) -> None:
    """Seconds since 1970, metres as parsecs: float32, and differences of squares, lose what there is to learn."""
    frame, task, y, split = parts("regression")
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    found: list[tuple[float, float]] = []
    for target in (y, y * one + zero):
        steps: list[Step] = []
        given = task, X, target[split.train], X_val, target[split.val], COLUMNS, "mae"
        fitted = fit_model(model_id, QUICK[model_id], *given, callback=lambda step, seen=steps: seen.append(step))
        fitted.save(tmp_path / "model")
        raw = load_model(tmp_path / "model").raw(X_val)
        assert (raw == fitted.model().raw(X_val)).all()
        error = metrics.score("mae", "regression", target[split.val], raw)
        shown = next(step for step in steps if step.iteration == fitted.iterations)
        assert shown.scores["mae", "val"] == pytest.approx(error, rel=1e-5)
        again = fit_model(model_id, QUICK[model_id], *given, iterations=fitted.iterations)
        assert np.abs(again.model().raw(X_val) - raw).max() <= 1e-9 * np.abs(raw).max()
        mean = np.full(len(X_val), target[split.train].mean())
        found.append((error, metrics.score("mae", "regression", target[split.val], mean)))
    (plain, base), (moved, moved_base) = found
    assert plain < 0.8 * base
    assert moved / moved_base == pytest.approx(plain / base, rel=0.03)
    explained = contributions(load_model(tmp_path / "model"), X_val, max_rows=20, seconds=60)
    assert explained["unit"] == "value"


def test_a_fit_goes_on_by_as_many_iterations_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that would end after the deadline is a smaller one, so that little is lost and little overdone."""
    now = [100.0]
    monkeypatch.setattr(monitor_module.time, "monotonic", lambda: now[0])
    y = np.arange(4.0)
    monitor = monitor_module.Monitor("regression", "rmse", y, y, deadline=110.0)
    assert monitor.affordable(40) == 40, "nothing is known of the pace yet"
    now[0] += 4.0
    assert monitor.step(8, 400, {})
    assert [monitor.affordable(wanted) for wanted in (3, 40)] == [3, 12]
    now[0] += 5.0
    assert monitor.step(20, 400, {})
    assert monitor.affordable(40) == 2
    now[0] += 0.9
    assert monitor.step(22, 400, {}) is False, "another one would end after the deadline"
    assert monitor.stopped == "deadline"
    assert monitor_module.Monitor("regression", "rmse", y, y).affordable(40) == 40


def test_what_a_fit_leaves_to_be_done_is_part_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(monitor_module.time, "monotonic", lambda: now[0])
    monitor = monitor_module.Monitor("regression", "rmse", np.arange(4.0), np.arange(4.0), deadline=110.0)
    now[0], monitor.ahead = 102.0, 2.0
    assert monitor.step(20, 400, {})
    assert monitor.affordable(40) == 30
    now[0], monitor.ahead = 105.0, 5.0
    assert monitor.step(50, 400, {}) is False


def test_a_forest_ends_when_there_is_just_time_left_to_save_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What that takes is tried with a tree for each thread, and again when there are twice as many."""
    tried: list[int] = []

    def handling_s(trees: list[Any]) -> float:
        tried.append(len(trees))
        return 300.0 * len(trees)

    monkeypatch.setattr(fit_trees, "_handling_s", handling_s)
    fitted = fit("random_forest", "binary", deadline=time.monotonic() + 1000)
    assert fitted.stopped == "deadline"
    assert fitted.iterations == 3
    assert tried == [1, 1]
    assert fit("random_forest", "binary", {"n_estimators": 7}, iterations=7).iterations == 7
    assert tried == [1, 1], "only where there is a deadline"


def test_what_was_learned_of_columns_is_written_once_for_all_models() -> None:
    frame, task, y, split = parts("binary")
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    rows = prepare(task, X, y[split.train], X_val, COLUMNS)
    linear, boosted = (fit(model_id, "binary", prepared=rows) for model_id in ("linear", "lightgbm"))
    assert linear.encoder.stored() is boosted.encoder.stored()
    before = rows.features.stored()
    rows.features.fit(X[:50], y[split.train][:50])
    assert rows.features.stored() != before, "what was learned anew is written anew"


def test_boosting_ends_early_and_keeps_the_best_iteration() -> None:
    steps: list[Step] = []
    fitted = fit("lightgbm", "regression", {"learning_rate": 0.3}, callback=lambda step: steps.append(step))
    losses = [step.scores["loss", "val"] for step in steps]
    assert fitted.stopped == "early"
    assert fitted.iterations == int(np.argmin(losses)) + 1
    assert len(steps) == fitted.iterations + 40


@pytest.mark.parametrize("model_id", FITTED[1:])
def test_the_first_score_comes_early_in_the_fit(model_id: str) -> None:
    seen: list[Step] = []

    def stop_at_first(step: Step) -> bool:
        seen.append(step)
        return True

    fit(model_id, "binary", callback=stop_at_first)
    assert seen[0].iteration <= 0.1 * seen[0].iterations


def test_linear_models_come_to_scikit_learns_solution() -> None:
    frame, _, y, split = parts("binary")
    fitted = fit("linear", "binary", {"max_iter": 2000}, iterations=2000)
    names = ["size", "shade"]
    assert set(names) <= set(frame)
    from jupyter_pipeline.automl.features import Features

    X = Features(COLUMNS, "binary").fit_transform(frame.iloc[split.train], y[split.train]).astype(float)
    std = X.std(axis=0)
    std[std < 1e-12] = 1.0
    Z = (X - X.mean(axis=0)) / std
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(Z, y[split.train])
    assert fitted.estimator.coef_ * std == pytest.approx(theirs.coef_, abs=2e-3)

    frame, _, y, split = parts("regression")
    fitted = fit("linear", "regression", {"max_iter": 2000}, iterations=2000)
    X = Features(COLUMNS, "regression").fit_transform(frame.iloc[split.train], y[split.train]).astype(float)
    std = X.std(axis=0)
    std[std < 1e-12] = 1.0
    ridge = Ridge(alpha=1.0).fit((X - X.mean(axis=0)) / std, y[split.train])
    assert fitted.estimator.predict(X) == pytest.approx(ridge.predict((X - X.mean(axis=0)) / std), abs=0.05)


def test_linear_models_tell_their_gradient() -> None:
    steps: list[Step] = []
    fit("linear", "binary", callback=lambda step: steps.append(step))
    norms = [step.diagnostics["gradient_norm"] for step in steps]
    assert norms[-1] < norms[0]
    assert set(steps[0].diagnostics) == {"gradient_norm", "coefficient_norm", "step_norm"}


@pytest.mark.parametrize("model_id", FITTED)
def test_a_class_that_the_training_rows_lack(model_id: str, tmp_path: Path) -> None:
    frame, _, y, split = parts("multiclass")
    task = Task("multiclass", "target", ["a", "b", "c", "never"])
    rows = split.train[y[split.train] != 1]
    X_val, y_val = frame.iloc[split.val], y[split.val]
    given = QUICK.get(model_id, {})
    fitted = fit_model(model_id, given, task, frame.iloc[rows], y[rows], X_val, y_val, COLUMNS, "log_loss")
    fitted.save(tmp_path)
    raw = load_model(tmp_path).raw(X_val)
    assert raw.shape == (len(X_val), 4)
    assert raw[:, 1].max() < 0.34
    assert raw[:, 3].max() < 0.34


def test_training_rows_of_one_class() -> None:
    frame, task, y, split = parts("binary")
    rows = split.train[y[split.train] == 1]
    with pytest.raises(FitError, match="one class only"):
        fit_model("linear", {}, task, frame.iloc[rows], y[rows], frame.iloc[split.val], y[split.val], COLUMNS, "f1")


def test_parameters_are_checked_and_known_by_other_names() -> None:
    assert check_params("xgboost", {"eta": 0.1, "iterations": 50}) == {"learning_rate": 0.1, "n_estimators": 50}
    assert check_params("random_forest", {"trees": 10, "max_depth": None}) == {"n_estimators": 10}
    for model_id, params, words in (
        ("xgboost", {"speed": 1}, "has no parameter 'speed'; it has learning_rate"),
        ("linear", {"learning_rate": 0.1}, "no parameter 'learning_rate'"),
        ("xgboost", {"max_depth": 2.5}, "whole number from 1 to 50"),
        ("xgboost", {"learning_rate": "fast"}, "not 'fast'"),
        ("lightgbm", {"learning_rate": True}, "a number"),
        ("mlp", {}, "There is no model 'mlp'; the models are dummy"),
    ):
        with pytest.raises(ParameterError, match=words):
            check_params(model_id, params)


@pytest.mark.parametrize("metric", metrics.THRESHOLDED)
def test_thresholds_are_the_best_ones(metric: str) -> None:
    rng = np.random.default_rng(3)
    y = (rng.random(300) < 0.2).astype(int)
    p = np.round(np.clip(rng.normal(0.2 + 0.25 * y, 0.15), 0, 1), 2)
    raw = np.column_stack([1 - p, p])
    chosen = metrics.choose_threshold(metric, y, raw)
    assert chosen is not None
    value = metrics.score(metric, "binary", y, raw, chosen)
    allowed = []
    for cut in np.unique(p):
        flagged = (p >= cut).mean()
        if metric == "recall" and flagged > 2 * y.mean():
            continue
        if metric == "precision" and flagged < y.mean() / 2:
            continue
        allowed.append(metrics.score(metric, "binary", y, raw, float(cut)))
    assert value == pytest.approx(max(allowed))


def test_a_model_that_says_nothing_has_no_recall() -> None:
    y = np.array([0, 0, 0, 1])
    raw = np.column_stack([np.full(4, 0.75), np.full(4, 0.25)])
    threshold = metrics.choose_threshold("recall", y, raw)
    assert metrics.score("recall", "binary", y, raw, threshold) == 0.0


def test_a_forest_of_hundreds_of_classes_is_bounded_and_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaf holds a share of each class: 200 trees of 300 classes and 20,000 rows would be gigabytes."""
    monkeypatch.setattr(fit_trees, "_MOST_NUMBERS", 200_000)
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 4)), columns=list("abcd"))
    y = rng.integers(0, 100, 600)
    task = Task("multiclass", "t", [f"c{i}" for i in range(100)])
    given = task, X[:400], y[:400], X[400:], y[400:], dict.fromkeys("abcd", "numeric"), "accuracy"
    fitted = fit_model("extra_trees", {}, *given, deadline=time.monotonic() + 600)
    held = 100 * sum(tree.tree_.node_count for tree in fitted.estimator.estimators_)
    assert 1 <= fitted.iterations == len(fitted.estimator.estimators_) < 20
    assert held <= 1.5 * 200_000
    again = fit_model("extra_trees", {}, *given, iterations=fitted.iterations)
    assert (again.model().raw(X[400:]) == fitted.model().raw(X[400:])).all()


def test_trees_of_very_many_classes_are_stored_without_zeros_and_come_back_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(900, 4)), columns=list("abcd"))
    y = rng.integers(0, 99, 900)  # the training rows lack the last class
    task = Task("multiclass", "t", [f"c{i}" for i in range(100)])
    given = task, X[:600], y[:600], X[600:], y[600:], dict.fromkeys("abcd", "numeric"), "accuracy"
    fitted = fit_model("random_forest", {"n_estimators": 8}, *given)
    before = fitted.model().raw(X[600:])
    fitted.save(tmp_path / "model")
    assert (fitted.model().raw(X[600:]) == before).all(), "to save it changes nothing"
    loaded = load_model(tmp_path / "model")
    assert (loaded.raw(X[600:]) == before).all()
    for ours, theirs in zip(fitted.estimator.estimators_, loaded.estimator.estimators_, strict=True):
        assert (ours.tree_.value == theirs.tree_.value).all()
        assert ours.get_depth() == theirs.get_depth()
    dense = sum(tree.tree_.value.nbytes for tree in fitted.estimator.estimators_)
    file = tmp_path / "model" / "estimator.skops"
    assert file.stat().st_size < dense / 3
    skops.io.dump(fitted.estimator, file)  # as earlier versions wrote it
    spec = json.loads((tmp_path / "model" / "model.json").read_text())
    (tmp_path / "model" / "model.json").write_text(json.dumps({**spec, "format": 4}))
    assert (load_model(tmp_path / "model").raw(X[600:]) == before).all()
