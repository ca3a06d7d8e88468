"""A project may use so much of the disk: in every stage, with what is wrong, and on again when there is room."""

import asyncio
import os
import re
import time
from pathlib import Path

import pytest

from jupyter_pipeline.project import disk
from jupyter_pipeline.project.disk import folder_size
from jupyter_pipeline.protocol.messages import Chat, Command, Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.verify import verify

from .test_conductor import USER, run, running, until

MOST, LEFT = 1 << 30, 2000


def test_every_stage_keeps_to_the_disk_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it there is no more room: it is not begun. It has a little: it is ended with what it wrote gone, or, where
    it was quicker than the look at its folder, the next is not begun."""
    monkeypatch.setattr(disk, "LOOK_S", 0.01)
    folder = tmp_path / "pipelines" / "demo"
    ended: set[StageId] = set()

    async def test() -> None:
        async with running(tmp_path, project_bytes=MOST) as manager:
            project = await manager.open("demo")

            def leave(room: int) -> None:
                """Put a file there that leaves so much room; it takes nothing itself."""
                own = folder / "data" / "own.csv"
                own.parent.mkdir(parents=True, exist_ok=True)
                own.touch()
                os.truncate(own, 0)
                os.truncate(own, MOST - folder_size(folder) - project.log_bytes - room)

            def settled() -> bool:
                here = project.state.here
                return here.status in (StageStatus.FAILED, StageStatus.COMPLETED) or here.gate is not None

            async def comes_to(stage_id: StageId) -> StageStatus:
                await until(project, settled, f"an end of {stage_id}")
                assert project.state.here.id is stage_id
                return project.state.here.status

            for stage_id in StageId:
                again = Command(command="restart_stage", args={"stage_id": stage_id})
                leave(0)
                if stage_id is StageId.PARSE_INTENT:
                    await project.submit(Chat(text="Predict species in iris, with a budget of 5 seconds"), USER)
                else:
                    await project.submit(Confirm(), USER)
                assert await comes_to(stage_id) is StageStatus.FAILED
                says_how_much(project.state.here.message, "so nothing more is begun")
                leave(LEFT)
                await project.submit(again, USER)
                if await comes_to(stage_id) is StageStatus.FAILED:
                    ended.add(stage_id)
                    says_how_much(project.state.here.message, "because with what it wrote the project uses")
                    deadline = time.monotonic() + 30
                    while left := [*folder.glob("artifacts/*.partial")]:
                        assert time.monotonic() < deadline, f"{stage_id} leaves {left}"
                        await asyncio.sleep(0.05)
                    leave(LEFT + (100 << 20))
                    await project.submit(again, USER)
                    assert await comes_to(stage_id) is not StageStatus.FAILED
            assert project.state.here.status is StageStatus.COMPLETED

    run(test)
    assert ended >= {StageId.TRAIN, StageId.REVIEW_EDIT, StageId.EXPORT}
    assert "files (data, results, models" in str(verify(folder))


def says_how_much(message: str, what: str) -> None:
    assert what in message
    said = re.search(
        rf"uses ([\d,]+) bytes of disk, of {MOST:,} that it may \(PipelineApp\.project_disk_limit\)", message
    )
    assert said, message
    assert int(said[1].replace(",", "")) >= MOST
    assert "remove data files, results or exports that are not needed" in message.lower()
    assert "restart the stage" in message


def test_a_file_with_two_names_takes_its_room_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 1000)
    (tmp_path / "below").mkdir()
    os.link(tmp_path / "one", tmp_path / "below" / "two")
    (tmp_path / "other").write_bytes(b"y" * 10)
    assert folder_size(tmp_path) == 1010
