"""What waits for a project's task: what clients ask and what workers report, in the order in which it came."""

import asyncio
from collections import deque
from typing import Literal

import msgspec

from ..protocol.errors import Refusal
from ..protocol.events import Payload, User
from .commands import AnyCommand, WorkEvents

SYSTEM = User("jupyter_pipeline", "the pipeline")
EVENTS = 1024
"""Events of workers above which no more letters are decided on in the same go."""
LETTERS = 256
"""Letters that are decided on in one go at the most."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a message: the head of the log when what it caused was durable."""

    seq: int
    status: Literal["accepted", "duplicate"]


class Letter:
    """Something in the mailbox; ``answer`` is resolved when it has taken effect."""

    __slots__ = ("answer", "command", "message_id", "user")

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

    def refuse(self, refusal: Refusal) -> None:
        """Tell whoever waits for the answer that there was no effect."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(refusal)


class _Said:
    """What a worker said in a row."""

    __slots__ = ("attempt", "payloads")

    def __init__(self, attempt: int, payload: Payload) -> None:
        self.attempt = attempt
        self.payloads = [payload]


class Mailbox:
    """Letters, first come, first served. What a worker says in a row becomes one letter: it is decided on in one go."""

    def __init__(self) -> None:
        self._waiting: deque[Letter | _Said] = deque()
        self._open: _Said | None = None
        self._arrived = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def put(self, letter: Letter) -> None:
        """Add a letter."""
        self._open = None
        self._waiting.append(letter)
        self._arrived.set()

    def said(self, attempt: int, payload: Payload) -> None:
        """Add an event of a worker."""
        said = self._open
        if said is not None and said.attempt == attempt and len(said.payloads) < EVENTS:
            said.payloads.append(payload)
            return
        self._open = said = _Said(attempt, payload)
        self._waiting.append(said)
        self._arrived.set()

    async def take(self) -> list[Letter]:
        """The next letters, at least one; waits for it."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        found: list[Letter] = []
        events = 0
        while self._waiting and len(found) < LETTERS and events < EVENTS:
            one = self._waiting.popleft()
            if isinstance(one, _Said):
                events += len(one.payloads)
                one = Letter(WorkEvents(one.attempt, tuple(one.payloads)))
            found.append(one)
        self._open = None
        return found

    def refuse_all(self, refusal: Refusal) -> None:
        """Take everything out, undone."""
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, Letter):
                one.refuse(refusal)
        self._open = None
