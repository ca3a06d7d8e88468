"""A project's state as clients ask for it, and as an agent is told it."""

from msgspec import UNSET

from ..agent.base import AtWork, Context, Measured
from ..protocol.events import ExportProgress, ProfileProgress, TrainProgress
from ..protocol.frames import CommandSpec
from ..protocol.snapshot import OpenGate, Snapshot, StageSnapshot
from ..protocol.stages import StageId, StageStatus
from .plans import plan_to_come
from .state import ProjectState


def snapshot(state: ProjectState, commands: tuple[CommandSpec, ...] = ()) -> Snapshot:
    """The state of a project, for ``GET /state``, with the commands that it takes."""
    here = state.here
    waiting = None
    if here.gate is not None:
        waiting = OpenGate(
            stage_id=here.id,
            gate_id=here.gate.gate_id,
            digest=here.gate.digest,
            summary=here.gate.summary,
            next_actions=here.gate.next_actions,
            plan_id=here.plan_id,
            plan_json=here.plan or {},
        )
    return Snapshot(
        project_id=state.project_id,
        epoch=state.epoch,
        seq=state.seq,
        current_stage=state.current,
        stages=tuple(
            StageSnapshot(
                id=s.id,
                index=s.id.order,
                status=s.status,
                message=s.message,
                attempt=s.attempt,
                reused=s.reused,
                approved=s.approved,
                plan_id=s.plan_id,
                plan_json=s.plan,
                started_ts=s.started_ts,
                ended_ts=s.ended_ts,
                ended_by=s.ended_by or UNSET,
            )
            for s in state.stages
        ),
        waiting_confirmation=waiting,
        decisions=state.decisions,
        runs=tuple(state.runs.values()),
        leaderboard=state.leaderboard,
        best_model=state.best,
        datasets=state.datasets,
        columns=state.columns,
        models=state.models,
        artifacts=tuple(state.artifacts.values()),
        export=state.export,
        commands=commands,
    )


def _summary(state: ProjectState) -> str:
    here = state.here
    if here.gate is not None:
        return here.gate.summary
    return here.message if here.status in (StageStatus.FAILED, StageStatus.COMPLETED) else ""


Progress = TrainProgress | ProfileProgress | ExportProgress


def context(state: ProjectState, now: int, measured: Measured, told: tuple[int, Progress] | None = None) -> Context:
    """What an agent is told of a project.

    Parameters
    ----------
    state : ProjectState
    now : int
        Unix milliseconds.
    measured : Measured
    told : (int, Progress) or None
        What work said last of how far it is, and when.
    """
    data = state.stage(StageId.DATA_SOURCE).plan or {}
    return Context(
        current_stage=state.current,
        status=state.here.status,
        plans={s.id: plan for s in state.stages if (plan := plan_to_come(s)) is not None},
        columns=state.columns,
        models=state.models,
        datasets=state.datasets,
        leaderboard=state.leaderboard,
        best_run=state.best.run_id if state.best else None,
        task_type=data.get("task_type"),
        summary=_summary(state),
        proposed=state.here.proposed if state.here.gate is not None else None,
        before=state.before,
        changed={
            s.id: s.proposed for s in state.stages if s.approved and s.proposed is not None and s.proposed != s.plan
        },
        at_work=_at_work(state, now, told),
        measured=measured,
    )


def _at_work(state: ProjectState, now: int, told: tuple[int, Progress] | None) -> AtWork | None:
    work, here = state.work, state.here
    if work is None or here.started_ts is None:
        return None
    run = next(iter(state.open_runs()), None)
    pct: float | None = None
    eta: float | None = None
    match told:
        case (ts, TrainProgress(run_id=run_id, eta_s=float(left))) if run is not None and run_id == run.run_id:
            eta = max(0.0, left - (now - ts) / 1000)
        case (ts, ProfileProgress(pct=done)) if work.stage_id is StageId.PROFILE_DATA and ts >= here.started_ts:
            pct = done
        case (ts, ExportProgress(pct=done)) if work.stage_id is StageId.EXPORT and ts >= here.started_ts:
            pct = done
    mine = {r.model_id for r in state.runs.values() if r.attempt == work.attempt}
    return AtWork(
        seconds=max(0.0, (now - here.started_ts) / 1000),
        pct=pct,
        model=None if run is None else run.model_id,
        eta_s=eta,
        begun=frozenset(mine),
        finishing=work.finishing,
        last_run=work.last_run is not None,
    )
