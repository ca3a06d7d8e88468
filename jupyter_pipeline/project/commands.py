"""What a project's decisions are asked about, beside the client messages themselves."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ..agent.base import Reply
from ..protocol.events import Dataset, FileEntry, Payload, User
from ..protocol.jobs import Done
from ..protocol.messages import CancelRun, Confirm, RestartStage, SelectDataset, UpdatePlan

Finished = Mapping[str, Mapping[str, float | None]]


class Env(msgspec.Struct, frozen=True, kw_only=True):
    """What the outside contributes: the time (Unix milliseconds), who asks, the digest of the person's own training
    code (empty if there is none), and the fingerprints of earlier results that are gone from the disk."""

    ts: int
    user: User
    code: str = ""
    gone: frozenset[str] = frozenset()


class Say(msgspec.Struct, frozen=True):
    """A person said something. Without ``may_execute`` it cannot come to what commands and confirms do."""

    text: str
    may_execute: bool = True


class Answer(msgspec.Struct, frozen=True):
    """The agent's reply to what was said; ``may_execute`` as in :class:`Say`."""

    reply: Reply
    may_execute: bool = True


class SeenConfirm(msgspec.Struct, frozen=True):
    """A confirm without ``gate_id``, and the last event that its sender had been sent."""

    confirm: Confirm
    seen_seq: int


class WorkEvents(msgspec.Struct, frozen=True):
    """What an attempt says for the log, in its order; ``size`` is how many bytes of JSON that was."""

    attempt: int
    payloads: tuple[Payload, ...]
    size: int = 0


class WorkDone(msgspec.Struct, frozen=True):
    """An attempt came to a result, and announces it by these events."""

    done: Done
    announced: tuple[Payload, ...] = ()


class WorkFailed(msgspec.Struct, frozen=True):
    """An attempt cannot go on; the message is for people, and ``kept`` the file with the whole error."""

    attempt: int
    message: str
    kept: FileEntry | None = None


class WorkDied(msgspec.Struct, frozen=True):
    """The process of an attempt ended without a result; ``finished`` holds the metrics of those of its runs that had
    come to theirs, by run, and ``kept`` is the file with what it said last."""

    attempt: int
    message: str
    finished: Finished = {}
    kept: FileEntry | None = None


class FinishOverdue(msgspec.Struct, frozen=True):
    """An attempt that was asked to finish did not in its time."""

    attempt: int


class Recover(msgspec.Struct, frozen=True):
    """The server has started again; what was running is taken up. ``finished`` as in :class:`WorkDied`."""

    finished: Finished = {}


class RunCustomCommand(msgspec.Struct, frozen=True):
    """A custom command; its arguments fit its schema."""

    name: str
    args: dict[str, Any]


class AddDataset(msgspec.Struct, frozen=True):
    """A data file was put into the project's folder."""

    dataset: Dataset
    file: FileEntry


ClientCommand = (
    Say | Confirm | SeenConfirm | RestartStage | CancelRun | SelectDataset | UpdatePlan | RunCustomCommand | AddDataset
)
AnyCommand = ClientCommand | Answer | WorkEvents | WorkDone | WorkFailed | WorkDied | FinishOverdue | Recover
