"""The worker process: takes jobs on standard input, one JSON a line, and sends frames on standard output.

What stage code prints goes to standard error, so that it cannot spoil a frame. On POSIX a small guard process,
forked before anything heavy is imported, ends the whole process group when the server is gone, even while
native code holds every thread of the worker.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from ..protocol.events import Payload
from ..protocol.jobs import Done, Emitted, Failed, Finish, FromWorker, Job, Predict, Ready, ToWorker

if TYPE_CHECKING:
    from ..stages.base import Result

NICENESS = 10
"""Work runs at this niceness, so that the server answers while all cores are busy."""
_decoder = msgspec.json.Decoder(ToWorker)


class Outlet:
    """Sends frames, and knows whether the running attempt was asked to finish; used by several threads."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.finish = threading.Event()
        self.attempt = 0

    def send(self, frame: FromWorker) -> None:
        """Send a frame."""
        data = msgspec.json.encode(frame) + b"\n"
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def emit(self, payload: Payload) -> None:
        """Send an event of the running attempt."""
        self.send(Emitted(attempt=self.attempt, name=payload.NAME, payload=msgspec.Raw(msgspec.json.encode(payload))))

    def finish_requested(self) -> bool:
        """Whether the running attempt should end with the best so far."""
        return self.finish.is_set()


def main() -> None:
    """Serve jobs until standard input ends."""
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if len(sys.argv) > 1:
        _start_guard(int(sys.argv[1]))
        os.nice(NICENESS)
    outlet = Outlet(frames)
    jobs: queue.SimpleQueue[Job | Predict | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(outlet, jobs), daemon=True).start()

    from . import work  # the heavy imports, done before the first job comes

    outlet.send(Ready(pid=os.getpid()))
    while (job := jobs.get()) is not None:
        if isinstance(job, Predict):
            outlet.send(work.predict(job))
        else:
            outlet.attempt = job.attempt
            outlet.send(_run(job, outlet))
            outlet.finish.clear()


def _listen(outlet: Outlet, jobs: "queue.SimpleQueue[Job | Predict | None]") -> None:
    for line in sys.stdin.buffer:
        message = _decoder.decode(line)
        if isinstance(message, Finish):
            if message.attempt == outlet.attempt:
                outlet.finish.set()
        else:
            jobs.put(message)
    jobs.put(None)
    # The server closed the pipe or is gone; a job that still runs has nobody to report to.
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _run(job: Job, outlet: Outlet) -> Done | Failed:
    """Run one attempt and put its result in place."""
    from . import work

    try:
        result: Result = work.run(job, outlet)
        _publish(Path(job.out_dir), Path(job.result_dir))
        plan = msgspec.to_builtins(result.plan)
        return Done(attempt=job.attempt, plan=plan, summary=result.summary, next_actions=result.next_actions)
    except Exception as error:
        message, detail = work.explain(job, error)
        return Failed(attempt=job.attempt, message=message, detail=detail)


def _publish(out_dir: Path, result_dir: Path) -> None:
    """Make the result durable, then give it its name: it is there whole, or not at all."""
    for path in out_dir.rglob("*"):
        if path.is_file():
            with path.open("rb") as file, contextlib.suppress(OSError):
                os.fsync(file.fileno())
    out_dir.rename(result_dir)


def _start_guard(lifeline: int) -> None:
    """Fork the process that ends this group when the other end of the lifeline is closed."""
    if os.fork() != 0:
        os.close(lifeline)
        return
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    top = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 256
    os.closerange(3, lifeline)
    os.closerange(lifeline + 1, min(top, 4096))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
