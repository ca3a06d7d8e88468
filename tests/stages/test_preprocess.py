"""PREPROCESS: the split, the proposals, and what the person asks for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages.base import StageError

from .conftest import StagedProject, churn_table


def profiled(tmp: Path, frame: pd.DataFrame, target: str) -> StagedProject:
    project = StagedProject(tmp)
    path = project.folder / "data" / "table.csv"
    frame.to_csv(path, index=False)
    project.attach(path)
    project.run(StageId.PARSE_INTENT, {"prompt": f"Predict {target} from table.csv."}, target=target)
    project.run(StageId.DATA_SOURCE)
    project.run(StageId.PROFILE_DATA)
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> StagedProject:
    return profiled(tmp_path_factory.mktemp("preprocess"), churn_table(), "churn")


def split_of(project: StagedProject) -> dict[str, np.ndarray]:
    with np.load(project.result_dir(StageId.PREPROCESS) / "split.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def test_split_first_then_a_treatment_for_each_column(project: StagedProject) -> None:
    result = project.run(StageId.PREPROCESS)
    split = split_of(project)
    rows = np.concatenate([split["train"], split["val"], split["test"]])
    assert sorted(rows) == [row for row in range(240) if row not in (3, 17)]
    events = project.events[StageId.PREPROCESS]
    names = [p.NAME for p in events.payloads]
    assert names.index("SPLIT_SUMMARY") < names.index("PREPROCESS_PLAN")
    (summary,) = events.of("SPLIT_SUMMARY")
    assert (summary.train_rows, summary.val_rows, summary.test_rows) == tuple(len(split[p]) for p in split)
    assert summary.stratified
    assert any("2 rows without a value of 'churn'" in p.text for p in events.of("LOG_LINE"))
    columns = result.plan.columns
    assert columns["plan"] == "onehot"
    assert columns["city"] == "target_encode"
    assert columns["joined"] == "datetime"
    assert columns["note"] == "text"
    assert columns["age"] == "numeric"
    assert "churn" not in columns
    steps = events.of("PREPROCESS_PLAN")[0].steps
    assert [s["step"] for s in steps][:2] == ["drop_rows", "split"]
    described = json.loads((project.result_dir(StageId.PREPROCESS) / "preprocess.json").read_text())
    assert described["split"]["dropped_rows"] == 2
    assert all(d["why"] for d in described["columns"].values())


def test_the_same_split_again_and_another_with_another_seed(project: StagedProject) -> None:
    project.run(StageId.PREPROCESS)
    first = split_of(project)
    project.run(StageId.PREPROCESS)
    assert all((split_of(project)[part] == first[part]).all() for part in first)
    split = {"strategy": "stratified", "seed": 5, "val_fraction": 0.1, "test_fraction": 0.3}
    result = project.run(StageId.PREPROCESS, {"split": split})
    assert result.plan.split.seed == 5
    assert len(split_of(project)["test"]) == pytest.approx(71, abs=1)


def test_by_time_and_by_group(project: StagedProject) -> None:
    frame = churn_table()
    project.run(StageId.PREPROCESS, {"split": {"strategy": "time", "column": "joined"}})
    split, times = split_of(project), pd.to_datetime(frame["joined"])
    assert times[split["train"]].max() <= times[split["val"]].min()
    assert times[split["val"]].max() <= times[split["test"]].min()
    project.run(StageId.PREPROCESS, {"split": {"strategy": "group", "column": "city"}})
    split = split_of(project)
    assert not set(frame["city"][split["train"]]) & set(frame["city"][split["test"]])


def test_roles_decide_the_split(project: StagedProject) -> None:
    before = project.upstream[StageId.PROFILE_DATA]
    try:
        project.run(StageId.PROFILE_DATA, {"roles": {"joined": "time", "city": "ignore"}})
        result = project.run(StageId.PREPROCESS)
        assert result.plan.split.strategy == "time"
        assert result.plan.split.column == "joined"
        assert result.plan.columns["joined"] == "drop"
        assert "city" not in result.plan.columns
    finally:
        project.upstream[StageId.PROFILE_DATA] = before


def test_data_say_that_the_split_is_by_time_or_by_group(tmp_path: Path) -> None:
    """Rows in the order of their only date are divided by it; rows of one customer stay together."""
    frame = churn_table().dropna(subset="churn").sort_values("joined").reset_index(drop=True)
    project = profiled(tmp_path / "time", frame, "churn")
    result = project.run(StageId.PREPROCESS)
    assert (result.plan.split.strategy, result.plan.split.column) == ("time", "joined")
    assert result.plan.columns["joined"] == "datetime"
    assert "the latest rows by 'joined'" in result.summary
    said = [line.text for line in project.events[StageId.PREPROCESS].of("LOG_LINE")]
    assert any('say "stratified split"' in text for text in said)
    split = split_of(project)
    assert frame["joined"][split["train"]].max() <= frame["joined"][split["test"]].min()
    asked = project.run(StageId.PREPROCESS, {"split": {"strategy": "stratified"}})
    assert asked.plan.split.strategy == "stratified"

    late = frame.assign(churn=np.where(np.arange(len(frame)) < 230, "no", "yes"))
    only_late = profiled(tmp_path / "late", late, "churn").run(StageId.PREPROCESS)
    assert only_late.plan.split.strategy == "stratified", "no part may lack a class"

    who = np.random.default_rng(1).permutation(np.repeat(np.arange(80), 3))
    visits = churn_table().assign(customer_id=[f"C{i:03d}" for i in who])
    project = profiled(tmp_path / "group", visits, "churn")
    assert project.results[StageId.PROFILE_DATA].plan.roles["customer_id"] == "group"
    assert "customer_id will stay together" in project.results[StageId.PROFILE_DATA].summary
    assert any("Several rows have the same 'customer_id'" in w for w in profile_of(project)["warnings"])
    result = project.run(StageId.PREPROCESS)
    assert (result.plan.split.strategy, result.plan.split.column) == ("group", "customer_id")
    split = split_of(project)
    assert not set(visits["customer_id"][split["train"]]) & set(visits["customer_id"][split["test"]])


def profile_of(project: StagedProject) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.result_dir(StageId.PROFILE_DATA) / "profile.json").read_text())
    return found


def test_treatments_asked_for_are_taken(project: StagedProject) -> None:
    result = project.run(StageId.PREPROCESS, {"columns": {"note": "drop", "calls": "ordinal", "nowhere": "drop"}})
    assert result.plan.columns["note"] == "drop"
    assert result.plan.columns["calls"] == "ordinal"
    assert result.plan.columns["city"] == "target_encode"
    assert any("nowhere" in p.text for p in project.events[StageId.PREPROCESS].of("LOG_LINE"))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"split": {"strategy": "time"}}, "needs split.column"),
        ({"split": {"strategy": "group", "column": "nowhere"}}, "'nowhere'"),
        ({"split": {"strategy": "time", "column": "plan"}}, "no dates"),
        ({"split": {"strategy": "weekly"}}, "no valid plan"),
        ({"columns": {"age": "magic"}}, "no valid plan"),
        ({"columns": dict.fromkeys(churn_table(30).columns, "drop")}, "No column is left"),
    ],
)
def test_what_cannot_be_done_is_said(project: StagedProject, params: dict[str, object], words: str) -> None:
    with pytest.raises(StageError, match=words):
        project.run(StageId.PREPROCESS, params)


def test_few_rows(tmp_path: Path) -> None:
    values = np.arange(10.0)
    frame = pd.DataFrame({"x": values, "z": values[::-1] ** 2, "y": values * 1.5 + 0.25})
    project = profiled(tmp_path, frame, "y")
    result = project.run(StageId.PREPROCESS, {"columns": {"x": "numeric", "z": "numeric"}})
    assert [len(part) for part in split_of(project).values()] == [6, 2, 2]
    assert "6 rows to train" in result.summary
    assert any("few" in p.text for p in project.events[StageId.PREPROCESS].of("LOG_LINE"))
