"""How much more may be put into a project's log.

A log is never cut, so what is in it stays valid; it is bounded by what is not put into it any more. At the limit what
makes it grow is refused, and a stage that reports is ended. Cancelling, the end of a stage, and EXPORT, so that what
was made can be had, still have a little room.
"""

from ..agent.base import Reply
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.messages import CancelRun, Confirm, RestartStage
from ..protocol.names import stage_name
from ..protocol.stages import StageId
from .commands import Answer, AnyCommand, SeenConfirm, WorkDone, WorkEvents, WorkFailed
from .mistakes import REPORTS
from .settings import Settings
from .state import ProjectState

_RUN_BYTES = 1024
"""What the end of a run takes; it is kept free for each that is open."""
_MOST_RESERVED = 1 << 20


class Room:
    """The room that a project's log has.

    Parameters
    ----------
    settings : Settings
        The limits.
    used : int
        Bytes of the log as it is.

    Attributes
    ----------
    used : int
        The same, kept up to date by whoever adds to it.
    """

    def __init__(self, settings: Settings, used: int) -> None:
        self.used = used
        limits = {"project_log_limit": settings.log_bytes, "project_disk_limit": settings.project_bytes}
        found = [(most, name) for name, most in limits.items() if most is not None]
        self._limit = min(found) if found else None

    def lacks(self, more: int, command: AnyCommand, after: ProjectState) -> str | None:
        """Why so many bytes more for a command cannot be had, None if they can; ``after`` is the state with them."""
        if isinstance(command, CancelRun | WorkFailed):
            return None  # there are as many of these as attempts that began, and they end what makes the log grow
        used = self.used + more
        if self._fits(used + _RUN_BYTES * len(after.runs), 0) is None:
            return None
        used += _RUN_BYTES * len(after.open_runs())
        return self._fits(used, 1 if _may_use_reserve(command, after) else 0)

    @property
    def full(self) -> str | None:
        """Why nothing that is asked can be put into it any more, None if it can."""
        return self._fits(self.used + _RUN_BYTES, 0)

    def _fits(self, used: int, reserves: int) -> str | None:
        if self._limit is None:
            return None
        most, name = self._limit
        if used <= most + reserves * min(_MOST_RESERVED, most // 8):
            return None
        return (
            f"The project's log has {self.used:,} bytes, of {most:,} that it may have (PipelineApp.{name}), so nothing "
            "more is put into it. All that is there can still be read and downloaded. Begin another project, or let "
            "this one have more; deleting the project gives its room to others."
        )


def instead_when_full(command: AnyCommand, state: ProjectState, why: str) -> AnyCommand:
    """What is decided in place of something that the log has no room for.

    Raises
    ------
    Refusal
        If somebody waits for the answer: they are told.
    """
    if isinstance(command, Answer):
        return Answer(Reply(text=why))
    if not isinstance(command, REPORTS) or state.work is None:
        raise Refusal(ErrorCode.TOO_LARGE, why)
    return WorkFailed(state.work.attempt, f"The stage {stage_name(state.work.stage_id)} was ended. {why}")


def _may_use_reserve(command: AnyCommand, after: ProjectState) -> bool:
    """Whether it is the result of work that is done, or EXPORT."""
    return isinstance(command, WorkDone) or (
        after.current is StageId.EXPORT and isinstance(command, Confirm | SeenConfirm | RestartStage | WorkEvents)
    )
