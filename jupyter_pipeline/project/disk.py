"""How much of the disk a folder takes; imports nothing, as the loading of the extension does."""

import contextlib
import os
from pathlib import Path


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
