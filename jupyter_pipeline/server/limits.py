"""How much one user may ask in what time: token buckets, a lane for each kind of message and request.

Ending work, confirming and pinging have lanes of their own, so that somebody who chats too fast can still
cancel, and reading by HTTP takes nothing from any of them. What is over the limit is refused and says when to try
again; nothing else happens to it.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping

from ..protocol.errors import ErrorCode, Refusal
from ..protocol.messages import AnyMessage, Chat, Command, Confirm, Ping

Clock = Callable[[], float]

#: Messages and requests per minute and user, by lane. ``control`` is resume and subscribe, ``invalid`` what could not
#: be read, ``read`` every GET and HEAD, ``connect`` the opening of a socket.
DEFAULT_RATES: dict[str, float | None] = {
    "chat": 120.0,
    "command": 240.0,
    "cancel": 240.0,
    "confirm": 240.0,
    "ping": 600.0,
    "control": 240.0,
    "invalid": 240.0,
    "predict": 600.0,
    "upload": 240.0,
    "read": 6000.0,
    "connect": 3000.0,
}
#: Lanes of what is no message, as people call it.
_CALLED = {"read": "requests", "connect": "new sockets", "predict": "predictions", "upload": "uploads"}
#: What one user may have open at once, by kind. ``sockets`` counts requests that wait for events too; ``bytes`` are
#: those of messages and bodies, data files excepted, that are on their way or being answered.
DEFAULT_AT_ONCE: dict[str, int | None] = {"sockets": 1000, "requests": 64, "uploads": 8, "bytes": 128 << 20}
_AGAIN_MS = 1000
_MAX_BUCKETS = 10_000
_MIN_BURST = 5.0


class Bucket:
    """A token bucket.

    Parameters
    ----------
    per_second : float
        Tokens that come back each second.
    burst : float
        Tokens that it holds.
    clock : callable, optional
        Seconds that only rise.
    """

    __slots__ = ("_clock", "_tokens", "_updated", "burst", "per_second")

    def __init__(self, per_second: float, burst: float, clock: Clock = time.monotonic) -> None:
        self.per_second = per_second
        self.burst = burst
        self._clock = clock
        self._tokens = burst
        self._updated = clock()

    def take(self) -> float:
        """Take a token: 0.0 if there was one, else the seconds until there is."""
        self._refill()
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self.per_second

    @property
    def full(self) -> bool:
        """Whether it remembers nothing."""
        self._refill()
        return self._tokens >= self.burst

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._updated) * self.per_second)
        self._updated = now


class RateLimiter:
    """The buckets of all users.

    Parameters
    ----------
    rates : mapping of str to (float or None)
        Messages and requests per minute by lane, over :data:`DEFAULT_RATES`; None means no limit.
    burst_s : float
        So many seconds' worth of a rate may come at once.
    clock : callable, optional
        Seconds that only rise.
    """

    def __init__(self, rates: Mapping[str, float | None], burst_s: float = 10.0, clock: Clock = time.monotonic) -> None:
        self.rates = {**DEFAULT_RATES, **rates}
        self._burst_s = burst_s
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def check(self, username: str, lane: str) -> None:
        """Count a message or a request.

        Raises
        ------
        Refusal
            RATE_LIMITED, with the milliseconds after which to try again.
        """
        rate = self.rates.get(lane)
        if rate is None:
            return
        bucket = self._buckets.get((username, lane))
        if bucket is None:
            self._forget_full()
            per_second = rate / 60.0
            bucket = Bucket(per_second, max(_MIN_BURST, per_second * self._burst_s), self._clock)
            self._buckets[username, lane] = bucket
        wait_s = bucket.take()
        if wait_s > 0.0:
            wait_ms = math.ceil(wait_s * 1000)
            raise Refusal(
                ErrorCode.RATE_LIMITED,
                f"Too many {_CALLED.get(lane, f'{lane} messages')}; at most {rate:g} a minute are taken. "
                f"Try again in {wait_ms} ms.",
                retryable=True,
                retry_after_ms=wait_ms,
            )

    def _forget_full(self) -> None:
        if len(self._buckets) >= _MAX_BUCKETS:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.full}


class Crowd:
    """How much each user has open at once: each costs memory or a file until it has ended.

    Parameters
    ----------
    most : mapping of str to (int or None)
        How much by kind, over :data:`DEFAULT_AT_ONCE`; None means no limit.
    """

    def __init__(self, most: Mapping[str, int | None]) -> None:
        self._most = {**DEFAULT_AT_ONCE, **most}
        self._open: Counter[tuple[str, str]] = Counter()

    def enter(self, username: str, kind: str, amount: int = 1) -> Callable[[], None]:
        """Count so many more; what is returned, called once or more often, counts them no more.

        Raises
        ------
        Refusal
            RATE_LIMITED, if it is too much beside what there is already.
        """
        key, most = (username, kind), self._most.get(kind)
        there = self._open[key]
        if most is not None and there and there + amount > most:
            raise Refusal(
                ErrorCode.RATE_LIMITED,
                f"Too many {kind} at once; {most:,} are the most that are taken. Try again when some have ended.",
                retryable=True,
                retry_after_ms=_AGAIN_MS,
            )
        self._open[key] = there + amount
        inside = [key]

        def leave() -> None:
            if inside:
                self._open[inside.pop()] -= amount
                if not self._open[key]:
                    del self._open[key]

        return leave


def lane_of(message: AnyMessage) -> str:
    """The lane that a message takes."""
    match message:
        case Chat():
            return "chat"
        case Confirm():
            return "confirm"
        case Command():
            return "cancel" if message.command == "cancel_run" else "command"
        case Ping():
            return "ping"
        case _:
            return "control"
