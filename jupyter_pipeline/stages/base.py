"""What a stage is: a function from a job to a result, which says what it does while it does it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from ..digests import sha256
from ..protocol.errors import explained
from ..protocol.events import Artifact, ArtifactAdded, LogLine, Payload
from ..protocol.jobs import Job
from ..protocol.plans import PLAN_TYPES, Plan
from ..protocol.stages import StageId


class StageError(Exception):
    """A stage cannot go on; the message is for the person: what happened, and what would be right."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage came to: the plan it proposes, a summary for people and what they can do next.

    The first line of the summary says what is proposed; each further line is a remark, which says what follows from
    neither the plan nor another event. A client that shows those by itself shows the remarks alone.
    """

    plan: Plan
    summary: str
    next_actions: tuple[str, ...] = ()


class Channel(Protocol):
    """Where a stage's events go."""

    def emit(self, payload: Payload) -> None:
        """Send an event."""

    def finish_requested(self) -> bool:
        """Whether the person asked to end with the best so far."""

    def last_run(self) -> int | None:
        """The number of the run after which the person wants no other, None if nobody asked."""


class StageContext:
    """A stage's view of its job.

    Attributes
    ----------
    job : Job
        What to do.
    out_dir : Path
        Where the result is written; published when the stage returns.
    project_dir : Path
        The project's folder.
    begun : float
        Value of ``time.monotonic()`` when the job was taken up.
    """

    def __init__(self, job: Job, channel: Channel) -> None:
        self.begun = time.monotonic()
        self.job = job
        self.out_dir = Path(job.out_dir)
        self.project_dir = Path(job.project_dir)
        self._channel = channel

    def emit(self, payload: Payload) -> None:
        """Send an event to the project's log."""
        self._channel.emit(payload)

    def log(
        self, text: str, level: Literal["debug", "info", "warning", "error"] = "info", run_id: str = "pipeline"
    ) -> None:
        """Say something to the person."""
        self.emit(LogLine(run_id=run_id, level=level, text=text, source=self.job.stage_id.value))

    def finish_requested(self) -> bool:
        """Whether to end now with the best so far (TRAIN)."""
        return self.job.finish or self._channel.finish_requested()

    def last_run(self) -> int | None:
        """The number in this attempt of the last run that is to be made, None if there is no such limit (TRAIN)."""
        asked = self._channel.last_run()
        return self.job.last_run if asked is None else asked

    def asset(self, path: Path, kind: str, name: str, **meta: Any) -> Artifact:
        """Announce a file as an asset.

        Parameters
        ----------
        path : Path
            The file, complete: below ``out_dir`` or elsewhere below ``project_dir``.
        kind : str
            What it is: ``report``, ``table``, ``figure``, ``data``, ``notebook``, ``code``, ``model``, ``bundle``.
        name : str
            What people call it.
        **meta
            More about it, JSON.

        Returns
        -------
        Artifact
            With the ``url`` and ``id`` under which clients find it.
        """
        if path.is_relative_to(self.out_dir):
            place = Path(self.job.result_dir) / path.relative_to(self.out_dir)
        else:
            place = path
        relative = place.relative_to(self.project_dir).as_posix()
        asset_id = relative.replace("/", ".").removeprefix("artifacts.")
        about = {
            "path": relative,
            "stage_id": self.job.stage_id.value,
            "size": path.stat().st_size,
            "sha256": sha256(path),
        }
        artifact = Artifact(
            id=asset_id, type=kind, name=name, url=f"{self.job.asset_base_url}/{asset_id}", meta={**meta, **about}
        )
        self.emit(ArtifactAdded(artifact=artifact))
        return artifact

    def approved(self, stage_id: StageId) -> Any:
        """The approved plan of an earlier stage, typed by :data:`~jupyter_pipeline.protocol.plans.PLAN_TYPES`."""
        return msgspec.convert(self.job.upstream[stage_id].plan, PLAN_TYPES[stage_id])

    def result_dir(self, stage_id: StageId) -> Path:
        """The folder with an earlier stage's result."""
        return Path(self.job.upstream[stage_id].result_dir)

    def with_params(self, plan: Plan) -> Any:
        """The plan with the members that the person set (RFC 7396 merge, top level) in place of those proposed.

        Raises
        ------
        StageError
            If they make no valid plan.
        """
        known = {key: value for key, value in self.job.params.items() if key in plan.__struct_fields__}
        try:
            return msgspec.convert({**msgspec.to_builtins(plan), **known}, type(plan))
        except msgspec.ValidationError as error:
            raise StageError(f"The changes asked for make no valid plan: {explained(error, type(plan))}.") from None


StageFunction = Callable[[StageContext], Result]
