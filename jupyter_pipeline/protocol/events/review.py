"""Events of evaluation, REVIEW_EDIT and EXPORT."""

from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from .base import FileEntry, Payload, Pct, Split


class EvaluationStarted(Payload, frozen=True, kw_only=True):
    """A model is being evaluated."""

    NAME: ClassVar[str] = "EVALUATION_STARTED"
    STATE: ClassVar[bool] = False
    run_id: str
    task_type: str


class EvaluationComplete(Payload, frozen=True, kw_only=True):
    """A model was evaluated; ``artifacts`` are asset ids."""

    NAME: ClassVar[str] = "EVALUATION_COMPLETE"
    STATE: ClassVar[bool] = False
    run_id: str
    task_type: str
    primary_metric: str
    primary_value: float | None
    artifacts: tuple[str, ...]


class ClassificationMetricsReady(Payload, frozen=True, kw_only=True):
    """Metrics of a classifier by name, beside ``run_id`` and ``split``."""

    NAME: ClassVar[str] = "CLASSIFICATION_METRICS_READY"
    STATE: ClassVar[bool] = False
    run_id: str
    split: Split
    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    mcc: float | None
    log_loss: float | None
    roc_auc: float | None = None
    average_precision: float | None = None
    brier: float | None = None
    f1_macro: float | UnsetType | None = UNSET


class RegressionMetricsReady(Payload, frozen=True, kw_only=True):
    """Metrics of a regression by name, beside ``run_id`` and ``split``."""

    NAME: ClassVar[str] = "REGRESSION_METRICS_READY"
    STATE: ClassVar[bool] = False
    run_id: str
    split: Split
    rmse: float | None
    mae: float | None
    r2: float | None
    mape: float | None
    median_ae: float | None


class RunAsset(Payload, frozen=True, kw_only=True):
    """Base of the events that say where a run's picture or table is."""

    STATE: ClassVar[bool] = False
    run_id: str
    asset_url: str
    data_url: str | UnsetType = UNSET
    """The same as JSON, where ``asset_url`` is a picture."""


class ConfusionMatrixReady(RunAsset, frozen=True, kw_only=True):
    """Confusion matrix."""

    NAME: ClassVar[str] = "CONFUSION_MATRIX_READY"


class RocCurveReady(RunAsset, frozen=True, kw_only=True):
    """Receiver operating characteristic."""

    NAME: ClassVar[str] = "ROC_CURVE_READY"


class PrecisionRecallCurveReady(RunAsset, frozen=True, kw_only=True):
    """Precision and recall over the threshold."""

    NAME: ClassVar[str] = "PRECISION_RECALL_CURVE_READY"


class ResidualsPlotReady(RunAsset, frozen=True, kw_only=True):
    """Residuals against predictions."""

    NAME: ClassVar[str] = "RESIDUALS_PLOT_READY"


class FeatureImportanceReady(RunAsset, frozen=True, kw_only=True):
    """Permutation importance of each input column."""

    NAME: ClassVar[str] = "FEATURE_IMPORTANCE_READY"


class ShapExplanationsReady(RunAsset, frozen=True, kw_only=True):
    """SHAP values."""

    NAME: ClassVar[str] = "SHAP_EXPLANATIONS_READY"


class ReportReady(Payload, frozen=True, kw_only=True):
    """The report can be read."""

    NAME: ClassVar[str] = "REPORT_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


class NotebookReady(Payload, frozen=True, kw_only=True):
    """The executed notebook can be opened."""

    NAME: ClassVar[str] = "NOTEBOOK_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


class CodeWorkspaceReady(Payload, frozen=True, kw_only=True):
    """The code as files that the person can edit."""

    NAME: ClassVar[str] = "CODE_WORKSPACE_READY"
    STATE: ClassVar[bool] = False
    files: tuple[FileEntry, ...]


class EditSuggestions(Payload, frozen=True, kw_only=True):
    """What could be tried next; a suggestion is ``{title, why, chat}``, ``chat`` being the message that does it."""

    NAME: ClassVar[str] = "EDIT_SUGGESTIONS"
    STATE: ClassVar[bool] = False
    suggestions: tuple[dict[str, Any], ...]


class ExportProgress(Payload, frozen=True, kw_only=True):
    """How far the export is."""

    NAME: ClassVar[str] = "EXPORT_PROGRESS"
    STATE: ClassVar[bool] = False
    pct: Pct
    message: str


class ExportReady(Payload, frozen=True, kw_only=True):
    """The bundle can be downloaded. ``checksum`` is ``sha256:`` and the hex digest of the zip."""

    NAME: ClassVar[str] = "EXPORT_READY"
    WITH_RESULT: ClassVar[bool] = True
    asset_url: str
    contents: tuple[str, ...]
    checksum: str
