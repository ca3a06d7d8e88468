"""The conductor with real workers on real data: cancelling, killing, restarting, going on."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import UNSET
from sklearn.datasets import load_breast_cancer

from jupyter_pipeline.agent.base import Context, Reply
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.project import conductor
from jupyter_pipeline.project.commands import Answer, Say
from jupyter_pipeline.project.conversation import Conversation
from jupyter_pipeline.project.custom import CustomCommands
from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.mailbox import Held, Letter, Mailbox, Outcome
from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.project import Project
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.project.state import ProjectState, evolve
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import Artifact, ArtifactAdded, User
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.messages import Chat, Command, Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.tasks import Tasks
from jupyter_pipeline.workers.process import MARK

USER = User("ada", "Ada")
LONG = 120.0


@contextlib.asynccontextmanager
async def running(folder: Path, **more: Any) -> AsyncIterator[ProjectManager]:
    manager = ProjectManager(Settings(workspace_dir=str(folder), threads=1, warm_workers=1, **more))
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 300))


def data_file(folder: Path, rows: int = 300) -> Path:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:rows]
    path = folder / "cancer.csv"
    frame.to_csv(path, index=False)
    return path


async def until(project: Project, happened: Callable[[], bool], what: str) -> None:
    cursor = project.follow(project.seq)
    deadline = time.monotonic() + LONG
    while not happened():
        left = deadline - time.monotonic()
        assert left > 0, f"{what} did not happen; {project.current()}"
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(cursor.next(), min(left, 1.0))


async def until_gate(project: Project, stage_id: StageId) -> None:
    def there() -> bool:
        here = project.state.here
        assert here.status is not StageStatus.FAILED, here.message
        return here.id is stage_id and here.gate is not None

    await until(project, there, f"the gate of {stage_id}")


async def go_to(project: Project, stage_id: StageId) -> None:
    """Confirm every gate before a stage; return while that stage is at work."""
    for earlier in StageId:
        if earlier is stage_id:
            return
        await until_gate(project, earlier)
        await project.submit(Confirm(), USER)


async def ask(project: Project, text: str = "Predict target. Use only lightgbm and logistic regression.") -> None:
    await project.submit(Chat(text=f"{text} Data: cancer.csv"), USER)


async def all_events(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while batch := await project.read(found[-1]["seq"] if found else 0, 1000):
        found += [json.loads(e.frame) for e in batch]
    assert [e["seq"] for e in found] == list(range(1, len(found) + 1))
    return found


def workers_of(pid: int) -> list[psutil.Process]:
    """Every process below this one that carries a worker's mark, the idle ones too."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if MARK in process.environ():
                found.append(process)
    return found


async def until_training(project: Project) -> None:
    """Until a run has measured something."""
    cursor = project.follow(0)
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        for event in await asyncio.wait_for(cursor.next(), LONG):
            if event.name == "METRIC_SCALAR":
                return
    raise AssertionError("nothing was measured")


def test_a_message_id_has_one_effect(tmp_path: Path) -> None:
    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            first, second = await asyncio.gather(
                project.submit(Chat(text="Predict target in cancer.csv", id="m1"), USER),
                project.submit(Chat(text="Predict target in cancer.csv", id="m1"), USER),
            )
            assert (first.status, second.status) == ("accepted", "duplicate")
            await until_gate(project, StageId.PARSE_INTENT)
            said = [e for e in await all_events(project) if e["event"]["payload"].get("source") == "user"]
            assert len(said) == 1
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            again = await project.submit(Chat(text="Predict target in cancer.csv", id="m1"), USER)
            assert again.status == "duplicate"

    run(test)


def test_an_id_is_known_after_a_thousand_others_which_are_not_kept_in_memory(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            most = conductor._RECENT_IDS
            ids = [f"m{n}" for n in range(most + 100)]
            asked = await asyncio.gather(*(project.submit(Chat(text="What can I ask?", id=id), USER) for id in ids))
            assert {one.status for one in asked} == {"accepted"}
            assert len(project._conductor._recent) == most
            for seen in (0, -1):
                again = await project.submit(Chat(text="What can I ask?", id=ids[seen]), USER)
                assert (again.status, again.seq) == ("duplicate", asked[seen].seq)

    run(test)


def test_an_earlier_result_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await ask(project)
            await go_to(project, StageId.PROFILE_DATA)
            await until_gate(project, StageId.PROFILE_DATA)
            for removed in (False, True):
                result = project.files.result(StageId.PROFILE_DATA, project.state.here.attempt)
                await project.submit(Command(command="restart_stage", args={"stage_id": "DATA_SOURCE"}), USER)
                await until_gate(project, StageId.DATA_SOURCE)
                if removed:
                    shutil.rmtree(result)
                await project.submit(Confirm(), USER)
                await until_gate(project, StageId.PROFILE_DATA)
                assert project.state.here.reused is not removed
                assert project.files.result(StageId.PROFILE_DATA, project.state.here.attempt).is_dir()

    run(test)


def test_no_event_is_from_before_the_last_though_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await project.submit(Chat(text="What can I ask?"), USER)
            now = time.time()
            with monkeypatch.context() as clock:
                clock.setattr(time, "time", lambda: now - 3600)
                await project.submit(Chat(text="What can I ask?"), USER)
            stamps = [event["ts"] for event in await all_events(project)]
            assert stamps == sorted(stamps)
            assert len(stamps) >= 4

    run(test)


def test_a_hundred_confirm_at_once_and_one_stage_advances(tmp_path: Path) -> None:
    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await ask(project)
            await until_gate(project, StageId.PARSE_INTENT)
            gate = project.state.here.gate
            assert gate is not None
            results = await asyncio.gather(
                *(project.submit(Confirm(gate_id=gate.gate_id), USER) for _ in range(100)), return_exceptions=True
            )
            refused = [r for r in results if isinstance(r, Refusal)]
            assert len(refused) == 99
            assert {r.code for r in refused} == {ErrorCode.GATE_STALE}
            approved = [e for e in await all_events(project) if e["event"]["name"] == "PLAN_APPROVED"]
            assert len(approved) == 1

    run(test)


@pytest.mark.parametrize("mode", ["stop", "now"])
def test_cancelling_ends_the_whole_group(tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        others = {p.pid for p in workers_of(os.getpid())}  # of pipelines that other tests keep in this process
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await ask(project)
            await go_to(project, StageId.TRAIN)
            await until_training(project)
            busy = {p.pid for p in workers_of(os.getpid())} - others
            await project.submit(Command(command="cancel_run", args={"mode": mode}), USER)
            assert project.state.here.status is StageStatus.FAILED
            assert [entry.ended_by for entry in await manager.list()] == [USER] == [project.entry().ended_by]
            await until_gone(busy, idle=1)
            deadline = time.monotonic() + 20
            while left := list(project.files.artifacts.glob("*.partial")):
                assert time.monotonic() < deadline, left
                await asyncio.sleep(0.05)
            runs = project.state.runs.values()
            assert all(r.status != "running" for r in runs)
            with pytest.raises(Refusal) as refused:
                await project.submit(Command(command="cancel_run"), USER)
            assert refused.value.code is ErrorCode.NO_ACTIVE_RUN
            await project.submit(Command(command="restart_stage", args={"stage_id": "TRAIN"}), USER)
            assert [entry.ended_by for entry in await manager.list()] == [UNSET]
            await until_gate(project, StageId.TRAIN)

    run(test)


async def until_gone(pids: set[int], idle: int) -> None:
    """Until of these processes at most those of ``idle`` warm workers are left (a worker and its guard each)."""
    deadline = time.monotonic() + 10
    while len(alive := [p for p in pids if psutil.pid_exists(p)]) > 2 * idle:
        assert time.monotonic() < deadline, f"still there: {alive}"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("hangs", [False, True])
def test_finish_keeps_the_best_so_far(tmp_path: Path, hangs: bool) -> None:
    """Also where the training does not come to an end by itself: then what it has finished is used."""

    async def test() -> None:
        others = set(workers_of(os.getpid()))
        data_file(tmp_path)
        async with running(tmp_path, finish_grace_s=1.0 if hangs else 20.0) as manager:
            project = await manager.open("demo")
            await project.submit(Chat(text="Predict target in cancer.csv, take ten minutes"), USER)
            await go_to(project, StageId.TRAIN)
            if hangs:
                await until(project, lambda: len(successes(project)) > 1, "two finished runs")
                for process in {*workers_of(os.getpid())} - others:
                    if process.ppid() != os.getpid():  # a worker, not its guard
                        process.suspend()
            else:
                await until_training(project)
            await project.submit(Command(command="cancel_run", args={"mode": "finish"}), USER)
            await until_gate(project, StageId.TRAIN)
            plan = project.state.here.plan
            assert plan is not None
            assert plan["keep"] in successes(project)

    run(test)


def test_finishing_ends_also_where_the_one_run_that_is_needed_takes_longer_than_the_grace(tmp_path: Path) -> None:
    """Nothing was finished when it was asked, so one run has to be made; it is not ended over and over."""

    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path, finish_grace_s=0.1) as manager:
            project = await manager.open("demo")
            await ask(project)
            await until_gate(project, StageId.PARSE_INTENT)
            await go_to(project, StageId.MODEL_SELECT)
            await until_gate(project, StageId.MODEL_SELECT)
            only = [{"op": "replace", "path": "/models", "value": [{"id": "lightgbm"}]}]
            await project.submit(Command(command="update_plan", args={"stage_id": "MODEL_SELECT", "patch": only}), USER)
            await project.submit(Confirm(), USER)
            begun = project.state.attempts
            await project.submit(Command(command="cancel_run", args={"mode": "finish"}), USER)
            await until_gate(project, StageId.TRAIN)
            assert project.state.attempts == begun + 1
            assert [run.status for run in project.state.runs.values()][-1:] == ["success"]

    run(test)


def successes(project: Project) -> set[str]:
    return {run_id for run_id, run in project.state.runs.items() if run.status == "success"}


def test_a_killed_worker_is_replaced_and_finished_runs_are_kept(tmp_path: Path) -> None:
    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await ask(project)
            await go_to(project, StageId.TRAIN)
            await until(
                project, lambda: any(r.status == "success" for r in project.state.runs.values()), "a finished run"
            )
            attempt = project.state.here.attempt
            for process in workers_of(os.getpid()):
                with contextlib.suppress(psutil.Error):
                    process.kill()
            await until_gate(project, StageId.TRAIN)
            done_before = {r.run_id for r in project.state.runs.values() if r.attempt == attempt}
            kept = {row.run_id for row in project.state.leaderboard if row.status == "success"}
            if project.state.here.attempt != attempt:
                assert kept & done_before, "a run that had finished was lost"

    run(test)


SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.project.test_conductor import USER, ask, go_to, running, until_training
from jupyter_pipeline.protocol.stages import StageId

async def main():
    async with running(Path(sys.argv[1])) as manager:
        project = await manager.open("demo")
        await ask(project)
        await go_to(project, StageId.TRAIN)
        await until_training(project)
        print("training", flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""


def test_kill_9_of_the_server_loses_nothing_and_leaves_no_orphan(tmp_path: Path) -> None:
    data_file(tmp_path)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), root], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "training\n"
        workers = {p.pid for p in workers_of(server.pid)}
        assert workers
        server.send_signal(signal.SIGKILL)
        server.wait()
    deadline = time.monotonic() + 5
    while any(psutil.pid_exists(p) and psutil.Process(p).status() != psutil.STATUS_ZOMBIE for p in workers):
        assert time.monotonic() < deadline, "a worker outlived its server"
        time.sleep(0.05)

    async def test() -> None:
        async with running(tmp_path) as manager:
            deadline = time.monotonic() + 20
            while manager.at_work != ("demo",):
                assert time.monotonic() < deadline, "it is not taken up unless somebody asks for it"
                await asyncio.sleep(0.05)
            project = await manager.open("demo")
            await until_gate(project, StageId.TRAIN)
            events = await all_events(project)
            starts = [e for e in events if e["event"]["name"] == "TRAIN_RUN_STARTED"]
            ends = [e for e in events if e["event"]["name"] == "TRAIN_RUN_FINISHED"]
            started = [e["event"]["payload"]["run_id"] for e in starts]
            assert sorted(started) == sorted(e["event"]["payload"]["run_id"] for e in ends)
            assert len(set(started)) == len(started)

    run(test)


def test_deleting_a_project_ends_its_work_and_its_readers(tmp_path: Path) -> None:
    from jupyter_pipeline.project.tail import ProjectDeleted

    async def test() -> None:
        data_file(tmp_path)
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await ask(project)
            cursor = project.follow(project.seq)
            await manager.delete("demo")
            with pytest.raises(ProjectDeleted):
                await asyncio.wait_for(cursor.next(), 5)
            assert await manager.find("demo") is None
            assert not (tmp_path / "pipelines" / "demo").exists()
            again = await manager.open("demo")
            assert again.epoch != project.epoch
            assert again.seq == 0

    run(test)


def test_a_project_that_never_had_an_event_is_forgotten(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("nobody")
            with project.connected():
                assert await manager.find("nobody") is project
                assert await manager.list() == [project.entry()]
            assert await manager.find("nobody") is None
            assert await manager.list() == []

    run(test)


def test_what_an_attempt_had_for_itself_is_removed_and_no_more(tmp_path: Path) -> None:
    files = ProjectFiles(tmp_path / "demo")
    for name in ("export-8.partial/a", "export-80.partial/a", "export-7/a"):
        (files.artifacts / name).parent.mkdir(parents=True)
        (files.artifacts / name).write_text("a")
    for attempt in (8, 80):
        for suffix in ("jsonl", "chain"):
            files.events(attempt).with_suffix(f".{suffix}").write_text("a")
    known = ArtifactAdded(
        artifact=Artifact(id="z", type="bundle", name="demo-8.zip", url="/z", meta={"path": "exports/demo-8.zip"})
    )
    nothing = ProjectState(project_id="demo", epoch="e")
    event = Event(seq=1, ts=1, stage=stage_ref(StageId.EXPORT, StageStatus.IN_PROGRESS), payload=known)
    files.bundle(8).parent.mkdir()
    files.bundle(8).write_text("a")
    files.clear_attempt(StageId.EXPORT, 8, evolve(nothing, event))
    assert files.bundle(8).is_file()
    files.clear_attempt(StageId.EXPORT, 8, nothing)
    assert not files.bundle(8).exists()
    left = sorted(p.name for p in files.artifacts.iterdir())
    assert left == [".events-80.chain", ".events-80.jsonl", "export-7", "export-80.partial"]
    files.clear_left_behind()
    (files.artifacts / "export-80").mkdir()
    files.bundle(80).write_text("a")
    files.clear_interrupted(StageId.EXPORT, 80)
    assert not files.bundle(80).exists()
    assert [p.name for p in files.artifacts.iterdir()] == ["export-7"]


def test_what_is_cleared_is_never_cleared_through_a_link(tmp_path: Path) -> None:
    """A folder of the project leads to one of the person's own, in which things have the same names."""
    folder, own = tmp_path / "demo", tmp_path / "own"
    names = ("train-1", "train-1.partial", "export-2", "export-2.partial")
    own.mkdir()
    for name in names:
        (own / name).mkdir()
    (own / ".events-2.jsonl").write_text("mine")
    folder.mkdir()
    (folder / "artifacts").symlink_to(own, target_is_directory=True)
    files, state = ProjectFiles(folder), ProjectState(project_id="demo", epoch="e")

    def clear() -> None:
        files.clear_left_behind()
        for stage_id, attempt in ((StageId.TRAIN, 1), (StageId.EXPORT, 2)):
            files.clear_interrupted(stage_id, attempt)
            files.clear_attempt(stage_id, attempt, state)

    clear()
    assert {path.name for path in own.iterdir()} == {*names, ".events-2.jsonl"}
    (folder / "artifacts").unlink()
    own.rename(folder / "artifacts")
    clear()
    assert list((folder / "artifacts").iterdir()) == []


def test_what_a_project_that_closes_says_of_a_message_is_what_the_log_says(tmp_path: Path) -> None:
    """Whatever the moment at which it is closed: refused is not done, and done is told."""

    async def test() -> None:
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), warm_workers=0))
        await manager.start()
        told = []
        for moments, message_id in product(range(12), (None, "m")):  # which is looked for in the log first
            project = await manager.open(f"p-{moments}-{message_id}")
            asking = asyncio.create_task(project.submit(Chat(text="Predict churn.", id=message_id), USER))
            for _ in range(moments):
                await asyncio.sleep(0)
            await project.close()
            (answer,) = await asyncio.gather(asyncio.wait_for(asking, 10), return_exceptions=True)
            done = project.project_id in [entry.project_id for entry in await manager._log.entries()]
            assert isinstance(answer, Outcome if done else Refusal), (moments, answer)
            told.append(done)
            with pytest.raises(Refusal, match="The project is closed"):
                await asyncio.wait_for(project.submit(Chat(text="Predict churn."), USER), 10)
        assert set(told) == {True, False}
        await manager.stop()

    run(test)


def test_a_yes_to_an_answer_is_none_to_the_gate(tmp_path: Path) -> None:
    data_file(tmp_path)

    async def say(project: Project, text: str) -> str:
        seq = project.seq
        await project.submit(Chat(text=text), USER)
        told = [json.loads(e.frame)["event"]["payload"] for e in await project.read(seq, 100)]
        return str([line["text"] for line in told if line.get("source") == "assistant"][-1])

    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("asked")
            await ask(project)
            await until_gate(project, StageId.PARSE_INTENT)
            assert "To do it, say" in await say(project, "should we optimise recall?")
            assert 'Say "go on"' in await say(project, "yes")
            assert project.state.here.id is StageId.PARSE_INTENT
            assert "Metric: Recall." in await say(project, "optimise recall")
            await until_gate(project, StageId.PARSE_INTENT)
            assert "is confirmed" in await say(project, "yes")

    run(test)


def test_a_file_that_there_is_no_room_for_is_not_copied(tmp_path: Path) -> None:
    """By the limit of the project's disk, or as the disk itself has no more."""
    large, free = tmp_path / "large.csv", shutil.disk_usage(tmp_path).free
    large.touch()

    async def refused(most: int | None, size: int) -> str:
        os.truncate(large, size)  # it takes nothing itself
        async with running(tmp_path, project_bytes=most) as manager:
            project = await manager.open("demo")
            with project.connected(), pytest.raises(Refusal) as caught:
                await project.copy_dataset(large, large.name, USER)
        assert caught.value.code is ErrorCode.TOO_LARGE
        return caught.value.message

    async def test() -> None:
        assert "may use 100,000 bytes of disk (PipelineApp.project_disk_limit), of which 100,000 are left" in (
            await refused(100_000, 100_001)
        )
        assert "On the disk of the projects" in await refused(None, free + (1 << 30))
        assert not (tmp_path / "pipelines" / "demo").exists()

    run(test)


@pytest.mark.parametrize(
    ("columns", "text", "in_a_thread"), [(4, "why?", False), (4, "why? " * 100, True), (5000, "why?", True)]
)
def test_what_takes_the_rules_long_to_read_is_read_in_a_thread(
    tmp_path: Path, columns: int, text: str, in_a_thread: bool
) -> None:
    """A short text about 5,000 columns too: on the event loop it took up to 0.36 s, in which nobody was served."""
    read_by: list[threading.Thread] = []

    class Noting(RuleAgent):
        def respond(self, text: str, context: Context) -> Reply:
            read_by.append(threading.current_thread())
            return super().respond(text, context)

    async def test() -> None:
        tasks, letters = Tasks(logging.getLogger()), Mailbox()
        talk = Conversation(Noting(), CustomCommands(1.0), ProjectFiles(tmp_path), letters, tasks)
        known = Context(
            current_stage=StageId.DATA_SOURCE,
            status=StageStatus.WAITING_CONFIRMATION,
            plans={},
            columns=tuple(f"column_{n}" for n in range(columns)),
        )
        said = Say(text=text, may_execute=True)
        letter = Letter(said, USER)
        try:
            assert isinstance(await talk.answer(letter, said, known), Answer)
        except Held:
            letters.put_back([letter])
            assert await letters.take() == [letter]
            assert isinstance(letter.reply, Answer)

    run(test)
    assert [thread is not threading.main_thread() for thread in read_by] == [in_a_thread]


class Slow(RuleAgent):
    """Reads as soon as it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def respond(self, text: str, context: Context) -> Reply:
        self.asked.set()
        assert self.goes_on.wait(LONG)
        return super().respond(text, context)


def test_a_long_chat_is_stored_with_its_answer_or_not_at_all(tmp_path: Path) -> None:
    """Whoever was not told that it is there sends it again."""
    chat, agent = Chat(text="why? " * 100, id="mid"), Slow()

    async def test() -> None:
        data_file(tmp_path)
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), threads=1, warm_workers=1), agent=agent)
        await manager.start()
        project = await manager.open("demo")
        await ask(project)
        await until_gate(project, StageId.PARSE_INTENT)
        seq = project.seq
        asking = asyncio.create_task(project.submit(chat, USER))
        assert await asyncio.to_thread(agent.asked.wait, LONG)
        assert not (await asyncio.wait([asking], timeout=0.3))[0]
        await manager.stop()
        agent.goes_on.set()
        with pytest.raises(Refusal, match="try again"):
            await asking
        async with running(tmp_path) as again:
            project = await again.open("demo")
            assert project.seq == seq
            assert await project.submit(chat, USER) == Outcome(seq + 2, "accepted")

    run(test)


def test_a_cancel_does_not_wait_for_the_answer_to_a_long_chat_and_nothing_else_overtakes(tmp_path: Path) -> None:
    """Unless something was asked for between the chat and the cancel: that is not begun after it."""
    agent = Slow()
    asked, goes_on = agent.asked, agent.goes_on

    async def test() -> None:
        data_file(tmp_path)
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), threads=1, warm_workers=1), agent=agent)
        await manager.start()
        try:
            project = await manager.open("demo")
            await ask(project)
            await go_to(project, StageId.TRAIN)
            await until_training(project)
            chat = asyncio.create_task(project.submit(Chat(text="why? " * 100), USER))
            assert await asyncio.to_thread(asked.wait, LONG)
            await asyncio.wait_for(project.submit(Command(command="cancel_run"), USER), 5.0)
            assert project.state.here.status is StageStatus.FAILED
            again = asyncio.create_task(
                project.submit(Command(command="restart_stage", args={"stage_id": "TRAIN"}), USER)
            )
            await asyncio.sleep(0)
            stop = asyncio.create_task(project.submit(Command(command="cancel_run"), USER))
            assert not (await asyncio.wait([chat, again, stop], timeout=0.3))[0]
            seq = project.seq
            goes_on.set()
            await asyncio.gather(chat, again, stop)
            said, answer, begun = [json.loads(event.frame)["event"] for event in await project.read(seq, 3)]
            assert (said["payload"]["source"], answer["payload"]["source"]) == ("user", "assistant")
            assert (begun["name"], begun["payload"]["status"]) == ("STAGE_STATUS", "IN_PROGRESS")
            assert project.state.here.status is StageStatus.FAILED
        finally:
            goes_on.set()
            await manager.stop()

    run(test)
