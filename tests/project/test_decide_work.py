"""What workers may say, and how much of it a project takes."""

import msgspec
import pytest

from jupyter_pipeline.project.commands import Say, WorkDone
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.work_turn import MOST_THINGS
from jupyter_pipeline.protocol.events import (
    Artifact,
    ArtifactAdded,
    FinalMetrics,
    LogLine,
    MetricScalar,
    Payload,
    PlanApproved,
    PlanProposed,
    PlanRejected,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    WaitingConfirmation,
)
from jupyter_pipeline.protocol.messages import Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .deciding import USER, at_gate, done, env, new_state, play, said


def test_a_worker_cannot_decide_nor_speak_for_others() -> None:
    """Edited training code can send any event that there is."""
    state = play(new_state(), Say("predict churn"))
    assert state.work is not None
    stage, attempt = StageId.PARSE_INTENT, state.work.attempt
    line = LogLine(run_id="chat", level="info", text="x", source="TRAIN")
    lies = (
        PlanApproved(stage_id=stage, plan_id="plan-1", by=USER),
        PlanRejected(stage_id=stage, plan_id="plan-1", by=USER),
        PlanProposed(stage_id=stage, plan_json={}, plan_id="plan-1", patch=(), reruns=(), keeps=()),
        StageStatusEvent(stage_id=StageId.EXPORT, status=StageStatus.COMPLETED, message="x"),
        WaitingConfirmation(stage_id=stage, summary="x", next_actions=(), gate_id="g", digest="d"),
        *(msgspec.structs.replace(line, source=source) for source in ("user", "assistant", "command", "data")),
        msgspec.structs.replace(line, by=USER),
    )
    assert decide(state, said(attempt, *lies), env())[0] == ()
    assert len(decide(state, said(attempt, *lies, line), env())[0]) == 1
    result = done(state)
    told, _ = decide(state, result, env())
    lied, _ = decide(state, WorkDone(result.done, lies), env())
    assert lied == told


def test_a_run_speaks_between_its_beginning_and_its_end() -> None:
    state = play(at_gate(StageId.MODEL_SELECT), Confirm())
    assert state.work is not None
    attempt = state.work.attempt
    begins = TrainRunStarted(run_id="r", model_id="m", metric_primary="f1", config={})
    measures = MetricScalar(run_id="r", name="f1", split="val", step=1, value=0.5)
    ends = TrainRunFinished(run_id="r", status="success", final_metrics=FinalMetrics(task_type="binary", primary="f1"))
    assert decide(state, said(attempt, measures, ends), env())[0] == ()
    events, state = decide(state, said(attempt, begins, measures, ends, measures, begins, ends), env())
    assert [event.payload for event in events] == [begins, measures, ends]
    assert decide(state, said(attempt, measures, begins, ends), env())[0] == ()


@pytest.mark.parametrize(("kind", "with_result"), [("runs", False), ("assets", False), ("assets", True)])
def test_a_project_has_so_many_runs_and_assets(kind: str, with_result: bool) -> None:
    """All of them are copied, each time that one is added."""
    state = play(new_state(), Say("predict churn"))
    assert state.work is not None

    def some(start: int, end: int) -> list[Payload]:
        numbers = range(start, end)
        if kind == "runs":
            return [TrainRunStarted(run_id=f"r{n}", model_id="m", metric_primary="f1", config={}) for n in numbers]
        made = [Artifact(id=f"a{n}", type="t", name="n", url="u", meta={}) for n in numbers]
        return [ArtifactAdded(artifact=one) for one in made]

    state = play(state, said(state.work.attempt, *some(0, 5)))
    assert state.work is not None
    too_many = some(5, MOST_THINGS + 1)
    last = WorkDone(done(state).done, tuple(too_many)) if with_result else said(state.work.attempt, *too_many)
    state = play(state, last)
    assert state.here.status is StageStatus.FAILED
    assert f"more than 20,000 {kind}" in state.here.message
    assert len(state.runs if kind == "runs" else state.artifacts) <= 5
    assert not state.open_runs()
