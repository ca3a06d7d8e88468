"""Starting the servers of ``fanout_server.py`` on a core of their own, and giving them orders."""

import asyncio
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanout_server import EXTENSION
from server_process import TOKEN, running

from jupyter_pipeline.project.log import EventLog, StoredEntry
from jupyter_pipeline.project.log_rows import as_stored
from jupyter_pipeline.protocol.events import LogLine, StageStatusEvent
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus

HERE = Path(__file__).parent
OURS = "jupyter_pipeline"
BROADCASTERS = {"tornado": "tornado", "tornado, cut once": "tornado_cut", "fastapi": "fastapi"}
if importlib.util.find_spec("uvloop") is not None:
    BROADCASTERS["fastapi, uvloop"] = "fastapi_uvloop"


@dataclass
class Target:
    """A running server."""

    name: str
    port: int
    child: "subprocess.Popen[bytes]"

    @property
    def greeting(self) -> int:
        """Frames that a connection begins with."""
        return 2 if self.name == OURS else 0

    def path(self, project: str = "bench", **query: Any) -> str:
        return f"/ws/projects/{project}?" + "&".join(f"{k}={v}" for k, v in query.items())

    async def order(self, line: str) -> dict[str, float]:
        """Give an order; what the server answers when it is done."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()
        answer = await asyncio.to_thread(self.child.stdout.readline)
        found: dict[str, float] = json.loads(answer)
        return found


@contextlib.contextmanager
def broadcaster(name: str, core: int | None) -> Iterator[Target]:
    """One of the servers without a log."""
    command = [sys.executable, str(HERE / "fanout_server.py"), BROADCASTERS[name]]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pin(child.pid, core)
    try:
        assert child.stdout is not None
        yield Target(name, int(child.stdout.readline().decode().removeprefix("PORT=")), child)
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def ours(folder: Path, core: int | None, *args: str, projects: int = 0) -> Iterator[Target]:
    """Our server, with the project ``bench`` in training and so many more."""
    (folder / "fanout_extension.py").write_text(EXTENSION)
    asyncio.run(seed(folder / "root" / "pipelines" / ".log" / "events.sqlite", projects))
    extensions = "--ServerApp.jpserver_extensions={'jupyter_pipeline': True, 'fanout_extension': True}"
    env = {"PYTHONPATH": os.pathsep.join((str(folder), str(HERE), os.environ.get("PYTHONPATH", "")))}
    rates = dict.fromkeys(("chat", "ping", "control", "command", "cancel", "read", "connect"))
    limits = () if any("rate_limits" in arg for arg in args) else (f"--PipelineApp.rate_limits={rates}",)
    workers = "--PipelineApp.warm_workers=0"
    with running(folder, extensions, workers, *limits, *args, ready="api/projects", env=env, orders=True) as server:
        pin(server.process.pid, core)
        target = Target(OURS, server.port, server.child)
        asyncio.run(target.order("burst 0"))  # answered when the worker is in its place
        yield target


async def seed(path: Path, projects: int) -> None:
    """A log with a project in training, whose worker is the benchmark's, and with projects that rest."""
    ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
    status = StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.IN_PROGRESS, message="Trains.", attempt=1)
    rest = LogLine(run_id="chat", level="info", text="Hello", source="user")
    log = EventLog(path)
    await log.open()
    for name in ("bench", *(f"idle-{n}" for n in range(projects))):
        events = [
            Event(seq=n, ts=1, stage=ref, payload=p) for n, p in enumerate((status if name == "bench" else rest,), 1)
        ]
        stored = as_stored(name, events)
        entry = StoredEntry(
            project_id=name,
            epoch="bench",
            seq=1,
            updated_ts=1,
            current_stage="TRAIN",
            status="IN_PROGRESS",
            working=False,
        )
        await log.append(entry, stored, [])
    await log.close()


def pin(pid: int, core: int | None) -> None:
    """Keep a process, all its threads, on a core."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), {core})


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the client, None where they cannot be had."""
    found = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (found[0], found[1]) if len(found) > 1 else (None, None)


__all__ = ["BROADCASTERS", "OURS", "TOKEN", "Target", "broadcaster", "cores", "ours", "pin"]
