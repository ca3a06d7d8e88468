"""What a chat takes back: also a change for which stages ran again, and what they had found serves again."""

from typing import Any

import pytest

from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.project.commands import Answer, WorkFailed
from jupyter_pipeline.project.snapshot import context
from jupyter_pipeline.project.state import ProjectState, evolve
from jupyter_pipeline.protocol.events import LogLine
from jupyter_pipeline.protocol.messages import Confirm, RestartStage
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .deciding import at_gate, decide, done, env, play

SELECT, TRAIN, DATA = StageId.MODEL_SELECT, StageId.TRAIN, StageId.DATA_SOURCE


def chat(state: ProjectState, text: str) -> tuple[str, ProjectState]:
    """The answer to a chat, and the state after what it does."""
    events, after = decide(state, Answer(RuleAgent().respond(text, context(state))), env())
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
    assert "Taken back at the stage Models: what was asked of it last." in answer
    assert "Runs again: Models, each" in answer
    assert "models" not in state.stage(SELECT).params
    assert state.work is not None


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


@pytest.mark.parametrize("stage", [DATA, TRAIN])
def test_to_run_again_is_no_change(stage: StageId) -> None:
    _, state = chat(at_gate(TRAIN), "restart " + ("training" if stage is TRAIN else "the stage Data"))
    answer, after = chat(play(state, done(state)), "undo")
    assert "nothing to take back" in answer
    assert after.work is None
