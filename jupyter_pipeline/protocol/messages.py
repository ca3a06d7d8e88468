"""What a client may send, decoded once into typed values."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from .errors import ErrorCode, Refusal, did_you_mean, explained
from .stages import StageId

MOST_THINGS = 50_000
"""Objects and lists in a message: each takes hundreds of times as much as a byte of it."""

MessageId = Annotated[str, Meta(min_length=1, max_length=64)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of the client messages. With an ``id`` the message has one effect, however often it is sent."""

    id: MessageId | None = None


class Chat(Message, frozen=True, kw_only=True, tag="chat"):
    """Say something: the request itself, or a change to it."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


class Confirm(Message, frozen=True, kw_only=True, tag="confirm"):
    """Approve what the open gate proposes."""

    stage_id: StageId | None = None
    gate_id: str | None = None


class Command(Message, frozen=True, kw_only=True, tag="command"):
    """Run a command by name."""

    command: str
    args: dict[str, Any] = {}


class Ping(Message, frozen=True, kw_only=True, tag="ping"):
    """Ask for a pong; ``ts`` comes back as it was sent."""

    ts: int | float | None = None


class Resume(Message, frozen=True, kw_only=True, tag="resume"):
    """Ask for every event after ``since``; ``epoch`` names the log that ``since`` counts in."""

    since: Annotated[int, Meta(ge=0)]
    epoch: str | None = None


class Subscribe(Message, frozen=True, kw_only=True, tag="subscribe"):
    """Listen to some events only; ``names`` of None means all."""

    names: tuple[str, ...] | None = None
    coalesce: bool = False


AnyMessage = Chat | Confirm | Command | Ping | Resume | Subscribe
MESSAGE_TYPES: dict[str, type[Message]] = {
    "chat": Chat,
    "confirm": Confirm,
    "command": Command,
    "ping": Ping,
    "resume": Resume,
    "subscribe": Subscribe,
}


# -- the built-in commands' arguments ------------------------------------------------------------------------


class RestartStage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop what runs and run this stage again, with changes to its plan if there are any."""

    stage_id: StageId
    params: dict[str, Any] = {}


class CancelRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End what runs: ``stop`` it, ``finish`` with the best model so far, at once or ``after_run``, when the run at work
    has come to its own end, or end it ``now`` without grace."""

    run_id: str | None = None
    mode: Literal["stop", "finish", "after_run", "now"] = "stop"


class SelectDataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Use this one of the data set candidates."""

    dataset_id: str


class UpdatePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change what the open gate proposes by a JSON Patch (RFC 6902) of its ``plan_json``."""

    stage_id: StageId
    patch: tuple[dict[str, Any], ...]


BuiltinCommand = RestartStage | CancelRun | SelectDataset | UpdatePlan
BUILTIN_COMMANDS: dict[str, type[RestartStage] | type[CancelRun] | type[SelectDataset] | type[UpdatePlan]] = {
    "restart_stage": RestartStage,
    "cancel_run": CancelRun,
    "select_dataset": SelectDataset,
    "update_plan": UpdatePlan,
}


def decode_message(data: bytes | str) -> AnyMessage:
    """Decode a frame from a client.

    Parameters
    ----------
    data : bytes or str
        One frame, JSON.

    Raises
    ------
    Refusal
        INVALID_JSON, UNKNOWN_TYPE, INVALID_MESSAGE or TOO_LARGE, with what would be right.
    """
    check_things(data)
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refusal(ErrorCode.INVALID_JSON, f"This is not valid JSON ({error}); send one JSON object.") from None
    return convert_message(value)


def check_things(data: bytes | str) -> None:
    """Refuse what would have too many objects and lists, before any of them is made; brackets in texts count too."""
    count = data.count("{") + data.count("[") if isinstance(data, str) else data.count(b"{") + data.count(b"[")
    if count > MOST_THINGS:
        raise Refusal(
            ErrorCode.TOO_LARGE,
            f"The message has {count:,} objects and lists (or brackets in texts); at most {MOST_THINGS:,} are taken.",
        )


def convert_message(value: Any) -> AnyMessage:
    """The typed message of a decoded JSON value; raises as :func:`decode_message` does."""
    if not isinstance(value, dict):
        raise Refusal(ErrorCode.INVALID_MESSAGE, 'A message is a JSON object such as {"type": "confirm"}.')
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in MESSAGE_TYPES:
        known = ", ".join(MESSAGE_TYPES)
        what = f"Unknown message type {kind[:80]!r}" if isinstance(kind, str) else "The message has no type"
        raise Refusal(ErrorCode.UNKNOWN_TYPE, f"{what}; the types are {known}.{_near(kind, MESSAGE_TYPES)}")
    if kind == "command" and value.get("args") is None:
        value = {**value, "args": {}}
    try:
        message = msgspec.convert(value, MESSAGE_TYPES[kind])
    except msgspec.ValidationError as error:
        stage_is_wrong = kind == "confirm" and _about_stage(error)
        code = ErrorCode.INVALID_STAGE if stage_is_wrong else ErrorCode.INVALID_MESSAGE
        raise Refusal(code, f"Not a valid {kind} message: {explained(error, MESSAGE_TYPES[kind], value)}.") from None
    if isinstance(message, Chat) and not message.text.strip():
        raise Refusal(ErrorCode.INVALID_MESSAGE, "Not a valid chat message: its text says nothing.")
    return message  # type: ignore[return-value]


def convert_command(command: str, args: dict[str, Any]) -> BuiltinCommand:
    """The typed arguments of a built-in command.

    Raises
    ------
    Refusal
        UNKNOWN_COMMAND, INVALID_STAGE or INVALID_ARGS, with what would be right.
    """
    if command not in BUILTIN_COMMANDS:
        known = ", ".join(BUILTIN_COMMANDS)
        near = _near(command, BUILTIN_COMMANDS)
        raise Refusal(ErrorCode.UNKNOWN_COMMAND, f"Unknown command {command[:80]!r}; the commands are {known}.{near}")
    try:
        # Many clients send null for what they leave open.
        given = {name: value for name, value in args.items() if value is not None}
        return msgspec.convert(given, BUILTIN_COMMANDS[command])
    except msgspec.ValidationError as error:
        if _about_stage(error):
            known, given_id = ", ".join(StageId), repr(args["stage_id"])[:80]
            near = _near(args["stage_id"], StageId)
            raise Refusal(
                ErrorCode.INVALID_STAGE, f"Invalid stage_id {given_id}; the stages are {known}.{near}"
            ) from None
        why = explained(error, BUILTIN_COMMANDS[command], given)
        raise Refusal(ErrorCode.INVALID_ARGS, f"Invalid arguments of {command}: {why}.") from None


def _near(given: Any, choices: Iterable[str]) -> str:
    return did_you_mean(given, choices) if isinstance(given, str) else ""


def _about_stage(error: msgspec.ValidationError) -> bool:
    """Whether it is the value of ``stage_id`` that is wrong."""
    return str(error).endswith("`$.stage_id`")
