"""Lines of the server's log, and errors as it may have them: where they happened and of what kind, without what they
say.

The message of an exception may hold a value, a column's name or a piece of a file, and a server's log is read, shipped
and kept by others than the person whose data these are. The whole error goes to the person, in the project's folder.
"""

import contextlib
import hashlib
import logging
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from .durable import replace_file
from .protocol.events import FileEntry
from .protocol.stages import StageId

FOLDER = "errors"
_MOST = 20
_MOST_CHARACTERS = 200_000


class ProjectLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines name what they are about: for people at their beginning, and as members of the record
    (``project_id``, ``stage_id``, ``attempt``, ``command``) for what reads the log by program.

    Parameters
    ----------
    logger : logging.Logger
    project_id : str
    **more
        Further members; never what people say, or what is in their data.
    """

    def __init__(self, logger: logging.Logger, project_id: str, **more: Any) -> None:
        super().__init__(logger, {"project_id": project_id, **more})
        self._start = ", ".join(str(part) for part in (project_id, *more.values()))

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the names before a line, and among the members of its record."""
        return f"{self._start}: {msg}", {**kwargs, "extra": self.extra}


def places(error: BaseException) -> str:
    """The kind of an error and the places in the code that it went through, and those of its causes; no message.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        A line for each, the innermost first.
    """
    lines: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        lines.append(f"{type(one).__module__}.{type(one).__qualname__}")
        frames = traceback.extract_tb(one.__traceback__)[-_MOST:]
        lines += [f"  at {frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames)]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(lines)


def keep(project_dir: Path, stage_id: StageId, attempt: int, text: str) -> FileEntry | None:
    """Write the whole error of an attempt into the project's folder, for the person.

    Returns
    -------
    FileEntry or None
        The file, for the log; None if it could not be written.
    """
    place = project_dir / FOLDER / f"{stage_id.value.lower()}-{attempt}.txt"
    if place.parent.is_symlink():
        return None
    data = text[-_MOST_CHARACTERS:].encode(errors="backslashreplace")
    with contextlib.suppress(OSError, RuntimeError):  # no room, or no thread
        place.parent.mkdir(exist_ok=True)  # of a project that is deleted meanwhile nothing comes back
        replace_file(place, data)
        return FileEntry(
            path=f"{FOLDER}/{place.name}", type="error", size=len(data), sha=hashlib.sha256(data).hexdigest()
        )
    return None
