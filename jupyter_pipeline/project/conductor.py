"""The conductor: one task for each project that takes what is asked, decides, logs, and keeps work in step.

Everything goes through one mailbox: client messages and what workers report. What was decided is durable before
anyone hears of it. Work is not commanded but kept in step: after every commit the conductor compares the attempt
that the state names with the one that runs, ends the one and starts the other.
"""

import asyncio
import contextlib
import inspect
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..agent.base import Agent, Context, Reply
from ..automl.addresses import all_without_credentials, without_credentials
from ..commands import Project as CommandProject
from ..faults import ARMED, crash_point
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import Artifact, Dataset, Payload, StageStatusEvent, User
from ..protocol.frames import CommandSpec, Event, encode_event, read_payload
from ..protocol.jobs import Announced, Done, Emitted, Failed, FromWorker, Job
from ..protocol.messages import (
    BUILTIN_COMMANDS,
    CancelRun,
    Chat,
    Command,
    Confirm,
    convert_command,
)
from ..protocol.schema import builtin_commands
from ..protocol.snapshot import ProjectEntry
from ..protocol.stages import StageId, StageRef
from ..traces import places
from ..workers.pool import Attempt, PredictionError, PredictorBusy, WorkerPool
from .commands import (
    AddDataset,
    Answer,
    AnyCommand,
    ClientCommand,
    Env,
    FinishOverdue,
    Recover,
    RunCommand,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkFailed,
)
from .custom import CustomCommands
from .decide import decide, is_request
from .disk import outgrown
from .entries import Entry, listed
from .files import ProjectFiles
from .job import job_of
from .log import EventLog, Stored
from .log_export import export_log
from .mailbox import SYSTEM, Letter, Mailbox, Outcome
from .settings import Settings
from .snapshot import context, snapshot
from .state import ProjectState, Work
from .tail import Cursor, Tail

log = logging.getLogger(__name__)
_RECENT_IDS = 1024
_RETRY_S = 1.0
_SHORT = 400
"""Characters of a chat that is answered on the event loop, which takes a millisecond or two."""


def _harmless(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments without passwords in addresses; Refusal if they are nested too deeply for what handles them."""
    try:
        found: dict[str, Any] = all_without_credentials(args)
    except RecursionError as error:
        raise Refusal(ErrorCode.INVALID_ARGS, f"The arguments are {error}.") from None
    return found


class Project:
    """A project that is open in this process.

    Parameters
    ----------
    state : ProjectState
        As folded from the log.
    event_log, pool, agent, settings
        What it stands on.
    on_idle : callable
        Called when the last connection has gone.
    custom : CustomCommands
        The commands of plugins.
    """

    def __init__(
        self,
        state: ProjectState,
        event_log: EventLog,
        pool: WorkerPool,
        agent: Agent,
        settings: Settings,
        on_idle: Callable[["Project"], None],
        custom: CustomCommands,
    ) -> None:
        self.project_id = state.project_id
        self.epoch = state.epoch
        self.state = state
        self.files = ProjectFiles(settings.root / state.project_id)
        self.connections = 0
        self.on_committed: Callable[[str, Sequence[Event]], None] | None = None
        self._handling = False
        self._on_idle = on_idle
        self._log = event_log
        self._pool = pool
        self._agent = agent
        self._settings = settings
        self._custom = custom
        self._tail = Tail(event_log, state.project_id, state.seq)
        self._mailbox = Mailbox()
        self._recent: OrderedDict[str, int] = OrderedDict()
        self._attempt: Attempt | None = None
        self._step_lock = asyncio.Lock()
        self._kill_at_once = False
        self._unstored: tuple[float, str] | None = None
        self._asked_to_finish: int | None = None
        self._watching_disk: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """A connection: while it lasts the project is kept open, and a worker process is kept warm for it."""
        self.connections += 1
        self._pool.warm()
        try:
            yield
        finally:
            self.connections -= 1
            if self.connections == 0:
                self._on_idle(self)

    @property
    def busy(self) -> bool:
        """Whether something is asked of it that it has not answered yet."""
        return self._handling or bool(self._mailbox)

    # -- for readers ---------------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The head of the log."""
        return self._tail.head

    @property
    def data_dir(self) -> Path:
        """Where attached data files lie."""
        return self.files.data

    def follow(self, since: int) -> Cursor:
        """A cursor that starts after ``since``."""
        return Cursor(self._tail, min(since, self.seq))

    async def read(self, since: int, limit: int, size: int | None = None) -> list[Stored]:
        """Up to ``limit`` events after ``since``, and up to ``size`` bytes of frames, but at least one event."""
        return await self._tail.read(since, limit, size)

    def current(self) -> tuple[StageRef, StageStatusEvent]:
        """The current stage, as the envelope names it and as an event tells it."""
        here = self.state.here
        return self.state.ref, StageStatusEvent(
            stage_id=here.id, status=here.status, message=here.message or "Waiting for your request."
        )

    def entry(self) -> ProjectEntry:
        """The project as the list of projects has it."""
        return listed(self._entry(self.state))

    def snapshot(self) -> dict[str, Any]:
        """The state as JSON values."""
        result: dict[str, Any] = msgspec.to_builtins(snapshot(self.state, self.commands()))
        return result

    def commands(self) -> tuple[CommandSpec, ...]:
        """The commands that this project takes."""
        return builtin_commands() + self._custom.specs

    def artifacts(self) -> list[Artifact]:
        """All assets, oldest first."""
        return list(self.state.artifacts.values())

    def asset_path(self, asset_id: str) -> Path | None:
        """The file of an asset, None if there is none."""
        artifact = self.state.artifacts.get(asset_id)
        return None if artifact is None else self.files.asset(artifact)

    # -- for writers ---------------------------------------------------------------------------------------

    async def submit(
        self, message: Chat | Confirm | Command, user: User, seen_seq: int | None = None, *, may_execute: bool = True
    ) -> Outcome:
        """Carry out a client message; returns when what it caused is durable.

        Names and passwords in addresses are left out before anything else: what people ask is kept in the log.

        Parameters
        ----------
        message : Chat, Confirm or Command
            The message.
        user : User
            Who sent it.
        seen_seq : int or None, default=None
            The last event that the sender had been sent, if known: a confirm without ``gate_id`` does not
            confirm a gate that opened later.
        may_execute : bool, default=True
            Whether what is said in a chat may come to what commands and confirms do.

        Raises
        ------
        Refusal
            If it cannot be carried out; nothing has changed then.
        """
        command: ClientCommand
        match message:
            case Chat():
                command = Say(without_credentials(message.text), may_execute)
            case Confirm():
                bare = message.gate_id is None and seen_seq is not None
                command = SeenConfirm(message, seen_seq) if bare and seen_seq is not None else message
            case Command() if message.command in BUILTIN_COMMANDS:
                command = convert_command(message.command, _harmless(message.args))
            case Command():
                _harmless(message.args)
                self._custom.check(message.command, message.args)
                command = RunCommand(message.command, message.args)
        return await self._post(command, user, message.id)

    async def add_dataset(self, file: Path, user: User) -> Dataset:
        """Make a file that is already in :attr:`data_dir` a data set candidate."""
        dataset, entry = await asyncio.to_thread(self.files.describe, file)
        await self._post(AddDataset(dataset, entry), user, None)
        return dataset

    async def predict(self, rows: list[dict[str, Any]] | msgspec.Raw) -> dict[str, Any]:
        """Predict rows with the model that was kept, or the best so far; Refusal if there is none."""
        plan = self.state.stage(StageId.TRAIN).plan
        keep = (plan or {}).get("keep") or (self.state.best.run_id if self.state.best else None)
        place = await asyncio.to_thread(self.files.model_dir, self.state, keep) if keep else None
        if place is None:
            raise Refusal(ErrorCode.NOT_WAITING, "There is no trained model yet; go on until TRAIN is done.")
        try:
            return await self._pool.predict(str(place), (plan or {}).get("threshold"), rows)
        except PredictionError as error:
            raise Refusal(ErrorCode.INVALID_ARGS, str(error)) from None
        except PredictorBusy as error:
            raise Refusal(ErrorCode.BUSY, str(error), retryable=True, retry_after_ms=1000) from None

    async def recover(self) -> None:
        """Tidy up, and take up what was running when the server stopped."""
        # Also where nothing runs: the server may have ended right after an attempt had in the log.
        await asyncio.to_thread(self.files.clear_left_behind)
        work = self.state.work
        if work is None:
            return
        await asyncio.to_thread(self.files.clear_interrupted, work.stage_id, work.attempt)
        finished = await asyncio.to_thread(self.files.finished_runs, work.attempt)
        await self._post(Recover(finished), SYSTEM, None)

    def unstored(self, seconds: float) -> str | None:
        """Why nothing could be stored for so many seconds; None while all is well."""
        failed = self._unstored
        return failed[1] if failed is not None and time.monotonic() - failed[0] >= seconds else None

    async def close(self, *, deleted: bool = False) -> None:
        """End the work and the task; with ``deleted`` tell the cursors that there is nothing more to come."""
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving
        self._mailbox.refuse_all(Refusal(ErrorCode.BUSY, "The server is going down; try again."))
        for task in self._tasks:
            task.cancel()
        async with self._step_lock:
            if self._attempt is not None:
                await self._attempt.end(0.0)
                self._attempt = None
        if deleted:
            self._tail.deleted = True
            self._tail.wake()

    async def _post(self, command: AnyCommand, user: User, message_id: str | None) -> Outcome:
        if self._serving.done():
            raise Refusal(ErrorCode.BUSY, "The project is closed; try again.", retryable=True)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._mailbox.put(Letter(command, user, message_id, answer))
        return await answer

    # -- the task ------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        while True:
            letters = await self._mailbox.take()
            self._handling = True
            try:
                await self._handle(letters)
                self._handling = False
                if self.connections == 0:
                    self._on_idle(self)
            except asyncio.CancelledError:
                for letter in letters:
                    letter.refuse(Refusal(ErrorCode.BUSY, "The project is closed; try again.", retryable=True))
                raise

    async def _handle(self, letters: list[Letter]) -> None:
        """Decide on some letters, make what follows durable, then let the world know."""
        state = self.state
        events: list[Event] = []
        ids: dict[str, int] = {}
        decided: list[tuple[Letter, Outcome | Refusal]] = []
        code = ""
        if any(letter.user is not SYSTEM for letter in letters) and self.files.code.is_dir():
            code = await asyncio.to_thread(self.files.code_digest)
        now = int(time.time() * 1000)
        for letter in letters:
            try:
                if letter.message_id is not None:
                    seen = ids.get(letter.message_id) or await self._seen(letter.message_id)
                    if seen is not None:
                        decided.append((letter, Outcome(max(seen, 0), "duplicate")))
                        continue
                env = Env(ts=max(now, state.ts), user=letter.user, code=code)
                produced, state = await self._decide(state, letter.command, env)
            except Refusal as refusal:
                decided.append((letter, refusal))
                continue
            except Exception as error:
                log.error(
                    "%s: deciding on %s failed:\n%s", self.project_id, type(letter.command).__name__, places(error)
                )
                sorry = Refusal(ErrorCode.INTERNAL, "Something went wrong inside; nothing was changed.")
                decided.append((letter, sorry))
                continue
            events += produced
            if letter.message_id is not None:
                ids[letter.message_id] = state.seq
            decided.append((letter, Outcome(state.seq, "accepted")))
        if events or ids:
            stored = [Stored(e.seq, e.name, encode_event(self.project_id, e), type(e.payload).STATE) for e in events]
            try:
                self._crash_points("append.before", state, stored)
                await self._log.append(self._entry(state), stored, list(ids.items()))
                self._crash_points("append.after", state, stored)
            except Exception as error:
                await self._could_not_log(letters, error)
                return
            self._unstored = None
            self.state = state
            if stored:
                self._tail.extend(stored)
            if events and self.on_committed is not None:
                self.on_committed(self.project_id, events)
            self._recent.update(ids)
            while len(self._recent) > _RECENT_IDS:
                self._recent.popitem(last=False)
        for letter, outcome in decided:
            if isinstance(outcome, Refusal):
                letter.refuse(outcome)
            elif letter.answer is not None and not letter.answer.done():
                letter.answer.set_result(outcome)
            if isinstance(letter.command, CancelRun) and isinstance(outcome, Outcome):
                self._kill_at_once = letter.command.mode == "now"
            if isinstance(letter.command, RunCommand) and isinstance(outcome, Outcome) and outcome.status == "accepted":
                self._later(self._run_command(letter.command, letter.user))
        self._keep_in_step()

    async def _decide(self, state: ProjectState, command: AnyCommand, env: Env) -> tuple[list[Event], ProjectState]:
        answers = isinstance(command, Say) and not is_request(state)
        produced, after = decide(state, command, env)
        events = list(produced)
        if answers and isinstance(command, Say):
            reply = await self._respond(command.text, context(state))
            if isinstance(reply, Reply):
                more, after = decide(after, Answer(reply, command.may_execute), env)
                events += more
            else:
                self._later(self._answer_later(reply, env.user, command.may_execute))
        return events, after

    async def _respond(self, text: str, known: Context) -> Reply | Awaitable[Reply]:
        """The agent's answer. Reading a long text takes the rules many milliseconds, so that is done in a thread; what
        comes after it in the mailbox waits, other projects do not."""
        if len(text) <= _SHORT or inspect.iscoroutinefunction(self._agent.respond):
            # A flood of short ones does not keep the event loop to itself either.
            await asyncio.sleep(0)
            return self._agent.respond(text, known)
        return await asyncio.to_thread(self._agent.respond, text, known)

    async def _answer_later(self, reply: Any, user: User, may_execute: bool) -> None:
        """An agent that takes its time answers through the mailbox, as everyone else does."""
        try:
            answer: Reply = await reply
        except Exception as error:
            log.error("%s: the agent failed to answer:\n%s", self.project_id, places(error))
            answer = Reply(text="I could not work out an answer; please say it another way, or use the buttons.")
        self._mailbox.put(Letter(Answer(answer, may_execute), user))

    async def _run_command(self, command: RunCommand, user: User) -> None:
        """Run a custom command beside everything else; its answer comes through the mailbox."""
        project = CommandProject(
            project_id=self.project_id,
            folder=str(self.files.folder),
            user=user,
            state=self.snapshot(),
        )
        reply = await self._custom.run(command.name, project, command.args)
        self._mailbox.put(Letter(Answer(reply), user))

    async def _seen(self, message_id: str) -> int | None:
        if message_id in self._recent:
            return self._recent[message_id]
        return await self._log.message_seq(self.project_id, message_id)

    async def _could_not_log(self, letters: list[Letter], error: Exception) -> None:
        """Nothing has happened: clients are told, and what work reported is tried again."""
        if self._unstored is None:
            self._unstored = time.monotonic(), str(error)
            log.error("The event log of %s could not be written: %s", self.project_id, error)
        sorry = Refusal(
            ErrorCode.INTERNAL,
            f"This could not be stored, so it was not done ({error}). Is the disk full? Try again.",
            retryable=True,
            retry_after_ms=int(_RETRY_S * 1000),
        )
        again = [letter for letter in letters if letter.answer is None]
        for letter in letters:
            letter.refuse(sorry)
        if again:
            await asyncio.sleep(_RETRY_S)
            await self._handle(again)

    def _entry(self, state: ProjectState) -> Entry:
        return Entry(
            project_id=self.project_id,
            epoch=self.epoch,
            seq=state.seq,
            updated_ts=state.ts,
            current_stage=state.current.value,
            status=state.here.status.value,
            working=state.work is not None,
            ended_by=state.here.ended_by,
        )

    @staticmethod
    def _crash_points(point: str, state: ProjectState, stored: list[Stored]) -> None:
        if ARMED:
            for event in stored:
                crash_point(point, state.current, event.name)

    def _later(self, work: Any) -> None:
        self._task(work)

    def _task(self, work: Any) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- work ----------------------------------------------------------------------------------------------

    def _keep_in_step(self) -> None:
        work, running = self.state.work, self._attempt
        if (work.attempt if work else None) != (running.number if running else None) or (
            work and work.finishing and self._asked_to_finish != work.attempt
        ):
            self._later(self._step())

    async def _step(self) -> None:
        """Make what runs what the state says."""
        async with self._step_lock:
            work, running = self.state.work, self._attempt
            if running is not None and (work is None or work.attempt != running.number):
                grace, self._kill_at_once = (0.0 if self._kill_at_once else self._settings.cancel_grace_s), False
                await running.end(grace)
                self._attempt = None
                if self._watching_disk is not None:
                    self._watching_disk.cancel()
                    self._watching_disk = None
                await asyncio.to_thread(self.files.clear_attempt, running.stage_id, running.number, self.state)
            work = self.state.work
            if work is None:
                return
            if self._attempt is None:
                if why := await asyncio.to_thread(self.files.no_work, self._settings.project_bytes):
                    self._report(WorkFailed(work.attempt, why))
                    return
                job = await self._job(work)
                if self.state.work is not None and self.state.work.attempt == work.attempt:
                    self._attempt = Attempt(
                        self._pool, job, self._frame, lambda why: self._later(self._died(job.attempt, why))
                    )
                    if (most := self._settings.project_bytes) is not None:
                        self._watching_disk = self._task(self._watch_disk(work, most))
            elif work.finishing and self._asked_to_finish != work.attempt:
                self._asked_to_finish = work.attempt
                await self._attempt.finish()
                asyncio.get_running_loop().call_later(
                    self._settings.finish_grace_s, self._report, FinishOverdue(work.attempt)
                )

    async def _watch_disk(self, work: Work, most: int) -> None:
        """End an attempt that makes the project use more of the disk than it may."""
        used = await outgrown(self.files.folder, most)
        if self.state.work is not None and self.state.work.attempt == work.attempt:
            self._kill_at_once = True  # in a grace period it would go on writing
            self._report(WorkFailed(work.attempt, self.files.too_large(work.stage_id, used, most)))

    async def _died(self, attempt: int, why: str) -> None:
        finished = await asyncio.to_thread(self.files.finished_runs, attempt)
        self._report(WorkDied(attempt, why, finished))

    def _report(self, command: AnyCommand) -> None:
        self._mailbox.put(Letter(command))

    def _frame(self, frame: FromWorker) -> None:
        match frame:
            case Emitted():
                if (payload := self._payload(frame)) is not None:
                    self._mailbox.said(frame.attempt, payload)
            case Done():
                announced = [self._payload(one) for one in frame.announced]
                self._report(WorkDone(frame, tuple(one for one in announced if one is not None)))
            case Failed():
                self._report(WorkFailed(frame.attempt, frame.message))
            case _:
                pass

    def _payload(self, told: Emitted | Announced) -> Payload | None:
        """What a worker tells, None if it is no event."""
        try:
            return read_payload(told.name, told.payload)
        except (ValueError, TypeError):
            log.error("%s: a worker sent a %s that is none", self.project_id, told.name)
            return None

    async def _job(self, work: Work) -> Job:
        await asyncio.to_thread(self.files.artifacts.mkdir, parents=True, exist_ok=True)
        more: dict[str, Any] = {}
        if work.stage_id is StageId.EXPORT:
            path = self.files.events(work.attempt)
            more["log"] = await export_log(self._log, self.project_id, self.epoch, self.seq, path)
            more["events_path"] = str(path)
        return job_of(self.state, work, self.files, self._settings, more)
