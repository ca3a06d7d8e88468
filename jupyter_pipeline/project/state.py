"""A project's state: the fold of its log, and nothing else.

:func:`evolve` takes a state and an event and gives the next state. States are never changed in place.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from ..protocol.events import (
    Artifact,
    ArtifactAdded,
    BestMetric,
    BestModelUpdated,
    Dataset,
    DatasetCandidates,
    DatasetSampleReady,
    ExportReady,
    LeaderboardRow,
    LeaderboardUpdated,
    ModelCandidate,
    ModelCandidates,
    Payload,
    PlanApproved,
    PlanProposed,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    User,
    WaitingConfirmation,
)
from ..protocol.frames import Event, stage_ref
from ..protocol.snapshot import Decision, Run
from ..protocol.stages import STAGES, StageId, StageRef, StageStatus

P = TypeVar("P", bound=Payload)


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """An open gate; ``seq`` is the event that opened it."""

    gate_id: str
    digest: str
    summary: str
    next_actions: tuple[str, ...]
    seq: int


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """How a stage stands.

    ``attempt`` names the folder with its result (0: none yet); ``proposed`` is the plan as the stage proposed
    it, ``plan`` as it is now; ``approved`` says that a person confirmed ``plan``; ``ended_by`` is who stopped it, where
    somebody did.
    """

    id: StageId
    status: StageStatus = StageStatus.PENDING
    message: str = ""
    attempt: int = 0
    params: dict[str, Any] = {}
    fingerprint: str = ""
    reused: bool = False
    retry: bool = False
    skip_runs: tuple[str, ...] = ()
    proposed: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    plan_id: str = ""
    approved: bool = False
    gate: Gate | None = None
    started_ts: int | None = None
    ended_ts: int | None = None
    ended_by: User | None = None


class Work(msgspec.Struct, frozen=True):
    """The attempt that a worker should be at."""

    attempt: int
    stage_id: StageId
    finishing: bool = False
    last_run: int | None = None
    """The number in the attempt of the run after which it finishes: the one at work when that was asked or, of an
    attempt that began with it, its first one. None: it is not so asked."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's result that can serve again while the fingerprint of its inputs is the same."""

    attempt: int
    proposed: dict[str, Any]
    plan: dict[str, Any]
    summary: str = ""
    next_actions: tuple[str, ...] = ()
    leaderboard: tuple[LeaderboardRow, ...] = ()


class ProjectState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is true of a project at ``seq``."""

    project_id: str
    epoch: str
    seq: int = 0
    ts: int = 0
    stages: tuple[StageState, ...] = tuple(StageState(id=s) for s in STAGES)
    current: StageId = StageId.PARSE_INTENT
    attempts: int = 0
    work: Work | None = None
    runs: dict[str, Run] = {}
    leaderboard: tuple[LeaderboardRow, ...] = ()
    best: BestModelUpdated | None = None
    artifacts: dict[str, Artifact] = {}
    datasets: tuple[Dataset, ...] = ()
    columns: tuple[str, ...] = ()
    models: tuple[ModelCandidate, ...] = ()
    decisions: tuple[Decision, ...] = ()
    saved: dict[str, Saved] = {}
    export: ExportReady | None = None
    before: dict[StageId, dict[str, Any]] = {}
    """Plans as they were before the last change for which stages ran again: what can be taken back."""

    def stage(self, stage_id: StageId) -> StageState:
        """One stage."""
        return self.stages[stage_id.order]

    @property
    def here(self) -> StageState:
        """The stage that the project is at."""
        return self.stages[self.current.order]

    @property
    def ref(self) -> StageRef:
        """The current stage as the envelope names it."""
        return stage_ref(self.current, self.here.status)

    def open_runs(self) -> list[Run]:
        """Runs that have not finished."""
        return [run for run in self.runs.values() if run.status == "running"]


def runs_of(state: ProjectState, attempt: int) -> list[Run]:
    """The runs that an attempt has begun, in order."""
    return [run for run in state.runs.values() if run.attempt == attempt]


def ref_after(state: ProjectState, payload: Payload) -> StageRef:
    """The envelope's stage for an event that comes next: the stage it speaks of, or the current one."""
    if isinstance(payload, StageStatusEvent):
        return stage_ref(payload.stage_id, payload.status)
    return state.ref


def ended_by(p: StageStatusEvent) -> User | None:
    """Who stopped a stage that failed; None where it failed by itself, or did not fail."""
    return p.by if p.status is StageStatus.FAILED and isinstance(p.by, User) else None


def evolve(state: ProjectState, event: Event) -> ProjectState:
    """The state after an event."""
    fold = _FOLDS.get(type(event.payload))
    if fold is not None:
        state = fold(state, event.payload, event)
    return replace(state, seq=event.seq, ts=event.ts)


def _with_stage(state: ProjectState, stage: StageState, **changes: Any) -> ProjectState:
    stages = (*state.stages[: stage.id.order], stage, *state.stages[stage.id.order + 1 :])
    return replace(state, stages=stages, **changes)


def _without_results(state: ProjectState, work: Work) -> ProjectState:
    """Without what an attempt announced that never came to its result: its files are gone."""
    folder = f"artifacts/{work.stage_id.value.lower()}-{work.attempt}/"
    bundle = f"exports/{state.project_id}-{work.attempt}.zip"
    artifacts = {
        asset_id: artifact
        for asset_id, artifact in state.artifacts.items()
        if not (path := str(artifact.meta.get("path", ""))).startswith(folder) and path != bundle
    }
    if len(artifacts) == len(state.artifacts):
        return state
    export = state.export
    if export is not None and export.asset_url not in {artifact.url for artifact in artifacts.values()}:
        export = None
    return replace(state, artifacts=artifacts, export=export)


def _before(state: ProjectState, p: StageStatusEvent) -> dict[StageId, dict[str, Any]]:
    """The plans that a person's change replaces; none if a stage only runs again, or reads another request."""
    old = state.stage(p.stage_id)
    params = {} if p.params is UNSET else p.params
    if params.get("prompt") != old.params.get("prompt"):
        return {}
    changed = [old] if params != old.params or old.plan != old.proposed else []
    changed += [state.stage(s) for s in p.stage_id.later if state.stage(s).params]
    return {stage.id: stage.plan for stage in changed if stage.plan is not None}


def _stage_status(state: ProjectState, p: StageStatusEvent, event: Event) -> ProjectState:
    work = state.work
    if work is not None and work.stage_id is p.stage_id:
        again = p.status is StageStatus.IN_PROGRESS and p.attempt is not UNSET and p.attempt != work.attempt
        if again or p.status in (StageStatus.PENDING, StageStatus.FAILED):
            state = _without_results(state, work)
    stage = replace(state.stage(p.stage_id), status=p.status, message=p.message, ended_by=ended_by(p))
    changes: dict[str, Any] = {}
    if state.work is not None and state.work.stage_id is p.stage_id:
        changes["work"] = None
    match p.status:
        case StageStatus.PENDING:
            params = {} if p.params is UNSET else p.params
            stage = StageState(
                id=p.stage_id, message=p.message, params=params, plan=stage.plan, proposed=stage.proposed
            )
        case StageStatus.IN_PROGRESS:
            attempt = stage.attempt if p.attempt is UNSET else p.attempt
            if isinstance(p.by, User) and attempt != stage.attempt:
                changes["before"] = _before(state, p)
            stage = replace(
                stage,
                attempt=attempt,
                params=stage.params if p.params is UNSET else p.params,
                fingerprint=stage.fingerprint if p.fingerprint is UNSET else p.fingerprint,
                reused=p.reused is True,
                retry=p.retry is True,
                skip_runs=() if p.skip_runs is UNSET else p.skip_runs,
                approved=False,
                gate=None,
                started_ts=stage.started_ts if p.finishing is True and attempt == stage.attempt else event.ts,
                ended_ts=None,
            )
            changes["current"] = p.stage_id
            changes["attempts"] = max(state.attempts, attempt)
            if not stage.reused:
                last = None
                if p.last_run is True:
                    last = 1 if work is None or work.attempt != attempt else len(runs_of(state, attempt))
                changes["work"] = Work(attempt, p.stage_id, p.finishing is True, last)
        case StageStatus.WAITING_CONFIRMATION:
            stage = replace(stage, gate=None, approved=False, ended_ts=stage.ended_ts or event.ts)
        case _:
            stage = replace(stage, gate=None, ended_ts=stage.ended_ts or event.ts)
    return _with_stage(state, stage, **changes)


def _waiting(state: ProjectState, p: WaitingConfirmation, event: Event) -> ProjectState:
    gate = Gate(gate_id=p.gate_id, digest=p.digest, summary=p.summary, next_actions=p.next_actions, seq=event.seq)
    stage = replace(state.stage(p.stage_id), gate=gate)
    saved = state.saved
    if stage.fingerprint and stage.plan is not None and stage.proposed is not None:
        board = state.leaderboard if p.stage_id is StageId.TRAIN else ()
        kept = Saved(
            attempt=stage.attempt,
            proposed=stage.proposed,
            plan=stage.plan,
            summary=p.summary,
            next_actions=p.next_actions,
            leaderboard=board,
        )
        saved = {**saved, stage.fingerprint: kept}
    return _with_stage(state, stage, saved=saved)


def _proposed(state: ProjectState, p: PlanProposed, event: Event) -> ProjectState:
    stage = state.stage(p.stage_id)
    by_stage = p.by is UNSET
    saved = state.saved.get(stage.fingerprint)
    proposed = p.plan_json if by_stage else stage.proposed
    if stage.reused and saved is not None:
        proposed = saved.proposed
    return _with_stage(state, replace(stage, plan=p.plan_json, proposed=proposed, plan_id=p.plan_id, approved=False))


def _approved(state: ProjectState, p: PlanApproved, event: Event) -> ProjectState:
    stage = replace(state.stage(p.stage_id), approved=True, gate=None)
    decision = Decision(
        stage_id=p.stage_id, plan_id=p.plan_id, plan=stage.plan or {}, by=p.by, ts=event.ts, seq=event.seq
    )
    return _with_stage(state, stage, decisions=(*state.decisions, decision))


def _run_started(state: ProjectState, p: TrainRunStarted, event: Event) -> ProjectState:
    run = Run(
        run_id=p.run_id,
        model_id=p.model_id,
        attempt=state.work.attempt if state.work else 0,
        metric_primary=p.metric_primary,
        config=p.config,
        started_ts=event.ts,
    )
    return replace(state, runs={**state.runs, p.run_id: run})


def _run_finished(state: ProjectState, p: TrainRunFinished, event: Event) -> ProjectState:
    run = replace(
        state.runs[p.run_id],
        status=p.status,
        final_metrics=p.final_metrics,
        reason=None if p.reason is UNSET else p.reason,
        finished_ts=event.ts,
    )
    best = state.best
    if p.status != "success" and best is not None and best.run_id == p.run_id:
        # It led when it was measured, but came to nothing: the lead goes back to the best that finished.
        best = _leader(state.leaderboard, state.runs)
    return replace(state, runs={**state.runs, p.run_id: run}, best=best)


def _leaderboard(state: ProjectState, p: LeaderboardUpdated, event: Event) -> ProjectState:
    best = state.best
    if best is not None and p.rows and best.run_id not in {row.run_id for row in p.rows}:
        best = _leader(p.rows, state.runs)  # it led in another training
    return replace(state, leaderboard=p.rows, best=best)


def _leader(rows: tuple[LeaderboardRow, ...], runs: Mapping[str, Run]) -> BestModelUpdated | None:
    for row in rows:
        if row.status == "success" and row.run_id in runs:
            value = BestMetric(name=runs[row.run_id].metric_primary, split="val", value=row.metric)
            return BestModelUpdated(run_id=row.run_id, model_id=row.model, metric=value)
    return None


def _artifact(state: ProjectState, p: ArtifactAdded, event: Event) -> ProjectState:
    return replace(state, artifacts={**state.artifacts, p.artifact.id: p.artifact})


_FOLDS: dict[type[Payload], Callable[[ProjectState, Any, Event], ProjectState]] = {
    StageStatusEvent: _stage_status,
    WaitingConfirmation: _waiting,
    PlanProposed: _proposed,
    PlanApproved: _approved,
    TrainRunStarted: _run_started,
    TrainRunFinished: _run_finished,
    ArtifactAdded: _artifact,
    LeaderboardUpdated: _leaderboard,
    BestModelUpdated: lambda state, p, event: replace(state, best=p),
    DatasetCandidates: lambda state, p, event: replace(state, datasets=p.datasets),
    DatasetSampleReady: lambda state, p, event: replace(state, columns=p.columns),
    ModelCandidates: lambda state, p, event: replace(state, models=p.models),
    ExportReady: lambda state, p, event: replace(state, export=p),
}
