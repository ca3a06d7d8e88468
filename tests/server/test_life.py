"""Starting and stopping: what is loaded, a log that another server holds, restarts."""

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import websockets

from jupyter_pipeline.project.log import Stored
from jupyter_pipeline.protocol.connecting import ADDRESSES
from jupyter_pipeline.protocol.events import MetricScalar, TrainProgress
from jupyter_pipeline.protocol.frames import Event, encode_event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.server import modules, rest
from jupyter_pipeline.server.app import PipelineApp
from jupyter_pipeline.server.base import ONE, PROJECTS
from jupyter_pipeline.server.connection import choose

from .conftest import Server
from .test_assets import artifact, write_project

pytestmark = pytest.mark.anyio

HEAVY = ("pandas", "numpy", "polars", "sklearn", "scipy", "skrub", "lightgbm", "matplotlib", "langchain", "nbclient")


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_pipeline.server.app, jupyter_pipeline.project.manager\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_itself_does_not_import_the_server() -> None:
    code = "import sys, jupyter_pipeline; print([m for m in sys.modules if m.startswith('jupyter_server')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_setting_says_what_it_means() -> None:
    for name, trait in PipelineApp.class_own_traits(config=True).items():
        assert len(trait.help) > 20, name
        if trait.allow_none:
            assert "None" in trait.help, name


async def test_stopping_what_never_started_is_no_error() -> None:
    await PipelineApp().stop_extension()


async def test_a_new_project_does_not_get_the_folder_of_another_where_letters_case_counts_for_nothing(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """As on macOS and Windows: its files would be the other's, and who deletes the one would delete both."""
    pipelines = tmp_path / "root" / "pipelines"
    (pipelines / ".log").mkdir(parents=True)
    (pipelines / ".LOG").symlink_to(pipelines / ".log", target_is_directory=True)  # as such a disk looks
    server = start_server(root=tmp_path / "root")
    begin = {"type": "chat", "text": "What can I ask?"}
    assert server.request("POST", "api/projects/Demo/messages", begin).status == 200
    for method, call, body in (
        ("POST", "messages", begin), ("POST", "data?name=x.csv", b"a\n1\n"), ("GET", "events?wait_s=1", None),
    ):  # fmt: skip
        refused = server.request(method, f"api/projects/dEMO/{call}", body)
        assert (refused.status, refused.json["code"]) == (400, "INVALID_ARGS")
        assert "There is a project 'Demo'" in refused.json["message"]
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect("demo"):
            pass
    assert caught.value.response.status_code == 400
    for method in ("GET", "DELETE"):
        assert server.request(method, "api/projects/demo").status == 404
    async with server.connect("Demo") as socket:
        await socket.greeting()
    assert server.request("DELETE", "api/projects/Demo").status == 204
    assert server.request("POST", "api/projects/demo/messages", begin).status == 200


@pytest.mark.parametrize("name", sorted(ADDRESSES))
async def test_no_project_is_begun_at_an_address_that_the_server_has_itself(server: Server, name: str) -> None:
    """There it could be neither looked at nor deleted."""
    begin = {"type": "chat", "text": "What can I ask?"}
    for method, call, body in (
        ("POST", "messages", begin), ("POST", "data?name=x.csv", b"a\n1\n"), ("GET", "events?wait_s=1", None),
    ):  # fmt: skip
        refused = server.request(method, f"api/projects/{name}/{call}", body)
        assert (refused.status, refused.json["code"]) == (400, "INVALID_ARGS")
        assert f"No project can be called '{name}'" in refused.json["message"]
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect(name):
            pass
    assert caught.value.response.status_code == 400
    assert b"Use another name" in (caught.value.response.body or b"")
    assert not (server.root / "pipelines" / name).exists()
    assert server.request("GET", f"api/projects/{name}").status == 200
    assert server.request("GET", f"api/projects/{name}/state").status == 404
    assert name not in {one["project_id"] for one in server.request("GET", "api/projects").json["projects"]}


async def test_a_project_of_an_earlier_version_at_such_an_address_can_be_deleted(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for name in ADDRESSES:
        await write_project(root, [artifact("a", "artifacts/a.txt")], name)
        (root / "pipelines" / name / "artifacts").mkdir(parents=True)
        (root / "pipelines" / name / "artifacts" / "a.txt").write_text("a")
    server = start_server(root=root)
    assert {one["project_id"] for one in server.request("GET", "api/projects").json["projects"]} == ADDRESSES
    for name in ADDRESSES:
        assert server.request("GET", f"api/projects/{name}/state").json["seq"] == 1
        assert server.request("GET", f"api/projects/{name}/assets/a").body == b"a"
        at_it = server.request("GET", f"api/projects/{name}")
        assert server.request("DELETE", f"api/projects/{name}").status == 204
        assert server.request("DELETE", f"api/projects/{name}").status == 404
        assert server.request("GET", f"api/projects/{name}").body == at_it.body
        assert not (root / "pipelines" / name).exists()
    assert server.request("GET", "api/projects").json["projects"] == []


def test_these_addresses_are_all_that_lie_where_projects_do() -> None:
    own = [
        pattern for pattern, _ in [*modules.default_handlers, *rest.default_handlers] if pattern != f"{PROJECTS}/{ONE}"
    ]
    below = [re.compile(f"{pattern}$") for pattern in own if not pattern.endswith("/(.*)")]
    found = {name for name in [*ADDRESSES, "state", "data", "client", "openapi", "a.js", "x"]
             if any(pattern.match(f"{PROJECTS}/{name}") for pattern in below)}  # fmt: skip
    assert found == ADDRESSES
    assert len(below) == len(rest.default_handlers) - 1
    assert {f"{name}.js" for name in modules.MODULES} < ADDRESSES


async def test_a_log_that_is_in_use_is_said_and_the_server_goes_on(start_server: Callable[..., Server]) -> None:
    first = start_server()
    second = start_server(root=first.root)
    answer = second.request("GET", "api/projects")
    assert answer.status == 503
    assert "Another Jupyter server" in answer.json["message"]
    assert answer.json["code"] == "BUSY"
    assert int(answer.headers["Retry-After"]) > 0
    assert "Another Jupyter server" in second.log
    for method, path in [("POST", "api/projects/a/messages"), ("POST", "api/projects/a/data?name=x.csv"),
                         ("GET", "api/projects/a/assets/x"), ("DELETE", "api/projects/a")]:  # fmt: skip
        body = {"type": "ping"} if method == "POST" else None
        refused = second.request(method, path, body)
        assert (refused.status, "Another Jupyter server" in refused.json["message"]) == (503, True), path
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with second.connect("demo"):
            pass
    assert caught.value.response.status_code == 503
    assert b"Another Jupyter server" in (caught.value.response.body or b"")
    assert second.request("GET", "api/contents").status == 200
    async with first.connect("demo") as socket:
        await socket.greeting()
    second.stop()
    first.stop()


async def test_a_restart_keeps_everything_and_tells_its_connections(start_server: Callable[..., Server]) -> None:
    server = start_server()
    async with server.connect("kept") as socket:
        epoch = (await socket.greeting())["epoch"]
        await socket.send({"type": "chat", "text": "Predict species in iris", "id": "m"})
        await socket.until(
            lambda f: f.get("stage", {}).get("status") in ("FAILED", "WAITING_CONFIRMATION") and "ephemeral" not in f
        )
        await asyncio.sleep(0.3)
        stopping = asyncio.get_running_loop().run_in_executor(None, server.stop)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await socket.type("never")
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
        before = [text for text in socket.frames if '"ephemeral":true' not in text and '"type":"EVENT"' in text]
        await stopping
    await asyncio.get_running_loop().run_in_executor(None, server.start)
    async with server.connect("kept", since=0, epoch=epoch) as socket:
        hello = await socket.greeting()
        assert (hello["epoch"], hello["resumed"], hello["seq"]) == (epoch, True, len(before))
        await socket.events_to(hello["seq"])
        assert socket.frames[2:] == before
        await socket.send({"type": "chat", "text": "Predict species in iris", "id": "m"})
        assert (await socket.type("ack"))["status"] == "duplicate"
    server.stop()


async def test_a_project_that_was_at_work_is_read_on_a_full_disk_and_taken_up_when_there_is_room(
    start_server: Callable[..., Server],
) -> None:
    """No file of the server grows beyond what its log has, until that is allowed again."""
    server, path = start_server(), "api/projects/full"
    assert server.request("POST", f"{path}/messages", {"type": "chat", "text": "Predict species in iris"}).status == 200
    assert server.process is not None
    server.process.kill()
    server.process.wait(30)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = max(file.stat().st_size for file in (server.root / "pipelines" / ".log").iterdir())
    server.forked = False  # a child of this process, whose limit it has
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    stage = server.request("GET", f"{path}/state").json["stages"][0]
    assert (stage["status"], stage["attempt"]) == ("IN_PROGRESS", 1)
    assert server.request("GET", f"{path}/assets").json == {"assets": []}
    events = server.request("GET", f"{path}/events").json["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    chat = {"type": "chat", "text": "What can I ask?", "id": "m"}
    refused = server.request("POST", f"{path}/messages", chat)
    assert (refused.status, refused.json["code"], refused.json["retryable"]) == (500, "INTERNAL", True)
    assert "could not be stored, so it was not done (disk I/O error). Is the disk full?" in refused.json["message"]
    assert refused.headers["Retry-After"] == "1"
    async with server.connect("full", since=0) as socket:
        hello, standing = await socket.next(), await socket.next()
        assert "so the work does not go on. Is the disk full?" in standing["event"]["payload"]["message"]
        assert await socket.events_to(hello["seq"]) == events
        await socket.send(chat)
        assert (await socket.type("error"))["retryable"]
        made = server.root / "pipelines" / "full" / "artifacts" / "parse_intent-1"
        assert psutil.Process(server.process.pid).children() == [], "nothing is begun"
        assert not made.exists(), "nor was it"
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)
        taken_up = await socket.event("STAGE_STATUS")
        assert taken_up["event"]["payload"]["attempt"] == 2
        assert "it is taken up again" in taken_up["event"]["payload"]["message"]
        await socket.send(chat)
        assert (await socket.type("ack"))["status"] == "accepted"
        await socket.event("WAITING_CONFIRMATION")
    assert server.log.count("full: the event log could not be written") == 1
    server.stop()


def test_stopping_answers_a_long_poll_at_once(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(server.request, "GET", "api/projects/p/events?wait_s=50")
        while "jupyter_pipeline_clients 1.0" not in server.request("GET", "metrics").body.decode():
            assert not asked.done()
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 40.0  # and not the 50 s of the poll
        answer = asked.result(5)
    assert (answer.status, answer.json["events"]) == (200, [])


def test_coalescing_keeps_the_latest_of_each_run() -> None:
    def stored(seq: int, payload: Any) -> Stored:
        ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
        return Stored(seq, payload.NAME, encode_event("p", Event(seq=seq, ts=0, stage=ref, payload=payload)))

    def progress(run_id: str, step: int) -> TrainProgress:
        return TrainProgress(run_id=run_id, epoch=0, epochs=1, step=step, steps=9, pct=0.1, eta_s=None, phase="fit")

    metric = MetricScalar(run_id="a", name="f1", split="val", step=1, value=0.5)
    batch = [
        stored(1, progress("a", 1)), stored(2, metric), stored(3, progress("b", 1)), stored(4, progress("a", 2)),
        stored(5, metric), stored(6, progress("a", 3)),
    ]  # fmt: skip
    assert [s.seq for s in choose(batch, None, True)] == [2, 3, 5, 6]
    assert [s.seq for s in choose(batch, None, False)] == [1, 2, 3, 4, 5, 6]
    assert [s.seq for s in choose(batch, frozenset({"METRIC_SCALAR"}), True)] == [2, 5]
