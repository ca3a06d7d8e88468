"""Waiting that an interrupt can end."""

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from .errors import PipelineTimeout

T = TypeVar("T")
TICK_S = 0.2
"""How long one wait blocks at most, so that an interrupt is seen on every platform."""


class Deadline:
    """Until when to wait; ``None`` seconds: without end."""

    def __init__(self, timeout_s: float | None) -> None:
        self._end = None if timeout_s is None else time.monotonic() + timeout_s
        self._timeout_s = timeout_s

    def tick(self, what: str) -> float:
        """Seconds to block now; raises PipelineTimeout when the time is over."""
        if self._end is None:
            return TICK_S
        left = self._end - time.monotonic()
        if left <= 0:
            raise PipelineTimeout(f"Waited {self._timeout_s:g} seconds for {what}, which did not come.")
        return min(TICK_S, left)


def result_of(future: "Future[T]", timeout_s: float | None, what: str) -> T:
    """A future's result; an interrupt ends the waiting, and so does the time given."""
    deadline = Deadline(timeout_s)
    while True:
        seconds = deadline.tick(what)  # its PipelineTimeout is a TimeoutError, too
        try:
            return future.result(seconds)
        except FutureTimeout:
            if future.done():
                raise
