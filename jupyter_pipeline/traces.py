"""Errors as the server's log may have them: where they happened and of what kind, without what they say.

The message of an exception may hold a value, a column's name or a piece of a file, and a server's log is read, shipped
and kept by others than the person whose data these are. The whole error goes to the person, in the project's folder.
"""

import contextlib
import traceback
from pathlib import Path

FOLDER = "errors"
_MOST = 20
_MOST_CHARACTERS = 200_000


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


def keep(project_dir: Path, name: str, text: str) -> str | None:
    """Write a whole error into a project's folder, for the person.

    Returns
    -------
    str or None
        The file's path below the project's folder; None if it could not be written.
    """
    place = project_dir / FOLDER / f"{name}.txt"
    if place.parent.is_symlink():
        return None
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(text[-_MOST_CHARACTERS:], encoding="utf-8")
        return f"{FOLDER}/{place.name}"
    return None
