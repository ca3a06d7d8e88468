"""What is decided where a mistake in the program keeps something from being decided: nobody waits for it in vain."""

from ..agent.base import Reply
from ..protocol.names import stage_name
from .commands import Answer, AnyCommand, FinishOverdue, Recover, WorkDied, WorkDone, WorkEvents, WorkFailed
from .state import ProjectState

REPORTS = (WorkEvents, WorkDone, WorkDied, FinishOverdue, Recover)
"""What work reports; nobody waits for an answer."""
NOT_CARRIED_OUT = Answer(
    Reply(
        text="What was answered could not be carried out, because of a mistake in jupyter_pipeline itself; nothing was "
        "changed. Please say it another way, or use the buttons."
    )
)
"""What is answered instead of an answer."""


def instead_of(command: AnyCommand, state: ProjectState, error: Exception) -> AnyCommand | None:
    """What is decided in place of something that could not be; None if somebody waits for the answer and is told.

    Parameters
    ----------
    command : AnyCommand
        What could not be decided.
    state : ProjectState
        How the project stands.
    error : Exception
        Why. Its kind is told; what it says may hold data of anyone, and is not.
    """
    if isinstance(command, Answer):
        return NOT_CARRIED_OUT
    if not isinstance(command, REPORTS):
        return None
    return stage_failed(state, error)


def stage_failed(state: ProjectState, error: Exception) -> WorkFailed | None:
    """The end of the stage that is at work; None if none is."""
    work = state.work
    if work is None:
        return None
    return WorkFailed(
        work.attempt,
        f"The stage {stage_name(work.stage_id)} was ended by a mistake in jupyter_pipeline itself "
        f"({type(error).__name__} while the server took in what the stage reported; where is in the server's log). "
        "Your project is unharmed, and what was finished is kept: restart the stage to try again.",
    )
