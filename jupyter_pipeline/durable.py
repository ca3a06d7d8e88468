"""Making files survive a loss of power: what is in them, and the folders that name them."""

import contextlib
import errno
import os
from pathlib import Path

_CANNOT = {errno.EINVAL, errno.EBADF, errno.ENOTSUP}
"""Errors of systems that cannot do it for such a file."""


def sync_file(path: Path) -> None:
    """Write a file to the disk, where the system can.

    Raises
    ------
    OSError
        If it is not whole: a file system over a network may find only now that there was no room for it.
    """
    with path.open("rb") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _CANNOT:
                raise


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, where the system can; does nothing elsewhere."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
