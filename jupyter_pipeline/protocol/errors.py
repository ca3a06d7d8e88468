"""Why a client's message was refused: a code for programs and a sentence for people."""

import difflib
import re
from collections.abc import Iterable
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


#: The types of JSON, as msgspec has them, in words.
_TYPES = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "null",
    "array": "a list", "object": "an object", "datetime": "a date",
}  # fmt: skip
_BOUNDS = {">": "above", ">=": "of at least", "<": "below", "<=": "of at most"}
_EXPECTED = re.compile(
    r"Expected `(?P<type>[^`]+)`(?: of (?P<length>length))?(?: (?P<bound>[<>]=?) (?P<limit>[-\d.]+))?"
    r"(?:, got `(?P<got>[^`]+)`)?"
)


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """A question for what was probably meant, with a blank before it; empty where nothing is near."""
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(given.casefold()[:80], list(folded), 1, 0.6)
    near = near or [choice for choice in folded if len(given) > 2 and choice.startswith(given.casefold())][:1]
    return f" Did you mean {str(folded[near[0]])!r}?" if near else ""


def _type_in_words(names: str) -> str:
    return " or ".join(_TYPES.get(name.strip(), name.strip()) for name in names.split("|"))


def _in_words(what: str, name: str) -> str | None:
    """``Expected `int`, got `str``` as a sentence; None where that is not what msgspec says."""
    found = _EXPECTED.fullmatch(what)
    if found is None:
        return None
    right = _type_in_words(found["type"])
    if found["limit"]:
        limit = f"{float(found['limit']):,.15g}"
        bound = _BOUNDS[found["bound"]]
        unit = "" if not found["length"] else " character" if found["type"] == "str" else " member"
        right += f" {bound} {limit}{unit}{'s' if unit and limit != '1' else ''}"
    got = "a fraction" if found["got"] == "float" else _type_in_words(found["got"] or "")
    return f"{name} must be {right}, not {got}" if got else f"{name} must be {right}"


def explained(error: msgspec.ValidationError, expected: type, value: Any = None) -> str:
    """What is wrong with a value, where, and the choices that there are.

    Parameters
    ----------
    error : msgspec.ValidationError
        From ``msgspec.convert(value, expected)``.
    expected : type
        What the value should have been.
    value : Any, optional
        The value, by which the member of an object with any names is named too.
    """
    what, _, where = str(error).partition(" - at `$")
    path = re.findall(r"\.\w+|\[[^]]*\]", where)
    name = "".join(_named(path, value, expected)).removeprefix(".") or "it"
    if given := re.match(r"Invalid enum value (.*)", what, re.DOTALL):
        text = f"{name} cannot be {given[1]}"
    elif member := re.match(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        text = f"there is no {member[1]!r}{f' in {name}' if path else ''}"
    elif member := re.match(r"Object missing required field `(.*)`", what, re.DOTALL):
        return f"{member[1]!r} is missing{f' in {name}' if path else ''}"
    elif (sentence := _in_words(what, name)) is not None:
        return sentence
    else:
        return f"{name}: {what[0].lower()}{what[1:]}" if path else what
    choices = _choices(inspect.type_info(expected), path)
    return f"{text}; there {'are' if len(choices) > 1 else 'is'} {', '.join(map(str, choices))}" if choices else text


def _named(path: list[str], value: Any, expected: type) -> list[str]:
    """A path in which ``[...]`` is the member that is none of the choices, where the value tells it."""
    named: list[str] = []
    choices = _choices(inspect.type_info(expected), path)
    for part in path:
        members = value if isinstance(value, dict) else {}
        wrong = next((key for key, member in members.items() if choices and member not in choices), None)
        if part == "[...]" and isinstance(wrong, str):
            named.append(f"[{wrong[:80]!r}]")
        else:
            named.append(part)
        value = members.get(part.removeprefix("."))
    return named


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
