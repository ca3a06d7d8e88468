"""The guard of a worker: the process that forks it, and that sees to it that nothing outlives it.

On Linux the guard adopts every descendant whose parent is gone ("subreaper"), so that a child that made a session
of its own, emptied its environment and lost its parent is still found. When the worker ends, or the server is gone,
the guard kills all that is left and ends as the worker did. It imports nothing heavy and runs no native code, so
that it acts also while the worker's native code holds every thread and ignores signals.
"""

import contextlib
import os
import select
import signal
import sys
import time

_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_GIVE_UP_S = 5.0
"""After so many seconds what cannot be killed (it hangs in the kernel) is left to the server's own search."""


def start_guarded(lifeline: int) -> None:
    """Fork the worker, and be its guard; returns in the worker only.

    Parameters
    ----------
    lifeline : int
        A pipe whose other end the server holds: when that is closed, all ends.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    worker = os.fork()
    if worker == 0:
        os.close(lifeline)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)
        return
    status = None
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _let_go_of_files(lifeline)
        status = _watch(worker, lifeline)
        _end_all()
    finally:
        _end_like(status)


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _let_go_of_files(lifeline: int) -> None:
    """Keep the lifeline only: the worker's pipes must end with the worker."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, lifeline)
    os.closerange(lifeline + 1, min(os.sysconf("SC_OPEN_MAX"), 4096))


def _watch(worker: int, lifeline: int) -> int | None:
    """The worker's exit status once it has ended, None when the server let go of the lifeline."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    # Not select.select: in a server with a thousand sockets the numbers of files are too high for it.
    waiting = select.poll()
    waiting.register(lifeline, select.POLLIN)
    waiting.register(wake, select.POLLIN)
    while True:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == worker:
                return status
            if pid == 0:
                break
        if any(file == lifeline for file, _ in waiting.poll()):
            return None
        os.read(wake, 4096)


def _end_all() -> None:
    """Kill children until there are none; those of a killed child become ours."""
    deadline = time.monotonic() + _GIVE_UP_S
    while _LINUX and time.monotonic() < deadline:
        for pid in _children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        pass
    # A kernel without that file: look at every process.
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                    found.append(int(name))
    return found


def _end_like(status: int | None) -> None:
    """End as the worker ended, so that the server sees its exit status; on other systems take the group along."""
    if status is None:
        os.killpg(0, signal.SIGKILL)
    elif os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if status is not None and os.WIFEXITED(status) else 1)
