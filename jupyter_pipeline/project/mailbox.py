"""What waits for a project's task: what clients ask and what workers report, in the order in which it came."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

import msgspec

from ..protocol.errors import Refusal
from ..protocol.events import Payload, User
from ..protocol.messages import CancelRun
from .commands import Answer, AnyCommand, WorkEvents

SYSTEM = User("jupyter_pipeline", "the pipeline")
EVENTS = 2048
"""Events of workers above which no more letters are decided on in the same go."""
BYTES = 4 << 20
"""Bytes of these events, above which neither are more: they are in memory several times while they are stored."""
LETTERS = 256
"""Letters that are decided on in one go at the most."""
FULL, FULL_BYTES = 4 * EVENTS, 4 * BYTES
"""Events of workers, and bytes of them, that wait when workers are to wait too."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a message: the head of the log when what it caused was durable."""

    seq: int
    status: Literal["accepted", "duplicate"]


class Held(Exception):
    """A chat is decided on once its reply is there; until then the mailbox holds it, and all that came after it."""


class Letter:
    """Something in the mailbox; ``answer`` is resolved when it has taken effect.

    Of a chat that was held ``reply`` is what follows from it, None if that comes by itself.
    """

    __slots__ = ("answer", "command", "message_id", "replied", "reply", "user")

    def __init__(
        self,
        command: AnyCommand,
        user: User = SYSTEM,
        message_id: str | None = None,
        answer: "asyncio.Future[Outcome] | None" = None,
    ) -> None:
        self.command = command
        self.user = user
        self.message_id = message_id
        self.answer = answer
        self.reply: Answer | None = None
        self.replied = False

    def refuse(self, refusal: Refusal) -> None:
        """Tell whoever waits for the answer that there was no effect."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(refusal)

    def accept(self, outcome: Outcome) -> None:
        """Tell whoever waits for the answer what came of it."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(outcome)


class _Said:
    """What a worker said in a row."""

    __slots__ = ("attempt", "payloads", "size")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.payloads: list[Payload] = []
        self.size = 0


class Mailbox:
    """Letters, first come, first served. What a worker says in a row becomes one letter: it is decided on in one go.

    While the reply to a long chat is worked out, that chat and all after it wait, but for cancels before which no
    person asked for anything else: those are to take effect at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[Letter | _Said] = deque()
        self._events = self._bytes = 0
        self._open: _Said | None = None
        self._held: Letter | None = None
        self._arrived = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so much waits of what workers said that they should wait too."""
        return self._events >= FULL or self._bytes >= FULL_BYTES

    def hold(self, letter: Letter) -> None:
        """Let all wait for the reply to a chat, which is to be put back."""
        self._held = letter

    def release(self, letter: Letter, reply: Answer | None) -> None:
        """Let what was held go on, with its reply."""
        letter.reply, letter.replied = reply, True
        if self._held is letter:
            self._held = None
            self._arrived.set()

    def put(self, letter: Letter) -> None:
        """Add a letter."""
        self._open = None
        self._waiting.append(letter)
        self._arrived.set()

    def said(self, attempt: int, payloads: Sequence[Payload], sizes: Sequence[int]) -> None:
        """Add events of a worker, each of so many bytes."""
        count, size, said = len(payloads), sum(sizes), self._open
        if not count:
            return
        if said is None or said.attempt != attempt or len(said.payloads) >= EVENTS or said.size >= BYTES:
            self._open = said = _Said(attempt)
            self._waiting.append(said)
            self._arrived.set()
        if count > 1 and (len(said.payloads) + count > EVENTS or said.size + size >= BYTES):
            half = count // 2
            self.said(attempt, payloads[:half], sizes[:half])
            self.said(attempt, payloads[half:], sizes[half:])
            return
        said.payloads += payloads
        said.size += size
        self._count(count, size)

    def _urgent(self) -> list[Letter]:
        """While all wait, the cancels before which no person asked for anything else."""
        if self._held is None:
            return []
        letters = (one for one in self._waiting if isinstance(one, Letter) and one is not self._held)
        of_people = (one for one in letters if one.answer is not None)
        return list(takewhile(lambda one: isinstance(one.command, CancelRun), of_people))

    async def take(self) -> list[Letter]:
        """The next letters, at least one; waits for it."""
        while not (urgent := self._urgent()) and (self._held is not None or not self._waiting):
            self._arrived.clear()
            await self._arrived.wait()
        if urgent:
            for letter in urgent:
                self._waiting.remove(letter)
            return urgent
        found: list[Letter] = []
        events = size = 0
        while self._waiting and len(found) < LETTERS and events < EVENTS and size < BYTES:
            one = self._waiting.popleft()
            if isinstance(one, _Said):
                one = Letter(WorkEvents(one.attempt, tuple(one.payloads), one.size))
            if isinstance(one.command, WorkEvents):  # of which some may have been put back
                events += len(one.command.payloads)
                size += one.command.size
            found.append(one)
        self._count(-events, -size)
        self._open = None
        return found

    def _count(self, events: int, size: int) -> None:
        self._events += events
        self._bytes += size

    def put_back(self, letters: list[Letter]) -> None:
        """Put letters that were taken where they were: before all others."""
        for letter in reversed(letters):
            if isinstance(letter.command, WorkEvents):
                self._count(len(letter.command.payloads), letter.command.size)
            self._waiting.appendleft(letter)
        self._arrived.set()

    def refuse(self, refusal: Refusal) -> None:
        """Take out, undone, all that somebody waits for the answer to; what workers report stays."""
        waiting, self._waiting, self._held = self._waiting, deque(), None
        for one in waiting:
            if isinstance(one, Letter) and one.answer is not None:
                one.refuse(refusal)
            else:
                self._waiting.append(one)
