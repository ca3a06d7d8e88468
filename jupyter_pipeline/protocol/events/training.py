"""Events of MODEL_SELECT and TRAIN."""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from .base import Payload, Pct, Phase, RunStatus, Split


class ModelCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be trained, and what speaks for it; ``requirements`` are package names. ``left_out`` says why it
    is not among those proposed, where it is not."""

    id: str
    name: str
    family: str
    why: str
    requirements: tuple[str, ...] = ()
    cost_s: float | None = None
    params: dict[str, Any] = {}
    left_out: str | UnsetType = UNSET


class ModelCandidates(Payload, frozen=True, kw_only=True):
    """Models to choose from."""

    NAME: ClassVar[str] = "MODEL_CANDIDATES"
    models: tuple[ModelCandidate, ...]


class ModelSelected(Payload, frozen=True, kw_only=True):
    """A model that will be trained (before TRAIN), or the one that was kept (after it)."""

    NAME: ClassVar[str] = "MODEL_SELECTED"
    STATE: ClassVar[bool] = False
    model_id: str


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
    ``runtime_s`` in seconds; ``threshold`` was chosen for this run on the validation rows, null for 0.5."""

    run_id: str
    model: str
    params: dict[str, Any]
    metric: float | None
    runtime_s: float
    status: str
    reason: str | UnsetType = UNSET
    threshold: float | UnsetType | None = UNSET


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
