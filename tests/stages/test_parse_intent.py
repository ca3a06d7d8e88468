"""PARSE_INTENT: a plan for every prompt, with what was understood and what was not."""

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_pipeline.protocol.plans import IntentPlan
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages.base import Result, StageError

from .conftest import StagedProject

STAGE = StageId.PARSE_INTENT


def parse(tmp_path: Path, prompt: str, **params: Any) -> tuple[Result, StagedProject]:
    project = StagedProject(tmp_path)
    return project.run(STAGE, {"prompt": prompt, **params}), project


def test_the_request_becomes_a_plan_and_is_told(tmp_path: Path) -> None:
    text = "Predict churn from a.csv. Optimise recall, keep it under two minutes, no neural networks. Sing me a song."
    result, project = parse(tmp_path, text)
    assert result.plan == IntentPlan(
        target="churn",
        metric="recall",
        time_budget_s=120.0,
        dataset="a.csv",
        include_columns=(),
        exclude_columns=(),
        treatments={},
        not_understood=("Sing me a song",),
    )
    events = project.events[STAGE]
    [parsed] = events.of("PROMPT_PARSED")
    assert (parsed.task_type, parsed.target, parsed.dataset_hint) == ("auto", "churn", "a.csv")
    assert parsed.constraints["metric"] == "recall"
    assert parsed.constraints["time_budget_s"] == 120.0
    lines = [(line.level, line.text) for line in events.of("LOG_LINE")]
    assert ("info", "Understood: predict churn.") in lines
    assert ("info", "Understood: no neural networks: there are none among the models.") in lines
    assert any(level == "warning" and "Sing me a song" in line for level, line in lines)
    assert "metric recall" in result.summary
    assert 'Not understood: "Sing me a song".' in result.summary
    assert result.next_actions[0] == "confirm"
    kept = json.loads((project.result_dir(STAGE) / "intent.json").read_text())
    assert kept["prompt"] == text


def test_what_the_person_set_wins_over_the_prompt(tmp_path: Path) -> None:
    result, project = parse(tmp_path, "Predict churn, optimise recall", metric="f1", exclude_models=["xgboost"])
    assert isinstance(result.plan, IntentPlan)
    assert (result.plan.target, result.plan.metric, result.plan.exclude_models) == ("churn", "f1", ("xgboost",))
    assert "metric F1 (set by you)" in result.summary
    assert project.events[STAGE].of("PROMPT_PARSED")[0].constraints["metric"] == "f1"


@pytest.mark.parametrize("prompt", ["", "   ", "colourless green ideas", "🙂", "please"])
def test_a_prompt_that_says_nothing_still_gives_a_plan_and_says_what_would_be_right(
    tmp_path: Path, prompt: str
) -> None:
    result, _ = parse(tmp_path, prompt)
    assert isinstance(result.plan, IntentPlan)
    assert (result.plan.task_type, result.plan.target, result.plan.metric) == ("auto", None, "auto")
    assert "Say what to predict" in result.summary
    assert result.next_actions[0] == "say what to predict"
    if prompt.startswith("colourless"):
        assert result.plan.not_understood == (prompt,)


@pytest.mark.parametrize(
    ("prompt", "target", "remark"),
    [
        ("predict the wine quality", "quality", ""),
        ("Predict churn from wine data.csv", "churn", "no column 'churn'; they have fixed acidity, quality, kind."),
        ("predict the kind of a wine", "kind", ""),
        ("predict churn in the iris data", "churn", ""),
        ("use `wine data.csv`, predict kinds", "kind", ""),
    ],
)
def test_attached_data_say_which_column_is_meant(tmp_path: Path, prompt: str, target: str, remark: str) -> None:
    project = StagedProject(tmp_path)
    file = project.folder / "data" / "wine data.csv"
    file.write_text("fixed acidity,quality,kind\n" + "7.4,5,red\n6.1,6,white\n" * 20)
    project.attach(file)
    if remark:
        prompt = prompt.replace("wine data.csv", "`wine data.csv`")
    result = project.run(STAGE, {"prompt": prompt})
    assert isinstance(result.plan, IntentPlan)
    assert result.plan.target == target
    assert remark in result.summary
    if not remark:
        assert "no column" not in result.summary


@pytest.mark.parametrize(
    ("prompt", "dataset", "target"),
    [
        ("Predict kind in the wines table", "upload:wines.csv", "kind"),
        ("using customers, predict churn", "upload:customers.csv", "churned"),
        ("predict churn", None, "churn"),
    ],
)
def test_one_of_several_frames_is_meant_by_its_name(
    tmp_path: Path, prompt: str, dataset: str | None, target: str
) -> None:
    project = StagedProject(tmp_path)
    for name, header in (("wines.csv", "acidity,kind"), ("customers.csv", "age,churned"), ("other.csv", "a,b")):
        file = project.folder / "data" / name
        file.write_text(f"{header}\n" + "1,2\n3,4\n" * 10)
        project.attach(file)
    plan = project.run(STAGE, {"prompt": prompt}).plan
    assert isinstance(plan, IntentPlan)
    assert (plan.dataset, plan.target) == (dataset, target)


@pytest.mark.parametrize(
    ("prompt", "dataset", "target"),
    [
        ("Predict the kind in wines", "workspace:lab/wines.csv", "kind"),
        ("predict churn from the customers data", "workspace:customers.csv", "churn"),
        ("predict the digit in digits", "digits", "digit"),
        ("predict the price in the table", None, "price"),
        ("predict wines sold", None, "wines sold"),
    ],
)
def test_a_file_of_the_workspace_is_meant_by_its_name(
    tmp_path: Path, prompt: str, dataset: str | None, target: str
) -> None:
    project = StagedProject(tmp_path)
    (tmp_path / "lab").mkdir()
    for name in ("lab/wines.csv", "customers.csv", "table.csv"):
        (tmp_path / name).write_text("a,b\n" + "1,2\n3,4\n" * 10)
    plan = project.run(STAGE, {"prompt": prompt}).plan
    assert isinstance(plan, IntentPlan)
    assert (plan.dataset, plan.target) == (dataset, target)


def test_attached_data_are_meant_before_a_file_of_the_same_name(tmp_path: Path) -> None:
    project = StagedProject(tmp_path)
    file = project.folder / "data" / "glass.csv"
    for path in (file, tmp_path / "glass.csv"):
        path.write_text("iron,kind\n" + "1,2\n3,4\n" * 10)
    result = project.run(STAGE, {"prompt": "Predict the kind of glass"})
    assert result.plan.dataset == "workspace:glass.csv"
    # It is told by its name, not by its id.
    assert "data glass.csv" in result.summary
    project.attach(file)
    assert project.run(STAGE, {"prompt": "Predict the kind of glass"}).plan.dataset is None


def test_a_file_that_cannot_be_read_is_left_to_the_data_stage(tmp_path: Path) -> None:
    project = StagedProject(tmp_path)
    file = project.folder / "data" / "broken.parquet"
    file.write_bytes(b"nothing")
    project.attach(file)
    assert project.run(STAGE, {"prompt": "predict churn"}).summary == ("Understood: predict churn.")


def test_settings_that_make_no_plan_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no valid plan"):
        parse(tmp_path, "Predict churn", time_budget_s=-1)
