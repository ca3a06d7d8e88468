"""How columns become features, said before the stage that decides it, and of all columns of a kind."""

from typing import Any

import pytest

from jupyter_pipeline.agent.base import Context
from jupyter_pipeline.agent.request import parse_request, read_request
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import DATA, INTENT, PREPROCESS, PROFILE, TRAIN, applied, ask, changes, context_at

COLUMNS = ("age", "city", "zip", "notes", "signup_date", "churn")
BOTH = {"/columns/city": "target_encode", "/columns/City~1Town": "target_encode"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one-hot encode city", {"city": "onehot"}),
        ("use target encoding for city", {"city": "target_encode"}),
        ("treat age and tenure as categorical", {"age": "onehot", "tenure": "onehot"}),
        ("city is not text, notes is", {"notes": "text"}),
        ("notes is text, age isn't", {"notes": "text"}),
        ("one-hot all categoricals", {"city": "onehot", "City/Town": "onehot"}),
        ("One-Hot encode ALL categorical features", {"city": "onehot", "City/Town": "onehot"}),
        ("label encode the categoricals except city", {"City/Town": "ordinal"}),
        ("treat all text columns as categorical", {"notes": "onehot"}),
        ("target encode every categorical column but treat city as ordinal",
         {"City/Town": "target_encode", "city": "ordinal"}),
    ],
)  # fmt: skip
def test_at_the_profile_it_is_kept(text: str, expected: dict[str, str]) -> None:
    reply, plans = ask(text, PROFILE)
    assert plans[PROFILE]["treatments"] == expected
    assert "at the stage Preparation" in reply.text
    assert [action.stage_id for action in reply.actions] == [PROFILE]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "stage", "expected"),
    [
        ("drop all text columns", PROFILE, {"/roles/notes": "ignore"}),
        ("ignore dates", PROFILE, {"/roles/signup_date": "ignore"}),
        ("don't use the text columns", PROFILE, {"/roles/notes": "ignore"}),
        ("dont drop the text columns", PROFILE, {}),
        ("drop all numeric columns except age", PREPROCESS,
         {"/columns/tenure": "drop", "/columns/hours-per-week": "drop"}),
        ("target encode all categoricals", PREPROCESS, BOTH),
        ("target-encode all the categorical features please", PREPROCESS, BOTH),
        ("city is not text, notes is", PREPROCESS, {}),
        ("age is not numeric, tenure isn't either", PREPROCESS,
         {"/columns/age": "onehot", "/columns/tenure": "onehot"}),
        ("don't one-hot encode city", PROFILE, {}),
        ("city shouldn't be text", PROFILE, {}),
        ("one-hot encode customer_id", PROFILE,
         {"/roles/customer_id": "feature", "/treatments": {"customer_id": "onehot"}}),
        ("scale all numeric columns", PROFILE, {}),
        ("impute everything with the median", PROFILE, {}),
        ("not that one, age", DATA, {"/target": "age", "/positive_class": None}),
        ("drop city, not that one, age", PROFILE, {"/roles/age": "ignore"}),
        ("drop city. Not that one, age.", PROFILE, {"/roles/age": "ignore"}),
        ("not that one, age", PROFILE, {}),
        ("drop age, no wait, keep it", PROFILE, {}),
        ("one-hot encode city", DATA, {"/treatments": {"city": "onehot"}}),
        ("one-hot encode city", INTENT, {"/treatments": {"city": "onehot"}}),
    ],
)  # fmt: skip
def test_what_else_is_said_of_columns(text: str, stage: StageId, expected: dict[str, Any]) -> None:
    changes(text, stage, expected)
    assert "not understand" not in ask(text, stage)[0].text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not that one, age", "Say what to do with age"),
        ("no wait, keep it", 'Say what shall be kept, by its name; "undo"'),
        ("drop age, no wait, keep it", "Then nothing is changed;"),
        ("one-hot encode Exited", "Exited is the target"),
    ],
)
def test_what_is_not_clear_is_asked(text: str, told: str) -> None:
    reply, _ = ask(text, PROFILE)
    assert reply.text.startswith(told)
    assert not reply.actions


@pytest.mark.parametrize("columns", [(), COLUMNS])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predict churn, one-hot encode city", {"city": "onehot"}),
        ("predict churn, impute with the median, one-hot encode city and zip", {"city": "onehot", "zip": "onehot"}),
        ("Predict churn. Use target encoding for zip.", {"zip": "target_encode"}),
        ("predict churn and treat zip as categorical", {"zip": "onehot"}),
        ("predict churn, one-hot all categoricals", {"categorical columns": "onehot"}),
        ("predict churn, drop the text columns", {"text columns": "drop"}),
    ],
)
def test_the_request_says_it_too(text: str, expected: dict[str, str], columns: tuple[str, ...]) -> None:
    request = read_request(text, columns)
    assert (request.plan.target, request.plan.treatments, request.plan.not_understood) == ("churn", expected, ())
    assert any(part.startswith("treated so:") for part in request.understood)
    assert not request.plan.include_columns
    assert not request.plan.exclude_columns


@pytest.mark.parametrize(
    "text",
    [
        "predict whether the text is spam",
        "predict category of notes",
        "predict churn, treat it as binary",
        "predict churn with 3 text columns",
        "predict churn, do not one-hot encode city",
        "predict the date",
    ],
)
def test_a_request_that_names_such_words_otherwise_says_nothing_of_it(text: str) -> None:
    assert not parse_request(text).treatments


@pytest.mark.parametrize(
    ("text", "stage", "expected"),
    [
        ("ignore signup dat", PROFILE, {"/roles/signup_date": "ignore"}),
        ("drop hours-pre-week and sginup_date", PROFILE,
         {"/roles/hours-per-week": "ignore", "/roles/signup_date": "ignore"}),
        ("drop hours per day", PROFILE, {}),
        ("do not use the date", PROFILE, {"/roles/signup_date": "ignore"}),
        ("only numeric columns please", PREPROCESS,
         {f"/columns/{c}": "drop" for c in ("city", "signup_date", "notes", "City~1Town")}),
        ("age is fine, drop city", PROFILE, {"/roles/city": "ignore"}),
        ("customer_id is junk", PROFILE, {"/roles/customer_id": "ignore"}),
        ("wrong target, I want tenure", DATA, {"/target": "tenure", "/positive_class": None}),
        ("use signup_date to split by time", PROFILE, {"/roles/signup_date": "time"}),
        ("city has an order", PREPROCESS, {"/columns/city": "ordinal"}),
        ("fill age with the mean", PROFILE, {}),
        ("drop columns with missing values", PROFILE, {"/roles/age": "ignore"}),
        ("drop all columns with more than 10% nulls", PREPROCESS, {"/columns/age": "drop"}),
        ("drop cols with > 50% missing", PROFILE, {}),
        ("drop highly correlated columns", PROFILE, {}),
        ("use numeric columns only", PROFILE,
         {f"/roles/{c}": "ignore" for c in ("city", "signup_date", "notes", "City~1Town")}),
        ("can we get rid of the text?", PROFILE, {"/roles/notes": "ignore"}),
        ("notes -> out, city -> text", PROFILE, {"/roles/notes": "ignore", "/treatments": {"city": "text"}}),
        ("treat everything as categorical", PREPROCESS,
         {f"/columns/{c}": "onehot" for c in ("age", "tenure", "hours-per-week", "signup_date", "notes")}),
        ("back to the proposal", PREPROCESS, {}),
        ("exclude all non-numeric columns", PROFILE,
         {f"/roles/{c}": "ignore" for c in ("city", "signup_date", "notes", "City~1Town")}),
        ("drop text and date columns", PROFILE, {"/roles/notes": "ignore", "/roles/signup_date": "ignore"}),
        ("without date or text columns", PROFILE, {"/roles/notes": "ignore", "/roles/signup_date": "ignore"}),
        ("treat text and date columns as ordinal", PREPROCESS,
         {"/columns/notes": "ordinal", "/columns/signup_date": "ordinal"}),
        ("one-hot encode all but city", PROFILE, {}),
        ("one-hot the rest", PREPROCESS, {}),
        ("keep all text columns", PROFILE, {}),
        ("recall on the positive class matters", TRAIN, {"/metric": "recall"}),
        ("rank models by accuracy", TRAIN, {}),
        ("train accuracy was how much", TRAIN, {}),
        ("drop not age but city", PROFILE, {"/roles/city": "ignore"}),
        ("drop age, or rather city", PROFILE, {"/roles/city": "ignore"}),
        ("drop age instead of city", PROFILE, {"/roles/age": "ignore"}),
        ("drop age. Never mind.", PROFILE, {}),
        ("hmm, age has too many gaps, kick it", PROFILE, {"/roles/age": "ignore"}),
        ("drop tenuer", PROFILE, {}),
        ("make sex one hot pls", INTENT, {"/treatments": {"sex": "onehot"}}),
        ("without age, lightgbm only", INTENT, {"/include_models": ["lightgbm"], "/exclude_columns": ["age"]}),
        ("validation accuracy of the kept model", TRAIN, {}),
        ("set the threshold so that recall is 0.9", TRAIN, {}),
        ("don't stratify, split by time", PREPROCESS, {"/split": {"strategy": "time", "column": "signup_date"}}),
    ],
)  # fmt: skip
def test_everyday_words_about_columns(text: str, stage: StageId, expected: dict[str, Any]) -> None:
    changes(text, stage, expected)


def test_a_split_that_is_not_wanted_is_another_one() -> None:
    context = context_at(PREPROCESS)
    context.plans[PREPROCESS]["split"] |= {"strategy": "time", "column": "signup_date"}
    for text in ("don't split by time", "please do not split by signup_date"):
        reply = RuleAgent().respond(text, context)
        assert applied(reply, context)[PREPROCESS]["split"]["strategy"] == "stratified"
    assert not RuleAgent().respond("don't split by group", context).actions


EVERYDAY = ("target", "time", "model", "date", "all", "rate", "text", "test", "score", "Total Price", "my_long_name")


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("drop time", ["time"]),
        ("drop test", ["test"]),
        ("drop all", ["all"]),
        ("drop model and text", ["model", "text"]),
        ("ignore the rate and the date columns", ["rate", "date"]),
        ("drop My_Long_Name and total price", ["my_long_name", "Total Price"]),
        ("drop all columns except all and rate", [c for c in EVERYDAY[1:] if c not in ("all", "rate")]),
        ("drop score, model and test", ["score", "model", "test"]),
        ("keep text", []),
    ],
)
def test_columns_that_are_called_by_everyday_words(text: str, ignored: list[str]) -> None:
    roles = {c: "target" if c == "target" else "feature" for c in EVERYDAY}
    context = Context(
        current_stage=PROFILE,
        status=StageStatus.WAITING_CONFIRMATION,
        plans={PROFILE: {"roles": roles, "treatments": {}}},
        columns=EVERYDAY,
    )
    reply = RuleAgent().respond(text, context)
    assert "not understand" not in reply.text
    after = applied(reply, context)[PROFILE]["roles"]
    assert [c for c, role in after.items() if role == "ignore"] == sorted(ignored, key=EVERYDAY.index)
