"""Tornado's WebSocket protocol with additions: many messages in one write, bounds, and refusals that arrive."""

import asyncio
import contextlib
import functools
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketProtocol13

from ..protocol.connecting import FLOODING, TOO_LARGE
from ..protocol.errors import Refusal
from .limits import Bucket

if sys.platform != "win32":
    import fcntl
    import termios

NOT_WHOLE = "A message was begun, and its rest did not come in time."
SMALL_FRAMES = 6000.0
"""Pings, pongs and fragments of messages that a client may send in a minute."""
COUNTED = 4 << 10
"""Bytes of a frame, or of a message that is not whole, from which on they count among what a user has on the way."""
_DRAIN_S = 5.0
_DRAIN_IDLE_S = 0.5
_DRAIN_BYTES = 256 << 20
_FINAL_TEXT = 0x81
_TEXT, _BINARY = 0x1, 0x2


@functools.lru_cache(maxsize=4096)
def _header(size: int) -> bytes:
    """What goes before a whole text message of some bytes, unmasked (RFC 6455, section 5.2)."""
    if size < 126:
        return struct.pack("!BB", _FINAL_TEXT, size)
    if size <= 0xFFFF:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size)
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size)


def text_frames(messages: Sequence[bytes]) -> bytes:
    """Several text messages, each a frame, as the bytes of one write."""
    parts = [b""] * (2 * len(messages))
    parts[::2] = map(_header, map(len, messages))
    parts[1::2] = messages
    return b"".join(parts)


class Protocol(WebSocketProtocol13):
    """The server's side of a socket.

    Parameters
    ----------
    reserve : callable
        Counts bytes among those that the user has on the way, and returns what counts them no more; Refusal if that
        is too much.
    message_s : float
        Seconds in which a message must be whole.
    *args, **kwargs
        As Tornado has them.
    """

    text = False
    """Whether the message that the handler has now was sent as text; it gets the bytes."""
    _draining = False
    _flooded = False
    _drain: "asyncio.Task[None] | None" = None

    def __init__(
        self, reserve: Callable[[int], Callable[[], None]], message_s: float, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._reserve = reserve
        self._message_s = message_s
        self._deadline: asyncio.TimerHandle | None = None
        self._let_go: Callable[[], None] | None = None
        self._small = Bucket(SMALL_FRAMES / 60.0, SMALL_FRAMES)

    async def _read_bytes(self, n: int) -> bytes:
        """Read; what is large has to come in time, and counts until it has."""
        if n < COUNTED:
            return await super()._read_bytes(n)
        leave = self._counted(n)
        try:
            async with asyncio.timeout(self._message_s):
                return await super()._read_bytes(n)
        except TimeoutError:
            self._cut_off(NOT_WHOLE)
            raise StreamClosedError from None
        finally:
            leave()

    async def _receive_frame(self) -> None:
        await super()._receive_frame()
        begun = self._fragmented_message_buffer
        if begun is not None:
            self._count_small()
        self._count_begun(0 if begun is None else len(begun))

    def _count_begun(self, size: int) -> None:
        """A message that is begun and not whole: its pieces count, and the rest has to come in time."""
        if self._let_go is not None:
            self._let_go()
            self._let_go = None
        if self._deadline is not None and size == 0:
            self._deadline.cancel()
            self._deadline = None
        if size and not self.is_closing():
            if self._deadline is None:
                loop = asyncio.get_running_loop()
                self._deadline = loop.call_later(self._message_s, self._cut_off, NOT_WHOLE)
            if size >= COUNTED:
                self._let_go = self._counted(size)

    def _counted(self, size: int) -> Callable[[], None]:
        try:
            return self._reserve(size)
        except Refusal as refusal:
            self._cut_off(refusal.message)
            raise StreamClosedError from None

    def _cut_off(self, why: str) -> None:
        """Close, and let the client learn why."""
        if not self.is_closing():
            self._flooded = True
            self.close(FLOODING, why[:100])
            self._abort()

    def _handle_message(self, opcode: int, data: bytes) -> "asyncio.Future[None] | None":
        if opcode & 0x8:
            self._count_small()
        else:
            self._count_begun(0)  # it is whole
            self.text = opcode == _TEXT
        # As bytes: of a text that is not UTF-8 Tornado would tell nobody, and cut the connection.
        return super()._handle_message(_BINARY if opcode == _TEXT else opcode, data)

    def _count_small(self) -> None:
        """Frames that are no message are not counted by what counts messages, and cost the event loop as much."""
        if self._small.take() > 0.0:
            self._cut_off("Too many pings, pongs or fragments.")

    @property
    def plain(self) -> bool:
        """Whether frames go as they are, the same to every client: nothing compresses."""
        return self.params.compression_options is None

    def write_messages(self, messages: Sequence[bytes]) -> "asyncio.Future[Any] | None":
        """Send text messages; returns and raises what :meth:`write_frames` does."""
        if self.plain:
            return self.write_frames(text_frames(messages))
        if self.is_closing() or self.stream is None:
            raise WebSocketClosedError()
        return asyncio.gather(*[self.write_message(message) for message in messages], return_exceptions=True)

    def write_frames(self, frames: bytes) -> "asyncio.Future[Any] | None":
        """Send what :func:`text_frames` made, with one write to the stream.

        Returns
        -------
        Future or None
            Done when they have left for the network; None if they already have.

        Raises
        ------
        WebSocketClosedError
            If the socket is closed.
        """
        if self.is_closing() or self.stream is None:
            raise WebSocketClosedError()
        try:
            written: asyncio.Future[Any] = self.stream.write(frames)
        except StreamClosedError:
            raise WebSocketClosedError() from None
        return written if self.stream.writing() else None

    async def periodic_ping(self) -> None:
        """Ping, and close when nothing came of it: no pong, and nothing of what was sent before it arrived either.

        The pong of a slow reader waits behind all that it has not read; without the second question a client that
        reads 1 KB/s would be taken for dead.
        """
        interval = self.ping_interval
        await asyncio.sleep(interval)
        while True:
            self._received_pong = False
            arrived = self._arrived()
            self.write_ping(b"")
            await asyncio.sleep(interval)
            if not self._received_pong and self._arrived() <= arrived:
                self.close(reason="ping timed out")
                return

    def _arrived(self) -> int:
        """Bytes that the client's kernel has confirmed, as far as this system can say, since the socket opened."""
        if self.stream is None or self.stream.closed():
            return 0
        taken: int = getattr(self.stream, "_total_write_done_index", 0)
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                (waiting,) = struct.unpack("i", fcntl.ioctl(self.stream.fileno(), termios.TIOCOUTQ, b"\0" * 4))
                taken -= waiting
        return taken

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close; over a limit, what the client still sends is read and dropped.

        Without that the kernel answers the unread rest of the message with a reset, which overtakes the close
        frame, and the client never learns what was wrong.
        """
        super().close(code, reason)
        over = code == TOO_LARGE or self._flooded
        if over and self._drain is None and self.stream is not None and not self.stream.closed():
            self._draining = True
            self._drain = asyncio.ensure_future(self._drop_the_rest())

    def _abort(self) -> None:
        self._count_begun(0)
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
