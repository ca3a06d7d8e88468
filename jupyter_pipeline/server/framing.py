"""Tornado's WebSocket protocol with two additions: many messages in one write, and a 1009 that arrives."""

import asyncio
import contextlib
import struct
from collections.abc import Iterable
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketProtocol13

TOO_LARGE = 1009
_DRAIN_S = 5.0
_DRAIN_IDLE_S = 0.5
_DRAIN_BYTES = 256 << 20
_FINAL_TEXT = 0x81


def text_frame(message: bytes) -> bytes:
    """A whole text message as an unmasked WebSocket frame (RFC 6455, section 5.2)."""
    size = len(message)
    if size < 126:
        return struct.pack("!BB", _FINAL_TEXT, size) + message
    if size <= 0xFFFF:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + message
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + message


class Protocol(WebSocketProtocol13):
    """The server's side of a socket."""

    _draining = False
    _drain: "asyncio.Task[None] | None" = None

    def write_messages(self, messages: Iterable[bytes]) -> "asyncio.Future[None]":
        """Send text messages with one write to the stream.

        Returns
        -------
        Future
            Done when they have left for the network.

        Raises
        ------
        WebSocketClosedError
            If the socket is closed.
        """
        if self.is_closing() or self.stream is None:
            raise WebSocketClosedError()
        if self.params.compression_options is not None:
            written: Any = asyncio.gather(*[self.write_message(message) for message in messages])
            return asyncio.ensure_future(_quiet(written))
        try:
            written = self.stream.write(b"".join(text_frame(message) for message in messages))
        except StreamClosedError:
            raise WebSocketClosedError() from None
        return asyncio.ensure_future(_quiet(written))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close; over the message limit, what the client still sends is read and dropped.

        Without that the kernel answers the unread rest of the message with a reset, which overtakes the close
        frame, and the client never learns what was wrong.
        """
        super().close(code, reason)
        if code == TOO_LARGE and self._drain is None and self.stream is not None and not self.stream.closed():
            self._draining = True
            self._drain = asyncio.ensure_future(self._drop_the_rest())

    def _abort(self) -> None:
        if self._draining:
            self.client_terminated = True  # ends the loop that reads frames
            return
        super()._abort()

    async def _drop_the_rest(self) -> None:
        dropped = 0
        with contextlib.suppress(StreamClosedError, asyncio.TimeoutError, AssertionError):
            async with asyncio.timeout(_DRAIN_S):
                while dropped < _DRAIN_BYTES and self.stream is not None:
                    reading = self.stream.read_bytes(1 << 16, partial=True)
                    dropped += len(await asyncio.wait_for(reading, _DRAIN_IDLE_S))
        self._draining = False
        self._abort()


async def _quiet(written: Any) -> None:
    try:
        await written
    except StreamClosedError:
        raise WebSocketClosedError() from None
