"""What waits to be written to one socket: how much it is, and when there is room again."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from tornado.websocket import WebSocketClosedError

LOW_WATER = 64 << 10
"""Bytes that may wait when further events are written."""
CONTROL_LIMIT = 256 << 10
"""Bytes of acks, errors and pongs that may wait before no more messages are read."""
BATCH_BYTES = 256 << 10
"""Bytes of events that are written at once."""


class Socket(Protocol):
    """The socket itself."""

    def write_messages(self, messages: Sequence[bytes]) -> "asyncio.Future[None]":
        """Send text messages; done when they have left."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Begin to close."""


class Outbox:
    """Writes to a socket, with its memory bounded.

    Events wait for room, so a client that does not read costs one batch. Answers to the client's own messages do
    not wait behind that, so it can still cancel; only when these pile up too does :meth:`answer` wait, and
    with it the reading of further messages.

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

    async def events(self, frames: Sequence[bytes]) -> None:
        """Write frames when there is room; WebSocketClosedError if the socket is closed."""
        while self._waiting > LOW_WATER:
            await self._wait()
        self._write(frames)

    async def answer(self, *frames: bytes) -> None:
        """Write frames now, then wait if too many such answers pile up; nothing if the socket is closed."""
        try:
            self._write(frames, answer=True)
            while self._answers > CONTROL_LIMIT and not self._closed:
                await self._wait()
        except WebSocketClosedError:
            pass

    async def _wait(self) -> None:
        self._room.clear()
        if self._closed:
            raise WebSocketClosedError()
        await self._room.wait()

    def _write(self, frames: Sequence[bytes], *, answer: bool = False) -> None:
        if self._closed:
            raise WebSocketClosedError()
        size = sum(map(len, frames))
        written = self._socket.write_messages(frames)
        self._waiting += size
        self._answers += size if answer else 0

        def done(future: "asyncio.Future[None]") -> None:
            self._waiting -= size
            self._answers -= size if answer else 0
            self._room.set()
            if not future.cancelled():
                future.exception()  # that it was closed is told elsewhere

        written.add_done_callback(done)
