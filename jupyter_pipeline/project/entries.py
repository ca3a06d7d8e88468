"""The log's list of projects: where each is, without reading its events."""

import sqlite3
from typing import Any

import msgspec
from msgspec import UNSET

from ..protocol.events import User
from ..protocol.snapshot import ProjectEntry
from ..protocol.stages import StageId, StageStatus
from .log_deleting import is_hidden
from .state import ProjectState

SCHEMA = """
CREATE TABLE projects (
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
  updated_ts INTEGER NOT NULL, current_stage TEXT NOT NULL, status TEXT NOT NULL, working INTEGER NOT NULL,
  ended_by BLOB, messages INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0)"""
_COLUMNS = ("project_id", "epoch", "seq", "updated_ts", "current_stage", "status", "working", "ended_by")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM projects"  # noqa: S608 - our names
_WRITE = (
    f"INSERT INTO projects ({', '.join(_COLUMNS)}, messages, bytes)"  # noqa: S608 - our names
    f" VALUES ({', '.join('?' * len(_COLUMNS))}, ?, ?) ON CONFLICT (project_id) DO UPDATE SET "
    f"{', '.join(f'{c}=excluded.{c}' for c in _COLUMNS[2:])}, messages=messages+excluded.messages, "
    "bytes=bytes+excluded.bytes"
)


class StoredEntry(msgspec.Struct, frozen=True, kw_only=True):
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


def entry_of(state: ProjectState) -> StoredEntry:
    """A project's entry, as its state says."""
    return StoredEntry(
        project_id=state.project_id,
        epoch=state.epoch,
        seq=state.seq,
        updated_ts=state.ts,
        current_stage=state.current.value,
        status=state.here.status.value,
        working=state.work is not None,
        ended_by=state.here.ended_by,
    )


def listed(entry: StoredEntry) -> ProjectEntry:
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


def write(connection: sqlite3.Connection, entry: StoredEntry, messages: int, size: int) -> None:
    """Put a project into the list, or bring it up to date there; its log has so many more message ids, and bytes of
    events."""
    by = None if entry.ended_by is None else msgspec.json.encode(entry.ended_by)
    connection.execute(_WRITE, (*(getattr(entry, name) for name in _COLUMNS[:-1]), by, messages, size))


def read(connection: sqlite3.Connection, project_id: str | None = None) -> list[StoredEntry]:
    """The projects, last changed first; or the one of this name, if it is there."""
    if project_id is None:
        found = connection.execute(f"{_SELECT} ORDER BY updated_ts DESC")
        rows = [row for row in found if not is_hidden(row[0])]
    else:
        rows = connection.execute(f"{_SELECT} WHERE project_id=?", (project_id,)).fetchall()
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> StoredEntry:
    *values, working, by = row
    return StoredEntry(
        **dict(zip(_COLUMNS, values, strict=False)),
        working=bool(working),
        ended_by=None if by is None else msgspec.json.decode(by, type=User),
    )
