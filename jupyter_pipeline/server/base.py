"""What the REST handlers share: errors in the shape of error frames, bounded bodies, and the project."""

import asyncio
import functools
import logging
import math
import socket
import time
from collections.abc import Awaitable, Callable
from http.client import responses
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError

from ..protocol.connecting import PROJECT_ID
from ..protocol.errors import ErrorCode, Refusal, explained
from ..protocol.frames import encode, error_frame
from ..traces import places
from .access import RESOURCE, RIGHTS_S, AccessMixin, Action
from .errors import NotFound, http_status
from .service import Service

if TYPE_CHECKING:
    from ..project.project import Project

log = logging.getLogger(__name__)
ONE = rf"({PROJECT_ID})"
"""A project in an address."""
PROJECTS = "/api/projects"
KERNEL_BYTES = 256 << 10
"""Bytes that the kernel may hold for a client that does not read."""
NO_LIMIT = 1 << 62
_DROPPED_BYTES = 16 << 20
"""Bytes of a body that is refused which are still read: most clients listen only when they have sent all of it."""

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])
T = TypeVar("T")


class HTTPRefusal(web.HTTPError):
    """A refusal as the answer to a request."""

    def __init__(self, refusal: Refusal) -> None:
        # Tornado logs this text; the message may hold what the person sent.
        super().__init__(http_status(refusal), refusal.code.value)
        self.refusal = refusal


def guarded(action: Action) -> Callable[[Method], Method]:
    """Make a method one for users whom the authorizer lets do ``action``, and let it answer by raising Refusal.

    GET and HEAD are counted here, so that no handler forgets it: how many come, and how many are open until their
    answer has left. What writes counts by what it is asked.
    """

    def decorate(method: Method) -> Method:
        @web.authenticated
        @authorized(action=action, resource=RESOURCE)  # type: ignore[untyped-decorator]
        @functools.wraps(method)
        async def wrapper(self: "JsonErrors", *args: Any, **kwargs: Any) -> None:
            self._asked = time.monotonic()
            try:
                if self.request.method in ("GET", "HEAD"):
                    self.check_rate("read")
                    self.enter("requests")
                await method(self, *args, **kwargs)
            except Refusal as refusal:
                raise HTTPRefusal(refusal) from refusal
            finally:
                self.leave_when_sent()

        return cast(Method, wrapper)

    return decorate


class JsonErrors(AccessMixin):
    """Errors as JSON, in the shape of the socket's error frames."""

    _leave: Callable[[], None] | None = None
    _sent: "asyncio.Future[None] | None" = None
    _asked = 0.0

    def check_rate(self, lane: str) -> None:
        """Count a request; Refusal if there were too many."""
        self.service.limiter.check(self.rate_key, lane)

    def enter(self, kind: str, amount: int = 1) -> None:
        """Count among what the user has open at once, of this kind instead of another; Refusal if that is too much."""
        self.leave()
        self._leave = self.service.crowd.enter(self.rate_key, kind, amount)

    def leave(self) -> None:
        """Count no more."""
        if self._leave is not None:
            self._leave()
            self._leave = None

    def leave_when_sent(self) -> None:
        """Count no more once the answer has left: until then it is held in memory for a client that may not read it."""

        def left(sent: "asyncio.Future[None]") -> None:
            self.leave()
            if not sent.cancelled():
                sent.exception()  # that the client is gone is told elsewhere

        if self._sent is None:
            self.leave()
        else:
            self._sent.add_done_callback(left)

    def finish(self, *args: Any, **kwargs: Any) -> "asyncio.Future[None]":
        """End the answer, and note when it has left."""
        self._sent = super().finish(*args, **kwargs)
        return self._sent

    def bound_kernel_buffer(self) -> None:
        """Let the kernel hold little of a large answer; left alone it takes megabytes, or all of it, for each client
        that does not read."""
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection) and not connection.stream.closed():
            connection.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    async def send_piece(self, piece: bytes) -> None:
        """Send a piece of a large answer, and wait until the client takes it.

        Raises
        ------
        StreamClosedError
            If the client is gone, or may no longer read: then the answer ends here, and it can see that.
        """
        if time.monotonic() - self._asked > RIGHTS_S:
            if not await self.is_allowed("read"):
                self.request.connection.close()  # type: ignore[union-attr]
                raise StreamClosedError
            self._asked = time.monotonic()
        self.write(piece)
        await self.flush()

    def on_connection_close(self) -> None:
        """The client is gone."""
        self.leave()
        super().on_connection_close()

    def get_login_url(self) -> str:
        """Nobody is redirected to the login page: 403."""
        raise web.HTTPError(403)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log an unexpected error by its places in the code: what it says may hold data."""
        if value is None or isinstance(value, web.HTTPError):
            super().log_exception(typ, value, tb)
        else:
            log.error("%s %s failed:\n%s", self.request.method, self.request.path, places(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error frame."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, HTTPRefusal):
            refusal = error.refusal
        else:
            message = error.log_message if isinstance(error, web.HTTPError) else None
            refusal = self._refusal_of(status_code, message)
        self.service.watch.refused(refusal.code)
        self.clear_header("Content-Length")
        self.set_header("Content-Type", "application/json")
        if hasattr(self, "_jupyter_current_user"):
            # Tornado has cleared them; without them a page of an allowed origin could not read what is wrong.
            self.set_cors_headers()
        if refusal.retry_after_ms is not None:
            self.set_header("Retry-After", str(max(1, math.ceil(refusal.retry_after_ms / 1000))))
        elif status_code == 503:
            self.set_header("Retry-After", "2")
        if not self._body_is_read():
            self.set_header("Connection", "close")  # Tornado does, and a client that is not told sends its next request
        super().finish(encode(error_frame(refusal, *self.original())))

    def original(self) -> tuple[Any, str | None]:
        """What an error repeats: the client's message, and its id."""
        return None, None

    def _body_is_read(self) -> bool:
        """False while a handler that takes its body in pieces has not got all of it."""
        read: asyncio.Future[None] | None = getattr(self.request, "_body_future", None)
        return read is None or read.done()

    def _refusal_of(self, status_code: int, message: str | None) -> Refusal:
        if status_code == 403 and getattr(self, "_jupyter_current_user", None) is None:
            return Refusal(
                ErrorCode.FORBIDDEN,
                "This request was not let in; log in, or send the server's token as 'Authorization: token …'.",
            )
        if status_code == 403:
            return Refusal(ErrorCode.FORBIDDEN, message or "You may not do this.")
        if status_code == 404:
            return NotFound(message or "There is nothing at this address.")
        if status_code >= 500:
            return Refusal(ErrorCode.INTERNAL, "Something went wrong inside the server; its log says what.")
        return Refusal(ErrorCode.INVALID_MESSAGE, message or f"{responses.get(status_code, 'Not a valid request')}.")


class ProjectHandler(JsonErrors, APIHandler):
    """Base of the REST handlers."""

    auth_resource = RESOURCE
    _dropped = 0

    async def prepare(self, **kwargs: Any) -> None:
        """Refuse strangers before anything else: what takes its body in pieces works before its method is called."""
        await super().prepare()
        if self.current_user is None and self.request.method != "OPTIONS":
            raise web.HTTPError(403)

    async def find(self, project_id: str) -> "Project":
        """A project that exists; NotFound if there is none."""
        project = await self.service.manager.find(project_id)
        if project is None:
            raise NotFound(f"There is no project {project_id!r}; a first chat message or data file makes it.")
        return project

    def bound_body_ourselves(self) -> None:
        """Let Tornado not end a body that is too large: it answers that with a bare 400."""
        connection = self.request.connection
        if connection is not None and hasattr(connection, "set_max_body_size"):
            connection.set_max_body_size(NO_LIMIT)

    def drop(self, chunk: bytes, why: Refusal) -> None:
        """Drop a piece of a body that is refused when it has been read, or now, where more comes than is read for
        that; the connection is closed then."""
        self._dropped += len(chunk)
        if self._dropped > _DROPPED_BYTES and not self._finished:
            error = HTTPRefusal(why)
            self.send_error(error.status_code, exc_info=(HTTPRefusal, error, None))

    def answer(self, value: Any, status: int = 200) -> None:
        """Finish with a JSON value."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(value if isinstance(value, bytes) else encode(value))


class BodyHandler(ProjectHandler):
    """A handler that takes a JSON body of a bounded size. Subclasses are decorated by ``stream_request_body``."""

    def initialize(self, service: Service) -> None:
        """Take the service; there is no body yet, and there may never be one."""
        super().initialize(service)
        self._body, self._taking = bytearray(), False

    @property
    def body_limit(self) -> int:
        """Bytes."""
        return self.service.limits.message_bytes

    async def prepare(self, **kwargs: Any) -> None:
        """Refuse at once what says that it is too large, or is too much beside what there is; of these no body is
        kept."""
        await super().prepare()
        size = announced(self.request)
        if size > self.body_limit:
            raise HTTPRefusal(self._too_large())
        if self.current_user is None:
            return  # a browser asks what a page of an allowed origin may send; that has no body
        try:
            self.enter("bytes", self.body_limit if "Transfer-Encoding" in self.request.headers else max(1, size))
        except Refusal as refusal:
            raise HTTPRefusal(refusal) from None
        self.bound_body_ourselves()
        connection = self.request.connection
        if connection is not None and hasattr(connection, "set_body_timeout"):
            connection.set_body_timeout(self.service.limits.body_s)
        self._taking = True

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, unless it is more than is allowed."""
        if len(self._body) > self.body_limit:
            self.drop(chunk, self._too_large())
        elif self._taking:
            self._body += chunk

    def on_finish(self) -> None:
        """Keep nothing of the body."""
        self._body = bytearray()
        self.leave()
        super().on_finish()

    @property
    def body(self) -> bytes:
        """The body; Refusal (TOO_LARGE) if it was too large."""
        if len(self._body) > self.body_limit:
            raise self._too_large()
        return bytes(self._body)

    def read_json(self, kind: type[T]) -> T:
        """The body as a value of a type.

        Raises
        ------
        Refusal
            INVALID_JSON, INVALID_MESSAGE or TOO_LARGE.
        """
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except msgspec.ValidationError as error:
            why = explained(error, kind)
            raise Refusal(ErrorCode.INVALID_MESSAGE, f"The body is not what is expected: {why}.") from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refusal(ErrorCode.INVALID_JSON, f"This is not valid JSON ({error}); send one JSON object.") from None

    def _too_large(self) -> Refusal:
        return Refusal(ErrorCode.TOO_LARGE, f"The body is too large; at most {self.body_limit:,} bytes are taken.")


def announced(request: HTTPServerRequest) -> int:
    """Bytes that a request says its body has; 0 if it does not say so, or nonsense, which Tornado refuses later."""
    # Said twice it counts if it is the same, as it does for Tornado.
    text = (request.headers.get("Content-Length") or "").partition(",")[0].strip()
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if len(text) <= 18 else NO_LIMIT


@overload
def query_int(handler: web.RequestHandler, name: str, default: int, *, lowest: int, highest: int = ...) -> int: ...
@overload
def query_int(
    handler: web.RequestHandler, name: str, default: None, *, lowest: int, highest: int = ...
) -> int | None: ...
def query_int(
    handler: web.RequestHandler, name: str, default: int | None, *, lowest: int, highest: int = 2**53
) -> int | None:
    """A whole number of the query; Refusal (INVALID_ARGS) if it is none."""
    text = handler.get_query_argument(name, None)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and lowest <= int(text) <= highest):
        raise Refusal(ErrorCode.INVALID_ARGS, f"{name}={text[:40]} is not a whole number from {lowest} to {highest}.")
    return int(text)


def query_seconds(handler: web.RequestHandler, name: str, highest: float) -> float:
    """Seconds of the query, at most ``highest``; 0 if there are none. Refusal (INVALID_ARGS) if it is no number."""
    text = handler.get_query_argument(name, None) or "0"
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise Refusal(ErrorCode.INVALID_ARGS, f"{name}={text[:40]} is no number of seconds.")
    return min(seconds, highest)
