"""Tasks that run beside everything else: kept until they are done, ended with their owner, and never silent."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from .traces import places

T = TypeVar("T")


class Tasks:
    """The tasks of one owner, which the event loop alone would not keep.

    Parameters
    ----------
    log : logging.Logger
        Where it is said that one failed: the places in the code, since what an error says may hold data.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        """How many are not done."""
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine as a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        """Cancel all that are not done."""
        for task in self._running:
            task.cancel()

    async def ended(self) -> None:
        """Return when all are done."""
        while self._running:
            await asyncio.wait(self._running)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("A task failed:\n%s", places(error))
