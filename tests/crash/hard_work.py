"""Training code that is hard to end, put into the project's ``code`` folder as a person would, and what ends it."""

import asyncio
import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import psutil

from jupyter_pipeline.stages.workspace import package_code
from tests.server.conftest import Server, Socket

from .driver import command, state_of, tell, until

#: What ``fit_linear`` does instead, by name. ``note(pid, …)`` says that it is under way, and who is at it.
KINDS = {
    "sleeps in C with the GIL, ignores SIGTERM": """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(os.getpid())
    ctypes.PyDLL(None).sleep(600)
""",
    "computes in C with the GIL, ignores SIGTERM": """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(os.getpid())
    sum(range(10**12))
""",
    "hangs in a system call, all signals blocked": """
    signal.pthread_sigmask(signal.SIG_SETMASK, set(signal.Signals))
    read, write = os.pipe()
    note(os.getpid())
    os.read(read, 1)
""",
    "a child in a session of its own, orphaned, without environment": """
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if (child := os.fork()) == 0:
            os.execve("/bin/sleep", ["sleep", "600"], {})
        os.write(write, str(child).encode())
        os._exit(0)
    note(os.getpid(), int(os.read(read, 20)))
    time.sleep(600)
""",
    "processes of joblib on all cores": """
    from joblib import Parallel, delayed
    threading.Timer(1.0, lambda: note(os.getpid())).start()
    Parallel(n_jobs=os.cpu_count(), backend="loky")(delayed(math.factorial)(10**7) for _ in range(8))
""",
    "a gigabyte of memory": """
    block = np.ones(2**27)
    note(os.getpid())
    while True:
        block += 1.0
""",
}
#: What it does instead and fills the disk with, if it is let: at most 600 MB. It begins when it is told to.
WRITERS = {
    "a checkpoint that grows, SIGTERM ignored": """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(os.getpid())
    wait_for(FOLDER + "/go")
    with open(FOLDER + "/artifacts/checkpoint.bin", "wb") as file:
        for _ in range(600):
            file.write(bytes(10**6))
            file.flush()
            time.sleep(0.005)
    time.sleep(600)
""",
    "many small files, by a child in a session of its own": """
    if os.fork() == 0:
        os.setsid()
        wait_for(FOLDER + "/go")
        for n in range(60_000):
            place = FOLDER + f"/artifacts/trials/deep/{n // 100}"
            os.makedirs(place, exist_ok=True)
            with open(f"{place}/{n}", "wb") as file:
                file.write(bytes(10_000))
        time.sleep(600)
    note(os.getpid())
    time.sleep(600)
""",
}
#: What it does instead and fills memory with, if it is let: it says more than can be stored, and prints no line break.
FLOODS = {
    "says and prints without end": """
    import gc
    from jupyter_pipeline.protocol.events import LogLine
    outlet = next(one for one in gc.get_objects() if type(one).__name__ == "Outlet")
    line = LogLine(run_id="pipeline", level="info", text="x" * 200, source="TRAIN")
    def prints():
        while True:
            os.write(2, b"x" * 65536)
    threading.Thread(target=prints, daemon=True).start()
    note(os.getpid())
    while True:
        outlet.emit(line)
""",
}
#: What it does instead, and then what it would have done: the training goes on, and leaves something behind.
LEAVERS = {
    "a child that nobody waits for": """
    if not os.path.exists(FOLDER + "/under-way.json"):
        if (child := os.fork()) == 0:
            os.execve("/bin/sleep", ["sleep", "600"], {})
        note(os.getpid(), child)
    return as_it_was(*args, **kwargs)
""",
}
#: What it does instead, while its guard is killed; the mark in the environment tells whose the child is.
ORPHANS = {
    "a child in a session of its own, with what it was given": """
    if (child := os.fork()) == 0:
        os.setsid()
        os.execv("/bin/sleep", ["sleep", "600"])
    note(os.getpid(), child)
    time.sleep(600)
""",
}
_HEAD = """
import ctypes, json, math, os, signal, threading, time
FOLDER = {folder!r}
def note(*pids):
    path = {marker!r}
    with open(path + ".partial", "w") as file:
        json.dump(pids, file)
    os.replace(path + ".partial", path)
def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)
as_it_was = fit_linear
def fit_linear(*args, **kwargs):
"""


def write_code(folder: Path, body: str) -> Path:
    """Put code with another ``fit_linear`` into a project's ``code`` folder; the file that says it is under way."""
    marker = folder / "under-way.json"
    marker.unlink(missing_ok=True)
    shutil.rmtree(folder / "code", ignore_errors=True)
    for name, data in package_code().items():
        path = folder / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    path = folder / "code" / "modeling" / "fit_linear.py"
    path.write_text(path.read_text() + _HEAD.format(marker=str(marker), folder=str(folder)) + body)
    return marker


def start(server: Server, project: Path, kind: str) -> set[psutil.Process]:
    """Train with such code; the processes that are at it, once it is under way."""
    marker = write_code(project, (KINDS | WRITERS | FLOODS | LEAVERS | ORPHANS)[kind])
    assert tell(server, command("restart_stage", stage_id="TRAIN")) == "accepted"

    def under_way() -> bool:
        stage = state_of(server)["stages"][5]
        assert stage["status"] != "FAILED", stage["message"]
        return marker.exists()

    until(under_way, f"training that {kind}")
    worker, *others = json.loads(marker.read_text())
    return family_of(worker) | {psutil.Process(pid) for pid in others}


def family_of(worker: int) -> set[psutil.Process]:
    """A worker, its guard, and all below."""
    guard = psutil.Process(worker).parent()
    assert guard is not None
    return {guard, *guard.children(recursive=True)}


async def cancel(socket: Socket, family: set[psutil.Process], mode: str, message_id: str) -> dict[str, float]:
    """Cancel, and wait until nothing of it is left; seconds to the ack and to the end."""
    begin = time.monotonic()
    await socket.send({**command("cancel_run", mode=mode), "id": message_id})
    ack = await socket.until(lambda f: f["type"] in ("ack", "error"))
    acked = time.monotonic() - begin
    assert ack["type"] == "ack", ack
    while left := [p for p in family if alive(p)]:
        assert time.monotonic() - begin < 20.0, f"still there: {left}"
        await asyncio.sleep(0.005)
    return {"ack_s": acked, "end_s": time.monotonic() - begin}


def alive(process: psutil.Process) -> bool:
    """Whether it runs."""
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def runs_of(server: Server) -> dict[str, dict[str, Any]]:
    """The runs by id."""
    return {run["run_id"]: run for run in state_of(server)["runs"]}
