"""The conductor: one task for each project that takes what is asked, decides, and logs.

Everything goes through one mailbox: client messages and what workers report. What was decided is durable before
anyone hears of it. Work is then kept in step with the state (:mod:`.reconciler`).
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import cast, get_args

import msgspec

from .. import faults
from ..agent.base import Agent
from ..faults import crash_point
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import User
from ..protocol.frames import Event, decode_payload
from ..protocol.messages import CancelRun
from ..tasks import Tasks
from ..threads import at_once
from ..traces import ProjectLog, places
from ..workers.pool import WorkerPool
from .commands import Answer, AnyCommand, Env, Recover, RunCustomCommand, Say
from .conversation import Conversation
from .custom import CustomCommands
from .decide import decide, is_request
from .entries import entry_of
from .files import ProjectFiles
from .log import EventLog, Stored
from .log_rows import ID_BYTES, as_stored, size_of
from .mailbox import SYSTEM, Held, Letter, Mailbox, Outcome
from .measured import Findings
from .mistakes import NOT_CARRIED_OUT, instead_of, stage_failed
from .reconciler import Reconciler
from .room import Room, instead_when_full
from .settings import Settings
from .snapshot import Progress, context
from .state import ProjectState
from .tail import Tail

log = logging.getLogger(__name__)
Committed = Callable[[str, int, Sequence[Event]], None]
"""Told of a project how many events are durable now, and which of them its state follows from."""
_Decided = tuple[list[Event], list[Stored], ProjectState]
"""The events that the state follows from, all of them as they are stored, and the state."""
_PROGRESS = frozenset(kind.NAME for kind in get_args(Progress))
_RECENT_IDS = 1024
_RETRY_S = 1.0
_MISTAKES = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError, sqlite3.IntegrityError)
"""Of SQLite's errors, those that do not pass when there is room on the disk again."""


class Unstored(Refusal):
    """It could not be stored, so it was not done."""

    def __init__(self, why: str) -> None:
        super().__init__(
            ErrorCode.INTERNAL,
            f"This could not be stored, so it was not done ({why}). Is the disk full? Try again.",
            retryable=True,
            retry_after_ms=int(_RETRY_S * 1000),
        )


class Conductor:
    """Takes letters, decides on them, and makes what follows durable and known.

    Parameters
    ----------
    state : ProjectState
        As folded from the log.
    log_bytes : int
        What the project has in the log.
    files, event_log, pool, agent, custom, settings
        What it stands on.
    on_committed : callable or None
        Told of events once they are durable.
    on_handled : callable
        Called after each time that letters were handled.

    Attributes
    ----------
    state : ProjectState
        What is durable.
    tail : Tail
        Where readers follow.
    room : Room
        How much more may be put into the log.
    """

    def __init__(
        self,
        state: ProjectState,
        log_bytes: int,
        files: ProjectFiles,
        event_log: EventLog,
        pool: WorkerPool,
        agent: Agent,
        custom: CustomCommands,
        settings: Settings,
        on_committed: Committed | None,
        on_handled: Callable[[], None],
    ) -> None:
        self.state = state
        self.tail = Tail(event_log, state.project_id, state.seq)
        self.room = Room(settings, log_bytes)
        self._attended = False
        self._files = files
        self._notes = ProjectLog(log, state.project_id)
        self._log = event_log
        self._on_committed = on_committed
        self._on_handled = on_handled
        self._mailbox = Mailbox()
        self._tasks = Tasks(log)
        self._findings = Findings(files)
        self._conversation = Conversation(agent, custom, files, self._mailbox, self._tasks)
        self._work = Reconciler(
            lambda: self.state, files, settings, pool, event_log, self.room, self._mailbox, self._tasks
        )
        self._recent: OrderedDict[str, int] = OrderedDict()
        self._unstored: tuple[float, str] | None = None
        self._told: Stored | None = None
        self._handling = False
        self._given_up = 0
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    @property
    def busy(self) -> bool:
        """Whether something is asked of it that it has not answered yet, or done beside."""
        return self._handling or bool(self._mailbox) or len(self._tasks) > 0

    def attend(self, attended: bool) -> None:
        """Somebody is connected, for whom new events are kept in memory; or nobody is any more."""
        self._attended = attended
        if not attended:
            self.tail.forget()

    async def post(self, command: AnyCommand, user: User, message_id: str | None) -> Outcome:
        """Put something into the mailbox, and return when what it caused is durable.

        Raises
        ------
        Refusal
            If it cannot be carried out; nothing has changed then.
        """
        if self._serving.done():
            raise _closed()
        if self._log.read_only is not None:
            raise Refusal(ErrorCode.BUSY, self._log.read_only)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._mailbox.put(Letter(command, user, message_id, answer))
        return await answer

    async def take_up(self, recover: Recover) -> None:
        """Take up what was running when the server stopped: at once or, if that cannot be stored, as soon as it can;
        until then all can be read, and nothing is begun."""
        try:
            await self.post(recover, SYSTEM, None)
        except Unstored:
            self._mailbox.put(Letter(recover))

    def unstored(self, seconds: float) -> str | None:
        """Why what waits to be stored could not be for so many seconds; None while all is well."""
        failed = self._unstored if self._handling or self._mailbox else None
        return failed[1] if failed is not None and time.monotonic() - failed[0] >= seconds else None

    async def close(self, *, deleted: bool = False) -> None:
        """End the work and the task; with ``deleted`` tell the cursors that there is nothing more to come."""
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving
        self._mailbox.refuse(_closed())
        self._tasks.cancel()
        await self._work.close()
        if deleted:
            self.tail.deleted = True
            self.tail.wake()

    # -- the task ------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        while True:
            letters = await self._mailbox.take()
            self._handling = True
            try:
                await self._handle(letters)
            except asyncio.CancelledError:
                for letter in letters:
                    letter.refuse(_closed())
                raise
            except Exception as error:  # whatever one letter does, the project goes on
                self._notes.error("letters could not be handled:\n%s", places(error))
                self._give_up(letters, error)
            self._handling = False
            try:
                self._work.look()
                self._on_handled()
            except Exception as error:
                self._notes.error("what follows from letters failed:\n%s", places(error))

    def _give_up(self, letters: list[Letter], error: Exception) -> None:
        """Nothing of these letters was stored, nor will be: clients are told, and a stage that reported is ended."""
        for letter in letters:
            letter.refuse(_wrong())
        failed = stage_failed(self.state, error)
        if failed is None or failed.attempt == self._given_up or all(letter.answer is not None for letter in letters):
            return
        self._given_up = failed.attempt  # once: should this not go through either, it is left at that
        self._mailbox.put_back([Letter(failed)])

    async def _handle(self, letters: list[Letter]) -> None:
        """Decide on some letters, make what follows durable, then let the world know."""
        state = self.state
        events: list[Event] = []
        stored: list[Stored] = []
        ids: dict[str, int] = {}
        decided: list[tuple[Letter, Outcome | Refusal]] = []
        code, grown = "", 0
        gone: frozenset[str] = frozenset()
        if any(letter.user is not SYSTEM for letter in letters) and state.saved:
            code, gone = await at_once(self._files.changes, state)
        now = int(time.time() * 1000)
        for n, letter in enumerate(letters):
            try:
                if letter.message_id is not None:
                    seen = ids.get(letter.message_id) or await self._seen(letter.message_id)
                    if seen is not None:
                        decided.append((letter, Outcome(seen, "duplicate")))
                        continue
                env = Env(ts=max(now, state.ts), user=letter.user, code=code, gone=gone)
                produced, frames, state, size = await self._decided(state, letter, env, grown)
            except Refusal as refusal:
                decided.append((letter, refusal))
                continue
            except Held:
                self._mailbox.put_back(letters[n:])
                del letters[n:]
                break
            except Exception as error:
                what = type(letter.command).__name__
                self._notes.error("deciding on %s failed:\n%s", what, places(error))
                decided.append((letter, _wrong()))
                continue
            events += produced
            stored += frames
            grown += size
            if letter.message_id is not None:
                ids[letter.message_id] = state.seq
            decided.append((letter, Outcome(state.seq, "accepted")))
        if stored or ids:
            try:
                _crash_points("append.before", state, stored)
                appending = asyncio.ensure_future(self._log.append(entry_of(state), stored, list(ids.items())))
                await _ended(appending)
                appending.result()
                _crash_points("append.after", state, stored)
            except (OSError, sqlite3.Error) as error:
                if isinstance(error, _MISTAKES):
                    raise
                await self._could_not_store(letters, error)
                return
            self.room.used += grown
            self._stored(state, events, stored, ids)
        for letter, outcome in decided:
            if isinstance(outcome, Refusal):
                letter.refuse(outcome)
                continue
            letter.accept(outcome)
            if outcome.status == "accepted":
                try:
                    self._follow_up(letter)
                except Exception as error:
                    self._notes.error("what follows from a message failed:\n%s", places(error))

    async def _decided(
        self, state: ProjectState, letter: Letter, env: Env, grown: int
    ) -> tuple[list[Event], list[Stored], ProjectState, int]:
        """What follows from a letter, and what it takes in the log, which has ``grown`` already.

        Where a mistake of ours keeps it from being decided, and nobody would hear of that, or where the log has no
        room, it is those of what is decided instead.
        """
        command, ids = letter.command, ID_BYTES if letter.message_id is not None else 0
        if isinstance(command, Say) and (why := self.room.full):
            raise Refusal(ErrorCode.TOO_LARGE, why)  # before anybody thinks of an answer
        try:
            events, frames, after = await self._decide(state, command, env, letter)
        except (Refusal, Held):
            raise
        except Exception as error:
            instead = instead_of(command, state, error)
            if instead is None:
                raise
            self._notes.error("deciding on %s failed:\n%s", type(command).__name__, places(error))
            events, frames, after = await self._decide(state, command := instead, env)
        size = size_of(frames) + ids
        if size and (why := self.room.lacks(grown + size, command, after)):
            events, frames, after = await self._decide(state, instead_when_full(command, state, why), env)
            size = size_of(frames) + ids
        return events, frames, after, size

    async def _decide(self, state: ProjectState, command: AnyCommand, env: Env, chat: Letter | None = None) -> _Decided:
        if faults.ARMED:
            crash_point("decide", state.current, type(command).__name__)
        is_answered = not is_request(state)
        produced, after = decide(state, command, env)
        events = list(produced)
        if is_answered and isinstance(command, Say) and chat is not None:
            if not chat.replied:
                known = context(state, env.ts, await self._findings.of(state), self._progress())
                chat.reply = await self._conversation.answer(chat, command, known)
            if chat.reply is not None:
                more, after = self._carried_out(after, chat.reply, env)
                events += more
        return [e for e in events if e.payload.STATE], as_stored(state.project_id, events), after

    def _carried_out(self, state: ProjectState, answer: Answer, env: Env) -> tuple[tuple[Event, ...], ProjectState]:
        """What follows from an answer; the message that it answers is kept also where that is a mistake of ours."""
        try:
            return decide(state, answer, env)
        except Exception as error:
            self._notes.error("carrying out an answer failed:\n%s", places(error))
            return decide(state, NOT_CARRIED_OUT, env)

    def _progress(self) -> tuple[int, Progress] | None:
        """What work said last of how far it is, and when."""
        if self._told is None:
            return None
        envelope = msgspec.json.decode(self._told.frame)
        return envelope["ts"], cast(Progress, decode_payload(self._told.name, envelope["event"]["payload"]))

    async def _seen(self, message_id: str) -> int | None:
        if message_id in self._recent:
            return self._recent[message_id]
        return await self._log.message_seq(self.state.project_id, message_id)

    def _stored(self, state: ProjectState, events: list[Event], stored: list[Stored], ids: dict[str, int]) -> None:
        """What is durable is true, and known."""
        self._unstored = None
        self.state = state
        self._recent.update(ids)
        while len(self._recent) > _RECENT_IDS:
            self._recent.popitem(last=False)
        if stored:
            self._told = next((one for one in reversed(stored) if one.name in _PROGRESS), self._told)
            self.tail.extend(stored, keep=self._attended)
            if self._on_committed is not None:
                try:
                    self._on_committed(state.project_id, len(stored), events)
                except Exception as error:
                    self._notes.error("what is told of events failed:\n%s", places(error))

    def _follow_up(self, letter: Letter) -> None:
        """Do what the state alone does not say."""
        match letter.command:
            case CancelRun(mode="now"):
                self._work.kill_at_once()
            case RunCustomCommand():
                self._conversation.run_command(letter.command, letter.user, self.state)

    async def _could_not_store(self, letters: list[Letter], error: Exception) -> None:
        """Nothing has happened: clients are told, and what work reported is tried again."""
        if self._unstored is None:
            self._unstored = time.monotonic(), str(error)
            self._notes.error("the event log could not be written: %s", error)
        sorry = Unstored(str(error))
        for letter in letters:
            letter.refuse(sorry)
        self._mailbox.put_back([letter for letter in letters if letter.answer is None])
        self._mailbox.refuse(sorry)
        if self._mailbox:
            await asyncio.sleep(_RETRY_S)


async def _ended(task: "asyncio.Future[None]") -> None:
    """Wait for what cannot be called back. Who is cancelled meanwhile is so only after it, to say what came of it."""
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await asyncio.wait([task])
        this = asyncio.current_task()
        assert this is not None
        this.cancel()  # where it waits next


def _closed() -> Refusal:
    return Refusal(ErrorCode.BUSY, "The project is closed; try again.", retryable=True)


def _wrong() -> Refusal:
    return Refusal(ErrorCode.INTERNAL, "Something went wrong inside; nothing was changed.")


def _crash_points(point: str, state: ProjectState, stored: list[Stored]) -> None:
    if faults.ARMED:
        for event in stored:
            crash_point(point, state.current, event.name)
