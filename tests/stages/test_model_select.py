"""MODEL_SELECT: wishes, exclusions, time, and what is not possible."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.protocol.jobs import Upstream
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages.base import Result, StageError
from jupyter_pipeline.stages.model_select import within_time

from .conftest import Recorder, StagedProject, churn_table
from .test_preprocess import profiled


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> StagedProject:
    project = profiled(tmp_path_factory.mktemp("select"), churn_table(), "churn")
    project.run(StageId.PREPROCESS)
    return project


def select(
    project: StagedProject, params: dict[str, Any] | None = None, **intent: Any
) -> tuple[Result, Recorder, list[str]]:
    before = project.upstream[StageId.PARSE_INTENT]
    try:
        project.upstream[StageId.PARSE_INTENT] = Upstream(plan={**before.plan, **intent}, result_dir=before.result_dir)
        result = project.run(StageId.MODEL_SELECT, params)
    finally:
        project.upstream[StageId.PARSE_INTENT] = before
    return result, project.events[StageId.MODEL_SELECT], [choice.id for choice in result.plan.models]


def test_candidates_have_reasons_and_a_cost(project: StagedProject) -> None:
    result, events, ids = select(project)
    (candidates,) = events.of("MODEL_CANDIDATES")
    assert [m.id for m in candidates.models][:2] == ["dummy", "linear"]
    assert [m.id for m in candidates.models] == list(MODELS)
    assert all(m.why and m.cost_s is not None and m.requirements for m in candidates.models)
    assert [p.model_id for p in events.of("MODEL_SELECTED")] == ids
    assert ids[:2] == ["dummy", "linear"]
    assert result.plan.metric == "roc_auc"
    assert result.plan.time_budget_s == 300


def test_the_cost_counts_the_classes(tmp_path: Path) -> None:
    frame = churn_table()
    project = profiled(tmp_path, frame.assign(plan=frame["city"].str.replace("city", "part")), "city")
    project.run(StageId.PREPROCESS, {"columns": {"plan": "target_encode"}})
    project.run(StageId.MODEL_SELECT)
    told = json.loads((project.result_dir(StageId.MODEL_SELECT) / "models.json").read_text("utf-8"))
    n_classes = frame["city"].nunique()
    assert n_classes > 60
    assert told["n_features"] > n_classes  # one mean for each class
    wanted = MODELS["lightgbm"].cost_s(told["n_train_rows"], told["n_features"], n_classes, project.threads)
    assert next(m["cost_s"] for m in told["models"] if m["id"] == "lightgbm") == pytest.approx(wanted)


def test_wishes(project: StagedProject) -> None:
    assert select(project, prefer="interpretability")[2] == ["linear", "dummy"]  # none that is hard to explain
    quick = select(project, prefer="speed")
    assert quick[2] == ["dummy", "linear", "lightgbm"]
    assert quick[0].plan.trials == 1
    thorough = select(project, prefer="accuracy")
    assert thorough[2] == list(MODELS)
    assert thorough[0].plan.trials > 1
    assert select(project, include_models=("random_forest",))[2] == ["dummy", "random_forest"]
    assert select(project, include_models=("Logistic regression", "forest"))[2][1:] == [
        "linear", "random_forest", "extra_trees",
    ]  # fmt: skip
    without = select(project, exclude_models=("xgboost", "boosting", "neural networks"))
    assert without[2] == ["dummy", "linear", "random_forest", "ensemble"]
    assert not [p for p in without[1].of("LOG_LINE") if "neural" in p.text]
    usual = select(project)[2]
    assert usual[-1] == "ensemble"
    assert select(project, include_models=("ensemble",))[2] == usual
    assert select(project, exclude_models=("ensemble",))[2] == usual[:-1]
    assert select(project, time_budget_s=9.9)[2] == usual[:-1]
    assert select(project, include_models=("lightgbm", "linear", "ensemble"))[2][1:] == [
        "lightgbm", "linear", "ensemble",
    ]  # fmt: skip
    assert select(project, time_budget_s=0.5)[2] == ["dummy", "linear"]


def test_what_is_not_proposed_has_a_reason(project: StagedProject) -> None:
    def reasons(*args: Any, **intent: Any) -> dict[str, str]:
        _, events, ids = select(project, *args, **intent)
        (candidates,) = events.of("MODEL_CANDIDATES")
        without = {m.id: m.left_out for m in candidates.models if m.left_out is not msgspec.UNSET}
        assert set(without) == set(MODELS) - set(ids)
        return without

    assert reasons()["extra_trees"].startswith("Those proposed have one much like it")
    assert "does not want it" in reasons(exclude_models=("catboost",))["catboost"]
    assert "names other models" in reasons(include_models=("linear",))["catboost"]
    assert "within 0.5 s" in reasons(time_budget_s=0.5)["random_forest"]
    assert "quickest" in reasons(prefer="speed")["catboost"]
    assert "explain" in reasons(prefer="interpretability")["catboost"]
    assert reasons({"models": [{"id": "xgboost"}]})["catboost"] == "You chose other models."


def test_time_that_would_be_left_on_a_million_rows_is_used() -> None:
    order = ["dummy", "linear", "random_forest", "lightgbm", "xgboost", "catboost"]
    cost = {name: MODELS[name].cost_s(800_000, 12, 2, 2) for name in order}
    chosen, unfinished, too_long = within_time(order, cost, 40.0)
    assert (chosen, unfinished) == (["dummy", "linear", "lightgbm"], "lightgbm")
    assert set(too_long) == {"random_forest", "xgboost", "catboost"}
    chosen, unfinished, too_long = within_time(order, cost, 100.0)
    assert (chosen, unfinished) == (["dummy", "linear", "lightgbm"], None)
    assert within_time(order, cost, 6.0) == (
        ["dummy", "linear"],
        None,
        ["lightgbm", "xgboost", "catboost", "random_forest"],
    )
    assert within_time(["linear", "dummy", "random_forest"], cost, 60.0)[:2] == (["dummy", "linear"], None)


def test_who_asks_for_accuracy_in_little_time_gets_what_is_best_in_it() -> None:
    """On tens of thousands of rows boosting libraries, not the forest that takes as long as two of them."""
    single = [m for m in MODELS if m != "ensemble"]
    cost = {name: MODELS[name].cost_s(32_000, 26, 2, 2) for name in single}
    chosen, _, too_long = within_time(single, cost, 25.0)
    assert chosen == ["dummy", "linear", "lightgbm", "xgboost", "catboost"]
    assert too_long[0] == "extra_trees", "the next, with more time"
    few = {name: MODELS[name].cost_s(1_000, 20, 2, 2) for name in single}
    assert set(within_time(single, few, 25.0)[0]) == set(single)
    classes = {name: MODELS[name].cost_s(12_000, 10, 190, 2) for name in single}
    assert within_time(single, classes, 10.0)[0] == ["dummy", "linear", "extra_trees", "random_forest"]


def test_what_is_not_offered_is_said(project: StagedProject) -> None:
    _, events, ids = select(project, include_models=("perceptual hashing",))
    assert any("perceptual hashing" in p.text for p in events.of("LOG_LINE"))
    assert len(ids) > 2


def test_the_person_decides(project: StagedProject) -> None:
    chosen = [{"id": "xgboost", "params": {"eta": 0.2}}]
    result, _, ids = select(project, {"models": chosen, "trials": 3, "time_budget_s": 12.0, "metric": "f1"})
    assert ids == ["xgboost"]
    assert msgspec.to_builtins(result.plan)["trials"] == 3
    assert result.plan.metric == "f1"


@pytest.mark.parametrize(
    ("params", "intent", "words"),
    [
        ({"models": [{"id": "mlp", "params": {}}]}, {}, "no model 'mlp'"),
        ({"models": [{"id": "xgboost", "params": {"speed": 9}}]}, {}, "no parameter 'speed'"),
        ({"models": [{"id": "linear"}, {"id": "linear"}]}, {}, "named twice"),
        ({"models": [{"id": "dummy"}, {"id": "ensemble"}]}, {}, "made of the other models"),
        ({"models": [{"id": "ensemble", "params": {"eta": 1}}]}, {}, "no parameter 'eta'"),
        ({"metric": "rmse"}, {}, "does not suit a binary classification"),
        ({"trials": 0}, {}, "no valid plan"),
        ({}, {"exclude_models": ("dummy", "linear", "trees")}, "All models are excluded"),
    ],
)
def test_what_is_not_possible(
    project: StagedProject, params: dict[str, Any], intent: dict[str, Any], words: str
) -> None:
    with pytest.raises(StageError, match=words):
        select(project, params, **intent)


def test_regression(tmp_path: Path) -> None:
    project = profiled(tmp_path, churn_table(), "spend")
    project.run(StageId.PREPROCESS)
    assert select(project)[0].plan.metric == "rmse"
