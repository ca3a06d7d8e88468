"""The worker process: takes jobs on standard input, one JSON a line, and sends frames on standard output.

What stage code prints goes to standard error, so that it cannot spoil a frame. On POSIX the worker is the child of a
small guard process (``guard.py``), forked before anything heavy is imported.
"""

import os
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from ..durable import sync_folder, sync_tree
from ..faults import crash_point
from ..protocol.events import Payload
from ..protocol.jobs import Announced, Done, Emitted, Failed, Finish, FromWorker, Job, Predict, Ready, ToWorker
from .guard import start_guarded

if TYPE_CHECKING:
    from ..stages.base import Result

NICENESS = 10
"""Work runs at this niceness, so that the server answers while all cores are busy."""
_decoder = msgspec.json.Decoder(ToWorker)
_WARM = object()


class Outlet:
    """Sends frames, and knows whether its attempt was asked to finish; used by several threads."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._finish = threading.Event()
        self._last_run: int | None = None
        self._given = 0
        self.attempt = 0
        self.stage = ""
        self.announced: list[Announced] = []

    def given(self, attempt: int) -> None:
        """An attempt was given to this worker: what was asked of those before it does not count for it."""
        self._given = attempt
        self._finish.clear()
        self._last_run = None

    def finish(self, wish: Finish) -> None:
        """An attempt should end; it may not have begun yet, or be over."""
        if wish.attempt == self._given:
            if wish.last_run is None:
                self._finish.set()
            else:
                self._last_run = wish.last_run

    def begin(self, attempt: int, stage: str) -> None:
        """Speak for an attempt from now on."""
        self.attempt, self.stage = attempt, stage
        self.announced.clear()

    def send(self, frame: FromWorker) -> None:
        """Send a frame."""
        data = msgspec.json.encode(frame) + b"\n"
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def emit(self, payload: Payload) -> None:
        """Send an event of the running attempt; one that announces its result is kept for the end."""
        if payload.WITH_RESULT:
            self.announced.append(_announced(payload))
        else:
            raw = msgspec.Raw(msgspec.json.encode(payload))
            self.send(Emitted(attempt=self.attempt, name=payload.NAME, payload=raw))
        crash_point("event", self.stage, payload.NAME)

    def finish_requested(self) -> bool:
        """Whether the running attempt should end with the best so far."""
        return self._finish.is_set()

    def last_run(self) -> int | None:
        """The number of the run that is to be the last one of the attempt, if somebody asked for that."""
        return self._last_run


def main() -> None:
    """Serve jobs until standard input ends."""
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if len(sys.argv) > 1 and sys.argv[1] != "-1":
        start_guarded(int(sys.argv[1]))
        os.nice(NICENESS)
    outlet = Outlet(frames)
    jobs: queue.SimpleQueue[Job | Predict] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(outlet, jobs), daemon=True).start()

    from . import work

    outlet.send(Ready(pid=os.getpid()))
    # A project that is only looked at needs none of it.
    warming = work.warm() if "eager" in sys.argv else iter(())
    while True:
        job = _next(jobs, warming)
        if isinstance(job, Predict):
            outlet.send(work.predict(job))
        else:
            outlet.begin(job.attempt, job.stage_id)
            outlet.send(_run(job, outlet))
        warming = work.warm()


def _next(jobs: "queue.SimpleQueue[Job | Predict]", warming: Iterator[None]) -> Job | Predict:
    """The next job; while there is none, get ready for it."""
    while jobs.empty() and next(warming, _WARM) is not _WARM:
        pass
    return jobs.get()


def _listen(outlet: Outlet, jobs: "queue.SimpleQueue[Job | Predict]") -> None:
    try:
        for line in sys.stdin.buffer:
            message = _decoder.decode(line)
            if isinstance(message, Finish):
                outlet.finish(message)
                continue
            if isinstance(message, Job):
                outlet.given(message.attempt)
            jobs.put(message)
    except ValueError as error:  # the package may have been exchanged while the server ran
        what = f"What the server says is not understood ({error}); it may be of another version. Restart the server."
        print(what, file=sys.stderr, flush=True)
    # The server closed the pipe, is gone or cannot be understood; a job that still runs has nobody to report to.
    os._exit(1)


def _run(job: Job, outlet: Outlet) -> Done | Failed:
    """Run one attempt and put its result in place."""
    from . import work

    try:
        crash_point("work.start", job.stage_id)
        result: Result = work.run(job, outlet)
        files = _announced(work.files_of(job))
        crash_point("publish.before", job.stage_id)
        _publish(Path(job.out_dir), Path(job.result_dir))
        crash_point("publish.after", job.stage_id)
        plan = msgspec.to_builtins(result.plan)
        return Done(
            attempt=job.attempt,
            plan=plan,
            summary=result.summary,
            next_actions=result.next_actions,
            announced=(files, *outlet.announced),
        )
    except Exception as error:
        return work.explain(job, error)


def _announced(payload: Payload) -> Announced:
    return Announced(name=payload.NAME, payload=msgspec.Raw(msgspec.json.encode(payload)))


def _publish(out_dir: Path, result_dir: Path) -> None:
    """Make the result durable, then give it its name: it is there whole, or not at all."""
    sync_tree(out_dir)
    out_dir.rename(result_dir)
    sync_folder(result_dir.parent)


if __name__ == "__main__":
    main()
