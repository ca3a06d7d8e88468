"""Metrics against scikit-learn, intervals, importance, and pictures that are pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from jupyter_pipeline.automl import bootstrap, evaluation, figures, metrics
from jupyter_pipeline.automl.importance import permutation_importance
from jupyter_pipeline.automl.training import fit_model

from .tables import COLUMNS, parts


@settings(max_examples=60, deadline=None)
@given(
    n_classes=st.integers(2, 5),
    n=st.integers(1, 60),
    seed=st.integers(0, 1000),
    threshold=st.sampled_from([None, 0.0, 0.3, 1.0]),
)
def test_quick_metrics_are_scikit_learns(n_classes: int, n: int, seed: int, threshold: float | None) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    raw = np.round(rng.dirichlet(np.ones(n_classes), n), 2) + 1e-3
    raw /= raw.sum(axis=1, keepdims=True)
    task_type = "binary" if n_classes == 2 else "multiclass"
    full = evaluation.evaluate(task_type, y, raw, threshold)
    assert set(full) == set(metrics.CLASSIFICATION)
    for name, value in full.items():
        quick = metrics.score(name, task_type, y, raw, threshold)
        if value is None:
            assert not np.isfinite(quick)
        elif name not in ("average_precision", "roc_auc") or np.isfinite(quick):
            assert quick == pytest.approx(value, abs=1e-9), name


def test_areas_and_curves_of_hundreds_of_classes_are_scikit_learns() -> None:
    """Each class against the rest; curves are kept of the weakest."""
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 90, 2000), np.round(rng.dirichlet(np.ones(100), 2000), 3) + 1e-3
    raw[np.arange(2000), y] += rng.random(2000) * 0.02
    raw /= raw.sum(axis=1, keepdims=True)
    classes = [f"class {i}" for i in range(100)]
    full = evaluation.evaluate("multiclass", y, raw)
    roc, precision = evaluation.roc_data(y, raw, classes), evaluation.precision_recall_data(y, raw, classes)
    for name, key, function, data in (
        ("roc_auc", "auc", sk.roc_auc_score, roc),
        ("average_precision", "average_precision", sk.average_precision_score, precision),
    ):
        each = {f"class {i}": function(y == i, raw[:, i]) for i in range(90)}
        assert full[name] == pytest.approx(np.mean(list(each.values())), abs=1e-12)
        found = {curve["class"]: curve[key] for curve in data["curves"]}
        assert found == {label: pytest.approx(each[label], abs=1e-12) for label in found}
        assert (len(found), data["of"]) == (20, 90)
        assert max(found.values()) <= min(v for label, v in each.items() if label not in found)


def test_metrics_of_numbers() -> None:
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=50), rng.normal(size=50)
    full = evaluation.evaluate("regression", y, raw)
    assert full["rmse"] == pytest.approx(np.sqrt(sk.mean_squared_error(y, raw)))
    for name in metrics.REGRESSION:
        assert metrics.score(name, "regression", y, raw) == pytest.approx(full[name], abs=1e-12)
    one = evaluation.evaluate("regression", y[:1], raw[:1])
    assert one["r2"] is None
    assert one["mae"] is not None


def test_what_is_not_defined_is_none() -> None:
    values = evaluation.evaluate("binary", np.zeros(5, int), np.tile([0.7, 0.3], (5, 1)))
    assert values["roc_auc"] is None
    assert values["average_precision"] is None
    assert values["accuracy"] == 1.0
    assert bootstrap.intervals("binary", np.zeros(5, int), np.tile([0.7, 0.3], (5, 1))).get("roc_auc") is None


def test_no_error_is_a_share_of_nothing() -> None:
    """One row whose target is 0 would make the MAPE of all as large as floats are fine."""
    y = np.array([0.0, 1.0, 2.0, 4.0] * 20)
    for wrong in (0.5, 0.0):
        values = evaluation.evaluate("regression", y, y + wrong)
        assert values["mape"] is None
        assert values["mae"] == pytest.approx(wrong)
        assert np.isnan(metrics.score("mape", "regression", y, y + wrong))
        found = bootstrap.intervals("regression", y, y + wrong)
        assert "mape" not in found
        assert "mae" in found
    assert evaluation.evaluate("regression", y + 1, y + 2)["mape"] == pytest.approx(np.mean(1 / (y + 1)))
    assert "mape" in bootstrap.intervals("regression", y + 1, y + 2)


def test_intervals_hold_the_value_and_repeat() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    p = np.clip(rng.normal(0.3 + 0.4 * y, 0.2), 0.01, 0.99)
    raw = np.column_stack([1 - p, p])
    found = bootstrap.intervals("binary", y, raw, 0.4)
    values = evaluation.evaluate("binary", y, raw, 0.4)
    assert set(found) == set(metrics.CLASSIFICATION)
    assert all(low < values[name] < high for name, (low, high) in found.items())  # type: ignore[operator]
    assert found == bootstrap.intervals("binary", y, raw, 0.4)


@settings(max_examples=30, deadline=None)
@given(n_classes=st.integers(0, 4), n=st.integers(2, 60), seed=st.integers(0, 1000), ties=st.booleans())
@example(n_classes=0, n=3, seed=0, ties=False)  # draws of one row alone, whose mean is not quite its value
def test_intervals_are_those_of_the_drawn_rows(n_classes: int, n: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    if n_classes < 2:
        task_type, y, raw = "regression", rng.normal(1e6, 3, n), rng.normal(1e6, 3, n)
    else:
        task_type = "binary" if n_classes == 2 else "multiclass"
        y, raw = rng.integers(0, n_classes, n), rng.dirichlet(np.ones(n_classes), n)
        raw = np.round(raw, 1) + 1e-3 if ties else raw
        raw /= raw.sum(axis=1, keepdims=True)
    found = bootstrap.intervals(task_type, y, raw, 0.4, repeats=20, seed=seed)
    again, draws = np.random.default_rng(seed), []
    for _ in range(20):
        rows = again.integers(0, n, n)
        draws.append({m: metrics.score(m, task_type, y[rows], raw[rows], 0.4) for m in metrics.names_for(task_type)})
    for name in metrics.names_for(task_type):
        values = [draw[name] for draw in draws if np.isfinite(draw[name])]
        expected = np.percentile(values, [2.5, 97.5]) if len(values) > 10 else np.array([np.inf, -np.inf])
        own = metrics.score(name, task_type, y, raw, 0.4)
        outside = max(expected[0] - own, own - expected[1])
        if outside < 0 or name in found:
            assert outside < 1e-6 * abs(own) + 1e-9, name
            assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-9), name


def test_an_interval_that_misses_its_own_value_is_none() -> None:
    """Of a hundred classes with two rows each a draw lacks many, and averages over the others."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(100), 2)
    raw = rng.dirichlet(np.ones(100), 200)
    raw[np.arange(200), y] += 0.02
    raw /= raw.sum(axis=1, keepdims=True)
    values = evaluation.evaluate("multiclass", y, raw)
    found = bootstrap.intervals("multiclass", y, raw)
    assert "average_precision" not in found
    assert {"accuracy", "log_loss"} <= set(found)
    for name, (low, high) in found.items():
        value = values[name]
        assert value is not None
        assert low <= value <= high, name


def test_shuffling_what_matters_costs_most() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"noise": rng.normal(size=400), "signal": rng.normal(size=400)})
    y = frame["signal"].to_numpy() * 3
    from jupyter_pipeline.automl.targets import Task

    task = Task("regression", "t")
    columns = {"noise": "numeric", "signal": "numeric"}
    X, X_val = frame.iloc[:300], frame.iloc[300:]
    model = fit_model("linear", {}, task, X, y[:300], X_val, y[300:], columns, "rmse").model()
    found = permutation_importance(model, X_val, y[300:], "rmse")
    assert [row["name"] for row in found["columns"]] == ["signal", "noise"]
    assert found["columns"][0]["mean"] > 1
    assert abs(found["columns"][1]["mean"]) < 0.1
    assert permutation_importance(model, X_val, y[300:], "rmse", stop=lambda: True)["skipped"] == ["noise", "signal"]


def test_importance_is_that_of_shuffled_raw_columns() -> None:
    """Encoded features are shuffled, which comes to the same, to the bit."""
    frame, task, y, split = parts("binary")
    X, X_val, y_val = frame.iloc[split.train], frame.iloc[split.val].reset_index(drop=True), y[split.val]
    model = fit_model("lightgbm", {}, task, X, y[split.train], X_val, y_val, COLUMNS, "log_loss").model()
    found = permutation_importance(model, X_val, y_val, "log_loss", repeats=2)
    assert {column["treatment"] for column in model.columns} >= {"numeric", "onehot", "text", "datetime"}
    rng = np.random.default_rng(0)
    for column in model.columns:
        drops = []
        for _ in range(2):
            shuffled = X_val.assign(**{column["name"]: X_val[column["name"]].to_numpy()[rng.permutation(len(X_val))]})
            drops.append(metrics.score("log_loss", "binary", y_val, model.raw(shuffled)) - found["baseline"])
        (row,) = [row for row in found["columns"] if row["name"] == column["name"]]
        assert (row["mean"], row["std"]) == (np.mean(drops), np.std(drops))
    few = {"repeats": 2, "max_rows": len(X_val) // 2}
    ready = permutation_importance(model, X_val, y_val, "log_loss", matrix=model.matrix(X_val), **few)
    assert ready == permutation_importance(model, X_val, y_val, "log_loss", **few), "the same of rows that are ready"


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
def test_pictures(task_type: str, tmp_path: Path) -> None:
    frame, task, y, split = parts(task_type)
    X, X_val, y_val = frame.iloc[split.train], frame.iloc[split.val], y[split.val]
    fitted = fit_model(
        "extra_trees", {"n_estimators": 20}, task, X, y[split.train], X_val, y_val, COLUMNS, metrics.DEFAULT[task_type]
    )
    raw = fitted.model().raw(X_val)
    drawn = []
    if task.classes:
        confusion = evaluation.confusion_data(y_val, raw, task.classes, None)
        assert np.sum(confusion["matrix"]) == len(y_val)
        drawn.append(figures.draw_confusion(confusion, tmp_path / "confusion.png"))
        roc = evaluation.roc_data(y_val, raw, task.classes)
        assert roc["curves"][0]["threshold"][0] is None  # infinity
        drawn.append(figures.draw_roc(roc, tmp_path / "roc.png"))
        precision = evaluation.precision_recall_data(y_val, raw, task.classes)
        drawn.append(figures.draw_precision_recall(precision, tmp_path / "pr.png"))
    else:
        drawn.append(figures.draw_residuals(evaluation.residuals_data(y_val, raw), tmp_path / "residuals.png"))
    found = permutation_importance(fitted.model(), X_val, y_val, metrics.DEFAULT[task_type], repeats=1)
    drawn.append(figures.draw_importance(found, tmp_path / "importance.png"))
    history = {"train": [(1, 0.5), (2, 0.4)], "val": [(1, 0.6), (2, 0.55)]}
    drawn.append(figures.draw_history(history, tmp_path / "history.png", "loss"))
    for path in drawn:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 4000


def test_many_classes_are_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    classes = [f"class ${i} with a rather long name" for i in range(30)]
    y, raw = rng.integers(0, 30, 400), rng.dirichlet(np.ones(30), 400)
    figures.draw_confusion(evaluation.confusion_data(y, raw, classes, None), tmp_path / "c.png")
    figures.draw_roc(evaluation.roc_data(y, raw, classes), tmp_path / "r.png")
