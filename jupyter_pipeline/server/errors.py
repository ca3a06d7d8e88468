"""Refusals as HTTP: which status a code has."""

from ..protocol.errors import ErrorCode, Refusal

HTTP_STATUS: dict[ErrorCode, int] = {
    ErrorCode.INVALID_JSON: 400,
    ErrorCode.INVALID_MESSAGE: 400,
    ErrorCode.UNKNOWN_TYPE: 400,
    ErrorCode.UNKNOWN_COMMAND: 400,
    ErrorCode.INVALID_ARGS: 400,
    ErrorCode.INVALID_STAGE: 400,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_WAITING: 409,
    ErrorCode.GATE_STALE: 409,
    ErrorCode.NO_ACTIVE_RUN: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.BUSY: 503,
}


class NotFound(Refusal):
    """There is nothing at this address. The contract has no code of its own for it: the status, 404, says it."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.INVALID_ARGS, message)


def http_status(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return 404 if isinstance(refusal, NotFound) else HTTP_STATUS[refusal.code]
