"""A process that loads custom commands, to describe them or to run one once.

It reads one request from its standard input and writes its answers, one a line, to its standard output. What a
command itself prints goes nowhere, so that it cannot disturb the answer. On POSIX it is the child of a guard
(``guard.py``), as workers are: when the server lets go, or is gone, nothing of it is left, whatever the command does.
"""

import inspect
import os
import sys
import threading
import typing
from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import msgspec

from ..commands import Project, Reply
from ..protocol.frames import CommandSpec
from ..protocol.schema import schema_of, summary_of
from ..traces import places
from .guard import start_guarded


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag="describe"):
    """Describe commands: names, and where their entry points lead; an answer for each, in their order."""

    points: tuple[tuple[str, str], ...]


class Run(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """Run a command once."""

    name: str
    value: str
    project: Project
    args: dict[str, Any] = {}


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The description, the reply, or what went wrong (for people), and where (for the server's log)."""

    spec: CommandSpec | None = None
    reply: Reply | None = None
    error: str | None = None
    where: str = ""


class WrongCommand(Exception):
    """The entry point leads to no function that can be a command."""


def main() -> None:
    """Answer one request."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    if len(sys.argv) > 1:
        start_guarded(int(sys.argv[1]))
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Describe | Run)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with os.fdopen(answers, "wb") as out:
        calls = [(_run, request)] if isinstance(request, Run) else [(_describe, point) for point in request.points]
        for call, about in calls:
            out.write(msgspec.json.encode(_response(call, about)) + b"\n")
            out.flush()
        os._exit(0)  # threads that a command left behind do not count


def _response(call: Callable[[Any], Response], about: Any) -> Response:
    try:
        return call(about)
    except WrongCommand as error:
        return Response(error=str(error))
    except BaseException as error:
        return Response(error=f"{type(error).__name__}: {error}"[:500], where=places(error)[:4000])


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _describe(point: tuple[str, str]) -> Response:
    name, value = point
    function = EntryPoint(name, value, "").load()
    schema = schema_of(_arguments(value, function))
    text = summary_of(function)
    return Response(spec=CommandSpec(name=name, description=text, args_schema=schema))


def _run(request: Run) -> Response:
    function = EntryPoint(request.name, request.value, "").load()
    arguments = _arguments(request.value, function)
    said = function(request.project, msgspec.convert(request.args, arguments))
    if said is None or isinstance(said, str):
        said = Reply(text=said or "Done.")
    if not isinstance(said, Reply):
        raise WrongCommand(f"It answered with {type(said).__name__}; a command answers with a text or a Reply.")
    return Response(reply=msgspec.json.decode(msgspec.json.encode(said), type=Reply))


def _arguments(value: str, function: Any) -> Any:
    """The type of the command's arguments: that of its second parameter."""
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise WrongCommand(f"{value} is no plain function.")
    parameters = list(inspect.signature(function).parameters)
    kind = typing.get_type_hints(function).get(parameters[1]) if len(parameters) == 2 else None
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise WrongCommand(f"{value} should be a function (project, args), with args of a msgspec Struct.")
    return kind


if __name__ == "__main__":
    main()
