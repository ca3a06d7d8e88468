"""All projects of a folder: opening, listing, deleting them, and taking up what was running."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator

import msgspec

from ..agent.base import Agent
from ..faults import crash_point
from ..protocol.connecting import ADDRESSES, is_project_id
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.frames import decode_event
from ..protocol.snapshot import ProjectEntry
from ..tasks import Tasks
from ..traces import ProjectLog, places
from ..workers.pool import WorkerPool
from .beginning import DAMAGED, Beginning, beginning
from .conductor import Committed
from .custom import CustomCommands
from .entries import listed
from .files import ProjectFiles, ignores_case
from .log import EventLog
from .log_reading import LogUnreadable
from .project import Project
from .settings import Settings
from .state import ProjectState, evolve
from .tail import ProjectDeleted

__all__ = ["Beginning", "LogUnreadable", "Project", "ProjectDeleted", "ProjectManager", "Settings"]

log = logging.getLogger(__name__)
RESTING = 64
"""Projects that stay open though nobody needs them: each takes 0.1 MB or more, and some milliseconds to open again."""


def _rules() -> Agent:
    from ..agent.rules import RuleAgent

    return RuleAgent()


class _ProjectLock(asyncio.Lock):
    """Held by whoever opens or deletes a project; ``wanted`` counts that one and those who wait."""

    wanted = 0


class ProjectManager:
    """The projects of a folder.

    Parameters
    ----------
    settings : Settings
        Folders, limits and the like.
    agent : Agent or None, default=None
        Who answers chats; None means the rules of this package.

    Attributes
    ----------
    on_committed : callable or None
        Told of every project's events once they are durable (:data:`~.conductor.Committed`).
    """

    def __init__(self, settings: Settings, *, agent: Agent | None = None) -> None:
        self.settings = settings
        self._agent = agent
        self._log = EventLog(settings.log_path)
        self._pool: WorkerPool | None = None
        self.on_committed: Committed | None = None
        self._commands = CustomCommands(settings.command_timeout_s)
        self._ignores_case = False
        self._projects: dict[str, Project] = {}
        self._resting: dict[str, Project] = {}
        self._locks: dict[str, _ProjectLock] = {}
        self._closing = Tasks(log)
        self._clearing = Tasks(log)
        self._taking_up: asyncio.Task[None] | None = None

    async def start(self, *, take_up: bool = True) -> None:
        """Open the log.

        Parameters
        ----------
        take_up : bool, default=True
            Take up at once what was running; else what belongs to a project goes on when that is opened.

        Raises
        ------
        LogInUse
            If another process uses the same folder.
        """
        settings = self.settings
        await self._log.open()
        self._ignores_case = await asyncio.to_thread(ignores_case, settings.log_path.parent)
        self._pool = WorkerPool(settings.max_workers, settings.warm_workers, settings.predict_s)
        self._commands.start()
        if self._log.read_only is not None:
            log.warning("%s", self._log.read_only)
            return
        for project_id in filter(is_project_id, await asyncio.to_thread(ProjectFiles.half_deleted, settings.root)):
            await self._finish_deleting(project_id)
        self._clearing.start(self._log.clear_deleted())
        working = [entry.project_id for entry in await self._log.entries() if entry.working]
        if working and take_up:
            self._taking_up = asyncio.get_running_loop().create_task(self._take_up(working))

    async def _take_up(self, working: list[str]) -> None:
        """Open the projects that were at work, which takes the work up; others are served meanwhile."""
        for project_id in working:
            try:
                await self.find(project_id)
            except Exception as error:
                ProjectLog(log, project_id).error("the project could not be taken up:\n%s", places(error))

    async def stop(self) -> None:
        """End all work and close the log; what was running is taken up at the next start."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if self._taking_up is not None:
            self._taking_up.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._taking_up
        await self._commands.stop()
        await asyncio.gather(*(project.close() for project in self._projects.values()))
        self._projects.clear()
        self._resting.clear()
        await self._closing.ended()
        self._clearing.cancel()  # it goes on at the next start
        await self._clearing.ended()
        await pool.close()
        await self._log.close()

    @property
    def open_projects(self) -> int:
        """How many projects are open in this process."""
        return len(self._projects)

    @property
    def at_work(self) -> tuple[str, ...]:
        """The projects in which a stage is running; none where nothing can be written, though a log may say so."""
        if self._log.read_only is not None:
            return ()
        return tuple(project_id for project_id, project in self._projects.items() if project.state.work is not None)

    async def list(self) -> list[ProjectEntry]:
        """All projects, last changed first: those that have a log, and those that somebody is connected to."""
        found = {one.project_id: one.entry() for one in self._projects.values() if one.seq == 0 and one.connections}
        found |= {entry.project_id: listed(entry) for entry in await self._log.entries()}
        return sorted(found.values(), key=lambda entry: entry.updated_ts, reverse=True)

    async def beginning(self, project_id: str) -> Beginning | None:
        """What a project began with, None if there is none of this name; it is not opened, so nothing goes on in it.

        Raises
        ------
        LogUnreadable
            If what the log has of it is damaged.
        """
        return await beginning(self._log, project_id)

    async def find(self, project_id: str) -> Project | None:
        """A project that exists, None if there is none of this name."""
        if project_id in self._projects:
            return self._projects[project_id]
        if await self._log.entry(project_id) is None:
            return None
        project = await self.open(project_id)
        if project.seq == 0 and project.connections == 0:
            self._idle(project)  # deleted meanwhile
            return None
        return project

    async def open(self, project_id: str) -> Project:
        """A project; one that does not exist begins here, and is durable with its first event.

        Raises
        ------
        ValueError
            If the name is not one that a project can have.
        Refusal
            As :meth:`check_new` raises it.
        """
        if not is_project_id(project_id):
            raise ValueError(f"{project_id!r} is no project id; use letters, digits, '.', '_' and '-', at most 64.")
        if self._pool is None:
            raise RuntimeError("The project manager is not running.")
        await self._commands.ready()
        agent = await self._answering()
        async with self._alone(project_id):
            if project_id not in self._projects:
                state = await self._load(project_id)
                project = Project(
                    state,
                    await self._log.size(project_id),
                    self._log,
                    self._pool,
                    agent,
                    self._commands,
                    self.settings,
                    self.on_committed,
                    self._idle,
                )
                await self._recover(project)
                self._projects[project_id] = project
            project = self._projects[project_id]
            if project.seq and not project.connections:
                self._idle(project)  # it may only be looked at
            return project

    @staticmethod
    async def _recover(project: Project) -> None:
        try:
            await project.recover()
        except BaseException:
            await project.close()
            raise

    async def _answering(self) -> Agent:
        """Who answers chats. The rules come with the first project: they take a third of a start's imports."""
        if self._agent is None:
            self._agent = await asyncio.to_thread(_rules)
        return self._agent

    @contextlib.asynccontextmanager
    async def _alone(self, project_id: str) -> AsyncIterator[None]:
        """While it lasts nobody else opens or deletes the project: one that is being deleted is not opened again from
        a log that is about to go, and none is opened twice."""
        project_id = self._folder(project_id)
        lock = self._locks.setdefault(project_id, _ProjectLock())
        lock.wanted += 1
        try:
            async with lock:
                yield
        finally:
            lock.wanted -= 1
            if lock.wanted == 0:
                del self._locks[project_id]

    def _idle(self, project: Project) -> None:
        """Forget a project that nobody is connected to and that never had an event; and close, of those that nobody
        is connected to, all but the latest: they are opened from the log when they are asked for."""
        if self._projects.get(project.project_id) is not project:
            return
        if project.seq == 0:
            if not project.busy:
                self._close(project)
            return
        self._resting.pop(project.project_id, None)
        self._resting[project.project_id] = project
        for one in list(self._resting.values()):
            if len(self._resting) <= RESTING:
                break
            if not one.busy and one is not project:  # that one is about to be used
                self._close(one)
            elif one.connections:  # it comes back when the last has gone
                del self._resting[one.project_id]

    def _close(self, project: Project) -> None:
        del self._projects[project.project_id]
        self._resting.pop(project.project_id, None)
        self._closing.start(project.close())

    async def delete(self, project_id: str) -> None:
        """End a project's work and remove its log and its folder; its connections are told.

        Raises
        ------
        Refusal
            BUSY, if nothing can be written.
        """
        if self._log.read_only is not None:
            raise Refusal(ErrorCode.BUSY, self._log.read_only)
        async with self._alone(project_id):
            project = self._projects.pop(project_id, None)
            self._resting.pop(project_id, None)
            if project is not None:
                await project.close(deleted=True)
            files = ProjectFiles(self.settings.root / project_id)
            await asyncio.to_thread(files.begin_delete)
            await self._log.delete(project_id)
            crash_point("delete.logged", "DATA")
            self._clearing.start(self._log.clear_deleted())
            await asyncio.to_thread(files.delete)

    async def _finish_deleting(self, project_id: str) -> None:
        """Remove what is left of a project that was being deleted when the server ended."""
        async with self._alone(project_id):
            files = ProjectFiles(self.settings.root / project_id)
            known = await self._log.entry(project_id) is not None
            await asyncio.to_thread(files.not_deleted if known else files.delete)

    def _folder(self, project_id: str) -> str:
        """What names of projects that have the same folder have in common."""
        return project_id.casefold() if self._ignores_case else project_id

    async def check_new(self, project_id: str) -> None:
        """Refuse a new project where the server has something else at its address, or whose folder would be that of
        another, which has its name in other letters.

        Raises
        ------
        Refusal
            INVALID_ARGS, with what is in the way.
        """
        if not (self._ignores_case or project_id in ADDRESSES) or await self._log.entry(project_id) is not None:
            return
        if project_id in ADDRESSES:
            raise Refusal(
                ErrorCode.INVALID_ARGS,
                f"No project can be called {project_id!r}: the server has something else at api/projects/{project_id}. "
                "Use another name.",
            )
        for other in {*self._projects, *(entry.project_id for entry in await self._log.entries())} - {project_id}:
            if self._folder(other) == self._folder(project_id):
                raise Refusal(
                    ErrorCode.INVALID_ARGS,
                    f"There is a project {other!r}, and on this disk {project_id!r} would have the same folder. Use "
                    "the one that is there, or another name.",
                )

    async def _load(self, project_id: str) -> ProjectState:
        await self.check_new(project_id)
        entry = await self._log.entry(project_id)
        if entry is None:
            return ProjectState(project_id=project_id, epoch=uuid.uuid4().hex, ts=int(time.time() * 1000))
        state = ProjectState(project_id=project_id, epoch=entry.epoch)
        try:
            for index, frame in enumerate(await self._log.state_frames(project_id)):
                state = evolve(state, decode_event(frame))
                if index % 500 == 499:
                    await asyncio.sleep(0)  # let the server answer in between
        except DAMAGED as error:
            raise LogUnreadable(str(error)) from error
        return msgspec.structs.replace(state, seq=entry.seq, ts=entry.updated_ts)
