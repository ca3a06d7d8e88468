"""Arbitrary sequences of commands against decide and evolve: what must never happen, whatever is asked."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_pipeline.agent.base import Change, Reply, Restart
from jupyter_pipeline.project.commands import (
    Answer,
    FinishOverdue,
    Recover,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkFailed,
)
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.state import evolve
from jupyter_pipeline.protocol.errors import Refusal
from jupyter_pipeline.protocol.events import (
    FinalMetrics,
    MetricScalar,
    TrainRunFinished,
    TrainRunStarted,
)
from jupyter_pipeline.protocol.frames import decode_event, encode_event
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import CancelRun, Confirm, RestartStage, SelectDataset, UpdatePlan
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .deciding import PLANS, env, new_state, said


class ProjectMachine(RuleBasedStateMachine):
    """Anything in any order. The invariants are what clients rely on."""

    def __init__(self) -> None:
        super().__init__()
        self.state = new_state()
        self.frames: list[bytes] = []
        self.finished: dict[str, str] = {}
        self.completed: dict[tuple[StageId, int], StageStatus] = {}
        self.runs = 0
        self.ts = 0

    def do(self, command: Any) -> None:
        self.ts += 1
        before = self.state
        try:
            events, after = decide(before, command, env(self.ts))
        except Refusal:
            return
        for number, event in enumerate(events, start=before.seq + 1):
            assert event.seq == number
            self.frames.append(encode_event("demo", event))
            self._check_transition(event.payload)
        self.state = after

    def _check_transition(self, payload: Any) -> None:
        if isinstance(payload, TrainRunStarted):
            assert payload.run_id not in self.finished
        if isinstance(payload, TrainRunFinished):
            assert payload.run_id not in self.finished, "a finished run changed its status"
            self.finished[payload.run_id] = payload.status
        if isinstance(payload, MetricScalar):
            assert payload.run_id not in self.finished, "a finished run went on"

    @rule(text=st.sampled_from(["predict churn", "use random forest"]))
    def say(self, text: str) -> None:
        self.do(Say(text))

    @rule()
    def confirm(self) -> None:
        self.do(Confirm())

    @rule(seen=st.integers(0, 200))
    def bare_confirm(self, seen: int) -> None:
        self.do(SeenConfirm(Confirm(), seen))

    @rule(stage_id=st.sampled_from(STAGES), params=st.sampled_from([{}, {"prompt": "again"}, {"nonsense": 1}]))
    def restart(self, stage_id: StageId, params: dict[str, Any]) -> None:
        from jupyter_pipeline.project.plans import checked_params

        try:
            checked_params(self.state, stage_id, params)
        except Refusal:
            return
        self.do(RestartStage(stage_id=stage_id, params=params))

    @rule(mode=st.sampled_from(["stop", "finish", "now"]), which=st.booleans())
    def cancel(self, mode: Any, which: bool) -> None:
        runs = self.state.open_runs()
        self.do(CancelRun(mode=mode, run_id=runs[0].run_id if which and runs else None))

    @rule(stage_id=st.sampled_from(STAGES))
    def update(self, stage_id: StageId) -> None:
        self.do(UpdatePlan(stage_id=stage_id, patch=({"op": "replace", "path": "/time_budget_s", "value": self.ts},)))

    @rule()
    def select(self) -> None:
        self.do(SelectDataset(dataset_id="upload:a.csv"))

    @rule(stage_id=st.sampled_from(STAGES))
    def agent_restarts(self, stage_id: StageId) -> None:
        self.do(Answer(Reply(text="ok", actions=(Restart(stage_id=stage_id),))))

    @rule(stage_id=st.sampled_from(STAGES), value=st.sampled_from([1, 60, "x"]))
    def agent_changes(self, stage_id: StageId, value: Any) -> None:
        patch = ({"op": "add", "path": "/time_budget_s", "value": value},)
        self.do(Answer(Reply(text="ok", actions=(Change(stage_id=stage_id, patch=patch),))))

    @rule(late=st.booleans())
    def work_is_done(self, late: bool) -> None:
        attempt = self.state.attempts - late
        plan = PLANS[self.state.current]
        self.do(WorkDone(Done(attempt=attempt, plan=plan, summary="ready")))

    @rule(late=st.booleans())
    def work_fails(self, late: bool) -> None:
        self.do(WorkFailed(self.state.attempts - late, "it broke"))

    @rule()
    def work_dies(self) -> None:
        self.do(WorkDied(self.state.attempts, "it died"))

    @rule()
    def overdue(self) -> None:
        self.do(FinishOverdue(self.state.attempts))

    @rule()
    def recover(self) -> None:
        self.do(Recover())

    @precondition(lambda self: self.state.work is not None)
    @rule(late=st.booleans())
    def run_starts(self, late: bool) -> None:
        self.runs += 1
        payload = TrainRunStarted(run_id=f"run-{self.runs}", model_id="linear", metric_primary="roc_auc", config={})
        self.do(said(self.state.attempts - late, payload))

    @precondition(lambda self: self.runs > 0)
    @rule(data=st.data())
    def run_speaks(self, data: st.DataObject) -> None:
        run_id = f"run-{data.draw(st.integers(1, self.runs))}"
        payload: Any = data.draw(
            st.sampled_from(
                [
                    MetricScalar(run_id=run_id, name="loss", split="val", step=1, value=0.1),
                    TrainRunFinished(
                        run_id=run_id,
                        status="success",
                        final_metrics=FinalMetrics(task_type="binary", primary="roc_auc"),
                    ),
                    TrainRunStarted(run_id=run_id, model_id="linear", metric_primary="roc_auc", config={}),
                ]
            )
        )
        self.do(said(self.state.attempts, payload))

    @invariant()
    def state_is_the_fold_of_the_log(self) -> None:
        state = new_state()
        for frame in self.frames:
            state = evolve(state, decode_event(frame))
        assert msgspec.json.encode(state) == msgspec.json.encode(self.state)

    @invariant()
    def stages_stand_in_order(self) -> None:
        here = self.state.current.order
        for stage in self.state.stages[:here]:
            assert stage.status is StageStatus.COMPLETED
        for stage in self.state.stages[here + 1 :]:
            assert stage.status is StageStatus.PENDING

    @invariant()
    def work_and_gate_exclude_each_other(self) -> None:
        here = self.state.here
        assert (self.state.work is not None) == (here.status is StageStatus.IN_PROGRESS)
        assert (here.gate is not None) == (here.status is StageStatus.WAITING_CONFIRMATION)
        if self.state.work is None:
            assert not self.state.open_runs()

    @invariant()
    def what_is_approved_is_logged(self) -> None:
        for stage in self.state.stages:
            if stage.status is StageStatus.COMPLETED and stage.id is not StageId.EXPORT:
                assert any(d.stage_id is stage.id and d.plan == stage.plan for d in self.state.decisions)


TestProjectMachine = ProjectMachine.TestCase
TestProjectMachine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
