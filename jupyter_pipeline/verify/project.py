"""A project of this machine: its log, its state, its data files, its assets and its exports."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader
from itertools import chain
from pathlib import Path

from ..project.chain import genesis
from ..project.entries import entry_of
from ..project.files import ProjectFiles
from ..project.log_reading import LogUnreadable, ProjectRows, Row, read_rows
from ..project.log_rows import Stored, size_of
from ..project.message_ids import seal
from ..project.state import ProjectState
from ..protocol.events import EVENT_TYPES, FileTreeUpdate
from ..protocol.frames import decode_event
from ..protocol.stages import StageId
from .events import Anchor, VerificationError, told, verify_log


def verify_project(folder: Path, anchors: tuple[Anchor, ...] = ()) -> list[str]:
    """Check a project of this machine.

    A server may be at work on it meanwhile; then it is checked as it was at the log's last commit.
    """
    project_id = folder.name
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
        f"{_files(folder, state, events)} files (data, results, models, exports) have the SHA-256 that the log names.",
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


def _files(folder: Path, state: ProjectState, events: Sequence[Row]) -> int:
    """Check the files whose SHA-256 the log names; how many there are."""
    files, checked = ProjectFiles(folder), 0
    named = _named(state, events)
    for path, wanted in chain(named.items(), _of_models(files, state, named)):
        place = folder / path
        _same_file(path, place.open("rb") if place.is_file() else None, wanted)
        checked += 1
    for artifact in state.artifacts.values():
        wanted = str(artifact.meta.get("sha256") or artifact.meta.get("checksum", "")).removeprefix("sha256:")
        path = str(artifact.meta["path"])
        if wanted and named.get(path) != wanted:
            _, file = files.open_asset(artifact) or (None, None)
            _same_file(path, file, wanted)
            checked += 1
    return checked


def _named(state: ProjectState, events: Sequence[Row]) -> dict[str, str]:
    """SHA-256 of data files, results and exports, by path; not of the code, which the person edits."""
    uploads = [one.meta for one in state.datasets if one.source == "upload" and "sha256" in one.meta]
    found = {str(meta["path"]): str(meta["sha256"]) for meta in uploads}
    for row in events:
        if row.name == FileTreeUpdate.NAME and isinstance(told := decode_event(row.frame).payload, FileTreeUpdate):
            found |= {file.path: file.sha for file in told.files if file.type != "code"}
    return found


def _of_models(files: ProjectFiles, state: ProjectState, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The records of the trials that TRAIN came to, and the files of their models, with their SHA-256.

    Each was checked before the next is asked for: the list of runs, which the log names, then the records that it
    names, then what they name.
    """
    folder = files.folder
    runs = files.result(StageId.TRAIN, state.stage(StageId.TRAIN).attempt) / "runs.json"
    if runs.relative_to(folder).as_posix() not in named:
        return
    try:
        for run in json.loads(runs.read_bytes()).values():
            record = f"{run['trial_dir']}/trial.json"
            yield record, run["record_sha256"]
            for name, wanted in json.loads((folder / record).read_bytes())["sha256"].items():
                yield f"{run['trial_dir']}/{name}", wanted
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise VerificationError(f"{runs.name}, or a record that it names, cannot be read ({error}).") from None


def _same_file(path: str, file: BufferedReader | None, wanted: str) -> None:
    if file is None:
        raise VerificationError(f"{path} is missing.")
    with file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wanted:
        raise VerificationError(f"{path} was changed: its SHA-256 is not the one in the log.")
