"""What passes between the conductor and a worker process: the job, and the frames that come back.

Frames are JSON, one a line. A worker speaks for one attempt at a time; the conductor drops what it says once
that attempt was cancelled or restarted.
"""

from typing import Any

import msgspec

from .events import FileEntry
from .stages import StageId


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier stage came to: the plan that was approved and the folder with its result."""

    plan: dict[str, Any]
    result_dir: str


class Job(msgspec.Struct, frozen=True, kw_only=True, tag="stage"):
    """One attempt at a stage.

    Folders are absolute. ``out_dir`` is fresh and becomes ``result_dir`` by an atomic rename when the stage is
    done. ``params`` is what was asked of the stage beside the approved plans: ``{"prompt": …}`` for
    PARSE_INTENT, else members of the stage's plan that the person changed. ``datasets`` are those attached.
    """

    project_id: str
    stage_id: StageId
    attempt: int
    project_dir: str
    workspace_dir: str
    out_dir: str
    result_dir: str
    asset_base_url: str
    params: dict[str, Any]
    upstream: dict[StageId, Upstream]
    datasets: tuple[dict[str, Any], ...] = ()
    threads: int = 1
    finish: bool = False
    """End at once with the trials that are done (TRAIN)."""
    last_run: int | None = None
    """The number in the attempt of the last run that is begun; None: no such limit (TRAIN)."""
    skip_trials: dict[str, str] = {}
    """Fingerprints of the trials that the person cancelled, with the runs that they cancelled (TRAIN)."""
    successes: tuple[str, ...] = ()
    """Runs that the log calls a success: what others left, also those it never heard of, does not count (TRAIN)."""
    room_bytes: int | None = None
    """Bytes that may still be put into the project's folder; None if that was not looked at (DATA_SOURCE)."""
    test_reads: tuple[dict[str, Any], ...] = ()
    """Of each run so far that read test rows, which and for what model (REVIEW_EDIT)."""


class Predict(msgspec.Struct, frozen=True, kw_only=True, tag="predict"):
    """Predict rows with the model in a result folder. The rows are JSON that only the worker takes apart."""

    request_id: str
    model_dir: str
    threshold: float | None
    rows: msgspec.Raw


class Finish(msgspec.Struct, frozen=True, kw_only=True, tag="finish"):
    """End the running attempt with the best so far; with ``last_run`` after the run of this number, and no later one,
    which may have begun meanwhile."""

    attempt: int
    last_run: int | None = None


ToWorker = Job | Predict | Finish


class Emitted(msgspec.Struct, frozen=True, kw_only=True, tag="event", gc=False):
    """An event for the log."""

    attempt: int
    name: str
    payload: msgspec.Raw


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is logged together with the stage's end (:attr:`~.events.base.Payload.WITH_RESULT`)."""

    name: str
    payload: msgspec.Raw


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The stage is done and its result folder is in place; ``announced`` is logged with it."""

    attempt: int
    plan: dict[str, Any]
    summary: str
    next_actions: tuple[str, ...] = ()
    announced: tuple[Announced, ...] = ()


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The stage cannot go on. ``message`` is for people; ``where`` goes to the server's log: the places in the code
    that an unexpected error went through, without what it says, which may hold data; ``kept`` is the file of the
    project that has all of it."""

    attempt: int
    message: str
    where: str = ""
    kept: FileEntry | None = None


class Predicted(msgspec.Struct, frozen=True, kw_only=True, tag="predicted"):
    """Answer to Predict: either ``result`` or ``error``."""

    request_id: str
    result: dict[str, Any] | None = None
    error: str | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The worker takes jobs. ``pid`` is its own; the server knows that of its guard."""

    pid: int


FromWorker = Emitted | Done | Failed | Predicted | Ready
Said = list[Emitted] | Done | Failed
"""What an attempt says, as the server passes it on: events in a row, or what it came to."""
