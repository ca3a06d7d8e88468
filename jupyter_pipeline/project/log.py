"""The durable event log: one SQLite file, one connection, one thread.

Every append is durable (WAL, ``synchronous=FULL``) before its future resolves; appends that wait together are
committed together. The file is locked for as long as it is open: a second server on the same folder gets
:class:`LogInUse`. Exclusive locking also means that no shared memory is needed, so a network file system will do.
Where the file cannot be written, the log is read of a copy.
"""

import asyncio
import contextlib
import functools
import os
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from . import entries
from .chain import HASH_BYTES, genesis, links
from .entries import StoredEntry
from .log_deleting import delete_piece, hide
from .log_format import make_tables, wrong_format
from .log_reading import LogUnreadable, copied
from .log_rows import ID_BYTES, ROW_BYTES, Stored, hashes_of, packed, size_of, unpacked
from .message_ids import seal

__all__ = ["EventLog", "LogInUse", "LogUnusable", "Stored", "StoredEntry", "within"]

T = TypeVar("T")
_MAX_GROUP = 256
"""Jobs that are committed together at the most."""
_COMMIT_BYTES = 12 << 10
"""What a commit takes in the WAL beside its events, about: three pages."""
_SETTLE_BYTES = 4 << 20
"""Bytes in the WAL from which on it is copied into the file (a checkpoint) when nothing has come for a moment."""
_QUIET_S = 0.1
_WAL_PAGES = 4096
"""Pages in the WAL (16 MiB) from which on a commit does that itself, and takes some 10 ms longer."""

_EVENT = ("project", "seq", "name", "state", "frame", "chain")
_ROWS = 128
"""Rows of an INSERT at the most; SQLite takes 32766 values."""
#: The rows (:mod:`.log_rows`) that hold the events after ?2 up to ?3.
_ROWS_OF = """
FROM (SELECT seq, name, frame, chain FROM events WHERE project=?1 AND seq>?2 AND seq<=coalesce(
  (SELECT seq FROM events WHERE project=?1 AND seq>=?3 ORDER BY seq LIMIT 1), ?3) ORDER BY seq)
"""
#: All of them as one, because each row that is fetched gives the GIL away.
_PAGE = f"""
SELECT max(seq), group_concat(name, char(10)), CAST(group_concat(CAST(frame AS TEXT), char(10)) AS BLOB) {_ROWS_OF}
"""
_SIZE = f"SELECT max(seq), sum(length(frame)) {_ROWS_OF}"
_LAST = "SELECT seq, substr(chain, ?) FROM events WHERE project=? ORDER BY seq DESC LIMIT 1"


class LogInUse(RuntimeError):
    """Another process has the log open."""


class LogUnusable(RuntimeError):
    """The log can be neither opened nor made, or is of another version."""


class _Job:
    __slots__ = ("future", "loop", "run")

    def __init__(self, run: Callable[[sqlite3.Connection], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.run = run
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()


class EventLog:
    """The log of all projects of a folder.

    Parameters
    ----------
    path : Path
        The SQLite file; its folder is made if there is none.

    Attributes
    ----------
    read_only : str or None
        Why it can only be read, as it was when it was opened, and what would be right; None if all is well.
    """

    def __init__(self, path: Path) -> None:
        self.read_only: str | None = None
        self._path = path
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._unsettled = 0

    async def open(self) -> None:
        """Open and lock the file; LogInUse if another process has it, LogUnusable if it cannot be had at all."""
        self.read_only = await asyncio.to_thread(_read_only, self._path)
        if self.read_only is not None:
            await asyncio.to_thread(self._read_a_copy)
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(
            target=self._serve, args=(loop, opened), name="jupyter-pipeline-log", daemon=True
        )
        self._thread.start()
        await opened

    async def close(self) -> None:
        """Commit what waits, and close the file."""
        thread, self._thread = self._thread, None  # nothing more is taken: it would never be answered
        if thread is not None:
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
        if self._copy is not None:
            await asyncio.to_thread(self._copy.cleanup)

    def _read_a_copy(self) -> None:
        try:
            self._copy = tempfile.TemporaryDirectory(prefix="log-")
            if self._path.exists():
                copied(self._path, Path(self._copy.name))
        except (OSError, LogUnreadable) as error:
            raise _unusable(self._path, error) from error
        self._path = Path(self._copy.name) / self._path.name

    async def append(self, entry: StoredEntry, events: list[Stored], messages: list[tuple[str, int]]) -> None:
        """Append a project's events, with its new entry and the ids of the messages that caused them."""
        assert self.read_only is None, self.read_only

        def run(connection: sqlite3.Connection) -> None:
            size = size_of(events)
            self._unsettled += size + _COMMIT_BYTES
            entries.write(connection, entry, len(messages), size)
            key = _key(connection, entry.project_id)
            last = connection.execute(_LAST, (-HASH_BYTES, key)).fetchone()
            head, link = last or (0, genesis(entry.project_id, entry.epoch))
            hashes = links(link, [event.frame for event in events])
            if events:
                if events[0].seq != head + 1:
                    raise ValueError(f"Event {events[0].seq} cannot follow {head} in the log of {entry.project_id}.")
                _insert(connection, "events", _EVENT, [(key, *row) for row in packed(events, hashes)])
            if messages:
                stands_on = (link, *hashes)
                sealed = [(key, name, seq, seal(stands_on[seq - head], name)) for name, seq in messages]
                _insert(connection, "messages", ("project", "id", "seq", "seal"), sealed)

        await self._do(run)

    async def entries(self) -> list[StoredEntry]:
        """All projects, last changed first."""
        return await self._do(entries.read)

    async def entry(self, project_id: str) -> StoredEntry | None:
        """One project, None if it has no event."""
        found = await self._do(lambda connection: entries.read(connection, project_id))
        return found[0] if found else None

    async def size(self, project_id: str) -> int:
        """Bytes that a project has in the log, about: its events and the ids of its messages."""

        def run(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "SELECT bytes + ? * messages FROM projects WHERE project_id=?", (ID_BYTES, project_id)
            ).fetchone()
            return row[0] if row else 0

        return await self._do(run)

    async def state_frames(self, project_id: str) -> list[bytes]:
        """The frames that a project's state is folded from, in order."""

        def run(connection: sqlite3.Connection) -> list[bytes]:
            key = _key(connection, project_id)
            rows = connection.execute("SELECT frame FROM events WHERE project=? AND state ORDER BY seq", (key,))
            return [frame for row in rows for frame in row[0].split(b"\n")]

        return await self._do(run)

    async def read(self, project_id: str, since: int, limit: int, size: int | None = None) -> list[Stored]:
        """Events of a project after ``since``, in order.

        Parameters
        ----------
        project_id : str
            The project.
        since : int
            ``seq`` of the event before the first.
        limit : int
            So many events at the most.
        size : int or None, default=None
            So many bytes of frames at the most, but at least one event; None means no limit.
        """

        def run(connection: sqlite3.Connection) -> list[Stored]:
            return _page(connection, _key(connection, project_id), since, limit, size)

        return await self._do(run)

    async def chain(self, project_id: str, since: int, limit: int) -> list[bytes]:
        """The hashes of up to ``limit`` events after ``since``, in order (:mod:`.chain`)."""

        def run(connection: sqlite3.Connection) -> list[bytes]:
            key = _key(connection, project_id)
            rows = connection.execute(f"SELECT seq, chain {_ROWS_OF}", (key, since, since + limit)).fetchall()
            if not rows:
                return []
            found = [link for _, chain in rows for link in hashes_of(chain)]
            start = since - (rows[-1][0] - len(found))
            return found[start : start + limit]

        return await self._do(run)

    async def message_seq(self, project_id: str, message_id: str) -> int | None:
        """The head of the log after a message took effect, or None if it never came."""

        def run(connection: sqlite3.Connection) -> int | None:
            row = connection.execute(
                "SELECT seq FROM messages WHERE project=? AND id=?", (_key(connection, project_id), message_id)
            ).fetchone()
            return row[0] if row else None

        return await self._do(run)

    async def delete(self, project_id: str) -> None:
        """Forget a project: it is gone when this returns. :meth:`clear_deleted` gives its room back."""
        await self._do(lambda connection: hide(connection, project_id))

    async def clear_deleted(self) -> None:
        """Remove the events of deleted projects, piece by piece: other projects' events are stored in between."""
        while await self._do(delete_piece):
            pass

    async def _do(self, run: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread is None:
            raise RuntimeError("The event log is closed.")
        job = _Job(run, asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future  # who is cancelled here does not learn of it; it is done all the same
        return result

    def _serve(self, loop: asyncio.AbstractEventLoop, opened: "asyncio.Future[None]") -> None:
        try:
            connection = _connect(self._path)
        except Exception as error:
            loop.call_soon_threadsafe(opened.set_exception, error)
            return
        loop.call_soon_threadsafe(opened.set_result, None)
        closing = False
        while not closing:
            job = self._next(connection)
            group: list[_Job] = []
            while job is not None:
                group.append(job)
                if len(group) >= _MAX_GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            else:
                closing = True
            _commit(connection, group)
        connection.close()

    def _next(self, connection: sqlite3.Connection) -> _Job | None:
        """The next job. While there is none the WAL is emptied, so that commits seldom have to."""
        if self._unsettled >= _SETTLE_BYTES:
            try:
                return self._jobs.get(timeout=_QUIET_S)
            except queue.Empty:
                self._unsettled = 0
                with contextlib.suppress(sqlite3.Error):  # then a commit tries, and tells
                    connection.execute("PRAGMA wal_checkpoint").fetchone()
        return self._jobs.get()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        # Exclusive before WAL: then the WAL index lives in this process's memory.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        if problem := wrong_format(connection):
            raise LogUnusable(f"The projects' event log {path} cannot be used: {problem}.")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        make_tables(connection)
    except LogUnusable:
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise LogInUse(
                f"Another Jupyter server (or an embedded pipeline) already uses the projects in {path.parent.parent}. "
                "Use that server, stop it, or start this one in another folder."
            ) from None
        raise _unusable(path, error) from error
    return connection


def _unusable(path: Path, error: Exception) -> LogUnusable:
    return LogUnusable(
        f"The projects' event log {path} cannot be opened ({error}). Check that the disk is not full, that you may "
        "write in its folder, and that the file is not damaged."
    )


def _read_only(path: Path) -> str | None:
    """Why a log can only be read, None if it can be written, or made."""
    place = path.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    for one in (place, path, path.with_name(f"{path.name}-wal")):
        if one.exists() and not os.access(one, os.W_OK):
            mounted = hasattr(os, "ST_RDONLY") and os.statvfs(one).f_flag & os.ST_RDONLY
            why = "its file system is mounted read-only" if mounted else "the server's account may not write there"
            return (
                f"The projects can only be read: {one} cannot be written, because {why}. Put that right and restart "
                "the server, or start it in another folder."
            )
    return None


def _insert(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Insert rows, many with one call: each call gives the GIL away and has to wait for it again."""
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        connection.execute(_insert_statement(table, columns, len(part)), [value for row in part for value in row])


@functools.lru_cache(maxsize=2 * _ROWS)
def _insert_statement(table: str, columns: tuple[str, ...], rows: int) -> str:
    values = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([values] * rows)}"  # noqa: S608 - our names


def _page(connection: sqlite3.Connection, key: int, since: int, limit: int, size: int | None) -> list[Stored]:
    while size is not None and limit > 1:
        last, total = connection.execute(_SIZE, (key, since, since + limit)).fetchone()
        if last is None:
            return []
        if total <= size + 2 * ROW_BYTES:  # the first and the last row may hold more than is asked for
            break
        limit = max(1, min(limit, last - since) * size // (total + size // 8))
    last, names, frames = connection.execute(_PAGE, (key, since, since + limit)).fetchone()
    if last is None:
        return []
    rows = unpacked(last, names, frames)
    start = since + 1 - rows[0][0]
    events = [Stored(*row) for row in rows[start : start + limit]]
    return events if size is None else within(events, size)


def within(events: list[Stored], size: int) -> list[Stored]:
    """The first events, of so many bytes, but at least one."""
    for index, event in enumerate(events):
        size -= len(event.frame)
        if size < 0 and index:
            return events[:index]
    return events


def _key(connection: sqlite3.Connection, project_id: str) -> int:
    row = connection.execute("SELECT id FROM projects WHERE project_id=?", (project_id,)).fetchone()
    return row[0] if row else -1


def _commit(connection: sqlite3.Connection, group: list[_Job]) -> None:
    """Run the jobs in one transaction, and tell each what came of it once it is durable.

    Where that cannot be had, each has one of its own: what one asks for on a full disk keeps nobody from reading.
    """
    if not group:
        return
    done: list[tuple[_Job, Any, BaseException | None]] = []
    try:
        connection.execute("BEGIN")
        for job in group:
            connection.execute("SAVEPOINT job")
            try:
                done.append((job, job.run(connection), None))
            except Exception as error:
                if not connection.in_transaction:  # where the disk is full SQLite itself rolls all of it back
                    raise
                connection.execute("ROLLBACK TO job")
                done.append((job, None, error))
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
    except Exception as error:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        if len(group) > 1:
            for job in group:
                _commit(connection, [job])
            return
        done = [(job, None, error) for job in group]
    loops = {job.loop for job in group}
    for loop in loops:
        # The loop may be gone when the process ends.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, [d for d in done if d[0].loop is loop])


def _tell(done: list[tuple[_Job, Any, BaseException | None]]) -> None:
    for job, result, error in done:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
