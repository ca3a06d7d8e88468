"""Questions about what was measured are answered with the figures, and change nothing."""

import pytest

from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import DATA, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask

ANSWERS = [
    (
        "what is test auc?",
        REVIEW,
        "ROC AUC of LightGBM (run-6-1-lightgbm): 0.7800 on the 200 test rows (95% interval 0.7400 to",
    ),
    ("test auc", REVIEW, "ROC AUC of LightGBM (run-6-1-lightgbm): 0.7800 on the 200 test rows"),
    (
        "what's the test accuracy of lightgbm?",
        REVIEW,
        "Accuracy of LightGBM (run-6-1-lightgbm): 0.8200 on the 200 test rows.",
    ),
    (
        "how accurate is it?",
        REVIEW,
        "Accuracy of LightGBM (run-6-1-lightgbm): 0.8200 on the 200 test rows, 0.8500 on the 200",
    ),
    (
        "what's the test accuracy of xgboost?",
        REVIEW,
        "Only the model that is kept, LightGBM, is evaluated on the test rows.",
    ),
    (
        "what's the test accuracy of lightgbm?",
        TRAIN,
        "0.8500 on the 200 validation rows. The test rows have not been read yet",
    ),
    ("accuracy and auc of lightgbm vs xgboost", TRAIN, "Accuracy of XGBoost (run-6-2-xgboost): 0.7500"),
    (
        "show me all accuracies",
        TRAIN,
        "Accuracy on the 200 validation rows: LightGBM 0.8500, XGBoost 0.7500, Linear model 0.6500.",
    ),
    ("compare the models", TRAIN, "ROC AUC on the 200 validation rows: LightGBM 0.8000, XGBoost 0.7000"),
    (
        "what recall does it have?",
        TRAIN,
        "Recall was not measured for binary classification; measured are ROC AUC, accuracy.",
    ),
    ("what is the accuracy of catboost?", TRAIN, "No run of CatBoost has finished, so it has no scores."),
    ("how many errors are there on the test set?", REVIEW, "LightGBM is wrong on 36 of the 200 test rows."),
    ("is it overfitting?", TRAIN, "Against overfitting"),
    ("how many rows are in the test set?", REVIEW, "200 test rows; there are also 600 training, 200 validation rows."),
    ("how big is the training set?", SELECT, "600 training rows"),
    ("how many rows are in the test set?", PROFILE, "The rows are divided at the stage Preparation."),
    ("how many rows do we have?", PROFILE, "The data have 1,000 rows and 9 columns."),
    ("how many features are used?", PREPROCESS, "The data have 9 columns, of which 7 become features."),
    (
        "which feature matters most?",
        TRAIN,
        "What counts most for LightGBM: tenure (0.1200), age (0.0500), city (0.0100);",
    ),
    ("top 2 features", TRAIN, "What counts most for LightGBM: tenure (0.1200), age (0.0500);"),
    ("how important is city?", TRAIN, "city is number 3 of 4 (0.0100)"),
    ("how long did training take?", REVIEW, "The stage Training took 95 seconds, 3 runs"),
    ("how long did xgboost take?", TRAIN, "The runs took: XGBoost (run-6-2-xgboost) 1.0 seconds."),
    ("how many models were trained?", TRAIN, "3 runs of 3 models were made."),
    ("how many missing values does age have?", PROFILE, "Missing values of 1,000 rows: age 120 (12.0%)."),
    ("which columns are text?", PROFILE, "Text columns: notes."),
    ("what is the average age?", PROFILE, "age: mean 38.50."),
    ("how many different cities are there?", PROFILE, "city: 40 different values."),
    ("how many exited?", PROFILE, "Exited: 0 800 (80.0%), 1 200 (20.0%) of 1,000 rows. The positive class is 1."),
    ("is the target balanced?", PROFILE, "Exited: 0 800 (80.0%)"),
    ("what is age?", PROFILE, "In the data: integer, 40 different values, 120 missing."),
    ("what's the accuracy?", SELECT, "No model has been trained yet"),
    ("can I trust it?", REVIEW, "The stage Review waits"),
    ("accuracy?", TRAIN, "Accuracy of LightGBM (run-6-1-lightgbm): 0.8500 on the 200 validation rows."),
    ("xgboost vs lightgbm", TRAIN, "ROC AUC of XGBoost (run-6-2-xgboost): 0.7000"),
    (
        "auc and accuracy on test data please",
        REVIEW,
        "Accuracy of LightGBM (run-6-1-lightgbm): 0.8200 on the 200 test rows.",
    ),
    (
        "how many rows did you use for training?",
        REVIEW,
        "600 training rows; there are also 200 validation, 200 test rows.",
    ),
    ("which columns have you dropped?", PROFILE, "Left out: customer_id."),
    ("what have I changed?", PROFILE, "Nothing of what the stage Profile proposes was changed."),
    ("top 3 columns", PREPROCESS, "What columns count is measured with the models, at the stage Training."),
    ("validation accuracy of the kept model", TRAIN, "Accuracy of LightGBM (run-6-1-lightgbm): 0.8500 on the 200"),
    (
        "what share of the test rows is right?",
        REVIEW,
        "Accuracy of LightGBM (run-6-1-lightgbm): 0.8200 on the 200 test",
    ),
    ("which column is least important?", TRAIN, "What counts least: notes (0.0000), city (0.0100),"),
    ("how many columns are categorical?", PREPROCESS, "Categorical columns: 2: city, City/Town."),
    ("which columns have gaps, or any missing values??", PROFILE, "Missing values of 1,000 rows: age 120 (12.0%)."),
    ("what would happen if I dropped age?", PROFILE, 'To do it, say "drop age".'),
    ("where is the report?", REVIEW, "From the stage Review on there are the report and the notebook"),
    ("why is it split like that?", PREPROCESS, "Each part has the same share of every class."),
    ("is age the target?", DATA, "The target is Exited"),
]


@pytest.mark.parametrize(("text", "stage", "told"), ANSWERS)
def test_figures(text: str, stage: StageId, told: str) -> None:
    reply, _ = ask(text, stage)
    assert told in reply.text
    assert not reply.actions


@pytest.mark.parametrize(
    "text", ["stop, that's good enough", "stop, thats good enough", "pls finish asap with what you have"]
)
def test_what_is_good_enough_ends_the_training_with_the_best(text: str) -> None:
    reply, _ = ask(text, TRAIN, StageStatus.IN_PROGRESS)
    assert [getattr(action, "mode", None) for action in reply.actions] == ["finish"]


def test_how_it_goes_is_answered_with_what_is_left() -> None:
    reply, _ = ask("how is it going?", TRAIN, StageStatus.IN_PROGRESS)
    assert reply.text.startswith("The stage Training is running. At most about 4 min 41 s")
