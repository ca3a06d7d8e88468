"""Chats about models and their parameters."""

from typing import Any

import pytest

from jupyter_pipeline.agent.base import Change
from jupyter_pipeline.agent.parameters import PARAMETERS
from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.protocol.names import MODEL_NAMES
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import DATA, EXPORT, INTENT, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, TREES, ask, ids, params

STATUSES = (StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS, StageStatus.FAILED)
#: Before its gate MODEL_SELECT has no choice of models yet.
PLACES = [(SELECT, StageStatus.WAITING_CONFIRMATION), *((s, t) for s in (TRAIN, REVIEW, EXPORT) for t in STATUSES)]


@pytest.mark.parametrize(("stage", "status"), PLACES)
def test_the_documents_sentences(stage: StageId, status: StageStatus) -> None:
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
    ("could you use catboost instead of xgboost?", ["dummy", "linear", "lightgbm", "catboost"]),
    ("train all models", list(MODELS)),
    ("I need something explainable", ["dummy", "linear"]),
    ("make it faster", ["dummy", "linear", "hist_gradient_boosting", "lightgbm"]),
    ("add catboost, ok?", ["dummy", "linear", "lightgbm", "xgboost", "catboost"]),
    ("what I want is catboost instead of xgboost", ["dummy", "linear", "lightgbm", "catboost"]),
    ("when you train, use catboost instead of xgboost", ["dummy", "linear", "lightgbm", "catboost"]),
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
    # As code has it.
    ("use max_depth=6 for XGBoost", "xgboost", {"max_depth": 6}),
    ("use max_depth=6 for XGBoost", "lightgbm", {"learning_rate": 0.05}),
    ("set n_estimators to 500", "xgboost", {"n_estimators": 500}),
    ("learning_rate: 0.2", "lightgbm", {"learning_rate": 0.2}),
    ("XGBClassifier(max_depth=4, learning_rate=0.1)", "xgboost", {"max_depth": 4, "learning_rate": 0.1}),
    ("XGBClassifier(max_depth=4, learning_rate=0.1)", "lightgbm", {"learning_rate": 0.05}),
    ('{"max_depth": 4, "eta": 0.3}', "xgboost", {"max_depth": 4, "learning_rate": 0.3}),
    ("lightgbm with num_leaves=15, xgboost with max_depth=3", "xgboost", {"max_depth": 3}),
    ("max_depth = 8 but not for xgboost", "xgboost", {}),
    ("max_depth = 8 but not for xgboost", "lightgbm", {"learning_rate": 0.05, "max_depth": 8}),
    ("can you bump n_estimators up to 800 for xgboost pls", "xgboost", {"n_estimators": 800}),
    ("set the xgboost max_depth parameter to 5", "xgboost", {"max_depth": 5}),
    ("min_child_weight=5", "xgboost", {"min_child_weight": 5.0}),
    ("l2_leaf_reg=5 for xgboost", "xgboost", {"l2": 5.0}),
    ("xgb depth 10 and lgbm 127 leaves", "xgboost", {"max_depth": 10}),
    ("xgb depth 10 and lgbm 127 leaves", "lightgbm", {"learning_rate": 0.05, "num_leaves": 127}),
    # With a slip.
    ("max_depht=5", "xgboost", {"max_depth": 5}),
    ("n_estimator=100", "xgboost", {"n_estimators": 100}),
    ("learningrate=0.1", "xgboost", {"learning_rate": 0.1}),
    # What scikit-learn's linear models call their penalty.
    ("C=0.1", "linear", {"l2": 10.0}),
    ("C=0.1", "xgboost", {}),
    ("set C to 0.5 for logistic regression", "linear", {"l2": 2.0}),
    ("alpha=0.3", "linear", {"l2": 0.3}),
    ("C=10 for logistic regression and max_depth=3 for xgboost", "linear", {"l2": 0.1}),
    ("C=10 for logistic regression and max_depth=3 for xgboost", "xgboost", {"max_depth": 3}),
    # As the models have them by themselves.
    ("reset the parameters", "lightgbm", {}),
    ("default params for lightgbm please", "lightgbm", {}),
    ("learning_rate=default", "lightgbm", {}),
]
REFUSED = [
    ("max_depth=1000", "That depth is not possible: LightGBM takes a whole number from -1 to 100, XGBoost"),
    ("max_depth=4.5 for xgboost", "XGBoost takes a whole number from 1 to 50."),
    ("learning_rate=5 for xgboost", "XGBoost takes one from 0.0001 to 1."),
    ("max_features=sqrt", "The share of columns is a number, not 'sqrt': LightGBM takes one from 0.05 to 1"),
    ("C=0", "C must be above 0"),
    ("C=0.3 for xgboost", "XGBoost has no parameter 'C' here; it has learning_rate, n_estimators, max_depth"),
    ("gamma=0.1 for xgboost", "XGBoost has no parameter 'gamma' here; it has learning_rate, n_estimators, max_depth"),
    ("set gamma to 0.1 for xgboost", "XGBoost has no parameter 'gamma' here"),
    ("kernel=rbf", "No model to train has a parameter 'kernel' here; they have l2, max_iter, learning_rate"),
    ("n_jobs: 4", "No model to train has a parameter 'n_jobs' here"),
    ("max_features=sqrt for random forest", 'not among the models to train; say "add Random forest" first'),
    ("early_stopping_rounds=50", "Boosting and linear models stop by themselves"),
    ("scale_pos_weight=3", "Rows are not weighted"),
]


@pytest.mark.parametrize(("text", "answer"), REFUSED)
def test_what_a_model_does_not_take_is_refused_with_what_would_be_right(text: str, answer: str) -> None:
    reply, _ = ask(text, SELECT)
    assert answer in reply.text
    assert not reply.actions


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("which parameters does xgboost have?", "XGBoost: learning_rate 0.06 (0.0001 to 1), n_estimators 600 (1 to"),
        ("what is max_depth of xgboost?", "XGBoost: max_depth 6 (1 to 50)."),
        ("what learning rate do you use?", "LightGBM: learning_rate 0.05 (0.0001 to 1).\nXGBoost: learning_rate 0.06"),
        ("what are the hyperparameters?", "Linear model: l2 1 (0 to 1e+09), max_iter 200 (1 to 100000).\nLightGBM:"),
    ],
)
def test_parameters_are_told(text: str, answer: str) -> None:
    reply, _ = ask(text, SELECT)
    assert reply.text.startswith(answer)
    assert not reply.actions


@pytest.mark.parametrize("stage", [INTENT, DATA, PROFILE, PREPROCESS])
def test_parameters_wait_for_the_models(stage: StageId) -> None:
    for text in ("max_depth=6 for xgboost", "C=0.1", "gamma=0.1", "learning_rate: 0.05"):
        reply, _ = ask(text, stage)
        assert not reply.actions
        assert "can be set once models are proposed, at the stage Models; say it again there." in reply.text


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


@pytest.mark.parametrize("text", ["train lightgbm first", "first train xgboost", "lightgbm first please"])
def test_an_order_is_no_choice(text: str) -> None:
    reply, _ = ask(text, SELECT)
    assert not reply.actions
    assert "another order cannot be chosen" in reply.text
