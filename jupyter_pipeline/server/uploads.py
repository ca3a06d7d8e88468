"""Uploading a data file: the raw body, streamed to disk, bounded, and in place only when it is whole."""

import asyncio
import contextlib
from pathlib import Path
from typing import IO, Any

from tornado import web

from ..faults import crash_point
from ..project.placing import discard, file_name, open_part, publish, refuse_empty
from ..protocol.errors import ErrorCode, Refusal
from .base import HTTPRefusal, ProjectHandler, announced, guarded
from .errors import NotFound
from .service import Service

_FLUSH_BYTES = 1 << 20
_PROGRESS_BYTES = 1024


@web.stream_request_body
class DataHandler(ProjectHandler):
    """``api/projects/{id}/data``."""

    _part: Path | None = None
    _file: IO[bytes] | None = None
    _problem: Refusal | None = None
    _size = 0
    _flushed = 0
    _flushing = False
    _stall: asyncio.TimerHandle | None = None

    def initialize(self, service: Service) -> None:
        """Take the service, and let the name of the person's file not be in the address that Jupyter logs."""
        super().initialize(service)
        self.request.uri = self.request.path

    async def prepare(self, **kwargs: Any) -> None:
        """Check everything that can be before the first byte is taken."""
        self._buffer = bytearray()
        self._connected = contextlib.ExitStack()
        await super().prepare()
        if self.request.method != "POST":
            return
        try:
            await self.require("write")
            self.check_rate("upload")
            self.enter("uploads")
            self._name = file_name(self.get_query_argument("name", ""))
            if self.request.headers.get("Content-Type", "").startswith("multipart/"):
                raise Refusal(ErrorCode.INVALID_MESSAGE, "Send the file's bytes as the raw body, not as a form.")
            if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Refusal(
                    ErrorCode.INVALID_MESSAGE,
                    "Send the file's bytes as they are, without Content-Encoding; a file that is compressed itself "
                    "(data.csv.gz) may be sent.",
                )
            self._project = await self.service.manager.open(self.path_args[0])
            self._connected.enter_context(self._project.connected())
            most = self.service.limits.project_files
            if most is not None and sum(one.source == "upload" for one in self._project.state.datasets) >= most:
                raise Refusal(
                    ErrorCode.TOO_LARGE,
                    f"{most:,} files were uploaded to this project, which is the most that are taken; put further ones "
                    "into the workspace folder and name them, or begin another project.",
                )
            if self._project.read_only is not None:
                raise Refusal(ErrorCode.BUSY, self._project.read_only)
            if why := self._project.log_full:
                raise Refusal(ErrorCode.TOO_LARGE, why)
            if why := await asyncio.to_thread(self._project.files.leads_outside):
                raise Refusal(ErrorCode.INVALID_ARGS, why)
            await self._open(self._project.data_dir)
        except Refusal as refusal:
            raise HTTPRefusal(refusal) from refusal

    async def _open(self, folder: Path) -> None:
        """Find how much may come, and open the file that it goes to."""
        self._most, self._why = await self._project.left()
        most = self.service.limits.upload_bytes
        if most is not None and most <= self._most:
            self._most = most
            self._why = f"The file is too large; at most {most:,} bytes are taken (PipelineApp.upload_limit)."
        if announced(self.request) > self._most:
            raise self._too_large()
        self.bound_body_ourselves()
        try:
            self._part, self._file = await asyncio.to_thread(open_part, folder)
        except OSError as error:
            raise Refusal(ErrorCode.TOO_LARGE, f"The file could not be stored ({error}).") from None
        self._watch_progress()

    def _watch_progress(self) -> None:
        """Give the upload up when nothing comes: a client that keeps still holds a file and a connection."""
        before, flushed = self._size + self._dropped, self._flushed
        loop = asyncio.get_running_loop()

        def look() -> None:
            # While a piece is on its way to the disk nothing is read.
            if self._size + self._dropped - before >= _PROGRESS_BYTES or self._flushed != flushed or self._flushing:
                self._watch_progress()
            elif self._file is not None and self.request.connection is not None:
                self.request.connection.close()  # type: ignore[attr-defined]

        self._stall = loop.call_later(self.service.limits.upload_stall_s, look)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; the next comes when this is on its way to the disk."""
        if self._problem is not None:
            self.drop(chunk, self._problem)
            return
        if self._file is None:
            return
        self._size += len(chunk)
        if self._size > self._most:
            self._problem = self._too_large()
            return
        self._buffer += chunk
        if len(self._buffer) >= _FLUSH_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        piece, self._buffer = bytes(self._buffer), bytearray()
        try:
            assert self._file is not None
            self._flushing = True
            await asyncio.to_thread(self._file.write, piece)
        except OSError as error:
            self._problem = Refusal(ErrorCode.TOO_LARGE, f"The file could not be stored ({error}).")
        finally:
            self._flushing = False
            self._flushed += 1
        crash_point("upload.middle", "DATA")

    @guarded("write")
    async def post(self, project_id: str) -> None:
        """Put the file in place and make it a data set candidate."""
        if self._problem is None:
            await self._flush()
        if self._problem is not None:
            raise self._problem
        refuse_empty(self._name, self._size)
        assert self._file is not None
        assert self._part is not None
        self._watch_no_more()
        try:
            place, is_new = await asyncio.to_thread(publish, self._file, self._part, self._name)
        except FileNotFoundError:
            raise _gone() from None
        except OSError as error:
            raise Refusal(ErrorCode.TOO_LARGE, f"The file could not be stored ({error}).") from None
        crash_point("upload.placed", "DATA")
        try:
            dataset = await self._project.add_dataset(place, self.user)
        except FileNotFoundError:
            raise _gone() from None
        except BaseException:
            if is_new:
                place.unlink(missing_ok=True)
            raise
        self.answer({"dataset": dataset}, 201 if is_new else 200)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Clean up before the client hears of it."""
        self._discard()
        super().write_error(status_code, **kwargs)

    def on_finish(self) -> None:
        """Leave nothing half done behind."""
        self._discard()
        super().on_finish()

    def on_connection_close(self) -> None:
        """The client is gone before all was sent."""
        self._problem = Refusal(ErrorCode.INVALID_MESSAGE, "The connection was closed.")
        self._discard()
        super().on_connection_close()

    def _watch_no_more(self) -> None:
        if self._stall is not None:
            self._stall.cancel()

    def _discard(self) -> None:
        self._watch_no_more()
        self.leave()
        file, self._file = self._file, None
        part, self._part = self._part, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        if part is not None:
            discard(part)
        connected = getattr(self, "_connected", None)
        if connected is not None:
            connected.close()

    def _too_large(self) -> Refusal:
        return Refusal(ErrorCode.TOO_LARGE, self._why)


def _gone() -> NotFound:
    return NotFound("The project was deleted while the file came, or the file was removed; upload it again.")
