"""What an operator sees: figures on Jupyter's /metrics, and transitions in Jupyter's event log."""

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_events import EventLogger
from prometheus_client.parser import text_string_to_metric_families

from jupyter_pipeline.protocol.events import FinalMetrics, TrainRunFinished, TrainRunStarted
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.server.limits import RateLimiter
from jupyter_pipeline.server.service import Limits, Service

from .conftest import Server

pytestmark = pytest.mark.anyio
CONFIG = """
import logging
c.EventLogger.handlers = [logging.FileHandler({path!r})]
"""


@pytest.fixture(scope="module")
def watched(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "config.py").write_text(CONFIG.format(path=str(folder / "events.log")))
    return start_server(f"--config={folder / 'config.py'}", env={"EVENTS_OF_THE_TEST": str(folder / "events.log")})


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
            service.watch.committed("demo", [Event(seq=seq, ts=1, stage=ref, payload=payload)])
        told = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [(t["run_id"], t["status"], t["seq"]) for t in told] == [("r", "started", 1), ("r", "cancelled", 2)]
        assert "private" not in out.getvalue()
        (family,) = (f for f in service.watch.collect() if f.name == "jupyter_pipeline_runs")
        assert {s.labels["status"]: s.value for s in family.samples} == {"started": 1, "cancelled": 1}
    finally:
        service.watch.stop()
