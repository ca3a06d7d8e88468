"""What the REST calls say of projects, as types: the list's entries, and the snapshot of ``GET /state``."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from .events import (
    Artifact,
    BestModelUpdated,
    Dataset,
    ExportReady,
    FinalMetrics,
    LeaderboardRow,
    ModelCandidate,
    User,
)
from .frames import CommandSpec
from .stages import StageId, StageStatus


class ProjectEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A project in the list of projects: the stage that it is at, and how that stands.

    ``working`` says that a stage is running. ``ended_by`` is who stopped the stage, where it is FAILED because somebody
    did; else it is left out. ``updated_ts`` is Unix time in milliseconds.
    """

    project_id: str
    epoch: str
    seq: int
    updated_ts: int
    current_stage: StageId
    status: StageStatus
    working: bool
    ended_by: User | UnsetType = UNSET


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided at a gate, by whom and when (Unix milliseconds)."""

    stage_id: StageId
    plan_id: str
    plan: dict[str, Any]
    by: User
    ts: int
    seq: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A training run. ``status`` is ``running`` until it has finished."""

    run_id: str
    model_id: str
    attempt: int
    metric_primary: str
    config: dict[str, Any]
    status: str = "running"
    final_metrics: FinalMetrics | None = None
    reason: str | None = None
    started_ts: int
    finished_ts: int | None = None


class StageSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How a stage stands. ``attempt`` is 0 before the first; times are Unix milliseconds.

    ``ended_by`` is who stopped it, where it is FAILED because somebody did; else it is left out.
    """

    id: StageId
    index: int
    status: StageStatus
    message: str
    attempt: int
    reused: bool
    approved: bool
    plan_id: str
    plan_json: dict[str, Any] | None
    started_ts: int | None
    ended_ts: int | None
    ended_by: User | UnsetType = UNSET


class OpenGate(msgspec.Struct, frozen=True, kw_only=True):
    """The gate that is open, and what it proposes."""

    stage_id: StageId
    gate_id: str
    digest: str
    summary: str
    next_actions: tuple[str, ...]
    plan_id: str
    plan_json: dict[str, Any]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is true of a project at ``seq``."""

    project_id: str
    epoch: str
    seq: int
    current_stage: StageId
    stages: tuple[StageSnapshot, ...]
    waiting_confirmation: OpenGate | None
    decisions: tuple[Decision, ...]
    runs: tuple[Run, ...]
    leaderboard: tuple[LeaderboardRow, ...]
    best_model: BestModelUpdated | None
    datasets: tuple[Dataset, ...]
    columns: tuple[str, ...]
    models: tuple[ModelCandidate, ...]
    artifacts: tuple[Artifact, ...]
    export: ExportReady | None
    commands: tuple[CommandSpec, ...]
