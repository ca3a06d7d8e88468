"""Arbitrary sequences of commands against decide and evolve: what must never happen, whatever is asked."""

from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_pipeline.agent.base import Change, Reply, Restart
from jupyter_pipeline.project.commands import (
    Answer,
    Env,
    FinishOverdue,
    Recover,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkEvents,
    WorkFailed,
)
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.plans import difference
from jupyter_pipeline.project.state import ProjectState, evolve
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import (
    Artifact,
    ArtifactAdded,
    BestMetric,
    BestModelUpdated,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    MetricScalar,
    Payload,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    User,
    WaitingConfirmation,
)
from jupyter_pipeline.protocol.frames import decode_event, encode_event
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import CancelRun, Confirm, RestartStage, SelectDataset, UpdatePlan
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

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


def done(state: ProjectState, **changes: Any) -> WorkDone:
    assert state.work is not None
    plan = {**PLANS[state.work.stage_id], **changes}
    return WorkDone(Done(attempt=state.work.attempt, plan=plan, summary="ready"))


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


@pytest.mark.parametrize("stage_id", STAGES[:-1])
def test_every_stage_can_be_reached_confirmed_and_restarted(stage_id: StageId) -> None:
    state = at_gate(stage_id)
    gate = state.here.gate
    assert gate is not None
    after = play(state, Confirm(gate_id=gate.gate_id))
    assert after.current is stage_id.next
    with pytest.raises(Refusal) as refused:
        decide(after, Confirm(gate_id=gate.gate_id), env())
    assert refused.value.code is ErrorCode.GATE_STALE
    events, again = decide(after, RestartStage(stage_id=stage_id), env())
    assert again.current is stage_id
    begun = [e.payload for e in events if isinstance(e.payload, StageStatusEvent) and isinstance(e.payload.by, User)]
    assert [(p.stage_id, p.by) for p in begun] == [(stage_id, env().user)], "whoever restarted it is named"
    assert all(s.status is StageStatus.PENDING for s in again.stages[stage_id.order + 1 :])


def test_export_has_no_gate() -> None:
    state = play(at_gate(StageId.REVIEW_EDIT), Confirm())
    state = play(state, done(state))
    assert state.stage(StageId.EXPORT).status is StageStatus.COMPLETED
    assert state.work is None


def test_a_bare_confirm_does_not_confirm_a_gate_that_opened_after_it_was_sent() -> None:
    state = at_gate(StageId.PARSE_INTENT)
    assert state.here.gate is not None
    with pytest.raises(Refusal) as refused:
        decide(state, SeenConfirm(Confirm(), state.here.gate.seq - 1), env())
    assert refused.value.code is ErrorCode.NOT_WAITING
    assert play(state, SeenConfirm(Confirm(), state.here.gate.seq)).current is StageId.DATA_SOURCE


def test_a_changed_plan_makes_the_old_gate_stale_and_the_digest_another() -> None:
    state = at_gate(StageId.MODEL_SELECT)
    old = state.here.gate
    events, state = decide(
        state,
        UpdatePlan(stage_id=StageId.MODEL_SELECT, patch=({"op": "replace", "path": "/time_budget_s", "value": 5},)),
        env(),
    )
    new = state.here.gate
    assert old is not None
    assert new is not None
    assert old.digest != new.digest
    assert [type(e.payload) for e in events[-2:]] == [StageStatusEvent, WaitingConfirmation]
    with pytest.raises(Refusal):
        decide(state, Confirm(gate_id=old.gate_id), env())


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "replace", "path": "/time_budget_s", "value": -1},
        {"op": "replace", "path": "/time_budget_s", "value": "soon"},
        {"op": "replace", "path": "/no_such_member", "value": 1},
        {"op": "add", "path": "/no_such_member", "value": 1},
        {"op": "remove", "path": "/models"},
        {"op": "replace", "path": "/models", "value": []},
        {"op": "explode", "path": "/models"},
        {"path": "/models"},
        {},
        {"op": "replace", "path": 7, "value": 1},
        {"op": "replace", "path": "/metric", "value": "beauty"},
        {"op": "replace", "path": "/metric", "value": "rmse"},  # of a binary task
        {"op": "replace", "path": "/metric", "value": "auto"},
        {"op": "replace", "path": "/models/0/id", "value": "oracle"},
        {"op": "replace", "path": "/models/0/params", "value": {"zzz": 1}},
        {"op": "replace", "path": "/models/0/params", "value": {"l2": -1}},
        {"op": "add", "path": "/models/-", "value": {"id": "linear"}},
        {"op": "replace", "path": "/models", "value": [{"id": "ensemble"}]},
        {"op": "replace", "path": "", "value": {}},
        {"op": "remove", "path": "/trials"},
    ],
)
def test_a_bad_patch_is_refused_with_a_sentence_and_changes_nothing(patch: dict[str, Any]) -> None:
    state = at_gate(StageId.MODEL_SELECT)
    with pytest.raises(Refusal) as refused:
        decide(state, UpdatePlan(stage_id=StageId.MODEL_SELECT, patch=(patch,)), env())
    assert refused.value.code is ErrorCode.INVALID_ARGS
    assert refused.value.message.endswith((".", "}"))


@pytest.mark.parametrize(
    ("stage_id", "members", "taken"),
    [
        (StageId.PARSE_INTENT, {"metric": "rmse"}, False),  # the request is for a binary task
        (StageId.PARSE_INTENT, {"metric": "rmse", "task_type": "regression"}, True),
        (StageId.PARSE_INTENT, {"metric": "rmse", "task_type": "auto"}, True),
        (StageId.PARSE_INTENT, {"not_understood": ["x"]}, False),
        (StageId.DATA_SOURCE, {"metric": "rmse"}, False),
        (StageId.DATA_SOURCE, {"metric": "accuracy"}, True),
        (StageId.DATA_SOURCE, {"task_type": "regression"}, True),  # the stage chooses a metric for it
        (StageId.DATA_SOURCE, {"task_type": "regression", "metric": "mae"}, True),
        (StageId.DATA_SOURCE, {"target": "x", "metric": "mae"}, True),  # nor is the task of another target known
    ],
)
def test_metric_and_task_must_suit_each_other_where_both_are_known(
    stage_id: StageId, members: dict[str, Any], taken: bool
) -> None:
    state = at_gate(stage_id)
    patch = tuple({"op": "replace", "path": f"/{member}", "value": value} for member, value in members.items())
    command = UpdatePlan(stage_id=stage_id, patch=patch)
    if taken:
        assert decide(state, command, env())[0]
        return
    with pytest.raises(Refusal) as refused:
        decide(state, command, env())
    assert refused.value.code is ErrorCode.INVALID_ARGS


@pytest.mark.parametrize(
    "patch",
    [
        ({"op": "add", "path": "/models/0/params/x", "value": [0]},)
        + ({"op": "copy", "from": "/models/0/params/x", "path": "/models/0/params/x/-"},) * 40,
        ({"op": "replace", "path": "/time_budget_s", "value": 5},) * 20_000,
    ],
    ids=["doubles forty times", "many"],
)
def test_a_patch_that_would_take_all_memory_or_time_is_refused_at_once(patch: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(Refusal, match=r"at most 5,000 operations, 4 of them copies") as refused:
        decide(at_gate(StageId.MODEL_SELECT), UpdatePlan(stage_id=StageId.MODEL_SELECT, patch=patch), env())
    assert refused.value.code is ErrorCode.INVALID_ARGS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@given(st.fixed_dictionaries({"models": JSON, "metric": JSON}), st.fixed_dictionaries({"models": JSON, "metric": JSON}))
@settings(max_examples=100, deadline=None)
def test_the_patch_of_a_proposal_makes_the_one_plan_into_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    for long in ([], [0] * 2000):
        before, after = {**old, "params": long}, {**new, "params": long[:-1]}
        patch = difference(before, after)
        assert jsonpatch.apply_patch(before, list(patch)) == after
    assert {"op": "replace", "path": "/params", "value": long[:-1]} in patch


def test_what_has_not_changed_is_used_again() -> None:
    state = at_gate(StageId.PREPROCESS)
    attempt = state.here.attempt
    state = play(state, RestartStage(stage_id=StageId.PROFILE_DATA))
    state = play(state, done(state), Confirm())
    assert state.current is StageId.PREPROCESS
    assert state.work is None, "the same inputs need no work"
    assert state.here.reused
    assert state.here.attempt == attempt
    assert state.here.gate is not None


def test_what_has_changed_runs_again() -> None:
    state = at_gate(StageId.PREPROCESS)
    state = play(state, RestartStage(stage_id=StageId.PROFILE_DATA))
    state = play(state, done(state, roles={"x": "feature", "z": "ignore", "y": "target"}), Confirm())
    assert state.current is StageId.PREPROCESS
    assert state.work is not None


def test_edited_code_makes_training_run_again() -> None:
    state = at_gate(StageId.REVIEW_EDIT)
    state = play(state, RestartStage(stage_id=StageId.MODEL_SELECT))
    state = play(state, done(state))
    _, reused = decide(state, Confirm(), env())
    assert reused.work is None
    _, edited = decide(state, Confirm(), Env(ts=1, user=USER, code="abc"))
    assert edited.work is not None


def test_late_frames_of_a_dead_attempt_change_nothing() -> None:
    state = play(new_state(), Say("predict churn"))
    assert state.work is not None
    old = state.work.attempt
    state = play(state, RestartStage(stage_id=StageId.PARSE_INTENT))
    for command in (
        WorkDone(Done(attempt=old, plan=PLANS[StageId.PARSE_INTENT], summary="late")),
        WorkFailed(old, "late"),
        WorkDied(old, "late"),
        said(old, MetricScalar(run_id="r", name="loss", split="val", step=1, value=1.0)),
    ):
        events, after = decide(state, command, env())
        assert events == ()
        assert after is state


def test_a_worker_that_dies_twice_is_not_tried_a_third_time() -> None:
    state = play(new_state(), Say("predict churn"))
    assert state.work is not None
    state = play(state, WorkDied(state.work.attempt, "The worker died."))
    assert state.work is not None
    state = play(state, WorkDied(state.work.attempt, "The worker died."))
    assert state.here.status is StageStatus.FAILED


@given(st.text(max_size=80))
@settings(max_examples=50, deadline=None)
def test_gate_ids_that_were_never_given_are_refused(gate_id: str) -> None:
    state = at_gate(StageId.PARSE_INTENT)
    with pytest.raises(Refusal) as refused:
        decide(state, Confirm(gate_id=gate_id), env())
    assert refused.value.code in (ErrorCode.GATE_STALE, ErrorCode.NOT_WAITING)


def training() -> ProjectState:
    """A project with a run that is open, and an artifact of the attempt that is at work."""
    state = play(at_gate(StageId.MODEL_SELECT), Confirm())
    assert state.work is not None
    path = f"artifacts/train-{state.work.attempt}/board.json"
    artifact = Artifact(id="board", type="table", name="Board", url="/board", meta={"path": path})
    started = TrainRunStarted(run_id="r", model_id="linear", metric_primary="roc_auc", config={})
    best = BestModelUpdated(run_id="r", model_id="linear", metric=BestMetric(name="roc_auc", split="val", value=0.7))
    events = (started, ArtifactAdded(artifact=artifact), best)
    return play(state, *(said(state.work.attempt, event) for event in events))


@pytest.mark.parametrize("died", [True, False])
@pytest.mark.parametrize("measured", [True, False])
def test_a_run_that_came_to_its_metrics_is_a_success_though_its_process_died(died: bool, measured: bool) -> None:
    state = training()
    assert state.work is not None
    assert list(state.artifacts) == ["board"]
    finished = {"r": {"roc_auc": 0.7}} if measured else {}
    state = play(state, WorkDied(state.work.attempt, "It died.", finished) if died else Recover(finished))
    run = state.runs["r"]
    assert run.status == ("success" if measured else "failed")
    assert run.final_metrics is not None
    assert [(m.name, m.value) for m in run.final_metrics.metrics] == ([("roc_auc", 0.7)] if measured else [])
    assert (state.best is not None) == measured
    assert state.artifacts == {}, "what an attempt announced that came to nothing is gone"


def test_a_cancelled_run_leads_nothing() -> None:
    state = play(training(), CancelRun())
    assert state.runs["r"].status == "cancelled"
    assert state.best is None
    assert state.artifacts == {}
