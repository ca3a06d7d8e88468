"""The chain of hashes over a project's log: no event can be changed, added or left out unseen.

The hash of an event is the SHA-256 of the hash before it and of the event's frame, byte for byte as it was sent. The
first one stands on the project's name and the log's epoch.
"""

import hashlib
from collections.abc import Iterable

HASH_BYTES = 32


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
