"""Chats at gates and while training: what they change, always by a patch that makes a valid plan."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.answers import examples
from jupyter_pipeline.agent.base import Cancel, Change, ConfirmGate, Restart
from jupyter_pipeline.agent.parameters import PARAMETERS
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.agent.vocabulary import MODEL_NAMES
from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import applied, ask, context_at

INTENT, DATA, PROFILE, PREPROCESS, SELECT, TRAIN, REVIEW, EXPORT = STAGES
TREES = ["random_forest", "extra_trees", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost"]


def ids(plans: dict[StageId, dict[str, Any]]) -> list[str]:
    return [m["id"] for m in plans[SELECT]["models"]]


def params(plans: dict[StageId, dict[str, Any]], model: str) -> dict[str, Any]:
    return next(m["params"] for m in plans[SELECT]["models"] if m["id"] == model)


@pytest.mark.parametrize("stage", [SELECT, TRAIN, REVIEW, EXPORT])
@pytest.mark.parametrize("status", [StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS, StageStatus.FAILED])
def test_the_documents_sentences(stage: StageId, status: StageStatus) -> None:
    if stage is SELECT and status is not StageStatus.WAITING_CONFIRMATION:
        pytest.skip("there is no choice of models yet")
    reply, plans = ask("Please use Random Forest instead of XGBoost", stage, status)
    assert ids(plans) == ["dummy", "linear", "lightgbm", "random_forest"]
    assert "Random forest added" in reply.text
    assert "XGBoost left out" in reply.text

    reply, plans = ask("Can you retrain with higher learning rate?", stage, status)
    assert params(plans, "lightgbm")["learning_rate"] == 0.1
    assert params(plans, "xgboost")["learning_rate"] == 0.12
    assert "0.05 to 0.1" in reply.text
    assert [type(a) for a in reply.actions] == [Change]

    reply, plans = ask("Please optimize for accuracy over speed", stage, status)
    assert set(ids(plans)) == set(MODELS)
    assert plans[SELECT]["time_budget_s"] == 600
    assert plans[SELECT]["trials"] == 10


def test_models_go_by_their_names_which_are_understood() -> None:
    assert {model_id: info.name for model_id, info in MODELS.items()} == MODEL_NAMES
    for model_id, name in MODEL_NAMES.items():
        reply, plans = ask(f"add {name}", SELECT)
        assert model_id in ids(plans)
        assert name in reply.text


CHOICES: list[tuple[str, list[str]]] = [
    ("use random forest", ["dummy", "random_forest"]),
    ("switch to catboost please", ["dummy", "catboost"]),
    ("only lightgbm and catboost", ["lightgbm", "catboost"]),
    ("tree models only", TREES),
    ("just use boosting", ["hist_gradient_boosting", "lightgbm", "xgboost", "catboost"]),
    ("add catboost and extra trees", ["dummy", "linear", "lightgbm", "xgboost", "catboost", "extra_trees"]),
    ("also try a random forest", ["dummy", "linear", "lightgbm", "xgboost", "random_forest"]),
    ("drop xgboost", ["dummy", "linear", "lightgbm"]),
    ("without xgboost or lightgbm", ["dummy", "linear"]),
    ("I don't want xgboost", ["dummy", "linear", "lightgbm"]),
    ("no boosting, please", ["dummy", "linear"]),
    ("remove the baseline", ["linear", "lightgbm", "xgboost"]),
    ("replace xgboost with catboost", ["dummy", "linear", "lightgbm", "catboost"]),
    ("swap linear for extra trees", ["dummy", "extra_trees", "lightgbm", "xgboost"]),
    ("catboost rather than lightgbm", ["dummy", "linear", "catboost", "xgboost"]),
    ("Instead of XGBoost use extra trees", ["dummy", "linear", "lightgbm", "extra_trees"]),
    ("remove xgboost and lightgbm, keep linear", ["dummy", "linear"]),
    ("xgboost is too slow", ["dummy", "linear", "lightgbm"]),
    ("use an ensemble", ["dummy", "linear", "lightgbm", "xgboost", "ensemble"]),
    ("blend the models", ["dummy", "linear", "lightgbm", "xgboost", "ensemble"]),
    ("stack lightgbm and catboost", ["dummy", "lightgbm", "catboost", "ensemble"]),
    ("no ensemble, and no xgboost", ["dummy", "linear", "lightgbm"]),
    ("only tree ensembles", TREES),
    ("what about catboost instead of xgboost?", ["dummy", "linear", "lightgbm", "catboost"]),
    ("train all models", list(MODELS)),
    ("I need something explainable", ["dummy", "linear"]),
    ("make it faster", ["dummy", "linear", "hist_gradient_boosting", "lightgbm"]),
    ("why not catboost?", ["dummy", "linear", "lightgbm", "xgboost", "catboost"]),
    ("Why don't you use catboost instead of xgboost?", ["dummy", "linear", "lightgbm", "catboost"]),
    ("try everything", list(MODELS)),
    ("use random forest with 300 trees", ["dummy", "random_forest"]),
    ("try again with catboost too", ["dummy", "linear", "lightgbm", "xgboost", "catboost"]),
    ("use all models but catboost", [m for m in MODELS if m != "catboost"]),
    ("random forest with 300 trees", ["dummy", "linear", "lightgbm", "xgboost", "random_forest"]),
]


@pytest.mark.parametrize(("text", "expected"), CHOICES, ids=[t for t, _ in CHOICES])
def test_choice_of_models(text: str, expected: list[str]) -> None:
    _, plans = ask(text, SELECT)
    assert ids(plans) == expected


PARAMS: list[tuple[str, str, dict[str, Any]]] = [
    ("learning rate 0.2", "lightgbm", {"learning_rate": 0.2}),
    ("set the learning rate of lightgbm to 0.01", "lightgbm", {"learning_rate": 0.01}),
    ("set the learning rate of lightgbm to 0.01", "xgboost", {}),
    ("lower learning rate", "lightgbm", {"learning_rate": 0.025}),
    ("halve the learning rate for xgboost", "xgboost", {"learning_rate": 0.03}),
    ("retrain with a smaller learning rate please", "xgboost", {"learning_rate": 0.03}),
    ("increase the learning rate", "xgboost", {"learning_rate": 0.12}),
    ("max depth 4 for xgboost", "xgboost", {"max_depth": 4}),
    ("use max_depth = 4", "lightgbm", {"learning_rate": 0.05, "max_depth": 4}),
    ("deeper trees", "xgboost", {"max_depth": 8}),
    ("1000 trees", "lightgbm", {"learning_rate": 0.05, "n_estimators": 1000}),
    ("increase the number of trees", "xgboost", {"n_estimators": 1200}),
    ("more trees for xgboost", "xgboost", {"n_estimators": 1200}),
    ("more regularisation", "linear", {"l2": 2.0}),
    ("num_leaves 63", "lightgbm", {"learning_rate": 0.05, "num_leaves": 63}),
    ("subsample 80%", "xgboost", {"subsample": 0.8}),
    ("max depth 5 and learning rate 0.3 for xgboost", "xgboost", {"max_depth": 5, "learning_rate": 0.3}),
    ("max depth 5 for xgboost and learning rate 0.3 for lightgbm", "xgboost", {"max_depth": 5}),
    ("max depth 5 for xgboost and learning rate 0.3 for lightgbm", "lightgbm", {"learning_rate": 0.3}),
    ("random forest with 300 trees and max depth 10", "random_forest", {"n_estimators": 300, "max_depth": 10}),
    ("random forest with 300 trees and max depth 10", "xgboost", {}),
    ("use catboost with depth 4", "catboost", {"depth": 4}),
]


@pytest.mark.parametrize(("text", "model", "expected"), PARAMS)
def test_parameters(text: str, model: str, expected: dict[str, Any]) -> None:
    _, plans = ask(text, SELECT)
    assert params(plans, model) == expected


def test_parameters_are_those_of_the_registry() -> None:
    assert set(PARAMETERS) == set(MODELS)
    for model, known in PARAMETERS.items():
        for parameter in known.values():
            real = MODELS[model].parameters[parameter.name]
            assert (parameter.default, parameter.low, parameter.high) == (real.default, real.low, real.high)
            assert parameter.whole == real.whole


CHANGES: list[tuple[str, StageId, str, Any]] = [
    ("optimise recall", INTENT, "PARSE_INTENT/metric", "recall"),
    ("keep it under five minutes, no xgboost", INTENT, "PARSE_INTENT/exclude_models", ["xgboost"]),
    ("without catboost", INTENT, "PARSE_INTENT/exclude_models", ["catboost"]),
    ("use random forest instead of xgboost", INTENT, "PARSE_INTENT/include_models", ["random_forest"]),
    ("two minutes", INTENT, "PARSE_INTENT/time_budget_s", 120.0),
    ("the target is price", INTENT, "PARSE_INTENT/target", "price"),
    ("predict `house price` instead", INTENT, "PARSE_INTENT/target", "house price"),
    ("it is a regression", INTENT, "PARSE_INTENT/task_type", "regression"),
    ("use the iris data", INTENT, "PARSE_INTENT/dataset", "iris"),
    ("accuracy over speed", INTENT, "PARSE_INTENT/prefer", "accuracy"),
    ("it must be interpretable", DATA, "PARSE_INTENT/prefer", "interpretability"),
    ("no boosting", PREPROCESS, "PARSE_INTENT/exclude_models", ["hist_gradient_boosting", *TREES[3:]]),
    ("two minutes", PROFILE, "PARSE_INTENT/time_budget_s", 120.0),
    ("the target is age", DATA, "DATA_SOURCE/target", "age"),
    ("predict tenure instead", DATA, "DATA_SOURCE/target", "tenure"),
    ("use City/Town as the target", DATA, "DATA_SOURCE/target", "City/Town"),
    ("predict hours per week", PREPROCESS, "DATA_SOURCE/target", "hours-per-week"),
    ("the target is age", TRAIN, "DATA_SOURCE/positive_class", None),
    ("use iris", DATA, "DATA_SOURCE/dataset_id", "sklearn:iris"),
    ("use sklearn:iris", DATA, "DATA_SOURCE/dataset_id", "sklearn:iris"),
    ("switch to other.parquet", DATA, "DATA_SOURCE/dataset_id", "workspace:data/other.parquet"),
    ("use https://example.org/a.csv", DATA, "PARSE_INTENT/dataset", "https://example.org/a.csv"),
    ("the positive class is 0", DATA, "DATA_SOURCE/positive_class", "0"),
    ("treat 'stayed' as positive", DATA, "DATA_SOURCE/positive_class", "stayed"),
    ("false negatives are costly", DATA, "DATA_SOURCE/metric", "recall"),
    ("this is a multiclass problem", DATA, "DATA_SOURCE/task_type", "multiclass"),
    ("drop age", PROFILE, "PROFILE_DATA/roles/age", "ignore"),
    ("please ignore notes and city", PROFILE, "PROFILE_DATA/roles/city", "ignore"),
    ("age is an id", PROFILE, "PROFILE_DATA/roles/age", "id"),
    ("use signup_date as the time column", PROFILE, "PROFILE_DATA/roles/signup_date", "time"),
    ("city is the group column", PROFILE, "PROFILE_DATA/roles/city", "group"),
    ("keep customer_id", PROFILE, "PROFILE_DATA/roles/customer_id", "feature"),
    ("use customer_id as a feature", PREPROCESS, "PROFILE_DATA/roles/customer_id", "feature"),
    ("drop age", PREPROCESS, "PREPROCESS/columns/age", "drop"),
    ("drop the columns age, tenure and city", PREPROCESS, "PREPROCESS/columns/tenure", "drop"),
    ("don't use `notes`", PREPROCESS, "PREPROCESS/columns/notes", "drop"),
    ("leave City/Town out", PREPROCESS, "PREPROCESS/columns/City~1Town", "drop"),
    ("train without hours per week", PREPROCESS, "PREPROCESS/columns/hours-per-week", "drop"),
    ("remove tenure, it leaks the target", PREPROCESS, "PREPROCESS/columns/tenure", "drop"),
    ("treat city as text", PREPROCESS, "PREPROCESS/columns/city", "text"),
    ("treat age and tenure as categorical", PREPROCESS, "PREPROCESS/columns/tenure", "onehot"),
    ("treat age as categorical and city as text", PREPROCESS, "PREPROCESS/columns/city", "text"),
    ("notes is categorical", PREPROCESS, "PREPROCESS/columns/notes", "onehot"),
    ("age should be ordinal", PREPROCESS, "PREPROCESS/columns/age", "ordinal"),
    ("encode city as target encoding", PREPROCESS, "PREPROCESS/columns/city", "target_encode"),
    ("make hours-per-week a boolean", PREPROCESS, "PREPROCESS/columns/hours-per-week", "boolean"),
    ("one-hot encode hours-per-week", PREPROCESS, "PREPROCESS/columns/hours-per-week", "onehot"),
    ("use target encoding for city", PREPROCESS, "PREPROCESS/columns/city", "target_encode"),
    ("tenure leaks the target, drop it", PREPROCESS, "PREPROCESS/columns/tenure", "drop"),
    ("only use age and tenure", PROFILE, "PROFILE_DATA/roles/notes", "ignore"),
    ("use only age, tenure and customer_id as features", PROFILE, "PROFILE_DATA/roles/customer_id", "feature"),
    ("use only age and city", PREPROCESS, "PREPROCESS/columns/notes", "drop"),
    ("use a time-based split", PREPROCESS, "PREPROCESS/split", {"strategy": "time", "column": "signup_date"}),
    ("keep rows with the same city together", PREPROCESS, "PREPROCESS/split", {"strategy": "group", "column": "city"}),
    ("parse city as a date", PREPROCESS, "PREPROCESS/columns/city", "datetime"),
    ("25% test rows", PREPROCESS, "PREPROCESS/split", {"test_fraction": 0.25}),
    ("use 10% for validation", PREPROCESS, "PREPROCESS/split", {"val_fraction": 0.1}),
    ("test size 0.3", PREPROCESS, "PREPROCESS/split", {"test_fraction": 0.3}),
    ("70/30 split", PREPROCESS, "PREPROCESS/split", {"test_fraction": 0.3}),
    ("70/15/15", PREPROCESS, "PREPROCESS/split", {"test_fraction": 0.15, "val_fraction": 0.15}),
    ("use seed 7", PREPROCESS, "PREPROCESS/split", {"seed": 7}),
    ("random state = 42", PREPROCESS, "PREPROCESS/split", {"seed": 42}),
    ("split by time", PREPROCESS, "PREPROCESS/split", {"strategy": "time", "column": "signup_date"}),
    ("split by time using age", PREPROCESS, "PREPROCESS/split", {"strategy": "time", "column": "age"}),
    ("split by signup_date", PREPROCESS, "PREPROCESS/split", {"strategy": "time", "column": "signup_date"}),
    ("group by customer_id", PREPROCESS, "PREPROCESS/split", {"strategy": "group", "column": "customer_id"}),
    ("make it a random split", PREPROCESS, "PREPROCESS/split", {"strategy": "random", "column": None}),
    ("don't stratify", PREPROCESS, "PREPROCESS/split", {"strategy": "random", "column": None}),
    ("optimise recall", SELECT, "MODEL_SELECT/metric", "recall"),
    ("use the F1 score as metric", SELECT, "MODEL_SELECT/metric", "f1"),
    ("keep it under two minutes", SELECT, "MODEL_SELECT/time_budget_s", 120.0),
    ("you have half an hour", SELECT, "MODEL_SELECT/time_budget_s", 1800.0),
    ("train longer", SELECT, "MODEL_SELECT/time_budget_s", 600.0),
    ("take no more than 90 seconds", TRAIN, "MODEL_SELECT/time_budget_s", 90.0),
    ("20 trials", SELECT, "MODEL_SELECT/trials", 20),
    ("try ten settings of each", SELECT, "MODEL_SELECT/trials", 10),
    ("no hyperparameter tuning", SELECT, "MODEL_SELECT/trials", 1),
    ("tune more", SELECT, "MODEL_SELECT/trials", 10),
    ("keep xgboost", TRAIN, "TRAIN/keep", "run-6-2-xgboost"),
    ("keep the logistic regression", TRAIN, "TRAIN/keep", "run-6-3-linear"),
    ("take the second best model", TRAIN, "TRAIN/keep", "run-6-2-xgboost"),
    ("keep run-6-3-linear", TRAIN, "TRAIN/keep", "run-6-3-linear"),
    ("use the second best model", TRAIN, "TRAIN/keep", "run-6-2-xgboost"),
    ("threshold 0.3", TRAIN, "TRAIN/threshold", 0.3),
    ("set the threshold to 30%", TRAIN, "TRAIN/threshold", 0.3),
    ("raise the threshold", TRAIN, "TRAIN/threshold", 0.5),
    ("use the default threshold", TRAIN, "TRAIN/threshold", None),
    ("threshold 0.3", REVIEW, "TRAIN/threshold", 0.3),
    ("leave the notebook out", REVIEW, "REVIEW_EDIT/notebook", False),
    ("without the event log and the report", REVIEW, "REVIEW_EDIT/report", False),
    ("don't include the training code", REVIEW, "REVIEW_EDIT/training_code", False),
    ("drop column 3", PROFILE, "PROFILE_DATA/roles/city", "ignore"),
    ("remove everything except age and notes", PROFILE, "PROFILE_DATA/roles/city", "ignore"),
    ("age and tenure should be ignored", PROFILE, "PROFILE_DATA/roles/tenure", "ignore"),
    ("use signup_date for time", PROFILE, "PROFILE_DATA/roles/signup_date", "time"),
    ("encode age with one hot", PREPROCESS, "PREPROCESS/columns/age", "onehot"),
    ("shuffle", PREPROCESS, "PREPROCESS/split", {"strategy": "random"}),
    ("give it 10 more minutes", SELECT, "MODEL_SELECT/time_budget_s", 900.0),
    ("use 1,5 hours", SELECT, "MODEL_SELECT/time_budget_s", 5400.0),
    ("optimise F1 rather than accuracy", SELECT, "MODEL_SELECT/metric", "f1"),
    ("I don't care about accuracy, recall matters", SELECT, "MODEL_SELECT/metric", "recall"),
    ("threshold of 0,3", TRAIN, "TRAIN/threshold", 0.3),
    ("put 20 sample rows into the bundle", REVIEW, "REVIEW_EDIT/sample_rows", 20),
]


@pytest.mark.parametrize(("text", "at", "path", "value"), CHANGES, ids=[f"{c[1]}: {c[0]}" for c in CHANGES])
def test_changes(text: str, at: StageId, path: str, value: Any) -> None:
    reply, plans = ask(text, at)
    stage, *members = path.split("/")
    found: Any = plans[StageId(stage)]
    for member in members:
        found = found[member.replace("~1", "/")]
    if isinstance(value, dict):
        found = {member: found[member] for member in value}
    assert found == value
    assert "did not understand" not in reply.text
    if not isinstance(value, dict):
        assert {type(a) for a in reply.actions} == {Change}


@pytest.mark.parametrize(
    ("text", "sheet"),
    [
        ("use the sheet Sales 2024", "Sales 2024"),
        ('use the sheet "q1 2025"', "Q1-2025"),
        ("switch to Sales 2024", "Sales 2024"),
        ("take the second sheet", "Sales 2024"),
        ("sheet 3 please", "Q1-2025"),
        ("the last tab", "Q1-2025"),
        ("use the sheet Costs", None),
        ("another sheet", None),
    ],
)
def test_a_sheet_is_chosen_by_name_or_place(text: str, sheet: str | None) -> None:
    context = context_at(DATA)
    plan = {**context.plans[DATA], "dataset_id": "upload:book.xlsx", "sheet": "Summary"}
    context = msgspec.structs.replace(context, plans={**context.plans, DATA: plan})
    reply = RuleAgent().respond(text, context)
    assert applied(reply, context)[DATA]["sheet"] == (sheet or "Summary")
    assert reply.text == f"Sheet: {sheet}." or (sheet is None and "'Summary', 'Sales 2024', 'Q1-2025'" in reply.text)


def test_other_data_are_read_from_their_own_sheet() -> None:
    context = context_at(DATA)
    plan = {**context.plans[DATA], "dataset_id": "upload:book.xlsx", "sheet": "Summary"}
    context = msgspec.structs.replace(context, plans={**context.plans, DATA: plan})
    assert applied(RuleAgent().respond("use iris", context), context)[DATA]["sheet"] is None


def test_what_was_changed_at_a_gate_is_taken_back() -> None:
    context = context_at(SELECT)
    proposed = {**context.plans[SELECT], "trials": 50}
    context = msgspec.structs.replace(context, proposed=proposed)
    reply = RuleAgent().respond("undo that", context)
    assert reply.text == "Back to what MODEL_SELECT proposed: trials."
    assert applied(reply, context)[SELECT] == proposed


@pytest.mark.parametrize(
    ("text", "status", "action"),
    [
        ("go on", "waiting", ConfirmGate()),
        ("Looks good!", "waiting", ConfirmGate()),
        ("yes, please continue", "waiting", ConfirmGate()),
        ("confirm", "waiting", ConfirmGate()),
        ("ok", "waiting", ConfirmGate()),
        ("restart training", "waiting", Restart(stage_id=TRAIN)),
        ("retrain", "waiting", Restart(stage_id=TRAIN)),
        ("run the profile again", "waiting", Restart(stage_id=PROFILE)),
        ("go back to preprocessing", "waiting", Restart(stage_id=PREPROCESS)),
        ("go back to the columns", "waiting", Restart(stage_id=PROFILE)),
        ("stop after this model", "running", Cancel(mode="finish")),
        ("start over", "waiting", Restart(stage_id=INTENT)),
        ("redo the model selection", "running", Restart(stage_id=SELECT)),
        ("stop", "running", Cancel(mode="stop")),
        ("please cancel the run", "running", Cancel(mode="stop")),
        ("stop now!", "running", Cancel(mode="now")),
        ("finish with the best so far", "running", Cancel(mode="finish")),
        ("that's enough, keep the best so far", "running", Cancel(mode="finish")),
    ],
)
def test_actions(text: str, status: str, action: Any) -> None:
    where = StageStatus.WAITING_CONFIRMATION if status == "waiting" else StageStatus.IN_PROGRESS
    reply, _ = ask(text, TRAIN, where)
    assert reply.actions == (action,)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("start training", SELECT),
        ("start", SELECT),
        ("proceed to preprocessing", PROFILE),
        ("looks great, export it", REVIEW),
    ],
)
def test_naming_what_comes_next_confirms(text: str, at: StageId) -> None:
    assert ask(text, at)[0].actions == (ConfirmGate(),)
    assert not ask(text, at, StageStatus.IN_PROGRESS)[0].actions


@pytest.mark.parametrize("text", ["don't confirm", "not yet", "do not stop", "stop?", "never restart", "no", "hello"])
@pytest.mark.parametrize("status", [StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS])
def test_no_action_without_being_asked(text: str, status: StageStatus) -> None:
    reply, _ = ask(text, TRAIN, status)
    assert not reply.actions


def test_a_change_is_never_confirmed_in_the_same_breath() -> None:
    reply, plans = ask("Drop age. Go on.", PREPROCESS)
    assert plans[PREPROCESS]["columns"]["age"] == "drop"
    assert [type(a) for a in reply.actions] == [Change]
    assert "Confirm when you have seen" in reply.text


def test_several_changes_at_once_and_what_was_not_understood() -> None:
    text = "Use random forest instead of xgboost, three minutes, and sing me a song. Drop notes! Optimise F1; seed 7."
    reply, plans = ask(text, SELECT)
    assert ids(plans) == ["dummy", "linear", "lightgbm", "random_forest"]
    assert plans[SELECT]["time_budget_s"] == 180.0
    assert plans[SELECT]["metric"] == "f1"
    assert plans[PREPROCESS]["columns"]["notes"] == "drop"
    assert plans[PREPROCESS]["split"]["seed"] == 7
    assert [a.stage_id for a in reply.actions if isinstance(a, Change)] == [PREPROCESS, SELECT]
    assert 'I did not understand "sing me a song".' in reply.text


QUESTIONS: list[tuple[str, StageId, str]] = [
    ("what is the best so far?", TRAIN, "LightGBM (run-6-1-lightgbm) with roc_auc 0.8000"),
    ("Can you show me the best model?", TRAIN, "LightGBM (run-6-1-lightgbm)"),
    ("which metric do you use?", SELECT, "roc_auc"),
    ("what is the recall?", TRAIN, "roc_auc"),
    ("why xgboost?", SELECT, "strong regularisation"),
    ("why is lightgbm better?", TRAIN, "0.8000"),
    ("why?", TRAIN, "XGBoost 0.7000"),
    ("status?", PREPROCESS, "PREPROCESS (splitting and preparing the data) waits for your confirmation."),
    ("what's going on", TRAIN, "TRAIN (training)"),
    ("what are you predicting?", PROFILE, "The target is Exited, a binary task."),
    ("which models are there?", SELECT, "Random forest"),
    ("which columns are used?", PREPROCESS, "city (onehot)"),
    ("how long will it take?", SELECT, "5 minutes"),
    ("which data do you use?", DATA, "upload:customers.csv"),
    ("how is the data split?", PREPROCESS, "stratified"),
    ("what can I ask?", SELECT, "higher learning rate"),
    ("help", REVIEW, "leave the notebook out"),
    ("what does recall mean?", TRAIN, "the share of the positive rows that are found"),
    ("why is customer_id left out?", PROFILE, "customer_id: role id."),
    ("how is city encoded?", PREPROCESS, "treated as onehot"),
    ("which model did you choose?", REVIEW, "is kept is LightGBM (run-6-1-lightgbm), with roc_auc 0.8000"),
    ("show me the confusion matrix", TRAIN, "shown with the results"),
    ("how many trials?", SELECT, "Up to 5 settings"),
    ("what is the test score?", TRAIN, "The test rows have not been read yet"),
    ("which features are important?", TRAIN, "the importance of columns"),
    ("what happens to missing values?", PREPROCESS, "the median of the training rows"),
]


@pytest.mark.parametrize(("text", "at", "expected"), QUESTIONS)
def test_questions_are_answered_and_change_nothing(text: str, at: StageId, expected: str) -> None:
    reply, _ = ask(text, at)
    assert expected in reply.text
    assert not reply.actions


IMPOSSIBLE: list[tuple[str, StageId, str, str]] = [
    ("use a neural network", SELECT, "binary", "There are no neural networks here; the models are Baseline"),
    ("minimise RMSE", SELECT, "binary", "rmse does not fit this binary task"),
    ("optimise recall", SELECT, "regression", "recall does not fit this regression task"),
    ("threshold 0.3", TRAIN, "regression", "binary tasks only"),
    ("threshold 3", TRAIN, "binary", "from 0 to 1"),
    ("the target is salary", DATA, "binary", "There is no column 'salary' to predict"),
    ("drop the column salary", PREPROCESS, "binary", "There is no column 'salary'"),
    ("drop `salary`", PREPROCESS, "binary", "There is no column 'salary'"),
    ("drop Exited", PREPROCESS, "binary", "Exited is the target"),
    ("90% test rows", PREPROCESS, "binary", "up to 45 %"),
    ("45% test and 45% validation", PREPROCESS, "binary", "At least a fifth"),
    ("learning rate 5", SELECT, "binary", "from 0.0001 to 1"),
    ("use only linear with a learning rate of 0.1", INTENT, "binary", "once MODEL_SELECT has proposed models"),
    ("drop all models", SELECT, "binary", ""),
    ("without dummy, linear, lightgbm and xgboost", SELECT, "binary", "At least one model must stay"),
    ("keep catboost", TRAIN, "binary", "No finished run of CatBoost can be kept; finished: LightGBM, XGBoost"),
    ("treat age as text", PROFILE, "binary", "decided at PREPROCESS"),
    ("split by time", PROFILE, "binary", "decided at PREPROCESS"),
    ("20 trials", DATA, "binary", "decided at MODEL_SELECT"),
    ("leave the notebook out", TRAIN, "binary", "decided at REVIEW_EDIT"),
    ("retrain", SELECT, "binary", "TRAIN has not been reached"),
    ("5000 trials", SELECT, "binary", "from 1 to 1000"),
    ("use 5-fold cross validation", PREPROCESS, "binary", "There is no cross-validation"),
    ("scale the features", PREPROCESS, "binary", "Scaling needs nothing"),
    ("train on the GPU", SELECT, "binary", "a graphics card is not used"),
    ("don't include the data", REVIEW, "binary", "leave the training code and the notebook out"),
    ("swap the positive class", DATA, "binary", "Say which class is positive"),
    ("make the test set bigger", PREPROCESS, "binary", "Say how large the part should be"),
    ("use 5 folds", PREPROCESS, "binary", "There is no cross-validation"),
    ("use the sheet Sales", DATA, "binary", "The data have no sheets"),
    ("undo that", SELECT, "binary", "there is nothing to take back"),
    ("keep customers together", PREPROCESS, "binary", 'for example "split by group using customer_id"'),
]


@pytest.mark.parametrize(("text", "at", "task", "expected"), IMPOSSIBLE)
def test_what_cannot_be_done_is_said_with_what_would_be_right(text: str, at: StageId, task: str, expected: str) -> None:
    reply, plans = ask(text, at, task=task)
    assert expected in reply.text
    if "learning rate of" not in text:
        assert plans == context_at(at, task=task).plans


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", [StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS, StageStatus.FAILED])
def test_what_is_not_understood_is_answered_with_what_can_be_asked(stage: StageId, status: StageStatus) -> None:
    reply, _ = ask("colourless green ideas", stage, status)
    assert not reply.actions
    assert 'I did not understand "colourless green ideas".' in reply.text
    assert "you can say" in reply.text


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_examples_given_can_be_done(stage: StageId, task: str) -> None:
    for status in (StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS):
        if status is StageStatus.IN_PROGRESS and stage is not TRAIN:
            continue
        for example in examples(context_at(stage, status, task)):
            reply, _ = ask(example, stage, status, task)
            assert reply.actions, (example, reply.text)
            assert "did not understand" not in reply.text


WORDS = """
    use instead of without only no not drop keep treat as split by test % seed threshold learning rate higher lower
    random forest xgboost lightgbm age city Exited customer_id time group stop finish restart why what is the target
    positive class minutes 5 0.3 20 trials , . ? ! and but predict recall rmse accuracy over speed iris data.csv
    notebook leave out `notes` 'City/Town' more trees depth max_depth = : 70/15/15
""".split()  # noqa: SIM905


@given(
    text=st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    stage=st.sampled_from(STAGES),
    status=st.sampled_from(StageStatus),
    task=st.sampled_from(["binary", "multiclass", "regression"]),
)
@settings(max_examples=400, deadline=None)
def test_any_text_gets_an_answer_and_makes_valid_plans(
    text: str, stage: StageId, status: StageStatus, task: str
) -> None:
    ask(text, stage, status, task)


@pytest.mark.parametrize(
    "unit", ["use ", "higher learning rate ", "test 30% ", "drop age ", "`", "keep best run ", "a.b/"]
)
def test_long_texts_come_to_an_end(unit: str) -> None:
    context = context_at(SELECT)
    applied(RuleAgent().respond((unit * 20_000)[:20_000], context), context)


def test_the_agent_imports_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_pipeline.agent.rules; "
        "bad = {'pandas', 'numpy', 'polars', 'sklearn', 'langchain', 'tornado'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
