"""A project that is open in this process: what readers and writers ask of it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..agent.base import Agent
from ..automl.addresses import all_without_credentials, without_credentials
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import Artifact, Dataset, StageStatusEvent, User
from ..protocol.frames import CommandSpec
from ..protocol.messages import BUILTIN_COMMANDS, Chat, Command, Confirm, convert_command
from ..protocol.schema import builtin_commands
from ..protocol.snapshot import ProjectEntry, Snapshot
from ..protocol.stages import StageId, StageRef
from ..workers.pool import PredictionError, PredictorBusy, WorkerPool
from .commands import AddDataset, ClientCommand, Recover, RunCustomCommand, Say, SeenConfirm
from .conductor import Committed, Conductor
from .custom import CustomCommands
from .entries import entry_of, listed
from .files import ProjectFiles
from .log import EventLog, Stored
from .mailbox import Outcome
from .placing import copy_in, file_name, refuse_empty
from .settings import Settings
from .snapshot import snapshot
from .state import ProjectState
from .tail import Cursor


class Project:
    """An open project.

    Parameters
    ----------
    state : ProjectState
        As folded from the log.
    log_bytes : int
        What it has in the log.
    event_log, pool, agent, custom, settings
        What it stands on.
    on_committed : callable or None
        Told of events once they are durable.
    on_idle : callable
        Called when the last connection has gone, and when something was done that nobody is connected to hear of.
    """

    def __init__(
        self,
        state: ProjectState,
        log_bytes: int,
        event_log: EventLog,
        pool: WorkerPool,
        agent: Agent,
        custom: CustomCommands,
        settings: Settings,
        on_committed: Committed | None,
        on_idle: Callable[["Project"], None],
    ) -> None:
        self.project_id = state.project_id
        self.epoch = state.epoch
        self.files = ProjectFiles(settings.root / state.project_id)
        self.connections = 0
        self._on_idle = on_idle
        self._pool = pool
        self._custom = custom
        self._settings = settings
        self._log = event_log
        self._conductor = Conductor(
            state, log_bytes, self.files, event_log, pool, agent, custom, settings, on_committed, self._handled
        )

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """A connection: while it lasts the project is kept open, and a worker process is kept warm for it."""
        self.connections += 1
        self._conductor.attend(True)
        self._pool.warm()
        try:
            yield
        finally:
            self.connections -= 1
            if self.connections == 0:
                self._conductor.attend(False)
            self._handled()

    def _handled(self) -> None:
        if self.connections == 0:
            self._on_idle(self)

    @property
    def busy(self) -> bool:
        """Whether somebody is connected, something is asked of it that it has not answered yet, or a stage runs."""
        return self.connections > 0 or self._conductor.busy or self.state.work is not None

    @property
    def state(self) -> ProjectState:
        """Everything that is true of it, as far as it is durable."""
        return self._conductor.state

    # -- for readers ---------------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The head of the log."""
        return self._conductor.tail.head

    @property
    def data_dir(self) -> Path:
        """Where attached data files lie."""
        return self.files.data

    def follow(self, since: int) -> Cursor:
        """A cursor that starts after ``since``."""
        return Cursor(self._conductor.tail, min(since, self.seq))

    async def read(self, since: int, limit: int, size: int | None = None) -> list[Stored]:
        """Up to ``limit`` events after ``since``, and up to ``size`` bytes of frames, but at least one event."""
        return await self._conductor.tail.read(since, limit, size)

    def current(self) -> tuple[StageRef, StageStatusEvent]:
        """The current stage, as the envelope names it and as an event tells it."""
        here = self.state.here
        message = here.message or "Waiting for your request."
        if self.read_only is not None:
            message = f"{message} {self.read_only}"
        if (why := self.unstored(0.0)) is not None:
            message = (
                f"What happens cannot be stored now ({why}), so the work does not go on. Is the disk full? Make room: "
                "it is tried again every second."
            )
        return self.state.ref, StageStatusEvent(stage_id=here.id, status=here.status, message=message)

    def entry(self) -> ProjectEntry:
        """The project as the list of projects has it."""
        return listed(entry_of(self.state))

    def snapshot(self) -> Snapshot:
        """The state, as clients ask for it."""
        return snapshot(self.state, self.commands())

    def commands(self) -> tuple[CommandSpec, ...]:
        """The commands that this project takes."""
        return builtin_commands() + self._custom.specs

    def artifacts(self) -> list[Artifact]:
        """All assets, oldest first."""
        return list(self.state.artifacts.values())

    @property
    def log_bytes(self) -> int:
        """What it has in the log."""
        return self._conductor.room.used

    @property
    def log_full(self) -> str | None:
        """Why nothing that is asked can be put into its log any more, None if it can."""
        return self._conductor.room.full

    @property
    def read_only(self) -> str | None:
        """Why nothing can be changed here, and what would be right; None if all is well."""
        return self._log.read_only

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
                await self._custom.check(message.command, message.args)
                command = RunCustomCommand(message.command, message.args)
        return await self._conductor.post(command, user, message.id)

    async def left(self) -> tuple[int, str]:
        """How many bytes more may be put into its folder, and what to say of more."""
        return await asyncio.to_thread(self.files.left, self._settings.project_bytes, self.log_bytes)

    async def add_dataset(self, file: Path, user: User) -> Dataset:
        """Make a file that is already in :attr:`data_dir` a data set candidate."""
        dataset, entry = await asyncio.to_thread(self.files.describe, file)
        await self._conductor.post(AddDataset(dataset, entry), user, None)
        return dataset

    async def copy_dataset(self, source: Path, name: str, user: User) -> Dataset:
        """Copy a file of this machine into :attr:`data_dir`, and make it a data set candidate."""
        name = file_name(name)
        if self.read_only is not None:
            raise Refusal(ErrorCode.BUSY, self.read_only)
        if why := await asyncio.to_thread(self.files.leads_outside):
            raise Refusal(ErrorCode.INVALID_ARGS, why)
        left, why = await self.left()
        try:
            size = (await asyncio.to_thread(source.stat)).st_size
            refuse_empty(name, size)
            if size > left:
                raise Refusal(ErrorCode.TOO_LARGE, why)
            place, is_new = await asyncio.to_thread(copy_in, source, self.data_dir, name)
        except OSError as error:
            raise Refusal(ErrorCode.TOO_LARGE, f"The file could not be stored ({error}).") from None
        try:
            return await self.add_dataset(place, user)
        except BaseException:
            if is_new:
                place.unlink(missing_ok=True)
            raise

    async def predict(self, rows: list[dict[str, Any]] | msgspec.Raw) -> dict[str, Any]:
        """Predict rows with the model that was kept, or the best so far; Refusal if there is none."""
        plan = self.state.stage(StageId.TRAIN).plan
        keep = (plan or {}).get("keep") or (self.state.best.run_id if self.state.best else None)
        place = await asyncio.to_thread(self.files.model_dir, self.state, keep) if keep else None
        if place is None:
            raise Refusal(
                ErrorCode.NOT_WAITING, "There is no trained model yet; go on until the stage Training is done."
            )
        try:
            return await self._pool.predict(str(place), (plan or {}).get("threshold"), rows)
        except PredictionError as error:
            raise Refusal(ErrorCode.INVALID_ARGS, str(error)) from None
        except PredictorBusy as error:
            raise Refusal(ErrorCode.BUSY, str(error), retryable=True, retry_after_ms=1000) from None

    async def recover(self) -> None:
        """Tidy up, and take up what was running when the server stopped, as soon as that can be stored."""
        if self.read_only is not None:
            return
        # Also where nothing runs: the server may have ended right after an attempt had in the log.
        await asyncio.to_thread(self.files.clear_left_behind)
        work = self.state.work
        if work is None:
            return
        await asyncio.to_thread(self.files.clear_interrupted, work.stage_id, work.attempt)
        finished = await asyncio.to_thread(self.files.finished_runs, work.attempt)
        await self._conductor.take_up(Recover(finished))

    def unstored(self, seconds: float) -> str | None:
        """Why what waits to be stored could not be for so many seconds; None while all is well."""
        return self._conductor.unstored(seconds)

    async def close(self, *, deleted: bool = False) -> None:
        """End the work; with ``deleted`` tell the cursors that there is nothing more to come."""
        await self._conductor.close(deleted=deleted)


def _harmless(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments without passwords in addresses; Refusal if they are nested too deeply for what handles them."""
    try:
        found: dict[str, Any] = all_without_credentials(args)
    except RecursionError as error:
        raise Refusal(ErrorCode.INVALID_ARGS, f"The arguments are {error}.") from None
    return found
