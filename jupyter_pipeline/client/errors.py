"""The exceptions of the Python client."""

import sys
from types import TracebackType
from typing import Any

DELETED = "DELETED"
"""The code of :func:`project_deleted`."""


class PipelineError(Exception):
    """Something could not be done; the message is a sentence for people.

    Parameters
    ----------
    message : str
        What happened and what would be right.
    code : str or None, default=None
        The code of the server's refusal (``GATE_STALE``, ``NOT_WAITING``, …), where it refused a message, or one of
        this module.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: frames of the person's own code, save with ``%xmode Verbose``, which shows all."""
        from IPython.core.getipython import get_ipython

        shown: Any = getattr(get_ipython(), "InteractiveTB")  # noqa: B009 - only a shell asks
        frames = self.__traceback__ if shown.mode == "Verbose" else _without_ours(self.__traceback__)
        lines: list[str] = shown.structured_traceback(type(self), self, frames)
        return lines


def _without_ours(traceback: TracebackType | None, *, inside: bool = False) -> TracebackType | None:
    """A traceback without the frames of this package, and of the standard library where those called it."""
    if traceback is None:
        return None
    package, _, _ = traceback.tb_frame.f_globals.get("__name__", "").partition(".")
    ours = package == __package__.partition(".")[0]
    hidden = ours or (inside and package != "__main__" and package in sys.stdlib_module_names)
    rest = _without_ours(traceback.tb_next, inside=hidden)
    if hidden:
        return rest
    return TracebackType(rest, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)


class PipelineTimeout(PipelineError, TimeoutError):
    """What was waited for did not come in the time given."""


def project_deleted(project_id: str) -> PipelineError:
    """The error that ends a connection to a project that was deleted."""
    return PipelineError(f"The project {project_id!r} was deleted; a new Pipeline starts it afresh.", DELETED)
