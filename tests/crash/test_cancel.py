"""Cancelling ends the work, whatever the work does; ``benchmarks/cancel.py`` says how quickly.

Each test stands alone: most share a server whose project has been trained once, and do not mind what others left there.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_pipeline.project.disk import folder_size
from jupyter_pipeline.verify import verify
from jupyter_pipeline.workers.pool import MOST_ASKED, PredictorBusy, WorkerPool
from tests.server.conftest import Answer, Server

from .driver import PROJECT, command, log_of, server_at, state_of, tell, until, until_gate
from .hard_work import FLOODS, KINDS, LEAVERS, ORPHANS, WRITERS, alive, cancel, runs_of, start

pytestmark = pytest.mark.anyio
DISK = 60_000_000
"""Bytes that the project may use."""


LIMITS = [
    "--PipelineApp.predict_limit=20000",
    "--PipelineApp.rate_limits={'predict': 60.0}",
    f"--PipelineApp.project_disk_limit={DISK}",
]


@pytest.fixture(scope="module")
def trained(workspace: Callable[[str], Path]) -> Path:
    """A workspace with a project that is at TRAIN's gate."""
    folder = workspace("TRAIN")
    made = server_at(folder, forked=True)
    gate = state_of(made)["waiting_confirmation"]["gate_id"]
    assert tell(made, {"type": "confirm", "gate_id": gate}) == "accepted"
    until_gate(made, "TRAIN")
    made.stop()
    return folder


@pytest.fixture(scope="module")
def server(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with such a project."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(trained / "root", folder / "root")
    found = server_at(folder, args=LIMITS, forked=True)
    yield found
    found.stop()


@pytest.fixture
def own_server(trained: Path, tmp_path: Path) -> Iterator[Server]:
    """The same for a test alone, which may end it. It keeps a worker for the next stage, as servers do."""
    shutil.copytree(trained / "root", tmp_path / "own" / "root")
    found = server_at(tmp_path / "own", args=["--PipelineApp.warm_workers=1"], forked=True)
    yield found
    found.stop()


def let_train(server: Server) -> None:
    """Have a trained model, made by the code as it was handed over."""
    if not state_of(server)["waiting_confirmation"]:
        shutil.rmtree(server.root / "pipelines" / "demo" / "code")
        assert tell(server, command("restart_stage", stage_id="TRAIN")) == "accepted"
        until_gate(server, "TRAIN")


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
    own = psutil.Process(server.process.pid)
    until(lambda: not set(own.children(recursive=True)) & family, "the server has taken note of their end")
    state = state_of(server)
    assert state["stages"][5]["status"] == "FAILED"
    assert all(run["status"] != "running" for run in state["runs"])
    until(lambda: not list(project.glob("artifacts/*.partial")), "the removal of what was half done")


async def test_a_training_that_says_and_prints_without_end_costs_no_memory(own_server: Server) -> None:
    """It waits while what it says cannot be stored as quickly; and it can be cancelled all the time."""
    assert own_server.process is not None
    memory = psutil.Process(own_server.process.pid).memory_info
    before = memory().rss
    family = start(own_server, own_server.root / "pipelines" / "demo", *FLOODS)
    async with own_server.connect("demo") as socket:
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
    assert folder_size(project) < 8_000_000_000
    assert all(run["status"] != "running" for run in state_of(server)["runs"])


async def test_after_a_cancel_training_goes_on_and_no_cancelled_run_is_a_success(server: Server) -> None:
    family = start(server, server.root / "pipelines" / "demo", "a gigabyte of memory")
    running = {run_id for run_id, run in runs_of(server).items() if run["status"] == "running"}
    async with server.connect("demo") as socket:
        await socket.greeting()
        await cancel(socket, family, "now", "before training again")
    before = {run_id: run["status"] for run_id, run in runs_of(server).items()}
    assert running
    assert {before[run_id] for run_id in running} == {"cancelled"}
    let_train(server)
    after = {run_id: run["status"] for run_id, run in runs_of(server).items()}
    assert {run_id: after[run_id] for run_id in before} == before
    rows = {row["run_id"]: row["status"] for row in state_of(server)["leaderboard"]}
    assert not running & {run_id for run_id, status in rows.items() if status == "success"}


FLOWER = {"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}


def predict(server: Server, body: object) -> Answer:
    return server.request("POST", f"{PROJECT}/predict", body)


async def test_predictions_over_http_are_bounded_and_say_what_is_wrong(server: Server) -> None:
    """Right, wrong and too large bodies; a process that dies meanwhile; and more requests than are taken."""
    let_train(server)
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


async def test_a_model_that_was_made_anew_in_the_same_place_is_the_one_that_predicts(
    server: Server, tmp_path: Path
) -> None:
    """A trial that had been cut short is trained again where it was."""
    pool, place = WorkerPool(max_workers=1, warm_workers=0, predict_s=180.0), tmp_path / "model"
    records = (server.root / "pipelines" / "demo" / "artifacts" / "trials").glob("*/trial.json")
    # One of each kind: that of another test may be the same model once more.
    models = {json.loads(record.read_bytes())["model_id"]: record.with_name("model") for record in records}
    assert len(models) >= 2
    found = []
    try:
        for model in models.values():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(model, place)
            found.append((await pool.predict(str(place), None, [FLOWER]))["probabilities"]["values"])
            assert found[-1] == (await pool.predict(str(model), None, [FLOWER]))["probabilities"]["values"]
    finally:
        await pool.close()
    assert found[0] != found[1]


async def test_what_a_stage_leaves_behind_ends_with_it(own_server: Server) -> None:
    """A worker is not kept for the next stage while something of the last one lives below it."""
    (kind,) = LEAVERS
    family = start(own_server, own_server.root / "pipelines" / "demo", kind)
    assert len(family) >= 3
    until_gate(own_server, "TRAIN")
    until(lambda: not any(map(alive, family)), "the end of what was left")
    assert tell(own_server, command("restart_stage", stage_id="TRAIN")) == "accepted"
    until_gate(own_server, "TRAIN")


@pytest.mark.parametrize(
    "kind",
    ["a child in a session of its own, orphaned, without environment", "sleeps in C with the GIL, ignores SIGTERM"],
)
async def test_nothing_outlives_the_server(own_server: Server, kind: str) -> None:
    """Neither a child that got away, nor a worker whose code hears nothing."""
    family = start(own_server, own_server.root / "pipelines" / "demo", kind)
    assert own_server.process is not None
    own_server.process.kill()
    own_server.process.wait()
    await are_gone(family)


async def test_nothing_outlives_its_guard(own_server: Server) -> None:
    """Should the guard be killed, as a system does that has no memory left, the server finds what was below it."""
    (kind,) = ORPHANS
    family = start(own_server, own_server.root / "pipelines" / "demo", kind)
    guard_of(family).kill()
    await are_gone(family)
    until(lambda: "Trying once more" in state_of(own_server)["stages"][5]["message"], "another try")


async def test_a_worker_outlives_its_guard_nowhere(own_server: Server) -> None:
    """Also where the server does not look, and its code hears nothing."""
    family = start(own_server, own_server.root / "pipelines" / "demo", "sleeps in C with the GIL, ignores SIGTERM")
    assert own_server.process is not None
    os.kill(own_server.process.pid, signal.SIGSTOP)
    guard_of(family).kill()
    await are_gone(family)
    own_server.process.kill()
    own_server.process.wait()


def guard_of(family: set[psutil.Process]) -> psutil.Process:
    """The one that is the parent of others, and no other one's child."""
    pids = {p.pid for p in family}
    return next(p for p in family if p.ppid() not in pids and p.children())


async def are_gone(family: set[psutil.Process]) -> None:
    _, left = await asyncio.to_thread(psutil.wait_procs, list(family), 10)
    assert not [p for p in left if alive(p)]


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


async def test_a_server_that_ends_itself_when_idle_does_not_while_a_stage_runs(
    own_server: Server, tmp_path: Path
) -> None:
    """A stage is taken up at its start, and hangs; nobody is connected and nobody asks anything."""
    start(own_server, own_server.root / "pipelines" / "demo", "hangs in a system call, all signals blocked")
    assert own_server.process is not None
    own_server.process.kill()
    own_server.process.wait()
    (tmp_path / "idle.py").write_text(IDLE)
    own_server.args = [f"--config={tmp_path / 'idle.py'}"]
    own_server.start()
    process = own_server.process
    await asyncio.sleep(8.0)
    assert process.poll() is None, own_server.log[-2000:]
    assert tell(own_server, command("cancel_run", mode="now")) == "accepted"
    deadline = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < deadline, "an idle server goes on"
        await asyncio.sleep(0.2)
    assert "shutting down" in own_server.log


def test_runs_that_the_log_has_not_heard_of_do_not_count(workspace: Callable[[str], Path]) -> None:
    """A worker goes on while the server hangs, and both are killed: what it came to is on the disk and not in the log.
    The leaderboard must be of runs that there were."""
    server = server_at(workspace("TRAIN"), forked=True)
    try:
        gate = state_of(server)["waiting_confirmation"]["gate_id"]
        assert tell(server, {"type": "confirm", "gate_id": gate}) == "accepted"
        assert server.process is not None
        project = server.root / "pipelines" / "demo"
        until(lambda: list(project.glob("artifacts/train-*.partial")), "the job has been given")
        os.kill(server.process.pid, signal.SIGSTOP)
        # The first may have begun before that; the second begins when the first has been evaluated.
        until(lambda: len([*project.glob("artifacts/trials/*/trial.json")]) > 1, "two runs that came to their end")
        server.process.kill()
        server.process.wait()
        kept = {json.loads(path.read_bytes())["run_id"] for path in project.glob("artifacts/trials/*/trial.json")}
        server.start()
        until_gate(server, "TRAIN")
        begun = [e["event"]["payload"] for e in log_of(server) if e["event"]["name"] == "TRAIN_RUN_STARTED"]
        started = {payload["run_id"] for payload in begun}
        assert kept - started, "there was none of which the log has not heard"
        assert {row["run_id"] for row in state_of(server)["leaderboard"]} <= started
        assert state_of(server)["stages"][5]["plan_json"]["keep"] in started
        server.stop()
        assert [line for line in verify(project) if line.startswith("The leaderboard's")]
    finally:
        server.stop()


SLOW = {"id": "catboost", "params": {"n_estimators": 2000, "depth": 8, "learning_rate": 0.001}}


def told(event: dict[str, Any], run_id: str, pct: float) -> bool:
    """Whether an event says of a run that so much of it is done."""
    payload = event["event"]["payload"]
    return event["event"]["name"] == "TRAIN_PROGRESS" and payload["run_id"] == run_id and payload["pct"] >= pct


@pytest.mark.parametrize("killed", [False, True])
async def test_no_run_is_begun_after_the_one_at_work(workspace: Callable[[str], Path], killed: bool) -> None:
    """Said in the chat. Also where the server is killed meanwhile: then that run is made again, and no other."""
    server = server_at(workspace("TRAIN"), forked=True)
    try:
        models = [{"op": "replace", "path": "/models", "value": [{"id": "dummy"}, SLOW, {"id": "random_forest"}]}]
        assert tell(server, command("update_plan", stage_id="MODEL_SELECT", patch=models)) == "accepted"
        gate = state_of(server)["waiting_confirmation"]["gate_id"]
        assert tell(server, {"type": "confirm", "gate_id": gate}) == "accepted"

        def at_work() -> list[str]:
            runs = state_of(server)["runs"]
            return [r["run_id"] for r in runs if (r["model_id"], r["status"]) == ("catboost", "running")]

        (last,) = until(at_work, "the run of CatBoost")
        until(lambda: any(told(e, last, pct=0.01) for e in log_of(server)), "its own progress")
        assert tell(server, {"type": "chat", "text": "How much longer?"}) == "accepted"
        assert tell(server, {"type": "chat", "text": "Stop after the current model, please."}) == "accepted"
        if killed:
            assert server.process is not None
            server.process.kill()
            server.process.wait()
            server.start()
        until_gate(server, "TRAIN")
        state = state_of(server)
        answers = [e["event"]["payload"] for e in log_of(server) if e["event"]["name"] == "LOG_LINE"]
        said = [line["text"] for line in answers if line["source"] == "assistant"]
        assert re.match(
            r"At most about \d+ s: the time budget of 20 s began \d+ s ago\. The run at work, CatBoost, .+"
            r" To be trained after it while there is time: Random forest\.",
            said[-2],
        )
        assert said[-1].startswith("No further run is begun: that of CatBoost is the last one")
        runs = {run["run_id"]: (run["model_id"], run["status"]) for run in state["runs"]}
        expected = [("dummy", "success"), ("catboost", "success")]
        assert list(runs.values()) == ([*expected[:1], ("catboost", "failed"), expected[1]] if killed else expected)
        assert killed or runs[last] == expected[1]
        kept = state["stages"][5]["plan_json"]["keep"]
        assert runs[kept] in expected
        records = (server.root / "pipelines" / "demo" / "artifacts" / "trials").glob("*/trial.json")
        stopped = {(found := json.loads(path.read_bytes()))["model_id"]: found["stopped"] for path in records}
        assert stopped["catboost"] != "asked", "it came to its own end"
    finally:
        server.stop()
