"""The custom commands that are installed: found in a thread, described and run in processes of their own.

No code of a plugin runs in the server's process, so none can block it or bring it down.
"""

import asyncio
import logging
import re
import threading
from importlib.metadata import entry_points
from typing import Any

from ..agent import base as agent
from ..agent.base import Reply
from ..commands import Change, Project, Restart
from ..protocol.errors import ErrorCode, Refusal, did_you_mean
from ..protocol.frames import CommandSpec
from ..protocol.messages import BUILTIN_COMMANDS
from ..threads import at_once
from ..traces import ProjectLog, places
from ..workers.custom_command import Run
from ..workers.custom_command_process import describe_commands, run_command

log = logging.getLogger(__name__)
GROUP = "jupyter_pipeline.commands"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_READY_S = 10.0
_AGAIN_MS = 1000
_AT_ONCE = 2
MOST_ASKED = 32
"""Commands that run or wait, each with the project as it stood."""


class CustomCommands:
    """The custom commands of this installation.

    Parameters
    ----------
    timeout_s : float
        Seconds that a command may take.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._values: dict[str, str] = {}
        self._specs: dict[str, CommandSpec] = {}
        self._loading: asyncio.Task[None] | None = None
        self._running = asyncio.Semaphore(_AT_ONCE)
        self._checking = asyncio.Lock()
        self._asked = 0
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to look for them."""
        self._loading = asyncio.get_running_loop().create_task(self._load())

    async def stop(self) -> None:
        """Stop looking, and end what runs, for which the end of this process would wait."""
        self._over.set()
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])

    async def ready(self) -> None:
        """Return when they are known, or after some seconds; one that hangs while it is loaded holds nobody up."""
        if self._loading is not None and not self._loading.done():
            await asyncio.wait([self._loading], timeout=_READY_S)

    @property
    def specs(self) -> tuple[CommandSpec, ...]:
        """Their descriptions, by name."""
        return tuple(self._specs[name] for name in sorted(self._specs))

    async def check(self, name: str, args: dict[str, Any]) -> None:
        """Refuse what is no custom command, arguments that do not fit its schema, and more than can wait.

        They are compared in a thread, those of one message after another: a list of 1 MiB takes seconds.
        """
        if name not in self._specs:
            known = ", ".join([*BUILTIN_COMMANDS, *sorted(self._specs)])
            near = did_you_mean(name, known.split(", "))
            raise Refusal(ErrorCode.UNKNOWN_COMMAND, f"Unknown command {name[:80]!r}; the commands are {known}.{near}")
        if self._asked >= MOST_ASKED:
            raise Refusal(
                ErrorCode.BUSY,
                f"{MOST_ASKED} commands run or wait already; ask again when some have ended.",
                retryable=True,
                retry_after_ms=_AGAIN_MS,
            )
        async with self._checking:
            wrong = await at_once(_unfit, self._specs[name].args_schema, args)
        if wrong is not None:
            raise Refusal(ErrorCode.INVALID_ARGS, f"Invalid arguments of {name}: {wrong}.")

    async def run(self, name: str, project: Project, args: dict[str, Any]) -> Reply:
        """Run a command; whatever it does, there is a reply."""
        request = Run(name=name, value=self._values[name], project=project, args=args)
        self._asked += 1
        try:
            async with self._running:
                response = await at_once(run_command, request, self._timeout_s, self._over)
        finally:
            self._asked -= 1
        if response.reply is not None:
            return Reply(text=response.reply.text, actions=tuple(_action(a) for a in response.reply.actions))
        # What it raised goes into the chat; it may hold data, so the log has the places in the code alone.
        notes = ProjectLog(log, project.project_id, command=name)
        notes.warning("the command failed:\n%s", response.where or response.error)
        return Reply(text=f"The command {name} failed: {response.error}")

    async def _load(self) -> None:
        try:
            await self._find()
        except Exception as error:
            log.error("The custom commands could not be loaded:\n%s", places(error))

    async def _find(self) -> None:
        for point in await asyncio.to_thread(lambda: list(entry_points(group=GROUP))):
            if point.name in BUILTIN_COMMANDS or _NAME.fullmatch(point.name) is None or point.name in self._values:
                log.warning("The command %r (%s) is left out: its name is taken or is none.", point.name, point.value)
            else:
                self._values[point.name] = point.value
        points = list(self._values.items())
        described = await at_once(describe_commands, points, self._timeout_s, self._over)
        for (name, _), response in zip(points, described, strict=True):
            if response.spec is None:
                log.warning("The command %s is left out: %s\n%s", name, response.error, response.where)
            else:
                self._specs[name] = response.spec


def _unfit(schema: dict[str, Any], args: dict[str, Any]) -> str | None:
    """What of some arguments does not fit a schema, None if all does.

    Patterns are left to the command's own process: one that takes for ever to match would keep the interpreter's lock
    all that time, so that nobody was served.
    """
    from jsonschema import Draft202012Validator, validators  # dependencies of Jupyter's own events

    without_patterns = validators.extend(Draft202012Validator, {"pattern": lambda *_: ()})
    error = next(without_patterns(schema).iter_errors(args), None)
    if error is None:
        return None
    where = f" at {error.json_path}" if error.json_path != "$" else ""
    return f"{error.message[:300]}{where}"


def _action(action: Change | Restart) -> agent.Change | agent.Restart:
    """A command's proposal, as an agent makes it."""
    if isinstance(action, Change):
        return agent.Change(stage_id=action.stage_id, patch=action.patch)
    return agent.Restart(stage_id=action.stage_id)
