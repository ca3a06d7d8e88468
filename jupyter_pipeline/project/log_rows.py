"""How events lie in the log's file: several in one row of its table.

A row costs SQLite and the interpreter more than an event, so events that are committed together share rows. A row has
the number of its last event; names and frames are joined by line breaks, which neither has within; hashes have a fixed
length. All events of a row count for the state, or none does, so that a state can be folded from its own rows.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ..protocol.frames import Event, encode_events
from .chain import HASH_BYTES

ROW_EVENTS = 128
"""Events of a row at the most."""
ROW_BYTES = 16 << 10
"""Bytes of frames after which a row takes no more: who reads one event reads its row."""


ID_BYTES = 128
"""What the id of a message takes in the file, about."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event as it lies in the log: its number, its name, and the frame that is sent."""

    seq: int
    name: str
    frame: bytes
    state: bool = True


def as_stored(project_id: str, events: Sequence[Event]) -> list[Stored]:
    """Events as they will lie in a project's log."""
    frames = encode_events(project_id, events)
    return [Stored(e.seq, e.payload.NAME, f, e.payload.STATE) for e, f in zip(events, frames, strict=True)]


def size_of(events: Iterable[Stored]) -> int:
    """Bytes of events in the file: frames and names, each with its line break, and hashes."""
    return sum([len(event.frame) + len(event.name) + 2 + HASH_BYTES for event in events])


def packed(events: Sequence[Stored], hashes: Sequence[bytes]) -> Iterator[tuple[int, str, bool, bytes, bytes]]:
    """Rows of events that follow one another: last number, names, whether they count for the state, frames, hashes."""
    start, size, count = 0, 0, len(events)
    for end, event in enumerate(events, 1):
        size += len(event.frame)
        if size >= ROW_BYTES or end - start >= ROW_EVENTS or end == count or events[end].state != event.state:
            some = events[start:end]
            names = "\n".join([one.name for one in some])
            yield event.seq, names, event.state, b"\n".join([one.frame for one in some]), b"".join(hashes[start:end])
            start, size = end, 0


def unpacked(last: int, names: str, frames: bytes) -> list[tuple[int, str, bytes]]:
    """Number, name and frame of each event of a row, or of rows that follow one another, joined in the same way.

    Raises
    ------
    ValueError
        If there are not as many names as frames.
    """
    split = frames.split(b"\n")
    return list(zip(range(last - len(split) + 1, last + 1), names.split("\n"), split, strict=True))


def hashes_of(chain: bytes) -> list[bytes]:
    """The hashes of a row's events."""
    return [chain[at : at + HASH_BYTES] for at in range(0, len(chain), HASH_BYTES)]
