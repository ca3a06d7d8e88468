"""A WebSocket client on a bare stream, so that a test can cut the connection wherever it likes."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from typing import Any


class Cut(Exception):
    """The connection is gone; ``code`` and ``reason`` are those of the close frame, if one came."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class RawSocket:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._kept = b""
        self._crawl: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, port: int, path: str, token: str, sock: socket.socket | None = None) -> "RawSocket":
        """Connect (unless ``sock`` is) and shake hands; Cut if the server is not there or does not want to."""
        writer = None
        try:
            if sock is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            else:
                reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
            key = base64.b64encode(os.urandom(16)).decode()
            request = (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: token {token}\r\n\r\n"
            )
            writer.write(request.encode())
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            if writer is not None:
                writer.transport.abort()
            raise Cut from None
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            writer.transport.abort()
            raise Cut
        return cls(reader, writer)

    def send(self, message: Any) -> None:
        """Send an object as a masked text frame."""
        data, mask = json.dumps(message).encode(), os.urandom(4)
        head = (
            struct.pack("!BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack("!BBH", 0x81, 254, len(data))
        )
        self._writer.write(head + mask + bytes(b ^ mask[n % 4] for n, b in enumerate(data)))

    async def _read(self, size: int) -> bytes:
        """From what was read slowly, then from the stream."""
        kept, self._kept = self._kept[:size], self._kept[size:]
        return kept + await self._reader.readexactly(size - len(kept)) if len(kept) < size else kept

    async def frame(self) -> bytes:
        """The next text frame; Cut at the end, whether in a close frame or not."""
        try:
            while True:
                first, size = await self._read(2)
                if size == 126:
                    (size,) = struct.unpack("!H", await self._read(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", await self._read(8))
                data = await self._read(size)
                if first == 0x81:
                    return data
                if first == 0x89:
                    self._writer.write(b"\x8a\x80\0\0\0\0")
                if first == 0x88:
                    raise Cut(struct.unpack("!H", data[:2])[0], data[2:].decode()) if size >= 2 else Cut
        except (OSError, asyncio.IncompleteReadError):
            raise Cut from None

    def slowly(self, per_second: int | None) -> None:
        """Take so many bytes a second from the kernel, for nobody; None: read as usual again."""
        if self._crawl is not None:
            self._crawl.cancel()
            self._crawl = None
        if per_second is not None:
            self._crawl = asyncio.get_running_loop().create_task(self._slowly(per_second))

    async def _slowly(self, per_second: int) -> None:
        while True:
            await asyncio.sleep(1.0)
            with contextlib.suppress(TimeoutError):
                if per_second == 0:
                    continue
                self._kept += await asyncio.wait_for(self._reader.read(per_second), 0.1)

    def cut(self) -> None:
        """Drop the connection without a word, with what was not read."""
        self._writer.transport.abort()
