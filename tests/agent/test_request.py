"""Requests as people write them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.request import parse_request, read_request
from jupyter_pipeline.protocol.plans import IntentPlan

from .example import DATA, INTENT, changes

BOOSTING = ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
TREES = ("random_forest", "extra_trees", *BOOSTING)
ALL = ("dummy", "linear", *TREES)

#: What is not named here is as in a plan of which nothing is known, so that nothing is understood that was not said.
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    (
        "Predict churn. Optimise recall, keep it under two minutes, no neural networks.",
        {"target": "churn", "metric": "recall", "time_budget_s": 120.0},
    ),
    # -- target and task
    ("Predict `Exited` from customers.csv", {"target": "Exited", "dataset": "customers.csv"}),
    ('predict "Loan Status" from "my loans.csv"', {"target": "Loan Status", "dataset": "my loans.csv"}),
    (
        'the target is "house price", minimise RMSE',
        {"target": "house price", "metric": "rmse", "task_type": "regression"},
    ),
    ("target: price", {"target": "price"}),
    ("Predict target, take five seconds", {"target": "target", "time_budget_s": 5.0}),
    ("Predict the target column", {}),
    ("target = price", {"target": "price"}),
    ("target variable: Outcome", {"target": "Outcome"}),
    ("The target column is SalePrice.", {"target": "SalePrice"}),
    ('The label column is called "is_fraud".', {"target": "is_fraud"}),
    ("Exited is the target", {"target": "Exited"}),
    ("column price", {"target": "price"}),
    ("PREDICT CHURN!!! OPTIMISE RECALL!!!", {"target": "CHURN", "metric": "recall"}),
    ("Predict Survived.Optimise F1.", {"target": "Survived", "metric": "f1"}),
    ("predict default_payment_next_month", {"target": "default_payment_next_month"}),
    ("predict the price of houses", {"target": "price"}),
    ("predict the quality of wine", {"target": "wine quality"}),
    ("Predict the type of crop", {"target": "crop type"}),
    ("Predict customer churn", {"target": "churn"}),
    ("predict temperature tomorrow", {"target": "temperature"}),
    ("estimate the delivery time in minutes", {"target": "delivery time"}),
    ("a quick model for churn", {"target": "churn", "prefer": "speed", "time_budget_s": 60.0}),
    ("detect fraud", {"target": "fraud"}),
    ("predict whether a customer will churn", {"task_type": "binary", "target": "churn"}),
    ("predict whether a customer leaves", {"task_type": "binary"}),
    ("predict if the loan defaults", {"task_type": "binary", "target": "defaults"}),
    ("predict if a passenger survived the Titanic", {"task_type": "binary", "target": "survived"}),
    ("predict whether a tumour is malignant", {"task_type": "binary", "target": "malignant"}),
    ("predict whether a flight is delayed by more than 15 minutes", {"task_type": "binary", "target": "delayed"}),
    ("tell me who will churn", {"task_type": "binary", "target": "churn"}),
    ("Which customers will churn?", {"task_type": "binary", "target": "churn"}),
    ("Will the loan be repaid?", {"task_type": "binary", "target": "repaid"}),
    ("what is the probability of default for each customer?", {"task_type": "binary", "target": "default"}),
    ("predict the probability that a customer buys", {"task_type": "binary", "target": "buys"}),
    ("binary classification of column `y`", {"task_type": "binary", "target": "y"}),
    ("classify the species", {"task_type": "classification", "target": "species"}),
    ("Which species is the flower?", {"task_type": "multiclass", "target": "species"}),
    ("multiclass model for species", {"task_type": "multiclass", "target": "species"}),
    ("classify quality", {"task_type": "classification", "target": "quality"}),
    ("classification of `Wine Quality`", {"task_type": "classification", "target": "Wine Quality"}),
    ("not a regression but a classification of quality", {"task_type": "classification", "target": "quality"}),
    ("it's regression not classification: predict price", {"task_type": "regression", "target": "price"}),
    ("a binary classifier for y", {"task_type": "binary", "target": "y"}),
    ("regression of churn", {"task_type": "regression", "target": "churn"}),
    ("Classify weather into 5 classes", {"task_type": "multiclass", "target": "weather"}),
    ("estimate how much a house costs", {"task_type": "regression", "target": "costs"}),
    ("predict how many bikes will be rented", {"task_type": "regression", "target": "bikes"}),
    ("Predict the number of rooms sold", {"task_type": "regression", "target": "rooms sold"}),
    ("How long will a delivery take?", {"task_type": "regression", "target": "delivery"}),
    ("regression on price", {"task_type": "regression", "target": "price"}),
    ("forecast demand", {"task_type": "regression", "target": "demand"}),
    ("forecast sales for the next 30 days", {"task_type": "regression", "target": "sales"}),
    ("predict the wine quality (regression)", {"task_type": "regression", "target": "wine quality"}),
    ("predict whether income is above 50K", {"task_type": "binary", "target": "income"}),
    ("Predict whether income >50K", {"task_type": "binary", "target": "income"}),
    ("predict the median house value of a district", {"target": "median house value"}),
    # -- metric
    ("maximise AUC", {"metric": "roc_auc"}),
    ("maximise the ROC AUC", {"metric": "roc_auc"}),
    ("PR-AUC please", {"metric": "average_precision"}),
    ("optimise balanced accuracy", {"metric": "balanced_accuracy"}),
    ("use the F1 score", {"metric": "f1"}),
    ("macro F1 please", {"metric": "f1_macro"}),
    ("highest accuracy", {"metric": "accuracy"}),
    ("false negatives are costly", {"metric": "recall"}),
    ("missing a positive case is very expensive", {"metric": "recall"}),
    ("don't miss any positives", {"metric": "recall"}),
    ("false negatives are worse than false positives", {"metric": "recall"}),
    ("avoid false positives", {"metric": "precision"}),
    ("as few false alarms as possible", {"metric": "precision"}),
    ("recall over precision", {"metric": "recall"}),
    ("precision matters more than recall", {"metric": "precision"}),
    ("I want high precision and I don't care about recall", {"metric": "precision"}),
    ("balance precision and recall", {"metric": "f1"}),
    ("lowest log loss", {"metric": "log_loss"}),
    ("mean absolute error matters", {"metric": "mae", "task_type": "regression"}),
    ("R² is what we report", {"metric": "r2", "task_type": "regression"}),
    ("minimise the percentage error", {"metric": "mape", "task_type": "regression"}),
    # -- time
    ("keep it under 2 minutes", {"time_budget_s": 120.0}),
    ("within 90 seconds", {"time_budget_s": 90.0}),
    ("take half an hour", {"time_budget_s": 1800.0}),
    ("at most 1.5 hours", {"time_budget_s": 5400.0}),
    ("two and a half minutes", {"time_budget_s": 150.0}),
    ("a couple of minutes", {"time_budget_s": 120.0}),
    ("10min", {"time_budget_s": 600.0}),
    ("30s", {"time_budget_s": 30.0}),
    ("no more than 1,000 seconds", {"time_budget_s": 1000.0}),
    ("don't use more than 90 seconds", {"time_budget_s": 90.0}),
    ("you can run overnight", {"time_budget_s": 28800.0}),
    ("take your time", {"time_budget_s": 3600.0}),
    ("take as long as you need", {"time_budget_s": 3600.0}),
    ("don't take longer than a minute", {"time_budget_s": 60.0}),
    ("no longer than 2 minutes", {"time_budget_s": 120.0}),
    ("time budget 00:02:00", {"time_budget_s": 120.0}),
    ("target=churn metric=f1 time=60", {"target": "churn", "metric": "f1", "time_budget_s": 60.0}),
    ("quickly", {"prefer": "speed", "time_budget_s": 60.0}),
    # -- what matters
    ("accuracy over speed", {"prefer": "accuracy"}),
    ("Please optimize for accuracy over speed", {"prefer": "accuracy"}),
    ("Speed is more important than accuracy", {"prefer": "speed", "time_budget_s": 60.0}),
    ("speed does not matter", {"prefer": "accuracy"}),
    ("as accurate as possible", {"prefer": "accuracy"}),
    ("I don't care about speed, I want the best possible AUC", {"prefer": "accuracy", "metric": "roc_auc"}),
    ("it must be explainable", {"prefer": "interpretability"}),
    ("keep it simple and interpretable", {"prefer": "interpretability"}),
    ("no black boxes", {"prefer": "interpretability"}),
    # -- models
    ("use random forest and lightgbm", {"include_models": ("random_forest", "lightgbm")}),
    ("a random forest, an xgboost and a catboost", {"include_models": ("random_forest", "xgboost", "catboost")}),
    ("only logistic regression", {"include_models": ("linear",)}),
    ("only tree models", {"include_models": TREES}),
    ("lightgbm only", {"include_models": ("lightgbm",)}),
    ("gradient boosting only", {"include_models": BOOSTING}),
    ("use all models", {"include_models": (*ALL, "ensemble")}),
    ("no xgboost or catboost", {"exclude_models": ("xgboost", "catboost")}),
    ("do not use random forest, extra trees", {"exclude_models": ("random_forest", "extra_trees")}),
    ("use everything except xgboost", {"exclude_models": ("xgboost",)}),
    ("use random forest instead of XGBoost", {"include_models": ("random_forest",), "exclude_models": ("xgboost",)}),
    ("Not xgboost but random forest", {"include_models": ("random_forest",), "exclude_models": ("xgboost",)}),
    ("xgboost is too slow, use lightgbm", {"include_models": ("lightgbm",), "exclude_models": ("xgboost",)}),
    (
        "tree models but not xgboost",
        {"include_models": tuple(m for m in TREES if m != "xgboost"), "exclude_models": ("xgboost",)},
    ),
    (
        "no trees except random forest",
        {"include_models": ("random_forest",), "exclude_models": ("extra_trees", *BOOSTING)},
    ),
    ("without boosting", {"exclude_models": BOOSTING}),
    ("don't use neural networks", {}),
    ("no deep learning, no SVMs", {}),
    ("use a neural network", {"not_understood": ("neural networks (not among the models)",)}),
    # -- data
    ("use the iris data", {"dataset": "iris"}),
    ("iris", {"dataset": "iris"}),
    (
        "classify iris with logistic regression",
        {"task_type": "classification", "dataset": "iris", "include_models": ("linear",)},
    ),
    ("Predict species in the iris data set", {"dataset": "iris", "target": "species"}),
    ("breast cancer data", {"dataset": "breast_cancer"}),
    ("Predict the digit in digits", {"dataset": "digits", "target": "digit"}),
    ("Predict the digit from the digits data", {"dataset": "digits", "target": "digit"}),
    ("predict progression in diabetes, please", {"dataset": "diabetes", "target": "progression"}),
    ("predict class in the wine data set", {"dataset": "wine", "target": "class"}),
    ("predict hba1c in diabetes patients", {"dataset": None, "target": "hba1c"}),
    ("Use scikit-learn's wine data", {"dataset": "wine"}),
    ("use sklearn:diabetes", {"dataset": "sklearn:diabetes"}),
    ("predict diabetes", {"target": "diabetes"}),
    ("predict the species of iris", {"dataset": "iris", "target": "species"}),
    ("data in folder/my-data.parquet", {"dataset": "folder/my-data.parquet"}),
    (
        "predict y, the data is in s3://bucket/churn.parquet.",
        {"target": "y", "dataset": "s3://bucket/churn.parquet"},
    ),
    ("use https://example.org/a/data.csv.gz please", {"dataset": "https://example.org/a/data.csv.gz"}),
    # -- sheets
    (
        'Use the sheet "Sales 2024" of book.xlsx and predict revenue',
        {"dataset": "book.xlsx", "sheet": "Sales 2024", "target": "revenue"},
    ),
    (
        "predict revenue from the Sales sheet in book.xlsx",
        {"dataset": "book.xlsx", "sheet": "Sales", "target": "revenue"},
    ),
    ("predict churn from the second sheet of book.xlsx", {"target": "churn", "dataset": "book.xlsx", "sheet": "2"}),
    ("predict churn from book.xlsx, 2nd sheet", {"target": "churn", "dataset": "book.xlsx", "sheet": "2"}),
    ("predict price, data is in the last sheet", {"target": "price", "sheet": "last"}),
    ("predict churn with sheet_name=0", {"target": "churn", "sheet": "1"}),
    # -- what has a value as in code
    (
        "predict churn with xgboost, max_depth=6",
        {
            "target": "churn",
            "include_models": ("xgboost",),
            "not_understood": ("max_depth=6 (say it at the stage Models)",),
        },
    ),
    (
        "predict churn with gamma=0.3 for xgboost and random_state=42",
        {
            "target": "churn",
            "include_models": ("xgboost",),
            "not_understood": (
                "gamma=0.3 (say it at the stage Models)",
                "random_state=42 (say it at the stage Preparation)",
            ),
        },
    ),
    ("predict revenue, worksheet Q1-2024", {"target": "revenue", "sheet": "Q1 2024"}),
    # -- as people type
    ("predcit churn, optimse recal, two minuets", {"target": "churn", "metric": "recall", "time_budget_s": 120.0}),
    ("Predict curn with lightbgm", {"target": "curn", "include_models": ("lightgbm",)}),
    ("predict price in max. 1,5 hours", {"target": "price", "time_budget_s": 5400.0}),
    ("give it an hour and a half, predict price", {"target": "price", "time_budget_s": 5400.0}),
    ("predict price, no more than 7 minutes", {"target": "price", "time_budget_s": 420.0}),
    ("Predict churn. I don't care how long it takes.", {"target": "churn", "time_budget_s": 3600.0}),
    ("predict churn, time is not an issue", {"target": "churn", "time_budget_s": 3600.0}),
    ("Predict churn asap", {"target": "churn", "prefer": "speed", "time_budget_s": 60.0}),
    ("I don't care about accuracy, I want good recall", {"metric": "recall"}),
    ("Predict churn, but I don't care about accuracy, recall matters", {"target": "churn", "metric": "recall"}),
    ("F1 rather than accuracy for churn", {"target": "churn", "metric": "f1"}),
    ("Just try LightGBM and CatBoost on churn", {"target": "churn", "include_models": ("lightgbm", "catboost")}),
    ("missing one is worse than a false alarm", {"metric": "recall"}),
    ("A false alarm is cheap, a missed one is expensive", {"metric": "recall"}),
    ("predict price, large errors hurt", {"target": "price", "metric": "rmse", "task_type": "regression"}),
    ("predict price, the error in percent matters", {"target": "price", "metric": "mape", "task_type": "regression"}),
    (
        "predict churn using all models but catboost",
        {
            "target": "churn",
            "include_models": ("dummy", "linear", *TREES[:-1], "ensemble"),
            "exclude_models": ("catboost",),
        },
    ),
    ("Can you tell if a loan will default", {"task_type": "binary", "target": "default"}),
    ("predict column 3", {"target": "column 3"}),
    ("the target is the last column", {"target": "last column"}),
    ("churn / recall", {"metric": "recall", "not_understood": ("churn",)}),
    (
        "predict churn without using age or price",
        {"target": "churn", "exclude_columns": ("age", "price")},
    ),
    (
        "predict churn, precision at least 80%",
        {
            "target": "churn",
            "metric": "precision",
            "not_understood": (
                "precision at least 80% (a score cannot be promised; a threshold can be set after training)",
            ),
        },
    ),
    ("predict churn and scale the features", {"target": "churn"}),
    ("predict churn with at least 10 minutes of training", {"target": "churn", "time_budget_s": 600.0}),
    ("predict the number of visitors per day", {"task_type": "regression", "target": "visitors"}),
    (
        "predict churn w/ rf & lgbm, <2min, w/o xgboost",
        {
            "target": "churn",
            "include_models": ("random_forest", "lightgbm"),
            "exclude_models": ("xgboost",),
            "time_budget_s": 120.0,
        },
    ),
    ("target Loan Status, f1-score, 5min", {"target": "Loan Status", "metric": "f1"}),
    (
        "predict churn for the year 2023 only",
        {
            "target": "churn",
            "not_understood": ("for the year 2023 only (all rows are used; to take some, change the data file)",),
        },
    ),
    (
        "predict churn with 99.9% accuracy",
        {
            "target": "churn",
            "metric": "accuracy",
            "not_understood": ("99.9% accuracy (a score cannot be promised; a threshold can be set after training)",),
        },
    ),
    # -- what is not understood
    ("colourless green ideas sleep furiously", {"not_understood": ("colourless green ideas sleep furiously",)}),
    ("Predict churn and deploy it to the cloud", {"target": "churn", "not_understood": ("deploy it to the cloud",)}),
    ("Hello! I have a table of patients. I want to predict diabetes. Thanks!", {"target": "diabetes"}),
    ("", {}),
    ("???", {}),
    ("please", {}),
    (
        "Predict revenue. Budget: 15 min. Metric: MAE. Models: lightgbm, catboost. No linear models.",
        {
            "target": "revenue",
            "time_budget_s": 900.0,
            "metric": "mae",
            "task_type": "regression",
            "include_models": ("lightgbm", "catboost"),
            "exclude_models": ("linear",),
        },
    ),
]


@pytest.mark.parametrize(("text", "expected"), REQUESTS, ids=[t for t, _ in REQUESTS])
def test_everyday_requests(text: str, expected: dict[str, Any]) -> None:
    assert parse_request(text) == IntentPlan(**expected)


ON_DATA: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    (
        "we'd like an attrition model, has to run in under 90s and HR needs to be able to understand it",
        ("Age", "Attrition", "YearsAtCompany"),
        {"target": "Attrition", "time_budget_s": 90.0, "prefer": "interpretability"},
    ),
    (
        "build me a churn classifier w/ AUC as the score, gradient boosting only, 5 mins tops",
        ("churn", "state"),
        {
            "target": "churn",
            "task_type": "classification",
            "metric": "roc_auc",
            "include_models": ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost"),
        },
    ),
    (
        "Need a price model (Kaufpreis), errors in percent are what counts",
        ("Straße", "Kaufpreis", "Baujahr"),
        {"target": "Kaufpreis", "metric": "mape", "task_type": "regression"},
    ),
    (
        "I wanna know how much a baseball player earns. rownames are just player names so ignore those",
        ("rownames", "Hits", "Salary"),
        {"task_type": "regression", "exclude_columns": ("rownames",)},
    ),
    (
        "tell the penguins apart by species, but without using island",
        ("species", "island", "sex"),
        {
            "target": "species",
            "task_type": "classification",
            "exclude_columns": ("island",),
        },
    ),
    (
        "classify speceis, accuracy is fine, quick & dirty",
        ("species", "island", "sex"),
        {
            "target": "species",
            "task_type": "classification",
            "metric": "accuracy",
            "prefer": "speed",
            "time_budget_s": 60.0,
        },
    ),
    (
        "target = Status, positive class is bad, use the Loans 2023 tab",
        ("Status", "Age"),
        {
            "target": "Status",
            "sheet": "Loans 2023",
            "not_understood": ("positive class is bad (say it at the stage Data)",),
        },
    ),
    (
        "predict health, don't optimise for speed, we've got all night",
        ("health", "age"),
        {"target": "health", "time_budget_s": 3600.0},
    ),
    (
        "did the passenger survive? use sex, age and passengerClass; i care about F1",
        ("survived", "sex", "age", "passengerClass"),
        {
            "target": "survived",
            "task_type": "binary",
            "metric": "f1",
            "include_columns": ("sex", "age", "passengerClass"),
        },
    ),
    (
        "please predict survived. xgboost with max_depth 3",
        ("survived", "sex"),
        {
            "target": "survived",
            "include_models": ("xgboost",),
            "not_understood": ("max_depth 3 (say it at the stage Models)",),
        },
    ),
    (
        "estimate wage from the rest, mean absolute error please",
        ("wage", "age"),
        {"target": "wage", "task_type": "regression", "metric": "mae"},
    ),
    (
        "not churn, predict calls instead. regression",
        ("churn", "calls"),
        {"target": "calls", "task_type": "regression"},
    ),
    (
        "take the diabetes data from sklearn and predict progression. lasso would be nice",
        (),
        {
            "target": "progression",
            "dataset": "diabetes",
            "not_understood": ("lasso or elastic net (not among the models)",),
        },
    ),
]


@pytest.mark.parametrize(("text", "columns", "expected"), ON_DATA, ids=[t for t, _, _ in ON_DATA])
def test_everyday_requests_on_data_that_are_known(
    text: str, columns: tuple[str, ...], expected: dict[str, Any]
) -> None:
    assert parse_request(text, columns) == IntentPlan(**expected)


COLUMNS = ("Age", "hours-per-week", "Median House Value", "Churned", "price", "Exited", "target_encoded", "date")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("predict who leaves, column Exited", "Exited"),
        ("predict whether a customer has churned", "Churned"),
        ("predict churn", "Churned"),
        ("predict the median house value of a block", "Median House Value"),
        ("estimate hours per week", "hours-per-week"),
        ("predict prices", "price"),
        ("the target is AGE", "Age"),
        ("Exited is the target", "Exited"),
        ("Exited", "Exited"),
        ("Which factors drive churn?", "Churned"),
        ("How much will it cost in the end? (price)", "price"),
        ("predict column 3", "Median House Value"),
        ("the target is the last column", "date"),
        ("F1 rather than accuracy for churn", "Churned"),
    ],
)
def test_a_column_of_the_data_wins_over_other_words(text: str, target: str) -> None:
    assert parse_request(text, COLUMNS).target == target


@pytest.mark.parametrize("text", ['Predict the column "3".', "predict column 3", "predict 3", "the target is column 3"])
def test_a_column_that_is_called_by_a_number_wins_over_its_place(text: str) -> None:
    assert parse_request(text, ["0", "1", "2", "3"]).target == "3"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Predict churn; split by time using date", "split by time using date (say it at the stage Preparation)"),
        ("predict churn, use 30% test data", "use 30% test data (say it at the stage Preparation)"),
        ("predict churn with 20 trials", "20 trials (say it at the stage Models)"),
        ("Predict churn. The positive class is Yes.", "The positive class is Yes (say it at the stage Data)"),
        ("Predict churn and show me feature importance", "show me feature importance"),
        (
            "predict churn with 5-fold cross validation",
            "5-fold cross validation (There is no cross-validation: models are judged on one validation part, and the "
            "one that is kept on the test rows)",
        ),
    ],
)
def test_what_a_request_cannot_decide_is_told_with_the_gate_that_can(text: str, told: str) -> None:
    plan = parse_request(text, COLUMNS)
    assert plan.target in ("Churned", "price")
    assert plan.not_understood == (told,)


USED = "include_columns"
LEFT_OUT = "exclude_columns"


@pytest.mark.parametrize("columns", [COLUMNS, ()], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predict price using only age and date", {USED: ["age", "date"]}),
        ("predict price from age and date, judged by mae", {USED: ["age", "date"]}),
        ("predict price, drop the columns with age and date", {LEFT_OUT: ["age", "date"]}),
        ("predict price from age, date and exited", {USED: ["age", "date", "exited"]}),
        ("price ~ age + date", {USED: ["age", "date"]}),
        ("Predict price. Use only age.", {USED: ["age"]}),
        ("Predict price. Only keep age and date.", {USED: ["age", "date"]}),
        ("given age and date, estimate price", {USED: ["age", "date"]}),
        ("forecast price. features: age, date", {USED: ["age", "date"]}),
        ("predict price with the columns age & date", {USED: ["age", "date"]}),
        ("predict price without age", {LEFT_OUT: ["age"]}),
        ("predict price w/o using age", {LEFT_OUT: ["age"]}),
        ("predict price, ignore the age and the date", {LEFT_OUT: ["age", "date"]}),
        ("Predict price but don't use age, it is redundant", {LEFT_OUT: ["age"]}),
        ("predict price but leave age out", {LEFT_OUT: ["age"]}),
        ("predict price using all columns except age and date", {LEFT_OUT: ["age", "date"]}),
        ("predict price, exclude age and date, use mae", {LEFT_OUT: ["age", "date"]}),
        ("predict price from age and exited but without date", {USED: ["age", "exited"], LEFT_OUT: ["date"]}),
        # What is no column's name, or not said of what is used.
        ("predict price with xgboost and lightgbm", {}),
        ("predict price without neural networks", {}),
        ("predict price from sales.csv", {}),
        ("predict price without overfitting", {}),
        ("predict price, ignore outliers and duplicates", {}),
        ("predict price, exclude people without age", {}),
        ("predict price, ignore missing age", {}),
        ("predict price, but not for children with age below 10", {}),
        ("predict price and leave age alone", {}),
        ("predict price, don't touch age", {}),
        ("predict price, just use defaults", {}),
        ("drop rows where age is missing and predict price", {}),
        ("predict price, split by date", {}),
        ("predict price, group by age", {}),
        ("predict price from the data in two minutes", {}),
    ],
)
def test_columns_that_the_request_names(text: str, expected: dict[str, list[str]], columns: tuple[str, ...]) -> None:
    plan = parse_request(text, columns)
    found = {m: [n.lower() for n in getattr(plan, m)] for m in (USED, LEFT_OUT) if getattr(plan, m)}
    assert plan.target == "price"
    assert found == expected
    assert not expected or not plan.not_understood


def test_columns_of_several_sentences() -> None:
    plan = parse_request("Predict price. Don't use age or date. Actually keep age.", COLUMNS)
    assert plan.exclude_columns == ("date",)
    assert plan.not_understood == ()
    plan = parse_request("predict price from age, shoe size and price", COLUMNS)
    assert plan.include_columns == ("Age", "shoe size")  # which the data are asked for
    assert parse_request("predict price, ignore date with age kept", COLUMNS).exclude_columns == ("date",)
    assert parse_request("predict price, use age and nothing else", COLUMNS).include_columns == ("Age",)


def test_every_part_is_explained() -> None:
    request = read_request(
        "Predict churn with recall. F1 too. Use lightgbm, no xgboost, no neural nets, on a.csv, fast"
    )
    words = " | ".join(request.understood)
    for part in (
        "churn",
        "recall",
        "F1",
        "models LightGBM",
        "without XGBoost",
        "neural networks",
        "a.csv",
        "speed",
        "1 minute",
    ):
        assert part in words


WORDS = """
    predict the no under target is column learning rate whether who how much of that 5 min , . ? x.csv iris use
""".split()  # noqa: SIM905


@given(
    text=st.text(max_size=400) | st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    columns=st.just(()) | st.just(COLUMNS) | st.lists(st.text(max_size=12), max_size=6).map(tuple),
)
@settings(max_examples=300, deadline=None)
def test_any_text_makes_a_valid_plan(text: str, columns: tuple[str, ...]) -> None:
    plan = parse_request(text, columns)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(plan)), IntentPlan) == plan


@pytest.mark.parametrize(
    "unit", ["predict ", "under ", "1", "a.", "no ", "`", '"x', "https://", "instead of ", "é,", "1,111"]
)
def test_long_texts_come_to_an_end(unit: str) -> None:
    parse_request((unit * 20_000)[:20_000])


@pytest.mark.parametrize(
    ("text", "expected", "missed"),
    [
        ("Exited ~ age + tenure", {"target": "Exited", "include_columns": ("age", "tenure")}, None),
        ("Exited ~ .", {"target": "Exited"}, None),
        ("predict No. of rooms", {"target": "No. of rooms"}, None),
        ("predict weight in kg", {"target": "weight (kg)"}, None),
        ("predict log(tenure)", {"target": "tenure"}, "log (A column can be numeric"),
        ("predict Exited, xgb -> rf", {"include_models": ("random_forest",), "exclude_models": ("xgboost",)}, None),
        ("predict Exited with lightgbm and 500 trees", {"include_models": ("lightgbm",)}, "500 trees (say it at"),
        ("predict Exited with three models", {"include_models": ()}, "three models (say it at the stage Models)"),
        ("predict Exited using the two best models", {"include_models": ()}, "using the two best models (say it at"),
        ("predict Exited, 70/15/15 split", {"target": "Exited"}, "70/15/15 split (say it at the stage Preparation)"),
        ("predict Exited with 30% for the test set", {"target": "Exited"}, "30% for the test set (say it at the stage"),
        (
            "predict Exited, use 30% of the rows for testing",
            {"target": "Exited"},
            "30% of the rows for testing (say it",
        ),
        ("predict Exited, hold out 30% of the data", {"target": "Exited"}, "30% of the data (say it at the stage Prep"),
        ("predict Exited on 30% of the rows", {"target": "Exited"}, "30% of the rows (all rows are used"),
        ("predict Exited, threshold 0.3", {"target": "Exited"}, "threshold 0.3 (say it at the stage Training)"),
        ("predict Exited, lr 0.05", {"target": "Exited"}, "lr 0.05 (say it at the stage Models)"),
        ("cluster my customers", {"target": None}, "cluster (One column is predicted from the others"),
    ],
)
def test_short_forms(text: str, expected: dict[str, Any], missed: str | None) -> None:
    plan = parse_request(text, ("age", "tenure", "Exited", "weight (kg)", "No. of rooms"))
    assert {member: getattr(plan, member) for member in expected} == expected
    assert len(plan.not_understood) == (missed is not None)
    assert missed is None or plan.not_understood[0].startswith(missed)


def test_a_formula_names_the_target_before_the_columns_are_known() -> None:
    assert parse_request("churn ~ everything else").target == "churn"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use only age and tenure", {"/include_columns": ["age", "tenure"]}),
        ("ignore the customer_id", {"/exclude_columns": ["customer_id"]}),
        ("leave the notes out, they are too long", {"/exclude_columns": ["notes"]}),
        ("without city please", {"/exclude_columns": ["city"]}),
        ("skip the profile", {}),
        ("exclude inactive customers", {}),
        ("drop the xgboost", {"/exclude_models": ["xgboost"]}),
    ],
)
def test_columns_that_are_named_at_the_gate_of_the_request(text: str, expected: dict[str, Any]) -> None:
    changes(text, INTENT, expected)
    if "columns" in next(iter(expected), ""):
        changes(text, DATA, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not Exited, age", {"/target": "age", "/positive_class": None}),
        ("actually tenure, not age", {"/target": "tenure", "/positive_class": None}),
        ("use tenure instead of Exited", {"/target": "tenure", "/positive_class": None}),
        ("drop Exited", {}),
        ("use Exited", {}),
        ("use age", {}),
        ("and city", {}),
        ("drop Exited and age", {"/exclude_columns": ["age"]}),
    ],
)
def test_at_the_gate_of_the_data_the_target_is_no_column_to_use_or_leave_out(
    text: str, expected: dict[str, Any]
) -> None:
    changes(text, DATA, expected)


def test_a_target_that_another_takes_the_place_of_stays_among_the_columns() -> None:
    changes("forget about churn, predict revenue", INTENT, {"/target": "revenue"})


@pytest.mark.parametrize("text", ["drop everything except rank and sex", "ignore all columns except rank and sex"])
@pytest.mark.parametrize("columns", [(), ("rank", "sex", "y")])
def test_what_is_excepted_from_what_is_left_out_is_used(text: str, columns: tuple[str, ...]) -> None:
    plan = parse_request(f"Predict y. {text}.", columns)
    assert (plan.include_columns, plan.exclude_columns) == (("rank", "sex"), msgspec.UNSET)
