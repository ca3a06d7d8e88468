"""Named places at which a test ends a process in an instant, or lets an error happen, to see what is left behind.

``JUPYTER_PIPELINE_CRASH=POINT:STAGE:WHO:FILE`` names the place, the stage it is reached in, who dies there (``server``,
``worker`` or ``both``; with ``mistake`` nobody does, but an error is raised that nobody expects), and a file that is
made first, so that it happens once. The variable is read at the start;
without it a place costs one comparison. ``tests/crash`` goes through all of them.
"""

import contextlib
import os
import signal

VARIABLE = "JUPYTER_PIPELINE_CRASH"
ARMED = VARIABLE in os.environ
_POINT, _STAGE, _WHO, _FILE = (os.environ.get(VARIABLE, "") + ":::").split(":", 3)


class Mistake(Exception):
    """What a mistake in the program may raise."""


def crash_point(point: str, stage: str, detail: str = "") -> None:
    """A named place: ``point``, or ``point.detail``. Returns, unless this is where a crash is wanted."""
    if ARMED and stage == _STAGE and _POINT in (point, f"{point}.{detail}"):
        _crash()


def _crash() -> None:
    import psutil

    with contextlib.suppress(FileExistsError):
        os.close(os.open(_FILE.rstrip(":"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        if _WHO == "mistake":
            raise Mistake("an error that a test lets happen")
        me, here = os.getpid(), psutil.Process()
        # A worker is the child of its guard, and that of the server.
        if "jupyter_pipeline.workers.main" in here.cmdline():
            victims = {"server": [here.parent().ppid()], "worker": [me], "both": [here.parent().ppid(), me]}[_WHO]
        else:
            workers = []
            for guard in here.children():
                with contextlib.suppress(psutil.Error):  # it may be at its end
                    workers += [worker.pid for worker in guard.children()]
            victims = {"server": [me], "worker": workers, "both": [*workers, me]}[_WHO]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
