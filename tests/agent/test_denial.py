"""What is named only to say that it is not meant: with target, metric, models, columns, numbers, in every order."""

from typing import Any

import pytest

from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.protocol.stages import StageId

from .example import DATA, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, changes, ids, sentences

TENURE = {"/target": "tenure", "/positive_class": None}
DENIED: list[tuple[StageId, dict[str, Any], str]] = [
    # The target, and beside something else that is wanted.
    (PROFILE, TENURE, """
        tenure and not age as target | tenure, not age, as target | not age but tenure as target
        not age, tenure as target | tenure rather than age as target | tenure instead of age as the target
        tenure as target and not age | tenure is the target, not age | the target is tenure not age
        the target is not age but tenure | the target isn't age, it's tenure | target: tenure, not age
        target = tenure (not age) | label tenure not age | predict tenure and not age | predict tenure, not age
        predict not age but tenure | predict tenure instead of age | instead of age predict tenure
        rather than age, predict tenure | don't predict age, predict tenure
    """),
    (PROFILE, {}, """
        not age as target | don't use age as target | don't take age as the target | do not make age the target
        never use age as the label | age is not the target | age isn't the target, tenure is
        age can't be the target | age should not be the target | the target is not age
        the target should not be age | don't predict age | do not predict age but tenure | stop predicting age
        neither age nor tenure as target | neither age nor tenure is the target | age and tenure are not the target
        leave age as it is | keep age unchanged
    """),
    (PROFILE, {**TENURE, "/roles/age": "ignore"}, "predict tenure without age | predict tenure but not with age"),
    (DATA, {"/positive_class": "0"}, """
        0 as positive class and not age as target | the positive class is 0 and not 1
    """),
    (DATA, {"/positive_class": "0"}, "0 and not 1 is the positive class | the positive class is not 1 but 0"),
    (SELECT, {"/trials": 20}, """
        20 trials and not age as target | 20 trials not 30 | not 30 but 20 trials | 20 and not 30 trials
    """),
    # The metric.
    (DATA, {"/metric": "recall"}, """
        recall and not accuracy as metric | not accuracy but recall as metric | metric recall not accuracy
        neither accuracy nor f1, recall | not f1 but recall and not precision
        accuracy isn't what I want, recall is
    """),
    (DATA, {}, """
        not accuracy as metric | don't use accuracy as the metric | accuracy is not the metric
        optimise anything but accuracy | neither accuracy nor recall | don't optimise recall
        stop optimising recall
    """),
    # Columns: what is said of one is not said of the other.
    (PROFILE, {"/roles/age": "id"}, """
        age and not tenure is an id | age, not tenure, is an id | mark age and not city as id
    """),
    (PREPROCESS, {"/columns/age": "onehot"}, """
        treat age and not tenure as categorical | treat age, not tenure, as categorical
        treat age as categorical, not as text | treat not tenure but age as categorical
        age as categorical and not as ordinal
    """),
    (PROFILE, {"/roles/age": "ignore"}, """
        drop age and not tenure | drop age not tenure | don't drop tenure, drop age
    """),
    (PROFILE, {"/roles/age": "ignore"}, "use tenure, not age | keep tenure and not age | age: drop, tenure: keep"),
    (PROFILE, {}, "don't drop age | do not leave age out | un-ignore age | don't take age out"),
    # How the rows are divided.
    (PREPROCESS, {"/split": {"seed": 7}}, "seed 7 not 42 | not seed 42 but seed 7 | seed 7 instead of 42"),
    (PREPROCESS, {"/split": {"test_fraction": 0.3}}, """
        30% test, not 20% | not 20% but 30% test rows | not 80/20 but 70/30
    """),
    (PREPROCESS, {"/split": {"strategy": "random"}}, "random and not stratified split | not stratified"),
    (PREPROCESS, {"/split": {"strategy": "time"}}, """
        split by signup_date and not by customer_id | split by time, not random
    """),
    (PREPROCESS, {}, """
        don't group by customer_id | don't split by time | never split by signup_date | no 30% test
        don't use 30% test rows | stratified not random | don't shuffle
    """),
    # Parameters, trials, time, threshold.
    (SELECT, {}, """
        don't do 30 trials | don't take two minutes | don't set the learning rate to 0.1
        don't increase the learning rate | no deeper trees | not more trees | don't train longer | no more time
        do not change the metric | don't retrain
    """),
    (SELECT, {"/time_budget_s": 120.0}, """
        two minutes, not ten | two minutes rather than ten | not more than two minutes
    """),
    (TRAIN, {"/threshold": 0.3}, "threshold 0.3 not 0.5 | not 0.5 but 0.3 as threshold"),
    (TRAIN, {}, """
        don't lower the threshold | don't use threshold 0.3 | the threshold is not 0.5 | don't change the threshold
    """),
    # What is kept, which data, what goes into the bundle.
    (TRAIN, {"/keep": "run-6-2-xgboost"}, "keep xgboost not lightgbm | don't keep lightgbm, keep xgboost"),
    (TRAIN, {}, "don't keep lightgbm | keep lightgbm and not xgboost"),
    (DATA, {}, "don't use iris | join with other.parquet on customer_id | combine customers.csv and other.parquet"),
    (DATA, {"/dataset_id": "workspace:data/other.parquet"}, """
        use other.parquet not customers.csv | not iris but other.parquet
    """),
    (REVIEW, {"/notebook": False}, "report and not notebook | include the report and not the notebook"),
    (REVIEW, {"/notebook": False}, """
        not the notebook but the report | without the notebook, not without the report
    """),
    (REVIEW, {}, "don't leave the notebook out | don't drop the report"),
]  # fmt: skip
SENTENCES = [(text, stage, expected) for stage, expected, block in DENIED for text in sentences(block)]


@pytest.mark.parametrize(("text", "at", "expected"), SENTENCES, ids=[f"{s}: {t}" for t, s, _ in SENTENCES])
def test_what_is_denied_is_not_done(text: str, at: StageId, expected: dict[str, Any]) -> None:
    changes(text, at, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("catboost, not xgboost, not lightgbm", ["dummy", "catboost"]),
        ("don't use xgboost, use catboost", ["dummy", "catboost"]),
        ("neither xgboost nor lightgbm", ["dummy", "linear"]),
        ("do not leave xgboost out", ["dummy", "linear", "lightgbm", "xgboost"]),
        ("100 trees for lightgbm, not for xgboost", ["dummy", "linear", "lightgbm", "xgboost"]),
        ("learning rate 0.2 for xgboost and not age as target", ["dummy", "linear", "lightgbm", "xgboost"]),
        ("keep xgboost", ["dummy", "linear", "lightgbm", "xgboost"]),
    ],
)
def test_models(text: str, expected: list[str]) -> None:
    assert ids(ask(text, SELECT)[1]) == expected


@pytest.mark.parametrize("columns", [(), ("churn", "tenure", "age")])
def test_a_request_s_target(columns: tuple[str, ...]) -> None:
    for text in (
        "predict churn, not tenure",
        "predict churn and not tenure",
        "the target is churn, not tenure",
        "predict churn instead of tenure",
    ):
        plan = parse_request(text, columns)
        assert (plan.target, plan.not_understood) == ("churn", ()), text
    assert parse_request("churn and not tenure as the target", ("churn", "tenure")).target == "churn"
    assert parse_request("predict whether a customer is not active", columns).task_type == "binary"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("city shouldn't be text, target encode it", {"/columns/city": "target_encode"}),
        ("treat age as a category, not a number", {"/columns/age": "onehot"}),
        ("age is a category, not a number", {"/columns/age": "onehot"}),
        ("age is really a code, not a number", {"/columns/age": "onehot"}),
        ("age isn't numeric", {"/columns/age": "onehot"}),
        ("age must not be treated as numeric", {"/columns/age": "onehot"}),
        ("never treat age as a number", {"/columns/age": "onehot"}),
        ("stop treating age as numeric", {"/columns/age": "onehot"}),
        ("notes isn't text, it's categorical", {"/columns/notes": "onehot"}),
        ("notes shouldn't be text", {"/columns/notes": "onehot"}),
        ("don't scale, just one-hot encode age", {"/columns/age": "onehot"}),
        ("don't treat age as numeric, treat it as ordinal", {"/columns/age": "ordinal"}),
        ("do not one-hot city, target encode it", {"/columns/city": "target_encode"}),
        ("no one-hot for city, target encode instead", {"/columns/city": "target_encode"}),
        ("instead of one-hot use ordinal for city", {"/columns/city": "ordinal"}),
        ("use target encoding instead of one-hot for city", {"/columns/city": "target_encode"}),
        ("city should not be one-hot encoded, use target encoding", {"/columns/city": "target_encode"}),
        ("age and tenure aren't numbers, they are categories", {"/columns/age": "onehot", "/columns/tenure": "onehot"}),
        ("tenure is not numeric but ordinal", {"/columns/tenure": "ordinal"}),
        ("not numeric, tenure is ordinal", {"/columns/tenure": "ordinal"}),
        ("don't drop age, treat it as text", {"/columns/age": "text"}),
        ("signup_date isn't a date, drop it", {"/columns/signup_date": "drop"}),
        ("customer_id isn't an id, it's a feature", {"/roles/customer_id": "feature"}),
        ("Why is age numeric? Make it categorical.", {"/columns/age": "onehot"}),
        # As they are already, or where what else it shall be is anybody's guess.
        ("don't encode city as text", {}),
        ("city is no text", {}),
        ("city shouldn't be one-hot", {}),
        ("don't one hot encode city", {}),
        ("signup_date is not a date", {}),
    ],
)
def test_what_a_column_is_and_is_not(text: str, expected: dict[str, Any]) -> None:
    changes(text, PREPROCESS, expected)


def test_a_treatment_that_is_denied_without_another_is_asked_for() -> None:
    reply, _ = ask("city shouldn't be one-hot", PREPROCESS)
    ways = 'for example "treat city as numeric" or "treat city as text".'
    assert reply.text == f"city is treated as categorical. Say what it shall be instead, {ways}"
    reply, _ = ask("age and tenure aren't numbers, they are categories", PROFILE)
    assert reply.text == "age, tenure: to be treated as categorical at the stage Preparation."
