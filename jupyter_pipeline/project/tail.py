"""The newest events of a project in memory, and the cursors that read them.

A cursor is a position. It takes the next batch from the tail, or from the log's file when it is further behind;
a reader that is slow costs nothing and delays nobody. Readers at the same place get the same batch, so that what is
made of it to be sent is made once for all of them.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from .log import EventLog, Stored, within

TAIL_EVENTS = 4096
"""Events that are kept in memory for each open project, at the least once there are as many."""
TAIL_BYTES = 4 << 20
"""Bytes of frames above which fewer are kept."""
BATCH_EVENTS = 2048
"""Events of a batch at the most."""
BATCH_BYTES = 256 << 10
"""Bytes of frames of a batch at the most, unless its one event is larger."""
_SHARED = 4
"""Batches that are kept for the next reader who comes to the same place."""


class ProjectDeleted(Exception):
    """The project that a cursor reads was deleted."""


class Batch:
    """Committed events in a row, never empty.

    Attributes
    ----------
    events : sequence of Stored
        The events.
    last : int
        ``seq`` of the last one.
    """

    __slots__ = ("_wire", "events", "last")

    def __init__(self, events: Sequence[Stored]) -> None:
        self.events = events
        self.last = events[-1].seq
        self._wire: bytes | None = None

    def __iter__(self) -> Iterator[Stored]:
        return iter(self.events)

    def wire(self, make: Callable[[Sequence[Stored]], bytes]) -> bytes:
        """The bytes that go to a socket: made by the first who asks, the same for all others."""
        if self._wire is None:
            self._wire = make(self.events)
        return self._wire


class Tail:
    """The newest committed events of one project."""

    def __init__(self, log: EventLog, project_id: str, head: int) -> None:
        self._log = log
        self._project_id = project_id
        self._events: list[Stored] = []
        self._bytes = 0
        self._start = head
        self._waiters: list[asyncio.Future[None]] = []
        self._shared: dict[int, Batch] = {}
        self._reading: dict[int, asyncio.Task[Batch | None]] = {}
        self.head = head
        self.deleted = False

    def extend(self, events: list[Stored], *, keep: bool = True) -> None:
        """Add committed events and wake the cursors. Without ``keep`` nothing stays in memory: who comes reads the
        file."""
        self.head = events[-1].seq
        if not keep:
            self.forget()
            self.wake()
            return
        self._events += events
        self._bytes += sum([len(event.frame) for event in events])
        if len(self._events) > 2 * TAIL_EVENTS or self._bytes > 2 * TAIL_BYTES:
            self._drop()
        self.wake()

    def forget(self) -> None:
        """Keep nothing in memory."""
        self._events, self._bytes, self._start = [], 0, self.head
        self._shared.clear()

    def _drop(self) -> None:
        """Drop the older half of what is too much."""
        cut = max(0, len(self._events) - TAIL_EVENTS)
        left = self._bytes - sum([len(event.frame) for event in self._events[:cut]])
        while left > TAIL_BYTES and cut < len(self._events):
            left -= len(self._events[cut].frame)
            cut += 1
        del self._events[:cut]
        self._start += cut
        self._bytes = left

    def wake(self) -> None:
        """Let every waiting cursor look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, position: int) -> None:
        """Return when there are events after ``position``; ProjectDeleted if there will be none."""
        while position >= self.head and not self.deleted:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                raise
        if self.deleted:
            raise ProjectDeleted(self._project_id)

    async def read(self, position: int, limit: int, size: int | None = None) -> list[Stored]:
        """Up to ``limit`` committed events after ``position``, and of ``size`` bytes of frames, but at least one."""
        if position >= self._start:
            offset = position - self._start
            events = self._events[offset : offset + limit]
            return events if size is None else within(events, size)
        found = await self._log.read(self._project_id, position, limit, size)
        return found if not found or found[-1].seq <= self.head else [e for e in found if e.seq <= self.head]

    async def batch(self, position: int) -> Batch | None:
        """The events after ``position``, as many as go at once; None if there are none yet."""
        shared = self._shared.get(position)
        if shared is not None:
            return shared
        if position >= self._start:
            return self._share(position, await self.read(position, BATCH_EVENTS, BATCH_BYTES))
        reading = self._reading.get(position)
        if reading is None:
            reading = asyncio.get_running_loop().create_task(self._from_file(position))
            self._reading[position] = reading
        # A reader that goes away does not take the page from the others.
        return await asyncio.shield(reading)

    async def _from_file(self, position: int) -> Batch | None:
        try:
            events = await self.read(position, BATCH_EVENTS, BATCH_BYTES)
        finally:
            del self._reading[position]
        if not events and position < self.head and not self.deleted:
            raise RuntimeError(f"The log of {self._project_id} has no event {position + 1} of {self.head}.")
        return Batch(events) if events else None

    def _share(self, position: int, events: list[Stored]) -> Batch | None:
        if not events:
            return None
        while len(self._shared) >= _SHARED:
            del self._shared[next(iter(self._shared))]
        batch = self._shared[position] = Batch(events)
        return batch


class Cursor:
    """A reader's place in a project's log.

    Attributes
    ----------
    position : int
        ``seq`` of the last event that was taken.
    """

    def __init__(self, tail: Tail, since: int) -> None:
        self._tail = tail
        self.position = since

    async def next(self) -> Batch:
        """The next events, at least one, in order; waits for them.

        Raises
        ------
        ProjectDeleted
            If the project was deleted.
        """
        while True:
            await self._tail.wait(self.position)
            batch = await self._tail.batch(self.position)
            if batch is not None:
                self.position = batch.last
                return batch
