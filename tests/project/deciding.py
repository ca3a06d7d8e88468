"""Projects in memory, brought to a gate by what decide makes of commands."""

from typing import Any

from jupyter_pipeline.project.commands import (
    Env,
    Say,
    WorkDone,
    WorkEvents,
)
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.events import (
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    Payload,
    TrainRunFinished,
    TrainRunStarted,
    User,
)
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import Confirm
from jupyter_pipeline.protocol.stages import StageId

USER = User("ada", "Ada")
PLANS: dict[StageId, dict[str, Any]] = {
    StageId.PARSE_INTENT: {"task_type": "binary", "target": "churn"},
    StageId.DATA_SOURCE: {"dataset_id": "upload:a.csv", "target": "y", "task_type": "binary", "metric": "roc_auc"},
    StageId.PROFILE_DATA: {"roles": {"x": "feature", "y": "target"}},
    StageId.PREPROCESS: {"split": {}, "columns": {"x": "numeric"}},
    StageId.MODEL_SELECT: {"models": [{"id": "linear"}], "time_budget_s": 60, "metric": "roc_auc"},
    StageId.TRAIN: {"keep": "run-1", "threshold": 0.5},
    StageId.REVIEW_EDIT: {},
    StageId.EXPORT: {},
}


def said(attempt: int, *payloads: Payload) -> WorkEvents:
    """What a worker says."""
    return WorkEvents(attempt, payloads)


def env(ts: int = 1000) -> Env:
    return Env(ts=ts, user=USER)


def play(state: ProjectState, *commands: Any) -> ProjectState:
    for command in commands:
        _, state = decide(state, command, env())
    return state


def new_state() -> ProjectState:
    return ProjectState(project_id="demo", epoch="0123456789abcdef")


def done(state: ProjectState, summary: str = "ready", **changes: Any) -> WorkDone:
    assert state.work is not None
    plan = {**PLANS[state.work.stage_id], **changes}
    return WorkDone(Done(attempt=state.work.attempt, plan=plan, summary=summary))


def at_gate(stage_id: StageId) -> ProjectState:
    """A project whose gate of this stage is open."""
    state = play(new_state(), Say("predict churn"))
    while True:
        assert state.work is not None
        if state.current is StageId.TRAIN:
            state = play(
                state,
                said(
                    state.work.attempt,
                    TrainRunStarted(run_id="run-1", model_id="linear", metric_primary="roc_auc", config={}),
                ),
                said(
                    state.work.attempt,
                    TrainRunFinished(
                        run_id="run-1",
                        status="success",
                        final_metrics=FinalMetrics(task_type="binary", primary="roc_auc"),
                    ),
                ),
                said(
                    state.work.attempt,
                    LeaderboardUpdated(
                        rows=(
                            LeaderboardRow(
                                run_id="run-1", model="linear", params={}, metric=0.5, runtime_s=1.0, status="success"
                            ),
                        )
                    ),
                ),
            )
        state = play(state, done(state))
        if state.current is stage_id:
            return state
        state = play(state, Confirm())
