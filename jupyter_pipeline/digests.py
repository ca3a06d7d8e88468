"""Digests of files, by which the log, a bundle and its manifest name what was in them."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """SHA-256 of a file in hex, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
