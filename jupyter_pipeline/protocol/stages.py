"""The eight stages of a project, their order, and the states that a stage can be in."""

from enum import StrEnum

import msgspec


class StageId(StrEnum):
    """A stage of a project, in the order in which a project goes through them."""

    PARSE_INTENT = "PARSE_INTENT"
    DATA_SOURCE = "DATA_SOURCE"
    PROFILE_DATA = "PROFILE_DATA"
    PREPROCESS = "PREPROCESS"
    MODEL_SELECT = "MODEL_SELECT"
    TRAIN = "TRAIN"
    REVIEW_EDIT = "REVIEW_EDIT"
    EXPORT = "EXPORT"

    @property
    def order(self) -> int:
        """Place in the order, from 0."""
        return _INDEX[self]

    @property
    def next(self) -> "StageId | None":
        """The stage that follows, or None after the last."""
        return STAGES[self.order + 1] if self.order + 1 < len(STAGES) else None

    @property
    def later(self) -> "tuple[StageId, ...]":
        """The stages that come after this one."""
        return STAGES[self.order + 1 :]


STAGES: tuple[StageId, ...] = tuple(StageId)
_INDEX: dict[StageId, int] = {stage: i for i, stage in enumerate(STAGES)}


class StageStatus(StrEnum):
    """How a stage stands."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING_CONFIRMATION = "WAITING_CONFIRMATION"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class StageRef(msgspec.Struct, frozen=True):
    """The ``stage`` member of an event's envelope: which stage, its place from 0, and how it stands."""

    id: StageId
    index: int
    status: StageStatus
