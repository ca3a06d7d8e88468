"""A mistake in the program keeps nobody waiting: the stage ends FAILED, and can be started again."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_pipeline import faults
from jupyter_pipeline.agent.base import Change, Context, Reply
from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.reconciler import EVENT_BYTES
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.protocol.errors import Refusal
from jupyter_pipeline.protocol.events import LogLine, TrainRunStarted
from jupyter_pipeline.protocol.jobs import Done, Emitted, Failed
from jupyter_pipeline.protocol.messages import Chat, Command
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.verify import VerificationError, verify

from .test_conductor import USER, all_events, run, until, until_gate
from .test_trouble import REQUEST, RESTART, alone, gone, says, stopped_worker, until_failed

HIDDEN = "SELECT count(*) FROM projects WHERE project_id LIKE '/deleted/%'"


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
            mailbox.said(attempt, [TrainRunStarted(run_id="r", model_id="m", metric_primary="f1", config={})], [1])
            await until(project, lambda: "r" in project.state.runs, "the run's beginning")
            with a_mistake(monkeypatch, tmp_path, point):
                mailbox.said(attempt, [LogLine(run_id="pipeline", level="info", text="confidential", source="x")], [1])
                await until_failed(
                    project, "The stage Request was ended by a mistake in jupyter_pipeline itself (Mistake "
                )
            assert "restart the stage to try again" in project.state.here.message
            assert project.state.runs["r"].status == "failed"
            assert "faults.py" in caplog.text
            assert "confidential" not in caplog.text
            await until(project, lambda: gone(worker), "its end")
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            ends = [e for e in await all_events(project) if e["event"]["name"] == "TRAIN_RUN_FINISHED"]
            assert len(ends) == 1

    run(test)


def refuses(condition: str) -> str:
    return f"""CREATE TEMP TRIGGER refuses BEFORE INSERT ON events
        WHEN {condition} BEGIN SELECT raise(ABORT, 'not like this'); END"""


def test_what_the_log_refuses_for_good_is_a_mistake_and_no_full_disk(tmp_path: Path) -> None:
    """It would be tried again without end."""
    unwelcome = refuses("instr(CAST(new.frame AS TEXT), 'unwelcome')")

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            await stopped_worker(project)
            await manager._log._do(lambda log: log.execute(unwelcome))
            line = LogLine(run_id="pipeline", level="info", text="unwelcome", source="x")
            project._conductor._mailbox.said(project.state.here.attempt, [line], [1])
            await until_failed(project, "was ended by a mistake in jupyter_pipeline itself (IntegrityError ")
            assert project.unstored(0.0) is None
            with pytest.raises(Refusal, match="nothing was changed") as refused:
                await project.submit(Chat(text="What is unwelcome?"), USER)
            assert not refused.value.retryable

    run(test)


def test_where_the_end_of_a_stage_cannot_be_logged_either_it_is_not_tried_without_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            await stopped_worker(project)
            await manager._log._do(lambda log: log.execute(refuses("true")))
            line = LogLine(run_id="pipeline", level="info", text="x", source="x")
            project._conductor._mailbox.said(project.state.here.attempt, [line], [1])
            await asyncio.sleep(1.0)
            await manager._log._do(lambda log: log.execute("DROP TRIGGER refuses"))
            assert caplog.text.count("letters could not be handled") == 2
            await project.submit(Command(command="cancel_run"), USER)
            await until_failed(project, "Cancelled by Ada")

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
        # A result that the server's end kept from being known; the next attempt has another number.
        unknown = project.files.result(StageId.PARSE_INTENT, project.state.here.attempt)
        unknown.mkdir(exist_ok=True)
        async with alone(tmp_path) as manager:
            with a_mistake(monkeypatch, tmp_path, "decide.Recover"):
                project = await manager.open("demo")
            assert project.state.here.status is StageStatus.FAILED
            assert not unknown.exists()
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


class Mistaken:
    """An agent with a mistake in it, in thinking or in what it proposes."""

    def respond(self, text: str, context: Context) -> Reply:
        if "think" in text:
            raise KeyError(text)
        return Reply(text="Done.", actions=(Change(stage_id="NO_STAGE", patch=()),))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["think of something secret", "propose something secret", "think long " * 100])
def test_a_message_is_kept_that_a_mistake_keeps_from_being_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """The person is told so in the chat, and the server's log where it happened, not what was said."""

    async def test() -> None:
        manager = ProjectManager(
            Settings(workspace_dir=str(tmp_path), max_workers=1, warm_workers=0, threads=1), agent=Mistaken()
        )
        await manager.start()
        try:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_gate(project, StageId.PARSE_INTENT)
            plan = project.state.here.plan
            await project.submit(Chat(text=text), USER)
            chat = [e["event"]["payload"] for e in await all_events(project) if e["event"]["name"] == "LOG_LINE"]
            said, answer = [line for line in chat if line["run_id"] == "chat"][-2:]
            assert (said["source"], said["text"]) == ("user", text)
            assert answer["source"] == "assistant"
            assert "nothing was changed" in answer["text"]
            assert "secret" not in caplog.text
            assert ("test_mistakes.py" if "think" in text else "decide.py") in caplog.text
            assert project.state.here.plan == plan
            assert project.state.here.gate is not None
        finally:
            await manager.stop()

    run(test)


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
            async with asyncio.timeout(30):
                while await manager._log._do(lambda log: log.execute(HIDDEN).fetchone()[0]):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await manager.delete("kept")
            assert not folders[1].exists()

    run(test)


@pytest.mark.parametrize("kind", ["event", "done", "failed"])
def test_a_stage_that_says_too_much_in_one_go_is_ended_and_all_else_goes_on(tmp_path: Path, kind: str) -> None:
    """Just below the limit an event is there as it was said."""

    def frame(attempt: int, size: int) -> bytes:
        text = "x" * (size - 200)
        line = LogLine(run_id="pipeline", level="info", text=text, source="PARSE_INTENT")
        told: dict[str, Emitted | Done | Failed] = {
            "event": Emitted(attempt=attempt, name="LOG_LINE", payload=msgspec.Raw(msgspec.json.encode(line))),
            "done": Done(attempt=attempt, plan={"task_type": text}, summary=""),
            "failed": Failed(attempt=attempt, message=text),
        }
        return msgspec.json.encode(told[kind])

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            attempt = project.state.here.attempt
            if kind == "event":
                seq = project.seq
                await asyncio.to_thread(says, project, worker, frame(attempt, EVENT_BYTES))
                await until(project, lambda: project.seq > seq, "what it said")
                (event,) = await project.read(seq, 1)
                assert EVENT_BYTES - 200 < event.frame.count(b"x") < EVENT_BYTES
            seq = project.seq
            await asyncio.to_thread(says, project, worker, frame(attempt, EVENT_BYTES + 300))
            await until_failed(project, f"as its result, where {EVENT_BYTES:,} are the most. Let it write a file")
            assert "The stage Request was ended, because it sent 16,777," in project.state.here.message
            assert sum(len(event.frame) for event in await project.read(seq, 100)) < 2000
            await until(project, lambda: gone(worker), "its end")
            await project.submit(RESTART, USER)
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)


def test_of_what_comes_together_all_is_kept_but_what_is_no_event_and_what_is_not_of_the_attempt(tmp_path: Path) -> None:
    """Up to an event that is too long."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            attempt, seq = project.state.here.attempt, project.seq

            def frame(text: str, name: str = "LOG_LINE", of: int = attempt) -> bytes:
                line = LogLine(run_id="pipeline", level="info", text=text, source="PARSE_INTENT")
                told = Emitted(attempt=of, name=name, payload=msgspec.Raw(msgspec.json.encode(line)))
                return msgspec.json.encode(told)

            lines = [frame(str(n)) for n in range(3000)]
            lines[1000:1000] = [frame("none", "METRIC_SCALAR"), frame("none", "NOTHING"), frame("old", of=attempt + 1)]
            # The event loop cannot take anything meanwhile, so it takes it together.
            says(project, worker, b"\n".join([*lines, frame("x" * EVENT_BYTES), frame("after")]))
            await until_failed(project, "The stage Request was ended, because it sent 16,777,")
            told = [json.loads(event.frame)["event"] for event in await project.read(seq, 5000)]
            assert [one["payload"]["text"] for one in told[:3000]] == [str(n) for n in range(3000)]
            assert len(told) == 3002, "and that the stage was ended"

    run(test)


@pytest.mark.parametrize("said", [b'{"type": "done", "attempt": "none"}', b"x" * (65 << 20)], ids=["wrong", "endless"])
def test_a_worker_that_says_what_is_no_frame_is_ended(tmp_path: Path, said: bytes) -> None:
    """What it said may have been its result, for which the stage would wait."""

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            worker = await stopped_worker(project)
            with contextlib.suppress(BrokenPipeError):  # it is ended before all of it was said
                await asyncio.to_thread(says, project, worker, said)
            await until(project, lambda: project.state.here.retry, "another try")
            await until_gate(project, StageId.PARSE_INTENT)

    run(test)
    what = f"a frame of {min(len(said) + 1, 64 << 20):,} bytes that could not be read"
    is_held_against_the_log(tmp_path / "pipelines" / "demo", what)


def test_an_error_that_nobody_expects_is_whole_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.VARIABLE, f"work.start:PARSE_INTENT:mistake:{tmp_path / 'happened'}")  # in a worker

    async def test() -> None:
        async with alone(tmp_path) as manager:
            project = await manager.open("demo")
            await project.submit(REQUEST, USER)
            await until_failed(project, "The stage Request failed unexpectedly (Mistake: ")
            assert "is in the project's file errors/parse_intent-1.txt." in project.state.here.message

    run(test)
    is_held_against_the_log(tmp_path / "pipelines" / "demo", "Traceback (most recent call last)")


def is_held_against_the_log(folder: Path, what: str) -> None:
    """What went wrong is in a file of the project, of which no byte can be changed unseen."""
    (file,) = (folder / "errors").iterdir()
    data = file.read_bytes()
    assert what in data.decode()
    assert not any("Not covered" in said for said in verify(folder))
    for place in (0, len(data) - 1):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(VerificationError, match=r"errors/parse_intent-1\.txt was changed"):
            verify(folder)
