"""The protocol of one socket: greeting, events from a cursor, and the client's messages in their order."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from tornado.websocket import WebSocketClosedError

from .. import __version__
from ..protocol.connecting import DELETED, FLOODING, INTERNAL_ERROR, NOT_ALLOWED, OVERTAKEN
from ..protocol.dependencies import RULES
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import EVENT_TYPES, User
from ..protocol.frames import Ack, Hello, Pong, encode, encode_ephemeral, error_frame
from ..protocol.messages import AnyMessage, Chat, MessageId, Ping, Resume, Subscribe, decode_message
from ..traces import ProjectLog, places
from .access import RIGHTS_S, Action, action_of
from .framing import text_frames
from .limits import Bucket, lane_of
from .outbox import Outbox, Socket
from .service import Service

if TYPE_CHECKING:
    from ..project.log import Stored
    from ..project.project import Project

log = logging.getLogger(__name__)

HOLD_S = 0.2
"""So long a new connection's live events wait for its first message, which may be ``resume``."""
CAPABILITIES = ("ack", "resume", "subscribe", "coalesce", "gates", "update_plan", "upload", "predict", "long_poll")
#: Refusals that have nothing to do with how the project stands.
_NOT_ABOUT_STAGES = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.FORBIDDEN})


class Connection:
    """One client's connection to a project.

    Parameters
    ----------
    service : Service
        What all connections share.
    project : Project
        The project.
    user : User
        Who is connected.
    rate_key : str
        Whose messages are counted together.
    require : callable
        Asks the authorizer whether the user may do something; raises Refusal if not.
    socket : Socket
        Where frames go.
    """

    def __init__(
        self,
        service: Service,
        project: "Project",
        user: User,
        rate_key: str,
        require: Callable[[Action], Awaitable[None]],
        socket: Socket,
    ) -> None:
        self._service = service
        self._project = project
        self._notes = ProjectLog(log, project.project_id)
        self._user = user
        self._rate_key = rate_key
        self._require = require
        self._socket = socket
        self._outbox = Outbox(socket)
        self._names: frozenset[str] | None = None
        self._coalesce = False
        self._seen = 0
        self._at = 0
        self._pump: asyncio.Task[None] | None = None
        self._spoken = asyncio.Event()
        self._closed = asyncio.Event()
        self._stack = contextlib.ExitStack()
        per_minute = service.limits.flood_per_minute
        self._strikes = Bucket(per_minute / 60.0, per_minute)

    # -- life ----------------------------------------------------------------------------------------------

    async def open(self, since: int | None, epoch: str | None) -> None:
        """Greet the client and begin to send it events."""
        self._stack.enter_context(self._project.connected())
        self._service.connections.add(self)
        await self._start(since, epoch)

    @property
    def lag(self) -> int:
        """How many events the client is behind."""
        return max(0, self._project.seq - self._at)

    def close(self, code: int, reason: str) -> None:
        """End the connection."""
        with contextlib.suppress(WebSocketClosedError):
            self._socket.close(code, reason)

    async def closed(self) -> None:
        """Return when the connection has ended."""
        await self._closed.wait()

    def ended(self) -> None:
        """Clean up: the socket is closed."""
        self._closed.set()
        self._outbox.close()
        self._service.connections.discard(self)
        if self._pump is not None:
            self._pump.cancel()
        self._stack.close()

    # -- what is sent --------------------------------------------------------------------------------------

    async def _start(self, since: int | None, epoch: str | None) -> None:
        """Say hello and follow the log from where the client left off, or from the head."""
        head = self._project.seq
        resumed = since is not None and since <= head and epoch in (None, self._project.epoch)
        start = head if since is None else since if resumed else 0
        self._at = start
        self._pump = asyncio.create_task(self._follow(start, hold=since is None))
        await self._outbox.answer(self._hello(resumed), self._standing())

    def _hello(self, resumed: bool) -> bytes:
        project, service = self._project, self._service
        now = now_ms()
        hello = Hello(
            message=" ".join(filter(None, (f"Connected to the project {project.project_id}.", project.read_only))),
            project_id=project.project_id,
            server_time=now,
            server_version=__version__,
            epoch=project.epoch,
            seq=project.seq,
            resumed=resumed,
            user=self._user,
            capabilities=CAPABILITIES,
            commands=project.commands(),
            limits={
                **msgspec.to_builtins(service.limits),
                "project_bytes": service.settings.project_bytes,
                "log_bytes": service.settings.log_bytes,
                "messages_per_minute": service.limiter.rates,
            },
            stages=tuple(RULES.values()),
        )
        return encode_ephemeral(project.project_id, project.seq, now, project.current()[0], "HELLO", hello)

    def _standing(self) -> bytes:
        """The ephemeral STAGE_STATUS: how things stand."""
        project = self._project
        stage, status = project.current()
        self._seen = max(self._seen, project.seq)
        return encode_ephemeral(project.project_id, project.seq, now_ms(), stage, "STAGE_STATUS", status)

    async def _follow(self, since: int, hold: bool) -> None:
        """Send events, as the client takes them, for as long as there are any."""
        from ..project.tail import ProjectDeleted

        cursor = self._project.follow(since)
        try:
            if hold:
                # Not wait_for, which in Python 3.11 can swallow a cancellation.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HOLD_S):
                        await self._spoken.wait()
            asked = time.monotonic()
            while True:
                # A client that does not read holds no events: they are taken when there is room for them.
                await self._outbox.room()
                batch = await cursor.next()
                if time.monotonic() - asked > RIGHTS_S:
                    # Who only listens sends no message at which the authorizer would be asked.
                    await self._require("read")
                    asked = time.monotonic()
                if self._names is None and not self._coalesce and self._socket.plain:
                    self._outbox.frames(batch.wire(as_frames))
                    self._service.watch.sent += len(batch.events)
                elif chosen := choose(batch.events, self._names, self._coalesce):
                    self._outbox.messages([stored.frame for stored in chosen])
                    self._service.watch.sent += len(chosen)
                self._at = batch.last
                self._seen = max(self._seen, batch.last)
        except ProjectDeleted:
            self.close(DELETED, "The project was deleted.")
        except Refusal:
            self.close(NOT_ALLOWED, "You may no longer read this project.")
        except WebSocketClosedError:
            pass
        except Exception as error:
            self._notes.error("the events could not be sent:\n%s", places(error))
            self.close(INTERNAL_ERROR, "The events could not be read; reconnect.")

    # -- what comes in -------------------------------------------------------------------------------------

    async def receive(self, data: str | bytes) -> None:
        """Handle one frame of the client, bytes if it is no text; whatever it holds, the connection goes on."""
        message: AnyMessage | None = None
        try:
            message = self._decode(data)
            self._service.limiter.check(self._rate_key, lane_of(message))
            await self._require(action_of(message))
            await self._handle(message)
        except Refusal as refusal:
            await self._refuse(refusal, data)
        except Exception as error:
            self._notes.error("a message failed:\n%s", places(error))
            sorry = Refusal(ErrorCode.INTERNAL, "Something went wrong inside the server; its log says what.")
            await self._refuse(sorry, data)
        finally:
            self._spoken.set()

    def _decode(self, data: str | bytes) -> AnyMessage:
        try:
            if isinstance(data, bytes):
                raise Refusal(
                    ErrorCode.INVALID_MESSAGE,
                    "Send the JSON object as a text frame, in UTF-8; binary frames and other encodings are not read.",
                )
            return decode_message(data)
        except Refusal:
            self._service.limiter.check(self._rate_key, "invalid")
            raise

    async def _handle(self, message: AnyMessage) -> None:
        status = "accepted"
        seq: int | None = None
        match message:
            case Ping():
                pong = Pong(ts=message.ts, server_ts=now_ms(), seq=self._project.seq)
                await self._outbox.answer(encode(pong))
            case Subscribe():
                self._names = chosen_names(message.names)
                self._coalesce = message.coalesce
            case Resume():
                await self._stop_pump()
                await self._start(message.since, message.epoch)
            case _:
                # Live events come before their ack, also where this is the first message.
                self._spoken.set()
                may_execute = not isinstance(message, Chat) or await self._may_execute()
                outcome = await self._project.submit(message, self._user, self._seen, may_execute=may_execute)
                status, seq = outcome.status, outcome.seq
        if message.id is not None:
            seq = self._project.seq if seq is None else seq
            await self._outbox.answer(encode(Ack(id=message.id, seq=seq, status=status)))  # type: ignore[arg-type]

    async def _may_execute(self) -> bool:
        """Whether what the client says may come to what its commands and confirms would do."""
        try:
            await self._require("execute")
        except Refusal:
            return False
        return True

    async def _refuse(self, refusal: Refusal, data: str | bytes) -> None:
        original, message_id, kind = read_original(data)
        self._service.watch.refused(refusal.code)
        frames = [encode(error_frame(refusal, original, message_id))]
        if kind in ("confirm", "command") and refusal.code not in _NOT_ABOUT_STAGES:
            frames.append(self._standing())
        await self._outbox.answer(*frames)
        if refusal.code is ErrorCode.RATE_LIMITED and self._strikes.take() > 0.0:
            self.close(FLOODING, "Too many messages, and still more after being told; send fewer.")

    async def _stop_pump(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None


def chosen_names(names: Sequence[str] | None) -> frozenset[str] | None:
    """The events that a subscription names; Refusal if there is one that does not exist."""
    if names is None:
        return None
    unknown = [name for name in names if name not in EVENT_TYPES]
    if unknown:
        raise Refusal(
            ErrorCode.INVALID_ARGS, f"There is no event {unknown[0][:80]!r}; the events are {', '.join(EVENT_TYPES)}."
        )
    return frozenset(names)


def as_frames(events: "Sequence[Stored]") -> bytes:
    """Events as they go to every socket that takes all of them."""
    return text_frames([stored.frame for stored in events])


def choose(batch: "Sequence[Stored]", names: frozenset[str] | None, coalesce: bool) -> "Sequence[Stored]":
    """What of a batch a client listens to; ``coalesce`` leaves the latest only of what says how far a run is."""
    if names is not None:
        batch = [stored for stored in batch if stored.name in names]
    if coalesce:
        keys = [_run_key(stored) for stored in batch]
        last = {key: i for i, key in enumerate(keys)}
        batch = [stored for i, stored in enumerate(batch) if keys[i] is None or last[keys[i]] == i]
    return batch


def read_original(data: str | bytes) -> tuple[Any, str | None, str | None]:
    """Of a refused frame what the error frame repeats: the message, its id, and its type; as far as readable."""
    if isinstance(data, bytes):
        return f"<{len(data)} bytes>", None, None
    if len(data) > _WHOLE:  # only its beginning is repeated, so no more of it is made
        try:
            head = _head_decoder.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return data[:_WHOLE], None, None
        return data[:_WHOLE], head.id, head.type
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return data, None, None
    if not isinstance(value, dict):
        return value, None, None
    message_id, kind = value.get("id"), value.get("type")
    usable = isinstance(message_id, str) and 0 < len(message_id) <= 64
    return value, message_id if usable else None, kind if isinstance(kind, str) else None


_WHOLE = 16 << 10
"""Characters of a message that is decoded once more when it is refused."""


class _Head(msgspec.Struct):
    id: MessageId | None = None
    type: str | None = None


_head_decoder = msgspec.json.Decoder(_Head)


class _Run(msgspec.Struct):
    run_id: str


class _RunBody(msgspec.Struct):
    payload: _Run


class _RunFrame(msgspec.Struct):
    event: _RunBody


_run_decoder = msgspec.json.Decoder(_RunFrame)


def _run_key(stored: "Stored") -> tuple[str, str] | None:
    """What a later event replaces this one by, None for an event that is never left out."""
    if stored.name not in OVERTAKEN:
        return None
    return stored.name, _run_decoder.decode(stored.frame).event.payload.run_id


def now_ms() -> int:
    """Unix time in milliseconds."""
    return int(time.time() * 1000)
