"""A project's log as files, for the bundle: the events as they were sent, and their chain of hashes."""

import asyncio
from pathlib import Path
from typing import Any

from .chain import genesis
from .log import EventLog

_PAGE = 2000


async def export_log(log: EventLog, project_id: str, epoch: str, head: int, place: Path) -> dict[str, Any]:
    """Write the events up to ``head`` as JSON lines, and beside them, with the ending ``.chain``, a hash for each.

    Returns
    -------
    dict
        What the bundle's manifest says of the log: whose it is, how long, and the first and the last hash.
    """
    position, link = 0, genesis(project_id, epoch)
    hashes = place.with_suffix(".chain")
    await asyncio.to_thread(_begin, place, hashes)
    while position < head:
        events = await log.read(project_id, position, min(_PAGE, head - position))
        if not events:
            break
        chain = await log.chain(project_id, position, len(events))
        position, link = events[-1].seq, chain[-1]
        await asyncio.to_thread(_append, place, b"".join(event.frame + b"\n" for event in events))
        await asyncio.to_thread(_append, hashes, b"".join(f"{one.hex()}\n".encode() for one in chain))
    return {"project_id": project_id, "epoch": epoch, "seq": position, "head": link.hex()}


def _begin(*places: Path) -> None:
    for place in places:
        place.unlink(missing_ok=True)  # never written through, should it be a link
        place.write_bytes(b"")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
