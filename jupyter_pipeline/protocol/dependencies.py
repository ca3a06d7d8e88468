"""What depends on what: which earlier decisions each stage reads, and which changes make it work again.

The conductor decides by it what is run again after a change, and HELLO tells it to clients, so that they can say
so before anybody presses a button.
"""

import msgspec

from .stages import STAGES, StageId


class StageRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage's result depends on.

    ``reads`` holds the earlier stages whose approved plans it reads, with the members that it reads, or null for all of
    them. A stage in ``follows`` counts even where its plan comes out the same: each new attempt at it is another input.
    ``rework`` are members of the stage's own plan whose change makes it work again before it proposes; other
    changes are proposed at once.
    """

    id: StageId
    reads: dict[StageId, tuple[str, ...] | None] = {}
    follows: tuple[StageId, ...] = ()
    rework: tuple[str, ...] = ()


_DATA = ("dataset_id", "sheet", "target", "task_type", "data_sha256")
_COLUMNS = ("include_columns", "exclude_columns")

RULES: dict[StageId, StageRule] = {
    rule.id: rule
    for rule in (
        StageRule(id=StageId.PARSE_INTENT),
        StageRule(
            id=StageId.DATA_SOURCE,
            reads={
                StageId.PARSE_INTENT: ("task_type", "target", "metric", "dataset", "sheet", *_COLUMNS),
            },
            rework=("dataset_id", "sheet", "target", "task_type", "positive_class"),
        ),
        StageRule(
            id=StageId.PROFILE_DATA,
            reads={StageId.PARSE_INTENT: (*_COLUMNS, "treatments"), StageId.DATA_SOURCE: _DATA},
        ),
        StageRule(
            id=StageId.PREPROCESS,
            reads={StageId.DATA_SOURCE: _DATA, StageId.PROFILE_DATA: None},
            rework=("split", "columns"),
        ),
        StageRule(
            id=StageId.MODEL_SELECT,
            reads={
                StageId.PARSE_INTENT: ("metric", "time_budget_s", "prefer", "include_models", "exclude_models"),
                StageId.DATA_SOURCE: None,
                StageId.PROFILE_DATA: None,
                StageId.PREPROCESS: None,
            },
        ),
        StageRule(
            id=StageId.TRAIN,
            reads={
                StageId.DATA_SOURCE: None,
                StageId.PROFILE_DATA: None,
                StageId.PREPROCESS: None,
                StageId.MODEL_SELECT: None,
            },
        ),
        StageRule(id=StageId.REVIEW_EDIT, reads={StageId.TRAIN: None}, follows=(StageId.TRAIN,)),
        StageRule(
            id=StageId.EXPORT,
            reads={StageId.REVIEW_EDIT: None},
            follows=(StageId.TRAIN, StageId.REVIEW_EDIT),
        ),
    )
}
"""The rule of each stage, in order."""

assert tuple(RULES) == STAGES
