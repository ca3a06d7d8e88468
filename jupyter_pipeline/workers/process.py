"""A worker process as the conductor sees it: a process group that takes jobs and sends frames.

The group is this module's business from the first process to the last: whatever a stage starts, threads of
native code, forked children, kernels, is ended with it. Three nets catch them: the guard, which is the parent of the
worker and adopts every orphan below it (``guard.py``); the process group; and, should the guard itself have been
killed, a mark in the environment that descendants inherit.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable

import msgspec
import psutil

from ..protocol.jobs import Emitted, FromWorker, Predicted, Ready, Said, ToWorker
from ..threads import at_once

MARK = "JUPYTER_PIPELINE_WORKER"
"""Environment variable that names the worker in all its descendants."""
_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads of native code wait without spinning, unless the environment says otherwise: on a machine whose cores are
also used by others, a fit with spinning threads takes several times as long as with one thread."""
_STDERR_LINES = 60
_GUARD_S = 1.0
"""Seconds that the guard has to end everything, before the server does it itself."""
_ROUNDS, _ROUND_S = 20, 0.05
"""How often what is left is killed, as it may have forked meanwhile, and seconds in between."""
_PIPE_S = 2.0
_LINE_BYTES = 64 << 10
"""Of a line on standard error that are taken as one: what prints without line breaks ends nobody's memory."""
_FRAME_BYTES = 64 << 20
"""Of a stage's frame at the most: it is held in memory, and an event goes to everyone who reads."""
_decoder = msgspec.json.Decoder(FromWorker)
_POSIX = os.name == "posix"


class WorkerProcess:
    """One worker process.

    Parameters
    ----------
    on_said : callable
        Called on the event loop with what the worker says, in its order.
    on_exit : callable
        Called on the event loop, once, when the process has ended and its frames were all delivered.
    eager : bool, default=False
        Import what stages need before the first job comes; else once there was one.

    Attributes
    ----------
    predicts : bool
        Whether it is asked for predictions, whose size depends on that of the request.
    unreadable : bool
        Whether it said something that is no frame. It is ended then, because that may have been its result.
    """

    def __init__(
        self,
        on_said: Callable[["WorkerProcess", Said | Predicted | Ready], None],
        on_exit: Callable[["WorkerProcess"], None],
        eager: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_said = on_said
        self._on_exit = on_exit
        self._mark = uuid.uuid4().hex
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self.exited = asyncio.Event()
        self.predicts = False
        self.unreadable = False
        self._frames: deque[FromWorker] = deque()
        self._told = False
        self._may_read = threading.Event()
        self._may_read.set()
        self._stdin_lock, self._lifeline_lock = threading.Lock(), threading.Lock()
        lifeline, self._lifeline = os.pipe() if _POSIX else (-1, -1)
        argv = [sys.executable, "-m", "jupyter_pipeline.workers.main"]
        try:
            self._process = subprocess.Popen(
                [*argv, str(lifeline), *(["eager"] if eager else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(lifeline,) if _POSIX else (),
                env={**_THREADS, **os.environ, MARK: self._mark, "PYTHONUNBUFFERED": "1"},
            )
        except BaseException:
            self._let_go()
            raise
        finally:
            if _POSIX:
                os.close(lifeline)
        self.pid = self._process.pid
        self._inner: int | None = None
        self._readers = [
            threading.Thread(target=self._read_frames, daemon=True, name=f"worker-{self.pid}-frames"),
            threading.Thread(target=self._read_errors, daemon=True, name=f"worker-{self.pid}-stderr"),
        ]
        try:
            for thread in (
                *self._readers,
                threading.Thread(target=self._watch, daemon=True, name=f"worker-{self.pid}"),
            ):
                thread.start()
        except RuntimeError:  # there are too many threads
            self._let_go()
            _signal_group(self.pid, _KILL)
            raise

    @property
    def returncode(self) -> int | None:
        """Exit status, None while it runs; negative for a signal."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last lines that the process wrote to its standard error."""
        return "\n".join(self._stderr)

    async def send(self, message: ToWorker) -> None:
        """Send a job or a request; does nothing if the process has gone."""
        data = msgspec.json.encode(message) + b"\n"
        await at_once(self._write, data)

    def _write(self, data: bytes) -> None:
        stdin = self._process.stdin
        with self._stdin_lock, contextlib.suppress(OSError, ValueError):
            if stdin is not None:
                stdin.write(data)
                stdin.flush()

    def hold(self, held: bool) -> None:
        """Read no more frames, until they may be read again: the worker waits when its pipe is full."""
        if held:
            self._may_read.clear()
        else:
            self._may_read.set()

    async def end(self, grace_s: float) -> None:
        """End the whole group: ask, wait up to ``grace_s`` seconds, kill, and see that nothing is left."""
        await at_once(self._end, grace_s)
        await self.exited.wait()

    async def left_behind(self) -> bool:
        """Whether processes are left that a finished job started."""
        return await at_once(lambda: any(p.pid != self._inner for p in self._family()))

    def _end(self, grace_s: float) -> None:
        self._may_read.set()
        family = self._family()
        if grace_s > 0:
            _signal_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self._let_go()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GUARD_S)
        for _ in range(_ROUNDS):
            family = [p for p in {*family, *self._family()} if _is_alive(p)]
            if self._process.poll() is not None and not family:
                break
            if self._process.poll() is None:
                _signal_group(self.pid, _KILL)
            _kill(family)
            time.sleep(_ROUND_S)

    def _let_go(self) -> None:
        """Close the lifeline: the guard ends all that is below it."""
        with self._lifeline_lock:
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            children: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
            return children
        return []

    def _marked(self) -> list[psutil.Process]:
        """Processes that carry this worker's mark, wherever they have got to."""
        if not sys.platform.startswith("linux"):
            return []
        mark = f"{MARK}={self._mark}".encode()
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with contextlib.suppress(OSError, psutil.Error):
                with open(f"/proc/{name}/environ", "rb") as file:
                    carries = mark in file.read()
                if carries:
                    found.append(psutil.Process(int(name)))
        return [process for process in found if _is_alive(process)]

    def _read_errors(self) -> None:
        stream = self._process.stderr
        if stream is not None:
            with stream:
                while line := stream.readline(_LINE_BYTES):
                    self._stderr.append(line.decode("utf-8", "replace").rstrip()[:2000])

    def _read_frames(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            while line := stream.readline(_FRAME_BYTES):
                if not self._may_read.is_set():
                    self._may_read.wait()
                if self.unreadable:
                    continue
                if len(line) >= _FRAME_BYTES and self.predicts:
                    line += stream.readline()
                try:
                    frame = _decoder.decode(line)
                except (ValueError, RecursionError):
                    self._stderr.append(f"(a frame of {len(line):,} bytes that could not be read: {line[:200]!r})")
                    self.unreadable = True
                    self._let_go()
                    continue
                if isinstance(frame, Ready):
                    self._inner = frame.pid
                self._frames.append(frame)
                if not self._told:  # else it will be delivered with those before it
                    self._told = True
                    self._tell(self._deliver)

    def _deliver(self) -> None:
        """Hand over the frames that have been read: waking the event loop costs more than a frame."""
        self._told = False
        frames, left = self._frames, len(self._frames)
        try:
            while left:
                said: Said | Predicted | Ready
                one = frames.popleft()
                left -= 1
                if isinstance(one, Emitted):
                    said = [one]
                    while left and isinstance(next_one := frames[0], Emitted) and next_one.attempt == one.attempt:
                        said.append(next_one)
                        frames.popleft()
                        left -= 1
                else:
                    said = one
                self._on_said(self, said)
        finally:
            if self._frames and not self._told:
                self._told = True
                self._tell(self._deliver)

    def _watch(self) -> None:
        """Wait for the end, remove what is left, and tell when all frames were delivered."""
        self._process.wait()
        if not sys.platform.startswith("linux"):
            _signal_group(self.pid, _KILL)
        for _ in range(_ROUNDS):
            if not (left := self._marked()):
                break
            _kill(left)
            time.sleep(_ROUND_S)
        self._let_go()
        self._may_read.set()
        for reader in self._readers:
            # Bounded: a process that got away from everything may still hold the pipe.
            reader.join(_PIPE_S)
        with self._stdin_lock, contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._tell(self.exited.set)
        self._tell(self._on_exit, self)

    def _tell(self, call: Callable[..., object], *args: object) -> None:
        # The loop may be closed while the process ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *args)


_KILL = signal.SIGKILL if _POSIX else signal.SIGTERM


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it is gone, or was never ours
        if _POSIX:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
