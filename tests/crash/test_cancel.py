"""Cancelling ends the work, whatever the work does; ``benchmarks/cancel.py`` says how quickly."""

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from jupyter_pipeline.workers.pool import MOST_ASKED, PredictorBusy, WorkerPool
from jupyter_pipeline.workers.process import WorkerProcess
from tests.server.conftest import Answer, Server

from .driver import PROJECT, command, server_at, state_of, tell, until, until_gate
from .hard_work import FLOODS, KINDS, WRITERS, alive, cancel, family_of, runs_of, start

pytestmark = pytest.mark.anyio
DISK = 60_000_000
"""Bytes that the project may use."""


@pytest.fixture(scope="module")
def server(workspace: Callable[[str], Path]) -> Iterator[Server]:
    """A server with a project that is at TRAIN's gate."""
    limits = ["--PipelineApp.predict_limit=20000", "--PipelineApp.rate_limits={'predict': 60.0}"]
    limits.append(f"--PipelineApp.project_disk_limit={DISK}")
    found = server_at(workspace("TRAIN"), args=limits, forked=True)
    gate = state_of(found)["waiting_confirmation"]["gate_id"]
    assert tell(found, {"type": "confirm", "gate_id": gate}) == "accepted"
    until_gate(found, "TRAIN")
    yield found
    found.stop()


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_outlives_a_cancel(server: Server, kind: str) -> None:
    mode = "stop" if list(KINDS).index(kind) % 2 else "now"
    project = server.root / "pipelines" / "demo"
    family = start(server, project, kind)
    assert len(family) >= 2
    assert server.process is not None
    async with server.connect("demo") as socket:
        await socket.greeting()
        await cancel(socket, family, mode, f"cancel {kind}"[:64])
    below = psutil.Process(server.process.pid).children(recursive=True)
    assert not {p.pid for p in below} & {p.pid for p in family}
    state = state_of(server)
    assert state["stages"][5]["status"] == "FAILED"
    assert all(run["status"] != "running" for run in state["runs"])
    until(lambda: not list(project.glob("artifacts/*.partial")), "the removal of what was half done")


async def test_a_training_that_says_and_prints_without_end_costs_no_memory(server: Server) -> None:
    """It waits while what it says cannot be stored as quickly; and it can be cancelled all the time."""
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    before = memory().rss
    family = start(server, server.root / "pipelines" / "demo", *FLOODS)
    async with server.connect("demo") as socket:
        await socket.greeting()
        await socket.send({"type": "subscribe", "names": ["STAGE_STATUS"]})
        most = 0
        for _ in range(15):
            await asyncio.sleep(0.1)
            most = max(most, memory().rss - before)
        await cancel(socket, family, "now", "the flood")
    assert most < 100_000_000


@pytest.mark.parametrize("kind", WRITERS)
async def test_a_training_that_fills_the_disk_is_ended(server: Server, kind: str) -> None:
    project = server.root / "pipelines" / "demo"
    family = start(server, project, kind)
    (project / "go").touch()

    def failed() -> str:
        stage = state_of(server)["stages"][5]
        return str(stage["message"]) if stage["status"] == "FAILED" else ""

    try:
        message = until(failed, f"the end of a training that writes {kind}")
        ended_for_its_size(server, family, message)
        # While it is there nothing more begins, and what is begun without it is not ended.
        assert tell(server, command("restart_stage", stage_id="TRAIN")) == "accepted"
        assert "nothing more is begun" in until(failed, "the refusal of another training")
    finally:
        (project / "go").unlink()
        (project / "artifacts" / "checkpoint.bin").unlink(missing_ok=True)
        shutil.rmtree(project / "artifacts" / "trials" / "deep", ignore_errors=True)


def ended_for_its_size(server: Server, family: list[psutil.Process], message: str) -> None:
    """It says how much it was, and all of it is over; a quick disk takes gigabytes in the seconds until then."""
    project = server.root / "pipelines" / "demo"
    said = re.search(rf"the project uses ([\d,]+) bytes of disk, of {DISK:,} that it may", message)
    assert said, message
    assert DISK < int(said.group(1).replace(",", "")) < 8_000_000_000
    assert "restart the stage" in message
    until(lambda: not any(map(alive, family)), "the end of its processes")
    size = sum(p.lstat().st_size for p in project.rglob("*"))
    assert size < 8_000_000_000
    assert all(run["status"] != "running" for run in state_of(server)["runs"])


async def test_after_it_all_training_goes_on_and_no_cancelled_run_is_a_success(server: Server) -> None:
    before = {run_id: run["status"] for run_id, run in runs_of(server).items()}
    cancelled = {run_id for run_id, status in before.items() if status == "cancelled"}
    assert cancelled
    shutil.rmtree(server.root / "pipelines" / "demo" / "code")
    assert tell(server, command("restart_stage", stage_id="TRAIN")) == "accepted"
    until_gate(server, "TRAIN")
    after = {run_id: run["status"] for run_id, run in runs_of(server).items()}
    assert {run_id: after[run_id] for run_id in before} == before
    rows = {row["run_id"]: row["status"] for row in state_of(server)["leaderboard"]}
    assert not cancelled & {run_id for run_id, status in rows.items() if status == "success"}


FLOWER = {"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}


def predict(server: Server, body: object) -> Answer:
    return server.request("POST", f"{PROJECT}/predict", body)


async def test_predictions_over_http_are_bounded_and_say_what_is_wrong(server: Server) -> None:
    """Right, wrong and too large bodies; a process that dies meanwhile; and more requests than are taken."""
    answer = predict(server, {"rows": [FLOWER] * 3})
    assert answer.status == 200, answer.body
    assert len(answer.json["predictions"]) == 3
    for values in answer.json["probabilities"]["values"]:
        assert abs(sum(values) - 1.0) < 1e-9
    # A value that JSON does not know is no number; a column that lacks is named or filled, as the bundle does it.
    for body, status in ((b"{", 400), ({"rows": 3}, 400), ({"rows": [FLOWER] * 500}, 413), (b"{" * 30_000, 413)):
        refused = predict(server, body)
        assert refused.status == status, refused.body
        assert refused.json["type"] == "error"
    assert server.process is not None
    below = psutil.Process(server.process.pid).children(recursive=True)
    guard = next(p for p in below if p.children() and "jupyter_pipeline.workers.main" in p.cmdline())
    for process in guard.children():
        process.suspend()
    hanging = asyncio.create_task(asyncio.to_thread(predict, server, {"rows": [FLOWER]}))
    await asyncio.sleep(1.0)
    for process in guard.children():
        process.kill()
    died = await hanging
    assert died.status == 503
    assert died.json["code"] == "BUSY"
    assert died.json["retryable"] is True
    assert int(died.headers["Retry-After"]) >= 1
    assert predict(server, {"rows": [FLOWER]}).status == 200
    many = [predict(server, b"{") for _ in range(30)]
    limited = next(answer for answer in many if answer.status == 429)
    assert limited.json["code"] == "RATE_LIMITED"
    assert int(limited.headers["Retry-After"]) >= 1


async def test_a_server_in_which_a_stage_runs_is_active_though_nobody_asks_it_anything(server: Server) -> None:
    """Idle cullers look at ``last_activity``, and a server that ends itself at ``current_activity``."""
    family = start(server, server.root / "pipelines" / "demo", "hangs in a system call, all signals blocked")
    begin = datetime.now(UTC)

    def active() -> bool:
        answer = server.request("GET", "api/status")
        return (datetime.fromisoformat(answer.json["last_activity"]) - begin).total_seconds() > 3.0

    until(active, "activity")
    async with server.connect("demo") as socket:
        await socket.greeting()
        await cancel(socket, family, "now", "of the active")


def a_model(server: Server) -> str:
    models = server.root / "pipelines" / "demo" / "artifacts" / "trials"
    return str(next(path for path in models.glob("*/model") if (path.parent / "trial.json").is_file()))


async def test_a_prediction_whose_process_dies_or_hangs_says_so_and_the_next_one_works(server: Server) -> None:
    pool, model = WorkerPool(max_workers=1, warm_workers=0, predict_s=180.0), a_model(server)
    try:
        first = await pool.predict(model, None, [FLOWER] * 3)
        assert len(first["predictions"]) == 3
        predictor = pool._predictor
        assert predictor is not None
        os.killpg(predictor.pid, signal.SIGSTOP)
        waiting = [asyncio.ensure_future(pool.predict(model, None, [FLOWER])) for _ in range(MOST_ASKED)]
        await asyncio.sleep(0.5)
        with pytest.raises(PredictorBusy, match="wait already"):
            await pool.predict(model, None, [FLOWER])
        for process in psutil.Process(predictor.pid).children():
            process.kill()
        os.killpg(predictor.pid, signal.SIGCONT)
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, PredictorBusy)
            assert "ended meanwhile" in str(outcome)
        assert (await pool.predict(model, None, [FLOWER]))["predictions"] == first["predictions"][:1]
        predictor = pool._predictor
        assert predictor is not None
        os.killpg(predictor.pid, signal.SIGSTOP)
        pool.predict_s = 0.5
        with pytest.raises(PredictorBusy, match=r"longer than 0\.5 s"):
            await pool.predict(model, None, [FLOWER])
        pool.predict_s = 180.0
        assert (await pool.predict(model, None, [FLOWER]))["predictions"] == first["predictions"][:1]
    finally:
        await pool.close()


async def test_what_a_job_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    """The worker is not kept for the next stage while something of the last one lives below it."""
    ended = asyncio.Event()
    ready = asyncio.Event()
    worker = WorkerProcess(lambda *_: ready.set(), lambda *_: ended.set())
    async with asyncio.timeout(120):
        await ready.wait()
        assert worker._inner is not None
        assert not await worker.left_behind()
        os.kill(worker._inner, 19)  # SIGSTOP: it can be ended all the same
        family = family_of(worker._inner)
        await worker.end(0.2)
        await ended.wait()
    assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert worker.returncode is not None


async def test_a_child_that_got_away_does_not_outlive_the_server(server: Server) -> None:
    family = start(
        server, server.root / "pipelines" / "demo", "a child in a session of its own, orphaned, without environment"
    )
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    gone, alive = psutil.wait_procs(list(family), timeout=10)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    assert len(gone) + len(alive) == len(family)


IDLE = """
import types
import jupyter_server.serverapp as serverapp
from tornado import ioloop

class Soon(ioloop.PeriodicCallback):
    def __init__(self, callback, ms):
        super().__init__(callback, min(ms, 300))  # Jupyter looks once a minute

serverapp.ioloop = types.SimpleNamespace(**{**vars(ioloop), "PeriodicCallback": Soon})
c.ServerApp.shutdown_no_activity_timeout = 3
"""


async def test_a_server_that_ends_itself_when_idle_does_not_while_a_stage_runs(server: Server, tmp_path: Path) -> None:
    """The stage of the last test is taken up at the start, and hangs; nobody is connected and nobody asks anything."""
    (tmp_path / "idle.py").write_text(IDLE)
    server.args = [f"--config={tmp_path / 'idle.py'}"]
    server.start()
    process = server.process
    assert process is not None
    await asyncio.sleep(8.0)
    assert process.poll() is None, server.log[-2000:]
    assert tell(server, command("cancel_run", mode="now")) == "accepted"
    deadline = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < deadline, "an idle server goes on"
        await asyncio.sleep(0.2)
    assert "shutting down" in server.log
