"""What people read where programs have ids: stages, runs and how they stand, metrics, kinds of task, models, and more.

Events, arguments and code have the ids; sentences have these names. The view's words are made of them
(:mod:`~jupyter_pipeline.protocol.typescript`).
"""

from collections.abc import Iterable, Mapping

from .stages import StageId, StageStatus

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
STAGE_NAMES: dict[StageId, str] = {
    StageId.PARSE_INTENT: "Request",
    StageId.DATA_SOURCE: "Data",
    StageId.PROFILE_DATA: "Profile",
    StageId.PREPROCESS: "Preparation",
    StageId.MODEL_SELECT: "Models",
    StageId.TRAIN: "Training",
    StageId.REVIEW_EDIT: "Review",
    StageId.EXPORT: "Export",
}
STATUS_NAMES: dict[StageStatus, str] = {
    StageStatus.PENDING: "not yet",
    StageStatus.IN_PROGRESS: "running",
    StageStatus.WAITING_CONFIRMATION: "waits for you",
    StageStatus.COMPLETED: "done",
    StageStatus.FAILED: "failed",
    StageStatus.SKIPPED: "skipped",
}
RUN_STATUS_NAMES: dict[str, str] = {
    "running": "running",
    "success": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
PHASE_NAMES: dict[str, str] = {
    "init": "begins",
    "fit": "fits",
    "eval": "is evaluated",
    "finalize": "is saved",
}
"""What a model that is trained does."""
METRIC_NAMES: dict[str, str] = {
    "auto": "decided by the task",
    "loss": "Loss",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "f1_macro": "Macro F1",
    "precision": "Precision",
    "recall": "Recall",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "rmse": "RMSE",
    "mae": "MAE",
    "mape": "MAPE",
    "r2": "R²",
    "median_ae": "Median absolute error",
}
REGRESSION_METRICS = frozenset({"rmse", "mae", "mape", "r2", "median_ae"})
TASK_NAMES: dict[str, str] = {
    "auto": "decided from the data",
    "classification": "classification",
    "binary": "binary classification",
    "multiclass": "multiclass classification",
    "regression": "regression",
}
MODEL_NAMES: dict[str, str] = {
    "dummy": "Baseline",
    "linear": "Linear model",
    "random_forest": "Random forest",
    "extra_trees": "Extra trees",
    "hist_gradient_boosting": "Histogram gradient boosting",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "ensemble": "Weighted ensemble",
}
PREFERENCE_NAMES: dict[str, str] = {
    "balanced": "a balance",
    "accuracy": "accuracy",
    "speed": "speed",
    "interpretability": "interpretability",
}
STRATEGY_NAMES: dict[str, str] = {
    "random": "at random",
    "stratified": "at random, each class with its share",
    "time": "by time, the last rows tested",
    "group": "by groups, none in two parts",
}
"""How rows are divided."""
TREATMENT_WORDS = {
    "numeric": "numeric",
    "onehot": "categorical",
    "ordinal": "ordinal",
    "target_encode": "target encoded",
    "text": "text",
    "datetime": "a date",
    "boolean": "boolean",
    "drop": "left out",
}
"""Treatments as they are said in a chat."""

MEMBER_NAMES: dict[str, str] = {
    "task_type": "Task",
    "target": "Target",
    "metric": "Judged by",
    "time_budget_s": "Time for training",
    "prefer": "Cares most about",
    "dataset": "Data",
    "dataset_id": "Data",
    "sheet": "Sheet",
    "include_models": "Models wanted",
    "exclude_models": "Models not wanted",
    "include_columns": "Columns to predict from",
    "exclude_columns": "Columns left out",
    "not_understood": "Not understood",
    "positive_class": "Positive class",
    "data_sha256": "Fingerprint",
    "roles": "What columns are for",
    "treatments": "Treatments asked for",
    "split": "Split",
    "strategy": "Strategy",
    "column": "Column",
    "val_fraction": "Validation",
    "test_fraction": "Test",
    "seed": "Seed",
    "columns": "Treatment of columns",
    "models": "Models to train",
    "trials": "Settings tried for each model",
    "keep": "Model kept",
    "threshold": "Positive from a probability of",
    "report": "The report",
    "notebook": "The executed notebook",
    "training_code": "The training code",
    "event_log": "The event log",
    "sample_rows": "Sample rows in the bundle",
}
"""Members of plans as labels."""
_MEMBERS = {"metric": "metric", "prefer": "what matters most", "threshold": "threshold"}

_STANDING = {
    StageStatus.PENDING: "has not begun",
    StageStatus.IN_PROGRESS: "is running",
    StageStatus.WAITING_CONFIRMATION: "waits for your confirmation",
    StageStatus.COMPLETED: "is done",
    StageStatus.FAILED: "has failed or was stopped",
    StageStatus.SKIPPED: "was skipped",
}
_PROPER = frozenset({"mcc"})
"""Begin with somebody's name."""


def named(names: Mapping[str, str], value: str) -> str:
    """The name of a value; the value without underscores where it is none of these."""
    return names.get(value, value.replace("_", " "))


def stage_name(stage_id: str) -> str:
    """A stage as people read it."""
    return STAGE_NAMES[StageId(stage_id)]


def standing(stage_id: str, status: StageStatus) -> str:
    """How a stage stands, as a part of a sentence: ``Models waits for your confirmation``."""
    return f"{stage_name(stage_id)} {_STANDING[status]}"


def metric_name(metric: str) -> str:
    """A metric as a label."""
    return named(METRIC_NAMES, metric)


def metric_words(metric: str) -> str:
    """A metric within a sentence: ``recall``, ``ROC AUC``, ``average precision``."""
    name = metric_name(metric)
    plain = metric not in _PROPER and name[1:2].islower()
    return name[0].lower() + name[1:] if plain else name


def member_name(member: str) -> str:
    """A member of a plan as a label."""
    return named(MEMBER_NAMES, member)


def member_words(member: str) -> str:
    """A member of a plan within a sentence."""
    name = _MEMBERS.get(member) or member_name(member)
    return name[0].lower() + name[1:]


def task_name(task_type: str) -> str:
    """A kind of task as people read it."""
    return named(TASK_NAMES, task_type)


def model_name(model_id: str) -> str:
    """A model as people read it."""
    return named(MODEL_NAMES, model_id)


def model_names(ids: Iterable[str]) -> str:
    """Models as a text has them."""
    return ", ".join(map(model_name, ids))


def treated_words(treatments: Mapping[str, str]) -> str:
    """Columns and how they are treated, as a text has them: ``age, city: categorical; notes: text``."""
    by: dict[str, list[str]] = {}
    for name, treatment in treatments.items():
        by.setdefault(treatment, []).append(name)
    return "; ".join(f"{', '.join(names)}: {named(TREATMENT_WORDS, t)}" for t, names in by.items())


def number(value: float | None) -> str:
    """A number for people: about four significant digits, a dash where there is none."""
    if value is None:
        return DASH
    size = abs(value)
    if value and (size < 1e-3 or size >= 1e6):
        text = f"{value:.3g}"
    else:
        text = f"{value:.4f}" if size < 10 else f"{value:,.2f}" if size < 1000 else f"{value:,.0f}"
    return text.replace("-", MINUS)
