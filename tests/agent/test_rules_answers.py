"""What is answered to questions, to what cannot be done, and to any text at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.answers import examples
from jupyter_pipeline.agent.base import ConfirmGate
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import DATA, INTENT, PREPROCESS, PROFILE, REVIEW, SELECT, TRAIN, applied, ask, context_at

QUESTIONS: list[tuple[str, StageId, str]] = [
    ("what is the best so far?", TRAIN, "LightGBM (run-6-1-lightgbm) with ROC AUC 0.8000"),
    ("Can you show me the best model?", TRAIN, "LightGBM (run-6-1-lightgbm)"),
    ("which metric do you use?", SELECT, "judged by ROC AUC"),
    ("what is the recall?", TRAIN, "ROC AUC"),
    ("why xgboost?", SELECT, "strong regularisation"),
    ("why is lightgbm better?", TRAIN, "0.8000"),
    ("why?", TRAIN, "XGBoost 0.7000"),
    ("status?", PREPROCESS, "The stage Preparation waits for your confirmation."),
    ("what's going on", TRAIN, "The stage Training"),
    ("what are you predicting?", PROFILE, "The target is Exited, a binary classification task."),
    ("which models are there?", SELECT, "Random forest"),
    ("which columns are used?", PREPROCESS, "city (categorical)"),
    ("how long will it take?", SELECT, "5 minutes"),
    ("which data do you use?", DATA, "upload:customers.csv"),
    ("how is the data split?", PREPROCESS, "stratified"),
    ("what can I ask?", SELECT, "higher learning rate"),
    ("help", REVIEW, "leave the notebook out"),
    ("what does recall mean?", TRAIN, "the share of the positive rows that are found"),
    ("why is customer_id left out?", PROFILE, "customer_id: role id."),
    ("how is city encoded?", PREPROCESS, "treated as categorical"),
    (
        "which features matter the most?",
        REVIEW,
        "What counts most for LightGBM: tenure (0.1200), age (0.0500), city (0.0100);",
    ),
    ("which model did you choose?", REVIEW, "is kept is LightGBM (run-6-1-lightgbm), with ROC AUC 0.8000"),
    ("show me the confusion matrix", TRAIN, "shown with the results"),
    ("how many trials?", SELECT, "Up to 5 settings"),
    ("what is the test score?", TRAIN, "The test rows have not been read yet"),
    ("which features are important?", TRAIN, "What counts most for LightGBM: tenure"),
    ("what happens to missing values?", PREPROCESS, "the median of the training rows"),
]


@pytest.mark.parametrize(("text", "at", "expected"), QUESTIONS)
def test_questions_are_answered_and_change_nothing(text: str, at: StageId, expected: str) -> None:
    reply, _ = ask(text, at)
    assert expected in reply.text
    assert not reply.actions


IMPOSSIBLE: list[tuple[str, StageId, str, str]] = [
    ("use a neural network", SELECT, "binary", "There are no neural networks here; the models are Baseline"),
    ("minimise RMSE", SELECT, "binary", "RMSE does not fit a binary classification; metrics that do are Recall"),
    ("optimise recall", SELECT, "regression", "Recall does not fit a regression"),
    ("threshold 0.3", TRAIN, "regression", "binary tasks only"),
    ("threshold 3", TRAIN, "binary", "from 0 to 1"),
    ("the target is salary", DATA, "binary", "There is no column 'salary' to predict"),
    ("drop the column salary", PREPROCESS, "binary", "There is no column 'salary'"),
    ("drop `salary`", PREPROCESS, "binary", "There is no column 'salary'"),
    ("drop Exited", PREPROCESS, "binary", "Exited is the target"),
    ("90% test rows", PREPROCESS, "binary", "up to 45 %"),
    ("45% test and 45% validation", PREPROCESS, "binary", "At least a fifth"),
    ("learning rate 5", SELECT, "binary", "from 0.0001 to 1"),
    ("use only linear with a learning rate of 0.1", INTENT, "binary", "once models are proposed"),
    ("drop all models", SELECT, "binary", ""),
    ("without dummy, linear, lightgbm and xgboost", SELECT, "binary", "At least one model must stay"),
    ("keep catboost", TRAIN, "binary", "No finished run of CatBoost can be kept; finished: LightGBM, XGBoost"),
    ("treat Exited as text", PROFILE, "binary", "Exited is the target"),
    ("split by time", PROFILE, "binary", "decided at the stage Preparation"),
    ("20 trials", DATA, "binary", "decided at the stage Models"),
    ("leave the notebook out", TRAIN, "binary", "decided at the stage Review"),
    ("retrain", SELECT, "binary", "The stage Training has not been reached"),
    ("5000 trials", SELECT, "binary", "from 1 to 1000"),
    ("use 5-fold cross validation", PREPROCESS, "binary", "There is no cross-validation"),
    ("scale the features", PREPROCESS, "binary", "Scaling needs nothing"),
    ("train on all the data", SELECT, "binary", "All rows are used already"),
    ("refit the best model on all rows", TRAIN, "binary", "All rows are used already"),
    ("retrain on everything", REVIEW, "binary", "All rows are used already"),
    ("train on train + validation", PREPROCESS, "binary", '"10% test rows"'),
    ("confirm everything", SELECT, "binary", "p.run(confirm=True)"),
    ("yes to all", PROFILE, "binary", "Every stage waits until you have seen"),
    ("train on the GPU", SELECT, "binary", "a graphics card is not used"),
    ("don't include the data", REVIEW, "binary", "leave the training code and the notebook out"),
    ("swap the positive class", DATA, "binary", "Say which class is positive"),
    ("make the test set bigger", PREPROCESS, "binary", "Say how large the part should be"),
    ("use 5 folds", PREPROCESS, "binary", "There is no cross-validation"),
    ("use the sheet Sales", DATA, "binary", "The data have no sheets"),
    ("undo that", SELECT, "binary", "nothing to take back"),
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
        for suggested in examples(context_at(stage, status, task)):
            reply, _ = ask(suggested, stage, status, task)
            assert reply.actions, (suggested, reply.text)
            assert "did not understand" not in reply.text


WORDS = """
    use instead of without only no not drop keep treat as split by test % seed threshold learning rate higher lower
    random forest xgboost lightgbm age city Exited customer_id time group stop finish restart why what is the target
    positive class minutes 5 0.3 20 trials , . ? ! and but predict recall rmse accuracy over speed iris data.csv
    notebook leave out `notes` 'City/Town' more trees depth max_depth = : 70/15/15
""".split()  # noqa: SIM905


@example("0FOREST/M?", SELECT, StageStatus.WAITING_CONFIRMATION, "binary")
@given(
    text=st.text(max_size=200)
    | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
    | st.lists(st.sampled_from([*WORDS, " "]), max_size=25).map("".join),
    stage=st.sampled_from(STAGES),
    status=st.sampled_from(StageStatus),
    task=st.sampled_from(["binary", "multiclass", "regression"]),
)
@settings(max_examples=400, deadline=None)
def test_any_text_gets_an_answer_and_makes_valid_plans(
    text: str, stage: StageId, status: StageStatus, task: str
) -> None:
    ask(text, stage, status, task)


@pytest.mark.parametrize("text", ["thanks", "thx", "Great! Thank you.", "hello", "nice work"])
def test_courtesy_is_answered_with_how_the_project_stands(text: str) -> None:
    reply, _ = ask(text, SELECT)
    assert not reply.actions
    assert reply.text.startswith("The stage Models waits for your confirmation.")
    assert "did not understand" not in reply.text


@pytest.mark.parametrize(
    "unit",
    [
        "use ",
        "higher learning rate ",
        "test 30% ",
        "drop age ",
        "`",
        "keep best run ",
        "a.b/",
        "xgb -> rf ",
        "from 1 to 2 ",
        "80:20 ",
        "two models ",
    ],
)
def test_long_texts_come_to_an_end(unit: str) -> None:
    context = context_at(SELECT)
    applied(RuleAgent().respond((unit * 20_000)[:20_000], context), context)


def test_of_very_many_sentences_the_first_are_read_and_that_is_said() -> None:
    """Nothing is confirmed by the end of what was not read."""
    reply, _ = ask("more trees. " * 300 + "go on", SELECT)
    assert "Only the first 200 sentences were read; say the rest in other messages." in reply.text
    assert not any(isinstance(action, ConfirmGate) for action in reply.actions)
