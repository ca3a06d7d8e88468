"""The exceptions of the Python client."""

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


class PipelineTimeout(PipelineError, TimeoutError):
    """What was waited for did not come in the time given."""


def project_deleted(project_id: str) -> PipelineError:
    """The error that ends a connection to a project that was deleted."""
    return PipelineError(f"The project {project_id!r} was deleted; a new Pipeline starts it afresh.", DELETED)
