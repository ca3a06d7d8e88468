"""The files that stages made, for browsers and scripts: ranges, ETags, and no script that could act for the user."""

import asyncio
import mimetypes
import os
import re
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.iostream import StreamClosedError

from ..protocol.events import Artifact
from .access import RESOURCE
from .base import JsonErrors, ProjectHandler, guarded
from .errors import NotFound

_CHUNK = 256 << 10
_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}
_ACTIVE = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml")
_INLINE = ("text/html", "image/", "application/json", "text/")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class AssetsHandler(ProjectHandler):
    """``api/projects/{id}/assets``."""

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """List the assets, oldest first."""
        project = await self.find(project_id)
        self.answer({"assets": project.artifacts()})


class AssetHandler(JsonErrors):
    """``api/projects/{id}/assets/{asset_id}``."""

    auth_resource = RESOURCE

    async def prepare(self, **kwargs: Any) -> None:
        """Refuse what a page of another origin asks in the user's name."""
        await super().prepare(_redirect_to_login=False)
        if not self.check_origin():
            raise web.HTTPError(404)

    @allow_unauthenticated
    def options(self, project_id: str, asset_id: str) -> None:
        """Let a page of an allowed origin send its token: a browser asks before it does."""
        self.set_header("Access-Control-Allow-Headers", "accept, authorization, if-none-match, if-range, range")
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        self.set_status(204)
        self.finish()

    @guarded("read")
    async def head(self, project_id: str, asset_id: str) -> None:
        """The headers alone."""
        await self._serve(project_id, asset_id, with_body=False)

    @guarded("read")
    async def get(self, project_id: str, asset_id: str) -> None:
        """The file, or a range of it."""
        await self._serve(project_id, asset_id, with_body=True)

    async def _serve(self, project_id: str, asset_id: str, *, with_body: bool) -> None:
        project = await self.service.manager.find(project_id)
        if project is None:
            raise NotFound(f"There is no project {project_id!r}.")
        artifact = project.state.artifacts.get(asset_id)
        opened = None if artifact is None else await asyncio.to_thread(project.files.open_asset, artifact)
        if artifact is None or opened is None:
            raise NotFound(f"The project has no asset {asset_id[:80]!r}; GET the folder of assets for their list.")
        path, file = opened
        with file:
            stat = os.fstat(file.fileno())
            self._set_headers(artifact, path, stat)
            if self.check_etag_header():
                self.set_status(304)
                self.finish()
                return
            wanted = self._range(stat.st_size)
            if wanted is None:
                self.set_status(416)
                self.set_header("Content-Range", f"bytes */{stat.st_size}")
                self.finish()
                return
            start, end = wanted
            if end - start != stat.st_size:
                self.set_status(206)
                self.set_header("Content-Range", f"bytes {start}-{end - 1}/{stat.st_size}")
            self.set_header("Content-Length", str(end - start))
            if with_body:
                await self._send(file, start, end)
        self.finish()

    def _set_headers(self, artifact: Artifact, path: Path, stat: os.stat_result) -> None:
        kind = content_type(path)
        inline = kind.startswith(_INLINE) and self.get_query_argument("download", "") in ("", "0", "false")
        self._etag = f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        self.set_header("Content-Type", kind)
        self.set_header("Content-Disposition", disposition(path.name, inline=inline))
        # Inside a sandbox, scripts of a report run, but as nobody: they cannot call the server as the user.
        sandbox = "sandbox allow-scripts" if kind.startswith(_ACTIVE) else "sandbox; default-src 'none'"
        self.set_header("Content-Security-Policy", f"{sandbox}; {self.content_security_policy}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("ETag", self._etag)
        self.set_header("Last-Modified", formatdate(stat.st_mtime, usegmt=True))

    def compute_etag(self) -> str | None:
        """The file's, not one of the body that was written."""
        return getattr(self, "_etag", None)

    def _range(self, size: int) -> tuple[int, int] | None:
        """First byte and the one after the last; all of it where no single valid range is asked; None for 416."""
        asked = _RANGE.fullmatch(self.request.headers.get("Range", "").strip())
        unchanged = self.request.headers.get("If-Range", self._etag) == self._etag
        if asked is None or not unchanged or asked.groups() == ("", ""):
            return 0, size
        first, last = asked.groups()
        if first and last and int(last) < int(first):  # invalid, so ignored (RFC 9110, 14.1.1)
            return 0, size
        if not first:
            return (max(0, size - int(last)), size) if int(last) and size else None
        end = min(size, int(last) + 1) if last else size
        return (int(first), end) if int(first) < end else None

    async def _send(self, file: IO[bytes], start: int, end: int) -> None:
        await asyncio.to_thread(file.seek, start)
        left = end - start
        self.bound_kernel_buffer()
        try:
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(_CHUNK, left))
                if not piece:
                    break
                left -= len(piece)
                await self.send_piece(piece)
        except StreamClosedError:
            return


def content_type(path: Path) -> str:
    """Media type of a file by its name."""
    suffix = path.suffix.lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition for a file (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
