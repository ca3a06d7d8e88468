"""The format of the log's file: its version and its tables, which is all that there is in it."""

import sqlite3

from . import entries

VERSION = 3
"""Of the file's format, as its ``user_version``."""
TABLES = (
    entries.SCHEMA,
    """
CREATE TABLE events (
  project INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL, frame BLOB NOT NULL,
  chain BLOB NOT NULL, PRIMARY KEY (project, seq)) WITHOUT ROWID""",
    "CREATE INDEX events_of_state ON events (project, seq) WHERE state",
    """
CREATE TABLE messages (
  project INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, seal BLOB NOT NULL,
  PRIMARY KEY (project, id)) WITHOUT ROWID""",
)


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a new log, and lock the file for writing in any case."""
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        connection.execute(f"PRAGMA user_version={VERSION}")
        for statement in TABLES:
            connection.execute(statement)
    connection.execute("COMMIT")


def wrong_format(connection: sqlite3.Connection) -> str | None:
    """Why a file is no log of this version; None if it is one, or is new."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    found = _tables(connection)
    if version > VERSION:
        return f"it is of a newer jupyter_pipeline (format {version}; this one reads {VERSION}), so upgrade that"
    if version < VERSION and (version or found):
        return (
            f"it is of format {version}, which was never released; this jupyter_pipeline reads {VERSION}, so move the "
            "folder with the projects elsewhere to begin anew"
        )
    if found and found != {" ".join(statement.split()) for statement in TABLES}:
        return "its tables are not those that jupyter_pipeline makes"
    return None


def _tables(connection: sqlite3.Connection) -> set[str]:
    """What made the tables, indexes, views and triggers of a file; white space does not count."""
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {" ".join(sql.split()) for (sql,) in rows}
