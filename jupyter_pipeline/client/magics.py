"""``%pipeline`` and ``%%pipeline`` for IPython."""

from collections.abc import Callable
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class

from . import render
from .errors import PipelineError
from .pipeline import Pipeline, alive

HELP = """\
%pipeline [NAME] [--embedded] ACTION [ARGUMENT]
%%pipeline [NAME] [--embedded]      the cell's body is a chat message

Actions: status, confirm, cancel [stop|finish|now], restart STAGE, wait [STAGE], run [STAGE], show,
leaderboard, download [PATH], close. Without a NAME it is the pipeline that was used last."""


@magics_class
class PipelineMagics(Magics):
    """The magics; each works on a :class:`~jupyter_pipeline.client.pipeline.Pipeline` of this kernel."""

    def __init__(self, shell: Any = None) -> None:
        super().__init__(shell)
        self._last: Pipeline | None = None

    @line_cell_magic
    def pipeline(self, line: str, cell: str | None = None) -> Any:  # noqa: D102 - its docstring is HELP
        words = line.split()
        embedded = "--embedded" in words
        words = [word for word in words if word != "--embedded"]
        try:
            if cell is not None:
                return self._chat(words, cell, embedded)
            if not words or words[0] == "help":
                print(HELP)
                return None
            name = None if words[0] in ACTIONS else words.pop(0)
            action = words[0] if words else "status"
            if action not in ACTIONS:
                raise PipelineError(f"There is no action {action!r}; there are {', '.join(ACTIONS)}.")
            if name is not None and not words:
                self._check_there_is(name, embedded)
            return ACTIONS[action](self._pipeline(name, embedded), words[1:])
        except PipelineError as error:
            print(error)
            return None

    def _chat(self, words: list[str], cell: str, embedded: bool) -> Any:
        if len(words) > 1:
            raise PipelineError("%%pipeline takes a NAME and nothing else; the cell's body is the message.")
        if not cell.strip():
            raise PipelineError("The cell has no message; say what you want below %%pipeline.")
        pipeline = self._pipeline(words[0] if words else None, embedded)
        print(pipeline.chat(cell.strip()))
        return pipeline

    def _check_there_is(self, name: str, embedded: bool) -> None:
        """A word alone may be an action with a slip, which is not to begin a project of that name."""
        if alive(name) is not None:
            return
        with Pipeline(name, embedded=embedded) as project:
            if project.model.seq == 0:
                raise PipelineError(
                    f"There is no action and no project {name!r}. Actions are {', '.join(ACTIONS)}; a cell that "
                    f"begins with %%pipeline {name} and has a message below it begins a project."
                )

    def _pipeline(self, name: str | None, embedded: bool) -> Pipeline:
        last = None if self._last is None or self._last.closed else self._last
        found = alive(name) if name is not None else last or alive()
        if found is None:
            if name is None:
                raise PipelineError("There is no pipeline yet, or it was closed; name one: %pipeline NAME status.")
            found = Pipeline(name, embedded=embedded)
        self._last = found
        return found


PipelineMagics.pipeline.__doc__ = HELP  # what "%pipeline?" shows


def _status(pipeline: Pipeline, words: list[str]) -> None:
    print(render.text(pipeline.project_id, pipeline.model))


def _confirm(pipeline: Pipeline, words: list[str]) -> None:
    pipeline.confirm(*words[:1])
    _status(pipeline, [])


def _restart(pipeline: Pipeline, words: list[str]) -> None:
    if not words:
        raise PipelineError("Say which stage: %pipeline restart TRAIN.")
    pipeline.restart_stage(words[0])


def _run(pipeline: Pipeline, words: list[str]) -> None:
    pipeline.run(words[0] if words else "EXPORT")


def _wait(pipeline: Pipeline, words: list[str]) -> None:
    pipeline.wait(words[0] if words else None)
    _status(pipeline, [])


ACTIONS: dict[str, Callable[[Pipeline, list[str]], Any]] = {
    "status": _status,
    "confirm": _confirm,
    "cancel": lambda pipeline, words: pipeline.command("cancel_run", **({"mode": words[0]} if words else {})),
    "restart": _restart,
    "wait": _wait,
    "run": _run,
    "show": lambda pipeline, words: pipeline,
    "leaderboard": lambda pipeline, words: pipeline.leaderboard,
    "download": lambda pipeline, words: pipeline.download(*words[:1]),
    "close": lambda pipeline, words: pipeline.close(),
}
