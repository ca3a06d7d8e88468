"""What a chat takes back: also a change for which stages ran again, and what they had found serves again."""

from typing import Any

import pytest

from jupyter_pipeline.agent.base import Change, Measured, Reply
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.project.commands import AddDataset, Answer, WorkFailed
from jupyter_pipeline.project.snapshot import context
from jupyter_pipeline.project.state import ProjectState, evolve
from jupyter_pipeline.protocol.events import Dataset, FileEntry, LogLine
from jupyter_pipeline.protocol.messages import Confirm, RestartStage
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .deciding import at_gate, decide, done, env, play

SELECT, TRAIN, DATA, PREPROCESS = StageId.MODEL_SELECT, StageId.TRAIN, StageId.DATA_SOURCE, StageId.PREPROCESS


def chat(state: ProjectState, text: str) -> tuple[str, ProjectState]:
    """The answer to a chat, and the state after what it does."""
    events, after = decide(state, Answer(RuleAgent().respond(text, context(state, state.ts, Measured()))), env())
    told = [e.payload.text for e in events if isinstance(e.payload, LogLine) and e.payload.source == "assistant"]
    folded = state
    for event in events:
        folded = evolve(folded, event)
    assert folded == after
    return told[-1], after


def ids(state: ProjectState) -> list[Any]:
    return [choice["id"] for choice in (state.stage(SELECT).plan or {})["models"]]


def changed() -> ProjectState:
    """At TRAIN's gate somebody wants another model; MODEL_SELECT works on that."""
    answer, state = chat(at_gate(TRAIN), "use random forest instead of the linear model")
    assert "Runs again: Models, Training" in answer
    return state


def proposed(state: ProjectState) -> ProjectState:
    """MODEL_SELECT comes to what was asked of it."""
    return play(state, done(state, models=state.stage(SELECT).params["models"]))


def test_a_change_is_taken_back_where_the_stage_waits_again() -> None:
    state = proposed(changed())
    assert ids(state) == ["random_forest"]
    answer, state = chat(state, "undo that")
    assert answer.startswith("Taken back at the stage Models: models to train (Linear model).")
    assert "Nothing runs before you confirm the stage Models." in answer
    assert ids(state) == ["linear"]
    assert state.work is None
    state = play(state, Confirm())
    assert state.here.id is TRAIN
    assert state.here.reused
    assert state.work is None
    assert [row.run_id for row in state.leaderboard] == ["run-1"]


def test_a_change_is_taken_back_after_what_it_led_to() -> None:
    state = play(proposed(changed()), Confirm())
    assert state.work is not None
    answer, state = chat(state, "undo")
    assert "Taken back at the stage Models" in answer
    assert "Runs again: Models, Training" in answer
    assert state.current is SELECT
    assert [m["id"] for m in state.stage(SELECT).params["models"]] == ["linear"]
    state = play(state, done(state), Confirm())
    assert ids(state) == ["linear"]
    assert state.here.reused


@pytest.mark.parametrize("failed", [False, True])
def test_a_change_is_taken_back_that_has_not_come_to_a_plan(failed: bool) -> None:
    state = changed()
    assert state.work is not None
    if failed:
        state = play(state, WorkFailed(state.work.attempt, "no"))
        assert state.here.status is StageStatus.FAILED
    answer, state = chat(state, "take that back")
    assert "Taken back at the stage Models: models to train (Linear model)." in answer
    assert "Runs again: Models, each" in answer
    assert "models" not in state.stage(SELECT).params
    assert state.work is not None


def test_a_second_change_while_the_stage_works_on_the_first_keeps_both() -> None:
    _, state = chat(changed(), "20 trials")
    assert [m["id"] for m in state.stage(SELECT).params["models"]] == ["random_forest"]
    assert state.stage(SELECT).params["trials"] == 20
    _, state = chat(state, "linear model instead of the random forest")
    assert "models" not in state.stage(SELECT).params
    assert state.stage(SELECT).params["trials"] == 20
    answer, _ = chat(state, "20 trials")
    assert "that is so already" in answer


def test_what_is_said_of_the_split_one_after_another_is_all_done() -> None:
    _, state = chat(at_gate(PREPROCESS), "seed 7")
    _, state = chat(state, "30% test rows")
    split = state.stage(PREPROCESS).params["split"]
    assert (split["seed"], split["test_fraction"]) == (7, 0.3)


def test_a_restart_that_changes_a_member_keeps_what_else_was_changed() -> None:
    state = confirmed()
    assert ids(state) == ["random_forest"]
    state = play(state, RestartStage(stage_id=SELECT, params={"trials": 20}))
    asked = state.stage(SELECT).params
    assert ([m["id"] for m in asked["models"]], asked["trials"]) == (["random_forest"], 20)
    assert play(state, RestartStage(stage_id=SELECT)).stage(SELECT).params == {}
    assert play(state, RestartStage(stage_id=SELECT, params={"trials": 3})).stage(SELECT).params["models"]
    # Of other data, and of another request, nothing that was said before holds.
    state = play(at_gate(TRAIN), RestartStage(stage_id=DATA, params={"metric": "f1"}))
    other = Dataset(id="upload:b.csv", name="b.csv", source="upload", desc="")
    state = play(state, AddDataset(other, FileEntry(path="data/b.csv", type="file", size=9, sha="")))
    assert play(state, RestartStage(stage_id=DATA, params={"dataset_id": "upload:b.csv"})).stage(DATA).params == {
        "dataset_id": "upload:b.csv"
    }


def test_taking_back_is_itself_taken_back() -> None:
    _, state = chat(proposed(changed()), "undo")
    _, state = chat(state, "undo")
    assert ids(state) == ["random_forest"]


def test_a_change_by_a_command_is_taken_back_too() -> None:
    restart = RestartStage(stage_id=DATA, params={"metric": "f1"})
    state = play(at_gate(TRAIN), restart)
    state = play(state, done(state, metric="f1"))
    answer, state = chat(state, "undo")
    assert answer.startswith("Taken back at the stage Data: metric (ROC AUC).")
    assert (state.stage(DATA).plan or {})["metric"] == "roc_auc"


def confirmed() -> ProjectState:
    """A change in place at the gate of MODEL_SELECT, which is confirmed; TRAIN works on that."""
    answer, state = chat(at_gate(SELECT), "use random forest instead of the linear model")
    assert answer.endswith("Nothing runs before you confirm the stage Models.")
    return play(state, Confirm())


@pytest.mark.parametrize("finished", [False, True])
def test_a_change_is_taken_back_that_was_confirmed_at_its_gate(finished: bool) -> None:
    """The stage runs again and waits with the plan that it had proposed."""
    state = confirmed()
    assert state.work is not None
    if finished:
        state = play(state, done(state), Confirm())
    answer, state = chat(state, "undo that")
    assert answer.startswith("Taken back at the stage Models: models to train (Linear model).")
    assert "Runs again: Models, Training" in answer
    assert "each when you have confirmed what comes before it" in answer
    state = play(state, done(state))
    assert state.here.id is SELECT
    assert state.here.gate is not None
    assert ids(state) == ["linear"]
    answer, state = chat(state, "undo")
    assert "models to train (Random forest)" in answer
    assert ids(state) == ["random_forest"], "taking back is itself taken back"


def test_what_was_changed_last_is_taken_back_first() -> None:
    """A stage that ran again with a change, and after that a plan that was changed at its gate and confirmed."""
    state = play(at_gate(TRAIN), RestartStage(stage_id=DATA, params={"metric": "f1"}))
    state = play(state, done(state, metric="f1"))
    while state.here.id is not SELECT:
        state = play(state, Confirm())
    state = play(state, done(state))
    _, state = chat(state, "three minutes")
    answer, state = chat(play(state, Confirm()), "undo")
    assert answer.startswith("Taken back at the stage Models: time for training (1 minute).")
    state = play(state, done(state), Confirm(), RestartStage(stage_id=DATA, params={"metric": "recall"}))
    answer, _ = chat(play(state, done(state, metric="recall")), "undo")
    assert answer.startswith("Taken back at the stage Data: metric (F1).")


def test_a_change_of_two_stages_at_once_is_taken_back_whole() -> None:
    metric = Change(stage_id=DATA, patch=({"op": "replace", "path": "/metric", "value": "f1"},))
    forest = {"id": "random_forest", "params": {}}
    models = Change(stage_id=SELECT, patch=({"op": "replace", "path": "/models", "value": [forest]},))
    state = play(at_gate(TRAIN), Answer(Reply(text="", actions=(metric, models))))
    state = play(state, done(state, metric="f1"))
    while state.here.id is not SELECT:
        state = play(state, Confirm())
    answer, state = chat(proposed(state), "undo")
    assert "Taken back at the stage Data: metric (ROC AUC)." in answer
    assert "Taken back at the stage Models: models to train (Linear model)." in answer
    assert (state.current, state.here.params) == (DATA, {"metric": "roc_auc"})
    assert [m["id"] for m in state.stage(SELECT).params["models"]] == ["linear"]


def test_another_request_is_no_change_to_take_back() -> None:
    request = RestartStage(stage_id=StageId.PARSE_INTENT, params={"prompt": "predict sales"})
    answer, after = chat(play(at_gate(TRAIN), request), "undo")
    assert "nothing to take back" in answer
    assert after.stage(StageId.PARSE_INTENT).params["prompt"] == "predict sales"


@pytest.mark.parametrize("stage", [DATA, TRAIN])
def test_to_run_again_is_no_change(stage: StageId) -> None:
    _, state = chat(at_gate(TRAIN), "restart " + ("training" if stage is TRAIN else "the stage Data"))
    answer, after = chat(play(state, done(state)), "undo")
    assert "nothing to take back" in answer
    assert after.work is None
