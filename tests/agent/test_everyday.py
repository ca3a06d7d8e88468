"""Sentences as data scientists type them that once did something else, a half of it, or were not understood."""

from typing import Any

import pytest

from jupyter_pipeline.agent.base import ConfirmGate
from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.protocol.stages import StageId

from .example import DATA, INTENT, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, changes, params

OTHERS = ("tenure", "hours-per-week", "signup_date", "notes", "City~1Town")
ENCODED = {"/columns/notes": "drop", "/columns/city": "target_encode"}
TITANIC = ("PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "Fare", "Cabin", "fare error", "age error")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("survived is what I'm after, five minutes tops", {"target": "Survived", "time_budget_s": 300.0}),
        ("Age is what we want to know", {"target": "Age"}),
        ("predict survival", {"target": "Survived"}),
        ("predict fare, train for at most one thousand seconds", {"target": "Fare", "time_budget_s": 1000.0}),
        ("predict fare within two hundred and fifty seconds", {"target": "Fare", "time_budget_s": 250.0}),
        ("predict fare within twenty-five minutes", {"target": "Fare", "time_budget_s": 1500.0}),
        ("predict fare and drop the error columns", {"exclude_columns": ("fare error", "age error")}),
        ("predict fare, use whatever works best", {"target": "Fare"}),
        ("Predict survived, you decide.", {"target": "Survived"}),
        ("Predict survived from all available columns", {"target": "Survived"}),
        ("survived prediction please", {"target": "Survived"}),
        ("I want to know what fare a passenger paid", {"target": "Fare"}),
        ("predict survived, features should be sex, age", {"include_columns": ("Sex", "Age")}),
        ("predict survived. inputs: sex age fare", {"include_columns": ("Sex", "Age", "Fare")}),
        ("predict survived, keep only sex and age as features", {"include_columns": ("Sex", "Age")}),
        ("predict survived, everything but sex and age can go", {"include_columns": ("Sex", "Age")}),
    ],
)
def test_requests(text: str, expected: dict[str, Any]) -> None:
    plan = parse_request(text, TITANIC)
    assert {member: getattr(plan, member) for member in expected} == expected
    assert plan.not_understood == ()


@pytest.mark.parametrize(
    ("text", "stage", "expected"),
    [
        ("no, I meant tenure", DATA, {"/target": "tenure", "/positive_class": None}),
        ("tenure", DATA, {"/target": "tenure", "/positive_class": None}),
        ("drop age; tenure; city", PROFILE, {f"/roles/{c}": "ignore" for c in ("age", "tenure", "city")}),
        ("Drop age. Tenure and city.", PROFILE, {f"/roles/{c}": "ignore" for c in ("age", "tenure", "city")}),
        ("get rid of city, too many missings", PROFILE, {"/roles/city": "ignore"}),
        ("forty percent test please", PREPROCESS, {"/split": {"test_fraction": 0.4}}),
        ("60/20/20 and seed forty-two", PREPROCESS, {"/split": {"test_fraction": 0.2, "seed": 42}}),
        ("seed seven", PREPROCESS, {"/split": {"seed": 7}}),
        ("make city boolean and age ordinal", PREPROCESS, {"/columns/city": "boolean", "/columns/age": "ordinal"}),
        ("impute age with the median", PREPROCESS, {}),
        ("use 5-fold", PREPROCESS, {}),
        ("hours-per-week should be left out", PROFILE, {"/roles/hours-per-week": "ignore"}),
        ("the threshold should be lower, I can't afford false negatives", TRAIN, {"/threshold": 0.3}),
        ("use recall, and what does recall mean?", SELECT, {"/metric": "recall"}),
        ("go back to the columns and drop age", TRAIN, {"/columns/age": "drop"}),
        ("age should not be used", PROFILE, {"/roles/age": "ignore"}),
        ("all but age and city can go", PROFILE, {f"/roles/{c}": "ignore" for c in OTHERS}),
        ("notes should be dropped and city target-encoded", PREPROCESS, ENCODED),
        ("encode city as 0/1", PREPROCESS, {"/columns/city": "boolean"}),
    ],
)
def test_chats(text: str, stage: StageId, expected: dict[str, Any]) -> None:
    changes(text, stage, expected)
    reply, _ = ask(text, stage)
    assert "not understand" not in reply.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("predict survived only for women", "for women (all rows are used"),
        ("predict survived, remove the title from name", "remove the title from"),
    ],
)
def test_what_is_of_rows_or_within_a_column_leaves_no_column_out(text: str, told: str) -> None:
    plan = parse_request(text, TITANIC)
    assert not plan.exclude_columns
    assert any(told in clause for clause in plan.not_understood)


def test_what_is_to_be_told_is_no_task() -> None:
    plan = parse_request("predict survived and tell me which of sex and age matters more", TITANIC)
    assert (plan.target, plan.task_type) == ("Survived", "auto")


def test_a_parameter_in_words() -> None:
    _, plans = ask("max_depth = five", SELECT)
    assert params(plans, "xgboost")["max_depth"] == 5
    _, plans = ask("max depth three for xgboost", SELECT)
    assert params(plans, "xgboost")["max_depth"] == 3
    _, plans = ask("set n_estimators to a thousand for xgboost", SELECT)
    assert params(plans, "xgboost")["n_estimators"] == 1000


@pytest.mark.parametrize(
    ("text", "stage", "told"),
    [
        ("why did you drop customer_id?", PROFILE, "customer_id: role id. It identifies rows"),
        ("why is notes text?", PREPROCESS, "words and letters become the features"),
        ("which columns have missing values?", PROFILE, "Missing values of 1,000 rows: age 120 (12.0%)."),
        ("which rows were removed?", PREPROCESS, "No rows are taken out, but those without a value of the target"),
        ("what does leakage mean?", PROFILE, "A column leaks where"),
        ("what is a baseline?", TRAIN, "The baseline looks at no column"),
        ("what does the confusion matrix mean?", TRAIN, "counts, for each true class"),
        ("what is the threshold?", TRAIN, "The threshold is 0.4."),
        (
            "what is auc of lightgbm?",
            TRAIN,
            "ROC AUC of LightGBM (run-6-1-lightgbm): 0.8000 on the 200 validation rows.",
        ),
        ("what is best auc?", TRAIN, "ROC AUC of LightGBM (run-6-1-lightgbm): 0.8000"),
        ("what is l2 of xgboost?", SELECT, "XGBoost: l2 1"),
        ("a few hundred trees", SELECT, "Say what to do with"),
        ("use recall, and what does recall mean?", SELECT, "Recall is the share of the positive rows"),
        ("what is the difference between validation and test rows?", TRAIN, "Test rows are neither trained on"),
        ("can you explain the best model?", TRAIN, "Fast boosting, leaf by leaf"),
        ("what is the difference between extra trees and random forest?", SELECT, "A forest with random cuts"),
        ("use 5-fold", PREPROCESS, "There is no cross-validation"),
        ("what would happen if I lower the threshold to 0.3?", TRAIN, "That would come to this: Threshold: 0.3."),
        ("why was random forest not trained?", TRAIN, "Random forest is not among the models to train."),
        ("impute age with the median", PREPROCESS, "Missing values need nothing"),
        ("shuffle before splitting", PREPROCESS, "Split: stratified: that is so already."),
    ],
)
def test_questions(text: str, stage: StageId, told: str) -> None:
    reply, _ = ask(text, stage)
    assert told in reply.text
    assert "not understand" not in reply.text


def test_ship_it_confirms() -> None:
    reply, _ = ask("looks good, ship it", REVIEW)
    assert reply.actions == (ConfirmGate(),)
    reply, _ = ask("don't ship it yet", REVIEW)
    assert reply.actions == ()


def test_numbers_in_words_that_are_no_values_stay_words() -> None:
    columns = ("one two", "twenty", "price")
    assert parse_request("predict twenty from one two", columns).target == "twenty"
    assert parse_request("predict which of two classes it is", ()).task_type == "binary"
    changes("the second one", INTENT, {})
