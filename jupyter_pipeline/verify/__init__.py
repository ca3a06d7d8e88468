"""Checks that a bundle, or a project's log, is as it was: ``jupyter pipeline verify``.

Every file is held against the manifest or the log, and every event against the chain of hashes; the project's state
and its leaderboard are derived anew from the events and compared with what was reported.

The chain has no key. Whoever can write a log can write another one that holds in itself; what such a person cannot do
is change what came before a hash that somebody else has kept (an :class:`Anchor`). ``docs/reliability.md`` says what
that proves and what not.
"""

import os
from pathlib import Path

from .bundle import MANIFEST, anchor_of, verify_files, verify_zip
from .events import Anchor, VerificationError
from .members import Folder
from .project import verify_project

__all__ = ["Anchor", "VerificationError", "anchor_of", "verify"]


def verify(place: Path, anchors: tuple[Anchor, ...] = ()) -> list[str]:
    """Check a bundle (zip or unpacked folder) or a project's folder.

    Parameters
    ----------
    place : Path
        What to check.
    anchors : tuple of Anchor, default=()
        Hashes that were kept elsewhere: up to each of them the log must be the one that it was then.

    Returns
    -------
    list of str
        What was found to hold, in sentences.

    Raises
    ------
    VerificationError
        If anything is not as it was.
    """
    place = Path(os.path.abspath(place))  # what lies beside "." too
    if place.is_file():
        return verify_zip(place, anchors)
    if (place / MANIFEST).is_file():
        return verify_files(Folder(place), anchors, strict=False)
    if (place.parent / ".log" / "events.sqlite").is_file():
        return verify_project(place, anchors)
    raise VerificationError(
        f"{place} is neither a bundle nor a project: there is no {MANIFEST} in it and no log beside."
    )
