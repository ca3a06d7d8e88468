"""What the server sends: event frames, the frames of one connection, and how they become JSON."""

import functools
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from .dependencies import StageRule
from .errors import ErrorCode, Refusal
from .events import EVENT_TYPES, Payload, User
from .stages import StageId, StageRef, StageStatus

PROTOCOL_VERSION = 1
ERROR_PREFIX = "Failed to process message: "
MAX_ORIGINAL = 1024
"""Bytes of a refused message that its error frame repeats."""
_MAX_REASON = 4000
"""Characters of an error's sentence: it may name a value that somebody sent."""

_LINES = 128
"""Events that are encoded in one go: of many more the buffer is too large for the processor's caches."""

_encoder = msgspec.json.Encoder()


# Without gc: of these there are thousands in a row, and the garbage collector would go through the whole server for
# them. They hold what was JSON, which has no cycles.
class EventBody(msgspec.Struct, frozen=True, gc=False):
    """The ``event`` member of the envelope."""

    name: str
    payload: Any


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it goes over the wire. ``ts`` is Unix time in milliseconds."""

    v: int = PROTOCOL_VERSION
    type: Literal["EVENT"] = "EVENT"
    project_id: str
    seq: int
    ts: int
    stage: StageRef
    event: EventBody
    ephemeral: bool | msgspec.UnsetType = msgspec.UNSET


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A command as HELLO lists it; ``args_schema`` is JSON Schema."""

    name: str
    description: str
    args_schema: dict[str, Any]


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """Payload of HELLO, the first frame of a connection.

    ``resumed`` is false if the log is another one now. ``stages`` says what each stage depends on, so that a client can
    tell what a change will run again; servers before it did not send it.

    ``limits`` are those that this server has set, by name, null where there is none: bytes of a message, of a request
    to predict and of an uploaded file (``message_bytes``, ``predict_bytes``, ``upload_bytes``), bytes of a project's
    folder and log together and of its log alone (``project_bytes``, ``log_bytes``), how many files may be uploaded to
    it (``project_files``), seconds in which a body must have come, an upload must have gone on, and a long poll ends
    (``body_s``, ``upload_stall_s``, ``long_poll_s``), and messages and requests a minute by kind
    (``messages_per_minute``), with how many over that before the socket is closed (``flood_per_minute``). More may be
    added.
    """

    message: str
    project_id: str
    server_time: int
    server_version: str
    epoch: str
    seq: int
    resumed: bool
    user: User
    capabilities: tuple[str, ...]
    commands: tuple[CommandSpec, ...]
    limits: dict[str, Any]
    stages: tuple[StageRule, ...] | msgspec.UnsetType = msgspec.UNSET


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong", tag_field="type"):
    """Answer to a ping; times are Unix milliseconds, ``ts`` as the client sent it."""

    ts: int | float | None
    server_ts: int
    seq: int


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag="ack", tag_field="type"):
    """What a message with an ``id`` caused is durable; ``seq`` is the head of the log then."""

    id: str
    seq: int
    status: Literal["accepted", "duplicate"]


class ErrorFrame(msgspec.Struct, frozen=True, kw_only=True, tag="error", tag_field="type"):
    """A message was refused and changed nothing."""

    message: str
    original_message: Any
    code: ErrorCode
    id: str | None = None
    retryable: bool = False
    retry_after_ms: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A logged event, typed."""

    seq: int
    ts: int
    stage: StageRef
    payload: Payload

    @property
    def name(self) -> str:
        """Its name on the wire."""
        return self.payload.NAME


def encode(value: Any) -> bytes:
    """A frame as strict JSON."""
    return _encoder.encode(value)


def encode_event(project_id: str, event: Event) -> bytes:
    """The frame of a logged event."""
    return encode_events(project_id, (event,))[0]


def encode_events(project_id: str, events: Sequence[Event]) -> list[bytes]:
    """The frames of logged events. Each is encoded once, stored, and sent as it was stored."""
    frames: list[bytes] = []
    ts, stage, kind, like = -1, None, None, b""
    for start in range(0, len(events), _LINES):
        some = events[start : start + _LINES]
        payloads = _encoder.encode_lines([e.payload for e in some]).split(b"\n")  # quicker than one by one
        for e, payload in zip(some, payloads, strict=False):
            if type(e.payload) is not kind or e.stage is not stage or e.ts != ts:
                ts, stage, kind = e.ts, e.stage, type(e.payload)
                like = _frame_like(project_id, e)
            frames.append(like % (e.seq, payload))
    return frames


def _frame_like(project_id: str, event: Event) -> bytes:
    """The frame of events like one, with ``%d`` for the number and ``%b`` for the payload: what is around them costs
    more to encode than they do, and is the same for many events in a row."""
    envelope = Envelope(
        project_id=project_id, seq=0, ts=event.ts, stage=event.stage, event=EventBody(event.payload.NAME, None)
    )
    frame = _encoder.encode(envelope).replace(b"%", b"%%").replace(b'"seq":0,', b'"seq":%d,', 1)
    return frame.removesuffix(b"null}}") + b"%b}}"


def encode_ephemeral(project_id: str, seq: int, ts: int, stage: StageRef, name: str, payload: Any) -> bytes:
    """A frame in the envelope that belongs to one connection and is never logged."""
    return _encoder.encode(
        Envelope(project_id=project_id, seq=seq, ts=ts, stage=stage, event=EventBody(name, payload), ephemeral=True)
    )


_envelope_decoder = msgspec.json.Decoder(Envelope)


def decode_event(frame: bytes | str) -> Event:
    """The typed event of a logged frame.

    Raises
    ------
    ValueError
        If the frame is no event of this version.
    """
    envelope = _envelope_decoder.decode(frame)
    body = envelope.event
    payload = decode_payload(body.name, body.payload)
    return Event(seq=envelope.seq, ts=envelope.ts, stage=envelope.stage, payload=payload)


def decode_payload(name: str, payload: Any) -> Payload:
    """The typed payload of an event by its name; ValueError if there is no such event or it does not fit."""
    cls = EVENT_TYPES.get(name)
    if cls is None:
        raise ValueError(f"There is no event {name!r}.")
    return msgspec.convert(payload, cls)


_decoders: "dict[str, msgspec.json.Decoder[Payload]]" = {}


def _decoder(name: str) -> "msgspec.json.Decoder[Payload]":
    cls = EVENT_TYPES.get(name)
    if cls is None:
        raise ValueError(f"There is no event {name!r}.")
    decoder = _decoders[name] = msgspec.json.Decoder(cls)
    return decoder


def read_payload(name: str, payload: bytes | msgspec.Raw) -> Payload:
    """As :func:`decode_payload`, from JSON."""
    return (_decoders.get(name) or _decoder(name)).decode(payload)


@functools.cache
def stage_ref(stage_id: StageId, status: StageStatus) -> StageRef:
    """The envelope's ``stage`` for a stage and how it stands."""
    return StageRef(stage_id, stage_id.order, status)


def error_frame(refusal: Refusal, original: Any, message_id: str | None = None) -> ErrorFrame:
    """The frame that tells a client why its message was refused.

    Parameters
    ----------
    refusal : Refusal
        Why.
    original : object
        The message as decoded, or its text where it could not be decoded; repeated if it is short enough,
        else cut at 1 KiB.
    message_id : str or None, default=None
        The message's ``id``, if it had one.
    """
    encoded = _encoder.encode(original)
    if len(encoded) > MAX_ORIGINAL:
        original = encoded[:MAX_ORIGINAL].decode("utf-8", "ignore")
    return ErrorFrame(
        message=ERROR_PREFIX + refusal.message[:_MAX_REASON],
        original_message=original,
        code=refusal.code,
        id=message_id,
        retryable=refusal.retryable,
        retry_after_ms=refusal.retry_after_ms,
    )
