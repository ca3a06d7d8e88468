"""Columns that the request names: what becomes of them at each stage, on real files."""

from typing import Any

import pandas as pd
import pytest

from jupyter_pipeline.protocol.plans import IntentPlan
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages.base import StageError
from jupyter_pipeline.stages.input_choice import inputs_meant

from .conftest import StagedProject

INTENT, DATA, PROFILE, PREPROCESS = list(StageId)[:4]
NAMES = ("customer_id", "Carat", "depth", "table width", "price", "mileage")


def _table(n: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "Carat": [i % 7 + i / n for i in range(n)],
            "depth": [i % 11 * 1.5 for i in range(n)],
            "table width": [i % 5 for i in range(n)],
            "mileage": [i * 37 % 101 for i in range(n)],
            "price": [100.5 * (i % 7) + i for i in range(n)],
        }
    )


def _project(tmp_path: Any) -> StagedProject:
    project = StagedProject(tmp_path)
    path = project.folder / "data" / "stones.csv"
    _table().to_csv(path, index=False)
    project.attach(path)
    return project


def _roles(project: StagedProject, prompt: str) -> dict[str, str]:
    project.run(INTENT, {"prompt": prompt})
    project.run(DATA)
    return dict(project.run(PROFILE).plan.roles)  # type: ignore[attr-defined]


def test_only_the_columns_that_were_named_become_features(tmp_path: Any) -> None:
    project = _project(tmp_path)
    roles = _roles(project, "Predict price using only carat and table_width")
    assert {name for name, role in roles.items() if role == "feature"} == {"Carat", "table width"}
    assert roles["depth"] == roles["mileage"] == "ignore"
    assert project.results[INTENT].plan.include_columns == ("Carat", "table width")  # type: ignore[attr-defined]
    assert "The request says which columns are left out." in project.results[PROFILE].summary
    plan = project.run(PREPROCESS).plan
    assert {n for n, t in plan.columns.items() if t != "drop"} == {"Carat", "table width"}  # type: ignore[attr-defined]


def test_columns_that_were_left_out_and_a_name_that_is_not_there(tmp_path: Any) -> None:
    project = _project(tmp_path)
    roles = _roles(project, "predict price, ignore the id, the depth and the deepness column")
    assert (roles["customer_id"], roles["depth"]) == ("ignore", "ignore")
    assert {name for name, role in roles.items() if role == "feature"} == {"Carat", "table width", "mileage"}
    for stage in (INTENT, DATA):
        summary = project.results[stage].summary
        assert "There is no column 'id'; 'customer_id' is taken for it." in summary
        assert "There is no column 'deepness', so it is passed over" in summary


def test_what_the_person_set_at_the_profile_wins_over_the_request(tmp_path: Any) -> None:
    project = _project(tmp_path)
    _roles(project, "predict price from carat and depth")
    roles = project.run(PROFILE, {"roles": {"mileage": "feature"}}).plan.roles  # type: ignore[attr-defined]
    assert {name for name, role in roles.items() if role == "feature"} == {"Carat", "depth", "mileage"}


def test_to_leave_everything_out_is_an_error_that_says_where_to_change_it(tmp_path: Any) -> None:
    project = _project(tmp_path)
    with pytest.raises(StageError, match="Leave out fewer columns at the stage Request"):
        _roles(project, "predict price, ignore carat, depth, table width, mileage and customer_id")


def test_a_column_that_says_nothing_is_no_feature_though_it_was_named(tmp_path: Any) -> None:
    project = StagedProject(tmp_path)
    path = project.folder / "data" / "stones.csv"
    _table().assign(shop="here", colour=None).to_csv(path, index=False)
    project.attach(path)
    roles = _roles(project, "predict price using only shop, colour and depth")
    assert (roles["shop"], roles["colour"], roles["depth"], roles["Carat"]) == ("ignore", "ignore", "feature", "ignore")
    with pytest.raises(StageError, match="From 'shop', 'colour', which the request names, nothing can be learned"):
        _roles(project, "predict price using only shop and colour")


def test_names_as_people_write_them() -> None:
    plan = IntentPlan(include_columns=("CARAT", "Table-Width", "dept", "age", "price"), exclude_columns=("milage",))
    meant = inputs_meant(plan, NAMES, "price")
    assert (meant.used, meant.left_out) == (("Carat", "table width", "depth"), ("mileage",))
    told = " ".join(meant.remarks)
    assert "'dept'; 'depth' is taken" in told
    assert "'milage'; 'mileage' is taken" in told
    assert "no column 'age', so it is passed over" in told  # a part of a word is no name


def test_where_none_of_the_names_is_there_all_columns_are_used() -> None:
    meant = inputs_meant(IntentPlan(include_columns=("foo", "bar")), NAMES, "price")
    assert meant.used == ()
    assert meant.remarks[-1] == "No column is left of those to predict from, so all others are used."


def test_a_plan_of_an_earlier_version_names_none() -> None:
    assert inputs_meant(IntentPlan(target="price"), NAMES, "price") == ((), (), ())


def test_a_key_that_is_left_out_keeps_the_rows_of_a_customer_together(tmp_path: Any) -> None:
    project = StagedProject(tmp_path)
    path = project.folder / "data" / "stones.csv"
    _table(120).assign(customer_id=[f"c{i % 30}" for i in range(120)]).to_csv(path, index=False)
    project.attach(path)
    roles = _roles(project, "predict price, ignore customer_id and depth")
    assert (roles["customer_id"], roles["depth"]) == ("group", "ignore")


def test_treatments_that_the_request_names_are_proposed(tmp_path: Any) -> None:
    project = StagedProject(tmp_path)
    path = project.folder / "data" / "flats.csv"
    rows = range(80)
    pd.DataFrame(
        {
            "town": [("Bern", "Rome", "Oslo")[i % 3] for i in rows],
            "zip code": [f"Z{i % 9}" for i in rows],
            "floor": [i % 4 for i in rows],
            "notes": [
                f"a flat of {i} rooms with balcony number {i * 7} and a view of the {i * 31}th tree" for i in rows
            ],
            "rent": [500.5 + i * 3 + i % 4 * 50 for i in rows],
        }
    ).to_csv(path, index=False)
    project.attach(path)
    prompt = (
        "predict rent, one-hot all categoricals but target encode zip_code, treat floor as ordinal, no text columns"
    )
    project.run(INTENT, {"prompt": prompt})
    asked = {"categorical columns": "onehot", "zip code": "target_encode", "floor": "ordinal", "text columns": "drop"}
    assert project.results[INTENT].plan.treatments == asked  # type: ignore[attr-defined]
    project.run(DATA)
    profile = project.run(PROFILE)
    assert profile.plan.treatments == {  # type: ignore[attr-defined]
        "town": "onehot",
        "zip code": "target_encode",
        "floor": "ordinal",
    }
    assert profile.plan.roles["notes"] == "ignore"  # type: ignore[attr-defined]
    assert "To be treated as was asked: town: categorical; zip code: target encoded; floor: ordinal." in profile.summary
    prepared = project.run(PREPROCESS)
    assert prepared.plan.columns == {  # type: ignore[attr-defined]
        "town": "onehot",
        "zip code": "target_encode",
        "floor": "ordinal",
    }
    assert "Treated as was asked before: town: categorical;" in prepared.summary
    changed = project.run(PREPROCESS, {"columns": {"floor": "numeric"}})
    assert changed.plan.columns["floor"] == "numeric"  # type: ignore[attr-defined]
    assert "floor" not in changed.summary


def test_treatments_of_what_the_data_do_not_have_are_told(tmp_path: Any) -> None:
    project = _project(tmp_path)
    project.run(INTENT, {"prompt": "predict price", "treatments": {"cut": "onehot", "text columns": "drop"}})
    project.run(DATA)
    summary = project.run(PROFILE).summary
    assert "There is no column 'cut', so it is passed over" in summary
    assert "The data have no text columns." in summary
