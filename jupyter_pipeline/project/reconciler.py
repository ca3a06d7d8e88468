"""Keeps what runs equal to what the state says: here alone a stage's work is started and ended.

Work is not commanded. After every commit the attempt that the state names is compared with the one that runs, the one
is ended and the other started; so cancelling, restarting and going on after a crash are one path. What an attempt
reports goes into the project's mailbox.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from ..protocol.events import FileEntry, Payload
from ..protocol.frames import read_payload
from ..protocol.jobs import Announced, Done, Emitted, Failed, Said
from ..protocol.names import stage_name
from ..tasks import Tasks
from ..traces import ProjectLog, keep, places
from ..workers.pool import Attempt, WorkerPool
from .commands import AnyCommand, Finished, FinishOverdue, WorkDied, WorkDone, WorkFailed
from .disk import outgrown
from .files import ProjectFiles
from .job import prepare_job
from .log import EventLog
from .mailbox import Letter, Mailbox
from .mistakes import stage_failed
from .room import Room
from .settings import Settings
from .state import ProjectState, Work

log = logging.getLogger(__name__)
EVENT_BYTES = 16 << 20
"""Of what a stage says in one event, or of its result: everyone who follows the project is sent it."""


class Reconciler:
    """The work of one project.

    Parameters
    ----------
    state : callable
        Gives the project's state as it is now.
    files, settings, pool, event_log, room
        What it stands on.
    mailbox : Mailbox
        Where reports go.
    tasks : Tasks
        What runs beside everything else.
    """

    def __init__(
        self,
        state: Callable[[], ProjectState],
        files: ProjectFiles,
        settings: Settings,
        pool: WorkerPool,
        event_log: EventLog,
        room: Room,
        mailbox: Mailbox,
        tasks: Tasks,
    ) -> None:
        self._state = state
        self._files = files
        self._settings = settings
        self._pool = pool
        self._log = event_log
        self._notes = ProjectLog(log, files.folder.name)
        self._room = room
        self._mailbox = mailbox
        self._tasks = tasks
        self._lock = asyncio.Lock()
        self._attempt: Attempt | None = None
        self._held = False
        self._at_once: int | None = None
        self._asked_to_finish: Work | None = None
        begun = state().work
        self._interrupted = None if begun is None else begun.attempt
        self._watching_disk: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Compare, and begin to change what runs where the state says otherwise."""
        work, running = self._work, self._attempt
        if (work.attempt if work else None) != (running.number if running else None) or (
            work and self._must_be_asked(work)
        ):
            self._tasks.start(self._step())
        if self._held and not self._mailbox.full:
            self._hold(False)

    def kill_at_once(self) -> None:
        """Leave what runs now no grace period when it is ended."""
        self._at_once = self._attempt.number if self._attempt is not None else None

    async def close(self) -> None:
        """End what runs; the tasks must have been cancelled."""
        async with self._lock:
            if self._attempt is not None:
                await self._attempt.end(0.0)
                self._attempt = None

    @property
    def _work(self) -> Work | None:
        """What should run. An attempt that an earlier process began does not: it is taken up as another one."""
        work = self._state().work
        return None if work is not None and work.attempt == self._interrupted else work

    def _must_be_asked(self, work: Work) -> bool:
        """Whether an attempt is to finish, and was not told so yet."""
        return work.finishing and self._asked_to_finish != work

    # -- one step ------------------------------------------------------------------------------------------

    async def _step(self) -> None:
        """Make what runs what the state says."""
        async with self._lock:
            await self._end_other()
            work = self._work
            if work is None:
                return
            if self._attempt is None:
                try:
                    await self._begin(work)
                except Exception as error:
                    self._notes.error("%s could not begin:\n%s", work.stage_id, places(error))
                    why = f"The stage {stage_name(work.stage_id)} could not begin ({type(error).__name__}: {error})."
                    self._report(WorkFailed(work.attempt, f"{why} Put that right, then restart the stage."))
            elif self._must_be_asked(work):
                self._asked_to_finish = work
                if work.last_run is None:
                    asyncio.get_running_loop().call_later(
                        self._settings.finish_grace_s, self._report, FinishOverdue(work.attempt)
                    )
                await self._attempt.finish(work.last_run)

    async def _end_other(self) -> None:
        """End what runs and should not, and remove what it had for itself."""
        work, running = self._work, self._attempt
        if running is None or (work is not None and work.attempt == running.number):
            return
        await running.end(0.0 if self._at_once == running.number else self._settings.cancel_grace_s)
        self._attempt = None
        if self._watching_disk is not None:
            self._watching_disk.cancel()
            self._watching_disk = None
        try:
            await asyncio.to_thread(self._files.clear_attempt, running.stage_id, running.number, self._state())
        except OSError as error:
            self._notes.warning("what an attempt left cannot be removed:\n%s", places(error))

    async def _begin(self, work: Work) -> None:
        most = self._settings.project_bytes
        if why := await asyncio.to_thread(self._files.no_work, most, self._room.used):
            self._report(WorkFailed(work.attempt, why))
            return
        job = await prepare_job(self._state(), work, self._files, self._settings, self._log, self._room.used)
        if not self._is_wanted(work):
            return
        if work.finishing:
            # Its job says so. It takes the time that it needs: ended again, it would begin again for ever.
            self._asked_to_finish = work
        self._attempt = Attempt(
            self._pool, job, self._said, lambda why, words: self._tasks.start(self._died(work, why, words))
        )
        if most is not None:
            self._watching_disk = self._tasks.start(self._watch_disk(work, most))

    async def _watch_disk(self, work: Work, most: int) -> None:
        """End an attempt that makes the project use more of the disk than it may."""
        used = await outgrown(self._files.folder, most, lambda: self._room.used)
        if self._is_wanted(work):
            self._at_once = work.attempt  # in a grace period it would go on writing
            self._report(WorkFailed(work.attempt, self._files.too_large(work.stage_id, used, most)))

    def _is_wanted(self, work: Work) -> bool:
        now = self._state().work
        return now is not None and now.attempt == work.attempt

    # -- what an attempt says ------------------------------------------------------------------------------

    def _said(self, said: Said) -> None:
        try:
            if isinstance(said, list):  # first, because of these there are the most
                self._take_in_events(said)
            else:
                self._take_in(said)
        except Exception as error:  # what was said is lost, so the stage is not let wait for what follows from it
            self._notes.error("what a worker said could not be taken in:\n%s", places(error))
            if (failed := stage_failed(self._state(), error)) is not None:
                self._report(failed)

    def _take_in_events(self, told: list[Emitted]) -> None:
        """Put events in a row, up to one that is too long, into the mailbox: one by one would cost more than each."""
        attempt = told[0].attempt
        payloads: list[Payload] = []
        sizes: list[int] = []
        too_long = 0
        try:
            for one in told:
                size = len(memoryview(one.payload))
                if size > EVENT_BYTES:
                    too_long = size
                    break
                if (payload := self._payload(one)) is not None:
                    payloads.append(payload)
                    sizes.append(size)
        finally:
            self._mailbox.said(attempt, payloads, sizes)
        if too_long:
            self._said_too_much(attempt, too_long)
        if self._mailbox.full and not self._held:
            self._hold(True)

    def _take_in(self, frame: Done | Failed) -> None:
        match frame:
            case Done() | Failed() if (size := len(msgspec.json.encode(frame))) > EVENT_BYTES:
                self._said_too_much(frame.attempt, size)
            case Done():
                announced = [self._payload(one) for one in frame.announced]
                self._report(WorkDone(frame, tuple(one for one in announced if one is not None)))
            case Failed():
                self._report(WorkFailed(frame.attempt, frame.message, frame.kept))

    def _said_too_much(self, attempt: int, size: int) -> None:
        self._report(WorkFailed(attempt, _too_long(self._state(), size)))

    async def _died(self, work: Work, why: str, words: str) -> None:
        """Report that an attempt's process ended, with the runs that had come to their metrics."""
        kept: FileEntry | None = None
        finished: Finished = {}
        try:
            if words:  # what stage code printed may hold data, so it goes to the person and not to the server's log
                kept = await asyncio.to_thread(keep, self._files.folder, work.stage_id, work.attempt, words)
            finished = await asyncio.to_thread(self._files.finished_runs, work.attempt)
        except Exception as error:
            self._notes.error("what an attempt came to cannot be kept or read:\n%s", places(error))
        said = f" What it said last is in the project's file {kept.path}." if kept else ""
        self._report(WorkDied(work.attempt, why + said, finished, kept))

    def _hold(self, held: bool) -> None:
        """Let the attempt wait while more of it is in memory than can be stored, and go on when there is room."""
        self._held = held
        if self._attempt is not None:
            self._attempt.hold(held)

    def _payload(self, told: Emitted | Announced) -> Payload | None:
        """What a worker tells, None if it is no event."""
        try:
            return read_payload(told.name, told.payload)
        except (ValueError, TypeError):
            self._notes.error("a worker sent a %s that is none", told.name)
            return None

    def _report(self, command: AnyCommand) -> None:
        self._mailbox.put(Letter(command))


def _too_long(state: ProjectState, size: int) -> str:
    return (
        f"The stage {stage_name(state.current)} was ended, because it sent {size:,} bytes in one event or as its "
        f"result, where {EVENT_BYTES:,} are the most. Let it write a file instead, then restart the stage."
    )
