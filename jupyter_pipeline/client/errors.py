"""The one exception of the Python client."""


class PipelineError(Exception):
    """Something could not be done; the message is a sentence for people.

    Parameters
    ----------
    message : str
        What happened and what would be right.
    code : str or None, default=None
        The code of the server's refusal (``GATE_STALE``, ``NOT_WAITING``, …), where it refused a message.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class PipelineTimeout(PipelineError, TimeoutError):
    """What was waited for did not come in the time given."""
