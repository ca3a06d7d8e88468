"""What is suggested after a review can be said in the chat, and is understood there."""

from typing import Any

import pytest

from jupyter_pipeline.agent.base import Change, Context
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.protocol.events import LeaderboardRow, ModelCandidate
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.stages.suggestions import cautions, suggestions

COLUMNS = ("age", "the city", "<script>", "joined", "answer")


def review(model_id: str, **changes: Any) -> dict[str, Any]:
    runs = [{"run_id": "a", "model_id": "dummy", "model": "Baseline", "metric": 0.5, "status": "success"}]
    runs.append({"run_id": "b", "model_id": "lightgbm", "model": "LightGBM", "metric": None, "status": "failed"})
    base: dict[str, Any] = {
        "task": {"type": "binary", "target": "y", "metric": "roc_auc", "rarest_share": 0.04},
        "metrics": {"train": {"roc_auc": 0.99}, "val": {"roc_auc": 0.8}, "test": {"roc_auc": 0.6}},
        "intervals": {"roc_auc": [0.55, 0.65]},
        "split": {"rows": {"train": 300, "val": 100, "test": 100}},
        "test_reads": {"times": 3, "models": 2},
        "kept": {"model_id": model_id, "iterations": 7, "stopped": "deadline", "params": {}},
        "runs": runs,
        "columns": dict.fromkeys(COLUMNS, "onehot"),
        "val_importance": {
            "columns": [{"name": name, "mean": m} for name, m in zip(COLUMNS, (9, 0.1, 0.1, 0, -1), strict=True)]
        },
        "importance": {"columns": [{"name": name, "mean": -1} for name in COLUMNS[:2]]},
        "leakage": ["<script>"],
        "edited": [],
        "trials": 1,
        "budget_s": 60.0,
    }
    return {**base, **changes}


def context(model_id: str) -> Context:
    choices = [{"id": name, "params": {}} for name in ("dummy", "linear", "lightgbm", "random_forest", "extra_trees")]
    plans: dict[StageId, dict[str, Any]] = {
        StageId.PARSE_INTENT: {"metric": "auto", "include_models": [], "exclude_models": [], "time_budget_s": 60.0},
        StageId.DATA_SOURCE: {"target": "y", "task_type": "binary", "metric": "roc_auc", "dataset_id": "upload:a.csv"},
        StageId.PROFILE_DATA: {"roles": {**dict.fromkeys(COLUMNS, "feature"), "y": "target"}},
        StageId.PREPROCESS: {"split": {"strategy": "random"}, "columns": dict.fromkeys(COLUMNS, "onehot")},
        StageId.MODEL_SELECT: {"models": choices, "time_budget_s": 60.0, "metric": "roc_auc", "trials": 1},
        StageId.TRAIN: {"keep": "run-1", "threshold": None},
        StageId.REVIEW_EDIT: {"report": True},
    }
    models = tuple(
        ModelCandidate(id=m.id, name=m.name, family=m.family, why="", params=m.defaults) for m in MODELS.values()
    )
    row = LeaderboardRow(run_id="run-1", model=model_id, params={}, metric=0.8, runtime_s=1.0, status="success")
    return Context(
        current_stage=StageId.REVIEW_EDIT,
        status=StageStatus.WAITING_CONFIRMATION,
        plans=plans,
        columns=(*COLUMNS, "y"),
        models=models,
        leaderboard=(row,),
        best_run="run-1",
        task_type="binary",
    )


@pytest.mark.parametrize("model_id", ["linear", "random_forest", "extra_trees", "lightgbm"])
def test_every_suggestion_is_understood(model_id: str) -> None:
    found = suggestions(review(model_id))
    assert len(found) >= 6
    found += suggestions(
        review(
            model_id,
            task={"type": "binary", "target": "y", "metric": "f1", "rarest_share": 0.4},
            metrics={"train": {"f1": 0.8}, "val": {"f1": 0.8}, "test": {"f1": 0.8}},
            kept={"model_id": model_id, "stopped": "", "params": {}},
            runs=[],
            split={"rows": {"train": 3000, "val": 1000, "test": 1000}},
            val_importance=None,
            leakage=[],
        )
    )
    assert found[-1]["title"] == "Search longer"
    for item in found:
        reply = RuleAgent().respond(item["chat"], context(model_id))
        assert any(isinstance(action, Change) for action in reply.actions), (item, reply.text)


def test_columns_are_not_chosen_by_the_test_rows() -> None:
    (item,) = [item for item in suggestions(review("linear")) if "do not help" in item["title"]]
    assert item["chat"] == 'Please drop the columns "joined", "answer".'


def test_cautions_say_what_limits_the_result() -> None:
    text = "\n".join(cautions(review("linear")))
    for words in ("100 rows only", "read 3 times", "by heart", "rely on the test value"):
        assert words in text
    assert "baseline" not in text
    copies = {"rows": 12, "metrics": {"roc_auc": 0.55}}
    told = "12 of 100 test rows are the same as a training row; without them ROC AUC is 0.5500, with them 0.6000."
    assert told in cautions(review("linear", copies=copies))
    assert "same as a training row" not in "\n".join(cautions(review("linear", copies={"rows": 0, "metrics": {}})))
    chance = {"train": {"roc_auc": 0.9}, "val": {"roc_auc": 0.75}, "test": {"roc_auc": 0.92}}
    assert "by heart" not in "\n".join(cautions(review("linear", metrics=chance)))
    assert "hardly beats the baseline" in "\n".join(
        cautions(review("linear", metrics={s: {"roc_auc": 0.5} for s in ("train", "val", "test")}))
    )


def test_a_column_that_tells_the_target_comes_first() -> None:
    """Measured alone, or as what a nearly perfect model rests on; not where it was left out or is merely good."""
    told = "nearly tells 'y' by itself"
    assert told in cautions(review("linear"))[0]
    assert "'<script>'" in cautions(review("linear"))[0]
    left_out = {"columns": dict.fromkeys(COLUMNS, "onehot") | {"<script>": "drop"}}
    assert told not in "\n".join(cautions(review("linear", **left_out)))
    perfect = {split: {"roc_auc": 0.99} for split in ("train", "val", "test")}
    (first, *others) = cautions(review("linear", leakage=[], metrics=perfect))
    assert "'age'" in first
    assert told in first
    assert told not in "\n".join(others)
    assert told not in "\n".join(cautions(review("linear", leakage=[])))
    # The nearer to perfect, the less of the importance has to rest on one column.
    means = {
        "columns": [{"name": name, "mean": mean} for name, mean in zip(COLUMNS, (8.5, 1, 0.2, 0.2, 0), strict=True)]
    }
    assert "'age'" in cautions(review("linear", leakage=[], metrics=perfect, val_importance=means))[0]
    assert not any(
        "column age" in item["title"] for item in suggestions(review("linear", leakage=[], val_importance=means))
    )
    lost = {split: {"roc_auc": None} for split in ("train", "val", "test")}
    assert told not in "\n".join(cautions(review("linear", leakage=[], metrics=lost)))
