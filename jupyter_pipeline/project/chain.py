"""The chain of hashes over a project's log: no event can be changed, added or left out unseen.

The hash of an event is the SHA-256 of the hash before it and of the event's frame, byte for byte as it was sent. The
first one stands on the project's name and the log's epoch.
"""

import hashlib
import sqlite3
from collections.abc import Iterable


def genesis(project_id: str, epoch: str) -> bytes:
    """The hash that a log's first event stands on."""
    return hashlib.sha256(f"jupyter_pipeline log\n{project_id}\n{epoch}".encode()).digest()


def links(previous: bytes, frames: Iterable[bytes]) -> list[bytes]:
    """The hashes of frames that follow an event."""
    found = []
    for frame in frames:
        previous = hashlib.sha256(previous + frame).digest()
        found.append(previous)
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Give a log of an earlier version its column; its hashes follow with the next event of each project."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(events)")}
    if "chain" not in columns:
        connection.execute("ALTER TABLE events ADD COLUMN chain BLOB")


def last_link(connection: sqlite3.Connection, key: int, project_id: str, epoch: str) -> bytes:
    """The hash of a project's last event; where events have none yet, they get theirs now."""
    last = connection.execute("SELECT chain FROM events WHERE project=? ORDER BY seq DESC LIMIT 1", (key,)).fetchone()
    if last is None:
        return genesis(project_id, epoch)
    if last[0] is not None:
        return bytes(last[0])
    rows = connection.execute("SELECT seq, frame FROM events WHERE project=? ORDER BY seq", (key,)).fetchall()
    hashes = links(genesis(project_id, epoch), (frame for _, frame in rows))
    numbered = [(link, key, seq) for link, (seq, _) in zip(hashes, rows, strict=True)]
    connection.executemany("UPDATE events SET chain=? WHERE project=? AND seq=?", numbered)
    return hashes[-1]
