"""Who answers a project's chat: the agent, at once or later, and the commands of plugins."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable
from typing import Any

import msgspec
from msgspec.structs import replace

from ..agent.base import Agent, Context, Reply
from ..commands import Project as CommandProject
from ..protocol.events import User
from ..protocol.schema import builtin_commands
from ..protocol.stages import StageId, StageStatus
from ..tasks import Tasks
from ..traces import ProjectLog, places
from .commands import Answer, RunCustomCommand, Say
from .custom import CustomCommands
from .files import ProjectFiles
from .mailbox import Held, Letter, Mailbox
from .snapshot import snapshot
from .state import ProjectState

log = logging.getLogger(__name__)
_SORRY = (
    "Your message is kept, but it was not understood: working out an answer failed, and nothing was changed. "
    "Say it another way, or use the buttons."
)
_SHORT = 400
_FEW_COLUMNS = 200
"""Characters of a chat, and columns of its data, with which it is answered on the event loop, which takes a millisecond
or two; with 5,000 columns it took up to 360."""


class Conversation:
    """Answers to what is said in a project. What takes its time answers through the mailbox, as everyone else does.

    Parameters
    ----------
    agent, custom
        Who answers.
    files : ProjectFiles
        The project's folder, which commands are told.
    mailbox : Mailbox
        Where later answers go.
    tasks : Tasks
        What runs beside everything else.
    """

    def __init__(
        self, agent: Agent, custom: CustomCommands, files: ProjectFiles, mailbox: Mailbox, tasks: Tasks
    ) -> None:
        self._agent = agent
        self._custom = custom
        self._files = files
        self._notes = ProjectLog(log, files.folder.name)
        self._mailbox = mailbox
        self._tasks = tasks
        self._only_answered: tuple[StageId, StageStatus] | None = None
        """How the project stood when a chat was last answered and did nothing."""

    async def answer(self, letter: Letter, said: Say, known: Context) -> Answer | None:
        """The agent's answer, which says so where it failed; None if it takes its time, and comes through the mailbox.

        Reading a long text, or one about many columns, takes the rules many milliseconds, so that is done in a thread,
        while the mailbox holds the chat. It is stored with its answer: whatever dies meanwhile, both are there or none.

        Raises
        ------
        Held
            If the letter is to be decided on again when its reply is there.
        """
        stands = known.current_stage, known.status
        if self._only_answered == stands:
            known = replace(known, only_answered=True)
        short = len(said.text) <= _SHORT and len(known.columns) <= _FEW_COLUMNS
        if not short and not inspect.iscoroutinefunction(self._agent.respond):
            self._mailbox.hold(letter)
            self._tasks.start(self._reply(letter, said, known))
            raise Held
        try:
            # A flood of short ones does not keep the event loop to itself either.
            await asyncio.sleep(0)
            reply = self._agent.respond(said.text, known)
        except Exception as error:
            reply = self._failed(error)
        return self._taken(letter, said, known, reply)

    async def _reply(self, letter: Letter, said: Say, known: Context) -> None:
        reply: Reply | Awaitable[Reply]
        answer: Answer | None = None
        try:
            try:
                reply = await asyncio.to_thread(self._agent.respond, said.text, known)
            except Exception as error:
                reply = self._failed(error)
            answer = self._taken(letter, said, known, reply)
        finally:  # whatever an agent does, nobody waits for it for ever
            self._mailbox.release(letter, answer)

    def _taken(self, letter: Letter, said: Say, known: Context, reply: Reply | Awaitable[Reply]) -> Answer | None:
        if isinstance(reply, Reply):
            self._only_answered = None if reply.actions else (known.current_stage, known.status)
            return Answer(reply, said.may_execute)
        self._tasks.start(self._answer_later(reply, letter.user, said.may_execute))
        return None

    async def _answer_later(self, reply: Awaitable[Reply], user: User, may_execute: bool) -> None:
        try:
            answer = await reply
        except Exception as error:
            answer = self._failed(error)
        self._mailbox.put(Letter(Answer(answer, may_execute), user))

    def _failed(self, error: Exception) -> Reply:
        self._notes.error("the agent failed to answer:\n%s", places(error))
        return Reply(text=_SORRY)

    def run_command(self, command: RunCustomCommand, user: User, state: ProjectState) -> None:
        """Run a custom command beside everything else."""
        folder = self._files.folder
        told: dict[str, Any] = msgspec.to_builtins(snapshot(state, builtin_commands() + self._custom.specs))
        project = CommandProject(project_id=folder.name, folder=str(folder), user=user, state=told)
        self._tasks.start(self._run_command(command, project))

    async def _run_command(self, command: RunCustomCommand, project: CommandProject) -> None:
        try:
            reply = await self._custom.run(command.name, project, command.args)
        except Exception as error:
            self._notes.error("the command %s could not be run:\n%s", command.name, places(error))
            reply = Reply(text=f"The command {command.name} could not be run ({type(error).__name__}); try again.")
        self._mailbox.put(Letter(Answer(reply), project.user))
