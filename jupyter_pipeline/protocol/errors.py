"""Why a client's message was refused: a code for programs and a sentence for people."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The codes that an error frame can carry."""

    INVALID_JSON = "INVALID_JSON"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    INVALID_ARGS = "INVALID_ARGS"
    INVALID_STAGE = "INVALID_STAGE"
    NOT_WAITING = "NOT_WAITING"
    GATE_STALE = "GATE_STALE"
    NO_ACTIVE_RUN = "NO_ACTIVE_RUN"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_LARGE = "TOO_LARGE"
    FORBIDDEN = "FORBIDDEN"
    BUSY = "BUSY"
    INTERNAL = "INTERNAL"


class Refusal(Exception):
    """A message that cannot be carried out; nothing was changed.

    Parameters
    ----------
    code : ErrorCode
        For programs.
    message : str
        For people: what is wrong and what would be right, without the frame's fixed prefix.
    retryable : bool, default=False
        Whether the same message may succeed later.
    retry_after_ms : int or None, default=None
        After how many milliseconds to try again, where that is known.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, retryable: bool = False, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms
