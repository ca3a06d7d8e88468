"""The log's list of projects: where each is, without reading its events."""

import sqlite3
from typing import Any

import msgspec
from msgspec import UNSET

from ..protocol.events import StageStatusEvent, User
from ..protocol.frames import decode_event
from ..protocol.snapshot import ProjectEntry
from ..protocol.stages import StageId, StageStatus
from .log_rows import unpacked
from .state import ended_by

SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  updated_ts INTEGER NOT NULL, current_stage TEXT NOT NULL, status TEXT NOT NULL, working INTEGER NOT NULL,
  ended_by BLOB, messages INTEGER NOT NULL DEFAULT 0)"""
_COLUMNS = ("project_id", "epoch", "seq", "updated_ts", "current_stage", "status", "working", "ended_by")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM projects"  # noqa: S608 - our names
_WRITE = (
    f"INSERT INTO projects ({', '.join(_COLUMNS)}, messages)"  # noqa: S608 - our names
    f" VALUES ({', '.join('?' * len(_COLUMNS))}, ?) ON CONFLICT (project_id) DO UPDATE SET "
    f"{', '.join(f'{c}=excluded.{c}' for c in _COLUMNS[2:])}, messages=messages+excluded.messages"
)
#: Of each project whose stage failed, the row that holds the event that said so.
_FAILED = """
SELECT project, max(events.seq), name, frame FROM events JOIN projects ON projects.id=project
WHERE status='FAILED' AND state AND name LIKE '%STAGE_STATUS%' GROUP BY project"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A project as the log lists it.

    ``working`` says that a stage was running at ``seq``; ``ended_by`` is who stopped the stage, where somebody did.
    """

    project_id: str
    epoch: str
    seq: int
    updated_ts: int
    current_stage: str
    status: str
    working: bool
    ended_by: User | None = None


def listed(entry: Entry) -> ProjectEntry:
    """A project as clients are told it."""
    return ProjectEntry(
        project_id=entry.project_id,
        epoch=entry.epoch,
        seq=entry.seq,
        updated_ts=entry.updated_ts,
        current_stage=StageId(entry.current_stage),
        status=StageStatus(entry.status),
        working=entry.working,
        ended_by=entry.ended_by or UNSET,
    )


def write(connection: sqlite3.Connection, entry: Entry, messages: int) -> None:
    """Put a project into the list, or bring it up to date there; ``messages`` more of them have ids in the log."""
    by = None if entry.ended_by is None else msgspec.json.encode(entry.ended_by)
    connection.execute(_WRITE, (*(getattr(entry, name) for name in _COLUMNS[:-1]), by, messages))


def read(connection: sqlite3.Connection, project_id: str | None = None) -> list[Entry]:
    """The projects, last changed first; or the one of this name, if it is there."""
    if project_id is None:
        rows = connection.execute(f"{_SELECT} ORDER BY updated_ts DESC")
    else:
        rows = connection.execute(f"{_SELECT} WHERE project_id=?", (project_id,))
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    *values, working, by = row
    return Entry(
        **dict(zip(_COLUMNS, values, strict=False)),
        working=bool(working),
        ended_by=None if by is None else msgspec.json.decode(by, type=User),
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Give the list of an earlier version who stopped what was stopped, as the events say."""
    if "ended_by" in {row[1] for row in connection.execute("PRAGMA table_info(projects)")}:
        return
    connection.execute("ALTER TABLE projects ADD COLUMN ended_by BLOB")
    for key, last, names, frames in connection.execute(_FAILED).fetchall():
        told = [frame for _, name, frame in unpacked(last, names, frames) if name == StageStatusEvent.NAME]
        payload = decode_event(told[-1]).payload
        by = ended_by(payload) if isinstance(payload, StageStatusEvent) else None
        if by is not None:
            connection.execute("UPDATE projects SET ended_by=? WHERE id=?", (msgspec.json.encode(by), key))
