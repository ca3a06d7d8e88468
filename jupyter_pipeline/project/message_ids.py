"""The ids of messages that took effect, sealed: none can be changed, moved, added or taken away unseen.

By them the same message is known when it comes again. The seal of an id is the SHA-256 of the hash of the event that
the message led to (:mod:`.chain`) and of the id, so it stands on all that was logged before; how many there are is in
the log's list of projects.
"""

import hashlib
import sqlite3

from .chain import genesis
from .log_rows import hashes_of


def seal(link: bytes, message_id: str) -> bytes:
    """The seal of an id, with the hash of the event that it belongs to, or of a log's beginning."""
    return hashlib.sha256(link + message_id.encode()).digest()


def migrate(connection: sqlite3.Connection) -> None:
    """Seal the ids of a log of an earlier version."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(messages)")}
    if not columns or "seal" in columns:
        return
    connection.execute("ALTER TABLE messages ADD COLUMN seal BLOB NOT NULL DEFAULT x''")
    connection.execute("ALTER TABLE projects ADD COLUMN messages INTEGER NOT NULL DEFAULT 0")
    for key, project_id, epoch in connection.execute("SELECT id, project_id, epoch FROM projects").fetchall():
        ids = connection.execute("SELECT id, seq FROM messages WHERE project=?", (key,)).fetchall()
        if not ids:
            continue
        chains = connection.execute("SELECT chain FROM events WHERE project=? ORDER BY seq", (key,))
        links = [genesis(project_id, epoch), *(link for (chain,) in chains for link in hashes_of(chain))]
        sealed = [(seal(links[min(seq, len(links) - 1)], message_id), key, message_id) for message_id, seq in ids]
        connection.executemany("UPDATE messages SET seal=? WHERE project=? AND id=?", sealed)
        connection.execute("UPDATE projects SET messages=? WHERE id=?", (len(ids), key))
