"""A project of this machine: its log, its state, its data files, its assets and its exports."""

import hashlib
from io import BufferedReader
from pathlib import Path

from ..project.chain import genesis
from ..project.entries import entry_of
from ..project.files import ProjectFiles
from ..project.log_reading import LogUnreadable, ProjectRows, Row, read_rows
from ..project.log_rows import Stored, size_of
from ..project.message_ids import seal
from ..project.state import ProjectState
from ..protocol.events import EVENT_TYPES
from ..protocol.frames import decode_event
from .events import Anchor, VerificationError, told, verify_log


def verify_project(folder: Path, anchors: tuple[Anchor, ...] = ()) -> list[str]:
    """Check a project of this machine.

    A server may be at work on it meanwhile; then it is checked as it was at the log's last commit.
    """
    project_id = folder.resolve().name
    try:
        found = read_rows(folder.parent / ".log" / "events.sqlite", project_id)
    except LogUnreadable as error:
        raise VerificationError(f"The log cannot be read: {error}.") from None
    if found is None:
        raise VerificationError(f"The log knows no project {project_id!r}.")
    if found.strays:
        raise VerificationError(f"The log has {found.strays} rows that belong to no project.")
    events, entry = found.events, found.entry
    if [row.seq for row in events] != list(range(1, entry.seq + 1)):
        raise VerificationError(f"The log should have the events 1 to {entry.seq}, but does not.")
    hashes = (row.chain.hex() for row in events)
    state, head = verify_log(project_id, entry.epoch, (row.frame for row in events), hashes, anchors)
    for row in events:
        _filed_rightly(row)
    _sealed_rightly(project_id, found)
    _listed_rightly(found, state)
    return [
        *told(state, head, anchors),
        f"{found.messages} messages with an id took effect; their ids are those that were logged.",
        f"{_files(folder, state)} data files, assets and exports have the SHA-256 that the log names.",
    ]


def _filed_rightly(row: Row) -> None:
    """What the log says of an event beside its frame, by which it is found again, is what the frame says."""
    name = decode_event(row.frame).name
    if (row.name, row.state) != (name, int(EVENT_TYPES[name].STATE)):
        raise VerificationError(f"Event {row.seq} is a {name}, but the log files it as {row.name}.")


def _sealed_rightly(project_id: str, found: ProjectRows) -> None:
    """The ids by which messages are known again are those of the messages that took effect."""
    if len(found.message_ids) != found.messages:
        raise VerificationError(
            f"The log should have the ids of {found.messages} messages, but has {len(found.message_ids)}."
        )
    links = [genesis(project_id, found.entry.epoch), *(row.chain for row in found.events)]
    for row in found.message_ids:
        if not 0 <= row.seq < len(links) or row.seal != seal(links[row.seq], row.id):
            raise VerificationError(f"The id {row.id!r} is not that of a message that was logged.")


def _listed_rightly(found: ProjectRows, state: ProjectState) -> None:
    """The list of projects says of this one what its events say."""
    size = size_of(Stored(row.seq, row.name, row.frame) for row in found.events)
    if found.size != size:
        raise VerificationError(f"The log's list of projects has {found.size} bytes; its events have {size}.")
    wanted = entry_of(state)
    for name in found.entry.__struct_fields__:
        said, derived = getattr(found.entry, name), getattr(wanted, name)
        if said != derived:
            raise VerificationError(f"The log's list of projects has {name} {said}; its events say {derived}.")


def _files(folder: Path, state: ProjectState) -> int:
    """Check the files whose SHA-256 the log names; how many there are."""
    files = ProjectFiles(folder)
    checked = 0
    for dataset in state.datasets:
        if dataset.source == "upload" and "sha256" in dataset.meta:
            place = folder / str(dataset.meta["path"])
            _same_file(place.name, place.open("rb") if place.is_file() else None, str(dataset.meta["sha256"]))
            checked += 1
    for artifact in state.artifacts.values():
        wanted = artifact.meta.get("sha256") or str(artifact.meta.get("checksum", "")).removeprefix("sha256:")
        if wanted:
            _, file = files.open_asset(artifact) or (None, None)
            _same_file(str(artifact.meta["path"]).rpartition("/")[2], file, str(wanted))
            checked += 1
    return checked


def _same_file(name: str, file: BufferedReader | None, wanted: str) -> None:
    if file is None:
        raise VerificationError(f"{name} is missing.")
    with file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wanted:
        raise VerificationError(f"{name} was changed: its SHA-256 is not the one in the log.")
