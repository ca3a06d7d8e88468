"""The REST calls: projects, state, events, messages, confirm and predict."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from tornado import web
from tornado.iostream import StreamClosedError

from .. import __version__
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.frames import Ack, Pong, encode
from ..protocol.messages import (
    AnyMessage,
    Chat,
    Command,
    Confirm,
    Ping,
    Resume,
    Subscribe,
    check_things,
    convert_message,
    decode_message,
)
from ..threads import at_once
from .access import action_of
from .assets import AssetHandler, AssetsHandler
from .base import ONE, PROJECTS, BodyHandler, ProjectHandler, guarded, query_int, query_seconds
from .connection import now_ms, read_original
from .errors import NotFound
from .limits import lane_of
from .uploads import DataHandler

if TYPE_CHECKING:
    from ..project.project import Project

EVENTS_DEFAULT, EVENTS_MOST = 1000, 10_000
EVENTS_BYTES = 8 << 20
"""Bytes of events in a page at the most, unless its one event is larger."""
_PIECE = 256 << 10
PREDICT_MOST = 200_000
"""Objects and lists in a request to predict."""
_MARKS = re.compile(rb'\\.|["{\[]', re.DOTALL)
"""What tells objects and lists from texts: quotes, brackets, and what is escaped."""


class PredictRequest(msgspec.Struct, frozen=True):
    """Rows to predict: an object for each, column to value."""

    rows: msgspec.Raw


class _Object(msgspec.Struct, frozen=True, gc=False):
    """Any object, of which nothing is kept."""


class _Shape(msgspec.Struct, frozen=True):
    """What a PredictRequest must look like."""

    rows: list[_Object]


class ProjectsHandler(ProjectHandler):
    """``api/projects``."""

    @guarded("read")
    async def get(self) -> None:
        """List the projects, last changed first; with the server's version and the folders."""
        self.answer(
            {
                "projects": await self.service.manager.list(),
                "server_version": __version__,
                "folders": self._folders(),
            }
        )

    def _folders(self) -> dict[str, str | None]:
        """The workspace and the projects as paths of the contents API; None for one that it does not show."""
        settings = self.service.settings
        shown = getattr(self.contents_manager, "root_dir", None)
        found: dict[str, str | None] = {"workspace": None, "pipelines": None}
        if not shown:
            return found
        root = Path(shown).expanduser().resolve()
        for name, folder in (("workspace", settings.workspace.resolve()), ("pipelines", settings.root.resolve())):
            if folder.is_relative_to(root):
                found[name] = folder.relative_to(root).as_posix().removeprefix(".")
        return found


class OneProjectHandler(ProjectHandler):
    """``api/projects/{id}``, and what the server has itself at addresses of this kind: there GET gives something else,
    but a project of that name, which an earlier version began, can be deleted."""

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """One project, as the list has it."""
        self.answer((await self.find(project_id)).entry())

    @guarded("execute")
    async def delete(self, project_id: str) -> None:
        """End the project's work and remove it."""
        self.check_rate("command")
        await self.find(project_id)
        await self.service.manager.delete(project_id)
        self.set_status(204)
        self.finish()


class StateHandler(ProjectHandler):
    """``api/projects/{id}/state``."""

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """Snapshot of the project."""
        self.answer((await self.find(project_id)).snapshot())


class EventsHandler(ProjectHandler):
    """``api/projects/{id}/events``."""

    _waiting: "asyncio.Task[Any] | None" = None

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """Events after ``since``, as the socket sends them; with ``wait_s`` wait for the first."""
        since = query_int(self, "since", 0, lowest=0)
        limit = query_int(self, "limit", EVENTS_DEFAULT, lowest=1, highest=EVENTS_MOST)
        wait_s = query_seconds(self, "wait_s", self.service.limits.long_poll_s)
        epoch = self.get_query_argument("epoch", None)
        manager = self.service.manager
        # To wait is to be connected, so as with a socket the project need not have begun.
        project = await manager.open(project_id) if wait_s else await self.find(project_id)
        with project.connected():
            resumed = since <= project.seq and epoch in (None, project.epoch)
            since = since if resumed else 0
            if wait_s and since >= project.seq:
                self.enter("sockets")
                await self._wait(project.follow(since).next(), wait_s)
                self.enter("requests")
                await self.require("read")  # which may have been taken away meanwhile
            head = {"project_id": project.project_id, "epoch": project.epoch, "seq": project.seq, "resumed": resumed}
            await self._send(project, encode(head), since, limit)

    async def _send(self, project: "Project", head: bytes, since: int, limit: int) -> None:
        """Answer with a page, piece by piece as the client takes it: one that does not read holds one piece.

        The frames are put in as they are, so that they are the same bytes as over the socket.
        """
        last, left, begun = min(since + limit, project.seq), EVENTS_BYTES, False
        text = head[:-1] + b',"events":['
        while since < last and left > 0:
            events = await project.read(since, last - since, min(_PIECE, left))
            frames = b",".join(event.frame for event in events)
            if not events or (begun and len(frames) > left):
                break
            text += (b"," if begun else b"") + frames
            since, left, begun = events[-1].seq, left - len(frames), True
            if since < last and left > 0:
                self.bound_kernel_buffer()
                self._begin()
                try:
                    await self.send_piece(text)
                except StreamClosedError:
                    return
                text = b""
        self._begin()
        self.finish(text + b'],"next":%d}' % since)

    def _begin(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json")

    async def _wait(self, event: Any, wait_s: float) -> None:
        from ..project.tail import ProjectDeleted

        self._waiting = asyncio.ensure_future(event)
        self.service.connections.add(self)
        try:
            done, _ = await asyncio.wait([self._waiting], timeout=wait_s)
            if done and not self._waiting.cancelled():
                self._waiting.result()
        except ProjectDeleted:
            raise NotFound("The project was deleted.") from None
        finally:
            self.service.connections.discard(self)
            self._waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, ProjectDeleted):
                await self._waiting

    def close(self, code: int, reason: str) -> None:
        """Stop waiting: the server is going down."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def closed(self) -> None:
        """Return when it waits no more."""
        if self._waiting is not None:
            await asyncio.wait([self._waiting])

    def on_connection_close(self) -> None:
        """Stop waiting: the client is gone."""
        self.close(0, "")
        super().on_connection_close()


@web.stream_request_body
class MessagesHandler(BodyHandler):
    """``api/projects/{id}/messages``."""

    @guarded("read")
    async def post(self, project_id: str) -> None:
        """Take a client message, as the socket does; the permission depends on what it is."""
        await self.take(project_id, self.read_message())

    def read_message(self) -> AnyMessage:
        """The message in the body."""
        try:
            return decode_message(self.body)
        except Refusal:
            self.check_rate("invalid")
            raise

    def original(self) -> tuple[Any, str | None]:
        """The message in the body, as far as it can be read."""
        if not 0 < len(self._body) <= self.body_limit:
            return None, None
        value, message_id, _ = read_original(self._body.decode("utf-8", "replace"))
        return value, message_id

    async def take(self, project_id: str, message: AnyMessage) -> None:
        """Carry out a message and answer with its ack, or its pong."""
        self.check_rate(lane_of(message))
        await self.require(action_of(message))
        manager = self.service.manager
        if isinstance(message, Resume | Subscribe):
            raise Refusal(
                ErrorCode.INVALID_MESSAGE,
                "resume and subscribe are about a socket; over HTTP, GET events?since=N says where to go on.",
            )
        project = await manager.open(project_id)
        with project.connected():
            if isinstance(message, Ping):
                self.answer(Pong(ts=message.ts, server_ts=now_ms(), seq=project.seq))
                return
            assert isinstance(message, Chat | Confirm | Command)
            # What is said in a chat may come to what a command does only where a command would be taken.
            may_execute = not isinstance(message, Chat) or await self.is_allowed("execute")
            outcome = await project.submit(message, self.user, may_execute=may_execute)
        if message.id is None:
            self.answer({"type": "ack", "id": None, "seq": outcome.seq, "status": outcome.status})
        else:
            self.answer(Ack(id=message.id, seq=outcome.seq, status=outcome.status))


@web.stream_request_body
class ConfirmHandler(MessagesHandler):
    """``api/projects/{id}/confirm``."""

    @guarded("execute")
    async def post(self, project_id: str) -> None:
        """Confirm, as the message; the body may hold its other members."""
        check_things(self.body)
        await self.take(project_id, convert_message({**self.read_json(dict[str, Any]), "type": "confirm"}))


def _has_more(body: bytes, most: int) -> bool:
    """Whether a JSON document has more objects and lists than that; brackets inside texts are none."""
    count, inside = 0, False
    for found in _MARKS.finditer(body):
        if found[0] == b'"':
            inside = not inside
        elif not inside and found[0] in (b"{", b"["):
            count += 1
            if count > most:
                return True
    return False


@web.stream_request_body
class PredictHandler(BodyHandler):
    """``api/projects/{id}/predict``."""

    @property
    def body_limit(self) -> int:
        """Bytes."""
        return self.service.limits.predict_bytes

    @guarded("execute")
    async def post(self, project_id: str) -> None:
        """Predict rows with the project's model, which takes a worker process."""
        self.check_rate("predict")
        # Taken apart here, 9 MB of them took 230 MB and held everybody up for 0.9 s; so the worker does it.
        body = self.body
        # Quick, and nearly always enough; brackets in texts count only where there seem to be too many.
        if body.count(b"{") + body.count(b"[") > PREDICT_MOST and await at_once(_has_more, body, PREDICT_MOST):
            raise Refusal(ErrorCode.TOO_LARGE, f"These are too many rows; at most {PREDICT_MOST:,} are taken at once.")
        self.read_json(_Shape)
        request = self.read_json(PredictRequest)
        project = await self.find(project_id)
        with project.connected():
            self.answer(await project.predict(request.rows))


class OpenApiHandler(OneProjectHandler):
    """``api/projects/openapi.json``."""

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """Describe the REST calls."""
        from .openapi import document  # seldom asked for, and a server's start should not pay for it

        self.answer(document(self.base_url))


class UnknownHandler(ProjectHandler):
    """Everything else below ``api/projects``."""

    @guarded("read")
    async def get(self, *args: str) -> None:
        """There is nothing here."""
        if self.request.method not in ("GET", "HEAD"):
            self.check_rate("read")
        raise NotFound(
            "There is nothing at this address. A project id begins with a letter or digit and has at most 64 letters, "
            f"digits, '.', '_' and '-'; the calls are described at {self.base_url}api/projects/openapi.json."
        )

    head = post = put = patch = delete = get


_ONE = f"{PROJECTS}/{ONE}"
default_handlers: list[tuple[str, type[ProjectHandler] | type[AssetHandler]]] = [
    (PROJECTS, ProjectsHandler),
    (rf"{PROJECTS}/(openapi\.json)", OpenApiHandler),
    (_ONE, OneProjectHandler),
    (f"{_ONE}/state", StateHandler),
    (f"{_ONE}/messages", MessagesHandler),
    (f"{_ONE}/confirm", ConfirmHandler),
    (f"{_ONE}/events", EventsHandler),
    (f"{_ONE}/data", DataHandler),
    (f"{_ONE}/assets", AssetsHandler),
    (f"{_ONE}/assets/([^/]+)", AssetHandler),
    (f"{_ONE}/predict", PredictHandler),
    (rf"{PROJECTS}/(.*)", UnknownHandler),
]
