"""The newest events of a project in memory, and the cursors that read them.

A cursor is a position. It takes the next batch from the tail, or from the log's file when it is further behind;
a reader that is slow costs nothing and delays nobody.
"""

import asyncio

from .log import EventLog, Stored

TAIL_EVENTS = 4096
"""Events that are kept in memory for each open project, at the least once there are as many."""


class ProjectDeleted(Exception):
    """The project that a cursor reads was deleted."""


class Tail:
    """The newest committed events of one project."""

    def __init__(self, log: EventLog, project_id: str, head: int) -> None:
        self._log = log
        self._project_id = project_id
        self._events: list[Stored] = []
        self._start = head
        self._waiters: list[asyncio.Future[None]] = []
        self.head = head
        self.deleted = False

    def extend(self, events: list[Stored]) -> None:
        """Add committed events and wake the cursors."""
        self._events += events
        self.head = events[-1].seq
        if len(self._events) > 2 * TAIL_EVENTS:
            cut = len(self._events) - TAIL_EVENTS
            del self._events[:cut]
            self._start += cut
        self.wake()

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
            await waiter
        if self.deleted:
            raise ProjectDeleted(self._project_id)

    async def read(self, position: int, limit: int) -> list[Stored]:
        """Up to ``limit`` committed events after ``position``."""
        if position >= self._start:
            offset = position - self._start
            return self._events[offset : offset + limit]
        found = await self._log.read(self._project_id, position, limit)
        return [event for event in found if event.seq <= self.head]


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

    async def next(self, limit: int = 512) -> list[Stored]:
        """The next events, at least one, in order; waits for them.

        Raises
        ------
        ProjectDeleted
            If the project was deleted.
        """
        while True:
            await self._tail.wait(self.position)
            events = await self._tail.read(self.position, limit)
            if events:
                self.position = events[-1].seq
                return events
