"""What goes wrong around a project does not end it: no process to be had, a full disk, a folder in the way."""

import asyncio
import contextlib
import json
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

import msgspec
import psutil
import pytest

from jupyter_pipeline.project import conductor
from jupyter_pipeline.project import log as event_log
from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.mailbox import FULL_BYTES
from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.project import Project
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import LogLine
from jupyter_pipeline.protocol.jobs import Done, Emitted
from jupyter_pipeline.protocol.messages import Chat, Command, Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus

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
                # What has not stopped yet hears SIGTERM before SIGSTOP.
                while process.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                return process
        await asyncio.sleep(0.005)
    raise AssertionError("no worker began")


def says(project: Project, worker: psutil.Process, frame: bytes) -> None:
    """Write what a worker that was stopped would say into its pipe; returns when the server has taken it."""
    attempt = project._conductor._work._attempt
    assert attempt is not None
    assert attempt._worker is not None
    stdout = attempt._worker._process.stdout
    assert stdout is not None
    pipe = os.readlink(f"/proc/self/fd/{stdout.fileno()}")
    for fd in Path(f"/proc/{worker.pid}/fd").iterdir():
        if os.readlink(fd) == pipe:
            fd.write_bytes(frame + b"\n")
            return
    raise AssertionError("the process has no such pipe")


def gone(process: psutil.Process) -> bool:
    """Whether it runs no more."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


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
            assert gone(worker)
            assert not (tmp_path / "pipelines" / "first").exists()
            second = await manager.open("second")
            await second.submit(REQUEST, USER)
            await until_gate(second, StageId.PARSE_INTENT)

    run(test)


def test_deleting_a_project_whose_folder_is_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    async def test() -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "notes.txt").write_text("mine")
        (tmp_path / "pipelines").mkdir()
        (tmp_path / "pipelines" / "demo").symlink_to(elsewhere, target_is_directory=True)
        async with alone(tmp_path) as manager:
            await (await manager.open("demo")).submit(Chat(text="What can I ask?"), USER)
            await manager.delete("demo")
            assert await manager.list() == []
            assert not (tmp_path / "pipelines" / "demo").is_symlink(), "the next project would find it there"
        assert (elsewhere / "notes.txt").read_text() == "mine"
        assert ProjectFiles.half_deleted(tmp_path / "pipelines") == []

    run(test)


def test_what_a_server_that_died_left_half_done_is_gone_after_the_next_start_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines" / "demo"
    left = (
        "artifacts/parse_intent-1/request.json", "artifacts/parse_intent-1.partial/request.json",
        "artifacts/.events-9.jsonl", "data/.upload-0a", "data/downloads/.rows.csv.part",
    )  # fmt: skip
    others = ("data/own.csv", "artifacts/mine/notes.txt")

    async def test() -> None:
        async with alone(tmp_path) as manager:
            await stopped_worker(await manager.open("demo"))
        for name in (*left, *others):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")
        async with alone(tmp_path) as manager:
            await until_gate(await manager.open("demo"), StageId.PARSE_INTENT)
        assert not [name for name in left if (folder / name).exists()]
        assert all((folder / name).is_file() for name in others)

    run(test)


def test_work_that_is_cancelled_before_it_began_does_not_begin(tmp_path: Path) -> None:
    """While what is in the way of its beginning is looked at, which may take long."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            over, loop, before = threading.Event(), asyncio.get_running_loop(), workers_of(os.getpid())
            loop.set_default_executor(ThreadPoolExecutor(1))
            loop.run_in_executor(None, over.wait)
            await project.submit(REQUEST, USER)
            await project.submit(Command(command="cancel_run"), USER)
            over.set()
            deadline = time.monotonic() + 60
            while project._conductor.busy:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            assert set(workers_of(os.getpid())) <= set(before)
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


def test_a_stage_is_begun_once_whatever_comes_meanwhile_and_nothing_of_it_goes_on_after_its_end(tmp_path: Path) -> None:
    async def test() -> None:
        manager = ProjectManager(
            Settings(workspace_dir=str(tmp_path), max_workers=4, warm_workers=0, threads=1, project_bytes=1 << 30)
        )
        await manager.start()
        others = {process.pid for process in workers_of(os.getpid())}
        seen: set[int] = set()
        project = await manager.open("demo")
        await project.submit(REQUEST, USER)
        for _ in range(50):  # each time what runs is compared with what should
            with pytest.raises(Refusal):
                await project.submit(Confirm(), USER)
        while project.state.work is not None:
            seen |= {process.pid for process in workers_of(os.getpid())}
            await asyncio.sleep(0.02)
        assert len(seen - others) == 2, "a worker and its guard"
        deadline = time.monotonic() + 20
        while project.busy:
            assert time.monotonic() < deadline, "something of the stage goes on"
            await asyncio.sleep(0.02)
        await manager.stop()

    run(test)


@pytest.mark.parametrize("mode", ["stop", "now"])
def test_work_is_given_its_time_to_end_and_none_where_it_is_to_end_now(tmp_path: Path, mode: str) -> None:
    """What hears SIGTERM ends by that, long before its time is over."""

    async def test() -> None:
        async with alone(tmp_path, grace_s=90.0) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            await project.submit(Command(command="cancel_run", args={"mode": mode}), USER)
            if mode == "stop":
                await asyncio.sleep(0.5)
                assert worker.is_running(), "it is given time"
                worker.resume()
            async with asyncio.timeout(30):
                while not gone(worker):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    run(test)


def test_work_that_takes_too_much_of_the_disk_is_given_no_time_to_end(tmp_path: Path) -> None:
    """In it it would go on writing."""
    folder = tmp_path / "pipelines" / "demo"

    async def test() -> None:
        async with alone(tmp_path, grace_s=100.0, project_bytes=1 << 30) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            folder.joinpath("checkpoint.bin").touch()
            os.truncate(folder / "checkpoint.bin", 1 << 31)  # it takes nothing itself
            await until_failed(project, "because with what it wrote the project uses")
            async with asyncio.timeout(30):
                while not gone(worker):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    run(test)


def test_a_guard_that_hangs_keeps_no_work_from_being_ended(tmp_path: Path) -> None:
    """Neither of the two is left; edited code may stop its parent."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            guard = worker.parent()
            assert guard is not None
            guard.suspend()
            await project.submit(Command(command="cancel_run", args={"mode": "now"}), USER)
            async with asyncio.timeout(30):
                while not (gone(guard) and gone(worker)):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


def test_what_a_cancelled_stage_comes_to_in_its_last_moments_is_nobodys(tmp_path: Path) -> None:
    """Neither is it the stage's result, nor is the process, which is about to end, given to another project."""

    async def test() -> None:
        manager = ProjectManager(
            Settings(workspace_dir=str(tmp_path), max_workers=1, warm_workers=1, threads=1, cancel_grace_s=3.0)
        )
        await manager.start()
        try:
            first, second = await manager.open("first"), await manager.open("second")
            worker = await stopped_worker(first)
            attempt = first.state.here.attempt
            await first.submit(Command(command="cancel_run"), USER)
            result = Done(attempt=attempt, plan={"task_type": "binary", "target": "x"}, summary="Too late.")
            await asyncio.to_thread(says, first, worker, msgspec.json.encode(result))
            await second.submit(REQUEST, USER)
            await until_gate(second, StageId.PARSE_INTENT)
            assert second.state.attempts == 1, "it was begun in a process that ended"
            assert first.state.here.status is StageStatus.FAILED
            assert gone(worker)
        finally:
            await manager.stop()

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
                for _ in range(300):  # a thread may have a file open at the moment
                    if (now := len(os.listdir("/proc/self/fd"))) <= files:
                        break
                    await asyncio.sleep(0.05)
                assert now <= files
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
            await until_failed(project, "The stage Request could not begin (FileExistsError")
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
    # After a checkpoint, which so many tries would lead to, there is room in the WAL again.
    monkeypatch.setattr(event_log, "_SETTLE_BYTES", 1 << 40)

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            seq = project.seq

            def says(*numbers: int) -> None:
                """As the worker's frames come in."""
                for n in numbers:
                    line = LogLine(run_id="pipeline", level="info", text=str(n), source="PARSE_INTENT")
                    project._conductor._mailbox.said(project.state.here.attempt, [line], [1])

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
            asking = asyncio.create_task(project.submit(Chat(text="Hello? " * 500, id="m7"), USER))
            while not asking.done():
                assert project.unstored(0.0) is None, "that is over, also while something is stored"
                await asyncio.sleep(0)
            assert (await asking).status == "accepted"

    run(test)


def test_a_worker_waits_while_megabytes_of_what_it_said_cannot_be_stored(tmp_path: Path) -> None:
    """However few events these are; nothing of it is lost."""
    times, size = 20, FULL_BYTES // 8

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            seq, taken = project.seq, 0

            def speak() -> None:
                nonlocal taken
                for n in range(times):
                    text = f"{n} {'x' * size}"
                    line = LogLine(run_id="pipeline", level="info", text=text, source="PARSE_INTENT")
                    raw = msgspec.Raw(msgspec.json.encode(line))
                    frame = Emitted(attempt=project.state.here.attempt, name="LOG_LINE", payload=raw)
                    says(project, worker, msgspec.json.encode(frame))
                    taken += 1

            speaking = asyncio.create_task(asyncio.to_thread(speak))
            with full_disk(manager.settings.log_path):
                before = -1
                while taken > before:
                    before = taken
                    await asyncio.sleep(1.0)
                assert 8 <= taken < 14
                assert project.seq == seq
            await asyncio.wait_for(speaking, 60)
            await until(project, lambda: project.seq == seq + times, "what it said")
            events = [json.loads(event.frame)["event"]["payload"]["text"] for event in await project.read(seq, times)]
            assert [text.split(" ")[0] for text in events] == [str(n) for n in range(times)]
            assert {text.count("x") for text in events} == {size}
            os.kill(worker.pid, signal.SIGCONT)
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
                await until(project, lambda: gone(worker), "its end")
                assert not hashing.done()
            finally:
                hashed.set()

    run(test)
