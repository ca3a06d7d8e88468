"""A project's log has a limit: what makes it grow is refused there, and what is in it stays."""

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from jupyter_pipeline.agent.base import Context, Reply
from jupyter_pipeline.project.commands import SeenConfirm, WorkDone, WorkEvents, WorkFailed
from jupyter_pipeline.project.mailbox import Outcome
from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.project import Project
from jupyter_pipeline.project.room import Room
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import LogLine, TrainRunStarted
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import CancelRun, Chat, Command, Confirm
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.verify import verify

from .test_conductor import USER, all_events, run, until, until_gate
from .test_trouble import REQUEST, RESTART, alone, gone, stopped_worker, until_failed

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


@pytest.mark.parametrize("limit", ["log_bytes", "project_bytes"])
def test_a_log_has_a_limit_and_stays_as_it_is_there(tmp_path: Path, limit: str) -> None:
    """What makes it grow is refused, by its own limit and by that of the project's disk; all else goes on."""
    most = 100_000
    folder = tmp_path / "pipelines" / "demo"

    async def test() -> None:
        async with alone(tmp_path, **{limit: most}) as manager:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            why = await grow(project)
            assert f"of {most:,} that it may" in why
            assert "TOO_LARGE" in why
            assert "begin another project" in why.lower()
            seq, size = project.seq, project.log_bytes
            assert most - 15_000 < size <= most
        # With no byte left, as there may be some that are enough for one of these.
        async with alone(tmp_path, **{limit: size}) as manager:
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


class Talkative:
    """An agent that takes its time, and says a lot; ``asked`` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def respond(self, text: str, context: Context) -> Reply:
        self.asked.append(text)
        await asyncio.sleep(0)
        return Reply(text="x" * 20_000)


def test_an_answer_that_has_no_room_is_said_to_have_none_and_then_nobody_is_asked(tmp_path: Path) -> None:
    async def test() -> None:
        agent, most = Talkative(), 60_000
        manager = ProjectManager(
            Settings(workspace_dir=str(tmp_path), warm_workers=0, threads=1, log_bytes=most), agent=agent
        )
        await manager.start()
        try:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_gate(project, StageId.PARSE_INTENT)

            async def answer(to: str) -> str:
                seq = project.seq
                await project.submit(Chat(text=to), USER)
                await until(project, lambda: project.seq >= seq + 2, "an answer")
                (event,) = await project.read(seq + 1, 1)
                return str(json.loads(event.frame)["event"]["payload"]["text"])

            for number in range(20):
                if not (last := await answer(f"question {number}")).startswith("x"):
                    break
            assert last.startswith("The project's log has ")
            assert project.log_bytes <= most + 2_000
            await grow(project)  # what is left may be enough for a question
            asked = len(agent.asked)
            with pytest.raises(Refusal):
                await project.submit(Chat(text="What can I ask?"), USER)
            assert len(agent.asked) == asked
        finally:
            await manager.stop()

    run(test)


def test_what_comes_at_once_counts_together(tmp_path: Path) -> None:
    most = 30_000

    async def test() -> None:
        async with alone(tmp_path, log_bytes=most) as manager:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            asking = [project.submit(Chat(text="What can I ask?"), USER) for _ in range(200)]
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {Outcome, Refusal}
            assert project.log_bytes <= most

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
                    mailbox.said(attempt, [line], [1])

            for n in range(20):
                mailbox.said(
                    attempt, [TrainRunStarted(run_id=f"r{n}", model_id="m", metric_primary="f1", config={})], [1]
                )
            says(20)
            await until(project, lambda: project.log_bytes > 15_000, "what it said")
            await grow(project)
            assert project.state.work is not None, "until it says something more it goes on"
            says(200)
            await until_failed(project, "The stage Request was ended. The project's log has ")
            assert {one.status for one in project.state.runs.values()} == {"failed"}
            assert project.log_bytes <= most + 2_000, "room was kept for the ends of its runs"
            await until(project, lambda: gone(worker), "its end")
        await asyncio.to_thread(verify, tmp_path / "pipelines" / "demo")

    run(test)


def test_at_the_limit_of_the_log_work_can_still_end_and_a_bundle_be_made(tmp_path: Path) -> None:
    state = replace(ProjectState(project_id="demo", epoch="e"), current=StageId.EXPORT)
    its_room = Room(Settings(workspace_dir="", log_bytes=100_000), 100_500)
    for command in (Confirm(), SeenConfirm(Confirm(), 5), WorkEvents(3, ())):
        assert its_room.lacks(1000, command, state) is None
        assert its_room.lacks(13_000, command, state)
        assert its_room.lacks(1000, command, replace(state, current=StageId.REVIEW_EDIT))
    result = WorkDone(Done(attempt=3, plan={}, summary=""))
    for at in (state, replace(state, current=StageId.TRAIN)):
        assert its_room.lacks(1000, result, at) is None
        assert its_room.lacks(13_000, result, at)
    for ends in (CancelRun(), WorkFailed(3, "It failed.")):
        assert its_room.lacks(50_000, ends, state) is None
