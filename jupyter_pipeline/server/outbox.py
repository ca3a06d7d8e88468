"""What waits to be written to one socket: how much it is, and when there is room again."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from tornado.websocket import WebSocketClosedError

LOW_WATER = 64 << 10
"""Bytes that may wait when further events are written."""
CONTROL_LIMIT = 256 << 10
"""Bytes of acks, errors and pongs that may wait before no more messages are read."""

Written = asyncio.Future[Any] | None
"""When something has left; None if it already has."""


class Socket(Protocol):
    """The socket itself."""

    @property
    def plain(self) -> bool:
        """Whether frames go as they are, the same to every client."""

    def write_messages(self, messages: Sequence[bytes]) -> Written:
        """Send text messages."""

    def write_frames(self, frames: bytes) -> Written:
        """Send text messages that are frames already; only where the socket is plain."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close."""


class Outbox:
    """Writes to a socket, with its memory bounded.

    Who writes events waits for room before it takes them from the log, so a client that does not read costs one
    batch. Answers to the client's own messages do not wait behind that, so it can still cancel; only when these pile
    up too does :meth:`answer` wait, and with it the reading of further messages.

    Parameters
    ----------
    socket : Socket
        Where to write.
    """

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._waiting = 0
        self._answers = 0
        self._room = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """Let those who wait for room go; what they write next raises WebSocketClosedError."""
        self._closed = True
        self._room.set()

    async def room(self) -> None:
        """Return when events may be written; WebSocketClosedError if the socket is closed."""
        while self._waiting > LOW_WATER:
            await self._wait()

    def frames(self, frames: bytes) -> None:
        """Write events that are frames already; WebSocketClosedError if the socket is closed."""
        self._check()
        self._count(len(frames), self._socket.write_frames(frames))

    def messages(self, messages: Sequence[bytes]) -> None:
        """Write events; WebSocketClosedError if the socket is closed."""
        self._check()
        self._count(sum(map(len, messages)), self._socket.write_messages(messages))

    async def answer(self, *messages: bytes) -> None:
        """Write answers now, then wait if too many of them pile up; nothing if the socket is closed."""
        try:
            self._check()
            self._count(sum(map(len, messages)), self._socket.write_messages(messages), answer=True)
            while self._answers > CONTROL_LIMIT and not self._closed:
                await self._wait()
        except WebSocketClosedError:
            pass

    async def _wait(self) -> None:
        self._room.clear()
        self._check()
        await self._room.wait()

    def _check(self) -> None:
        if self._closed:
            raise WebSocketClosedError()

    def _count(self, size: int, written: Written, *, answer: bool = False) -> None:
        if written is None:
            return
        self._waiting += size
        self._answers += size if answer else 0

        def done(future: "asyncio.Future[Any]") -> None:
            self._waiting -= size
            self._answers -= size if answer else 0
            self._room.set()
            if not future.cancelled():
                future.exception()  # that it was closed is told elsewhere

        written.add_done_callback(done)
