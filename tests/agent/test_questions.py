"""A question is answered and changes nothing; what it suggests can be had by saying the answer's own words."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import AtWork, Change, Context
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import ask, context_at, sentences

DATA, SELECT, TRAIN = StageId.DATA_SOURCE, StageId.MODEL_SELECT, StageId.TRAIN
ORDERS = [
    "use catboost", "add extra trees", "drop xgboost", "drop age", "treat city as text", "use 30% test rows",
    "optimise recall", "keep xgboost", "use catboost instead of xgboost", "without lightgbm", "train longer",
    "leave the notebook out", "use a higher learning rate", "restart training", "use only linear models", "set seed 7",
    "use three minutes", "stop", "stop after this model", "undo that", "start over", "replace xgb -> rf",
    "train two models", "split 70:30", "change the metric from auc to recall",
]  # fmt: skip
ASKING = [
    "why not {}?", "why don't we {}?", "why don't you {}", "why didn't you {}?", "what if we {}", "should we {}?",
    "should I {}", "shouldn't we {}", "do you think we should {}", "would it help to {}?", "is it better to {}",
    "isn't it better to {}?", "does it make sense to {}", "I wonder if we should {}", "I'm not sure whether to {}",
    "{}?", "how about if we {}?", "hmm, why not {}", "and what if you {}?", "tell me why you did not {}",
    "any reason not to {}?", "what would happen if we {}", "is there a reason to {}?", "did you {}?", "shall we {}?",
    "you {}, right?", "confirm that you {}", "can I {}?",
]  # fmt: skip
ORDERING = [
    "can you {}?",
    "Could you please {}?",
    "please {}",
    "would you {}?",
    "can we {}",
    "{}, ok?",
    "ok, {}",
    "{}!",
]


@given(
    asked=st.sampled_from(ASKING),
    order=st.sampled_from(ORDERS),
    stage=st.sampled_from(STAGES),
    status=st.sampled_from(StageStatus),
)
@settings(max_examples=500, deadline=None)
def test_a_question_is_no_change(asked: str, order: str, stage: StageId, status: StageStatus) -> None:
    reply, _ = ask(asked.format(order), stage, status)
    assert not reply.actions, reply
    assert "did not understand" not in reply.text
    for words in re.findall(r'To do it, say "(.+?)"\.', reply.text):
        assert any(isinstance(action, Change) for action in ask(words, stage, status)[0].actions), words


@pytest.mark.parametrize("polite", ORDERING)
@pytest.mark.parametrize("order", ["add extra trees", "drop age", "optimise recall", "use catboost instead of xgboost"])
def test_a_polite_order_is_an_order(polite: str, order: str) -> None:
    assert ask(polite.format(order), SELECT)[1] == ask(order, SELECT)[1] != context_at(SELECT).plans


def told(text: str, context: Context) -> str:
    reply = RuleAgent().respond(text, context)
    assert not reply.actions
    return reply.text


@pytest.mark.parametrize(
    "text", ["why not catboost?", "why no catboost", "why didn't you use CatBoost?", "why is catboost not in the list?",
             "catboost is missing, why?", "catboost?", "I don't understand why you left out catboost"],
)  # fmt: skip
def test_why_a_model_is_not_trained(text: str) -> None:
    context = context_at(SELECT)
    reason = "It would hardly be done within 60 s beside the others."
    models = tuple(msgspec.structs.replace(m, left_out=reason) if m.id == "catboost" else m for m in context.models)
    answer = told(text, msgspec.structs.replace(context, models=models))
    assert answer.startswith(f"CatBoost is not among the models to train. {reason}")
    assert 'Say "add CatBoost" to have it trained too.' in answer
    assert "It was proposed, and was taken out since." in told(text, context)
    assert "training runs again then" in told(text, context_at(TRAIN))

    there = tuple(m for m in context.models if m.id != "catboost")
    assert "not installed" in told(text, msgspec.structs.replace(context, models=there))
    assert told(text.lower().replace("catboost", "xgboost"), context).startswith("XGBoost")


def test_why_before_models_are_proposed() -> None:
    context = context_at(DATA)
    assert "said at the stage Models" in told("why not catboost?", context)
    intent = {**context.plans[StageId.PARSE_INTENT], "exclude_models": ["catboost"]}
    context = msgspec.structs.replace(context, plans={**context.plans, StageId.PARSE_INTENT: intent})
    assert "The request does not want it." in told("why not catboost?", context)


def test_what_there_is_not() -> None:
    assert "There are no neural networks here" in told("why no neural network?", context_at(SELECT))
    assert told("why not xgboost?", context_at(SELECT)).startswith("XGBoost is among the models to train.")


def test_what_a_suggestion_would_come_to() -> None:
    assert told("what if we drop age?", context_at(SELECT)).endswith(
        'That would come to this: Left out: age. To do it, say "drop age".'
    )


HOW_LONG = sentences("""
    how much longer? | How much longer will it take | ETA? | eta | what's the ETA? | when will it be done? | time left?
    when will it be done | is it almost done? | how long will it take? | when is it finished?
    how many minutes are left? | how much time is left | how long does this take? | time remaining
    when does training end? | are we there yet? | any ETA?
    will it take long? | how far is it? | how much longer do I have to wait? | when can I expect it to be ready?
""")


@pytest.mark.parametrize("text", HOW_LONG)
def test_how_much_longer_is_answered_from_what_was_measured(text: str) -> None:
    reply, _ = ask(text, TRAIN, StageStatus.IN_PROGRESS)
    assert not reply.actions
    assert reply.text == (
        "At most about 4 min 41 s: the time budget of 5 min began 19 s ago. The run at work, XGBoost, needs about 6 s "
        "more, or less where it ends early. To be trained after it while there is time: LightGBM."
    )


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"eta_s": None}, "The run at work is XGBoost. To be trained"),
        ({"eta_s": 0.2}, "The run at work, XGBoost, is almost done. To be"),
        ({"eta_s": 900.0}, "XGBoost, would need about 15 min more, and ends with the time that it has. To be"),
        ({"seconds": 290.0}, "At most about 10 s: the time budget of 5 min began 4 min 50 s ago."),
        ({"seconds": 301.0}, "It is about to end: the time budget of 5 min began 5 min 1 s ago."),
        ({"model": None, "eta_s": None}, "began 19 s ago. To be trained after it"),
        ({"begun": frozenset({"dummy", "linear", "lightgbm", "xgboost"})}, "or less where it ends early."),
        ({"finishing": True}, "Training ends with the best model so far, as soon as"),
        ({"finishing": True, "last_run": True}, "ends with the one at work. The run at work, XGBoost, needs about 6 s"),
    ],
)
def test_the_time_left_is_that_of_how_training_stands(changed: dict[str, Any], answer: str) -> None:
    context = context_at(TRAIN, StageStatus.IN_PROGRESS)
    context = msgspec.structs.replace(context, at_work=msgspec.structs.replace(context.at_work, **changed))
    assert answer in RuleAgent().respond("How much longer?", context).text


def test_of_other_stages_no_time_is_invented() -> None:
    reply, _ = ask("ETA?", StageId.PREPROCESS, StageStatus.IN_PROGRESS)
    assert reply.text == "The stage Preparation began 19 s ago. How long it takes is not known beforehand."
    context = context_at(StageId.PROFILE_DATA, StageStatus.IN_PROGRESS)
    context = msgspec.structs.replace(context, at_work=AtWork(seconds=200.0, pct=0.42))
    assert RuleAgent().respond("when is it done?", context).text == (
        "The stage Profile began 3 min 20 s ago. 42% of it are done. How long it takes is not known beforehand."
    )
    reply, _ = ask("how much longer?", SELECT)
    assert reply.text == "The stage Models waits for your confirmation. Training may take 5 minutes."
    assert not reply.actions


@pytest.mark.parametrize(
    "text",
    [
        "eta 0.1", "set eta to 0.1", "three minutes longer", "train longer", "why does it take so long?",
        "what is the eta of xgboost?", "how much data is left for training?", "when training is done, export it",
        "two minutes, I have no time left", "use the remaining time for validation",
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_not_taken_for_it(text: str) -> None:
    for status in (StageStatus.IN_PROGRESS, StageStatus.WAITING_CONFIRMATION):
        assert " ago" not in ask(text, TRAIN, status)[0].text
