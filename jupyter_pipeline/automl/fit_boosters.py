"""LightGBM, XGBoost and CatBoost, followed by their own callbacks after every iteration."""

from typing import Any

import numpy as np

from .monitor import Monitor

#: CatBoost's names of metrics that mean the same as ours; it measures them itself. Not of those for which ours choose a
#: threshold: it has none but 0.5.
_CATBOOST = {
    ("binary", "roc_auc"): "AUC",
    ("binary", "accuracy"): "Accuracy",
    ("multiclass", "accuracy"): "Accuracy",
    ("multiclass", "f1_macro"): "TotalF1:average=Macro",
    ("multiclass", "f1"): "TotalF1:average=Macro",
    ("multiclass", "mcc"): "MCC",
    ("regression", "mae"): "MAE",
    ("regression", "r2"): "R2",
    ("regression", "median_ae"): "MedianAbsoluteError",
}


def fit_lightgbm(
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    y_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    threads: int,
    seed: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """LightGBM's booster, and how many of its iterations are kept."""
    import lightgbm

    options: dict[str, Any] = {
        "objective": task_type,
        "metric": "None",
        "learning_rate": params["learning_rate"],
        "num_leaves": params["num_leaves"],
        "max_depth": params["max_depth"],
        "min_child_samples": params.get("min_child_samples") or min(20, max(2, len(y) // 40)),
        "colsample_bytree": params["colsample_bytree"],
        "subsample": params["subsample"],
        "subsample_freq": 1 if params["subsample"] < 1 else 0,
        "reg_lambda": params["l2"],
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if task_type == "multiclass":
        options["num_class"] = n_classes
    train = lightgbm.Dataset(X, y, free_raw_data=False)
    # The rows on which curves are measured as sets of their own: of many training rows all predictions would be
    # copied in each iteration.
    parts = {
        "train": (X[monitor.train_rows], y[monitor.train_rows]),
        "val": (X_val[monitor.val_rows], y_val[monitor.val_rows]),
    }
    seen = {name: lightgbm.Dataset(*part, reference=train, free_raw_data=False) for name, part in parts.items()}
    raw: dict[str, np.ndarray] = {}

    def feval(predicted: np.ndarray, data: Any) -> tuple[str, float, bool]:
        raw["train" if data is seen["train"] else "val"] = _two_columns(predicted, task_type)
        return "seen", 0.0, True

    def after(env: Any) -> None:
        done = env.iteration + 1
        if not monitor.step(done, iterations, monitor.measure(raw["train"], raw["val"])):
            raise lightgbm.callback.EarlyStopException(env.iteration, [])

    after.order = 20  # type: ignore[attr-defined]
    booster = lightgbm.train(
        options,
        train,
        num_boost_round=iterations,
        valid_sets=list(seen.values()),
        valid_names=list(seen),
        feval=feval,
        callbacks=[after],
    )
    booster.best_iteration = monitor.kept
    return booster, monitor.kept


def fit_xgboost(
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    y_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    threads: int,
    seed: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """XGBoost's booster, and how many of its iterations are kept."""
    import xgboost

    objective = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}
    options: dict[str, Any] = {
        "objective": objective[task_type],
        "eta": params["learning_rate"],
        "max_depth": params["max_depth"],
        "min_child_weight": params["min_child_weight"],
        "colsample_bytree": params["colsample_bytree"],
        "subsample": params["subsample"],
        "lambda": params["l2"],
        "tree_method": "hist",
        "nthread": threads,
        "seed": seed,
        "disable_default_eval_metric": True,
        "verbosity": 0,
    }
    if task_type == "multiclass":
        options["num_class"] = n_classes
    part = xgboost.DMatrix(X[monitor.train_rows], y[monitor.train_rows], nthread=threads)
    val = xgboost.DMatrix(X_val[monitor.val_rows], y_val[monitor.val_rows], nthread=threads)
    raw: dict[str, np.ndarray] = {}

    def seen(predicted: np.ndarray, data: Any) -> tuple[str, float]:
        raw["train" if data is part else "val"] = _two_columns(predicted, task_type)
        return "seen", 0.0

    class Follow(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            return not monitor.step(epoch + 1, iterations, monitor.measure(raw["train"], raw["val"]))

    booster = xgboost.train(
        options,
        xgboost.DMatrix(X, y, nthread=threads),
        num_boost_round=iterations,
        evals=[(part, "train"), (val, "val")],
        custom_metric=seen,
        callbacks=[Follow()],
        verbose_eval=False,
    )
    kept = monitor.kept
    return booster[:kept] if kept < monitor.last else booster, kept


def fit_catboost(
    task_type: str,
    n_classes: int,
    X: np.ndarray,
    y: np.ndarray,
    X_val: np.ndarray,
    y_val: np.ndarray,
    params: dict[str, Any],
    iterations: int,
    threads: int,
    seed: int,
    monitor: Monitor,
) -> tuple[Any, int]:
    """A CatBoost model cut to the iterations that are kept, and their number."""
    import catboost

    loss = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}[task_type]
    own = _CATBOOST.get((task_type, monitor.metric))
    options: dict[str, Any] = {
        "loss_function": loss,
        "eval_metric": loss,
        # CatBoost's trees depend on how many are planned, so a shorter fit plans as many and stops early.
        "iterations": max(iterations, int(params.get("n_estimators", iterations))),
        "learning_rate": params["learning_rate"],
        "depth": params["depth"],
        "l2_leaf_reg": params["l2"],
        "random_seed": seed,
        "thread_count": threads,
        "allow_writing_files": False,
        "logging_level": "Silent",
        "use_best_model": False,
    }
    if own is not None:
        join = ";" if ":" in own else ":"
        options["custom_metric"] = [f"{own}{join}hints=skip_train~false"]
    if task_type == "multiclass":
        options["classes_count"] = n_classes
    names = {loss: "loss"}
    if monitor.metric in ("log_loss", "rmse"):
        names[loss] = monitor.metric

    unit = 1.0 if monitor.units is None else monitor.units[1]

    class Follow:
        def after_iteration(self, info: Any) -> bool:
            scores: dict[tuple[str, str], float] = {}
            for part, split in (("learn", "train"), ("validation", "val")):
                for name, values in info.metrics.get(part, {}).items():
                    if name == loss:
                        scores["loss", split] = values[-1] * unit
                        scores.setdefault((names[loss], split), values[-1] * unit)
                    elif own is not None and name.split(":")[0] == own.split(":")[0]:
                        scores[monitor.metric, split] = values[-1] * (1.0 if own == "R2" else unit)
            return monitor.step(info.iteration, iterations, scores) and info.iteration < iterations

    is_number = task_type == "regression"
    model = catboost.CatBoostRegressor(**options) if is_number else catboost.CatBoostClassifier(**options)
    val = catboost.Pool(X_val[monitor.val_rows], y_val[monitor.val_rows])
    model.fit(catboost.Pool(X, y), eval_set=val, callbacks=[Follow()], verbose=False)
    kept = monitor.kept
    if kept < model.tree_count_:
        model.shrink(kept)
    return model, kept


def _two_columns(predicted: np.ndarray, task_type: str) -> np.ndarray:
    values = np.asarray(predicted, dtype=np.float64)
    if task_type == "binary":
        return np.column_stack([1.0 - values, values])
    if task_type == "multiclass":
        return np.asarray(values / values.sum(axis=1, keepdims=True))
    return values
