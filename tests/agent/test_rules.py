"""Chats at gates: what they change, always by a patch that makes a valid plan."""

from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import Cancel, Change, ConfirmGate, Context, Reply, Restart
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.events import Dataset, LeaderboardRow, ModelCandidate
from jupyter_pipeline.protocol.plans import PLAN_TYPES
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

MODELS = ("dummy", "linear", "random_forest", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
PLANS: dict[StageId, dict[str, Any]] = {
    StageId.PARSE_INTENT: {"target": "Exited"},
    StageId.DATA_SOURCE: {
        "dataset_id": "upload:churn.csv",
        "target": "Exited",
        "task_type": "binary",
        "metric": "roc_auc",
    },
    StageId.PROFILE_DATA: {"roles": {"Age": "feature", "City/Town": "feature", "Exited": "target"}},
    StageId.PREPROCESS: {"split": {}, "columns": {"Age": "numeric", "City/Town": "onehot"}},
    StageId.MODEL_SELECT: {
        "models": [{"id": "linear"}, {"id": "xgboost"}, {"id": "lightgbm", "params": {"learning_rate": 0.05}}],
        "time_budget_s": 60,
        "metric": "roc_auc",
    },
    StageId.TRAIN: {"keep": "run-6-1-linear", "threshold": 0.5},
    StageId.REVIEW_EDIT: {},
}


def context_at(stage: StageId) -> Context:
    plans = {
        s: msgspec.json.decode(msgspec.json.encode(msgspec.convert(PLANS[s], PLAN_TYPES[s])))
        for s in STAGES[: stage.order + 1]
        if s in PLANS
    }
    rows = ("linear", "xgboost")
    return Context(
        current_stage=stage,
        status=StageStatus.WAITING_CONFIRMATION,
        plans=plans,
        columns=("Age", "City/Town", "Exited"),
        models=tuple(ModelCandidate(id=m, name=m, family="x", why="") for m in MODELS),
        datasets=(
            Dataset(id="upload:churn.csv", name="churn.csv", source="upload", desc=""),
            Dataset(id="sklearn:iris", name="iris", source="bundled", desc=""),
        ),
        leaderboard=tuple(
            LeaderboardRow(
                run_id=f"run-6-{i}-{m}", model=m, params={}, metric=0.9 - i / 10, runtime_s=1.0, status="success"
            )
            for i, m in enumerate(rows, start=1)
        )
        if stage.order >= StageId.TRAIN.order
        else (),
        best_run="run-6-1-linear" if stage.order >= StageId.TRAIN.order else None,
        task_type="binary",
    )


def ask(text: str, stage: StageId) -> tuple[Reply, dict[StageId, dict[str, Any]]]:
    """The reply, and the plans after its changes; every change must make a valid plan."""
    context = context_at(stage)
    reply = RuleAgent().respond(text, context)
    plans = dict(context.plans)
    for action in reply.actions:
        if isinstance(action, Change):
            new = jsonpatch.apply_patch(plans[action.stage_id], list(action.patch))
            msgspec.convert(new, PLAN_TYPES[action.stage_id])
            plans[action.stage_id] = new
    return reply, plans


def ids(plans: dict[StageId, dict[str, Any]]) -> list[str]:
    return [m["id"] for m in plans[StageId.MODEL_SELECT]["models"]]


@pytest.mark.parametrize("stage", [StageId.MODEL_SELECT, StageId.TRAIN, StageId.REVIEW_EDIT])
def test_the_documents_sentences(stage: StageId) -> None:
    reply, plans = ask("Please use Random Forest instead of XGBoost", stage)
    assert "random_forest" in ids(plans)
    assert "xgboost" not in ids(plans)
    assert "random_forest" in reply.text

    reply, plans = ask("Can you retrain with higher learning rate?", stage)
    rates = {m["id"]: m["params"].get("learning_rate") for m in plans[StageId.MODEL_SELECT]["models"]}
    assert rates["lightgbm"] == 0.1
    assert rates["xgboost"] == 0.2
    assert "0.05 to 0.1" in reply.text

    reply, plans = ask("Please optimize for accuracy over speed", stage)
    assert set(ids(plans)) == set(MODELS)
    assert plans[StageId.MODEL_SELECT]["time_budget_s"] == 120
    assert plans[StageId.MODEL_SELECT]["trials"] > 1


CHANGES: list[tuple[str, StageId, StageId, str, Any]] = [
    ("drop Age", StageId.PROFILE_DATA, StageId.PROFILE_DATA, "roles.Age", "ignore"),
    ("please ignore City/Town", StageId.PREPROCESS, StageId.PREPROCESS, "columns.City/Town", "drop"),
    ("treat City/Town as text", StageId.PREPROCESS, StageId.PREPROCESS, "columns.City/Town", "text"),
    ("the target is Age", StageId.DATA_SOURCE, StageId.DATA_SOURCE, "target", "Age"),
    ("optimise recall", StageId.MODEL_SELECT, StageId.MODEL_SELECT, "metric", "recall"),
    ("optimise recall", StageId.DATA_SOURCE, StageId.DATA_SOURCE, "metric", "recall"),
    ("optimise recall", StageId.PARSE_INTENT, StageId.PARSE_INTENT, "metric", "recall"),
    ("keep it under five minutes", StageId.MODEL_SELECT, StageId.MODEL_SELECT, "time_budget_s", 300.0),
    ("keep it under five minutes", StageId.PARSE_INTENT, StageId.PARSE_INTENT, "time_budget_s", 300.0),
    ("20 trials", StageId.MODEL_SELECT, StageId.MODEL_SELECT, "trials", 20),
    ("25% test rows", StageId.PREPROCESS, StageId.PREPROCESS, "split.test_fraction", 0.25),
    ("use seed 7", StageId.PREPROCESS, StageId.PREPROCESS, "split.seed", 7),
    ("split by time using Age", StageId.PREPROCESS, StageId.PREPROCESS, "split.strategy", "time"),
    ("keep xgboost", StageId.TRAIN, StageId.TRAIN, "keep", "run-6-2-xgboost"),
    ("threshold 0.3", StageId.TRAIN, StageId.TRAIN, "threshold", 0.3),
    ("use iris", StageId.DATA_SOURCE, StageId.DATA_SOURCE, "dataset_id", "sklearn:iris"),
    ("leave the notebook out", StageId.REVIEW_EDIT, StageId.REVIEW_EDIT, "notebook", False),
    ("without catboost", StageId.PARSE_INTENT, StageId.PARSE_INTENT, "exclude_models", ["catboost"]),
]


@pytest.mark.parametrize(("text", "at", "stage", "path", "value"), CHANGES)
def test_changes(text: str, at: StageId, stage: StageId, path: str, value: Any) -> None:
    _, plans = ask(text, at)
    found: Any = plans[stage]
    for part in path.split("."):
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [("go on", ConfirmGate), ("Looks good!", ConfirmGate), ("yes, please continue", ConfirmGate),
     ("stop", Cancel), ("cancel the run", Cancel), ("finish with the best so far", Cancel),
     ("restart training", Restart), ("run the profile again", Restart)],
)  # fmt: skip
def test_actions(text: str, kind: type) -> None:
    reply, _ = ask(text, StageId.TRAIN)
    assert [type(a) for a in reply.actions] == [kind]


def test_questions_are_answered_from_what_was_measured() -> None:
    reply, _ = ask("what is the best so far?", StageId.TRAIN)
    assert "0.8000" in reply.text
    assert not reply.actions


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_not_understood_is_answered_with_what_can_be_asked(stage: StageId) -> None:
    reply, _ = ask("colourless green ideas", stage)
    assert not reply.actions
    assert "you can say" in reply.text
    for example in reply.text.split("for example, ")[1].split("; or")[0].split(", "):
        answer, _ = ask(example.strip('"'), stage)
        if stage is not StageId.EXPORT:
            assert "did not understand" not in answer.text, example


@given(text=st.text(max_size=200), stage=st.sampled_from(STAGES))
@settings(max_examples=200, deadline=None)
def test_any_text_gets_an_answer(text: str, stage: StageId) -> None:
    reply, _ = ask(text, stage)
    assert reply.text
