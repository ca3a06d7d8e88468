"""Chats at gates and while training: what they change, always by a patch that makes a valid plan."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from jupyter_pipeline.agent.base import Cancel, Change, ConfirmGate, Restart
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import (
    DATA,
    EXPORT,
    INTENT,
    PREPROCESS,
    PROFILE,
    REVIEW,
    SELECT,
    TRAIN,
    TREES,
    applied,
    ask,
    context_at,
    ids,
    sentences,
)

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
    ("predict the class of the wine data", INTENT, "PARSE_INTENT/target", "class"),
    ("predict the class of the wine data", INTENT, "PARSE_INTENT/dataset", "wine"),
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
        ("2nd sheet", "Sales 2024"),
        ("the seond sheet", "Sales 2024"),
        ("sheet no. 3", "Q1-2025"),
        ("use the last sheet", "Q1-2025"),
        ("sheet_name=1", "Sales 2024"),
        ("sheet_name='Sales 2024'", "Sales 2024"),
        ("I meant the Sales 2024 one", "Sales 2024"),
        ("sales 2024", "Sales 2024"),
        ("sheet 'Customers'", None),
        ("sheet 9", None),
        ("use both sheets", None),
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


def test_sheets_without_a_table_are_counted_but_not_taken() -> None:
    context = context_at(DATA)
    book = next(d for d in context.datasets if d.id == "upload:book.xlsx")
    names = {"sheets": ["Sales 2024", "Q1-2025"], "sheet_names": ["Cover", "Sales 2024", "Q1-2025"]}
    plan = {**context.plans[DATA], "dataset_id": book.id, "sheet": "Sales 2024"}
    context = msgspec.structs.replace(
        context, plans={**context.plans, DATA: plan}, datasets=(msgspec.structs.replace(book, meta=names),)
    )
    assert applied(RuleAgent().respond("the third sheet", context), context)[DATA]["sheet"] == "Q1-2025"
    reply = RuleAgent().respond("the first sheet", context)
    assert reply.text == "The sheet 'Cover' holds no table; sheets with one are 'Sales 2024', 'Q1-2025'."
    reply = RuleAgent().respond("which sheets are there?", context)
    assert reply.text == "The sheet is 'Sales 2024'; those with a table are 'Sales 2024', 'Q1-2025'."


def test_another_sheet_has_columns_of_its_own() -> None:
    context = context_at(DATA)
    plan = {**context.plans[DATA], "dataset_id": "upload:book.xlsx", "sheet": "Summary"}
    context = msgspec.structs.replace(context, plans={**context.plans, DATA: plan})
    plans = applied(RuleAgent().respond("take the sheet Q1-2025 and predict Revenue", context), context)
    assert (plans[DATA]["sheet"], plans[DATA]["target"]) == ("Q1-2025", "Revenue")


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
    assert reply.text == "Back to what the stage Models proposed: settings tried for each model (50)."
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
        ("stop after this model", "running", Cancel(mode="after_run")),
        ("start over", "waiting", Restart(stage_id=INTENT)),
        ("redo the model selection", "running", Restart(stage_id=SELECT)),
        ("stop", "running", Cancel(mode="stop")),
        ("please cancel the run", "running", Cancel(mode="stop")),
        ("stop now!", "running", Cancel(mode="now")),
        ("finish with the best so far", "running", Cancel(mode="finish")),
        ("that's enough, keep the best so far", "running", Cancel(mode="finish")),
        ("that's taking ages, just give me the best one you've got", "running", Cancel(mode="finish")),
    ],
)
def test_actions(text: str, status: str, action: Any) -> None:
    where = StageStatus.WAITING_CONFIRMATION if status == "waiting" else StageStatus.IN_PROGRESS
    reply, _ = ask(text, TRAIN, where)
    assert reply.actions == (action,)


@pytest.mark.parametrize("text", sentences("""
    stop after the current model | Stop after this run, please | finish this model and then stop | stop after current
    let it finish the one it is on, then go on | no more models after this one | don't start any more models
    please don't train any other models after this one | once this model is done, stop | stop when this run is finished
    when the current model finishes, move on | no further runs | can you stop after this model? | stop after xgboost
    let this model finish and then stop | finish the current run, then stop training | nothing else after this model
    make this model the last one | finish XGBoost and stop | after this model stop | this run is the last
    let the training stop after the model it is running | and no more models after this one please | no new models now
    abort after this run | cancel after the current model | when this model is done, stop | finish this one first
"""))  # fmt: skip
def test_the_run_at_work_is_made_the_last_one(text: str) -> None:
    reply, _ = ask(text, TRAIN, StageStatus.IN_PROGRESS)
    assert reply.actions == (Cancel(mode="after_run"),)
    assert reply.text == (
        "No further run is begun: that of XGBoost is the last one, and then training ends with the best model so far."
    )


@pytest.mark.parametrize("text", sentences("""
    stop after the next model | stop after lightgbm | stop after 3 models | no more than three models
    stop after this model? | stop after ten minutes | finish after the first model | no more questions
    no models like this one | no more xgboost | let this run continue | let xgboost go on | this run, please continue
    let the current run finish | let xgboost finish | continue after this one | go on after this model
    xgboost, continue | after this one continue | don't stop after this model | do not stop when this one is done
"""))  # fmt: skip
def test_nothing_ends_that_is_not_asked_to_end_now(text: str) -> None:
    reply, _ = ask(text, TRAIN, StageStatus.IN_PROGRESS)
    assert not any(isinstance(action, Cancel) for action in reply.actions), reply.text


@pytest.mark.parametrize("status", [StageStatus.WAITING_CONFIRMATION, StageStatus.FAILED])
def test_what_does_not_run_has_no_last_run(status: StageStatus) -> None:
    reply, _ = ask("stop after the current model", TRAIN, status)
    assert not reply.actions
    reply, _ = ask("stop after the current model", EXPORT, StageStatus.IN_PROGRESS)
    assert not reply.actions, "it would stop the export at once"


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


@pytest.mark.parametrize(
    "text",
    [
        "don't confirm", "not yet", "do not stop", "stop?", "never restart", "no", "hello", "good enough", "stop sign",
        "could we stop here?", "stop asking", "abort mission", "finish line", "interrupt the kernel", "stop xgboost",
        "stop optimising recall", "can we go back?", "no need to restart", "I never went back", "it is not enough",
    ],
)  # fmt: skip
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


def test_the_agent_imports_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_pipeline.agent.rules; "
        "bad = {'pandas', 'numpy', 'polars', 'sklearn', 'langchain', 'tornado'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("stage", [PROFILE, PREPROCESS])
@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("split by time with the column signup_date", "signup_date"),
        ("split by time, using the column `signup_date`", "signup_date"),
        ("group by the column Customer_ID", "customer_id"),
        ("split by group with column city", "city"),
    ],
)
def test_a_column_that_the_split_is_made_by_is_there(text: str, column: str, stage: StageId) -> None:
    reply, plans = ask(text, stage)
    said = plans[PROFILE]["roles"][column] if stage is PROFILE else plans[PREPROCESS]["split"]["column"]
    assert said in ("time", "group", column)
    assert "There is no column" not in reply.text
    assert "There is no column 'xyz'" in ask("drop the column xyz", stage)[0].text


@pytest.mark.parametrize("stage", [INTENT, SELECT])
@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("optimise F1, interpretable, 30 seconds", "f1"),
        ("optimise recall, and it must be explainable", "recall"),
        ("optimise recall, quickly", "recall"),
        ("as fast as possible, recall matters", "recall"),
        ("optimise recall, accuracy over speed", "recall"),
        ("no catboost, optimise accuracy, quickly", "accuracy"),
        ("accuracy over speed", None),
        ("interpretability matters more than accuracy", None),
        ("accuracy is not important, I want it fast", None),
        ("quick rather than accurate", None),
    ],
)
def test_a_metric_stands_beside_what_matters_most(text: str, metric: str | None, stage: StageId) -> None:
    reply, _ = ask(text, stage)
    set_to = [op["value"] for a in reply.actions if isinstance(a, Change) for op in a.patch if op["path"] == "/metric"]
    assert set_to == ([metric] if metric else [])
    assert len([a for a in reply.actions if isinstance(a, Change)]) == 1
    said = ("What matters most", "Accuracy over speed", "Speed over accuracy", "Explainable models")
    assert any(words in reply.text for words in said)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Which customers will churn? Missing one is costly.", "churn"),
        ("Which of my customers will churn?", "churn"),
        ("Which species was struck?", "species"),
        ("Which data can I use?", None),
        ("Which metric is best?", None),
        ("Which models are there?", None),
        ("What is the target?", None),
        ("How many rows are there?", None),
        ("Is this a good idea?", None),
    ],
)
def test_a_question_is_the_request_where_only_the_data_were_named(text: str, target: str | None) -> None:
    """As a panel begins that was opened from a data file."""
    context = context_at(INTENT)
    context.plans[INTENT]["target"] = None
    reply = RuleAgent().respond(text, context)
    set_to = [op["value"] for a in reply.actions if isinstance(a, Change) for op in a.patch if op["path"] == "/target"]
    assert set_to == ([target] if target else [])
    assert ("waits for your confirmation" in reply.text) == (target is None and "waits" in reply.text)
    # Once there is a target, it is a question again.
    assert ask(text, INTENT)[1][INTENT]["target"] == "churn"
