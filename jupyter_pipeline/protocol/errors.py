"""Why a client's message was refused: a code for programs and a sentence for people."""

import re
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import inspect


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


def explained(error: msgspec.ValidationError, expected: type) -> str:
    """What is wrong with a value, where, and the choices that there are.

    Parameters
    ----------
    error : msgspec.ValidationError
        From ``msgspec.convert(value, expected)``.
    expected : type
        What the value should have been.
    """
    what, _, where = str(error).partition(" - at `$")
    path = re.findall(r"\.\w+|\[[^]]*\]", where)
    name = "".join(path).removeprefix(".") or "it"
    if value := re.match(r"Invalid enum value (.*)", what, re.DOTALL):
        text = f"{name} cannot be {value[1]}"
    elif member := re.match(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        text = f"there is no {member[1]!r}{f' in {name}' if path else ''}"
    elif member := re.match(r"Object missing required field `(.*)`", what, re.DOTALL):
        return f"{member[1]!r} is missing{f' in {name}' if path else ''}"
    else:
        return f"{name}: {what[0].lower()}{what[1:]}" if path else what
    choices = _choices(inspect.type_info(expected), path)
    return f"{text}; there {'are' if len(choices) > 1 else 'is'} {', '.join(map(str, choices))}" if choices else text


def _choices(at: Any, path: list[str]) -> list[Any]:
    """The values of an enumeration, or the members of an object, at a path that msgspec gives."""
    match at:
        case inspect.UnionType():
            return next((found for one in at.types if (found := _choices(one, path))), [])
        case inspect.StructType() if path:
            return next((_choices(f.type, path[1:]) for f in at.fields if f".{f.encode_name}" == path[0]), [])
        case inspect.StructType():
            return [field.encode_name for field in at.fields]
        case inspect.DictType() if path:
            return _choices(at.value_type, path[1:])
        case inspect.ListType() | inspect.VarTupleType() if path:
            return _choices(at.item_type, path[1:])
        case inspect.LiteralType():
            return list(at.values)
        case inspect.EnumType():
            return [one.value for one in at.cls]
    return []
