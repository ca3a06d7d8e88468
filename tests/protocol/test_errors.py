"""A refusal says what would be right."""

from typing import Any

import pytest

from jupyter_pipeline.project.plans import shaped
from jupyter_pipeline.protocol.errors import Refusal
from jupyter_pipeline.protocol.messages import convert_command, convert_message
from jupyter_pipeline.protocol.stages import StageId

MODELS: dict[str, Any] = {"models": [{"id": "linear"}], "time_budget_s": 60, "metric": "recall"}
SPLIT: dict[str, Any] = {"split": {}, "columns": {"age": "numeric"}}


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (lambda: convert_message({"type": "confirm", "stage_id": "TRAINING"}), "PARSE_INTENT, DATA_SOURCE"),
        (lambda: convert_command("cancel_run", {"mode": "soft"}), "after_run, finish, now, stop"),
        (lambda: convert_command("cancel_run", {"made": "stop"}), "run_id, mode"),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"metric": "auc"}), "recall, rmse, roc_auc"),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"models": [{"name": "linear"}]}), "id, params"),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"seconds": 5}), "models, time_budget_s, metric, trials"),
        (lambda: shaped(StageId.PREPROCESS, SPLIT | {"split": {"strategy": "weekly"}}), "stratified, time"),
        (lambda: shaped(StageId.PREPROCESS, SPLIT | {"split": {"share": 0.3}}), "val_fraction, test_fraction"),
        (lambda: shaped(StageId.PREPROCESS, SPLIT | {"columns": {"a.b`": "magic"}}), "numeric, onehot, ordinal"),
        (lambda: shaped(StageId.PARSE_INTENT, {"prefer": "money"}), "accuracy, balanced"),
    ],
)
def test_what_is_none_of_the_choices_is_told_with_the_choices(change: Any, right: str) -> None:
    with pytest.raises(Refusal) as refused:
        change()
    assert "; there are " in refused.value.message
    assert right in refused.value.message


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda: convert_command("cancel_run", {"mode": "soft"}),
            "mode cannot be 'soft'; there are after_run, finish, now, stop.",
        ),
        (lambda: convert_command("cancel_run", {"made": "stop"}), "there is no 'made'; there are run_id, mode."),
        (
            lambda: shaped(StageId.PREPROCESS, SPLIT | {"split": {"share": 1}}),
            "there is no 'share' in split; there are ",
        ),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"trials": "5"}), "trials must be a whole number, not a text."),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"trials": 0}), "trials must be a whole number of at least 1."),
        (
            lambda: shaped(StageId.MODEL_SELECT, MODELS | {"trials": 1.5}),
            "trials must be a whole number, not a fraction.",
        ),
        (lambda: shaped(StageId.MODEL_SELECT, MODELS | {"models": []}), "models must be a list of at least 1 member."),
        (
            lambda: shaped(StageId.MODEL_SELECT, MODELS | {"time_budget_s": 1e9}),
            "time_budget_s must be a number of at most 604,800.",
        ),
        (lambda: shaped(StageId.PARSE_INTENT, {"time_budget_s": -5}), "time_budget_s must be a number above 0."),
        (lambda: shaped(StageId.PARSE_INTENT, {"target": 7}), "target must be a text or null, not a whole number."),
        (
            lambda: shaped(StageId.PARSE_INTENT, {"exclude_columns": "id"}),
            "exclude_columns must be a list, not a text.",
        ),
        (
            lambda: shaped(StageId.PREPROCESS, SPLIT | {"columns": {"a": "numeric", "b (x)": "one-hot"}}),
            "columns['b (x)'] cannot be 'one-hot'; there are ",
        ),
        (lambda: shaped(StageId.REVIEW_EDIT, {"report": "yes"}), "report must be true or false, not a text."),
        (lambda: convert_command("restart", {}), "update_plan. Did you mean 'restart_stage'?"),
        (lambda: convert_command("restart_stage", {"stage_id": "train"}), "EXPORT. Did you mean 'TRAIN'?"),
        (lambda: convert_message({"type": "chats", "text": "a"}), "subscribe. Did you mean 'chat'?"),
        (lambda: convert_message({"type": "chat", "text": ["a"]}), "text must be a text, not a list."),
        (lambda: convert_message({"type": "chat", "text": "x" * 20_001}), "a text of at most 20,000 characters."),
        (lambda: convert_command("restart_stage", {}), "'stage_id' is missing."),
    ],
)
def test_it_is_told_in_words(change: Any, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        change()
    assert text in refused.value.message
