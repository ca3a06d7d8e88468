"""Checks that a bundle, or a project's log, is as it was: ``jupyter pipeline verify``.

Every file is held against the manifest and every event against the chain of hashes; the project's state and its
leaderboard are derived anew from the events and compared with what was reported.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from .project.chain import genesis, links
from .project.log_reading import LogUnreadable, ProjectRows, Row, read_rows
from .project.message_ids import seal
from .project.state import ProjectState, evolve
from .protocol.events import EVENT_TYPES
from .protocol.frames import decode_event

MANIFEST, EVENTS, CHAIN = "MANIFEST.json", "events.jsonl", "events.chain"


class VerificationError(Exception):
    """What was checked is not as it was; the message says where."""


def verify(place: Path) -> list[str]:
    """Check a bundle (zip or unpacked folder) or a project's folder.

    Parameters
    ----------
    place : Path
        What to check.

    Returns
    -------
    list of str
        What was found to hold, in sentences.

    Raises
    ------
    VerificationError
        If anything is not as it was.
    """
    if place.is_file():
        return verify_zip(place)
    if (place / MANIFEST).is_file():
        return verify_files({name: (place / name) for name in _names(place)}, strict=False)
    if (place.parent / ".log" / "events.sqlite").is_file():
        return verify_project(place)
    raise VerificationError(
        f"{place} is neither a bundle nor a project: there is no {MANIFEST} in it and no log beside."
    )


def verify_zip(place: Path) -> list[str]:
    """Check a bundle's zip, down to the bytes of the archive."""
    try:
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            for name in names:
                if name != PurePosixPath(name).as_posix() or name.startswith("/") or ".." in name.split("/"):
                    raise VerificationError(f"The archive has a file with the name {name!r}, which no bundle has.")
            if len(set(names)) != len(names):
                raise VerificationError("The archive has a file twice.")
            files: dict[str, bytes | Path] = {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise VerificationError(f"{place.name} is no zip that can be read: {error}.") from None
    said = verify_files(files)
    manifest = json.loads(_read(files[MANIFEST]))
    if manifest.get("zlib") != zlib.ZLIB_RUNTIME_VERSION:
        return [*said, f"The zip was packed by zlib {manifest.get('zlib')}; its own bytes were not compared."]
    if _packed(names, files) != place.read_bytes():
        raise VerificationError(
            "The files are as they were exported, but the archive around them was changed or packed anew."
        )
    return [*said, "The zip is, byte for byte, the one that was packed."]


def verify_files(files: "dict[str, bytes | Path]", *, strict: bool = True) -> list[str]:
    """Check a bundle's files by their manifest, and its log; ``strict`` refuses files that it does not name."""
    if MANIFEST not in files:
        raise VerificationError(f"There is no {MANIFEST}, so this is no bundle.")
    manifest = _manifest(_read(files[MANIFEST]))
    listed = manifest["files"]
    missing = sorted(set(listed) - set(files))
    if missing:
        raise VerificationError(f"{missing[0]} is missing.")
    added = sorted(set(files) - set(listed) - {MANIFEST})
    if added and strict:
        raise VerificationError(f"{added[0]} is not part of the bundle that was exported.")
    for name, entry in listed.items():
        data = files[name]
        size, digest = _digest(data)
        if size != entry["size"]:
            raise VerificationError(f"{name} was changed: it has {size:,} bytes instead of {entry['size']:,}.")
        if digest != entry["sha256"]:
            raise VerificationError(f"{name} was changed: its SHA-256 is {digest}, not {entry['sha256']}.")
    said = [f"{len(listed)} files have the SHA-256 that {MANIFEST} names."]
    if added:
        said.append(f"Not part of the bundle: {', '.join(added[:5])}{' …' if len(added) > 5 else ''}.")
    if manifest["log"] is None:
        return [*said, "The bundle was made without the log, so there is no more to check."]
    for name in (EVENTS, CHAIN):
        if name not in listed:
            raise VerificationError(f"{MANIFEST} speaks of a log, but does not list {name}.")
    frames = _lines(_read(files[EVENTS]), EVENTS)
    hashes = [line.decode("ascii", "replace") for line in _lines(_read(files[CHAIN]), CHAIN)]
    log = manifest["log"]
    state = verify_log(log["project_id"], log["epoch"], frames, hashes)
    if (state.seq, hashes[-1] if hashes else "") != (log["seq"], log["head"]):
        raise VerificationError(f"The log ends at event {state.seq}, with another hash than {MANIFEST} names.")
    said.append(f"{len(frames)} events follow one another without a gap, each with its hash.")
    said += _told(state)
    if "metrics.json" in listed:
        said.append(_metrics(json.loads(_read(files["metrics.json"])), state))
    return said


def verify_project(folder: Path) -> list[str]:
    """Check a project of this machine: its log, its state, its data files and its exports.

    A server may be at work on it meanwhile; then it is checked as it was at the log's last commit.
    """
    project_id = folder.resolve().name
    try:
        found = read_rows(folder.parent / ".log" / "events.sqlite", project_id)
    except LogUnreadable as error:
        raise VerificationError(f"The log cannot be read: {error}.") from None
    if found is None:
        raise VerificationError(f"The log knows no project {project_id!r}.")
    events = found.events
    if [row.seq for row in events] != list(range(1, found.seq + 1)):
        raise VerificationError(f"The log should have the events 1 to {found.seq}, but does not.")
    state = verify_log(project_id, found.epoch, [row.frame for row in events], [row.chain.hex() for row in events])
    for row in events:
        _filed_rightly(row)
    _sealed_rightly(project_id, found)
    if (found.current_stage, found.status) != (state.current.value, state.here.status.value):
        raise VerificationError(
            f"The log's list of projects says {found.current_stage} {found.status}; its events say otherwise."
        )
    if found.updated_ts != state.ts:
        raise VerificationError("The log's list of projects has another time than the last event.")
    said = [
        f"{len(events)} events follow one another without a gap, each with its hash.",
        f"{found.messages} messages with an id took effect; their ids are those that were logged.",
        *_told(state),
    ]
    checked = 0
    for dataset in state.datasets:
        if dataset.source == "upload" and "sha256" in dataset.meta:
            _same_file(folder / str(dataset.meta["path"]), str(dataset.meta["sha256"]))
            checked += 1
    for artifact in state.artifacts.values():
        checksum = str(artifact.meta.get("checksum", ""))
        if checksum.startswith("sha256:"):
            _same_file(folder / str(artifact.meta["path"]), checksum.removeprefix("sha256:"))
            checked += 1
    return [*said, f"{checked} data files and exports have the SHA-256 that the log names."]


def verify_log(project_id: str, epoch: str, frames: list[bytes], hashes: list[str]) -> ProjectState:
    """Check events by their chain, and derive the state from them.

    Returns
    -------
    ProjectState
        The fold of the events.

    Raises
    ------
    VerificationError
        With the first event that is not the one that was logged.
    """
    if len(frames) != len(hashes):
        raise VerificationError(f"There are {len(frames)} events, but {len(hashes)} hashes.")
    for seq, (link, wanted) in enumerate(zip(links(genesis(project_id, epoch), frames), hashes, strict=True), 1):
        if link.hex() != wanted:
            raise VerificationError(f"Event {seq} is not the one that was logged: its hash is another.")
    state = ProjectState(project_id=project_id, epoch=epoch)
    for seq, frame in enumerate(frames, 1):
        try:
            event = decode_event(frame)
            named = msgspec.json.decode(frame)["project_id"]
        except (ValueError, TypeError) as error:
            raise VerificationError(f"Event {seq} cannot be read: {error}.") from None
        if event.seq != seq or named != project_id:
            raise VerificationError(f"Event {seq} is number {event.seq} of the project {named!r}.")
        try:
            state = evolve(state, event)
        except (KeyError, IndexError, AttributeError) as error:
            raise VerificationError(f"Event {seq} ({event.name}) cannot follow those before it: {error}.") from None
    _leaderboard(state)
    return state


def _leaderboard(state: ProjectState) -> None:
    """The leaderboard is what the runs measured: the primary metric on the validation rows."""
    for row in state.leaderboard:
        run = state.runs.get(row.run_id)
        if run is None:
            if row.status == "success":
                raise VerificationError(f"The leaderboard has a run {row.run_id} that never was.")
            continue
        if row.status != run.status:
            raise VerificationError(f"The leaderboard calls {row.run_id} {row.status}; it ended as {run.status}.")
        final = run.final_metrics
        if row.status != "success" or final is None:
            continue
        measured = [m.value for m in final.metrics if (m.name, m.split) == (final.primary, "val")]
        if measured != [row.metric]:
            raise VerificationError(f"The leaderboard gives {row.run_id} {row.metric}; measured was {measured}.")


def _told(state: ProjectState) -> list[str]:
    """State and leaderboard in sentences."""
    said = [
        f"Derived from them: {state.project_id} is at {state.current.value} ({state.here.status.value}), "
        f"with {len(state.decisions)} decisions and {len(state.runs)} runs."
    ]
    wins = [row for row in state.leaderboard if row.status == "success"]
    if wins:
        said.append(
            f"The leaderboard's {len(wins)} scores are those that the runs measured; first: {wins[0].model}, "
            f"{wins[0].metric} ({wins[0].run_id})."
        )
    return said


def _metrics(reported: dict[str, Any], state: ProjectState) -> str:
    """The reported test metrics are those of the last evaluation on test rows."""
    runs = [run.final_metrics for run in state.runs.values() if run.final_metrics is not None]
    tests = [final for final in runs if any(m.split == "test" for m in final.metrics)]
    if not tests:
        raise VerificationError("metrics.json reports metrics on test rows that the log knows nothing of.")
    measured = {m.name: m.value for m in tests[-1].metrics if m.split == "test"}
    for name, value in reported["metrics"]["test"].items():
        if name not in measured or measured[name] != value:
            raise VerificationError(
                f"metrics.json reports {name} {value} on the test rows; the log, {measured.get(name)}."
            )
    return f"metrics.json reports what the log measured on the test rows ({len(measured)} metrics)."


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(data)
        text = _as_json(found)
        sealed = hashlib.sha256(_as_json({k: v for k, v in found.items() if k != "sha256"}).encode()).hexdigest()
        whole = set(found) == {"format", "algorithm", "zlib", "log", "files", "sha256"} and found["format"] == 1
        entries = [(str(name), int(e["size"]), str(e["sha256"])) for name, e in found["files"].items()]
        log = found["log"]
        whole = whole and (log is None or set(log) == {"project_id", "epoch", "seq", "head"})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise VerificationError(f"{MANIFEST} was changed: it cannot be read ({error}).") from None
    if not whole or not entries or found["algorithm"] != "sha256" or found["sha256"] != sealed or text.encode() != data:
        raise VerificationError(f"{MANIFEST} was changed: it is not as this version writes it.")
    return found


def _as_json(value: Any) -> str:
    """JSON as a manifest is written."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _lines(data: bytes, name: str) -> list[bytes]:
    if data and not data.endswith(b"\n"):
        raise VerificationError(f"{name} ends in the middle of a line.")
    return data.split(b"\n")[:-1]


def _read(data: bytes | Path) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()


def _digest(data: bytes | Path) -> tuple[int, str]:
    if isinstance(data, bytes):
        return len(data), hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return data.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _names(folder: Path) -> Iterable[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _packed(names: list[str], files: "dict[str, bytes | Path]") -> bytes:
    """The zip as :func:`jupyter_pipeline.stages.bundle.pack` makes it of these files."""
    from .stages.bundle import write_zip

    target = io.BytesIO()
    write_zip(target, names, lambda name: io.BytesIO(_read(files[name])))
    return target.getvalue()


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
    links = [genesis(project_id, found.epoch), *(row.chain for row in found.events)]
    for row in found.message_ids:
        if not 0 <= row.seq < len(links) or row.seal != seal(links[row.seq], row.id):
            raise VerificationError(f"The id {row.id!r} is not that of a message that was logged.")


def _same_file(place: Path, wanted: str) -> None:
    if not place.is_file():
        raise VerificationError(f"{place.name} is missing.")
    if _digest(place)[1] != wanted:
        raise VerificationError(f"{place.name} was changed: its SHA-256 is not the one in the log.")
