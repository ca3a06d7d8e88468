"""Shapley values: they add up to what the model says, agree with what is known, and are refused otherwise."""

import itertools
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pipeline.automl import figures, metrics
from jupyter_pipeline.automl.contributions import NotExplained, contributions
from jupyter_pipeline.automl.inference import Model
from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.automl.targets import encode_target
from jupyter_pipeline.automl.training import FittedModel, fit_model

from .tables import COLUMNS, parts

FEW = {"random_forest": {"n_estimators": 4}, "extra_trees": {"n_estimators": 4}}
FEW |= {name: {"max_iter": 15} for name in ("linear", "hist_gradient_boosting")}
FEW |= {name: {"n_estimators": 15} for name in ("lightgbm", "xgboost", "catboost")}


def total(found: dict[str, Any]) -> np.ndarray:
    """The base and all contributions, of shape (rows, outputs)."""
    values = np.array([column["values"] for column in found["columns"]])
    return np.asarray(values.sum(axis=0).T + np.array(found["base"]))


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("model_id", [m for m in MODELS if m not in ("dummy", "ensemble")])
def test_contributions_add_up_to_the_prediction(model_id: str, task_type: str, tmp_path: Path) -> None:
    frame, task, y, split = parts(task_type)
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    fitted = fit_model(
        model_id, FEW[model_id], task, X, y[split.train], X_val, y[split.val], COLUMNS, metrics.DEFAULT[task_type]
    )
    model = fitted.model()
    found = contributions(model, frame, max_rows=15)
    assert sorted(column["name"] for column in found["columns"]) == sorted(c["name"] for c in model.columns)
    sizes = [column["mean_abs"] for column in found["columns"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0
    assert found["method"] == ("sampled" if fitted.kind == "skops" and model_id != "linear" else "exact")
    margin, said = total(found), model.raw(frame.iloc[found["rows"]])
    if found["unit"] == "log-odds":
        odds = np.exp(margin) if margin.shape[1] > 1 else np.column_stack([np.ones(len(margin)), np.exp(margin)])
        margin = odds / odds.sum(axis=1, keepdims=True)
    elif task_type == "binary":
        margin = np.column_stack([1 - margin, margin])
    assert margin.reshape(said.shape) == pytest.approx(said, abs=1e-4, rel=1e-4)
    figures.draw_contributions(found, tmp_path / "shap.png")
    assert (tmp_path / "shap.png").stat().st_size > 10_000


def small(model_id: str, params: dict[str, Any]) -> tuple[FittedModel, pd.DataFrame]:
    """Three columns that act together and one that does nothing."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=["a", "b", "c", "idle"])
    target = 3 * frame["a"] + 2 * frame["b"] * (frame["c"] > 0)
    task, y, _ = encode_target(target.rename("y"), "regression", "y")
    columns = dict.fromkeys(frame, "numeric")
    fitted = fit_model(model_id, params, task, frame[:250], y[:250], frame[250:], y[250:], columns, "rmse")
    return fitted, frame


def test_sampled_contributions_are_shapley_values() -> None:
    """Against the definition: the mean over all orders of columns and all background rows."""
    fitted, frame = small("random_forest", {"n_estimators": 5, "max_depth": 4})
    part = frame.iloc[:16].reset_index(drop=True)
    found = contributions(fitted.model(), part)
    assert found["background"] == 16
    names = list(part)
    exact = {name: np.zeros(len(part)) for name in names}
    cache: dict[tuple[str, ...], np.ndarray] = {}
    for size in range(len(names) + 1):
        for own in itertools.combinations(names, size):
            mean = np.zeros(len(part))
            for row in range(len(part)):
                mixed = part.copy()
                for name in set(names) - set(own):
                    mixed[name] = part[name].iloc[row]
                mean += fitted.model().raw(mixed) / len(part)
            cache[own] = mean
    for name in names:
        others = [n for n in names if n != name]
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(names))
            for own in itertools.combinations(others, size):
                with_it = tuple(n for n in names if n in own or n == name)
                exact[name] += weight * (cache[with_it] - cache[own])
    for column in found["columns"]:
        assert column["values"][0] == pytest.approx(exact[column["name"]], abs=0.35)
        assert np.mean(column["values"][0]) == pytest.approx(exact[column["name"]].mean(), abs=0.05)
    assert found["base"][0] == pytest.approx(cache[()][0], abs=1e-9)
    assert found["columns"][0]["name"] == "a"
    sizes = {column["name"]: column["mean_abs"] for column in found["columns"]}
    assert sizes["idle"] < 0.3 * sizes["a"]


def test_linear_contributions_are_weights_times_distances() -> None:
    fitted, frame = small("linear", {"l2": 0.0})
    found = contributions(fitted.model(), frame, max_rows=300)
    column = next(c for c in found["columns"] if c["name"] == "a")
    slope = np.polyfit(frame["a"], column["values"][0], 1)[0]
    assert slope == pytest.approx(3, abs=0.3)
    assert np.mean(column["values"][0]) == pytest.approx(0, abs=1e-9)
    order = np.argsort(frame["a"].to_numpy())
    assert np.all(np.diff(np.array(column["place"])[order]) >= 0)


def test_of_many_classes_those_that_columns_move_most_are_kept(tmp_path: Path) -> None:
    """And it is said that these are not all; how much columns matter is still summed over all classes."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(600, 3)), columns=["a", "b", "idle"])
    labels = pd.Series([f"kind {i:02}" for i in (frame["a"] * 8).round().astype(int).clip(-12, 12) + 12], name="y")
    task, y, _ = encode_target(labels, "multiclass", "y")
    given = task, frame[:500], y[:500], frame[500:], y[500:], dict.fromkeys(frame, "numeric"), "log_loss"
    model = fit_model("linear", {}, *given).model()
    assert task.classes is not None
    assert len(task.classes) == 25
    found = contributions(model, frame[500:])
    assert (found["of"], len(found["outputs"]), len(found["base"])) == (25, 20, 20)
    assert set(found["outputs"]) < set(task.classes)
    for column in found["columns"]:
        assert len(column["values"]) == len(column["by_output"]) == 20
        assert [np.abs(each).mean() for each in column["values"]] == pytest.approx(column["by_output"])
        assert sum(column["by_output"]) < column["mean_abs"]
    weights = np.abs(model.estimator.coef_).sum(axis=1)  # on columns that all vary as much
    left_out = [i for i, label in enumerate(task.classes) if label not in found["outputs"]]
    assert weights[left_out].max() < np.median(weights)
    figures.draw_contributions(found, tmp_path / "shap.png")
    assert (tmp_path / "shap.png").stat().st_size > 10_000


def test_what_does_not_add_up_is_refused() -> None:
    fitted, frame = small("lightgbm", {"n_estimators": 20})

    class Edited(Model):
        def raw(self, frame: pd.DataFrame) -> np.ndarray:
            return super().raw(frame) * 1.1

    model = fitted.model()
    assert contributions(model, frame)["method"] == "exact"
    with pytest.raises(NotExplained, match="do not add up"):
        contributions(Edited(model.spec, model.features, model.estimator), frame)


def test_an_estimate_that_takes_too_long_is_refused() -> None:
    fitted, frame = small("random_forest", {"n_estimators": 30})
    with pytest.raises(NotExplained, match="longer than"):
        contributions(fitted.model(), frame, seconds=0.0)


def test_a_model_without_columns_has_none() -> None:
    fitted, frame = small("dummy", {})
    with pytest.raises(NotExplained, match="no columns"):
        contributions(fitted.model(), frame)


def test_a_wide_table_takes_bounded_memory() -> None:
    """All steps at once of 1,000 columns and 200 rows would be 800 megabytes."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(260, 1000)).astype(np.float32)).rename(columns=str)
    task, y, _ = encode_target((frame["0"] + frame["1"]).rename("y"), "regression", "y")
    columns = dict.fromkeys(frame, "numeric")
    params = {"n_estimators": 2, "max_depth": 3}
    fitted = fit_model("random_forest", params, task, frame[:60], y[:60], frame[60:], y[60:], columns, "rmse")
    tracemalloc.start()
    try:
        with pytest.raises(NotExplained, match=r"longer than 0\.2 s"):
            contributions(fitted.model(), frame[60:], seconds=0.2)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 300 << 20
