"""Reading a project's log of a copy, so that nothing is changed, also beside a server that writes it.

A server holds its log exclusively (:mod:`.log`), but the bytes can be read. In WAL mode a commit only adds to the WAL,
whose frames have checksums, so that what is cut off does not count; the file itself changes in a checkpoint alone, and
after one the WAL begins anew, with another header. A copy that saw neither is the log at its last commit.
"""

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from . import entries
from .entries import StoredEntry
from .log_format import wrong_format
from .log_rows import hashes_of, unpacked

_STRAYS = """
SELECT (SELECT count(*) FROM events WHERE project NOT IN (SELECT id FROM projects))
  + (SELECT count(*) FROM messages WHERE project NOT IN (SELECT id FROM projects))"""
#: Run by itself: copies a log and its WAL, and again if there was a checkpoint in between.
_COPY = """
import os, shutil, sys, time
source, folder = sys.argv[1:]
wal = source + "-wal"

def state():
    header = b""
    try:
        with open(wal, "rb") as file:
            header = file.read(32)
    except FileNotFoundError:
        pass
    found = os.stat(source)
    return found.st_mtime_ns, found.st_size, header

for _ in range(100):
    before = state()
    # What was written just now could be written again without another time stamp.
    if not 0 <= time.time_ns() - before[0] < 50_000_000:
        for path in (source, wal):
            target = os.path.join(folder, os.path.basename(path))
            if os.path.exists(target):
                os.unlink(target)
            if os.path.exists(path):
                shutil.copyfile(path, target)
        if state() == before:
            sys.exit(0)
    time.sleep(0.1)
sys.exit(1)
"""


class LogUnreadable(Exception):
    """The log cannot be read; the message says why."""


class Row(msgspec.Struct, frozen=True):
    """An event as the log has it."""

    seq: int
    name: str
    state: int
    frame: bytes
    chain: bytes


class _Packed(msgspec.Struct, array_like=True):
    """A row of the table (:mod:`.log_rows`)."""

    last: int
    names: str
    state: int
    frames: bytes
    chain: bytes


class MessageRow(msgspec.Struct, frozen=True, array_like=True):
    """The id of a message that took effect, the event that it led to, and its seal (:mod:`.message_ids`)."""

    id: str
    seq: int
    seal: bytes


class ProjectRows(msgspec.Struct, frozen=True):
    """What the log has of a project: its line in the list of projects, its events in order, and its message ids.

    ``size`` is how many bytes the list says that the events have; ``strays`` counts the rows that belong to no project
    at all.
    """

    entry: StoredEntry
    messages: int
    size: int
    events: list[Row]
    message_ids: list[MessageRow]
    strays: int


def read_rows(path: Path, project_id: str) -> ProjectRows | None:
    """Everything that a log has of a project, None if it knows none of this name.

    Parameters
    ----------
    path : Path
        The log's file.
    project_id : str

    Raises
    ------
    LogUnreadable
        If it is damaged, or a server writes it too busily to be copied.
    """
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        copy = copied(path, Path(folder))
        try:
            return _read(copy, project_id)
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise LogUnreadable(str(error)) from None


def copied(path: Path, folder: Path) -> Path:
    """A copy of a log, as it was at a commit, in another folder.

    Raises
    ------
    LogUnreadable
        If a server writes it too busily to be copied.
    """
    # Another process copies: one that closes a file gives up all its locks on it, also those of SQLite.
    argv = [sys.executable, "-I", "-c", _COPY, str(path), str(folder)]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        raise LogUnreadable("it could not be copied while a server writes it; try again, or stop the server")
    return folder / path.name


def _read(path: Path, project_id: str) -> ProjectRows | None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Exclusive: then what the WAL holds is found without shared memory, as the server does it.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        if problem := wrong_format(connection):
            raise LogUnreadable(problem)
        found = connection.execute(
            "SELECT id, messages, bytes FROM projects WHERE project_id=?", (project_id,)
        ).fetchone()
        if found is None:
            return None
        key, messages, size = found
        (entry,) = entries.read(connection, project_id)
        (strays,) = connection.execute(_STRAYS).fetchone()
        rows = connection.execute(
            "SELECT seq, name, state, frame, chain FROM events WHERE project=? ORDER BY seq", (key,)
        ).fetchall()
        ids = connection.execute("SELECT id, seq, seal FROM messages WHERE project=? ORDER BY id", (key,)).fetchall()
    # Types are checked, because a damaged file can have others.
    typed = [msgspec.convert(row, _Packed) for row in rows]
    events = [
        Row(seq, name, row.state, frame, link)
        for row in typed
        for (seq, name, frame), link in zip(
            unpacked(row.last, row.names, row.frames), hashes_of(row.chain), strict=True
        )
    ]
    return ProjectRows(
        entry=msgspec.convert(entry, StoredEntry, from_attributes=True),
        messages=msgspec.convert(messages, int),
        size=msgspec.convert(size, int),
        events=events,
        message_ids=msgspec.convert(ids, list[MessageRow]),
        strays=strays,
    )
