"""Custom commands as the server sees them, without the plugins themselves (``tests/server/test_commands.py``)."""

import asyncio

import pytest

from jupyter_pipeline.commands import Project
from jupyter_pipeline.project.custom import MOST_ASKED, CustomCommands
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import User
from jupyter_pipeline.protocol.frames import CommandSpec


def test_large_arguments_hold_nobody_up_while_they_are_checked() -> None:
    schema = {"type": "object", "properties": {"numbers": {"type": "array", "items": {"type": "number"}}}}

    async def check() -> int:
        """How often the event loop came to something else meanwhile."""
        custom = CustomCommands(timeout_s=1.0)
        custom._specs["sum"] = CommandSpec(name="sum", description="", args_schema=schema)
        with pytest.raises(Refusal, match=r"of sum: 'x' is not of type 'number' at \$\.numbers") as caught:
            await custom.check("sum", {"numbers": ["x"]})
        assert caught.value.code is ErrorCode.INVALID_ARGS
        checking = asyncio.create_task(custom.check("sum", {"numbers": [1] * 100_000}))
        turns = 0
        while not checking.done():
            await asyncio.sleep(0)
            turns += 1
        checking.result()
        return turns

    assert asyncio.run(check()) > 10


def test_no_more_commands_wait_than_can() -> None:
    """Each keeps the project as it stood when it was asked for."""

    async def ask() -> None:
        custom = CustomCommands(timeout_s=1.0)
        custom._specs["slow"], custom._values["slow"] = CommandSpec(name="slow", description="", args_schema={}), "m:f"
        project = Project(project_id="demo", folder="", user=User("ada", "Ada"), state={})
        await custom._running.acquire()
        await custom._running.acquire()
        waiting = [asyncio.create_task(custom.run("slow", project, {})) for _ in range(MOST_ASKED)]
        await custom.check("slow", {})
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="32 commands run or wait already") as caught:
            await custom.check("slow", {})
        assert (caught.value.code, caught.value.retryable) == (ErrorCode.BUSY, True)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await custom.check("slow", {})

    asyncio.run(ask())
