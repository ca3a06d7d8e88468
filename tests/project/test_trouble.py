"""What goes wrong around a project does not end it: no process to be had, a full disk, a folder in the way."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from jupyter_pipeline import faults
from jupyter_pipeline.project import conductor, room
from jupyter_pipeline.project.commands import SeenConfirm, WorkEvents
from jupyter_pipeline.project.disk import folder_size
from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.project import Project
from jupyter_pipeline.project.room import Room
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import LogLine, TrainRunStarted
from jupyter_pipeline.protocol.messages import Chat, Command, Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.verify import verify

from .test_conductor import USER, all_events, run, until, until_gate, workers_of

REQUEST = Chat(text="Predict species in iris")
RESTART = Command(command="restart_stage", args={"stage_id": "PARSE_INTENT"})


@contextlib.asynccontextmanager
async def alone(folder: Path, grace_s: float = 1.5, **more: Any):  # type: ignore[no-untyped-def]
    """A manager that runs one stage at a time, so that a place that is never given back is missed."""
    manager = ProjectManager(
        Settings(workspace_dir=str(folder), max_workers=1, warm_workers=0, threads=1, cancel_grace_s=grace_s, **more)
    )
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


async def stopped_worker(project: Project) -> psutil.Process:
    """Ask for something, and stop the worker that should do it, so that it neither works nor hears SIGTERM."""
    before = {p.pid for p in workers_of(os.getpid())}
    await project.submit(REQUEST, USER)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in workers_of(os.getpid()):
            parent = process.parent()
            if process.pid not in before and parent is not None and parent.pid != os.getpid():
                process.suspend()
                return process
        await asyncio.sleep(0.005)
    raise AssertionError("no worker began")


async def until_failed(project: Project, why: str) -> None:
    await until(project, lambda: project.state.here.status is StageStatus.FAILED, "a failure")
    assert why in project.state.here.message


def test_a_project_that_is_deleted_while_its_work_ends_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither the process, which is given a long time to end, nor its place among those that may run at once."""

    async def test() -> None:
        async with alone(tmp_path, grace_s=60.0) as manager:
            project = await manager.open("first")
            worker = await stopped_worker(project)
            await project.submit(Command(command="cancel_run"), USER)
            await asyncio.sleep(0.3)
            assert worker.is_running(), "it is still given time"
            await manager.delete("first")
            assert not psutil.pid_exists(worker.pid) or worker.status() == psutil.STATUS_ZOMBIE
            assert not (tmp_path / "pipelines" / "first").exists()
            second = await manager.open("second")
            await second.submit(REQUEST, USER)
            await until_gate(second, StageId.PARSE_INTENT)

    run(test)


def test_without_a_process_to_be_had_a_stage_fails_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            with monkeypatch.context() as patch, project.connected():
                patch.setattr(sys, "executable", str(tmp_path / "no-python"))
                files = len(os.listdir("/proc/self/fd"))
                await project.submit(REQUEST, USER)
                await until_failed(project, "No worker process could be started")
                assert len(os.listdir("/proc/self/fd")) <= files
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


def test_a_stage_that_cannot_begin_says_why(tmp_path: Path) -> None:
    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            in_the_way = tmp_path / "pipelines" / "demo" / "artifacts"
            in_the_way.parent.mkdir(parents=True)
            in_the_way.write_text("not a folder")
            await project.submit(REQUEST, USER)
            await until_failed(project, "PARSE_INTENT could not begin (FileExistsError")
            in_the_way.unlink()
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


@pytest.mark.parametrize("manifest", ["[]", '{"files": 3}', "{", '{"files": {"train.py": 1}}'])
def test_a_code_folder_that_somebody_damaged_ends_nothing(tmp_path: Path, manifest: str) -> None:
    async def test() -> None:
        code = tmp_path / "pipelines" / "demo" / "code"
        (code / "modeling").mkdir(parents=True)
        (code / ".manifest.json").write_text(manifest)
        (code / "train.py").write_text("mine")
        (code / "gone.py").symlink_to(code / "nowhere.py")
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            for text in ("What can I ask?", "And what is a gate?"):
                with contextlib.suppress(Refusal):
                    await asyncio.wait_for(project.submit(Chat(text=text), USER), 30)
            assert project.seq >= 2

    run(test)


@contextlib.contextmanager
def full_disk(log: Path) -> Iterator[None]:
    """No file of this process grows beyond what the log has."""
    size = max(path.stat().st_size for path in log.parent.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_was_full_for_long_holds_nobody_up_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a worker reports waits and is tried again, 700 times here; clients are told each time, and wait for none
    of it."""
    monkeypatch.setattr(conductor, "_RETRY_S", 0.001)

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            seq = project.seq

            def says(*numbers: int) -> None:
                """As the worker's frames come in."""
                for n in numbers:
                    line = LogLine(run_id="pipeline", level="info", text=str(n), source="PARSE_INTENT")
                    project._conductor._mailbox.said(project.state.here.attempt, line)

            with full_disk(manager.settings.log_path):
                says(0)
                for refused in range(710):
                    if refused == 700:
                        says(*range(1, 1100))  # more than is decided on in one go
                    with pytest.raises(Refusal, match="could not be stored") as caught:
                        await asyncio.wait_for(project.submit(Chat(text="Hello?", id=f"m{refused}"), USER), 30)
                    assert caught.value.code is ErrorCode.INTERNAL
                    assert caught.value.retryable
                assert project.seq == seq
            os.kill(worker.pid, signal.SIGCONT)
            await until_gate(project, StageId.PARSE_INTENT)
            assert project.unstored(0.0) is None
            lines = [e["event"]["payload"] for e in await all_events(project) if e["event"]["name"] == "LOG_LINE"]
            told = [line["text"] for line in lines if line["source"] == "PARSE_INTENT"]
            assert told[:1100] == [str(n) for n in range(1100)]
            assert (await project.submit(Chat(text="Hello?", id="m7"), USER)).status == "accepted"

    run(test)


@contextlib.contextmanager
def a_mistake(monkeypatch: pytest.MonkeyPatch, folder: Path, point: str) -> Iterator[None]:
    """While it lasts an error that nobody expects is raised at a place, once."""
    stage = "DATA" if point.startswith("delete.") else "PARSE_INTENT"
    with monkeypatch.context() as patch:
        for name, value in (("ARMED", True), ("_POINT", point), ("_STAGE", stage), ("_WHO", "mistake")):
            patch.setattr(faults, name, value)
        patch.setattr(faults, "_FILE", str(folder / f"{point}.happened"))
        yield
    assert (folder / f"{point}.happened").exists()


@pytest.mark.parametrize("point", ["decide.WorkEvents", "append.before.LOG_LINE"])
def test_a_mistake_of_ours_ends_the_stage_and_its_runs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, point: str
) -> None:
    """While what a worker said is decided on, or put into the log. Restarted, the stage comes to its gate."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            attempt, mailbox = project.state.here.attempt, project._conductor._mailbox
            # As the worker's frames come in.
            mailbox.said(attempt, TrainRunStarted(run_id="r", model_id="m", metric_primary="f1", config={}))
            await until(project, lambda: "r" in project.state.runs, "the run's beginning")
            with a_mistake(monkeypatch, tmp_path, point):
                mailbox.said(attempt, LogLine(run_id="pipeline", level="info", text="confidential", source="x"))
                await until_failed(project, "PARSE_INTENT was ended by a mistake in jupyter_pipeline itself (Mistake ")
            assert "restart_stage PARSE_INTENT" in project.state.here.message
            assert project.state.runs["r"].status == "failed"
            assert "faults.py" in caplog.text
            assert "confidential" not in caplog.text
            await until(project, lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its end")
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            ends = [e for e in await all_events(project) if e["event"]["name"] == "TRAIN_RUN_FINISHED"]
            assert len(ends) == 1

    run(test)


def test_a_mistake_while_a_result_is_taken_in_ends_the_stage_and_one_while_work_is_taken_up_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the stage would wait without end, and the project could not be opened any more."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            with a_mistake(monkeypatch, tmp_path, "decide.WorkDone"):
                await project.submit(REQUEST, USER)
                await until_failed(project, "was ended by a mistake")
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            await project.submit(RESTART, USER)
        async with alone(tmp_path) as manager:
            with a_mistake(monkeypatch, tmp_path, "decide.Recover"):
                project = await manager.open("demo")
            assert project.state.here.status is StageStatus.FAILED
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


def test_work_can_be_cancelled_while_all_other_threads_are_at_large_files(tmp_path: Path) -> None:
    """Also where the project's code has to be looked at before anything is decided."""

    async def test() -> None:
        (tmp_path / "pipelines" / "demo" / "code").mkdir(parents=True)
        async with alone(tmp_path, grace_s=0.1) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            hashed, loop = threading.Event(), asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(1))
            hashing = loop.run_in_executor(None, hashed.wait)
            try:
                await asyncio.wait_for(project.submit(Command(command="cancel_run"), USER), 60)
                await until(
                    project, lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its end"
                )
                assert not hashing.done()
            finally:
                hashed.set()

    run(test)


def write_to(pid: int, end: int, data: bytes) -> None:
    """Write, as a process, to the pipe of which this one reads the other end."""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(fd) == os.readlink(f"/proc/self/fd/{end}"):
            fd.write_bytes(data)
            return
    raise AssertionError("the process has no such pipe")


def test_of_a_project_that_was_half_deleted_nothing_is_left_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be taken again, and must not find other data and code there."""

    async def test() -> None:
        folders = [tmp_path / "pipelines" / name for name in ("gone", "kept", "mine")]
        async with alone(tmp_path) as manager:
            for folder in folders:
                await (await manager.open(folder.name)).submit(Chat(text="What can I ask?"), USER)
                (folder / "code").mkdir(parents=True, exist_ok=True)
                (folder / "code" / "train.py").write_text("mine")
            with a_mistake(monkeypatch, tmp_path, "delete.logged"), pytest.raises(faults.Mistake):
                await manager.delete("gone")
            ProjectFiles(folders[1]).begin_delete()  # and here it ended before the log forgot the project
            assert folders[0].exists()
        async with alone(tmp_path) as manager:
            assert {one.project_id for one in await manager.list()} == {"kept", "mine"}
            assert [folder.exists() for folder in folders] == [False, True, True]
            assert [path.name for path in folders[1].iterdir() if path.name != "artifacts"] == ["code"]
            await manager.delete("kept")
            assert not folders[1].exists()

    run(test)


def test_a_worker_that_says_what_is_no_frame_is_ended(tmp_path: Path) -> None:
    """What it said may have been its result, for which the stage would wait."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            attempt = project._conductor._work._attempt
            assert attempt is not None
            assert attempt._worker is not None
            stdout = attempt._worker._process.stdout
            assert stdout is not None
            await asyncio.to_thread(write_to, worker.pid, stdout.fileno(), b'{"type": "done", "attempt": "none"}\n')
            await until(project, lambda: project.state.here.retry, "another try")
            await until_gate(project, StageId.PARSE_INTENT)
            kept = (tmp_path / "pipelines" / "demo" / "errors" / "parse_intent-1.txt").read_text()
            assert "a frame of 36 bytes that could not be read" in kept

    run(test)


GROWS = [
    RESTART, Confirm(), Chat(text="What can I ask?", id="more"), Chat(text="Run it again"),
    Command(command="update_plan", args={
        "stage_id": "PARSE_INTENT", "patch": [{"op": "replace", "path": "/metric", "value": "f1_macro"}]}),
]  # fmt: skip


async def grow(project: Project) -> str:
    """Talk until that is refused; why it is."""
    for number in range(1000):
        try:
            await project.submit(Chat(text="What can I ask?", id=f"chat-{number}"), USER)
        except Refusal as refusal:
            return f"{refusal.code}: {refusal.message}"
    raise AssertionError("the log grows without end")


@pytest.mark.parametrize("of", ["log", "disk"])
def test_a_log_has_a_limit_and_stays_as_it_is_there(tmp_path: Path, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes it grow is refused, by its own limit and by that of the project's disk; all else goes on."""
    monkeypatch.setattr(room, "_LOOK_S", 0.0)
    monkeypatch.setattr(room, "_PART", 0)
    most, data = 100_000, 60_000 if of == "disk" else 0
    limit = {"log_bytes": most} if of == "log" else {"project_bytes": most + data}
    folder = tmp_path / "pipelines" / "demo"

    async def test() -> None:
        async with alone(tmp_path, **limit) as manager:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            (folder / "data").mkdir(exist_ok=True)
            (folder / "data" / "rows.csv").write_bytes(bytes(data))
            why = await grow(project)
            assert f"of {most + data:,} that it may" in why
            assert "TOO_LARGE" in why
            assert "begin another project" in why.lower()
            seq, size = project.seq, project.log_bytes
            used = size + (folder_size(folder) if of == "disk" else 0)
            assert most + data - 15_000 < used <= most + data
        async with alone(tmp_path, **limit) as manager:
            project = await manager.open("demo")
            for message in GROWS:
                with pytest.raises(Refusal) as caught:
                    await project.submit(message, USER)
                assert caught.value.code is ErrorCode.TOO_LARGE
            with pytest.raises(Refusal) as caught:
                await project.submit(Command(command="cancel_run"), USER)
            assert caught.value.code is ErrorCode.NO_ACTIVE_RUN
            assert (await project.submit(Chat(text="What can I ask?", id="chat-0"), USER)).status == "duplicate"
            events = await all_events(project)
            assert (len(events), project.log_bytes) == (seq, size)
        await asyncio.to_thread(verify, folder)
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            await project.submit(GROWS[-1], USER)
            assert (await all_events(project))[:seq] == events
            await manager.delete("demo")
            assert (await manager.open("demo")).log_bytes == 0

    run(test)


def test_work_that_fills_the_log_is_ended(tmp_path: Path) -> None:
    most = 100_000

    async def test() -> None:
        async with alone(tmp_path, log_bytes=most) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            attempt, mailbox = project.state.here.attempt, project._conductor._mailbox
            line = LogLine(run_id="pipeline", level="info", text="x" * 300, source="PARSE_INTENT")

            def says(times: int) -> None:
                """As the worker's frames come in."""
                for _ in range(times):
                    mailbox.said(attempt, line)

            for n in range(20):
                mailbox.said(attempt, TrainRunStarted(run_id=f"r{n}", model_id="m", metric_primary="f1", config={}))
            says(20)
            await until(project, lambda: project.log_bytes > 15_000, "what it said")
            await grow(project)
            assert project.state.work is not None, "until it says something more it goes on"
            says(200)
            await until_failed(project, "PARSE_INTENT was ended. The project's log has ")
            assert {one.status for one in project.state.runs.values()} == {"failed"}
            assert project.log_bytes <= most + 2_000, "room was kept for the ends of its runs"
            await until(project, lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its end")
            await grow(project)  # they took less
            with pytest.raises(Refusal, match="may have"):
                await project.submit(RESTART, USER)
        await asyncio.to_thread(verify, tmp_path / "pipelines" / "demo")

    run(test)


def test_at_the_limit_of_the_log_a_bundle_can_still_be_made(tmp_path: Path) -> None:
    state = replace(ProjectState(project_id="demo", epoch="e"), current=StageId.EXPORT)
    its_room = Room(ProjectFiles(tmp_path), Settings(workspace_dir="", log_bytes=100_000), 100_500)
    for command in (Confirm(), SeenConfirm(Confirm(), 5), WorkEvents(3, ())):
        assert its_room.lacks(1000, command, state) is None
        assert its_room.lacks(13_000, command, state)
        assert its_room.lacks(1000, command, replace(state, current=StageId.REVIEW_EDIT))
