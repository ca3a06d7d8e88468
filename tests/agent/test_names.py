"""Names for people: chats understand every one that the answers use."""

import msgspec
import pytest

from jupyter_pipeline.agent.base import Restart
from jupyter_pipeline.agent.columns import Columns
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.agent.spelling import corrected
from jupyter_pipeline.agent.tokens import tokenise
from jupyter_pipeline.protocol.names import METRIC_NAMES, REGRESSION_METRICS, STAGE_NAMES, TREATMENT_WORDS, metric_words
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import EXPORT, PREPROCESS, PROFILE, SELECT, applied, ask, context_at


@pytest.mark.parametrize("metric", [m for m in METRIC_NAMES if m not in ("auto", "loss")])
def test_metrics(metric: str) -> None:
    task = "regression" if metric in REGRESSION_METRICS else "binary"
    for said in (metric, METRIC_NAMES[metric], metric_words(metric)):
        reply, plans = ask(f"optimise {said}", SELECT, task=task)
        assert plans[SELECT]["metric"] == metric
        assert METRIC_NAMES[metric] in reply.text


@pytest.mark.parametrize("stage", STAGES)
def test_stages(stage: StageId) -> None:
    for said in (stage.value, STAGE_NAMES[stage], f"the stage {STAGE_NAMES[stage]}"):
        reply, _ = ask(f"restart {said}", EXPORT, StageStatus.COMPLETED)
        assert reply.actions == (Restart(stage_id=stage),)
        assert f"The stage {STAGE_NAMES[stage]} is to run again." in reply.text


@pytest.mark.parametrize("treatment", [t for t in TREATMENT_WORDS if t != "drop"])
def test_treatments(treatment: str) -> None:
    _, plans = ask(f"treat notes as {TREATMENT_WORDS[treatment]}", PREPROCESS)
    assert plans[PREPROCESS]["columns"]["notes"] == treatment


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("drop No. of rooms and weight", ["No. of rooms", "weight (kg)"]),
        ("drop Active? and age", ["Active?", "age"]),
        ("drop a,b; seed 3", ["a,b"]),
        ("drop x; y and weight (kg)", ["x; y", "weight (kg)"]),
        ("drop no of rooms", ["No. of rooms"]),
        ("drop height", []),  # which of the two is not said
        ("drop Active?", []),  # asks
        ("should we drop No. of rooms?", []),
    ],
)
def test_columns_with_marks_and_units_in_their_names(text: str, out: list[str]) -> None:
    names = ("No. of rooms", "Active?", "weight (kg)", "height (cm)", "height (in)", "a,b", "x; y")
    context = context_at(PROFILE)
    roles = {**context.plans[PROFILE]["roles"], **dict.fromkeys(names, "feature")}
    plans = {**context.plans, PROFILE: {**context.plans[PROFILE], "roles": roles}}
    context = msgspec.structs.replace(context, columns=(*context.columns, *names), plans=plans)
    after = applied(RuleAgent().respond(text, context), context)[PROFILE]["roles"]
    assert [name for name in roles if after[name] != roles[name]] == [n for n in roles if n in out]


def test_slips_in_names_are_looked_for_unless_that_would_take_long() -> None:
    columns = Columns(["monthly_charges", *(f"column_{n}" for n in range(5000))])
    for said, found in (("drop montly charges", True), ("drop montly charges " * 80, False)):
        assert any(token.text == "monthly_charges" for token in corrected(tokenise(said), columns)) is found
