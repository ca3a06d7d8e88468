"""Requests as people write them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.protocol.plans import IntentPlan

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    (
        "Predict churn. Optimise recall, keep it under two minutes, no neural networks.",
        {"target": "churn", "metric": "recall", "time_budget_s": 120.0, "not_understood": ()},
    ),
    ("Predict `Exited` from customers.csv", {"target": "Exited", "dataset": "customers.csv"}),
    ('the target is "house price", minimise RMSE', {"target": "house price", "metric": "rmse"}),
    ("target: price", {"target": "price"}),
    ("target = price", {"target": "price"}),
    ("The target column is SalePrice.", {"target": "SalePrice"}),
    ("predict the price of houses", {"target": "houses"}),
    ("estimate how much a house costs", {"task_type": "regression"}),
    ("classify the species", {"target": "species"}),
    ("multiclass model for species", {"task_type": "multiclass"}),
    ("predict whether a customer leaves", {"task_type": "binary", "target": None}),
    ("regression on price", {"task_type": "regression"}),
    ("forecast demand", {"task_type": "regression", "target": "demand"}),
    ("maximise AUC", {"metric": "roc_auc"}),
    ("maximise the ROC AUC", {"metric": "roc_auc"}),
    ("optimise balanced accuracy", {"metric": "balanced_accuracy"}),
    ("use the F1 score", {"metric": "f1"}),
    ("macro F1 please", {"metric": "f1_macro"}),
    ("false negatives are costly", {"metric": "recall"}),
    ("avoid false positives", {"metric": "precision"}),
    ("recall over precision", {"metric": "recall"}),
    ("lowest log loss", {"metric": "log_loss"}),
    ("mean absolute error matters", {"metric": "mae"}),
    ("R² is what we report", {"metric": "r2"}),
    ("keep it under 2 minutes", {"time_budget_s": 120.0}),
    ("within 90 seconds", {"time_budget_s": 90.0}),
    ("take half an hour", {"time_budget_s": 1800.0}),
    ("at most 1.5 hours", {"time_budget_s": 5400.0}),
    ("5 min", {"time_budget_s": 300.0}),
    ("30s", {"time_budget_s": 30.0}),
    ("quickly", {"prefer": "speed", "time_budget_s": 60.0}),
    ("accuracy over speed", {"prefer": "accuracy", "metric": "auto"}),
    ("as accurate as possible", {"prefer": "accuracy"}),
    ("it must be explainable", {"prefer": "interpretability"}),
    ("use random forest and lightgbm", {"include_models": ("random_forest", "lightgbm")}),
    ("only logistic regression", {"include_models": ("linear",), "task_type": "auto"}),
    ("no xgboost or catboost", {"exclude_models": ("xgboost", "catboost"), "include_models": ()}),
    (
        "use random forest instead of XGBoost",
        {"include_models": ("random_forest",), "exclude_models": ("xgboost",)},
    ),
    ("without boosting", {"exclude_models": ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost")}),
    ("don't use neural networks", {"exclude_models": (), "not_understood": ()}),
    ("use the iris data", {"dataset": "sklearn:iris"}),
    ("breast cancer data", {"dataset": "sklearn:breast_cancer"}),
    ("data in folder/my-data.parquet", {"dataset": "folder/my-data.parquet"}),
    ("read https://example.org/a/data.csv.gz please", {"dataset": "https://example.org/a/data.csv.gz"}),
    ("colourless green ideas sleep furiously", {"not_understood": ("colourless green ideas sleep furiously",)}),
]


@pytest.mark.parametrize(("text", "expected"), REQUESTS, ids=[t for t, _ in REQUESTS])
def test_everyday_requests(text: str, expected: dict[str, Any]) -> None:
    plan = parse_request(text)
    assert {name: getattr(plan, name) for name in expected} == expected


def test_a_column_of_the_data_wins_over_other_words() -> None:
    assert parse_request("predict who leaves, column Exited", ["Exited", "Age"]).target == "Exited"


@given(st.text(max_size=400) | st.from_regex(r"(predict|no|under|target|learning rate|[0-9.]+|,|\s|min){0,80}"))
@settings(max_examples=300, deadline=None)
def test_any_text_makes_a_valid_plan(text: str) -> None:
    plan = parse_request(text)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(plan)), IntentPlan) == plan


@pytest.mark.parametrize("unit", ["predict ", "under ", "1", "a.", "no ", "`", '"x', "https://", "instead of ", "é,"])
def test_long_texts_come_to_an_end(unit: str) -> None:
    parse_request((unit * 20_000)[:20_000])
