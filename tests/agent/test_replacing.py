"""What is to be replaced, by arrows and by ``from … to``; how many models; the rows as a ratio."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import Change
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import DATA, INTENT, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, changes, ids, params, sentences

ARROWS = ("->", "=>", "-->", "\u2192")
MODELS: list[tuple[list[str], str]] = [
    (["dummy", "linear", "lightgbm", "random_forest"], """
        xgb -> rf | xgb => rf | xgb --> rf | xgb->rf | xgboost \u2192 random forest | replace: xgb -> rf
        XGB -> a random forest
        please change xgboost to random forest | switch from xgb to rf | from xgb to rf
        go from xgboost to random forest
        swap xgb and rf | swap xgb for rf | I'd like xgb -> rf
    """),
    (["dummy", "linear", "random_forest"], "xgb, lgbm -> rf | xgb and lgbm -> rf"),
    (["dummy", "catboost", "extra_trees", "lightgbm"], "linear -> catboost, xgb -> extra trees"),
    (["dummy", "linear", "lightgbm", "xgboost"], """
        don't xgb -> rf | do not replace xgb with rf | don't switch from xgb to rf | never swap xgb for rf | xgb -> svm
        use svm instead of xgboost | replace xgb by a neural network | if recall is low xgb -> rf | xgb -> rf?
        would xgb -> rf help? | why not xgb -> rf | once it is done xgb -> rf
    """),
    (["dummy", "lightgbm", "xgboost"], """
        two models | two models are enough | only two models | train 2 models only | at most two models | max 2 models
        no more than two models | not more than two models | the best two | keep the top two | just two models please
        could you train just two models? | I only need 2 models | two boosters | pick the 2 most accurate
    """),
    (["dummy", "lightgbm"], "one model is enough | only the best model | just one model | 1 model"),
    (["dummy", "linear", "lightgbm", "xgboost", "catboost"], """
        four models | one more model | another model | at least 4 models
    """),
    (["dummy", "linear", "lightgbm", "xgboost"], """
        three models | only three models | the three best models | top 3 | fewer models | more models | 20 models
        3 models are too many | a few models | not two models | two models? | should we train only two models?
        two models failed | I have trained two models | one model at a time | compare two models
        if it is slow, two models
        top 3 columns | the best 2 rows
        why two models | the two models are good friends | 10 trials for the two models
    """),
    (["dummy", "xgboost", "catboost"], "use two models, xgboost and catboost"),
]  # fmt: skip
SENTENCES = [(text, expected) for expected, block in MODELS for text in sentences(block)]


@pytest.mark.parametrize(("text", "expected"), SENTENCES, ids=[t for t, _ in SENTENCES])
def test_models(text: str, expected: list[str]) -> None:
    assert ids(ask(text, SELECT)[1]) == expected


def test_after_training_the_best_are_those_that_did_best() -> None:
    reply, plans = ask("two models are enough", TRAIN)
    assert ids(plans) == ["dummy", "lightgbm", "xgboost"]
    assert "They did best so far." in reply.text
    reply, _ = ask("only the best model", TRAIN)
    assert not reply.actions
    assert "One model is kept: LightGBM." in reply.text


def test_enough_ends_a_training_that_runs() -> None:
    (action,) = ask("one model is enough", TRAIN, StageStatus.IN_PROGRESS)[0].actions
    assert not isinstance(action, Change)


VALUES: list[tuple[StageId, dict[str, Any], str]] = [
    (SELECT, {"/metric": "recall"}, """
        accuracy -> recall | metric: accuracy -> recall | change the metric from accuracy to recall
    """),
    (SELECT, {"/time_budget_s": 600.0}, """
        5 min -> 10 min | budget 300 s -> 600 s | raise the budget from 5 minutes to 10 minutes | from 5 to 10 minutes
        2x the time
    """),
    (SELECT, {"/trials": 20}, """
        trials 5 -> 20 | increase trials from 5 to 20 | from 5 to 20 trials | n_trials=20 | trials 20
    """),
    (TRAIN, {"/threshold": 0.3}, """
        threshold 0.4 -> 0.3 | lower the threshold from 0.4 to 0.3 | thr 0.3 | cut-off at 30 % | threshold=.3
    """),
    (TRAIN, {"/keep": "run-6-2-xgboost"}, "the xgboost one | 2nd best | take the 2nd best | use xgb instead"),
    (TRAIN, {}, "recall too low | accuracy only 80% | retrain with new data"),
    (PREPROCESS, {"/split": {"seed": 7}}, "seed 42 -> 7 | change the seed from 42 to 7"),
    (PREPROCESS, {"/split": {"strategy": "random"}}, """
        stratified -> random | change the split from stratified to random
    """),
    (PREPROCESS, {"/split": {"test_fraction": 0.3, "val_fraction": 0.2}}, """
        test 20% -> 30% | 80/20 -> 70/30 | 70:30 | 70/30 split | 70-30 | 70 30 | 70% 30% | 0.7:0.3 | 7:3 | 30:70
        70:30, please | test/train 30/70 | hold out 30% | 70% train, 30% test | 70 to 30 split | 70:30 split of the data
    """),
    (PREPROCESS, {"/split": {"test_fraction": 0.15, "val_fraction": 0.15}}, """
        70-15-15 | 70/15/15 | 70:15:15 | 70 15 15 | 15/15/70 | 70, 15, 15 split | split the data 0.7, 0.15, 0.15
        train/val/test 70/15/15 | train val test 70 15 15 | 70-15-15 stratified
    """),
    (PREPROCESS, {"/split": {"test_fraction": 0.2, "val_fraction": 0.1}}, """
        70/20/10 train/test/val | 7:1:2 | 10% val, 20% test
    """),
    (PREPROCESS, {"/split": {"strategy": "group", "column": "customer_id"}}, "groups = customer_id"),
    (PREPROCESS, {}, """
        80:30 | not 70:30 | 70:30? | is 70:30 ok? | if it is small 70:30 | 3:1 | why 70:30 | 50/50
        treat numeric columns as text? | dont drop the text columns
    """),
    (PREPROCESS, {"/columns/age": "onehot"}, """
        age: numeric -> categorical | age numeric -> categorical | age -> categorical
        change age from numeric to categorical
    """),
    (PREPROCESS, {"/columns/notes": "drop"}, """
        drop the text columns | ignore all texts | rm notes | without text features
    """),
    (PREPROCESS, {"/columns/notes": "onehot"}, "treat all strings as categories | make all text columns categorical"),
    (PROFILE, {"/roles/age": "id"}, "age: feature -> id | age -> id | change age from feature to id"),
    (PROFILE, {"/roles/customer_id": "feature"}, "customer_id is not an id"),
    (PROFILE, {}, "age is not an id | drop cols with > 50% missing | drop highly correlated columns"),
    (DATA, {"/target": "tenure", "/positive_class": None}, """
        target: Exited -> tenure | change the target from Exited to tenure | y = tenure | y: tenure
        tenure in years is the target
    """),
    (DATA, {"/positive_class": "0"}, "positive class 1 -> 0 | positive class from 1 to 0 | pos class = 0"),
    (DATA, {"/task_type": "regression"}, "binary -> regression | change the task from binary to regression"),
    (DATA, {"/dataset_id": "workspace:data/other.parquet"}, """
        customers.csv -> other.parquet | change the data from customers.csv to other.parquet
    """),
    (DATA, {}, "first 1000 rows only | sample 10% | take the first 500 rows | read it with ; as delimiter"),
    (REVIEW, {"/sample_rows": 10}, "sample rows 5 -> 10 | sample rows: 10"),
    (REVIEW, {}, "include onnx | as mlflow"),
    (INTENT, {"/time_budget_s": 600.0}, "max. 10 min | approx. 10 minutes"),
    (INTENT, {"/target": "tenure"}, "target: Exited -> tenure | change the target from Exited to tenure"),
    (INTENT, {}, "three models"),
]  # fmt: skip
CHANGED = [(text, stage, expected) for stage, expected, block in VALUES for text in sentences(block)]


@pytest.mark.parametrize(("text", "at", "expected"), CHANGED, ids=[f"{s}: {t}" for t, s, _ in CHANGED])
def test_values(text: str, at: StageId, expected: dict[str, Any]) -> None:
    changes(text, at, expected)


@pytest.mark.parametrize(
    "text", ["learning rate 0.01 to 0.1", "lr between 0.01 and 0.1", "max depth 4-8", "depth 4 to 8"]
)
def test_a_range_is_no_value(text: str) -> None:
    reply, _ = ask(text, SELECT)
    assert not reply.actions
    assert "not a range" in reply.text


@pytest.mark.parametrize("text", ["learning rate 0.05 -> 0.1", "lr from 0.05 to 0.1", "learning rate: 0.05 -> 0.1"])
def test_parameters(text: str) -> None:
    assert params(ask(text, SELECT)[1], "lightgbm") == {"learning_rate": 0.1}


def test_thousands() -> None:
    assert params(ask("random forest with 1k trees", SELECT)[1], "random_forest") == {"n_estimators": 1000}


PAIRS = [
    ("xgb", "rf"), ("accuracy", "recall"), ("threshold 0.4", "0.3"), ("seed 42", "7"), ("20% test", "30%"),
    ("random", "stratified"),
    ("target: Exited", "tenure"), ("5 minutes", "10 minutes"), ("lr 0.05", "0.1"), ("notes: text", "categorical"),
]  # fmt: skip
AROUND = ["{}?", "why not {}", "don't {}", "if it is slow, {}", "{} once training is done", "should we {}", "never {}"]


@given(
    arrow=st.sampled_from(ARROWS),
    pair=st.sampled_from(PAIRS),
    around=st.sampled_from(AROUND),
    stage=st.sampled_from(STAGES),
)
@settings(max_examples=300, deadline=None)
def test_an_arrow_that_is_asked_denied_or_conditional_changes_nothing(
    arrow: str, pair: tuple[str, str], around: str, stage: StageId
) -> None:
    reply, _ = ask(around.format(f"{pair[0]} {arrow} {pair[1]}"), stage)
    assert not reply.actions, reply
