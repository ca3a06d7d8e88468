"""What an operator sees: figures on Jupyter's /metrics, and transitions in Jupyter's event log."""

import asyncio
import contextlib
import io
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from jupyter_events import EventLogger
from prometheus_client.parser import text_string_to_metric_families

from jupyter_pipeline.protocol.events import FinalMetrics, TrainRunFinished, TrainRunStarted
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.jobs import Job
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.server.limits import RateLimiter
from jupyter_pipeline.server.service import Limits, Service
from jupyter_pipeline.workers.work import explain

from .conftest import Server

pytestmark = pytest.mark.anyio
CONFIG = """
import logging
c.EventLogger.handlers = [logging.FileHandler({path!r})]
c.ServerApp.log_level = logging.DEBUG
c.ServerApp.logging_config = {{
    "formatters": {{"json": {{
        "class": "pythonjsonlogger.json.JsonFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"
    }}}},
    "handlers": {{"json": {{"class": "logging.FileHandler", "filename": {lines!r}, "formatter": "json"}}}},
    "loggers": {{"ServerApp": {{"level": "DEBUG", "handlers": ["console", "json"]}}}},
}}
"""


@pytest.fixture(scope="module")
def watched(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("watched")
    files = {"path": str(folder / "events.log"), "lines": str(folder / "lines.json")}
    (folder / "config.py").write_text(CONFIG.format(**files))
    warm = "--PipelineApp.warm_workers=1"
    return start_server(
        f"--config={folder / 'config.py'}",
        warm,
        env={"EVENTS_OF_THE_TEST": files["path"], "LINES_OF_THE_TEST": files["lines"]},
    )


def figures(server: Server) -> dict[str, float]:
    answer = server.request("GET", "metrics")
    assert answer.status == 200
    found = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            if sample.name.startswith("jupyter_pipeline_"):
                labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
                found[sample.name.removeprefix("jupyter_pipeline_") + (f"[{labels}]" if labels else "")] = sample.value
    return found


async def test_figures_and_transitions(watched: Server, project_id: str) -> None:
    secret = "confidential-remark"
    before = figures(watched)
    assert before["clients"] == 0
    assert before["projects_at_work"] == 0
    async with watched.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "confirm"})
        await socket.type("error")
        await socket.send({"type": "chat", "text": f"Predict species in the iris data set ({secret})"})
        opened = await socket.event("WAITING_CONFIRMATION")
        assert watched.request("POST", f"api/projects/{project_id}/messages", b"{").status == 400
        now = figures(watched)
        assert now["clients"] == 1
        assert now["events_appended_total"] == before["events_appended_total"] + opened["seq"]
        assert now["events_sent_total"] == before["events_sent_total"] + opened["seq"]
        assert now["reader_lag_events"] == 0
        assert now["projects"] == before["projects"] + 1
        assert now["refusals_total[code=NOT_WAITING]"] == 1
        assert now["refusals_total[code=INVALID_JSON]"] == 1
        assert now["stages_total[stage=PARSE_INTENT,status=IN_PROGRESS]"] == 1
        assert now["stages_total[stage=PARSE_INTENT,status=WAITING_CONFIRMATION]"] == 1
        await socket.send({"type": "confirm"})
        await socket.until(lambda f: f.get("event", {}).get("payload", {}).get("status") == "COMPLETED")
    log = Path(watched.env["EVENTS_OF_THE_TEST"])
    text = await asyncio.to_thread(log.read_text)
    told = [json.loads(line) for line in text.splitlines()]
    mine = [t for t in told if t["__schema__"].endswith("jupyter_pipeline/stage") and t["project_id"] == project_id]
    assert [(t["stage_id"], t["status"]) for t in mine[:3]] == [
        ("PARSE_INTENT", "IN_PROGRESS"), ("PARSE_INTENT", "WAITING_CONFIRMATION"), ("PARSE_INTENT", "COMPLETED"),
    ]  # fmt: skip
    assert mine[2]["username"]
    assert [t["seq"] for t in mine] == sorted(t["seq"] for t in mine)
    assert secret not in text
    assert secret not in watched.log
    deadline = time.monotonic() + 20
    while figures(watched)["clients"] and time.monotonic() < deadline:
        time.sleep(0.1)  # noqa: ASYNC251
    assert figures(watched)["clients"] == 0


SECRET = "qzxsecretqzx"


async def test_the_servers_log_holds_nothing_of_what_people_say_or_of_their_data(
    watched: Server, project_id: str
) -> None:
    """The server logs all that it can; the same word is in chats, arguments, file names, columns, values and ids that
    are wrong, in refused and in failing requests, and in a stage that fails because of it."""
    path = f"api/projects/{project_id}"
    table = f"{SECRET},target\n" + "".join(f"{SECRET}{n},{n % 2}\n" for n in range(40))
    name = f"{SECRET}.csv"
    assert watched.request("POST", f"{path}/data?name={name}", table.encode()).status == 201
    assert watched.request("POST", f"{path}/data?name=../{name}", b"x").status == 400
    assert watched.request("POST", f"{path}/data?name=empty-{name}", b"").status == 400
    wrong = [
        {"type": SECRET}, {"type": "chat", "text": 5, "more": SECRET}, {"type": "confirm", "gate_id": SECRET},
        {"type": "command", "command": SECRET}, {"type": "command", "command": "restart_stage", "args": {SECRET: 1}},
        {"type": "command", "command": "restart_stage", "args": {"stage_id": SECRET}},
        {"type": "command", "command": "select_dataset", "args": {"dataset_id": SECRET}},
    ]  # fmt: skip
    async with watched.connect(project_id) as socket:
        await socket.greeting()
        for message in [*wrong, f'{{"type": "{SECRET}', SECRET]:
            await socket.send(message)
            await socket.type("error")
            assert watched.request("POST", f"{path}/messages", message).status in (400, 409)
        assert watched.request("POST", f"{path}/predict", {"rows": SECRET}).status == 400
        await socket.send({"type": "chat", "text": f"Predict no_{SECRET} in {name}. Our {SECRET} is at 5 %."})
        await socket.event("WAITING_CONFIRMATION")
        await socket.send({"type": "confirm"})
        # The target is no column: the stage says so, with names of columns, and fails or asks.
        await socket.until(
            lambda f: (
                f.get("event", {}).get("payload", {}).get("status") in ("FAILED", "WAITING_CONFIRMATION")
                and f["event"]["payload"].get("stage_id") == "DATA_SOURCE"
            )
        )
    told = await asyncio.to_thread(Path(watched.env["EVENTS_OF_THE_TEST"]).read_text)
    assert project_id in told
    assert SECRET not in told
    assert f"{path}/data" in watched.log, "what was refused is in the log"
    lines = [line for line in watched.log.splitlines() if SECRET in line]
    assert lines == []


async def test_lines_of_the_log_can_be_read_by_program(watched: Server, project_id: str) -> None:
    """With a formatter that writes JSON each names what it is about; in Jupyter's own log it has time and level."""
    assert watched.process is not None
    async with watched.connect(project_id) as socket:
        await socket.greeting()
        workers = []
        async with asyncio.timeout(60):
            while not workers:
                await asyncio.sleep(0.1)
                found = [p for p in psutil.Process(watched.process.pid).children(recursive=True) if is_worker(p)]
                with contextlib.suppress(psutil.NoSuchProcess):  # one of an earlier test that ends now: look again
                    for worker in found:
                        worker.suspend()
                    workers = found
        await socket.send({"type": "chat", "text": f"Predict species in the iris data set ({SECRET})"})
        await socket.event("STAGE_STATUS")
        for worker in workers:
            worker.kill()
        await socket.event("WAITING_CONFIRMATION")
    text = await asyncio.to_thread(Path(watched.env["LINES_OF_THE_TEST"]).read_text)
    told = [json.loads(line) for line in text.splitlines()]
    (died,) = [line for line in told if line.get("project_id") == project_id]
    assert {key: died[key] for key in ("levelname", "name", "stage_id", "attempt", "message")} == {
        "levelname": "WARNING", "name": "jupyter_pipeline.workers.pool", "stage_id": "PARSE_INTENT", "attempt": 1,
        "message": f"{project_id}, PARSE_INTENT, 1: the worker was ended by signal 9",
    }  # fmt: skip
    assert re.search(rf"^\[W [\d-]+ [\d:.]+ \S+\] {project_id}, PARSE_INTENT, 1: the worker", watched.log, re.MULTILINE)
    assert SECRET not in text


def is_worker(process: psutil.Process) -> bool:
    """Whether it is the worker itself, whose guard is its parent."""
    with contextlib.suppress(psutil.Error):
        parent = process.parent()
        return parent is not None and all("jupyter_pipeline.workers.main" in p.cmdline() for p in (process, parent))
    return False


def test_an_unexpected_error_is_whole_in_the_project_and_without_words_in_the_log(tmp_path: Path) -> None:
    job = Job(
        project_id="demo", stage_id=StageId.TRAIN, attempt=3, project_dir=str(tmp_path), workspace_dir=str(tmp_path),
        out_dir="", result_dir="", asset_base_url="", params={}, upstream={},
    )  # fmt: skip
    try:
        try:
            float(SECRET)
        except ValueError as error:
            raise KeyError(f"no column {SECRET}") from error
    except KeyError as error:
        failed = explain(job, error)
    assert "errors/train-3.txt" in failed.message
    assert "ValueError" in failed.where
    assert "KeyError" in failed.where
    assert failed.where.count("test_watching.py:") == 2
    assert SECRET not in failed.where
    assert (tmp_path / "errors" / "train-3.txt").read_text().count(SECRET) >= 2


def test_figures_need_a_login(watched: Server) -> None:
    assert watched.request("GET", "metrics", token=None).status in (302, 403)
    assert not re.search("jupyter_pipeline", watched.request("GET", "metrics", token=None).body.decode())


def test_runs_are_told_as_the_schemas_have_it() -> None:
    """The same schemas and counters, without a training."""
    from jupyter_pipeline.project.settings import Settings

    out = io.StringIO()
    logger = EventLogger(handlers=[logging.StreamHandler(out)])
    service = Service(Settings(workspace_dir=""), Limits(), RateLimiter({}), "ticket")
    service.watch.start(service, logger)
    try:
        ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
        started = TrainRunStarted(run_id="r", model_id="linear", metric_primary="f1", config={"remark": "private"})
        final = FinalMetrics(task_type="binary", primary="f1")
        ended = TrainRunFinished(run_id="r", status="cancelled", final_metrics=final, reason="private")
        for seq, payload in enumerate((started, ended), 1):
            service.watch.committed("demo", 1, [Event(seq=seq, ts=1, stage=ref, payload=payload)])
        told = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [(t["run_id"], t["status"], t["seq"]) for t in told] == [("r", "started", 1), ("r", "cancelled", 2)]
        assert "private" not in out.getvalue()
        (family,) = (f for f in service.watch.collect() if f.name == "jupyter_pipeline_runs")
        assert {s.labels["status"]: s.value for s in family.samples} == {"started": 1, "cancelled": 1}
    finally:
        service.watch.stop()
