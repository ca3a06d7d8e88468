"""The connection to a Jupyter server: one WebSocket in a background thread, which mends itself."""

import asyncio
import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError, websocket_connect

from ..protocol.connecting import DELETED, FLOODING, TOO_LARGE
from ..protocol.errors import ErrorCode
from ..protocol.frames import ERROR_PREFIX
from .background import LoopThread
from .discovery import Server
from .errors import PipelineError, project_deleted
from .http import Http, access_refused, ssl_context
from .transport import Listener
from .waiting import result_of

PING_S = 20.0
"""Seconds between the socket's own pings; a connection that does not answer for as long is given up."""
BACKOFF_S = (0.25, 10.0)
"""First and longest pause before connecting again."""
RATE_PAUSE_S = 1.0
"""Pause of a long row of requests when the server says that they come too fast."""
FIRST_ATTEMPTS = 4
"""So many attempts more before a server that never answered is said not to be there."""
STARTING_ATTEMPTS = 7
"""The same for a server that answers but cannot serve yet, as while it starts; about twenty seconds."""
MAX_MESSAGE = 1 << 20
MAX_FRAME = 64 << 20


@dataclass
class _Pending:
    """A message that has no answer yet; sent again, under the same id, on every new connection."""

    text: str
    answer: "Future[int]" = field(default_factory=Future)


class WebSocketTransport:
    """A project on a Jupyter server.

    After a cut it resumes behind the last event it had, and sends again what was not acknowledged, under the same id:
    so no event is lost or heard twice, and no message is lost or takes effect twice.

    Parameters
    ----------
    server : Server
        Where, and how to be let in.
    project_id : str
        The project.
    """

    def __init__(self, server: Server, project_id: str) -> None:
        self.server = server
        self.project_id = project_id
        self._http = Http(server)
        self._outbox: dict[str, _Pending] = {}
        self._outbox_lock = threading.Lock()
        self._connection: WebSocketClientConnection | None = None
        self._over: PipelineError | None = None
        self._thread: LoopThread | None = None
        self._ids = itertools.count(1)
        self._prefix = uuid.uuid4().hex[:16]

    # -- called by the Pipeline's thread ---------------------------------------------------------------------

    def start(self, listener: Listener) -> None:
        """Connect, in the background."""
        self._listener = listener
        self._thread = LoopThread(f"jupyter_pipeline {self.project_id}")
        self._thread.submit(self._run())

    def send(self, message: dict[str, Any], timeout_s: float | None = None) -> int:
        """Send a message; the log's head once what it caused is durable. It is not sent again when nobody waits."""
        if self._thread is None or not self._thread.running:
            raise PipelineError("This connection is closed; make a new Pipeline.")
        message_id = f"{self._prefix}-{next(self._ids)}"
        try:
            data = msgspec.json.encode({**message, "id": message_id})
        except (TypeError, ValueError) as error:
            raise PipelineError(f"The message has something in it that cannot be sent: {error}.") from None
        if len(data) > MAX_MESSAGE:
            raise PipelineError(f"The message has {len(data):,} bytes; at most {MAX_MESSAGE:,} can be sent.")
        pending = _Pending(data.decode())
        with self._outbox_lock:
            if self._over is not None:
                raise self._over
            self._outbox[message_id] = pending
        self._thread.loop.call_soon_threadsafe(self._write, pending)
        try:
            return result_of(pending.answer, timeout_s, f"the server's answer to {message['type']!r}")
        finally:
            with self._outbox_lock:
                self._outbox.pop(message_id, None)
                pending.answer.cancel()  # or else it would still go out where it was to be sent again later

    def snapshot(self) -> dict[str, Any]:
        """The project's state."""
        return dict(self._http.get_json(self._path("state")))

    def events(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Events after ``since``, at most ``limit``."""
        answer = self._http.get_json(self._path(f"events?since={since}&limit={limit}"))
        return list(answer["events"])

    def upload(self, file: Path, name: str) -> dict[str, Any]:
        """Give the project a data file; the data set that it became."""
        return dict(self._http.upload(self._path("data?" + urlencode({"name": name})), file)["dataset"])

    def download(self, asset_id: str, write: Callable[[bytes], object]) -> None:
        """Hand an asset's bytes to ``write``, piece by piece."""
        self._http.download(self._path(f"assets/{quote(asset_id, safe='')}"), write)

    def predict(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Predictions of the project's model for some rows."""
        while True:
            try:
                return dict(self._http.post_json(self._path("predict"), {"rows": rows}))
            except PipelineError as error:
                if error.code != ErrorCode.RATE_LIMITED:
                    raise
                time.sleep(RATE_PAUSE_S)

    def delete(self) -> None:
        """Remove the project with all that belongs to it."""
        self._http.delete(self._path("").rstrip("/"))

    def close(self) -> None:
        """End the connection."""
        self._end(PipelineError("This connection was closed; make a new Pipeline."))
        if self._thread is not None:
            self._thread.stop()

    def _path(self, rest: str) -> str:
        return f"api/projects/{quote(self.project_id, safe='')}/{rest}"

    # -- in the background thread ----------------------------------------------------------------------------

    async def _run(self) -> None:
        """Stay connected; what nobody expected ends the connection too, so that nobody waits for it."""
        try:
            await self._stay_connected()
        except Exception as error:
            what = f"{type(error).__name__}: {error}"[:300]
            self._end(PipelineError(f"The connection to {self.server.url} failed ({what}); make a new Pipeline."))

    async def _stay_connected(self) -> None:
        was_connected = False
        attempt = 0
        while self._over is None:
            self._listener.status("reconnecting" if was_connected else "connecting")
            try:
                connection = await self._connect()
            except HTTPClientError as error:
                if error.code in (302, 401, 403):
                    return self._end(access_refused(self.server))
                if error.code in (400, 404) and not was_connected:
                    return self._end(self._not_there(error.code))
                if not was_connected and attempt >= STARTING_ATTEMPTS:
                    why = f"The server at {self.server.url} answered {error.code} {error.message}; its log says why."
                    return self._end(PipelineError(why))
            except (OSError, WebSocketError, StreamClosedError, TimeoutError) as error:
                if not was_connected and attempt >= FIRST_ATTEMPTS:
                    return self._end(PipelineError(f"No Jupyter server answers at {self.server.url} ({error})."))
            else:
                attempt = 0
                was_connected = True
                self._connection = connection
                try:
                    await self._read(connection)
                finally:
                    self._connection = None
                    _hang_up(connection)
                self._closed_with(connection.close_code)
            if self._over is None:
                await asyncio.sleep(min(BACKOFF_S[1], BACKOFF_S[0] * 2**attempt) * random.uniform(0.5, 1.0))
                attempt = min(attempt + 1, 8)
        return None

    async def _connect(self) -> WebSocketClientConnection:
        epoch, seq = self._listener.position
        query = {"since": str(seq)} | ({"epoch": epoch} if epoch else {})
        request = HTTPRequest(
            f"{self.server.websocket(self.project_id)}?{urlencode(query)}",
            headers=dict(self.server.headers),
            connect_timeout=10.0,
            request_timeout=20.0,
            ssl_options=ssl_context(self.server) if self.server.url.startswith("https") else None,
        )
        return await websocket_connect(
            request,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_message_size=MAX_FRAME,
            compression_options={},
        )

    async def _read(self, connection: WebSocketClientConnection) -> None:
        while (text := await connection.read_message()) is not None:
            frame = msgspec.json.decode(text)
            kind = frame.get("type")
            if kind == "ack":
                self._answered(frame["id"], seq=frame["seq"])
            elif kind == "error":
                self._refused(frame)
            elif kind == "EVENT" and not frame.get("ephemeral"):
                self._listener.event(frame)
            elif kind == "EVENT" and frame["event"]["name"] == "HELLO":
                payload = frame["event"]["payload"]
                self._listener.hello(payload["epoch"], payload["seq"], payload)
                self._listener.status("connected")
                with self._outbox_lock:
                    unanswered = list(self._outbox.values())
                for pending in unanswered:
                    self._write(pending)

    def _write(self, pending: _Pending) -> None:
        if self._connection is None or pending.answer.done():
            return  # goes out with the next connection
        try:
            written = asyncio.ensure_future(self._connection.write_message(pending.text))
        except WebSocketClosedError:
            return
        written.add_done_callback(lambda future: future.cancelled() or future.exception())

    def _answered(self, message_id: str, *, seq: int | None = None, error: PipelineError | None = None) -> None:
        with self._outbox_lock:
            pending = self._outbox.pop(message_id, None)
            if pending is None or pending.answer.done():
                return
            if error is not None:
                pending.answer.set_exception(error)
            else:
                pending.answer.set_result(seq or 0)

    def _refused(self, frame: dict[str, Any]) -> None:
        message_id = frame.get("id")
        if not message_id:
            return
        # What could not be stored (INTERNAL) is for people: the disk may stay full for as long as nobody is told.
        soon = frame.get("code") in (ErrorCode.RATE_LIMITED, ErrorCode.BUSY) and frame.get("retryable")
        if soon and frame.get("retry_after_ms") is not None:
            pending = self._outbox.get(message_id)
            if pending is not None:
                asyncio.get_running_loop().call_later(frame["retry_after_ms"] / 1000, self._write, pending)
            return
        error = PipelineError(str(frame["message"]).removeprefix(ERROR_PREFIX), frame.get("code"))
        self._answered(message_id, error=error)

    def _closed_with(self, code: int | None) -> None:
        if code == DELETED:
            self._end(project_deleted(self.project_id))
        elif code in (FLOODING, TOO_LARGE):
            why = "too many messages were sent" if code == FLOODING else "a message was too large"
            for message_id in list(self._outbox):
                self._answered(message_id, error=PipelineError(f"The server closed the connection: {why}."))

    def _not_there(self, code: int) -> PipelineError:
        return PipelineError(
            f"The server at {self.server.url} knows no project socket ({code}). Either jupyter_pipeline is not "
            "installed where that server runs (`jupyter server extension list` shows it), or the address lacks its "
            "base URL."
        )

    def _end(self, error: PipelineError) -> None:
        with self._outbox_lock:
            self._over = self._over or error
            unanswered, self._outbox = list(self._outbox.values()), {}
            for pending in unanswered:
                if not pending.answer.done():
                    pending.answer.set_exception(error)
        if hasattr(self, "_listener"):
            self._listener.status("closed", str(error), error.code)


def _hang_up(connection: WebSocketClientConnection) -> None:
    """Say goodbye and close the socket; whoever closes a Pipeline does not wait for the server's goodbye."""
    stream: Any = getattr(connection.protocol, "stream", None)
    connection.close()
    if stream is not None:
        stream.close()
