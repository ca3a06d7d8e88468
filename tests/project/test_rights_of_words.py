"""What a chat comes to for somebody who may write and not execute; and a bundle that is announced once."""

import itertools

import pytest

from jupyter_pipeline.agent.base import Cancel, Change, ConfirmGate, Reply, Restart
from jupyter_pipeline.project.commands import Answer, Recover, WorkDone
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.events import ExportReady
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .test_decide import at_gate, env, play

CHANGE_HERE = Change(stage_id=StageId.MODEL_SELECT, patch=({"op": "replace", "path": "/time_budget_s", "value": 7},))
CHANGE_EARLIER = Change(stage_id=StageId.PARSE_INTENT, patch=({"op": "replace", "path": "/target", "value": "z"},))
EXECUTING = [ConfirmGate(), Cancel(mode="now"), Restart(stage_id=StageId.DATA_SOURCE), CHANGE_EARLIER]


def same_but_words(before: ProjectState, after: ProjectState) -> bool:
    return all(
        getattr(before, name) == getattr(after, name) for name in before.__struct_fields__ if name not in ("seq", "ts")
    )


@pytest.mark.parametrize("actions", [*itertools.combinations(EXECUTING, 1), *itertools.combinations(EXECUTING, 2)])
def test_words_do_not_get_round_the_permission_to_execute(actions: tuple[object, ...]) -> None:
    for state in (at_gate(StageId.MODEL_SELECT), play(at_gate(StageId.MODEL_SELECT), Confirm())):
        answer = Reply(text="It is done.", actions=actions)  # type: ignore[arg-type]
        events, after = decide(state, Answer(answer, may_execute=False), env())
        assert same_but_words(state, after)
        assert [event.name for event in events] == ["LOG_LINE"]
        assert "permission to execute" in events[0].payload.text  # type: ignore[attr-defined]
        if actions != (CHANGE_EARLIER,):
            assert "It is done." not in events[0].payload.text  # type: ignore[attr-defined]


def test_but_they_change_what_waits() -> None:
    state = at_gate(StageId.MODEL_SELECT)
    _, after = decide(state, Answer(Reply(text="", actions=(CHANGE_HERE,)), may_execute=False), env())
    plan = after.stage(StageId.MODEL_SELECT).plan
    assert plan is not None
    assert plan["time_budget_s"] == 7
    assert after.here.gate is not None
    assert len(after.decisions) == len(state.decisions)


def test_a_bundle_is_announced_with_the_end_of_its_stage_and_for_no_other_attempt() -> None:
    state = play(at_gate(StageId.REVIEW_EDIT), Confirm())
    assert state.work is not None
    ready = ExportReady(asset_url="/x", contents=("README.md",), checksum="sha256:0")
    ended = WorkDone(Done(attempt=state.work.attempt, plan={}, summary="ready"), (ready,))
    recovered = play(state, Recover())
    assert decide(recovered, ended, env())[0] == (), "of an attempt that a crash took nothing is announced"
    assert recovered.work is not None
    events, after = decide(
        recovered, WorkDone(Done(attempt=recovered.work.attempt, plan={}, summary="ready"), (ready,)), env()
    )
    assert [event.name for event in events] == ["EXPORT_READY", "STAGE_STATUS"]
    assert after.here.status is StageStatus.COMPLETED
    assert after.export == ready
    assert after.work is None
