"""What each gate decides: the ``plan_json`` of a stage as a type, in plain names.

A plan holds everything that the person may change at its gate. Types check shapes and ranges here; what
depends on the project (whether a column or a model exists) is checked by :mod:`jupyter_pipeline.project.plans`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .stages import StageId

TaskType = Literal["binary", "multiclass", "regression"]
#: Metrics by name; ``auto`` lets the task decide.
Metric = Literal[
    "auto",
    "roc_auc",
    "average_precision",
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_macro",
    "precision",
    "recall",
    "mcc",
    "brier",
    "rmse",
    "mae",
    "mape",
    "r2",
    "median_ae",
]
#: What the person cares about most.
Preference = Literal["balanced", "accuracy", "speed", "interpretability"]
#: What a column is for.
Role = Literal["feature", "target", "id", "time", "group", "ignore"]
#: How a column becomes features; ``drop`` leaves it out.
Treatment = Literal["numeric", "onehot", "ordinal", "target_encode", "text", "datetime", "boolean", "drop"]
Seconds = Annotated[float, Meta(gt=0, le=7 * 24 * 3600)]
Fraction = Annotated[float, Meta(ge=0.0, le=0.9)]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all plans. Unknown fields are refused, so that a typing error in a patch is seen."""


class IntentPlan(Plan, frozen=True, kw_only=True):
    """PARSE_INTENT: what the person wants. The data decide whether a ``classification`` is binary or multiclass.

    Where ``include_columns`` names any, the target is predicted from those alone; ``exclude_columns`` are left out.
    ``treatments`` says how columns, or all of a kind (``text columns``), become features. Plans of earlier versions
    have none of these.
    """

    task_type: Literal["auto", "classification", "binary", "multiclass", "regression"] = "auto"
    target: str | None = None
    metric: Metric = "auto"
    time_budget_s: Seconds = 300.0
    prefer: Preference = "balanced"
    dataset: str | None = None
    sheet: str | None = None
    include_models: tuple[str, ...] = ()
    exclude_models: tuple[str, ...] = ()
    include_columns: tuple[str, ...] | UnsetType = UNSET
    exclude_columns: tuple[str, ...] | UnsetType = UNSET
    treatments: dict[str, Treatment] | UnsetType = UNSET
    not_understood: tuple[str, ...] = ()


class DataPlan(Plan, frozen=True, kw_only=True):
    """DATA_SOURCE: which data, and what is to be predicted in them.

    ``sheet`` is the sheet of an Excel file, null for the one with the largest table and for other files.
    ``data_sha256`` is the fingerprint of the data that were looked at; it is shown, not changed.
    """

    dataset_id: str
    sheet: str | None = None
    target: str
    task_type: TaskType
    metric: Metric
    positive_class: str | None = None
    data_sha256: str = ""


class ProfilePlan(Plan, frozen=True, kw_only=True):
    """PROFILE_DATA: what each column is for; ``ignore`` drops it.

    ``treatments`` has the features of which somebody said already how PREPROCESS shall treat them; plans of earlier
    versions lack it.
    """

    roles: dict[str, Role]
    treatments: dict[str, Treatment] | UnsetType = UNSET


class SplitPlan(Plan, frozen=True, kw_only=True):
    """How rows are divided. ``column`` names the time or group column of those strategies."""

    strategy: Literal["random", "stratified", "time", "group"] = "random"
    column: str | None = None
    val_fraction: Annotated[float, Meta(gt=0.0, le=0.45)] = 0.2
    test_fraction: Annotated[float, Meta(gt=0.0, le=0.45)] = 0.2
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class PreprocessPlan(Plan, frozen=True, kw_only=True):
    """PREPROCESS: the split, and the treatment of each feature column."""

    split: SplitPlan
    columns: dict[str, Treatment]


class ModelChoice(Plan, frozen=True, kw_only=True):
    """One model to train: its id and the parameters that the person set."""

    id: str
    params: dict[str, Any] = {}


class ModelPlan(Plan, frozen=True, kw_only=True):
    """MODEL_SELECT: which models are trained, for how long, and by what they are judged.

    ``trials`` is how many parameter settings of each model are tried at the most (1: its defaults only).
    """

    models: Annotated[tuple[ModelChoice, ...], Meta(min_length=1, max_length=50)]
    time_budget_s: Seconds
    metric: Metric
    trials: Annotated[int, Meta(ge=1, le=1000)] = 1


class TrainPlan(Plan, frozen=True, kw_only=True):
    """TRAIN: which run's model is kept, and for binary tasks from what probability a row is positive."""

    keep: str
    threshold: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None


class ReviewPlan(Plan, frozen=True, kw_only=True):
    """REVIEW_EDIT: what goes into the bundle beside the model and ``predict.py``."""

    report: bool = True
    notebook: bool = True
    training_code: bool = True
    event_log: bool = True
    sample_rows: Annotated[int, Meta(ge=0, le=1000)] = 5


class ExportPlan(Plan, frozen=True, kw_only=True):
    """EXPORT has no gate; nothing is decided there."""


PLAN_TYPES: dict[StageId, type[Plan]] = {
    StageId.PARSE_INTENT: IntentPlan,
    StageId.DATA_SOURCE: DataPlan,
    StageId.PROFILE_DATA: ProfilePlan,
    StageId.PREPROCESS: PreprocessPlan,
    StageId.MODEL_SELECT: ModelPlan,
    StageId.TRAIN: TrainPlan,
    StageId.REVIEW_EDIT: ReviewPlan,
    StageId.EXPORT: ExportPlan,
}
