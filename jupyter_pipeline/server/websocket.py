"""The WebSocket endpoint: a thin handler around :class:`~jupyter_pipeline.server.connection.Connection`."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from ..protocol.connecting import GOING_DOWN
from ..protocol.errors import Refusal
from .access import RESOURCE
from .base import KERNEL_BYTES, ONE, HTTPRefusal, JsonErrors, query_int
from .connection import Connection
from .framing import Protocol

_PING_S = 25.0


class ProjectSocket(JsonErrors, WebSocketHandler):
    """``ws/projects/{project_id}``."""

    auth_resource = RESOURCE
    _connection: Connection | None = None

    async def prepare(self, **kwargs: Any) -> None:
        """Let in who is known; 403 else, never a redirect to the login page."""
        await super().prepare(_redirect_to_login=False)

    @ws_authenticated
    @authorized(action="read", resource=RESOURCE)  # type: ignore[untyped-decorator]
    async def get(self, *args: str, **kwargs: str) -> None:  # type: ignore[override]
        """Open the socket, unless the request for it is wrong or nothing can be done now."""
        try:
            self._since = query_int(self, "since", None, lowest=0)
            self._epoch = self.get_query_argument("epoch", None)
            await self.service.manager.check_new(self.path_args[0])
            self.check_rate("connect")
            self.enter("sockets")
        except Refusal as refusal:
            raise HTTPRefusal(refusal) from None
        try:
            await super().get(*args, **kwargs)  # until the socket is closed
        finally:
            self.leave()

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin the connection."""
        self.set_nodelay(True)
        self._bound_kernel_buffer()
        try:
            project = await self.service.manager.open(self.path_args[0])
        except Refusal as refusal:
            self.close(GOING_DOWN, refusal.message[:100])
            return
        self._connection = Connection(self.service, project, self.user, self.rate_key, self.require, self)
        await self._connection.open(self._since, self._epoch)

    def _bound_kernel_buffer(self) -> None:
        stream = self._protocol.stream
        if stream is not None and not stream.closed():
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    async def on_message(self, message: str | bytes) -> None:
        """Handle a frame; the next is read when this is done."""
        if self._connection is None or self.ws_connection is None:  # or closed by us: nothing more is taken
            return
        if self._protocol.text and isinstance(message, bytes):
            with contextlib.suppress(UnicodeDecodeError):
                message = message.decode()
        await self._connection.receive(message)

    def on_close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.ended()

    @property
    def plain(self) -> bool:
        """Whether frames go as they are, the same to every client."""
        return not self.service.compression

    def write_messages(self, messages: Sequence[bytes]) -> "asyncio.Future[Any] | None":
        """Send text messages; done, or None, when they have left."""
        return self._protocol.write_messages(messages)

    def write_frames(self, frames: bytes) -> "asyncio.Future[Any] | None":
        """Send text messages that are frames already; done, or None, when they have left."""
        return self._protocol.write_frames(frames)

    @property
    def _protocol(self) -> Protocol:
        if not isinstance(self.ws_connection, Protocol):
            raise WebSocketClosedError()
        return self.ws_connection

    def get_websocket_protocol(self) -> Protocol | None:
        """Tornado's protocol with our additions."""
        plain = super().get_websocket_protocol()
        if not isinstance(plain, WebSocketProtocol13):
            return None
        return Protocol(self._reserve, self.service.limits.body_s, self, False, plain.params)

    def _reserve(self, size: int) -> Callable[[], None]:
        return self.service.crowd.enter(self.rate_key, "bytes", size)

    def get_compression_options(self) -> dict[str, Any] | None:
        """None: no compression."""
        return {} if self.service.compression else None

    @property
    def ping_interval(self) -> float:
        """Seconds between pings, which keep proxies from closing a quiet socket."""
        return self.settings.get("websocket_ping_interval") or _PING_S

    @property
    def max_message_size(self) -> int:
        """Bytes of a message; more closes the socket with 1009."""
        return self.service.limits.message_bytes


default_handlers = [(rf"/ws/projects/{ONE}", ProjectSocket)]
