"""The events that a project logs: one type for each payload of the contract.

A class here is the payload; its ``NAME`` is the event's name on the wire. Keys added to the documented payload
are left out of the JSON while they are unset, so a client sees at least the documented keys, always.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .stages import StageId, StageStatus

Pct = Annotated[float, Meta(ge=0.0, le=1.0)]
#: JSON Patch operations (RFC 6902).
Patch = tuple[dict[str, Any], ...]
RunStatus = Literal["success", "failed", "cancelled"]
Phase = Literal["init", "fit", "eval", "finalize"]
Split = Literal["train", "val", "test"]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all event payloads.

    ``STATE`` says whether the project's state is folded from this event; the events of which there are
    thousands do not count, which is what makes a project with a long log quick to load.
    """

    NAME: ClassVar[str]
    STATE: ClassVar[bool] = True


class User(msgspec.Struct, frozen=True):
    """Who did something: Jupyter's user name and the name to show."""

    username: str
    name: str


# -- global ------------------------------------------------------------------------------------------------


class StageStatusEvent(Payload, frozen=True, kw_only=True):
    """How a stage stands now.

    With IN_PROGRESS come ``attempt`` (numbered in the project, from 1), ``params`` (what the stage was asked
    beside the approved plans), ``fingerprint`` of its inputs and, where an earlier result serves again,
    ``reused``; ``finishing`` says that training was asked to end with the best so far,
    ``retry`` that the attempt before it lost its worker process; ``skip_runs`` are runs that the person cancelled
    one by one and that are not tried again. ``params`` of a PENDING stage wait for its start.
    """

    NAME: ClassVar[str] = "STAGE_STATUS"
    stage_id: StageId
    status: StageStatus
    message: str
    attempt: int | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET
    reused: bool | UnsetType = UNSET
    finishing: bool | UnsetType = UNSET
    retry: bool | UnsetType = UNSET
    skip_runs: tuple[str, ...] | UnsetType = UNSET
    by: User | UnsetType = UNSET


class WaitingConfirmation(Payload, frozen=True, kw_only=True):
    """A gate is open. ``digest`` is the SHA-256 of exactly the plan that a confirmation approves."""

    NAME: ClassVar[str] = "WAITING_CONFIRMATION"
    stage_id: StageId
    summary: str
    next_actions: tuple[str, ...]
    gate_id: str
    digest: str


class PlanProposed(Payload, frozen=True, kw_only=True):
    """What a stage proposes. ``patch`` is the change from its last proposal, ``reruns`` and ``keeps`` the
    stages that will run again and those whose results still hold."""

    NAME: ClassVar[str] = "PLAN_PROPOSED"
    stage_id: StageId
    plan_json: dict[str, Any]
    plan_id: str
    patch: Patch = ()
    reruns: tuple[StageId, ...] = ()
    keeps: tuple[StageId, ...] = ()
    by: User | UnsetType = UNSET


class PlanApproved(Payload, frozen=True, kw_only=True):
    """The person confirmed a plan."""

    NAME: ClassVar[str] = "PLAN_APPROVED"
    stage_id: StageId
    plan_id: str
    by: User


class PlanRejected(Payload, frozen=True, kw_only=True):
    """A proposed plan was withdrawn: by a change, or by a restart."""

    NAME: ClassVar[str] = "PLAN_REJECTED"
    stage_id: StageId
    plan_id: str
    by: User


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the project: path below the project's folder, size in bytes, SHA-256 in hex."""

    path: str
    type: str
    size: int
    sha: str


class FileTreeUpdate(Payload, frozen=True, kw_only=True):
    """Files of the project that are new or changed."""

    NAME: ClassVar[str] = "FILE_TREE_UPDATE"
    STATE: ClassVar[bool] = False
    files: tuple[FileEntry, ...]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a stage made; ``meta["path"]`` is its place below the project's folder."""

    id: str
    type: str
    name: str
    url: str
    meta: dict[str, Any] = {}


class ArtifactAdded(Payload, frozen=True, kw_only=True):
    """An asset can be fetched."""

    NAME: ClassVar[str] = "ARTIFACT_ADDED"
    artifact: Artifact


class LogLine(Payload, frozen=True, kw_only=True):
    """A line for people. ``run_id`` is ``chat`` for the conversation and ``pipeline`` for what belongs to no run."""

    NAME: ClassVar[str] = "LOG_LINE"
    STATE: ClassVar[bool] = False
    run_id: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    source: str
    by: User | UnsetType = UNSET


# -- intent and data ---------------------------------------------------------------------------------------


class PromptParsed(Payload, frozen=True, kw_only=True):
    """What the request was understood to say."""

    NAME: ClassVar[str] = "PROMPT_PARSED"
    STATE: ClassVar[bool] = False
    task_type: str
    target: str | None
    dataset_hint: str | None
    constraints: dict[str, Any]


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Data that the project can use. ``source`` is one of upload, workspace, url, bundled."""

    id: str
    name: str
    source: str
    desc: str
    meta: dict[str, Any] = {}


class DatasetCandidates(Payload, frozen=True, kw_only=True):
    """Data to choose from, best first."""

    NAME: ClassVar[str] = "DATASET_CANDIDATES"
    datasets: tuple[Dataset, ...]


class DatasetSelected(Payload, frozen=True, kw_only=True):
    """The data that the stage works with."""

    NAME: ClassVar[str] = "DATASET_SELECTED"
    dataset_id: str


class DatasetSampleReady(Payload, frozen=True, kw_only=True):
    """The first rows of the data; ``n_rows`` counts all rows of the data set."""

    NAME: ClassVar[str] = "DATASET_SAMPLE_READY"
    asset_url: str
    columns: tuple[str, ...]
    n_rows: int


# -- profile -----------------------------------------------------------------------------------------------


class ProfileProgress(Payload, frozen=True, kw_only=True):
    """How far the profile is."""

    NAME: ClassVar[str] = "PROFILE_PROGRESS"
    STATE: ClassVar[bool] = False
    phase: str
    pct: Pct


class ProfileSummary(Payload, frozen=True, kw_only=True):
    """The data at a glance; ``missing_pct`` is the fraction of cells that are missing."""

    NAME: ClassVar[str] = "PROFILE_SUMMARY"
    n_rows: int
    n_cols: int
    missing_pct: Pct
    types_breakdown: dict[str, int]
    warnings: tuple[str, ...]


class MissingnessTableReady(Payload, frozen=True, kw_only=True):
    """Missing values for each column."""

    NAME: ClassVar[str] = "MISSINGNESS_TABLE_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


class TargetDistributionReady(Payload, frozen=True, kw_only=True):
    """How the target is distributed."""

    NAME: ClassVar[str] = "TARGET_DISTRIBUTION_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


# -- preprocess --------------------------------------------------------------------------------------------


class SplitSummary(Payload, frozen=True, kw_only=True):
    """How many rows each part of the split has."""

    NAME: ClassVar[str] = "SPLIT_SUMMARY"
    train_rows: int
    val_rows: int
    test_rows: int
    stratified: bool
    seed: int


class PreprocessSteps(Payload, frozen=True, kw_only=True):
    """What is done to the columns, step by step, in words."""

    NAME: ClassVar[str] = "PREPROCESS_PLAN"
    steps: tuple[dict[str, Any], ...]


# -- model choice ------------------------------------------------------------------------------------------


class ModelCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be trained, and why it is proposed; ``requirements`` are package names."""

    id: str
    name: str
    family: str
    why: str
    requirements: tuple[str, ...] = ()
    cost_s: float | None = None
    params: dict[str, Any] = {}


class ModelCandidates(Payload, frozen=True, kw_only=True):
    """Models to choose from."""

    NAME: ClassVar[str] = "MODEL_CANDIDATES"
    models: tuple[ModelCandidate, ...]


class ModelSelected(Payload, frozen=True, kw_only=True):
    """A model that will be trained (before TRAIN), or the one that was kept (after it)."""

    NAME: ClassVar[str] = "MODEL_SELECTED"
    STATE: ClassVar[bool] = False
    model_id: str


# -- training ----------------------------------------------------------------------------------------------


class TrainRunStarted(Payload, frozen=True, kw_only=True):
    """A run begins: one model with one setting of its parameters."""

    NAME: ClassVar[str] = "TRAIN_RUN_STARTED"
    run_id: str
    model_id: str
    metric_primary: str
    config: dict[str, Any]


class TrainProgress(Payload, frozen=True, kw_only=True):
    """How far a run is; ``step`` rises by one with every such event of the run. ``eta_s`` in seconds."""

    NAME: ClassVar[str] = "TRAIN_PROGRESS"
    STATE: ClassVar[bool] = False
    run_id: str
    epoch: int
    epochs: int
    step: int
    steps: int
    pct: Pct
    eta_s: float | None
    phase: Phase


class MetricScalar(Payload, frozen=True, kw_only=True):
    """A value that was measured on data; null where it was not finite."""

    NAME: ClassVar[str] = "METRIC_SCALAR"
    STATE: ClassVar[bool] = False
    run_id: str
    name: str
    split: Split
    step: int
    value: float | None
    source: Literal["measured"] = "measured"


class GdDiagnostic(Payload, frozen=True, kw_only=True):
    """What an optimiser says of itself (learning rate, gradient norm, coefficient norm, …)."""

    NAME: ClassVar[str] = "GD_DIAGNOSTIC"
    STATE: ClassVar[bool] = False
    run_id: str
    step: int
    diagnostics: dict[str, float | None]


class LeaderboardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the leaderboard. ``metric`` is the primary metric on the validation rows, null if there is none;
    ``runtime_s`` in seconds."""

    run_id: str
    model: str
    params: dict[str, Any]
    metric: float | None
    runtime_s: float
    status: str
    reason: str | UnsetType = UNSET


class LeaderboardUpdated(Payload, frozen=True, kw_only=True):
    """All runs, best first."""

    NAME: ClassVar[str] = "LEADERBOARD_UPDATED"
    rows: tuple[LeaderboardRow, ...]


class BestMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value of a metric."""

    name: str
    split: Split
    value: float | None


class BestModelUpdated(Payload, frozen=True, kw_only=True):
    """A run took the lead."""

    NAME: ClassVar[str] = "BEST_MODEL_UPDATED"
    run_id: str
    model_id: str
    metric: BestMetric


class ResourceStats(Payload, frozen=True, kw_only=True):
    """What a run's process group uses: CPU in percent of one core, memory in MiB."""

    NAME: ClassVar[str] = "RESOURCE_STATS"
    STATE: ClassVar[bool] = False
    run_id: str
    cpu_pct: float
    ram_mb: float
    gpu_pct: float | None = None
    vram_mb: float | None = None
    step_per_sec: float | None = None


class FinalMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One of a run's final metrics."""

    name: str
    split: Split
    value: float | None


class FinalMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to; ``primary`` names the metric that decides."""

    task_type: str
    primary: str
    metrics: tuple[FinalMetric, ...] = ()


class TrainRunFinished(Payload, frozen=True, kw_only=True):
    """A run has ended; its last event. ``reason`` says why where it is no success."""

    NAME: ClassVar[str] = "TRAIN_RUN_FINISHED"
    run_id: str
    status: RunStatus
    final_metrics: FinalMetrics
    reason: str | UnsetType = UNSET


# -- evaluation --------------------------------------------------------------------------------------------


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


# -- review and export -------------------------------------------------------------------------------------


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
    asset_url: str
    contents: tuple[str, ...]
    checksum: str


def _concrete(base: type[Payload]) -> list[type[Payload]]:
    found = [base] if "NAME" in vars(base) else []
    for sub in base.__subclasses__():
        found += _concrete(sub)
    return found


#: Every event of the contract by its name on the wire.
EVENT_TYPES: dict[str, type[Payload]] = {cls.NAME: cls for cls in _concrete(Payload)}
