"""Sentences that were once taken for something else than what they say, by the kind of misreading."""

from typing import Any

import pytest

from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import DATA, EXPORT, INTENT, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, changes, context_at, ids

USUAL: list[dict[str, Any]] = [
    {"id": "dummy", "params": {}},
    {"id": "linear", "params": {}},
    {"id": "lightgbm", "params": {"learning_rate": 0.05}},
]
OTHERS_CHOSEN = [USUAL[0], USUAL[2], {"id": "xgboost", "params": {}}]
EXTRA: dict[str, Any] = {"id": "extra_trees", "params": {}}
CHOSEN = ("dummy", "linear", "lightgbm", "xgboost")
OTHERS = ("city", "hours-per-week", "signup_date", "notes", "City~1Town")
CHANGED: list[tuple[str, StageId, dict[str, Any]]] = [
    # A negation ends where something else is wanted.
    ("don't use notes, use city", PROFILE, {"/roles/notes": "ignore"}),
    ("use everything but notes", PROFILE, {"/roles/notes": "ignore"}),
    ("use everything besides notes", PROFILE, {"/roles/notes": "ignore"}),
    ("forget about recall", INTENT, {}),
    ("rather than recall use f1", INTENT, {"/metric": "f1"}),
    ("instead of recall optimise f1", INTENT, {"/metric": "f1"}),
    ("the target is not Exited but age", DATA, {"/target": "age", "/positive_class": None}),
    # What is corrected in the same sentence.
    ("drop age, no wait, drop tenure", PROFILE, {"/roles/tenure": "ignore"}),
    ("seed 3, scratch that, seed 4", PREPROCESS, {"/split": {"seed": 4}}),
    ("no wait, optimise precision", INTENT, {"/metric": "precision"}),
    ("drop age, actually keep it", PROFILE, {}),
    ("Optimise precision. No, keep ROC AUC.", TRAIN, {}),
    ("Drop age, and drop city. Actually keep age.", PROFILE, {"/roles/city": "ignore"}),
    # What is said of columns is not said of the target.
    ("city and tenure are yes/no", PROFILE, {}),
    ("age is binary", PROFILE, {}),
    ("no wait, 0 is positive", DATA, {"/positive_class": "0"}),
    ("no is the positive class", DATA, {"/positive_class": "no"}),
    ("don't use age or city, that'd be unfair", INTENT, {"/exclude_columns": ["age", "city"]}),
    # A reason is no wish; a condition is not fulfilled by being named.
    ("leave city out, it's the same as City/Town", PREPROCESS, {"/columns/city": "drop"}),
    (
        "drop city because it repeats City/Town, and drop age",
        PROFILE,
        {"/roles/city": "ignore", "/roles/age": "ignore"},
    ),
    # Rows are not columns.
    ("drop rows where age is missing", PROFILE, {}),
    ("remove duplicates by customer_id", PROFILE, {}),
    ("filter out customers with tenure below 3 and drop age", PROFILE, {"/roles/age": "ignore"}),
    ("keep rows with the same city together", PREPROCESS, {"/split": {"strategy": "group", "column": "city"}}),
    ("stratify by city", PREPROCESS, {}),
    # Words that only look like a name or a number.
    ("change the target", INTENT, {}),
    ("the positive label is 'stayed'", DATA, {"/positive_class": "stayed"}),
    ("switch to book.xlsx, sheet Q1-2025", DATA, {"/dataset_id": "upload:book.xlsx", "/sheet": "Q1-2025"}),
    ("learning rate -1", SELECT, {}),
    ("early stopping after 20 rounds", SELECT, {}),
    ("use the threshold that gives 90% recall", TRAIN, {}),
    ("give it 1h30", INTENT, {"/time_budget_s": 5400.0}),
    ("1 hour and 30 minutes", INTENT, {"/time_budget_s": 5400.0}),
    ("ingore age", PROFILE, {"/roles/age": "ignore"}),
    # The word after what is named decides, and what is denied of the one is not denied of the other.
    ("leave age and city in, take tenure out", PROFILE, {"/roles/tenure": "ignore"}),
    ("leave in tenure", PROFILE, {}),
    ("un-drop age", PROFILE, {}),
    ("drop 'city' not 'City/Town'", PROFILE, {"/roles/city": "ignore"}),
    ("swap age and tenure", PROFILE, {}),
    # By how much is not how much.
    ("raise the threshold by 0.1", TRAIN, {"/threshold": 0.5}),
    ("lower the threshold by 10%", TRAIN, {"/threshold": 0.3}),
    ("increase depth by 2", SELECT, {}),
    ("add 5 minutes", SELECT, {"/time_budget_s": 600.0}),
    ("reduce the time by 2 minutes", SELECT, {"/time_budget_s": 180.0}),
    ("train longer, ten minutes", SELECT, {"/time_budget_s": 600.0}),
    # Reasons again, of what is kept and of running again.
    ("pick the linear model because it is simple", TRAIN, {"/keep": "run-6-3-linear"}),
    ("accuracy is misleading, use f1", SELECT, {"/metric": "f1"}),
    ("keep the fastest", TRAIN, {}),
    # What is denied is not done.
    ("don't treat age as categorical", PREPROCESS, {}),
    ("age is not an id", PROFILE, {}),
    ("don't use age as a feature", PROFILE, {"/roles/age": "ignore"}),
    ("drop notes, do not treat city as text", PREPROCESS, {"/columns/notes": "drop"}),
    ("the target isn't Exited, it's tenure", DATA, {"/target": "tenure", "/positive_class": None}),
    ("set the metric to recall and the positive class to 0", DATA, {"/metric": "recall", "/positive_class": "0"}),
    ("use ordinal for city", PREPROCESS, {"/columns/city": "ordinal"}),
    ("use the threshold for max f1", TRAIN, {}),
    ("threshold 0.3 for xgboost", TRAIN, {"/threshold": 0.3}),
    ("ten minutes for xgboost", SELECT, {"/time_budget_s": 600.0}),
    ("2 minutes per model", SELECT, {}),
    # Models that are named, but not chosen.
    ("compare lightgbm and xgboost", TRAIN, {}),
    ("cancel xgboost", TRAIN, {}),
    ("xgboost crashed", TRAIN, {}),
    ("use xgboost", TRAIN, {"/keep": "run-6-2-xgboost"}),
    ("the second curve is M4 8h8", TRAIN, {}),
    ("looks good but use xgboost", TRAIN, {"/keep": "run-6-2-xgboost"}),
    ("50 trials for xgboost", SELECT, {"/trials": 50}),
    ("50 trials for xgboost only", SELECT, {"/trials": 50}),
    ("tune lightgbm", SELECT, {"/trials": 10}),
    ("default hyperparameters for xgboost", SELECT, {"/trials": 1}),
    ("xgboost -> perceptron", SELECT, {}),
    ("remove age, but not tenure", PROFILE, {"/roles/age": "ignore"}),
    # What stands beside a word decides what it is of.
    ("leave customer_id as it is", PROFILE, {}),
    ("leave the notebook in", REVIEW, {}),
    ("age and tenure only, please", PROFILE, {f"/roles/{c}": "ignore" for c in OTHERS}),
    ("age: drop, tenure: keep", PROFILE, {"/roles/age": "ignore"}),
    ("age -> ignore", PROFILE, {"/roles/age": "ignore"}),
    ("age -> categorical, city: text", PREPROCESS, {"/columns/age": "onehot", "/columns/city": "text"}),
    ("make age a feature again", PROFILE, {}),
    ("0 means positive", DATA, {"/positive_class": "0"}),
    ("the positive class should be the other one", DATA, {}),
    ("stop tuning", SELECT, {"/trials": 1}),
    ("tune the threshold", TRAIN, {}),
    ("predict age 30", TRAIN, {}),
    # Of the models that were trained one is kept, which trains none again.
    ("use the linear model instead", TRAIN, {"/keep": "run-6-3-linear"}),
    ("use xgboost instead of lightgbm", TRAIN, {"/keep": "run-6-2-xgboost"}),
    ("the one with the highest recall", TRAIN, {}),
    ("the fastest model", TRAIN, {}),
    ("ok, xgboost", TRAIN, {"/keep": "run-6-2-xgboost"}),
    ("proceed with xgboost", TRAIN, {"/keep": "run-6-2-xgboost"}),
    ("next time use recall", TRAIN, {}),
    ("use recall later", TRAIN, {}),
    ("stop xgboost only", TRAIN, {}),
    # Numbers as people write them.
    ("half the trees for xgboost", SELECT, {"/models": [*USUAL, {"id": "xgboost", "params": {"n_estimators": 300}}]}),
    ("1.000 trees for xgboost", SELECT, {"/models": [*USUAL, {"id": "xgboost", "params": {"n_estimators": 1000}}]}),
    ("10 000 trees for xgboost", SELECT, {"/models": [*USUAL, {"id": "xgboost", "params": {"n_estimators": 10_000}}]}),
    ("set xgboost's depth to 9", SELECT, {"/models": [*USUAL, {"id": "xgboost", "params": {"max_depth": 9}}]}),
    ("make xgboost deeper, not lightgbm", SELECT, {"/models": [*USUAL, {"id": "xgboost", "params": {"max_depth": 8}}]}),
    ("increase the depth by three", SELECT, {}),
    ("1,5h", SELECT, {"/time_budget_s": 5400.0}),
    ("1.500 seconds", SELECT, {"/time_budget_s": 1500.0}),
    ("add half an hour", SELECT, {"/time_budget_s": 2100.0}),
    ("two minutes less", SELECT, {"/time_budget_s": 180.0}),
    ("ten minutes less", SELECT, {}),
    ("training time 30 min", SELECT, {"/time_budget_s": 1800.0}),
    ("50% more time", SELECT, {"/time_budget_s": 450.0}),
    ("three quarters of an hour", SELECT, {"/time_budget_s": 2700.0}),
    ("threshold 1/3", TRAIN, {"/threshold": 0.3333}),
    ("threshold of 0,35", TRAIN, {"/threshold": 0.35}),
    ("a third for testing", PREPROCESS, {"/split": {"test_fraction": 0.3333}}),
    ("half of the data for testing", PREPROCESS, {}),
    ("test_size=0.25, val_size=0.1", PREPROCESS, {"/split": {"test_fraction": 0.25, "val_fraction": 0.1}}),
    ("70-30 split", PREPROCESS, {"/split": {"test_fraction": 0.3}}),
    ("the last 3 months are the test set", PREPROCESS, {}),
    ("train on 80% of the data", PREPROCESS, {}),
    # Second thoughts in few words, or in a sentence of their own.
    ("drop age, no wait, tenure", PROFILE, {"/roles/tenure": "ignore"}),
    ("drop age, sorry, I meant tenure", PROFILE, {"/roles/tenure": "ignore"}),
    ("drop age... actually keep it", PROFILE, {}),
    ("Drop age. Scratch that. Drop tenure.", PROFILE, {"/roles/tenure": "ignore"}),
    ("Drop age. No wait, tenure.", PROFILE, {"/roles/tenure": "ignore"}),
    # What is told or asked to be checked is no wish.
    ("the recall is 0.8", TRAIN, {}),
    ("recall is too low", TRAIN, {}),
    ("recall went down", TRAIN, {}),
    ("accuracy of 80% is fine", TRAIN, {}),
    ("last time we used recall", SELECT, {}),
    ("I thought the metric was recall", SELECT, {}),
    ("the metric is recall, right", SELECT, {}),
    ("confirm that the target is age", DATA, {}),
    ("can you check that age is the target", DATA, {}),
    ("you said 20 trials", SELECT, {}),
    ("threshold was 0.3 last time", TRAIN, {}),
    ("yesterday I used random forest", SELECT, {}),
    ("catboost might help", SELECT, {}),
    ("catboost did not work", SELECT, {}),
    ("I like catboost", SELECT, {}),
    ("lightgbm overfits", TRAIN, {}),
    ("xgboost takes ten minutes", SELECT, {}),
    ("it ran for ten minutes", SELECT, {}),
    ("I am back in ten minutes", SELECT, {}),
    ("20% of the rows have no city", PREPROCESS, {}),
    # A reason says why, and is no wish of its own.
    ("I'd go with the linear one, it's easier to explain to HR", TRAIN, {"/keep": "run-6-3-linear"}),
    ("keep xgboost, it has the best recall", TRAIN, {"/keep": "run-6-2-xgboost"}),
    # Everyday words for leaving something out.
    ("throw in extra trees as well but lose the linear model", SELECT, {"/models": [*OTHERS_CHOSEN, EXTRA]}),
    ("xgboost is overkill, bin it", SELECT, {"/models": USUAL}),
    ("xgboost is too slow, drop it", SELECT, {"/models": USUAL}),
    ("dont use xgboost", SELECT, {"/models": USUAL}),
    ("the columns age and tenure can go", PROFILE, {"/roles/age": "ignore", "/roles/tenure": "ignore"}),
    ("no need for the event log in the zip", REVIEW, {"/event_log": False}),
    ("don't ship the notebook, but the training code stays", REVIEW, {"/notebook": False}),
    ("drop all columns starting with hours", PROFILE, {"/roles/hours-per-week": "ignore"}),
    ("everything that ends with date can go", PROFILE, {"/roles/signup_date": "ignore"}),
    ("drop columns starting with zzz", PROFILE, {}),
    ("wait, which columns did you drop?", PROFILE, {}),
    ("I want to see 50 trials of xgboost but only 10 of lightgbm", SELECT, {"/trials": 50}),
    # Words between what is set and its value.
    ("ok the data's right, but the positive label ought to be No", DATA, {"/positive_class": "No"}),
    ("nope, still Exited. but score it with balanced accuracy", DATA, {"/metric": "balanced_accuracy"}),
    (
        "don't split randomly, keep people from the same city in one part",
        PREPROCESS,
        {"/split": {"strategy": "group", "column": "city"}},
    ),
    ("keep all rows of one customer_id in the same fold", PREPROCESS, {"/split": {"column": "customer_id"}}),
    ("shuffle=False", PREPROCESS, {}),
    ("shuffle", PREPROCESS, {}),  # which a stratified split does
    ("don't shuffle the rows", PREPROCESS, {}),
    ("test_size=0.25, val_size=0.15, random_state=7", PREPROCESS, {"/split": {"test_fraction": 0.25, "seed": 7}}),
    ("hold out a quarter for testing", PREPROCESS, {"/split": {"test_fraction": 0.25}}),
    ("I only have about a minute and a half", SELECT, {"/time_budget_s": 90.0}),
    ("more tuning please, like 6 tries each", SELECT, {"/trials": 6}),
    ("lower the cut-off to 0.25", TRAIN, {"/threshold": 0.25}),
    (
        "don't touch hours-per-week, but kick out age and tenure",
        PROFILE,
        {f"/roles/{c}": "ignore" for c in ("age", "tenure")},
    ),
    # Questions change nothing.
    ("shouldnt we predict age?", DATA, {}),
    ("could you show me the first few rows", DATA, {}),
    ("are there any columns you'd worry about?", PROFILE, {}),
    ("age and tenure say nearly the same, no?", PROFILE, {}),
    ("why isn't hist gradient boosting in there?", SELECT, {}),
    ("SVM?", SELECT, {}),
    ("is that good enough for production?", REVIEW, {}),
    ("how bad is the confusion matrix", TRAIN, {}),
    # Running again is a command of its own.
    ("reset the parameters", SELECT, {"/models": [{"id": m, "params": {}} for m in CHOSEN]}),
    ("restart the kernel", TRAIN, {}),
    ("confirm again", TRAIN, {}),
    ("can I go back?", TRAIN, {}),
    ("can we go back to the columns?", TRAIN, {}),
    ("go back to the target", TRAIN, {}),
    ("start the training over", SELECT, {}),
    ("no need to go back", TRAIN, {}),
    ("give up on xgboost", SELECT, {"/models": USUAL}),
    ("hold on a minute", SELECT, {}),
    ("just a sec", SELECT, {}),
]


@pytest.mark.parametrize(("text", "at", "expected"), CHANGED)
def test_what_changes(text: str, at: StageId, expected: dict[str, Any]) -> None:
    changes(text, at, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all but linear", ["dummy", "lightgbm", "xgboost"]),
        ("don't drop xgboost", ["dummy", "linear", "lightgbm", "xgboost"]),
        ("no, use catboost instead of lightgbm", ["dummy", "linear", "catboost", "xgboost"]),
        ("take xgboost out", ["dummy", "linear", "lightgbm"]),
        ("xgboost out, catboost in", ["dummy", "linear", "lightgbm", "catboost"]),
        ("+catboost -xgboost", ["dummy", "linear", "lightgbm", "catboost"]),
        ("xgboost over lightgbm", ["dummy", "linear", "xgboost"]),
        ("remove xgboost, not lightgbm", ["dummy", "linear", "lightgbm"]),
        ("Use xgboost. And lightgbm.", ["dummy", "xgboost", "lightgbm"]),
        ("minimise log loss, within 3 seconds, catboost and linear", ["dummy", "catboost", "linear"]),
        ("catboost, five minutes", ["dummy", "catboost"]),
        ("catboost in five minutes", ["dummy", "catboost"]),
        (
            "increase depth of xgboost to 8 and add catboost",
            ["dummy", "linear", "lightgbm", "xgboost", "catboost"],
        ),
    ],
)
def test_models(text: str, expected: list[str]) -> None:
    assert ids(ask(text, SELECT)[1]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "learning rate 0.1 for lightgbm, 0.2 for xgboost",
        "learning rate: lightgbm 0.1, xgboost 0.2",
        "use lightgbm with learning rate 0.1 and xgboost with 0.2",
        "lightgbm and xgboost: learning rate 0.1 for lightgbm and 0.2 for xgboost",
    ],
)
def test_a_value_for_each_of_several_models(text: str) -> None:
    models = {m["id"]: m["params"].get("learning_rate") for m in ask(text, SELECT)[1][SELECT]["models"]}
    assert (models["lightgbm"], models["xgboost"]) == (0.1, 0.2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500 trees for random forest, depth 10", {"random_forest": {"n_estimators": 500, "max_depth": 10}}),
        (
            "random forest 300 trees max depth 5, xgboost lr 0.05",
            {"random_forest": {"n_estimators": 300, "max_depth": 5}, "xgboost": {"learning_rate": 0.05}},
        ),
        ("deeper trees for xgboost", {"xgboost": {"max_depth": 8}}),
        (
            "more trees, lower learning rate",
            {
                "lightgbm": {"n_estimators": 1200, "learning_rate": 0.025},
                "xgboost": {"n_estimators": 1200, "learning_rate": 0.03},
            },
        ),
        ("lightgbm with 63 leaves and 0.1 lr", {"lightgbm": {"num_leaves": 63, "learning_rate": 0.1}}),
        (
            "lightgbm and xgboost with 500 trees",
            {"lightgbm": {"learning_rate": 0.05, "n_estimators": 500}, "xgboost": {"n_estimators": 500}},
        ),
    ],
)
def test_a_parameter_belongs_to_the_model_that_was_spoken_of(text: str, expected: dict[str, Any]) -> None:
    usual = {"dummy": {}, "linear": {}, "lightgbm": {"learning_rate": 0.05}, "xgboost": {}}
    assert {m["id"]: m["params"] for m in ask(text, SELECT)[1][SELECT]["models"]} == usual | expected


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("drop age if it leaks", "if it leaks"),
        ("drop age unless it is important", "unless it is important"),
        ("if recall is above 0.8, use catboost", "if recall is above 0.8"),
        ("use catboost as soon as it is ready", "as soon as it is ready"),
        ("use 30% test rows once age is gone", "once age is gone"),
        ("stop if it takes more than 5 minutes", "if it takes more than 5 minutes"),
        ("stop when recall is 0.9", "when recall is 0.9"),
        ("stop in 5 minutes", "in 5 minutes"),
        ("go on in an hour", "in an hour"),
        ("restart training until it is better", "until it is better"),
    ],
)
@pytest.mark.parametrize("status", [StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS])
def test_nothing_is_done_later_or_on_a_condition(text: str, condition: str, status: StageStatus) -> None:
    reply, _ = ask(text, TRAIN, status)
    assert not reply.actions
    assert condition in reply.text


@pytest.mark.parametrize(
    "text", ["drop age if you can", "if possible drop age", "drop age if that's ok", "if you like, drop age"]
)
def test_what_is_courtesy_is_no_condition(text: str) -> None:
    assert ask(text, PROFILE) == ask("drop age", PROFILE)


def test_a_reason_to_run_again_is_no_metric() -> None:
    (restart,) = ask("retrain because accuracy is too low", TRAIN)[0].actions
    assert restart.stage_id is TRAIN


def test_how_far_back() -> None:
    (restart,) = ask("go back two steps", TRAIN)[0].actions
    assert restart.stage_id is PREPROCESS


def test_why_something_failed_is_told_by_its_own_words() -> None:
    assert "has failed or was stopped" in ask("why did it fail?", TRAIN, StageStatus.FAILED)[0].text


def test_several_models_are_trained_and_not_kept() -> None:
    assert ids(ask("Use linear, lightgbm and random forest, within 3 seconds.", TRAIN)[1]) == [
        "dummy", "linear", "lightgbm", "random_forest",
    ]  # fmt: skip


def test_after_the_end_a_model_is_chosen_and_not_kept() -> None:
    assert context_at(EXPORT).plans[TRAIN]["keep"] == "run-6-1-lightgbm"
    assert ids(ask("use xgboost", EXPORT)[1]) == ["dummy", "xgboost"]


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("predict churn (yes/no)", {"target": "churn", "task_type": "binary"}),
    ("predict NPS score (1-10)", {"target": "NPS score"}),
    ("predict income >50K", {"target": "income"}),
    ("predict whether income exceeds 50k", {"target": "income", "task_type": "binary"}),
    ("label col: is_fraud", {"target": "is_fraud"}),
    ("a classifier for Churn col", {"target": "Churn", "task_type": "classification"}),
    ("predict churn 30 days ahead", {"target": "churn"}),
    ("predict stroke, dont miss any positives", {"target": "stroke", "metric": "recall"}),
    ("predict wether a customer wil churn", {"target": "churn", "task_type": "binary"}),
    ("predict churn in 1h30", {"target": "churn", "time_budget_s": 5400.0}),
    (
        "predict churn, optimise recall, under 2 minutes",
        {"target": "churn", "metric": "recall", "time_budget_s": 120.0},
    ),
    ("predict churn, no need to hurry, take your time", {"target": "churn", "time_budget_s": 3600.0}),
    ("predict churn, no wait, predict tenure", {"target": "tenure"}),
    ("predict churn - recall - ten min - no xgboost", {"target": "churn", "metric": "recall", "time_budget_s": 600.0}),
    ("predict if a loan defaults (target column = loan_status)", {"target": "loan_status", "task_type": "binary"}),
    ("predict churn. Actually predict revenue instead", {"target": "revenue"}),
    ("predict churn. accuracy is not important, speed is", {"target": "churn", "prefer": "speed"}),
    ("Which of my customers are likely to churn?", {"target": "churn", "task_type": "binary"}),
    ("TARGET: SalePrice METRIC: MAE", {"target": "SalePrice", "metric": "mae"}),
    ("false positives cost 10, false negatives cost 100", {"metric": "recall"}),
    ("false positives cost 100, false negatives cost 10", {"metric": "precision"}),
    ("predict churn in 1:30 h", {"target": "churn", "time_budget_s": 5400.0}),
    ("predict churn, speed isn't important", {"target": "churn", "prefer": "accuracy"}),
    ("hi! :) predict churn pls", {"target": "churn"}),
    ("I want to predict churn, if that's possible", {"target": "churn", "task_type": "auto"}),
    ("if the data allow it, predict churn", {"target": "churn", "task_type": "auto"}),
    ("Predict churn. Wait, no, revenue.", {"target": "revenue"}),
    ("predict churn using all the data", {"target": "churn"}),
    ("predict churn; time: ten min; exclude: xgboost", {"time_budget_s": 600.0, "exclude_models": ("xgboost",)}),
]


@pytest.mark.parametrize(("text", "expected"), REQUESTS)
def test_requests(text: str, expected: dict[str, Any]) -> None:
    plan = parse_request(text)
    assert {name: getattr(plan, name) for name in expected} == expected
    assert not plan.not_understood


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        ("predict churn with max 1000 rows", "1000 rows (all rows are used"),
        ("predict churn with 80% of the data", "80% of the data (all rows are used"),
        ("predict churn, f1 > 0.8", "f1 > 0.8 (a score cannot be promised"),
        ("target churn positive class 1", "positive class 1 (say it at the stage Data)"),
    ],
)
def test_what_a_request_cannot_say_is_told(text: str, missed: str) -> None:
    plan = parse_request(text)
    assert plan.target == "churn"
    (told,) = plan.not_understood
    assert told.startswith(missed)


def test_hours_of_a_question_are_no_time_for_training() -> None:
    plan = parse_request("predict whether a machine fails within 24 hours")
    assert plan.time_budget_s == 300.0
    assert plan.not_understood[0].startswith("within 24 hours")


def test_a_column_s_name_may_have_brackets() -> None:
    assert (
        parse_request("predict the tenure (months) of a customer", ["tenure (months)", "age"]).target
        == "tenure (months)"
    )
    assert parse_request("predict whether tenure (months)", ["tenure (months)", "age"]).target == "tenure (months)"
