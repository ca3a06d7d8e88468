"""A project of this machine: its log, its state, its data files, its assets and its exports."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from io import BufferedReader
from itertools import chain
from pathlib import Path

from ..digests import sha256
from ..project.chain import genesis
from ..project.entries import entry_of
from ..project.files import ProjectFiles
from ..project.log_reading import LogUnreadable, ProjectRows, Row, read_rows
from ..project.log_rows import Stored, size_of
from ..project.message_ids import seal
from ..project.state import ProjectState
from ..protocol.events import EVENT_TYPES, FileEntry, FileTreeUpdate
from ..protocol.frames import decode_event
from ..protocol.stages import StageId
from ..stages.trials import RECORD, RUNS
from .events import Anchor, VerificationError, told, verify_log

_MAY_GO = ("copy", "error")
"""Kinds of files that may be removed, but not changed: copies of the data as they were parsed, and errors in full,
which may say what is in the data."""
_LISTED = 20
"""Files that are named of those that are told."""


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
    files = _told(events)
    checked = _files(folder, state, files)
    return [
        *told(state, head, anchors),
        f"{found.messages} messages with an id took effect; their ids are those that were logged.",
        f"{len(checked)} files (data, results, models, exports, errors) have the SHA-256 that the log names.",
        *_gone(folder, files),
        *_code(folder, files),
        *_not_covered(folder, checked | files.keys()),
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


def _files(folder: Path, state: ProjectState, told: Mapping[str, FileEntry]) -> set[str]:
    """Check the files whose SHA-256 the log names; their paths."""
    files, checked = ProjectFiles(folder), set[str]()
    named = _named(state, told)
    there = ((f.path, f.sha) for f in told.values() if f.type in _MAY_GO and (folder / f.path).exists())
    for path, wanted in chain(named.items(), there, _of_models(files, state, named)):
        place = folder / path
        _same_file(path, place.open("rb") if place.is_file() else None, wanted)
        checked.add(path)
    for artifact in state.artifacts.values():
        wanted = str(artifact.meta.get("sha256") or artifact.meta.get("checksum", "")).removeprefix("sha256:")
        path = str(artifact.meta["path"])
        if wanted and named.get(path) != wanted:
            _, file = files.open_asset(artifact) or (None, None)
            _same_file(path, file, wanted)
            checked.add(path)
    return checked


def _told(events: Sequence[Row]) -> dict[str, FileEntry]:
    """What the log said last of each file, by path."""
    found: dict[str, FileEntry] = {}
    for row in events:
        if row.name == FileTreeUpdate.NAME and isinstance(told := decode_event(row.frame).payload, FileTreeUpdate):
            found |= {file.path: file for file in told.files}
    return found


def _named(state: ProjectState, told: Mapping[str, FileEntry]) -> dict[str, str]:
    """SHA-256 of data files, results and exports, by path; not of code, which is edited, nor of what may be gone."""
    uploads = [one.meta for one in state.datasets if one.source == "upload" and "sha256" in one.meta]
    found = {str(meta["path"]): str(meta["sha256"]) for meta in uploads}
    return found | {path: file.sha for path, file in told.items() if file.type not in ("code", *_MAY_GO)}


def _of_models(files: ProjectFiles, state: ProjectState, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The records of the trials that TRAIN came to, and the files of their models, with their SHA-256, also of earlier
    results that can serve again.

    Each was checked before the next is asked for: the lists of runs, which the log names, then the records that they
    name, then what these name.
    """
    present = files.result(StageId.TRAIN, state.stage(StageId.TRAIN).attempt)
    records: dict[str, str] = {}
    try:
        for result in files.trainings(state):
            if (result / RUNS).relative_to(files.folder).as_posix() not in named:
                continue
            for run in json.loads((result / RUNS).read_bytes()).values():
                # Earlier versions did not note it, or trained again in the same place.
                if "record_sha256" in run and (result == present or "-" in Path(run["trial_dir"]).name):
                    records[run["trial_dir"]] = run["record_sha256"]
        for place, wanted in records.items():
            yield f"{place}/{RECORD}", wanted
            for name, sha in json.loads((files.folder / place / RECORD).read_bytes()).get("sha256", {}).items():
                yield f"{place}/{name}", sha
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise VerificationError(f"A {RUNS}, or a record that it names, cannot be read ({error}).") from None


def _code(folder: Path, told: Mapping[str, FileEntry]) -> list[str]:
    """What was done to the code since it was handed over, which is the person's to edit: told, and no error."""
    files = [file for file in told.values() if file.type == "code"]
    if not files:
        return []
    edited = [file.path for file in files if _sha256_or_none(folder / file.path) != file.sha]
    what = f"edited since: {', '.join(sorted(edited))}" if edited else "nothing in it was edited since"
    return [f"The code ({len(files)} file{'s'[: len(files) != 1]}) is yours to edit after it was handed over; {what}."]


def _gone(folder: Path, told: Mapping[str, FileEntry]) -> list[str]:
    """What may be removed and was: told, and no error."""
    gone = [path for path, file in told.items() if file.type in _MAY_GO and not (folder / path).exists()]
    return [f"Removed since, which is allowed: {_listed(gone)}."] if gone else []


def _not_covered(folder: Path, covered: Set[str]) -> list[str]:
    """Files that the log does not name, such as those that a person added: told, and no error."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    others = {path.relative_to(folder).as_posix() for path in found} - covered
    return [f"Not covered, because the log does not name them: {_listed(others)}."] if others else []


def _listed(paths: Collection[str]) -> str:
    """The first of some paths, and how many more there are."""
    more = len(paths) - _LISTED
    return ", ".join(sorted(paths)[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _sha256_or_none(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None


def _same_file(path: str, file: BufferedReader | None, wanted: str) -> None:
    if file is None:
        raise VerificationError(f"{path} is missing.")
    with file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wanted:
        raise VerificationError(f"{path} was changed: its SHA-256 is not the one in the log.")
