"""Questions about what was measured are answered with the figures, and change nothing."""

import msgspec
import pytest

from jupyter_pipeline.agent.base import Confusion, Context
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import DATA, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, ask, context_at

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
    (
        "which model has the best accuracy?",
        TRAIN,
        "Accuracy on the 200 validation rows: LightGBM 0.8500, XGBoost 0.7500, Linear model 0.6500.",
    ),
    ("what is the accuracy of the best model?", TRAIN, "Accuracy of LightGBM (run-6-1-lightgbm): 0.8500 on the 200"),
    ("pick whichever has the best accuracy", TRAIN, "Say which model is kept: LightGBM, XGBoost, Linear model"),
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


def of_species() -> Context:
    """A model of three classes at the stage Review, one of which has a name of two words and one is called ``no``."""
    context = context_at(REVIEW, task="multiclass")
    confusion = Confusion(
        run_id="run-6-1-lightgbm",
        split="test",
        classes=("setosa", "Iris virginica", "no"),
        matrix=((45, 5, 0), (10, 30, 10), (0, 0, 100)),
    )
    columns = context.measured.columns | {
        "gender": {"kind": "categorical", "dtype": "String", "missing": 0, "n_unique": 2, "top": [{"value": "female"}]}
    }
    measured = msgspec.structs.replace(context.measured, confusion=confusion, columns=columns)
    data = context.plans[DATA] | {"target": "species", "task_type": "multiclass", "positive_class": None}
    return msgspec.structs.replace(
        context,
        measured=measured,
        plans=context.plans | {DATA: data},
        columns=(*context.columns, "species", "gender"),
    )


SETOSA = "setosa: 45 of 50 are called so, recall 0.9000; precision 0.8182 (of 55 called so)."
VIRGINICA = "Iris virginica: 30 of 50 are called so, recall 0.6000; precision 0.8571 (of 35 called so)."
NO = "no: 100 of 100 are called so, recall 1.0000; precision 0.9091 (of 110 called so)."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("how good is it for class setosa?", [SETOSA]),
        ("what is the accuracy of setosa?", [SETOSA]),
        ("recall of iris virginica", [VIRGINICA]),
        ("how well does it recognise setosa?", [SETOSA]),
        ("does it confuse setosa and Iris virginica?", [SETOSA, VIRGINICA]),
        ("precision for the class no", [NO]),
        ("accuracy for the no class", [NO]),
        ("recall per class", [SETOSA, VIRGINICA, NO]),
        ("which class is worst?", [SETOSA, VIRGINICA, NO]),
        ("what's the auc for setosa?", [SETOSA, "ROC AUC was not measured for one class; recall and precision were."]),
    ],
)
def test_figures_of_a_class_are_those_of_that_class(text: str, told: list[str]) -> None:
    reply = RuleAgent().respond(text, of_species())
    assert reply.text == " ".join(["LightGBM, on the 200 test rows.", *told])
    assert not reply.actions


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("what is the accuracy for women?", "for women"),
        ("recall for customers over 60?", "for customers over 60"),
        ("accuracy by gender", "by gender"),
        ("performance per city", "per city"),
        ("how good is it for class versicolor?", "for class versicolor"),
        ("does it perform worse for men than for women?", "for men than for women"),
        ("how many errors does it make for women?", "for women"),
        ("AUC for age < 30?", "for age < 30"),
        ("how well does it do on customers in Berlin?", "on customers in Berlin"),
        ("what's the recall of female customers?", "of female customers"),
        ("accuracy on city = Berlin", "on city = Berlin"),
    ],
)
def test_figures_of_other_groups_are_said_not_to_be_there(text: str, group: str) -> None:
    reply = RuleAgent().respond(text, of_species())
    assert f'How good it is "{group}" was not measured.' in reply.text
    assert "for each class of species (setosa, Iris virginica, no)" in reply.text
    assert "0.8" not in reply.text
    assert not reply.actions


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("how many rows are from USA?", "from USA"),
        ("what is the mean age for women?", "for women"),
        ("how many missing values does age have in women?", "in women"),
    ],
)
def test_figures_of_all_rows_are_no_answer_about_some(text: str, group: str) -> None:
    assert RuleAgent().respond(text, of_species()).text == (
        f'Of the rows "{group}" nothing was counted or measured by itself; figures are over all rows.'
    )


@pytest.mark.parametrize(
    "text",
    [
        "how accurate is it?",
        "no, what is the accuracy?",
        "what is the accuracy of the best model on the test set?",
        "what's the accuracy for our customers?",
        "how accurate will it be in production?",
        "how accurate is the model with default parameters?",
    ],
)
def test_figures_of_all_rows_answer_what_is_asked_of_all(text: str) -> None:
    assert "Accuracy of LightGBM (run-6-1-lightgbm): 0.8200 on the 200 test rows" in ask(text, REVIEW)[0].text


def test_models_are_ranked_by_the_metric_that_is_asked_for() -> None:
    context = context_at(TRAIN)
    scores = {run: {"val": {"roc_auc": 0.9, "log_loss": n / 10}} for n, run in enumerate(context.measured.scores, 1)}
    better = scores["run-6-3-linear"]["val"]
    better["log_loss"] = 0.05
    context = msgspec.structs.replace(context, measured=msgspec.structs.replace(context.measured, scores=scores))
    assert "Linear model 0.0500, LightGBM 0.1000, XGBoost 0.2000" in (
        RuleAgent().respond("which model has the lowest log loss?", context).text
    )


@pytest.mark.parametrize("text", ["which model is best?", "why is it so low?", "why lightgbm?"])
def test_scores_have_the_metric_that_they_are_of_after_another_one_was_chosen(text: str) -> None:
    context = context_at(TRAIN)
    plans = context.plans | {SELECT: context.plans[SELECT] | {"metric": "recall"}}
    told = RuleAgent().respond(text, msgspec.structs.replace(context, plans=plans)).text
    assert "ROC AUC" in told
    assert "recall" not in told
