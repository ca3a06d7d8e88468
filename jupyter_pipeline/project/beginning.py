"""What a project began with, read in its log: enough to find the one that was asked the same of the same data."""

import sqlite3

import msgspec

from ..protocol.events import DatasetCandidates, LogLine
from ..protocol.frames import decode_event
from .log import EventLog
from .log_reading import LogUnreadable

DAMAGED = (sqlite3.DatabaseError, ValueError, TypeError, AttributeError, LookupError)
"""What reading in a damaged log raises: it may have other types, and events that cannot follow one another."""
_PAGE, _PAGE_BYTES = 256, 1 << 20


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that a project was asked, None if nothing was; and the SHA-256 of each file that it has."""

    request: str | None
    digests: frozenset[str]


async def beginning(log: EventLog, project_id: str) -> Beginning | None:
    """What a project began with; None if there is none of this name.

    Raises
    ------
    LogUnreadable
        If what the log has of it is damaged.
    """
    try:
        if await log.entry(project_id) is None:
            return None
        return Beginning(request=await _request(log, project_id), digests=await _digests(log, project_id))
    except DAMAGED as error:
        raise LogUnreadable(str(error)) from None


async def _request(log: EventLog, project_id: str) -> str | None:
    since = 0
    while page := await log.read(project_id, since, _PAGE, _PAGE_BYTES):
        for stored in page:
            if stored.name != LogLine.NAME:
                continue
            line = decode_event(stored.frame).payload
            if isinstance(line, LogLine) and (line.run_id, line.source) == ("chat", "user"):
                return line.text
        since = page[-1].seq
    return None


async def _digests(log: EventLog, project_id: str) -> frozenset[str]:
    name, found = DatasetCandidates.NAME.encode(), frozenset[str]()
    for frame in await log.state_frames(project_id):
        if name not in frame:  # most are something else, and need not be decoded
            continue
        payload = decode_event(frame).payload
        if isinstance(payload, DatasetCandidates):
            found = frozenset(str(data.meta["sha256"]) for data in payload.datasets if "sha256" in data.meta)
    return found
