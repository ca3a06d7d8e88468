"""Deleting a project's events a piece at a time, so that other projects' events do not wait for all of it.

First the project loses its name, which is durable at once; what is left belongs to a line in the list of projects that
is no project's, and goes in pieces, also after a start of the server in between.
"""

import sqlite3

_HIDDEN = "/deleted/"
"""What no project's name begins with."""
_ROWS = 128
_BYTES = 2 << 20
"""Rows, and bytes of frames, of a piece: 60 ms on a busy machine, where a log of 67 MB took 1.9 s in one go."""


def hide(connection: sqlite3.Connection, project_id: str) -> None:
    """Take a project its name."""
    connection.execute("UPDATE projects SET project_id=? || id WHERE project_id=?", (_HIDDEN, project_id))


def is_hidden(project_id: str) -> bool:
    """Whether this is no project, but what is left of one."""
    return project_id.startswith(_HIDDEN)


def delete_piece(connection: sqlite3.Connection) -> bool:
    """Delete a piece of what is left of any project; whether there may be more."""
    found = connection.execute("SELECT id FROM projects WHERE project_id LIKE ? LIMIT 1", (f"{_HIDDEN}%",)).fetchone()
    if found is None:
        return False
    (key,) = found
    rows = connection.execute(
        "SELECT seq, length(frame) FROM events WHERE project=? ORDER BY seq LIMIT ?", (key, _ROWS)
    ).fetchall()
    if rows:
        last, size = 0, 0
        for seq, length in rows:
            if last and size + length > _BYTES:
                break
            last, size = seq, size + length
        connection.execute("DELETE FROM events WHERE project=? AND seq<=?", (key, last))
        return True
    ids = connection.execute("SELECT id FROM messages WHERE project=? ORDER BY id LIMIT ?", (key, 8 * _ROWS)).fetchall()
    if ids:
        connection.execute("DELETE FROM messages WHERE project=? AND id<=?", (key, ids[-1][0]))
        return True
    connection.execute("DELETE FROM projects WHERE id=?", (key,))
    return True
