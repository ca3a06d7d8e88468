"""What decide makes of single commands: gates, patches, restarts, and work that comes late or dies."""

from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import Change, ConfirmGate, Reply, Restart
from jupyter_pipeline.project.commands import (
    Answer,
    Env,
    FinishOverdue,
    Recover,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkFailed,
)
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.plans import difference, fingerprint, patched
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import (
    Artifact,
    ArtifactAdded,
    BestMetric,
    BestModelUpdated,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    LogLine,
    MetricScalar,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    User,
    WaitingConfirmation,
)
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import CancelRun, Confirm, RestartStage, UpdatePlan
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .deciding import PLANS, USER, at_gate, done, env, new_state, play, said


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


def test_a_confirm_that_names_another_stage_confirms_nothing() -> None:
    state = at_gate(StageId.DATA_SOURCE)
    gate = state.here.gate
    assert gate is not None
    for stage_id in (StageId.PARSE_INTENT, StageId.TRAIN):
        for gate_id in (None, gate.gate_id):
            with pytest.raises(Refusal, match="the stage Data does") as refused:
                decide(state, Confirm(stage_id=stage_id, gate_id=gate_id), env())
            assert refused.value.code is ErrorCode.NOT_WAITING
    assert play(state, Confirm(stage_id=StageId.DATA_SOURCE)).current is StageId.PROFILE_DATA


def test_another_kept_run_brings_its_own_threshold() -> None:
    """A threshold was chosen for the probabilities of one model; those of another one are others."""
    state = play(at_gate(StageId.MODEL_SELECT), Confirm())
    assert state.work is not None
    rows = tuple(
        LeaderboardRow(
            run_id=name, model="linear", params={}, metric=0.5, runtime_s=1.0, status="success", threshold=threshold
        )
        for name, threshold in (("run-1", 0.5), ("run-2", 0.2), ("run-3", None))
    )
    state = play(state, said(state.work.attempt, LeaderboardUpdated(rows=rows)))
    state = play(state, done(state))

    def kept(*changes: tuple[str, Any]) -> dict[str, Any] | None:
        patch = tuple({"op": "replace", "path": f"/{name}", "value": value} for name, value in changes)
        return play(state, UpdatePlan(stage_id=StageId.TRAIN, patch=patch)).stage(StageId.TRAIN).plan

    assert kept(("keep", "run-2")) == {"keep": "run-2", "threshold": 0.2}
    assert kept(("keep", "run-3")) == {"keep": "run-3", "threshold": None}
    assert kept(("keep", "run-2"), ("threshold", 0.7)) == {"keep": "run-2", "threshold": 0.7}
    assert kept(("threshold", 0.7)) == {"keep": "run-1", "threshold": 0.7}


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


def test_what_a_later_stage_is_asked_counts_though_what_it_reads_is_the_same() -> None:
    change = Change(stage_id=StageId.MODEL_SELECT, patch=({"op": "replace", "path": "/time_budget_s", "value": 120.0},))
    state = play(at_gate(StageId.TRAIN), Answer(Reply(text="", actions=(Restart(stage_id=StageId.PREPROCESS), change))))
    state = play(state, done(state), Confirm())
    assert state.current is StageId.MODEL_SELECT
    assert state.work is not None
    assert state.here.params == {"time_budget_s": 120.0}


def test_another_training_is_reviewed_anew_though_it_came_to_the_same_plan() -> None:
    state = play(at_gate(StageId.REVIEW_EDIT), RestartStage(stage_id=StageId.TRAIN))
    state = play(state, done(state), Confirm())
    assert state.current is StageId.REVIEW_EDIT
    assert state.work is not None


def test_an_earlier_training_serves_again_with_its_own_leaderboard() -> None:
    state = play(at_gate(StageId.TRAIN), RestartStage(stage_id=StageId.MODEL_SELECT, params={"time_budget_s": 120.0}))
    state = play(state, done(state, time_budget_s=120.0), Confirm())
    assert state.work is not None
    other = LeaderboardRow(run_id="other", model="linear", params={}, metric=0.6, runtime_s=1.0, status="success")
    state = play(state, said(state.work.attempt, LeaderboardUpdated(rows=(other,))), done(state, keep="other"))
    state = play(state, RestartStage(stage_id=StageId.MODEL_SELECT, params={"time_budget_s": 60.0}))
    state = play(state, done(state), Confirm())
    assert (state.current, state.here.reused, state.work) == (StageId.TRAIN, True, None)
    assert [row.run_id for row in state.leaderboard] == ["run-1"]
    assert (state.here.plan or {})["keep"] == "run-1"


def test_edited_code_makes_training_run_again_and_nothing_before_it() -> None:
    state = play(at_gate(StageId.PREPROCESS), RestartStage(stage_id=StageId.PROFILE_DATA))
    _, reused = decide(play(state, done(state)), Confirm(), Env(ts=1, user=USER, code="abc"))
    assert (reused.current, reused.work) == (StageId.PREPROCESS, None)
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


def test_what_a_failed_attempt_was_asked_is_kept_by_what_puts_it_right() -> None:
    """Another sheet was asked for, which lacks the target; the next sentence names one that it has."""
    data = StageId.DATA_SOURCE
    sheet = UpdatePlan(stage_id=data, patch=({"op": "replace", "path": "/sheet", "value": "Juice"},))
    state = play(at_gate(data), sheet)
    assert state.work is not None
    state = play(state, WorkFailed(state.work.attempt, "There is no column 'y' in the data."))
    target = Change(stage_id=data, patch=({"op": "replace", "path": "/target", "value": "Purchase"},))
    for again in (Answer(Reply(text="Target: Purchase.", actions=(target,)), True), restart(target="Purchase")):
        after = play(state, again)
        assert after.work is not None
        assert {"sheet": "Juice", "target": "Purchase"}.items() <= after.here.params.items()
    undone = play(state, Answer(Reply(text="Taken back.", actions=(Change(stage_id=data, patch=()),)), True))
    assert "sheet" not in undone.here.params


def restart(**params: Any) -> RestartStage:
    return RestartStage(stage_id=StageId.DATA_SOURCE, params=params)


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


def test_finishing_with_the_best_so_far_is_for_a_training_and_taken_seriously_once() -> None:
    with pytest.raises(Refusal, match="can be stopped") as refused:
        decide(play(new_state(), Say("predict churn")), CancelRun(mode="finish"), env())
    assert refused.value.code is ErrorCode.INVALID_ARGS
    state = training()
    assert state.work is not None
    attempt = state.work.attempt
    assert decide(state, FinishOverdue(attempt), env())[0] == (), "nobody asked it to finish"
    state = play(state, CancelRun(mode="finish"))
    for command in (CancelRun(mode="finish"), FinishOverdue(attempt - 1), FinishOverdue(attempt + 1)):
        assert decide(state, command, env())[0] == ()
    state = play(state, FinishOverdue(attempt))
    assert state.work is not None
    assert (state.work.attempt, state.work.finishing) == (attempt + 1, True)
    assert state.runs["r"].status == "cancelled"
    assert decide(state, FinishOverdue(attempt), env())[0] == ()


def test_the_run_at_work_may_be_the_last_one() -> None:
    """It comes to its own end, however long that takes, unless somebody asks for an end at once after all."""
    state = play(training(), CancelRun(mode="after_run"))
    assert state.work is not None
    attempt = state.work.attempt
    assert (state.work.finishing, state.work.last_run) == (True, 1)
    assert "the last run is that of" in state.here.message.lower()
    for command in (CancelRun(mode="after_run"), FinishOverdue(attempt)):
        assert decide(state, command, env())[0] == ()
    state = play(state, CancelRun(mode="finish"))
    assert state.work is not None
    assert (state.work.attempt, state.work.finishing, state.work.last_run) == (attempt, True, None)
    assert decide(state, CancelRun(mode="after_run"), env())[0] == (), "that would take longer"
    assert state.here.started_ts == training().here.started_ts
    with pytest.raises(Refusal, match="can be stopped"):
        decide(play(new_state(), Say("predict churn")), CancelRun(mode="after_run"), env())


@pytest.mark.parametrize("died", [True, False])
@pytest.mark.parametrize("at_work", [True, False])
def test_an_interrupted_last_run_is_made_again_and_none_after_it(died: bool, at_work: bool) -> None:
    """Where it had come to its metrics, none is."""
    state = play(training(), CancelRun(mode="after_run"))
    assert state.work is not None
    finished = {} if at_work else {"r": {"roc_auc": 0.7}}
    state = play(state, WorkDied(state.work.attempt, "It died.", finished) if died else Recover(finished))
    assert state.work is not None
    assert (state.work.finishing, state.work.last_run) == (True, 1 if at_work else None)
    again = play(state, Recover())  # before a run of that attempt had begun
    assert again.work is not None
    assert (again.work.finishing, again.work.last_run) == (True, 1 if at_work else None)
    started = TrainRunStarted(run_id="s", model_id="linear", metric_primary="roc_auc", config={})
    state = play(state, said(state.work.attempt, started), CancelRun(run_id="s"))
    assert state.work is not None
    assert (state.work.finishing, state.work.last_run) == (True, None), "the last run was cancelled"


@pytest.mark.parametrize("ended", ["success", "failed", None])
def test_a_run_that_begins_after_the_last_one_is_not_made_again(ended: Any) -> None:
    """The worker had not heard yet. ``None``: the last one had come to its metrics, and the log did not know."""
    state = play(training(), CancelRun(mode="after_run"))
    assert state.work is not None
    final = FinalMetrics(task_type="binary", primary="roc_auc")
    if ended is not None:
        over = TrainRunFinished(run_id="r", status=ended, final_metrics=final)
        late = TrainRunStarted(run_id="s", model_id="linear", metric_primary="roc_auc", config={})
        state = play(state, said(state.work.attempt, over), said(state.work.attempt, late))
        assert state.work is not None
        assert state.work.last_run == 1
    state = play(state, Recover({} if ended else {"r": {"roc_auc": 0.7}}))
    assert state.work is not None
    assert (state.work.finishing, state.work.last_run) == (True, None)


def test_between_two_runs_none_is_the_last_one() -> None:
    state = play(training(), CancelRun(mode="after_run"))
    assert state.work is not None
    final = FinalMetrics(task_type="binary", primary="roc_auc")
    state = play(
        training(), said(state.work.attempt, TrainRunFinished(run_id="r", status="success", final_metrics=final))
    )
    state = play(state, CancelRun(mode="after_run"))
    assert state.work is not None
    assert (state.work.last_run, state.here.message) == (1, "No further run is begun.")


@pytest.mark.parametrize(
    "again", [Recover({}), WorkDied(0, "It died."), FinishOverdue(0), CancelRun(run_id="s")], ids=repr
)
def test_what_was_asked_of_a_training_is_asked_of_it_when_it_begins_again(again: Any) -> None:
    """After whatever made it begin again: a run that somebody cancelled is not trained after all, and who wants it to
    finish does not wait for all of it."""
    state = play(training(), CancelRun(run_id="r"))
    assert state.here.skip_runs == ("r",)
    assert state.work is not None
    assert not state.work.finishing
    started = TrainRunStarted(run_id="s", model_id="linear", metric_primary="roc_auc", config={})
    state = play(state, said(state.work.attempt, started), CancelRun(mode="finish"))
    assert state.work is not None
    attempt = state.work.attempt
    if isinstance(again, WorkDied | FinishOverdue):
        again = msgspec.structs.replace(again, attempt=attempt)
    state = play(state, again)
    assert (state.work.attempt, state.work.finishing) == (attempt + 1, True)
    assert state.here.skip_runs == (("r", "s") if isinstance(again, CancelRun) else ("r",))


def test_cancelling_the_one_run_of_another_stage_than_training_stops_the_stage() -> None:
    state = play(at_gate(StageId.TRAIN), Confirm())
    assert state.work is not None
    started = TrainRunStarted(run_id="final-7", model_id="linear", metric_primary="roc_auc", config={})
    state = play(state, said(state.work.attempt, started), CancelRun(run_id="final-7"))
    assert state.here.status is StageStatus.FAILED, "it would begin with the same run again"
    assert state.work is None


def test_who_led_another_training_does_not_lead_this_one() -> None:
    state = play(training(), CancelRun(mode="finish"))
    assert state.work is not None
    row = LeaderboardRow(run_id="r", model="linear", params={}, metric=0.7, runtime_s=1.0, status="success")
    final = FinalMetrics(task_type="binary", primary="roc_auc")
    end = TrainRunFinished(run_id="r", status="success", final_metrics=final)
    state = play(state, said(state.work.attempt, end, LeaderboardUpdated(rows=(row,))), done(state, keep="r"))
    state = play(state, RestartStage(stage_id=StageId.TRAIN))
    assert state.work is not None
    other = msgspec.structs.replace(row, run_id="other", metric=0.6)
    started = TrainRunStarted(run_id="other", model_id="linear", metric_primary="recall", config={})
    end = TrainRunFinished(run_id="other", status="success", final_metrics=final)
    state = play(state, said(state.work.attempt, started, end, LeaderboardUpdated(rows=(other,))))
    assert state.best is not None
    assert (state.best.run_id, state.best.metric.name, state.best.metric.value) == ("other", "recall", 0.6)


def test_a_training_that_was_stopped_is_begun_again_with_another_threshold() -> None:
    """Nobody asked for the run that was kept before, which the new leaderboard does not have yet."""
    state = play(at_gate(StageId.TRAIN), RestartStage(stage_id=StageId.TRAIN), CancelRun())
    other = LeaderboardRow(run_id="run-2", model="dummy", params={}, metric=0.5, runtime_s=1.0, status="success")
    state = msgspec.structs.replace(state, leaderboard=(other,))
    state = play(state, RestartStage(stage_id=StageId.TRAIN, params={"threshold": 0.3}))
    assert state.here.params == {"threshold": 0.3}
    with pytest.raises(Refusal, match=r"no finished run 'run-9' to keep; there are run-2\."):
        play(state, CancelRun(), RestartStage(stage_id=StageId.TRAIN, params={"keep": "run-9"}))


def test_the_summary_of_a_changed_plan_says_what_is_not_as_the_stage_proposed_it() -> None:
    def change(state: ProjectState, member: str, value: Any) -> ProjectState:
        patch = ({"op": "replace", "path": f"/{member}", "value": value},)
        return play(state, UpdatePlan(stage_id=StageId.MODEL_SELECT, patch=patch))

    def summary(state: ProjectState) -> str:
        gate = state.here.gate
        assert gate is not None
        assert state.here.message == gate.summary
        return gate.summary

    state = at_gate(StageId.MODEL_SELECT)
    again = play(state, RestartStage(stage_id=StageId.MODEL_SELECT))
    remarked = change(play(again, done(again, summary="ready\nA remark.")), "time_budget_s", 90)
    assert summary(remarked) == "ready Changed since: time for training.\nA remark."
    state = change(state, "time_budget_s", 90)
    assert summary(state) == "ready Changed since: time for training."
    state = change(state, "metric", "recall")
    assert summary(state) == "ready Changed since: time for training, metric."
    assert summary(change(change(state, "metric", "roc_auc"), "time_budget_s", 60)) == "ready"
    state = play(state, Confirm(), CancelRun(), RestartStage(stage_id=StageId.PREPROCESS))
    state = play(state, done(state), Confirm())
    assert summary(state) == "ready Changed since: time for training, metric."


def test_an_answer_without_words_says_that_it_was_done() -> None:
    state = at_gate(StageId.PARSE_INTENT)
    events, _ = decide(state, Answer(Reply(text="", actions=(ConfirmGate(),))), env())
    said_so = [event.payload for event in events if isinstance(event.payload, LogLine)]
    assert [line.text for line in said_so] == ["Done."]


def test_the_request_of_a_log_without_columns_is_read_and_changed_as_before() -> None:
    """Plans that were written before requests could name columns: no member is added, until one is set."""
    old = {"target": "churn", "include_models": [], "exclude_models": [], "not_understood": []}
    state = play(new_state(), Say(text="predict churn"))
    state = play(state, done(state, **old))
    plan = state.stage(StageId.PARSE_INTENT).plan
    assert plan is not None
    assert "include_columns" not in plan
    patch = ({"op": "add", "path": "/exclude_columns", "value": ["zip"]},)
    changed = patched(state, StageId.PARSE_INTENT, patch)
    assert changed == {**plan, "exclude_columns": ["zip"]}
    assert "include_columns" not in patched(
        state, StageId.PARSE_INTENT, ({"op": "replace", "path": "/metric", "value": "f1"},)
    )


@pytest.mark.parametrize(
    ("stage_id", "operation", "told"),
    [
        (StageId.PARSE_INTENT, {"path": "/metrik", "value": "f1"}, "there is no 'metrik'; there are task_type, target"),
        (StageId.PROFILE_DATA, {"path": "/roles/z", "value": "id"}, "there is no 'z' in roles; there are x, y."),
        (StageId.PARSE_INTENT, {"path": "/include_models", "value": ["xgbost"]}, "Did you mean 'xgboost'?"),
        (StageId.PROFILE_DATA, {"op": "move", "from": "/roles/z", "path": "/roles/w"}, "there is no 'z' in roles;"),
        (
            StageId.PARSE_INTENT,
            {"path": "/exclude_models", "value": ["svm"]},
            "There is no model 'svm'; there are dummy",
        ),
    ],
)
def test_what_a_patch_names_and_is_not_there_is_told_with_what_is(
    stage_id: StageId, operation: dict[str, Any], told: str
) -> None:
    state = at_gate(stage_id)
    with pytest.raises(Refusal) as refused:
        patched(state, stage_id, ({"op": "replace", **operation},))
    assert refused.value.code is ErrorCode.INVALID_ARGS
    assert told in refused.value.message


def test_other_columns_in_the_request_make_the_profile_work_again_and_a_longer_time_does_not() -> None:
    state, names = at_gate(StageId.PREPROCESS), (StageId.DATA_SOURCE, StageId.PROFILE_DATA)

    def after(**changes: Any) -> dict[StageId, str]:
        stage = msgspec.structs.replace(state.stages[0], plan={**PLANS[StageId.PARSE_INTENT], **changes})
        changed = msgspec.structs.replace(state, stages=(stage, *state.stages[1:]))
        return {name: fingerprint(changed, name, {}, "") for name in names}

    before = after()
    assert after(time_budget_s=900.0) == before
    assert all(after(exclude_columns=["zip"])[name] != before[name] for name in names)
