"""A client that costs little: many sockets in one process, frames counted by their headers.

What a WebSocket library does with each frame would be measured instead of the server. Here the stream is cut by the
two to ten bytes before each frame; only the first socket, the witness, looks into the frames.
"""

import asyncio
import base64
import os
import struct
import time
from typing import Any


class Reader(asyncio.Protocol):
    """One socket: the handshake, then counting."""

    def __init__(self, path: str, token: str, witness: bool) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Authorization: token {token}\r\n\r\n"
        ).encode()
        self._witness = witness
        self._open = False
        self._rest = b""
        self._skip = 0
        self.frames = 0
        self.bytes = 0
        self.opened_s = 0.0
        self.first_s: float | None = None
        self.latencies: list[float] = []
        self.pongs: list[float] = []
        self.seqs: list[int] = []
        self.opened = asyncio.get_running_loop().create_future()
        self.transport: Any = None
        self.waiting: tuple[int, asyncio.Future[None]] | None = None
        self.error: str | None = None
        self.wanted = b""
        self.answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._started = time.perf_counter()
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.opened, self.waiting[1] if self.waiting else None):
            if future is not None and not future.done():
                future.set_exception(ConnectionError(self.error or "the server closed the socket"))

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._rest += data
            end = self._rest.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in self._rest[:20]:
                self.error = self._rest[:80].decode()
                self.transport.abort()
                return
            data, self._rest, self._open = self._rest[end + 4 :], b"", True
            self.opened_s = time.perf_counter() - self._started
            self.opened.set_result(None)
        self.bytes += len(data)
        if self._witness:
            self._look(data)
        else:
            self._walk(data)
        if self.waiting is not None and self.frames >= self.waiting[0] and not self.waiting[1].done():
            self.waiting[1].set_result(None)

    def _walk(self, data: bytes) -> None:
        """Count the frames that begin in the data."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, end, frames = self._skip, len(data), 0
        while at + 2 <= end:
            size = data[at + 1]
            if data[at] & 0x08:
                frames -= 1
                self._control(data[at])
            if size < 126:
                at += 2 + size
            elif size == 126:
                if at + 4 > end:
                    break
                at += 4 + (data[at + 2] << 8 | data[at + 3])
            else:
                if at + 10 > end:
                    break
                at += 10 + struct.unpack_from("!Q", data, at + 2)[0]
            frames += 1
        if at < end:
            self._rest, self._skip = data[at:], 0
        else:
            self._skip = at - end
        if frames:
            self._counted(frames)

    def _look(self, data: bytes) -> None:
        """Cut the frames out whole, and note the number and the age of each event."""
        data = self._rest + data
        now, at, end, frames = time.time(), 0, len(data), 0
        while at + 2 <= end:
            size, start = data[at + 1], at + 2
            if size == 126:
                if at + 4 > end:
                    break
                size, start = data[at + 2] << 8 | data[at + 3], at + 4
            elif size == 127:
                if at + 10 > end:
                    break
                size, start = struct.unpack_from("!Q", data, at + 2)[0], at + 10
            if start + size > end:
                break
            frame, control = data[start : start + size], data[at] & 0x08
            if control:
                self._control(data[at])
            at = start + size
            if control:
                continue
            frames += 1
            if b'"METRIC_SCALAR"' in frame:
                self.latencies.append(now - float(frame.split(b'"value":', 1)[1].split(b",", 1)[0]))
                self.seqs.append(int(frame.split(b'"seq":', 1)[1].split(b",", 1)[0]))
            elif self.answered is not None and self.wanted in frame and not self.answered.done():
                self.answered.set_result(None)
            elif b'"pong"' in frame:
                self.pongs.append(time.perf_counter())
        self._rest = data[at:]
        if frames:
            self._counted(frames)

    def _control(self, first: int) -> None:
        """Answer a ping; control frames are not counted."""
        if first == 0x89:
            self.transport.write(b"\x8a\x80\0\0\0\0")

    def _counted(self, frames: int) -> None:
        if self.first_s is None:
            self.first_s = time.perf_counter() - self._started
        self.frames += frames

    async def until(self, frames: int) -> None:
        """Return when so many frames have come, counted from the start."""
        if self.frames < frames:
            self.waiting = frames, asyncio.get_running_loop().create_future()
            await self.waiting[1]
            self.waiting = None

    def send(self, text: bytes) -> None:
        """Send a text message of up to 125 bytes, masked with zeros."""
        self.transport.write(bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text)


async def connect(port: int, path: str, token: str, clients: int) -> list[Reader]:
    """So many sockets, open; the first is the witness."""
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    for n in range(clients):
        _, reader = await loop.create_connection(lambda w=n == 0: Reader(path, token, w), "127.0.0.1", port)  # type: ignore[misc]
        await reader.opened
        readers.append(reader)
    return readers
