"""Making what was renamed or linked survive a loss of power: the folder that names it has to be on the disk too."""

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, where the system can; does nothing elsewhere."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
