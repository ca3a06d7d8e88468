"""A question is answered and changes nothing; what it suggests can be had by saying the answer's own words."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.agent.base import Change, Context
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

from .example import ask, context_at

DATA, SELECT, TRAIN = StageId.DATA_SOURCE, StageId.MODEL_SELECT, StageId.TRAIN
ORDERS = [
    "use catboost", "add extra trees", "drop xgboost", "drop age", "treat city as text", "use 30% test rows",
    "optimise recall", "keep xgboost", "use catboost instead of xgboost", "without lightgbm", "train longer",
    "leave the notebook out", "use a higher learning rate", "restart training", "use only linear models", "set seed 7",
    "use three minutes", "stop", "undo that", "start over", "replace xgb -> rf", "train two models", "split 70:30",
    "change the metric from auc to recall",
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
