"""A project's state as clients ask for it, and as an agent is told it."""

from typing import Any

import msgspec

from ..agent.base import Context
from ..protocol.stages import StageId
from .state import ProjectState


def snapshot(state: ProjectState) -> dict[str, Any]:
    """The state of a project as JSON values, for ``GET /state``."""
    here = state.here
    waiting = None
    if here.gate is not None:
        waiting = {
            "stage_id": here.id,
            "gate_id": here.gate.gate_id,
            "digest": here.gate.digest,
            "summary": here.gate.summary,
            "next_actions": here.gate.next_actions,
            "plan_id": here.plan_id,
            "plan_json": here.plan,
        }
    result: dict[str, Any] = msgspec.to_builtins(
        {
            "project_id": state.project_id,
            "epoch": state.epoch,
            "seq": state.seq,
            "current_stage": state.current,
            "stages": [
                {
                    "id": s.id,
                    "index": s.id.order,
                    "status": s.status,
                    "message": s.message,
                    "attempt": s.attempt,
                    "reused": s.reused,
                    "approved": s.approved,
                    "plan_id": s.plan_id,
                    "plan_json": s.plan,
                    "started_ts": s.started_ts,
                    "ended_ts": s.ended_ts,
                }
                for s in state.stages
            ],
            "waiting_confirmation": waiting,
            "decisions": state.decisions,
            "runs": list(state.runs.values()),
            "leaderboard": state.leaderboard,
            "best_model": state.best,
            "datasets": state.datasets,
            "columns": state.columns,
            "models": state.models,
            "artifacts": list(state.artifacts.values()),
            "export": state.export,
        }
    )
    return result


def context(state: ProjectState) -> Context:
    """What an agent is told of a project."""
    data = state.stage(StageId.DATA_SOURCE).plan or {}
    return Context(
        current_stage=state.current,
        status=state.here.status,
        plans={s.id: s.plan for s in state.stages if s.plan is not None},
        columns=state.columns,
        models=state.models,
        datasets=state.datasets,
        leaderboard=state.leaderboard,
        best_run=state.best.run_id if state.best else None,
        task_type=data.get("task_type"),
    )
