"""The conductor in this process, for places without a Jupyter server: the same projects, the same events."""

import asyncio
import atexit
import contextlib
import getpass
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import User
from ..protocol.messages import Chat, Command, Confirm, convert_message
from .background import LoopThread
from .errors import PipelineError, project_deleted
from .http import CHUNK
from .transport import Listener
from .waiting import result_of

if TYPE_CHECKING:
    from ..project.manager import Beginning, Project, ProjectManager

T = TypeVar("T")
STORE_S = 10.0
"""After so many seconds in which nothing could be stored, waiting for a project ends with an error."""


class Host:
    """The one conductor of a workspace folder in this process; ends with its last user, or with the process."""

    _hosts: "dict[Path, Host]" = {}
    _lock = threading.Lock()
    _registered = False

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.thread = LoopThread("jupyter_pipeline conductor")
        self._users = 0
        try:
            self.manager = result_of(self.thread.submit(self._start()), 60.0, "the start of the conductor")
        except BaseException:
            self.thread.stop()
            raise

    async def _start(self) -> "ProjectManager":
        from ..project.manager import ProjectManager, Settings

        manager = ProjectManager(Settings(workspace_dir=str(self.workspace)))
        try:
            # Others than those that are opened here belong to somebody who will come back for them.
            await manager.start(take_up=False)
        except RuntimeError as error:
            raise PipelineError(str(error)) from error
        return manager

    @classmethod
    def of(cls, workspace: Path) -> "Host":
        """The host of a folder, started if there is none."""
        workspace = workspace.expanduser().resolve()
        with cls._lock:
            host = cls._hosts.get(workspace)
            if host is None:
                host = cls._hosts[workspace] = cls(workspace)
                cls._stop_at_exit()
            host._users += 1
            return host

    @classmethod
    def _stop_at_exit(cls) -> None:
        if not cls._registered:
            cls._registered = True
            # Before the executors of the process are shut down, which stopping needs; atexit itself comes after that.
            getattr(threading, "_register_atexit", atexit.register)(cls.close_all)

    def beginning(self, project_id: str) -> "Beginning | None":
        """What a project began with, None if there is none of this name; nothing goes on in it.

        Raises
        ------
        PipelineError
            If its log cannot be read.
        """
        return result_of(self.thread.submit(self._readable(project_id, self.manager.beginning)), None, "the log")

    async def open(self, project_id: str) -> "Project":
        """A project; PipelineError if its log cannot be read."""
        return await self._readable(project_id, self.manager.open)

    @staticmethod
    async def _readable(project_id: str, read: Callable[[str], Coroutine[Any, Any, T]]) -> T:
        from ..project.manager import LogUnreadable

        try:
            return await read(project_id)
        except LogUnreadable as error:
            raise PipelineError(f"The log of the project {project_id!r} cannot be read ({error}).") from None

    def release(self) -> None:
        """One user less; the last one out stops the conductor."""
        with self._lock:
            self._users -= 1
            if self._users > 0 or self._hosts.get(self.workspace) is not self:
                return
            del self._hosts[self.workspace]
            self._stop()

    @classmethod
    def close_all(cls) -> None:
        """Stop every conductor of this process."""
        with cls._lock:
            hosts, cls._hosts = list(cls._hosts.values()), {}
        for host in hosts:
            with contextlib.suppress(Exception):  # at the exit of the process there is nobody to tell
                host._stop()

    @classmethod
    def forget(cls) -> None:
        """In the child of a fork: the threads and the log are the parent's."""
        cls._hosts, cls._lock = {}, threading.Lock()

    def _stop(self) -> None:
        if not self.thread.running:
            return
        try:
            result_of(self.thread.submit(self.manager.stop()), 30.0, "the end of the work in this process")
        finally:
            self.thread.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Host.forget)


class EmbeddedTransport:
    """A project whose conductor runs in this process.

    Parameters
    ----------
    workspace : Path
        The folder with the person's data; projects live in ``pipelines`` below it.
    project_id : str
        The project.
    """

    def __init__(self, workspace: Path, project_id: str) -> None:
        self.project_id = project_id
        self._host: Host | None = Host.of(workspace)
        self._over: PipelineError | None = None
        self._tasks: list[Future[None]] = []
        name = _user_name()
        self._user = User(username=name, name=name)

    def start(self, listener: Listener) -> None:
        """Open the project and follow its log."""
        self._listener = listener
        try:
            self._project = self._call(self._open())
        except BaseException:
            self.close()
            raise
        self._tasks = [self._thread.submit(self._follow()), self._thread.submit(self._watch())]

    def send(self, message: dict[str, Any], timeout_s: float | None = None) -> int:
        """Send a message; the log's head once what it caused is durable."""
        if self._over is not None:
            raise self._over
        try:
            typed = convert_message(message)
        except Refusal as refusal:
            raise _error(refusal) from None
        if not isinstance(typed, Chat | Confirm | Command):
            raise PipelineError(f"A {message['type']!r} message has no meaning without a socket.")
        return self._call(self._submit(typed), timeout_s, f"the answer to {message['type']!r}")

    def snapshot(self) -> dict[str, Any]:
        """The project's state."""

        async def take() -> dict[str, Any]:
            return dict(msgspec.to_builtins(self._project.snapshot()))

        return self._call(take())

    def events(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Events after ``since``, at most ``limit``."""
        return [msgspec.json.decode(stored.frame) for stored in self._call(self._project.read(since, limit))]

    def upload(self, file: Path, name: str) -> dict[str, Any]:
        """Copy a data file into the project; the data set that it became."""
        dataset = self._call(self._project.copy_dataset(file, name, self._user))
        return dict(msgspec.to_builtins(dataset))

    def download(self, asset_id: str, write: Callable[[bytes], object]) -> None:
        """Hand an asset's bytes to ``write``, piece by piece."""

        async def find() -> tuple[Path, BufferedReader] | None:
            artifact = self._project.state.artifacts.get(asset_id)
            return None if artifact is None else self._project.files.open_asset(artifact)

        found = self._call(find())
        if found is None:
            raise PipelineError(f"There is no asset {asset_id!r} in the project {self.project_id!r}.")
        with found[1] as file:
            while piece := file.read(CHUNK):
                write(piece)

    def predict(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Predictions of the project's model for some rows."""
        return dict(self._call(self._project.predict(rows)))

    def delete(self) -> None:
        """Remove the project with all that belongs to it."""
        host = self._host
        if host is None:
            raise self._over or _closed()
        self._call(host.manager.delete(self.project_id))

    def close(self) -> None:
        """Leave the project; the last to leave stops the conductor."""
        over = self._over = self._over or _closed()
        host, self._host = self._host, None
        if host is None:
            return
        for task in self._tasks:
            task.cancel()
        host.release()
        self._listener.status("closed", str(over), over.code)

    @property
    def _thread(self) -> LoopThread:
        if self._host is None:
            raise self._over or _closed()
        if not self._host.thread.running:
            raise PipelineError(
                "The conductor runs in the process that made this Pipeline, not in one forked from it, as "
                "multiprocessing does; use the Pipeline there."
            )
        return self._host.thread

    def _call(self, coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None, what: str = "the project") -> T:
        try:
            thread = self._thread
        except PipelineError:
            coroutine.close()
            raise
        try:
            return result_of(thread.submit(coroutine), timeout_s, what)
        except Refusal as refusal:
            raise _error(refusal) from None

    async def _open(self) -> "Project":
        assert self._host is not None
        return await self._host.open(self.project_id)

    async def _submit(self, message: Chat | Confirm | Command) -> int:
        return (await self._project.submit(message, self._user)).seq

    async def _follow(self) -> None:
        from ..project.manager import ProjectDeleted

        project, listener = self._project, self._listener
        with project.connected():
            hello: dict[str, Any] = {"user": msgspec.to_builtins(self._user), "limits": {}, "capabilities": []}
            hello["commands"] = msgspec.to_builtins(project.commands())
            listener.hello(project.epoch, project.seq, hello)
            listener.status("connected")
            cursor = project.follow(0)
            try:
                while True:
                    for stored in await cursor.next():
                        listener.event(msgspec.json.decode(stored.frame))
                    await asyncio.sleep(0)
            except ProjectDeleted:
                self._end(project_deleted(self.project_id))
            except Exception as error:
                self._end(PipelineError(f"The conductor in this process failed: {error}"))

    async def _watch(self) -> None:
        """Work whose events cannot be stored waits until they can; nobody shall wait for it without knowing."""
        while (why := self._project.unstored(STORE_S)) is None:  # noqa: ASYNC110 (it is a span of time that matters)
            await asyncio.sleep(1.0)
        self._end(
            PipelineError(
                f"The events of {self.project_id!r} cannot be stored ({why}), so the work does not go on. Is the disk "
                "full? Make room; what was done so far is kept, and the project goes on from there.",
                ErrorCode.INTERNAL.value,
            )
        )

    def _end(self, error: PipelineError) -> None:
        """There is nothing more to come."""
        self._over = error
        self._listener.status("closed", str(error), error.code)


def _closed() -> PipelineError:
    return PipelineError("This connection was closed; make a new Pipeline.")


def _error(refusal: Refusal) -> PipelineError:
    return PipelineError(refusal.message, ErrorCode(refusal.code).value)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "user"
