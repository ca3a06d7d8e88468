"""Runs :mod:`.custom_command` and takes whatever comes of it: an answer, an error, silence, a crash, or a flood."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import msgspec

from .custom_command import Describe, Response, Run

MOST_BYTES = 1 << 20
"""Bytes of an answer."""
_LOOK_S = 0.2
"""Seconds until it is seen that nobody waits any more."""
_GUARD_S = 8.0
"""Seconds that the guard has to end everything, which is longer than it tries."""
_POSIX = os.name == "posix"


def run_command(request: Run, timeout_s: float, over: threading.Event) -> Response:
    """Run a command in a process of its own; blocks for ``timeout_s`` seconds at most, and raises nothing.

    It is ended when ``over`` is set, since nobody waits for its answer then.
    """
    (response,) = _ask(request, 1, timeout_s, over)
    return response


def describe_commands(points: Sequence[tuple[str, str]], timeout_s: float, over: threading.Event) -> list[Response]:
    """Describe commands, in their order; one that hangs or crashes while it is loaded does not hide the others."""
    found: list[Response] = []
    while len(found) < len(points) and not over.is_set():
        left = points[len(found) :]
        found += _ask(Describe(points=tuple(left)), len(left), timeout_s, over)
    return found


def _ask(request: Describe | Run, wanted: int, timeout_s: float, over: threading.Event) -> list[Response]:
    """Answers of a process, as many as are wanted or, where one could not be had, up to that one."""
    lifeline, ours = os.pipe() if _POSIX else (-1, -1)
    argv = [sys.executable, "-m", "jupyter_pipeline.workers.custom_command"]
    try:
        process = subprocess.Popen(
            [*argv, str(lifeline)] if _POSIX else argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(lifeline,) if _POSIX else (),
        )
    except BaseException:
        _close(ours)
        raise
    finally:
        _close(lifeline)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(OSError):
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
        data, why = _read(process.stdout.fileno(), wanted, timeout_s, over)
    finally:
        _close(ours)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The guard ends what the command left, also where that got out of the group.
            process.wait(_GUARD_S if _POSIX else 0.0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL) if _POSIX else process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            process.stdin.close()
    found = []
    for line in data.split(b"\n")[:-1][:wanted]:
        try:
            found.append(msgspec.json.decode(line, type=Response))
        except (msgspec.DecodeError, UnicodeError):
            return [*found, Response(error="Its answer cannot be read.")]
    return found if len(found) == wanted else [*found, Response(error=why)]


def _close(pipe: int) -> None:
    if pipe >= 0:
        os.close(pipe)


def _read(pipe: int, lines: int, timeout_s: float, over: threading.Event) -> tuple[bytes, str]:
    """What is written up to so many lines, or the end; and why there is no more."""
    with selectors.DefaultSelector() as waiting:  # not select.select, which knows no numbers of files from 1024 on
        waiting.register(pipe, selectors.EVENT_READ)
        return _read_from(pipe, waiting, lines, timeout_s, over)


def _read_from(
    pipe: int, waiting: selectors.BaseSelector, lines: int, timeout_s: float, over: threading.Event
) -> tuple[bytes, str]:
    data = bytearray()
    deadline = time.monotonic() + timeout_s
    while data.count(b"\n") < lines:
        if len(data) > MOST_BYTES * lines:
            return bytes(data), f"Its answer is longer than {MOST_BYTES:,} bytes."
        left = deadline - time.monotonic()
        if over.is_set():
            return bytes(data), "It was ended, as nobody waits for it any more."
        if left <= 0:
            return bytes(data), f"It did not answer within {timeout_s:g} seconds and was ended."
        if not waiting.select(min(left, _LOOK_S)):
            continue
        piece = os.read(pipe, 1 << 16)
        if not piece:
            return bytes(data), "Its process ended without an answer."
        data += piece
    return bytes(data), ""
